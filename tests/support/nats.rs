//! A NATS server with JetStream on loopback, ended whatever happens to the test. Tests include this file by its path.

use std::fs;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::process::Child;
use std::process::ChildStdin;
use std::process::ChildStdout;
use std::process::Command;
use std::process::Stdio;

use tempfile::TempDir;

use crate::peers;

/// The user whom the server knows.
pub(crate) const USER: &str = "updater";
/// And the password.
pub(crate) const PASSWORD: &str = "s3cr3t-of-the-test";

/// A running server. What it holds ends with it.
pub(crate) struct Nats {
    /// Host and port.
    pub(crate) authority: String,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    _supervisor: Child,
}

impl Nats {
    /// One whose word is as good as its disk's: what it has acknowledged outlives a crash. `None` where the program is not there.
    pub(crate) fn start() -> Option<Self> {
        Self::with("sync_interval: always", "")
    }

    /// One that speaks TLS alone, with the certificate and the key in that folder.
    pub(crate) fn tls(folder: &Path) -> Option<Self> {
        let (certificate, key) = (folder.join("tls.crt"), folder.join("tls.key"));
        let tls = format!(
            "tls {{ cert_file: \"{}\", key_file: \"{}\" }}",
            certificate.display(),
            key.display()
        );
        Self::with("sync_interval: always", &tls)
    }

    /// Three that keep together what is given to one of them.
    pub(crate) fn cluster() -> Option<[Self; 3]> {
        // Each has to know where the others will be, before any of them is there.
        let routes = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let routes = routes.map(|free| free.local_addr().unwrap());
        let all = routes.map(|route| format!("nats://{route}")).join(", ");
        let one = |number: usize| {
            let more = format!(
                "server_name: n{number}\ncluster {{ name: c, listen: \"{}\", routes: [{all}] }}",
                routes[number]
            );
            Self::with("sync_interval: always", &more)
        };
        Some([one(0)?, one(1)?, one(2)?])
    }

    /// One that does not wait for its disk.
    pub(crate) fn fast() -> Option<Self> {
        Self::with("sync_interval: 2m", "")
    }

    fn with(sync: &str, more: &str) -> Option<Self> {
        let binaries = peers::folder(&["nats-server"], "a NATS server")?;
        // The supervisor removes it: it may outlive this process for a moment.
        let dir = TempDir::with_prefix("image-updater-nats-").unwrap().keep();
        let store = dir.join("store").display().to_string();
        let configuration = format!(
            "jetstream {{ store_dir: \"{store}\", {sync} }}\nauthorization {{ user: {USER}, password: \"{PASSWORD}\" }}\n{more}\n"
        );
        fs::write(dir.join("nats.conf"), configuration).unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/serve-nats");
        let mut supervisor = Command::new("bash")
            .arg(script)
            .arg(binaries)
            .arg(dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut nats = Self {
            authority: String::new(),
            orders: supervisor.stdin.take().unwrap(),
            answers: BufReader::new(supervisor.stdout.take().unwrap()),
            _supervisor: supervisor,
        };
        nats.wait_until_ready();
        Some(nats)
    }

    /// Ends the server as a crash would.
    pub(crate) fn kill(&mut self) {
        self.order("kill", "killed");
    }

    /// Starts it again, where it was and with what it held.
    pub(crate) fn restart(&mut self) {
        self.orders.write_all(b"start\n").unwrap();
        self.wait_until_ready();
    }

    /// Starts it again where nobody looks for it who knew it before.
    pub(crate) fn restart_aside(&mut self) {
        self.orders.write_all(b"aside\n").unwrap();
        self.wait_until_ready();
    }

    /// Keeps a copy of what it holds, while it is dead.
    pub(crate) fn save(&mut self) {
        self.order("save", "saved");
    }

    /// Brings back what it held when that was saved, while it is dead.
    pub(crate) fn restore(&mut self) {
        self.order("restore", "restored");
    }

    fn order(&mut self, order: &str, answer: &str) {
        self.orders.write_all(order.as_bytes()).unwrap();
        self.orders.write_all(b"\n").unwrap();
        assert_eq!(self.answer(), answer);
    }

    /// The address, with user and password.
    pub(crate) fn url(&self) -> String {
        format!("nats://{USER}:{PASSWORD}@{}", self.authority)
    }

    fn wait_until_ready(&mut self) {
        let answer = self.answer();
        let port = answer.strip_prefix("ready ").unwrap();
        self.authority = format!("127.0.0.1:{port}");
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }
}
