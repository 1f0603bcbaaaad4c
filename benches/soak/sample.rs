//! A look at the process every second.

use std::path::Path;
use std::time::Duration;

use crate::Result;
use crate::load::Load;
use crate::program::Program;

/// The metric of what waits or is in work.
pub(crate) const QUEUE: &str = "argocd_image_updater_queue_events";
const EVERY: Duration = Duration::from_secs(1);
/// A line is printed for each so many samples.
const LINE: usize = 60;

/// What was seen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    /// Since the beginning.
    pub(crate) at: Duration,
    /// In KiB.
    pub(crate) resident: u64,
    pub(crate) files: usize,
    pub(crate) threads: usize,
    pub(crate) cpu: Duration,
    /// In bytes.
    pub(crate) journal: u64,
    /// Events that wait or are in work.
    pub(crate) queue: u64,
    /// Good deliveries that were taken so far.
    pub(crate) taken: u64,
}

/// Looks until the load has come to its end.
pub(crate) fn run(program: &Program, journal: &Path, load: &Load) -> Vec<Sample> {
    let mut samples = Vec::new();
    while !load.is_over() {
        match look(program, journal, load) {
            Ok(sample) => samples.push(sample),
            Err(error) => load.break_off(format!("the program cannot be looked at: {error}")),
        }
        if samples.len() % LINE == 0 {
            print_line(&samples, load);
        }
        let next = EVERY * u32::try_from(samples.len()).unwrap_or(u32::MAX);
        std::thread::sleep(next.saturating_sub(load.began.elapsed()));
    }
    samples
}

fn look(program: &Program, journal: &Path, load: &Load) -> Result<Sample> {
    let memory = program.memory()?;
    Ok(Sample {
        at: load.began.elapsed(),
        resident: memory.resident,
        threads: program.threads()?,
        files: program.files()?,
        cpu: program.cpu_time()?,
        journal: std::fs::metadata(journal)?.len(),
        queue: program.metric(QUEUE)?,
        taken: load.tally.taken_in_all(),
    })
}

fn print_line(samples: &[Sample], load: &Load) {
    let (Some(last), Some(before)) = (samples.last(), samples.iter().rev().nth(LINE - 1)) else {
        return;
    };
    let seconds = last.at.saturating_sub(before.at).as_secs_f64().max(1.0);
    let taken = u32::try_from(last.taken - before.taken).unwrap_or(u32::MAX);
    println!(
        "{:>3} min: {:>6.0} deliveries/s, {:>5} KiB resident, {:>3} files, {:>2} threads, {:.2} CPUs, journal {:>5} KiB, {:>4} in the queue, {} lost",
        samples.len() / LINE,
        f64::from(taken) / seconds,
        last.resident,
        last.files,
        last.threads,
        last.cpu.saturating_sub(before.cpu).as_secs_f64() / seconds,
        last.journal / 1024,
        last.queue,
        load.tally.lost.get(),
    );
}
