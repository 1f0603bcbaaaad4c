//! Clients that show a certificate, and types that need one.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use image_updater::adapters::tls::setup::{TlsSettings, check, set_up};
use image_updater::domain::admission::Admission;
use image_updater::domain::admission::Certified;
use image_updater::domain::tls::TlsPolicy;
use rustls::{ClientConfig, HandshakeKind};
use tokio::time::{Instant, sleep};

use crate::support::client::{config, connect_with};
use crate::support::files::{Authority, Pair};
use crate::support::log::Log;
use crate::support::server::{Parts, Server, policy, settings};
use crate::support::tools::{curl, has};
use crate::support::wire::{PATIENCE, Reply, Wire, post, request};

/// What the two ways of serving TLS serve.
fn policies() -> Vec<TlsPolicy> {
    let mut policies = vec![TlsPolicy::default(), policy("1.2", "1.2", "")];
    if cfg!(feature = "tls11") {
        policies.push(policy("1.1", "1.3", ""));
        policies.push(policy("1.1", "1.2", ""));
    }
    policies
}

fn trusting(folder: &Path, policy: TlsPolicy) -> TlsSettings {
    TlsSettings {
        policy,
        client_ca: Some(folder.join("ca.crt")),
        ..settings(folder)
    }
}

/// A server where `t` needs a certificate of that authority.
async fn serving(folder: &Path, authority: &Authority, policy: TlsPolicy) -> Server {
    fs::write(folder.join("ca.crt"), &authority.certificate).unwrap();
    let admission = Admission {
        certified: Certified::parse("t"),
        ..Admission::default()
    };
    let parts = Parts {
        admission,
        ..Parts::default()
    };
    Server::tls_of(trusting(folder, policy), parts).await
}

/// The answer to a request by such a client; `None` where it gets none.
async fn try_send(server: &Server, client: &Arc<ClientConfig>, request: &str) -> Option<Reply> {
    let stream = connect_with(server.address, Arc::clone(client))
        .await
        .ok()?;
    let mut wire = Wire::new(stream);
    // In TLS 1.3 a client has shaken hands before its certificate is looked at.
    wire.try_send(request).await.ok()?;
    wire.try_reply().await
}

fn with(identity: Option<&Pair>) -> Arc<ClientConfig> {
    Arc::new(config(identity))
}

async fn status(server: &Server, client: &Arc<ClientConfig>, request: &str) -> Option<u16> {
    let reply = try_send(server, client, request).await;
    reply.map(|reply| reply.status)
}

#[tokio::test]
async fn a_type_that_needs_a_certificate_is_not_served_without() {
    for policy in policies() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new();
        let server = serving(folder.path(), &authority, policy.clone()).await;
        let (known, unknown) = (with(Some(&authority.client())), with(None));
        assert_eq!(
            status(&server, &known, &post("{}")).await,
            Some(200),
            "{policy:?}"
        );
        let reply = try_send(&server, &unknown, &post("{}")).await.unwrap();
        assert_eq!(reply.status, 403);
        assert_eq!(
            reply.message(),
            "deliveries of this type need a TLS client certificate"
        );
        let other = post("{}").replace("type=t", "type=u");
        assert_eq!(status(&server, &unknown, &other).await, Some(200));
        let probe = request("GET", "/healthz");
        assert_eq!(status(&server, &unknown, &probe).await, Some(200));
        assert_eq!(server.intake.seen().len(), 2);
    }
}

#[tokio::test]
async fn a_certificate_that_is_no_good_ends_the_handshake() {
    for policy in policies() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new();
        let server = serving(folder.path(), &authority, policy.clone()).await;
        let hour = Duration::from_secs(3600);
        let expired = authority.issue(SystemTime::now() - hour);
        // A name that an authority has does not make its certificates another's.
        for identity in [Authority::new().client(), Pair::valid(), expired] {
            let client = with(Some(&identity));
            assert_eq!(
                status(&server, &client, &post("{}")).await,
                None,
                "{policy:?}"
            );
        }
        assert!(server.intake.seen().is_empty());
    }
}

#[tokio::test]
async fn authorities_are_replaced_while_they_are_used() {
    for policy in policies() {
        let log = Log::start();
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (Authority::new(), Authority::new());
        let server = serving(folder.path(), &first, policy.clone()).await;
        let (of_first, of_second) = (with(Some(&first.client())), with(Some(&second.client())));
        assert_eq!(status(&server, &of_first, &post("{}")).await, Some(200));
        assert_eq!(status(&server, &of_second, &post("{}")).await, None);

        let file = folder.path().join("ca.crt");
        fs::write(&file, "nonsense").unwrap();
        log.wait_for("keeping the previous authorities").await;
        assert_eq!(status(&server, &of_first, &post("{}")).await, Some(200));

        fs::write(&file, &second.certificate).unwrap();
        let start = Instant::now();
        while status(&server, &of_second, &post("{}")).await != Some(200) {
            assert!(start.elapsed() < PATIENCE, "{policy:?}");
            sleep(Duration::from_millis(10)).await;
        }
        // Nor by a session of before, which its client has kept.
        assert_eq!(
            status(&server, &of_first, &post("{}")).await,
            None,
            "{policy:?}"
        );
        assert_eq!(log.lines("keeping the previous authorities").len(), 1);
    }
}

/// How a client shakes hands the second time.
async fn second_handshake(server: &Server, client: &Arc<ClientConfig>) -> Option<HandshakeKind> {
    assert!(try_send(server, client, &post("{}")).await.is_some());
    let stream = connect_with(server.address, Arc::clone(client)).await;
    stream.unwrap().get_ref().1.handshake_kind()
}

/// A session would prove tomorrow what a certificate proved yesterday.
#[tokio::test]
async fn no_session_stands_for_a_certificate() {
    for policy in policies() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new();
        let server = serving(folder.path(), &authority, policy.clone()).await;
        for identity in [Some(authority.client()), None] {
            let client = with(identity.as_ref());
            let kind = second_handshake(&server, &client).await;
            assert_eq!(kind, Some(HandshakeKind::Full), "{policy:?}");
        }
        let open = Server::tls(TlsSettings {
            policy: policy.clone(),
            ..settings(folder.path())
        });
        let kind = second_handshake(&open.await, &with(None)).await;
        assert_eq!(kind, Some(HandshakeKind::Resumed), "{policy:?}");
    }
}

/// Its client keeps it open, and would for long.
#[tokio::test]
async fn a_connection_ends_with_the_trust_in_its_certificate() {
    for policy in policies() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new();
        let server = serving(folder.path(), &authority, policy.clone()).await;
        let connect = async |identity| {
            let stream = connect_with(server.address, with(identity)).await;
            Wire::new(stream.unwrap())
        };
        let client = authority.client();
        let mut known = connect(Some(&client)).await;
        let mut unknown = connect(None).await;
        let other = post("{}").replace("type=t", "type=u");
        for (wire, request) in [(&mut known, &post("{}")), (&mut unknown, &other)] {
            wire.send(request).await;
            assert_eq!(wire.reply().await.status, 200);
        }
        let file = folder.path().join("ca.crt");
        fs::write(file, Authority::new().certificate).unwrap();
        assert_eq!(known.rest().await, "", "{policy:?}");
        unknown.send(&other).await;
        assert_eq!(unknown.reply().await.status, 200);
    }
}

/// The server's own certificate may change too, and the authorities stay.
#[tokio::test]
async fn a_new_certificate_of_the_server_keeps_the_authorities() {
    for policy in policies() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new();
        let server = serving(folder.path(), &authority, policy).await;
        let pair = Pair::valid();
        pair.write(folder.path());
        crate::support::client::until_served(server.address, &pair.der).await;
        let known = with(Some(&authority.client()));
        assert_eq!(status(&server, &known, &post("{}")).await, Some(200));
        let stranger = with(Some(&Authority::new().client()));
        assert_eq!(status(&server, &stranger, &post("{}")).await, None);
    }
}

#[tokio::test]
async fn curl_shows_its_certificate() {
    if !has("curl", "--version").await {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let server = serving(folder.path(), &authority, TlsPolicy::default()).await;
    let client = folder.path().join("client");
    fs::create_dir(&client).unwrap();
    authority.client().write(&client);
    let url = format!("https://{}/webhook?type=t", server.address);
    let (certificate, key) = (client.join("tls.crt"), client.join("tls.key"));
    let shown = [
        "--cert",
        certificate.to_str().unwrap(),
        "--key",
        key.to_str().unwrap(),
        "--data-binary",
        "{}",
    ];
    let (status, ..) = curl(&url, &shown).await.unwrap();
    assert_eq!(status, 200);
    let (status, _, body) = curl(&url, &["--data-binary", "{}"]).await.unwrap();
    assert_eq!(status, 403, "{body}");
}

#[tokio::test]
async fn authorities_that_cannot_be_used_stop_the_start() {
    for policy in policies() {
        let folder = tempfile::tempdir().unwrap();
        let settings = trusting(folder.path(), policy);
        let error = check(&settings).unwrap_err().to_string();
        assert!(
            error.contains("ca.crt, which --tls-client-ca names"),
            "{error}"
        );
        for text in ["", "nonsense", &Pair::valid().key] {
            fs::write(folder.path().join("ca.crt"), text).unwrap();
            let error = set_up(settings.clone()).err().unwrap().to_string();
            assert!(
                error.contains("no certificates that can be trusted"),
                "{error}"
            );
            assert_eq!(check(&settings).unwrap_err().to_string(), error);
        }
    }
}
