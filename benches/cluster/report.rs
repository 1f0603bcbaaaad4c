//! The figures, and what was to be reached.

use std::fmt;
use std::time::Duration;

use crate::events::Latencies;
use crate::process::Memory;

/// How much longer than a bare PATCH a delivery may take, in the middle, at [`COMPARED`].
const TO_PATCH: f64 = 2.0;
/// The number of Applications for that.
const COMPARED: usize = 500;
/// How much longer a delivery may take with [`MANY`] than with [`FEW`], in the middle.
const TO_FEW: f64 = 1.5;
const FEW: usize = 100;
const MANY: usize = 10_000;
/// Memory that is granted, in KiB: to the program, and for each Application.
const GRANTED: (u64, u64) = (32 * 1024, 2);

/// What was measured at one number of Applications.
pub(crate) struct Measured {
    pub(crate) applications: usize,
    /// From the start of the process until it said that it was ready.
    pub(crate) ready_after: Duration,
    /// The program's CPU time in all rounds.
    pub(crate) cpu: Duration,
    pub(crate) memory: Memory,
    pub(crate) latencies: Latencies,
}

/// All that was measured.
#[derive(Default)]
pub(crate) struct Report(Vec<Measured>);

impl Report {
    pub(crate) fn add(&mut self, measured: Measured) {
        self.0.push(measured);
    }

    fn at(&self, applications: usize) -> Option<&Measured> {
        let mut all = self.0.iter();
        all.find(|measured| measured.applications == applications)
    }

    fn goals(&self) -> Vec<Goal> {
        let mut goals = Vec::new();
        if let Some(measured) = self.at(COMPARED) {
            goals.push(Goal {
                what: format!("p50 of a delivery to that of a bare PATCH at {COMPARED}"),
                limit: TO_PATCH,
                is: measured.to_patch(),
                unit: "",
            });
        }
        if let (Some(few), Some(many)) = (self.at(FEW), self.at(MANY)) {
            goals.push(Goal {
                what: format!("p50 of a delivery at {MANY} to that at {FEW}"),
                limit: TO_FEW,
                is: many.delivery(50) / few.delivery(50),
                unit: "",
            });
        }
        goals.extend(self.0.iter().map(|measured| Goal {
            what: format!("the most memory ever held at {}", measured.applications),
            limit: mebibytes(measured.granted()),
            is: mebibytes(measured.memory.peak),
            unit: " MiB",
        }));
        goals
    }
}

/// Something to be reached.
struct Goal {
    what: String,
    limit: f64,
    is: f64,
    unit: &'static str,
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.is <= self.limit {
            "met"
        } else {
            "MISSED"
        };
        let Self {
            what,
            limit,
            is,
            unit,
        } = self;
        write!(
            f,
            "{verdict:<7}{what}: {is:.2}{unit}, at most {limit:.2}{unit}"
        )
    }
}

impl Measured {
    /// A percentile of the deliveries, in milliseconds.
    fn delivery(&self, percent: usize) -> f64 {
        percentile(&self.latencies.deliveries, percent)
    }

    /// A percentile of the bare patches, in milliseconds.
    fn patch(&self, percent: usize) -> f64 {
        percentile(&self.latencies.patches, percent)
    }

    fn to_patch(&self) -> f64 {
        self.delivery(50) / self.patch(50)
    }

    /// The memory that it may take, in KiB.
    fn granted(&self) -> u64 {
        let (program, each) = GRANTED;
        program + each * self.applications as u64
    }

    /// CPU time of the program for a delivery and somebody else's change, in milliseconds.
    fn cpu_of_a_round(&self) -> f64 {
        let rounds = u32::try_from(self.latencies.deliveries.len()).unwrap_or(u32::MAX);
        milliseconds(self.cpu / rounds.max(1))
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:>12} {:>9.1} {:>6.1} {:>9.1} {:>6.1} {:>6.2} {:>9.2} {:>9.2} {:>9.1} {:>6.1} {:>8.1}",
            self.applications,
            self.delivery(50),
            self.delivery(99),
            self.patch(50),
            self.patch(99),
            self.to_patch(),
            self.cpu_of_a_round(),
            self.ready_after.as_secs_f64(),
            mebibytes(self.memory.resident),
            mebibytes(self.memory.peak),
            mebibytes(self.granted()),
        )
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:>12} {:>16} {:>16} {:>6} {:>9} {:>9} {:>25}",
            "", "delivery, ms", "bare PATCH, ms", "", "CPU, ms", "", "memory, MiB"
        )?;
        writeln!(
            f,
            "{:>12} {:>9} {:>6} {:>9} {:>6} {:>6} {:>9} {:>9} {:>9} {:>6} {:>8}",
            "Applications",
            "p50",
            "p99",
            "p50",
            "p99",
            "ratio",
            "a round",
            "ready, s",
            "resident",
            "peak",
            "granted"
        )?;
        for measured in &self.0 {
            writeln!(f, "{measured}")?;
        }
        for goal in self.goals() {
            write!(f, "\n{goal}")?;
        }
        Ok(())
    }
}

/// In milliseconds.
fn percentile(values: &[Duration], percent: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    milliseconds(sorted.get(rank).copied().unwrap_or_default())
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

fn mebibytes(kibibytes: u64) -> f64 {
    f64::from(u32::try_from(kibibytes).unwrap_or(u32::MAX)) / 1024.0
}
