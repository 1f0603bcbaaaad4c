//! Settings of a mounted folder that change while the program runs.

use std::fs;
use std::path::PathBuf;

use crate::deliver::announce;
use crate::folder::Folder;
use crate::server::Server;
use crate::server::field;
use crate::server::wait_for_text;

const SECRET: &str = "s";
const RATE: &str = "webhook.ratelimit-allowed";
const COUNTS: &str = "the setting changed and counts from now on";

/// A server on two Applications, and a folder of settings.
struct World {
    folder: Folder,
    server: Server,
    settings: tempfile::TempDir,
}

impl World {
    fn new(settings: &[(&str, &str)]) -> Self {
        let folder = Folder::new(SECRET);
        for app in ["app0", "app1"] {
            let image = format!("ghcr.io/acme/{app}");
            let (now, policy) = (format!("{image}:1.0.0"), format!("{image}:^1"));
            folder.add(app, &now, &policy, "");
        }
        let dir = tempfile::tempdir().unwrap();
        for (key, value) in settings {
            fs::write(dir.path().join(key), value).unwrap();
        }
        let mut flags = folder.flags();
        flags.extend(["--config-dir", dir.path().to_str().unwrap()].map(str::to_owned));
        let server = Server::start(flags);
        Self {
            folder,
            server,
            settings: dir,
        }
    }

    fn file(&self, key: &str) -> PathBuf {
        self.settings.path().join(key)
    }

    fn set(&self, key: &str, value: &str) {
        fs::write(self.file(key), value).unwrap();
    }
}

#[tokio::test]
async fn a_rate_that_is_lifted_lets_through_what_waits() {
    let world = World::new(&[(RATE, "1")]);
    for app in ["app0", "app1"] {
        let image = format!("ghcr.io/acme/{app}:1.1.0");
        announce(&world.server, "ghcr.io", &image, SECRET).await;
    }
    wait_for_text(&world.folder.application("app0"), "app0:1.1.0");
    world.server.log.wait_for(&["outcome=changed"]);
    world.set(RATE, "0\n");
    wait_for_text(&world.folder.application("app1"), "app1:1.1.0");
    let line = world.server.log.wait_for(&[COUNTS]);
    let place = world.file(RATE);
    assert_eq!(
        [
            field(&line, "old"),
            field(&line, "new"),
            field(&line, "place")
        ],
        ["1", "0", place.to_str().unwrap()]
    );
}

#[test]
fn what_is_broken_hidden_or_needs_a_restart_is_said() {
    let world = World::new(&[(RATE, "1"), ("webhook.queue-size", "5")]);
    let log = &world.server.log;
    // The flag `--loglevel` is stronger.
    world.set("log.level", "warn");
    log.wait_for(&["a stronger source hides it", "by=--loglevel", "new=warn"]);
    world.set(RATE, "many");
    world.set("webhook.queue-size", "none");
    let refused = log.wait_for(&["refused as a whole", "many", "none"]);
    assert!(refused.contains("level=error"), "{refused}");
    world.set(RATE, "2");
    world.set("webhook.queue-size", "6");
    log.wait_for(&["the settings can be used again"]);
    log.wait_for(&[COUNTS, "new=2"]);
    log.wait_for(&[
        "restart the program",
        "webhook.queue-size",
        "old=5",
        "new=6",
    ]);
    assert_eq!(log.with(&["a stronger source hides it"]).len(), 1);
}
