//! One process with its journal.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;
use std::time::Instant;

use image_updater::adapters::webhook_client::HttpWebhookClient;
use image_updater::ports::webhook_client::WebhookClient;
use serde_json::Value;
use tokio::time::sleep;

use crate::deliver::announcement;
use crate::folder::Folder;
use crate::rounds;
use crate::rounds::Chance;
use crate::server::Server;
use crate::server::field;
use crate::server::program;

const SECRET: &str = "a secret of the crashes";
/// How many Applications there are, each with an image of its own.
const APPLICATIONS: usize = 12;
/// How many clients send at once.
const CLIENTS: usize = 4;
/// Longer than anything takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// What was answered 2xx: the deliveries, and the latest version of each image.
#[derive(Default)]
struct Promised {
    deliveries: HashMap<String, String>,
    latest: BTreeMap<usize, u64>,
    /// The last version that was sent, whatever became of it.
    sent: u64,
}

struct World {
    folder: Folder,
    state: PathBuf,
    promised: Arc<Mutex<Promised>>,
    /// Each change that any process has told of: Application and version.
    changes: HashSet<(String, String)>,
}

impl World {
    fn new() -> Self {
        let folder = Folder::new(SECRET);
        for number in 0..APPLICATIONS {
            let image = format!("ghcr.io/acme/app-{number}");
            let name = format!("app-{number}");
            folder.add(
                &name,
                &format!("{image}:1.0.0"),
                &format!("{image}:1.x"),
                "",
            );
        }
        Self {
            state: folder.manifests().with_file_name("state"),
            folder,
            promised: Arc::default(),
            changes: HashSet::new(),
        }
    }

    fn start(&self) -> Server {
        let mut flags = self.folder.flags();
        flags.extend([
            "--state-dir".to_owned(),
            self.state.to_str().unwrap().to_owned(),
        ]);
        let mut command = program();
        command
            .args(["webhook", "--webhook-port", "0", "--disable-tls"])
            .args(flags);
        Server::spawn(command)
    }

    /// Sends deliveries until the server is gone.
    fn load(&self, server: &Arc<Server>, client: usize) -> tokio::task::JoinHandle<()> {
        let (server, promised) = (Arc::clone(server), Arc::clone(&self.promised));
        tokio::spawn(async move {
            let http = HttpWebhookClient::to_this_machine().unwrap();
            for number in (client..).step_by(CLIENTS) {
                let application = number % APPLICATIONS;
                let version = {
                    let mut promised = promised.lock().unwrap();
                    promised.sent += 1;
                    promised.sent
                };
                let image = format!("ghcr.io/acme/app-{application}:1.0.{version}");
                let request = announcement(&server, "ghcr.io", &image, SECRET);
                let Ok(answer) = http.post(request).await else {
                    return;
                };
                assert_eq!(answer.status, 200, "{}", answer.body);
                let answer: Value = serde_json::from_str(&answer.body).unwrap();
                let id = answer["delivery"].as_str().unwrap().to_owned();
                let mut promised = promised.lock().unwrap();
                promised.deliveries.insert(id, image);
                let latest = promised.latest.entry(application).or_default();
                *latest = version.max(*latest);
            }
        })
    }

    /// One start, some load, and a kill at a random moment.
    async fn round(&mut self, chance: &mut Chance) {
        let server = Arc::new(self.start());
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| self.load(&server, client))
            .collect();
        sleep(Duration::from_millis(chance.below(250))).await;
        server.signal("KILL");
        for client in clients {
            client.await.unwrap();
        }
        let mut server = Arc::into_inner(server).unwrap();
        server.wait();
        self.note_changes(&server);
    }

    fn note_changes(&mut self, server: &Server) {
        for line in server.log.with(&["outcome=changed"]) {
            let change = (field(&line, "application"), field(&line, "new"));
            assert!(
                self.changes.insert(change.clone()),
                "{change:?} was made twice"
            );
        }
        for part in ["panicked", "level=error"] {
            assert_eq!(server.log.with(&[part]), [""; 0]);
        }
    }

    /// The states of all deliveries that are remembered.
    fn states(&self) -> HashMap<String, String> {
        let output = program()
            .args([
                "deliveries",
                "list",
                "--limit",
                "65535",
                "--output",
                "json",
                "--state-dir",
            ])
            .arg(&self.state)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let lines = String::from_utf8(output.stdout).unwrap();
        let states = lines
            .lines()
            .filter(|line| line.starts_with('{'))
            .map(|line| {
                let delivery: Value = serde_json::from_str(line).unwrap();
                let text = |name: &str| delivery[name].as_str().unwrap().to_owned();
                (text("id"), text("state"))
            });
        states.collect()
    }

    /// Lets a last process do what is left.
    async fn finish(&mut self) {
        let mut server = self.start();
        let begun = Instant::now();
        while self.states().values().any(|state| state == "open") {
            assert!(begun.elapsed() < PATIENCE, "{}", server.log.text());
            sleep(Duration::from_millis(100)).await;
        }
        server.signal("TERM");
        assert_eq!(server.wait().code(), Some(0));
        self.note_changes(&server);
    }

    fn check(&self) {
        let promised = self.promised.lock().unwrap();
        let states = self.states();
        // The oldest are forgotten once there are very many.
        let remembered = states.keys().min().unwrap();
        for (id, image) in promised
            .deliveries
            .iter()
            .filter(|(id, _)| *id >= remembered)
        {
            assert_eq!(
                states.get(id).map(String::as_str),
                Some("done"),
                "{id} for {image}"
            );
        }
        for (application, latest) in &promised.latest {
            let file = self.folder.application(&format!("app-{application}"));
            let text = fs::read_to_string(file).unwrap();
            let version = text
                .split("app-")
                .nth(2)
                .unwrap()
                .split("1.0.")
                .nth(1)
                .unwrap();
            let version: u64 = version.split_whitespace().next().unwrap().parse().unwrap();
            // A delivery may have been taken whose answer was lost with the process.
            assert!(
                (*latest..=promised.sent).contains(&version),
                "app-{application} runs {version}, not {latest}"
            );
        }
        println!(
            "{} deliveries were promised, {} changes made",
            promised.deliveries.len(),
            self.changes.len()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_promise_outlives_kill_9() {
    let mut world = World::new();
    let mut chance = Chance::new(0x5eed);
    for _ in 0..rounds::count() {
        world.round(&mut chance).await;
    }
    world.finish().await;
    world.check();
}
