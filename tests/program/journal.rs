//! Deliveries that are kept on disk: over kill -9, over an end in order, and for people who want to see them.

use std::fs;
use std::path::PathBuf;

use image_updater::adapters::journal::Journal;
use image_updater::adapters::webhook_client::HttpWebhookClient;
use image_updater::ports::webhook_client::WebhookClient;
use serde_json::Value;

use crate::deliver::announce;
use crate::deliver::announcement;
use crate::deliveries::push;
use crate::folder::Folder;
use crate::server::Server;
use crate::server::program;
use crate::server::wait_for_text;

const SECRET: &str = "a secret of the journal";
const NAMES: [&str; 3] = ["one", "two", "three"];

struct World {
    folder: Folder,
    state: PathBuf,
}

impl World {
    /// Three Applications, each with an image of its own.
    fn new() -> Self {
        let folder = Folder::new(SECRET);
        for name in NAMES {
            let image = format!("ghcr.io/acme/{name}");
            folder.add(name, &format!("{image}:1.0.0"), &format!("{image}:1.x"), "");
        }
        let state = folder.manifests().with_file_name("state");
        Self { folder, state }
    }

    fn start(&self, flags: &[&str]) -> Server {
        let mut all = self.folder.flags();
        all.push("--state-dir".to_owned());
        all.push(self.state.to_str().unwrap().to_owned());
        all.extend(flags.iter().map(|flag| (*flag).to_owned()));
        Server::start(all)
    }

    async fn push_all(&self, server: &Server) {
        for name in NAMES {
            announce(
                server,
                "ghcr.io",
                &format!("ghcr.io/acme/{name}:1.1.0"),
                SECRET,
            )
            .await;
        }
    }

    fn runs(&self, name: &str, tag: &str) -> bool {
        let text = fs::read_to_string(self.folder.application(name)).unwrap();
        text.contains(&format!("{name}:{tag}"))
    }

    fn wait_until_runs(&self, name: &str) {
        wait_for_text(&self.folder.application(name), &format!("{name}:1.1.0"));
    }

    /// What the command `deliveries` prints, and whether it ends well.
    fn deliveries(&self, arguments: &[&str]) -> (bool, String) {
        let output = program()
            .env("IMAGE_UPDATER_STATE_DIR", &self.state)
            .arg("deliveries")
            .args(arguments)
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(text).unwrap())
    }

    /// The states of the deliveries, by the image's last name.
    fn states(&self) -> Vec<(String, String)> {
        let (_, listed) = self.deliveries(&["list", "--output", "json"]);
        let mut states: Vec<(String, String)> = listed
            .lines()
            .map(|line| {
                let delivery: Value = serde_json::from_str(line).unwrap();
                let text = |value: &Value| value.as_str().unwrap().to_owned();
                let repository = text(&delivery["images"][0]["repository"]);
                (repository, text(&delivery["state"]))
            })
            .collect();
        states.sort();
        states
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_worked_on_after_kill_9_and_is_known_when_it_comes_again() {
    let world = World::new();
    let mut server = world.start(&["--webhook-ratelimit-allowed", "1"]);
    world.push_all(&server).await;
    world.wait_until_runs("one");
    let client = HttpWebhookClient::to_this_machine().unwrap();
    let late = announcement(&server, "ghcr.io", "ghcr.io/acme/three:1.1.1", SECRET);
    for outcome in ["\"accepted\"", "\"duplicate\""] {
        let answer = client.post(late.clone()).await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert!(answer.body.contains(outcome), "{}", answer.body);
    }
    server.signal("KILL");
    server.wait();
    assert!(world.runs("two", "1.0.0"));

    let server = world.start(&[]);
    server
        .log
        .wait_for(&["deliveries of an earlier run", "events=3"]);
    world.wait_until_runs("two");
    wait_for_text(&world.folder.application("three"), "three:1.1.1");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_in_order_leaves_what_has_to_wait_to_the_next_start() {
    let world = World::new();
    let mut server = world.start(&["--webhook-ratelimit-allowed", "1"]);
    world.push_all(&server).await;
    world.wait_until_runs("one");
    server.signal("TERM");
    assert_eq!(server.wait().code(), Some(0));
    server
        .log
        .wait_for(&["what waits is worked on after the next start", "images=2"]);
    assert_eq!(server.log.with(&["left over"]), [""; 0]);
    let state = |name: &str, state: &str| (format!("acme/{name}"), state.to_owned());
    let expected = [
        state("one", "done"),
        state("three", "open"),
        state("two", "open"),
    ];
    assert_eq!(world.states(), expected);
    let _server = world.start(&[]);
    for name in NAMES {
        world.wait_until_runs(name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn people_see_deliveries_and_have_them_worked_on_again() {
    let world = World::new();
    let (fine, text) = world.deliveries(&["list"]);
    assert!(
        !fine && text.contains("no server has kept deliveries in"),
        "{text}"
    );
    let mut server = world.start(&[]);
    announce(&server, "ghcr.io", "ghcr.io/acme/one:1.1.0", SECRET).await;
    let line = server.log.wait_for(&["outcome=changed"]);
    let id = crate::server::field(&line, "delivery");
    server.log.wait_for(&["image changed"]);

    // Once it is done.
    let (_, listed) = world.deliveries(&["list"]);
    assert!(
        listed.contains(&id) && listed.contains("ghcr.io/acme/one:1.1.0"),
        "{listed}"
    );
    let shown = loop {
        let (fine, shown) = world.deliveries(&["show", &id]);
        assert!(fine, "{shown}");
        if shown.contains("worked on") {
            break shown;
        }
    };
    for part in [
        "ghcr.io, which calls it ghcr.io:",
        "done",
        "changed",
        "argocd/one (main)",
        "1.0.0",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    assert!(!shown.contains(SECRET), "{shown}");
    let (fine, text) = world.deliveries(&["redeliver", &id]);
    assert!(fine && text.contains("is worked on again"), "{text}");
    server.log.wait_for(&[&id, "outcome=unchanged"]);

    server.signal("TERM");
    server.wait();
    // The same on what a stopped server left.
    let (fine, text) = world.deliveries(&["redeliver", &id]);
    assert!(fine && text.contains("is worked on again"), "{text}");
    let (fine, text) = world.deliveries(&["redeliver", "nobody"]);
    assert!(
        !fine && text.contains("no delivery nobody is remembered"),
        "{text}"
    );
    let server = world.start(&[]);
    server.log.wait_for(&[&id, "outcome=unchanged"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_waits_for_who_has_the_state_folder_for_a_moment() {
    let world = World::new();
    let journal = Journal::open(&world.state, 10).unwrap();
    let mut command = program();
    command
        .args(["webhook", "--webhook-port", "0", "--state-dir"])
        .arg(&world.state)
        .args(world.folder.flags());
    let server = Server::deaf(command);
    server.log.wait_for(&["in use by another process: waiting"]);
    journal.close().await;
    server.log.wait_for(&["deliveries are kept on disk"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn people_see_as_many_as_they_want() {
    let world = World::new();
    let journal = Journal::open(&world.state, 1000).unwrap();
    for number in 0..250 {
        let image = format!("ghcr.io/other/app:{number}");
        push(&journal, &format!("d{number:03}"), &[&image])
            .await
            .unwrap();
    }
    journal.close().await;
    let newest: Vec<String> = (20..250)
        .rev()
        .map(|number| format!("d{number:03}"))
        .collect();
    let listed = || {
        let (fine, text) = world.deliveries(&["list", "--limit", "230"]);
        assert!(fine, "{text}");
        let mut ids = text
            .lines()
            .map(|line| line.split(' ').next().unwrap().to_owned());
        assert_eq!(ids.next().unwrap(), "ID");
        assert_eq!(ids.collect::<Vec<_>>(), newest);
        let (_, json) = world.deliveries(&["list", "--limit", "230", "--output", "json"]);
        let ids = json.lines().map(|line| {
            let delivery: Value = serde_json::from_str(line).unwrap();
            delivery["id"].as_str().unwrap().to_owned()
        });
        assert_eq!(ids.collect::<Vec<_>>(), newest);
    };
    listed();
    let _server = world.start(&[]);
    listed();
}

#[test]
fn a_damaged_journal_is_left_to_the_server() {
    let world = World::new();
    fs::create_dir_all(&world.state).unwrap();
    let file = world.state.join("journal.redb");
    fs::write(&file, "no journal").unwrap();
    for wish in [&["list"][..], &["show", "d1"], &["redeliver", "d1"]] {
        let (fine, text) = world.deliveries(wish);
        assert!(!fine, "{text}");
        for part in ["is damaged", "the next start of the server sets it aside"] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "no journal");
    assert_eq!(fs::read_dir(&world.state).unwrap().count(), 1);
}
