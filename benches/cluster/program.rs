//! The program as a child process.

use std::io::BufRead;
use std::io::BufReader;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use crate::Result;
use crate::process;
use crate::process::Memory;

/// The secret that both sides know.
pub(crate) const SECRET: &str = "a secret of the benchmark";

/// How often it is asked whether it is ready.
const LOOK: Duration = Duration::from_millis(5);
/// A program that is not ready then will never be.
const PATIENCE: Duration = Duration::from_secs(300);

/// The program, running. It is killed when it is dropped.
pub(crate) struct Program {
    process: Child,
    port: u16,
}

impl Program {
    /// Starts it, and says how long it took until it was ready.
    pub(crate) async fn start(
        kubeconfig: &Path,
        registries: Option<&Path>,
    ) -> Result<(Self, Duration)> {
        let began = Instant::now();
        let mut process = Command::new(env!("CARGO_BIN_EXE_argocd-image-updater"))
            .env_clear()
            .args(["webhook", "--disable-tls", "--webhook-port", "0"])
            .args(["--catch-up=false", "--webhook-confirm"])
            .arg(if registries.is_some() {
                "registry"
            } else {
                "event"
            })
            .arg("--registries-conf-path")
            .arg(registries.unwrap_or(Path::new("")))
            .args(["--ghcr-webhook-secret", SECRET, "--kubeconfig"])
            .arg(kubeconfig)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let stderr = process.stderr.take().ok_or("the program has no log")?;
        let mut program = Self { process, port: 0 };
        program.port = listens_at(BufReader::new(stderr))?;
        let client = reqwest::Client::builder().no_proxy().build()?;
        while began.elapsed() < PATIENCE {
            let answer = client.get(program.url("/readyz")).send().await?;
            if answer.status().is_success() {
                return Ok((program, began.elapsed()));
            }
            tokio::time::sleep(LOOK).await;
        }
        Err("the program does not get ready".into())
    }

    /// A URL of it.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The CPU time that it has taken.
    pub(crate) fn cpu_time(&self) -> Result<Duration> {
        process::cpu_time(self.process.id())
    }

    /// Its memory.
    pub(crate) fn memory(&self) -> Result<Memory> {
        process::memory(self.process.id())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Reads the log until it says on which port deliveries are taken, and goes on reading, as a container runtime does.
fn listens_at(mut log: impl BufRead + Send + 'static) -> Result<u16> {
    let mut all = String::new();
    let address = loop {
        let before = all.len();
        if log.read_line(&mut all)? == 0 {
            return Err(format!("the program has ended:\n{all}").into());
        }
        let line = all.get(before..).unwrap_or_default();
        if line.contains("webhook server is listening") {
            let mut fields = line.split_whitespace();
            break fields.find_map(|field| field.strip_prefix("address="));
        }
    };
    let address = address.ok_or("the log names no address")?;
    let port = address.trim_matches('"').rsplit(':').next();
    let port = port.unwrap_or_default().parse()?;
    std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
    Ok(port)
}
