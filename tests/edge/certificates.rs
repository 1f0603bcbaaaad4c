//! The certificate: made, given, replaced, broken.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use image_updater::adapters::tls::reload::ReloadTiming;
use image_updater::adapters::tls::setup::{TlsSettings, set_up};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;

use crate::support::client;
use crate::support::files::Pair;
use crate::support::log::Log;
use crate::support::server::{Server, policy, settings};
use crate::support::wire::post;

/// A client that trusts the certificate that was made reaches the server under each of its names.
#[tokio::test]
async fn a_certificate_is_made_where_none_is_given() {
    let folder = tempfile::tempdir().unwrap();
    let settings = TlsSettings {
        names: vec!["updater-7d9f".to_owned()],
        ..settings(folder.path())
    };
    let tls = set_up(settings).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(tls.certificate.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    for (name, is_ours) in [
        ("localhost", true),
        ("127.0.0.1", true),
        ("::1", true),
        ("updater-7d9f", true),
        ("elsewhere", false),
    ] {
        let tcp = TcpStream::connect(address).await.unwrap();
        let (accepted, _) = listener.accept().await.unwrap();
        let name = ServerName::try_from(name).unwrap();
        let (connected, _) = tokio::join!(
            connector.connect(name.clone(), tcp),
            tls.acceptor.accept(accepted)
        );
        assert_eq!(connected.is_ok(), is_ours, "{name:?}: {connected:?}");
    }
}

#[tokio::test]
async fn missing_and_empty_files_count_as_none() {
    let log = Log::start();
    let folder = tempfile::tempdir().unwrap();
    let pair = Pair::valid();
    for (certificate, key, missing) in [
        (Some(""), Some(""), "tls.crt and tls.key"),
        (Some("\n"), Some(pair.key.as_str()), "tls.crt"),
        (Some(pair.certificate.as_str()), None, "tls.key"),
    ] {
        for (name, content) in [("tls.crt", certificate), ("tls.key", key)] {
            let _ = fs::remove_file(folder.path().join(name));
            if let Some(content) = content {
                fs::write(folder.path().join(name), content).unwrap();
            }
        }
        assert_ne!(
            set_up(settings(folder.path())).unwrap().certificate,
            pair.der
        );
        assert_eq!(log.lines(&format!("missing={missing:?}")).len(), 1);
    }
}

#[tokio::test]
async fn a_given_certificate_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let pair = Pair::valid();
    pair.write(folder.path());
    let server = Server::tls(settings(folder.path())).await;
    assert_eq!(client::certificate(server.address).await, pair.der);
}

fn start_error(certificate: &str, key: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("tls.crt"), certificate).unwrap();
    fs::write(folder.path().join("tls.key"), key).unwrap();
    let error = set_up(settings(folder.path())).err().unwrap().to_string();
    let secret = key.lines().nth(1).unwrap_or("no second line");
    assert!(!error.contains(secret), "{error}");
    error
}

#[tokio::test]
async fn a_pair_that_cannot_be_served_stops_the_start() {
    let (one, other) = (Pair::valid(), Pair::valid());
    let error = start_error(&one.certificate, &other.key);
    assert!(
        error.contains("tls.key is not the private key of"),
        "{error}"
    );
    let error = start_error("nonsense", &one.key);
    assert!(error.contains("tls.crt holds no certificate"), "{error}");
    let error = start_error(&one.certificate, "nonsense");
    assert!(error.contains("tls.key holds no private key"), "{error}");
    let (begin, end) = ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----");
    let error = start_error(&format!("{begin}\nAAAA\n{end}"), &one.key);
    assert!(error.contains("cannot be served"), "{error}");

    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("tls.crt")).unwrap();
    let error = set_up(settings(folder.path())).err().unwrap().to_string();
    assert!(error.starts_with("failed to read "), "{error}");
}

#[tokio::test]
async fn an_expired_certificate_is_served_with_a_complaint_each_time_it_is_due() {
    let log = Log::start();
    let folder = tempfile::tempdir().unwrap();
    let pair = Pair::expired();
    pair.write(folder.path());
    let server = Server::tls(TlsSettings {
        timing: ReloadTiming {
            poll: Duration::from_millis(10),
            complain: Duration::from_millis(50),
        },
        ..settings(folder.path())
    })
    .await;
    assert_eq!(client::certificate(server.address).await, pair.der);
    log.wait_for("it expired at").await;
    let first = log.lines("it expired at").len();
    while log.lines("it expired at").len() < first + 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(log.lines("it expired at")[0].contains("ERROR"));

    let valid = Pair::valid();
    valid.write(folder.path());
    client::until_served(server.address, &valid.der).await;
}

#[tokio::test]
async fn a_certificate_that_comes_later_is_taken_up() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("mounted-later");
    let server = Server::tls(settings(&missing)).await;
    client::certificate(server.address).await;
    fs::create_dir(&missing).unwrap();
    let pair = Pair::valid();
    pair.write(&missing);
    client::until_served(server.address, &pair.der).await;
}

#[tokio::test]
async fn a_replacement_with_a_key_that_no_suite_goes_with_is_said() {
    let log = Log::start();
    let folder = tempfile::tempdir().unwrap();
    let server = Server::tls(TlsSettings {
        policy: policy("1.2", "1.3", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
        ..settings(folder.path())
    })
    .await;
    let warning = "none of the cipher suites goes with the certificate's key";
    // A self-signed certificate may have such a key as well.
    let at_start = log.lines(warning).len();
    let ecdsa = Pair::valid();
    ecdsa.write(folder.path());
    client::until_served(server.address, &ecdsa.der).await;
    while log.lines(warning).len() == at_start {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(log.lines(warning).len(), at_start + 1);
}

#[tokio::test]
async fn a_broken_replacement_leaves_the_old_one_and_is_reported_once() {
    let log = Log::start();
    let folder = tempfile::tempdir().unwrap();
    let old = Pair::valid();
    old.write(folder.path());
    let server = Server::tls(settings(folder.path())).await;

    fs::write(folder.path().join("tls.key"), Pair::valid().key).unwrap();
    log.wait_for("tls.key is not the private key").await;
    assert_eq!(client::certificate(server.address).await, old.der);
    fs::write(folder.path().join("tls.crt"), "nonsense").unwrap();
    log.wait_for("tls.crt holds no certificate").await;
    assert_eq!(client::certificate(server.address).await, old.der);
    fs::remove_file(folder.path().join("tls.key")).unwrap();
    log.wait_for("missing or empty").await;
    assert_eq!(client::certificate(server.address).await, old.der);

    let new = Pair::valid();
    new.write(folder.path());
    client::until_served(server.address, &new.der).await;
    let reports = log.lines("keeping the previous certificate");
    assert_eq!(reports.len(), 3, "{reports:?}");
    assert!(reports.iter().all(|line| line.contains("ERROR")));
}

#[tokio::test]
async fn a_mounted_secret_that_changes_is_taken_up() {
    let folder = tempfile::tempdir().unwrap();
    let first = Pair::valid();
    first.mount(folder.path(), "..2026_11_24_1");
    let server = Server::tls(settings(folder.path())).await;
    assert_eq!(client::certificate(server.address).await, first.der);
    let second = Pair::valid();
    second.mount(folder.path(), "..2026_11_24_2");
    fs::remove_dir_all(folder.path().join("..2026_11_24_1")).unwrap();
    client::until_served(server.address, &second.der).await;
}

/// Clients deliver without a pause, some on one connection, some on a new one for each delivery, while the certificate changes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_connection_is_lost_while_certificates_change() {
    let folder = tempfile::tempdir().unwrap();
    Pair::valid().write(folder.path());
    let server = Server::tls(TlsSettings {
        timing: ReloadTiming::default(),
        ..settings(folder.path())
    })
    .await;
    let address = server.address;
    let ending = Arc::new(AtomicBool::new(false));
    let delivered = Arc::new(AtomicUsize::new(0));
    let clients: Vec<_> = (0..6)
        .map(|client| {
            let (ending, delivered) = (Arc::clone(&ending), Arc::clone(&delivered));
            tokio::spawn(async move {
                let mut wire = client::wire(address).await;
                while !ending.load(Ordering::Relaxed) {
                    if client % 2 == 0 {
                        wire = client::wire(address).await;
                    }
                    wire.send(post("{}")).await;
                    assert_eq!(wire.reply().await.status, 200);
                    delivered.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();

    for _ in 0..2 {
        let next = Pair::valid();
        next.write(folder.path());
        let took = client::until_served(address, &next.der).await;
        assert!(took < Duration::from_secs(3), "{took:?}");
    }
    // Enough of them for one to come at a bad moment.
    while delivered.load(Ordering::Relaxed) <= 100 {
        assert!(!clients.iter().any(tokio::task::JoinHandle::is_finished));
        tokio::task::yield_now().await;
    }
    ending.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.unwrap();
    }
    let delivered = delivered.load(Ordering::Relaxed);
    assert_eq!(server.intake.seen().len(), delivered);
}
