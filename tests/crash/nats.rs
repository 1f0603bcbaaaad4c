//! Two replicas on JetStream, of which one, or the server, is killed at random moments: whatever was answered 200 is worked on, once.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

use futures_util::future::join_all;
use image_updater::adapters::nats::Options;
use image_updater::adapters::nats::SharedQueue;
use image_updater::adapters::nats::connection::Address;
use image_updater::adapters::nats::connection::Login;
use image_updater::adapters::nats::names::Names;
use image_updater::adapters::senders;
use image_updater::adapters::webhook_client::HttpWebhookClient;
use image_updater::app::send::request;
use image_updater::domain::delivery::DeliveryId;
use image_updater::domain::event::ImageEvent;
use image_updater::domain::queue::record::Progress;
use image_updater::domain::reference::Reference;
use image_updater::domain::secret_policy::Secret;
use image_updater::ports::delivery_log::DeliveryLog;
use image_updater::ports::webhook_client::Request;
use image_updater::ports::webhook_client::WebhookClient;
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::folder::Folder;
use crate::nats_server::Nats;
use crate::nats_server::PASSWORD;
use crate::nats_server::USER;
use crate::rounds;
use crate::rounds::Chance;
use crate::server::Lines;
use crate::server::Server;
use crate::server::field;
use crate::server::program;

const SECRET: &str = "a secret of the tests";
/// How many Applications there are, each with an image of its own.
const APPLICATIONS: usize = 6;
/// How long a replica may be silent.
const PATIENCE: Duration = Duration::from_secs(2);
/// Longer than anything takes on a slow machine; a test that reaches it has failed.
const LONG: Duration = Duration::from_secs(180);

/// What senders and the one who kills share.
#[derive(Default)]
struct Shared {
    /// Where the replicas listen that are alive.
    doors: Mutex<[Option<String>; 2]>,
    /// Images that were announced and answered 200, and are not known to be worked on.
    open: Mutex<BTreeMap<String, DeliveryId>>,
    /// The highest patch level of each Application of which that is so.
    highest: Mutex<BTreeMap<usize, usize>>,
    is_over: AtomicBool,
}

/// The delivery that announces an image, but for where it goes.
fn announcement(image: &str) -> Request {
    let reference = Reference::parse(image).unwrap();
    let event = ImageEvent {
        image: reference.name().clone(),
        tag: reference.tag().unwrap().clone(),
        digest: None,
    };
    let all = senders::all();
    let sender = all.iter().find(|one| one.profile().name == "ghcr.io");
    let secret = Secret::parse(SECRET);
    let mut made = request(
        sender.unwrap().as_ref(),
        &event,
        "/webhook",
        secret.as_ref(),
    )
    .unwrap();
    let is_name = |(name, _): &(String, String)| name.eq_ignore_ascii_case("x-github-delivery");
    made.headers.retain(|header| !is_name(header));
    made.headers
        .push(("X-GitHub-Delivery".to_owned(), image.to_owned()));
    made
}

/// Announces one version of an Application's image after the other, each until it is taken, as a patient sender does.
async fn send(application: usize, shared: Arc<Shared>) {
    let client = HttpWebhookClient::to_this_machine().unwrap();
    for patch in 1.. {
        let image = format!("ghcr.io/acme/app{application}:1.0.{patch}");
        let made = announcement(&image);
        for attempt in application.. {
            if shared.is_over.load(Ordering::Relaxed) {
                return;
            }
            let door = shared.doors.lock().unwrap()[attempt % 2].clone();
            let answer = match door {
                Some(door) => {
                    let url = format!("{door}{}", made.url);
                    client
                        .post(Request {
                            url,
                            ..made.clone()
                        })
                        .await
                        .ok()
                }
                None => None,
            };
            match answer.map(|answer| (answer.status, answer.body)) {
                Some((200, body)) => {
                    let id = delivery(&body);
                    shared.open.lock().unwrap().insert(image, id);
                    shared.highest.lock().unwrap().insert(application, patch);
                    break;
                }
                Some((503, _)) | None => sleep(Duration::from_millis(20)).await,
                Some(other) => panic!("{image}: {other:?}"),
            }
        }
        sleep(Duration::from_millis(20)).await;
    }
}

fn start(folder: &Folder, queue: &str) -> Server {
    let mut command = program();
    command
        .args([
            "webhook",
            "--webhook-port=0",
            "--disable-tls=true",
            "--queue-patience=2s",
        ])
        .args(folder.flags())
        .env("IMAGE_UPDATER_QUEUE", queue);
    Server::spawn(command)
}

/// One who looks on, and does not work.
async fn witness(nats: &Nats) -> SharedQueue {
    let queue = SharedQueue::open(Options {
        address: Address {
            servers: vec![nats.authority.clone()],
            is_tls: false,
            login: Some(Login::Password {
                user: USER.to_owned(),
                password: PASSWORD.to_owned(),
            }),
        },
        names: Names::new("argocd-image-updater").unwrap(),
        replicas: 1,
        capacity: 1,
        patience: PATIENCE,
    });
    let queue = queue.await.unwrap();
    queue.leave();
    queue
}

/// The delivery that an answer is about, or the one that it is the same as.
fn delivery(body: &str) -> DeliveryId {
    let body: Value = serde_json::from_str(body).unwrap();
    let own = body["delivery"].as_str().unwrap();
    let message = body["message"].as_str().unwrap();
    let same = message.strip_prefix("delivery ");
    let same = same.and_then(|rest| rest.split_once(','));
    DeliveryId::new(same.map_or(own, |(same, _)| same))
}

/// Strikes off what has been worked on. Says how much is left.
async fn strike_off(witness: &SharedQueue, shared: &Shared) -> usize {
    let open: Vec<_> = shared.open.lock().unwrap().clone().into_iter().collect();
    for some in open.chunks(200) {
        let shown = some.iter().map(|(_, id)| witness.show(id));
        let shown = join_all(shown).await;
        let mut open = shared.open.lock().unwrap();
        for ((image, _), record) in some.iter().zip(shown) {
            let record = record.ok().flatten();
            if record.is_some_and(|record| record.progress() != Progress::Open) {
                open.remove(image);
            }
        }
    }
    shared.open.lock().unwrap().len()
}

/// Two replicas, their queue, and those who send to them.
struct World {
    nats: Nats,
    url: String,
    folder: Folder,
    replicas: [Server; 2],
    /// Of all replicas that ever ran.
    logs: Vec<Arc<Lines>>,
    shared: Arc<Shared>,
    witness: SharedQueue,
    senders: Vec<JoinHandle<()>>,
}

impl World {
    /// `None` where there is no server.
    async fn new() -> Option<Self> {
        let nats = Nats::start()?;
        let folder = Folder::new(SECRET);
        for number in 0..APPLICATIONS {
            let image = format!("ghcr.io/acme/app{number}");
            let (runs, policy) = (format!("{image}:1.0.0"), format!("{image}:^1"));
            folder.add(&format!("app{number}"), &runs, &policy, "");
        }
        let url = nats.url();
        let replicas = [start(&folder, &url), start(&folder, &url)];
        let shared = Arc::new(Shared::default());
        *shared.doors.lock().unwrap() = [0, 1].map(|one: usize| Some(replicas[one].url("")));
        let send = |one| tokio::spawn(send(one, Arc::clone(&shared)));
        Some(Self {
            senders: (0..APPLICATIONS).map(send).collect(),
            witness: witness(&nats).await,
            logs: replicas.iter().map(|one| Arc::clone(&one.log)).collect(),
            nats,
            url,
            folder,
            replicas,
            shared,
        })
    }

    /// Kills a replica, or the server if it is none, and starts it again after a while.
    async fn kill(&mut self, victim: usize, wait: Duration) {
        let Some(replica) = self.replicas.get_mut(victim) else {
            self.nats.kill();
            sleep(wait).await;
            return self.nats.restart();
        };
        self.shared.doors.lock().unwrap()[victim] = None;
        replica.signal("KILL");
        replica.wait();
        sleep(wait).await;
        *replica = start(&self.folder, &self.url);
        self.logs.push(Arc::clone(&replica.log));
        self.shared.doors.lock().unwrap()[victim] = Some(replica.url(""));
    }

    /// Waits until one more delivery of each Application is taken, and ends the sending.
    async fn end_sending(&mut self) {
        let before = self.shared.highest.lock().unwrap().clone();
        let is_stuck = || {
            let highest = self.shared.highest.lock().unwrap();
            let mut highest = highest.iter();
            highest.any(|(one, patch)| before.get(one) == Some(patch))
        };
        let deadline = Instant::now() + LONG;
        while is_stuck() {
            assert!(Instant::now() < deadline, "deliveries are refused for ever");
            sleep(Duration::from_millis(20)).await;
        }
        self.shared.is_over.store(true, Ordering::Relaxed);
        for sender in self.senders.drain(..) {
            sender.await.unwrap();
        }
    }

    /// Waits until all is worked on.
    async fn settle(&self) {
        let deadline = Instant::now() + LONG;
        while strike_off(&self.witness, &self.shared).await > 0 {
            let open = self.shared.open.lock().unwrap().clone();
            let logs = [0, 1].map(|one: usize| self.replicas[one].log.text());
            assert!(
                Instant::now() < deadline,
                "{} are not worked on, the first is {:?}\n{}",
                open.len(),
                open.first_key_value(),
                logs.join("\n---\n")
            );
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// Every Application runs the highest version that was taken.
    fn check_versions(&self) {
        for (application, patch) in &*self.shared.highest.lock().unwrap() {
            let name = format!("app{application}");
            let text = fs::read_to_string(self.folder.application(&name)).unwrap();
            assert!(
                text.contains(&format!("{name}:1.0.{patch}\n")),
                "{patch}: {text}"
            );
        }
    }

    /// No change was made twice. Says how many were made.
    fn check_changes(&self) -> usize {
        let mut changes: BTreeMap<(String, String), usize> = BTreeMap::new();
        let lines = self
            .logs
            .iter()
            .flat_map(|log| log.with(&["outcome=changed"]));
        for line in lines {
            let change = (field(&line, "application"), field(&line, "new"));
            *changes.entry(change).or_default() += 1;
        }
        let twice: Vec<_> = changes.iter().filter(|(_, times)| **times > 1).collect();
        assert!(twice.is_empty(), "done twice: {twice:?}");
        changes.len()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_replicas_lose_nothing_and_do_nothing_twice() {
    let Some(mut world) = World::new().await else {
        return;
    };
    let mut chance = Chance::new(20_261_127);
    let mut kills = [0; 3];
    for round in 0..rounds::count() {
        sleep(Duration::from_millis(chance.below(1500))).await;
        // Each at least once, where there are rounds enough.
        let any = usize::try_from(chance.below(3)).unwrap();
        let victim = if round < 3 { round } else { any };
        kills[victim] += 1;
        let wait = Duration::from_millis(chance.below(500));
        world.kill(victim, wait).await;
        strike_off(&world.witness, &world.shared).await;
        let mut senders = world.senders.iter();
        let is_wrong = senders.any(JoinHandle::is_finished);
        assert!(!is_wrong, "a sender got an answer that it should not");
    }
    world.end_sending().await;
    world.settle().await;
    world.check_versions();
    let changes = world.check_changes();
    let taken: usize = world.shared.highest.lock().unwrap().values().sum();
    println!("{taken} deliveries, {changes} changes, killed: {kills:?}");
}
