//! A run that only says what it would do.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use crate::deliver::announce;
use crate::folder::Folder;
use crate::server::Server;
use crate::server::field;

const SECRET: &str = "s";

/// Every file of a folder, with when it was written and what it holds.
fn files(folder: &Path) -> Vec<(String, SystemTime, String)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let modified = fs::metadata(&path).unwrap().modified().unwrap();
            let text = fs::read_to_string(&path).unwrap();
            (path.display().to_string(), modified, text)
        })
        .collect();
    files.sort();
    files
}

#[tokio::test]
async fn every_change_is_told_each_time_and_none_is_made() {
    let folder = Folder::new(SECRET);
    let image = "ghcr.io/acme/app";
    folder.add("app", &format!("{image}:1.0.0"), &format!("{image}:^1"), "");
    // What a process that was killed left behind stays, too.
    let left = folder.manifests().join(".image-updater-1.tmp");
    fs::write(left, "x").unwrap();
    let before = files(&folder.manifests());
    let mut flags = folder.flags();
    flags.push("--dry-run".to_owned());
    let mut server = Server::start(flags);
    server.log.wait_for(&["level=warning", "dry run"]);
    for count in [1, 2] {
        announce(&server, "ghcr.io", &format!("{image}:1.1.0"), SECRET).await;
        let lines = server.log.wait_for_count(count, &["outcome=dry-run"]);
        let line = lines.last().unwrap();
        for (name, value) in [
            ("application", "argocd/app"),
            ("old", "1.0.0"),
            ("new", "1.1.0"),
            ("msg", "image would change"),
        ] {
            assert_eq!(field(line, name), value, "{line}");
        }
    }
    server.signal("TERM");
    assert!(server.wait().success(), "{}", server.log.text());
    assert!(server.log.with(&["outcome=changed"]).is_empty());
    assert_eq!(files(&folder.manifests()), before);
}
