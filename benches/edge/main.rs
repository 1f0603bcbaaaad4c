//! What the edge costs: CPU time for each delivery, beside that of bare hyper doing the same checking and decoding over the same TLS.
//!
//! `cargo bench --bench edge` runs it. Each server is a child process, so that its CPU time can be read; the client is the parent. All
//! servers are given the same deliveries in turn, two of them with wrong signatures, round after round, and what counts is the median of the rounds. It needs Linux.

mod client;
mod delivery;
mod report;
mod server;

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use report::Report;
use server::Kind;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const ROUNDS: usize = 11;
/// How many connections deliver at a time, and to which servers. The more there are, the more deliveries share a sync of the disk.
const CROWDS: [(usize, &[Kind]); 2] = [
    (16, &Kind::ALL),
    (128, &[Kind::Bare, Kind::Edge, Kind::EdgeWithJournal]),
];
/// Deliveries to each server in a round.
const DELIVERIES: usize = 20_000;

fn main() -> Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["--serve", kind, folder] => {
            end_with_the_parent();
            server::run(Kind::parse(kind)?, Path::new(folder))
        }
        _ if arguments.contains(&"--bench") => measure(),
        _ => {
            println!("run it with `cargo bench --bench edge`");
            Ok(())
        }
    }
}

/// Its input ends when the parent does, however that came.
fn end_with_the_parent() {
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        std::process::exit(0);
    });
}

/// A server in a process of its own, which ends with this value.
struct Server {
    kind: Kind,
    process: Child,
    address: SocketAddr,
}

impl Server {
    fn start(kind: Kind, folder: &Path) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--serve", kind.name()]).arg(folder);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        if kind.logs() {
            command.stderr(Stdio::null());
        }
        let mut process = command.spawn()?;
        let stdout = process.stdout.take().ok_or("the server has no output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        Ok(Self {
            kind,
            process,
            address: line.trim().parse()?,
        })
    }

    /// The CPU time of all its threads so far, in nanoseconds.
    fn cpu_time(&self) -> Result<u64> {
        let mut nanoseconds = 0;
        for thread in std::fs::read_dir(format!("/proc/{}/task", self.process.id()))? {
            let times = std::fs::read_to_string(thread?.path().join("schedstat"))?;
            let on_cpu = times.split(' ').next().ok_or("no times")?;
            nanoseconds += on_cpu.parse::<u64>()?;
        }
        Ok(nanoseconds)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn measure() -> Result<()> {
    for (connections, kinds) in CROWDS {
        println!(
            "{ROUNDS} rounds of {DELIVERIES} deliveries to each server over TLS 1.3, {connections} connections, keep-alive"
        );
        print!("{}", compare(connections, kinds)?);
    }
    Ok(())
}

fn compare(connections: usize, kinds: &[Kind]) -> Result<Report> {
    let folder = tempfile::tempdir()?;
    let client = client::Client::new(folder.path(), connections)?;
    let servers = kinds
        .iter()
        .map(|kind| Server::start(*kind, folder.path()))
        .collect::<Result<Vec<_>>>()?;
    let mut report = Report::default();
    for server in &servers {
        client.deliver(server.address, DELIVERIES, server.kind.refuses())?;
    }
    for _ in 0..ROUNDS {
        for server in &servers {
            let before = server.cpu_time()?;
            client.deliver(server.address, DELIVERIES, server.kind.refuses())?;
            report.add(server.kind, server.cpu_time()? - before, DELIVERIES);
        }
    }
    Ok(report)
}
