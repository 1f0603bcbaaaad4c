//! The program while the API server is away: it takes deliveries, and judges none of them on old knowledge.

use std::ffi::OsString;
use std::fs;

use serde_json::json;
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::deliver::announce;
use crate::server::Server;
use crate::support::ApiServer;
use crate::support::Way;
use crate::support::World;
use crate::support::eventually;

/// Starts `webhook` on what is at the end of the way, in a namespace.
fn start(server: &ApiServer, way: &Way, namespace: &str, folder: &TempDir) -> Server {
    let kubeconfig = folder.path().join("kubeconfig");
    let text = server.kubeconfig("admin", namespace);
    fs::write(&kubeconfig, text.replace(server.url(), &way.url())).unwrap();
    let flags = [
        "--disable-tls",
        "--webhook-require-secret=false",
        "--shutdown-grace=2s",
    ];
    let mut arguments: Vec<OsString> = flags.map(OsString::from).into();
    arguments.extend(["--watch-namespaces".into(), namespace.into()]);
    arguments.extend(["--kubeconfig".into(), kubeconfig.into_os_string()]);
    Server::start(arguments)
}

/// An Application that runs 1.0.0 of an image which is followed.
async fn fill(world: &World) {
    let source = json!({
        "repoURL": "https://example.com/x.git", "path": "x", "kustomize": {"images": ["ghcr.io/team/shop:1.0.0"]},
    });
    world.application("shop", json!({"source": source})).await;
    let follows = json!({"alias": "shop", "imageName": "ghcr.io/team/shop:1.x"});
    let spec = json!({"applicationRefs": [{"namePattern": "*", "images": [follows]}]});
    world.updater("all", spec).await;
}

/// What became of images, in the log.
fn judged(server: &Server) -> Vec<String> {
    let mut lines = server.log.with(&["outcome="]);
    lines.retain(|line| !line.contains("outcome=accepted"));
    lines
}

async fn is_ready(server: &Server) -> bool {
    let mut tcp = TcpStream::connect(server.address()).await.unwrap();
    tcp.write_all(b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    tcp.read_to_string(&mut answer).await.unwrap();
    answer.starts_with("HTTP/1.1 200")
}

async fn becomes_ready(server: &Server) {
    eventually("ready", async || is_ready(server).await.then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_are_taken_before_the_cluster_is_read_and_judged_after_it() {
    let Some((api, world)) = World::new().await else {
        return;
    };
    fill(&world).await;
    let (way, folder) = (Way::to(api).await, TempDir::new().unwrap());
    way.cut();
    let server = start(api, &way, &world.namespace, &folder);
    server.log.wait_for(&["the watch is lost", "applications"]);
    assert!(!is_ready(&server).await);
    announce(&server, "ghcr.io", "ghcr.io/team/shop:0.9.0", "").await;
    assert_eq!(judged(&server), [""; 0]);

    way.open();
    becomes_ready(&server).await;
    server.log.wait_for(&["outcome=unchanged", "application="]);
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_wait_while_the_watch_is_lost_and_readiness_stays() {
    let Some((api, world)) = World::new().await else {
        return;
    };
    fill(&world).await;
    let (way, folder) = (Way::to(api).await, TempDir::new().unwrap());
    let server = start(api, &way, &world.namespace, &folder);
    becomes_ready(&server).await;

    way.cut();
    server.log.wait_for(&["deliveries wait: "]);
    assert!(is_ready(&server).await);
    announce(&server, "ghcr.io", "ghcr.io/team/late:0.9.0", "").await;
    let source = json!({
        "repoURL": "https://example.com/x.git", "path": "x", "kustomize": {"images": ["ghcr.io/team/late:1.0.0"]},
    });
    // On what was known before, nobody would want this image.
    world.application("late", json!({"source": source})).await;
    let follows = json!({"alias": "late", "imageName": "ghcr.io/team/late:1.x"});
    let spec = json!({"applicationRefs": [{"namePattern": "late", "images": [follows]}]});
    world.updater("late", spec).await;
    assert_eq!(judged(&server), [""; 0]);

    way.open();
    let line = server.log.wait_for(&["outcome=un", "ghcr.io/team/late"]);
    assert!(line.contains("outcome=unchanged"), "{line}");
    server.log.wait_for(&["deliveries are worked on", "after="]);
    // Of each watch one line says that it was lost and one that it is back.
    for said in ["the watch is lost", "the watch is back"] {
        assert_eq!(server.log.wait_for_count(2, &[said]).len(), 2);
    }
    assert_eq!(server.log.with(&["level=error"]), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_at_the_end_is_named() {
    let Some((api, world)) = World::new().await else {
        return;
    };
    let (way, folder) = (Way::to(api).await, TempDir::new().unwrap());
    way.cut();
    let mut server = start(api, &way, &world.namespace, &folder);
    announce(&server, "ghcr.io", "ghcr.io/team/shop:0.9.0", "").await;
    server.signal("TERM");
    server.wait();
    server
        .log
        .wait_for(&["ended before everything was done", "images=1"]);
    server.log.wait_for(&["ghcr.io/team/shop"]);
}
