//! A server that asks for certificates.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use image_updater::adapters::nats::SharedQueue;
use tempfile::TempDir;
use tokio::time::timeout;

use crate::certificates::files::Authority;
use crate::certificates::files::Pair;
use crate::nats_server::Nats;
use crate::nats_server::PASSWORD;
use crate::replica::next;
use crate::replica::options;
use crate::replica::settled;
use crate::replica::shown;
use crate::support::push;

async fn join(server: &Nats, tls_dir: Option<PathBuf>) -> SharedQueue {
    let mut options = options(server, PASSWORD);
    options.address.is_tls = true;
    options.address.tls_dir = tls_dir;
    SharedQueue::open(options).await.unwrap()
}

#[tokio::test]
async fn who_has_a_certificate_of_its_own_and_trusts_the_servers_comes_in() {
    let (there, here) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (server, clients) = (Pair::valid(), Authority::new());
    server.write(there.path());
    fs::write(there.path().join("clients.crt"), &clients.certificate).unwrap();
    let Some(nats) = Nats::mutual_tls(there.path()) else {
        return;
    };
    fs::write(here.path().join("ca.crt"), &server.certificate).unwrap();
    let stranger = join(&nats, Some(here.path().to_owned())).await;
    let came = timeout(Duration::from_secs(1), settled([&stranger])).await;
    assert!(came.is_err(), "it has no certificate");
    drop(stranger);

    clients.client().write(here.path());
    let known = join(&nats, Some(here.path().to_owned())).await;
    settled([&known]).await;
    push(&known, "d1", &["quay.io/a/b:1"]).await.unwrap();
    assert_eq!(shown(&next(&known).await), ["d1 quay.io/a/b:1"]);

    // Whom the system does not trust is not trusted either.
    fs::remove_file(here.path().join("ca.crt")).unwrap();
    let distrustful = join(&nats, Some(here.path().to_owned())).await;
    let came = timeout(Duration::from_secs(1), settled([&known, &distrustful])).await;
    assert!(came.is_err(), "its certificate is of nobody whom it knows");
}
