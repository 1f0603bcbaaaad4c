//! etcd and kube-apiserver on loopback, ended whatever happens to the test.

use std::fs;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::net::Ipv4Addr;
use std::net::TcpListener;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::ChildStdin;
use std::process::ChildStdout;
use std::process::Command;
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::OnceLock;

use kube::Client;
use kube::Config;
use kube::config::KubeConfigOptions;
use kube::config::Kubeconfig;
use tempfile::TempDir;

use crate::peers;

/// The bearer token of a cluster admin.
const ADMIN: &str = "admin";

/// An API server.
pub(crate) struct ApiServer {
    binaries: PathBuf,
    url: String,
    dir: PathBuf,
    supervisor: Mutex<Supervisor>,
}

/// `tests/peers/serve`. It ends, and everything with it, when its standard input is closed.
struct Supervisor {
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    _child: Child,
}

impl ApiServer {
    /// The one that all tests of this process share, each in namespaces of its own; `None` where there are no binaries.
    pub(crate) fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<ApiServer>> = OnceLock::new();
        let folder = binaries()?;
        SHARED.get_or_init(|| Some(Self::start(&folder))).as_ref()
    }

    /// One for a test alone, which may stop it; `None` where there are no binaries.
    pub(crate) fn own() -> Option<Self> {
        Some(Self::start(&binaries()?))
    }

    fn start(binaries: &Path) -> Self {
        // Somebody else may take the port between looking for it and listening on it.
        for _ in 0..5 {
            if let Some(server) = Self::try_start(binaries) {
                return server;
            }
        }
        panic!("the API server does not start");
    }

    fn try_start(binaries: &Path) -> Option<Self> {
        let ports = free_ports();
        // The supervisor removes it: it may outlive this process for a moment.
        let dir = TempDir::with_prefix("image-updater-api-").unwrap().keep();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/serve");
        let mut child = Command::new("bash")
            .arg(script)
            .arg(binaries)
            .arg(&dir)
            .args(ports.map(|port| port.to_string()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut supervisor = Supervisor {
            orders: child.stdin.take().unwrap(),
            answers: BufReader::new(child.stdout.take().unwrap()),
            _child: child,
        };
        if supervisor.answer() != "ready" {
            return None;
        }
        let server = Self {
            binaries: binaries.to_owned(),
            url: format!("https://127.0.0.1:{}", ports[0]),
            dir,
            supervisor: Mutex::new(supervisor),
        };
        super::custom_resources::install(&server);
        Some(server)
    }

    /// Kills it. What it holds stays.
    pub(crate) fn kill(&self) {
        self.order("stop", "stopped");
    }

    /// Starts it again after [`kill`](Self::kill), and waits until it is ready.
    pub(crate) fn restart(&self) {
        self.order("start", "ready");
    }

    fn order(&self, order: &str, answer: &str) {
        let mut supervisor = self.supervisor.lock().unwrap();
        writeln!(supervisor.orders, "{order}").unwrap();
        assert_eq!(supervisor.answer(), answer);
    }

    /// Its address.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The file of its certificate, in PEM.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.dir.join("apiserver.crt")
    }

    /// A client that may do everything. It belongs to the runtime of the test that makes it.
    pub(crate) async fn admin(&self) -> Client {
        self.client(ADMIN, "default").await
    }

    /// A client with a bearer token, at home in a namespace.
    pub(crate) async fn client(&self, token: &str, namespace: &str) -> Client {
        let kubeconfig = Kubeconfig::from_yaml(&self.kubeconfig(token, namespace)).unwrap();
        let options = KubeConfigOptions::default();
        let config = Config::from_custom_kubeconfig(kubeconfig, &options)
            .await
            .unwrap();
        Client::try_from(config).unwrap()
    }

    /// The kubeconfig of whoever has a bearer token, at home in a namespace.
    pub(crate) fn kubeconfig(&self, token: &str, namespace: &str) -> String {
        let (url, certificate) = (&self.url, self.certificate());
        let certificate = certificate.display();
        format!(
            r"apiVersion: v1
kind: Config
clusters:
- name: test
  cluster: {{server: '{url}', certificate-authority: '{certificate}'}}
users:
- name: test
  user: {{token: '{token}'}}
contexts:
- name: test
  context: {{cluster: test, user: test, namespace: '{namespace}'}}
current-context: test
"
        )
    }

    /// Runs `kubectl` as a cluster admin, with this on its standard input, and gives what it prints.
    pub(crate) fn kubectl(&self, arguments: &[&str], input: &str) -> Result<String, String> {
        let folder = TempDir::new().unwrap();
        let kubeconfig = folder.path().join("kubeconfig");
        fs::write(&kubeconfig, self.kubeconfig(ADMIN, "default")).unwrap();
        let mut child = Command::new(self.binaries.join("kubectl"))
            .arg("--kubeconfig")
            .arg(&kubeconfig)
            .args(arguments)
            .env("HOME", folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A program that ends before it has read everything is no failure of this.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        let (out, err) = (output.stdout, output.stderr);
        if output.status.success() {
            Ok(String::from_utf8(out).unwrap())
        } else {
            Err(String::from_utf8_lossy(&err).into_owned())
        }
    }
}

impl Supervisor {
    /// Its next line; empty where it has ended.
    fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }
}

fn binaries() -> Option<PathBuf> {
    let programs = ["kube-apiserver", "etcd", "kubectl"];
    peers::folder(&programs, "a Kubernetes API server")
}

fn free_ports() -> [u16; 3] {
    let listen = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let listeners = [listen(), listen(), listen()];
    listeners.map(|listener| listener.local_addr().unwrap().port())
}
