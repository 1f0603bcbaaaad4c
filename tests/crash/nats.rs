//! Two replicas on JetStream, of which one, or the server, is killed at random moments: whatever was answered 200 is worked on, once.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;
use std::time::SystemTime;

use image_updater::adapters::nats::Options;
use image_updater::adapters::nats::SharedQueue;
use image_updater::adapters::nats::connection::Address;
use image_updater::adapters::nats::connection::Login;
use image_updater::adapters::nats::names::Names;
use image_updater::adapters::senders;
use image_updater::adapters::webhook_client::HttpWebhookClient;
use image_updater::app::send::request;
use image_updater::domain::event::ImageEvent;
use image_updater::domain::queue::record::EventState;
use image_updater::domain::reference::Reference;
use image_updater::domain::secret_policy::Secret;
use image_updater::ports::delivery_log::DeliveryLog;
use image_updater::ports::webhook_client::Request;
use image_updater::ports::webhook_client::WebhookClient;
use tokio::time::sleep;

use crate::folder::Folder;
use crate::nats_server::Nats;
use crate::nats_server::PASSWORD;
use crate::nats_server::USER;
use crate::server::Lines;
use crate::server::Server;
use crate::server::field;
use crate::server::program;

const SECRET: &str = "a secret of the tests";
/// How many Applications there are, each with an image of its own.
const APPLICATIONS: usize = 6;
/// How many rounds there are where nobody says it.
const ROUNDS: usize = 6;
/// How long a replica may be silent.
const PATIENCE: Duration = Duration::from_secs(2);
/// Longer than anything takes on a slow machine; a test that reaches it has failed.
const LONG: Duration = Duration::from_secs(60);

/// Numbers without an order, the same ones for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// What senders and the one who kills share.
#[derive(Default)]
struct Shared {
    /// Where the replicas listen that are alive.
    doors: Mutex<[Option<String>; 2]>,
    /// Images that were announced and answered 200, and are not known to be worked on.
    open: Mutex<BTreeSet<String>>,
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
                Some((200, _)) => {
                    shared.open.lock().unwrap().insert(image);
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
        capacity: 1,
        patience: PATIENCE,
    });
    let queue = queue.await.unwrap();
    queue.leave();
    queue
}

/// Strikes off what has been worked on. Says how much is left.
async fn strike_off(witness: &SharedQueue, shared: &Shared) -> usize {
    let most = 1000 + shared.open.lock().unwrap().len();
    let records = witness.list(most).await.unwrap_or_default();
    let mut open = shared.open.lock().unwrap();
    for known in records.into_iter().flat_map(|record| record.events) {
        if matches!(known.state, EventState::Ended { .. }) {
            // Without the digest.
            open.remove(&format!("{}:{}", known.event.image, known.event.tag));
        }
    }
    open.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_replicas_lose_nothing_and_do_nothing_twice() {
    let Some(mut nats) = Nats::start() else {
        return;
    };
    let rounds = env::var("IMAGE_UPDATER_ROUNDS").map_or(ROUNDS, |rounds| rounds.parse().unwrap());
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap();
    let seed = env::var("IMAGE_UPDATER_SEED").map_or(now.as_millis(), |seed| seed.parse().unwrap());
    println!("IMAGE_UPDATER_SEED={seed} IMAGE_UPDATER_ROUNDS={rounds}");
    let mut random = Random(u64::try_from(seed).unwrap() | 1);
    let folder = Folder::new(SECRET);
    for number in 0..APPLICATIONS {
        let image = format!("ghcr.io/acme/app{number}");
        folder.add(
            &format!("app{number}"),
            &format!("{image}:1.0.0"),
            &format!("{image}:^1"),
            "",
        );
    }
    let url = nats.url();
    let mut replicas = [start(&folder, &url), start(&folder, &url)];
    let mut logs: Vec<Arc<Lines>> = replicas.iter().map(|one| Arc::clone(&one.log)).collect();
    let shared = Arc::new(Shared::default());
    *shared.doors.lock().unwrap() = [0, 1].map(|one: usize| Some(replicas[one].url("")));
    let witness = witness(&nats).await;
    let senders: Vec<_> = (0..APPLICATIONS)
        .map(|one| tokio::spawn(send(one, Arc::clone(&shared))))
        .collect();
    let mut kills = [0; 3];
    for round in 0..rounds {
        sleep(Duration::from_millis(random.below(1500))).await;
        // Each at least once, where there are rounds enough.
        let victim = if round < 3 {
            round
        } else {
            usize::try_from(random.below(3)).unwrap()
        };
        kills[victim] += 1;
        match replicas.get_mut(victim) {
            Some(replica) => {
                shared.doors.lock().unwrap()[victim] = None;
                replica.signal("KILL");
                replica.wait();
                sleep(Duration::from_millis(random.below(500))).await;
                *replica = start(&folder, &url);
                logs.push(Arc::clone(&replica.log));
                shared.doors.lock().unwrap()[victim] = Some(replica.url(""));
            }
            None => {
                nats.kill();
                sleep(Duration::from_millis(random.below(500))).await;
                nats.restart();
            }
        }
        strike_off(&witness, &shared).await;
        for sender in &senders {
            assert!(
                !sender.is_finished(),
                "a sender got an answer that it should not"
            );
        }
    }
    // Each is taken once more after the last round.
    let before = shared.highest.lock().unwrap().clone();
    let deadline = Instant::now() + LONG;
    while shared
        .highest
        .lock()
        .unwrap()
        .iter()
        .any(|(one, patch)| before.get(one) == Some(patch))
    {
        assert!(Instant::now() < deadline, "deliveries are refused for ever");
        sleep(Duration::from_millis(20)).await;
    }
    shared.is_over.store(true, Ordering::Relaxed);
    for sender in senders {
        sender.await.unwrap();
    }
    let all: usize = shared.highest.lock().unwrap().values().sum();
    let deadline = Instant::now() + LONG;
    while strike_off(&witness, &shared).await > 0 {
        let open: Vec<String> = shared
            .open
            .lock()
            .unwrap()
            .iter()
            .take(5)
            .cloned()
            .collect();
        assert!(
            Instant::now() < deadline,
            "never worked on: {open:?} …\n{:?}\n{}\n---\n{}",
            witness.list(3).await,
            replicas[0].log.text(),
            replicas[1].log.text()
        );
        sleep(Duration::from_millis(100)).await;
    }
    for (application, patch) in &*shared.highest.lock().unwrap() {
        let text = fs::read_to_string(folder.application(&format!("app{application}"))).unwrap();
        assert!(
            text.contains(&format!("app{application}:1.0.{patch}\n")),
            "{patch}: {text}"
        );
    }
    let mut changes: BTreeMap<(String, String), usize> = BTreeMap::new();
    for line in logs.iter().flat_map(|log| log.with(&["outcome=changed"])) {
        let change = (field(&line, "application"), field(&line, "new"));
        *changes.entry(change).or_default() += 1;
    }
    let twice: Vec<_> = changes.iter().filter(|(_, times)| **times > 1).collect();
    assert!(twice.is_empty(), "done twice: {twice:?}");
    println!(
        "{all} deliveries, {} changes, killed: {kills:?}",
        changes.len()
    );
}
