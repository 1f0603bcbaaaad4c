//! What Linux says of a process: proc(5).

use std::error::Error;
use std::time::Duration;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// What a tick of `/proc/PID/stat` is for every program on Linux.
const TICK: Duration = Duration::from_millis(10);

/// Memory of a process, in KiB.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    /// What it holds.
    pub(crate) resident: u64,
    /// The most it ever held.
    pub(crate) peak: u64,
}

/// The memory of the process with this number.
pub(crate) fn memory(process: u32) -> Result<Memory> {
    let status = read(process, "status")?;
    let field = |name: &str| -> Result<u64> {
        let mut lines = status.lines();
        let line = lines.find_map(|line| line.strip_prefix(name));
        let value = line.and_then(|line| line.split_whitespace().next());
        Ok(value.ok_or("the program has ended")?.parse()?)
    };
    Ok(Memory {
        resident: field("VmRSS:")?,
        peak: field("VmHWM:")?,
    })
}

/// The CPU time that the process with this number has taken.
pub(crate) fn cpu_time(process: u32) -> Result<Duration> {
    let stat = read(process, "stat")?;
    // The name of the program comes in parentheses, and user and system time are the fields 14 and 15 of all.
    let (_, after_name) = stat.rsplit_once(')').ok_or("no name")?;
    let fields = after_name.split_whitespace().skip(11).take(2);
    let ticks = fields
        .map(str::parse::<u32>)
        .sum::<std::result::Result<u32, _>>()?;
    Ok(TICK * ticks)
}

fn read(process: u32, file: &str) -> Result<String> {
    Ok(std::fs::read_to_string(format!("/proc/{process}/{file}"))?)
}
