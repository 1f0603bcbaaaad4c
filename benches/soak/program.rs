//! The program as a child process.

use std::io::Read;
use std::io::Write;
use std::net::Ipv4Addr;
use std::net::TcpStream;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::Instant;

use serde_json::Value;

use crate::Result;
use crate::log::Log;
use crate::process;
use crate::process::Memory;
use crate::world::World;

/// Longer than a start or an end takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// The program, running. It is killed when it is dropped.
pub(crate) struct Program {
    process: Mutex<Child>,
    id: u32,
    /// Where it takes deliveries.
    pub(crate) port: u16,
    /// Where it shows metrics.
    metrics: u16,
    /// What it says.
    pub(crate) log: Arc<Log>,
}

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_argocd-image-updater"));
    command.env_clear().stdin(Stdio::null());
    command
}

impl Program {
    /// Starts it, and waits until it takes deliveries.
    pub(crate) fn start(world: &World) -> Result<Self> {
        let mut process = program()
            .args(["webhook", "--webhook-port=0", "--enable-http2"])
            .args([
                "--metrics-bind-address=127.0.0.1:0",
                "--metrics-secure=false",
            ])
            .args(["--webhook-confirm=event", "--catch-up=false"])
            .args(["--registries-conf-path="])
            .args(world.flags())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let stderr = process.stderr.take().ok_or("the program has no log")?;
        let log = Log::read(stderr);
        let id = process.id();
        let program = Self {
            process: Mutex::new(process),
            id,
            metrics: log.port("metrics server is listening", PATIENCE)?,
            port: log.port("webhook server is listening", PATIENCE)?,
            log,
        };
        let began = Instant::now();
        while program.metric(crate::sample::QUEUE).is_err() {
            if began.elapsed() > PATIENCE {
                return Err("the program does not get ready".into());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(program)
    }

    /// Its memory.
    pub(crate) fn memory(&self) -> Result<Memory> {
        process::memory(self.id)
    }

    /// How many threads it has.
    pub(crate) fn threads(&self) -> Result<usize> {
        self.count("task")
    }

    /// How many files and sockets it has open.
    pub(crate) fn files(&self) -> Result<usize> {
        self.count("fd")
    }

    /// The CPU time that it has taken.
    pub(crate) fn cpu_time(&self) -> Result<Duration> {
        process::cpu_time(self.id)
    }

    fn count(&self, folder: &str) -> Result<usize> {
        Ok(std::fs::read_dir(format!("/proc/{}/{folder}", self.id))?.count())
    }

    /// A metric that is a whole number, by its name and labels.
    pub(crate) fn metric(&self, name: &str) -> Result<u64> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.metrics))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")?;
        let mut page = String::new();
        stream.read_to_string(&mut page)?;
        let mut lines = page.lines();
        let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        let value = value.ok_or_else(|| format!("no metric {name}"))?;
        Ok(value.parse()?)
    }

    /// Asks it for all deliveries that it remembers, as people do, and says how many there are, if none of them is open or has failed.
    pub(crate) fn nothing_is_open(world: &World) -> Result<usize> {
        let output = program()
            .args(["deliveries", "list", "--limit=65535", "--output=json"])
            .arg("--state-dir")
            .arg(world.state())
            .output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into());
        }
        let lines = String::from_utf8(output.stdout)?;
        let mut remembered = 0;
        for line in lines.lines().filter(|line| line.starts_with('{')) {
            let delivery: Value = serde_json::from_str(line)?;
            if delivery["state"] != "done" {
                return Err(format!("a delivery is not done: {line}").into());
            }
            remembered += 1;
        }
        Ok(remembered)
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn end(&self) -> Result<()> {
        let id = i32::try_from(self.id)?;
        let id = rustix::process::Pid::from_raw(id).ok_or("no process")?;
        rustix::process::kill_process(id, rustix::process::Signal::TERM)?;
        let began = Instant::now();
        loop {
            let mut process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
            match process.try_wait()? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => return Err(format!("the program ended with {status}").into()),
                None if began.elapsed() > PATIENCE => return Err("the program does not end".into()),
                None => {}
            }
            drop(process);
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let process = self.process.get_mut();
        let process = process.unwrap_or_else(PoisonError::into_inner);
        let _ = process.kill();
        let _ = process.wait();
    }
}
