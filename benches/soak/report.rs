//! The figures, and what was to be reached.

use std::fmt;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use crate::Ending;
use crate::hostile::Kind;
use crate::load::Load;
use crate::log::Log;
use crate::plan::Sort;
use crate::sample::Sample;

/// The most memory that the program may ever hold, in MiB.
const PEAK: f64 = 64.0;
/// Memory is flat where it grows by no more than that between the second and the last sixth of the run, in KiB.
const FLAT: f64 = 2048.0;
/// The part of the run that is needed to get warm.
const WARM: usize = 10;
/// The parts that are compared.
const PARTS: usize = 6;

/// All that was found.
pub(crate) struct Report {
    pub(crate) load: Arc<Load>,
    pub(crate) samples: Vec<Sample>,
    pub(crate) log: Arc<Log>,
    /// Or what was wrong at the end.
    pub(crate) ending: Result<Ending, String>,
}

impl Report {
    /// Whether every promise was kept.
    pub(crate) fn exit_code(&self) -> ExitCode {
        let tally = &self.load.tally;
        let is_well = self.ending.is_ok()
            && !self.load.is_broken()
            && tally.lost.get() == 0
            && tally.let_in.get() == 0
            && self.log.counts().errors == 0;
        if is_well {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }

    /// Per second of the whole run.
    fn rate(&self, count: u64) -> f64 {
        float(count) / self.load.time.as_secs_f64()
    }

    /// The mean of each part of the run.
    fn parts(&self, value: impl Fn(&Sample) -> u64) -> Vec<f64> {
        let length = self.samples.len().div_ceil(PARTS).max(1);
        let parts = self.samples.chunks(length);
        parts
            .map(|part| {
                let sum: f64 = part.iter().map(|sample| float(value(sample))).sum();
                sum / float(part.len() as u64)
            })
            .collect()
    }

    fn warm(&self) -> &[Sample] {
        &self.samples[self.samples.len() / WARM..]
    }

    /// By how much resident memory grows in a minute once the program is warm, in KiB, by least squares.
    fn slope(&self) -> f64 {
        let points = self.warm().iter();
        let points: Vec<_> = points
            .map(|sample| (sample.at.as_secs_f64() / 60.0, float(sample.resident)))
            .collect();
        let count = float(points.len() as u64);
        let mean_at = points.iter().map(|(at, _)| at).sum::<f64>() / count;
        let mean = points.iter().map(|(_, value)| value).sum::<f64>() / count;
        let both = |(at, value): &(f64, f64)| (at - mean_at) * (value - mean);
        let covariance: f64 = points.iter().map(both).sum();
        let variance: f64 = points.iter().map(|(at, _)| (at - mean_at).powi(2)).sum();
        covariance / variance
    }

    fn write_good(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tally = &self.load.tally;
        let all = tally.taken_in_all();
        writeln!(f, "good deliveries: {all}, {:.0} a second", self.rate(all))?;
        for (sort, name) in Sort::ALL {
            let count = tally.taken(sort);
            writeln!(f, "  {name:<32} {count:>9} {:>9.1}/s", self.rate(count))?;
        }
        for (comes_new, name) in [(false, "kept"), (true, "new")] {
            let latency = tally.latency(comes_new);
            writeln!(
                f,
                "  answered over a {name} connection after: p50 {:.1} ms, p99 {:.1} ms, p99.9 {:.1} ms, at most {:.1} ms",
                milliseconds(latency.permille(500)),
                milliseconds(latency.permille(990)),
                milliseconds(latency.permille(999)),
                milliseconds(latency.most()),
            )?;
        }
        writeln!(
            f,
            "  sent again: {} pushed back (503), {} as a kept connection was closed, {} without an answer on a new one or in time\n  lost or refused: {}",
            tally.pushed_back.get(),
            tally.closed.get(),
            tally.unanswered.get(),
            tally.lost.get()
        )
    }

    fn write_hostile(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tally = &self.load.tally;
        let each = Kind::ALL.map(|(kind, at_once, _, name)| (at_once, name, tally.attacks(kind)));
        let all = each.iter().map(|(_, _, count)| count).sum();
        writeln!(f, "hostile events: {all}, {:.0} a second", self.rate(all))?;
        for (at_once, name, count) in each {
            let rate = self.rate(count);
            writeln!(f, "  {name:<32} {count:>9} {rate:>9.1}/s by {at_once}")?;
        }
        writeln!(f, "  let in: {}", tally.let_in.get())
    }

    fn write_process(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last = self.samples.last().copied();
        let warm = self.warm().first().copied();
        let (Some(last), Some(warm)) = (last, warm) else {
            return writeln!(f, "the program was not seen");
        };
        let most = |value: &dyn Fn(&Sample) -> u64| self.samples.iter().map(value).max();
        writeln!(f, "process:")?;
        writeln!(
            f,
            "  resident when warm               {} KiB",
            warm.resident
        )?;
        let resident = self.parts(|sample| sample.resident);
        writeln!(
            f,
            "  resident by sixths               {} KiB",
            listed(&resident)
        )?;
        writeln!(
            f,
            "  grows by                         {:+.1} KiB a minute",
            self.slope()
        )?;
        let journal = self.parts(|sample| sample.journal / 1024);
        writeln!(
            f,
            "  journal by sixths                {} KiB",
            listed(&journal)
        )?;
        let files = self.parts(|sample| sample.files as u64);
        writeln!(f, "  open files by sixths             {}", listed(&files))?;
        let queue = self.parts(|sample| sample.queue);
        writeln!(
            f,
            "  in the queue by sixths           {}, at most {}",
            listed(&queue),
            most(&|sample| sample.queue).unwrap_or(0)
        )?;
        writeln!(
            f,
            "  threads                          at most {}",
            most(&|sample| sample.threads as u64).unwrap_or(0)
        )?;
        writeln!(
            f,
            "  CPUs                             {:.2}",
            last.cpu.as_secs_f64() / last.at.as_secs_f64()
        )?;
        let counts = self.log.counts();
        writeln!(
            f,
            "  lines in the log                 {}, {} warnings, {} errors",
            counts.all, counts.warnings, counts.errors
        )
    }

    fn write_ending(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in self
            .load
            .tally
            .complaints()
            .iter()
            .chain(&self.log.errors())
        {
            writeln!(f, "! {line}")?;
        }
        let ending = match &self.ending {
            Ok(ending) => ending,
            Err(error) => return writeln!(f, "! at the end: {error}"),
        };
        writeln!(
            f,
            "every promise was kept, by {} changes; the queue was empty after {:.1} s, and the {} deliveries that are remembered are done\n",
            ending.changes,
            ending.drained_after.as_secs_f64(),
            ending.remembered
        )?;
        let peak = float(ending.peak) / 1024.0;
        writeln!(
            f,
            "{} the most memory ever held: {peak:.1} MiB, at most {PEAK:.0} MiB",
            verdict(peak <= PEAK)
        )?;
        let resident = self.parts(|sample| sample.resident);
        if let [_, second, .., last] = resident.as_slice() {
            let growth = last - second;
            writeln!(
                f,
                "{} flat: {growth:+.0} KiB from the second to the last sixth, at most {FLAT:.0} KiB",
                verdict(growth <= FLAT)
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_good(f)?;
        self.write_hostile(f)?;
        self.write_process(f)?;
        self.write_ending(f)
    }
}

fn verdict(is_met: bool) -> &'static str {
    if is_met { "met   " } else { "MISSED" }
}

fn listed(values: &[f64]) -> String {
    let values = values.iter().map(|value| format!("{value:.0}"));
    values.collect::<Vec<_>>().join(", ")
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// Exact for all that is counted here.
#[expect(
    clippy::cast_precision_loss,
    reason = "nothing here comes near to 2 to the power of 53"
)]
fn float(value: u64) -> f64 {
    value as f64
}
