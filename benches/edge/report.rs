//! The figures.

use std::collections::BTreeMap;
use std::fmt;

use crate::server::Kind;

/// CPU time for each delivery, in nanoseconds, by server and round.
#[derive(Default)]
pub(crate) struct Report(BTreeMap<Kind, Vec<u64>>);

impl Report {
    /// Adds a round of a server.
    pub(crate) fn add(&mut self, kind: Kind, nanoseconds: u64, deliveries: usize) {
        let each = nanoseconds / deliveries as u64;
        self.0.entry(kind).or_default().push(each);
    }

    fn median(&self, kind: Kind) -> u64 {
        self.0.get(&kind).map_or(0, |rounds| median(rounds.clone()))
    }

    /// The median of the ratios of neighbouring rounds, in thousandths: both sides of each had the same disturbances.
    fn ratio_to_bare(&self, kind: Kind) -> u64 {
        let (Some(ours), Some(bare)) = (self.0.get(&kind), self.0.get(&Kind::Bare)) else {
            return 0;
        };
        let pairs = ours.iter().zip(bare);
        median(pairs.map(|(ours, bare)| ours * 1000 / bare).collect())
    }
}

fn median(mut values: Vec<u64>) -> u64 {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or(0)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<40} {:>8} {:>15} {:>6}",
            "", "us", "from - to", "ratio"
        )?;
        let mut before = 0;
        for (kind, rounds) in &self.0 {
            let (least, most) = (rounds.iter().min(), rounds.iter().max());
            let range = format!(
                "{} - {}",
                micro(least.copied().unwrap_or(0)),
                micro(most.copied().unwrap_or(0))
            );
            let (median, ratio) = (self.median(*kind), self.ratio_to_bare(*kind));
            writeln!(
                f,
                "{:<40} {:>8} {range:>15} {:>3}.{:02}   {:+.2} us",
                kind.title(),
                micro(median),
                ratio / 1000,
                ratio % 1000 / 10,
                (f64::from(u32::try_from(median).unwrap_or(u32::MAX))
                    - f64::from(u32::try_from(before).unwrap_or(u32::MAX)))
                    / 1000.0,
            )?;
            before = median;
        }
        Ok(())
    }
}

fn micro(nanoseconds: u64) -> String {
    format!("{}.{:02}", nanoseconds / 1000, nanoseconds % 1000 / 10)
}
