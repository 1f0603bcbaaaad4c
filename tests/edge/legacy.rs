//! What rustls does not have, in builds with the feature `tls11`.

use std::fs;

use image_updater::adapters::tls::setup::{TlsSettings, set_up};

use crate::support::client;
use crate::support::files::Pair;
use crate::support::server::{Server, policy, settings};
use crate::support::tools::{curl, handshake, has};

async fn serving(min: &str, max: &str, ciphers: &str) -> Server {
    let folder = tempfile::tempdir().unwrap();
    Server::tls(TlsSettings {
        policy: policy(min, max, ciphers),
        http2: true,
        ..settings(folder.path())
    })
    .await
}

#[tokio::test]
async fn tls_11_is_spoken_where_it_is_asked_for() {
    if !has("openssl", "version").await {
        return;
    }
    let server = serving("1.1", "1.3", "").await;
    let old = "-cipher ALL@SECLEVEL=0";
    assert_eq!(
        handshake(&server, &format!("-tls1_1 {old}")).await,
        "TLSv1.1 ECDHE-ECDSA-AES256-SHA"
    );
    assert!(handshake(&server, "-tls1_2").await.starts_with("TLSv1.2 "));
    assert!(handshake(&server, "").await.starts_with("TLSv1.3 "));
    assert_eq!(handshake(&server, &format!("-tls1 {old}")).await, "");
    for weak in ["AES128-SHA", "AECDH-AES128-SHA", "NULL-SHA"] {
        let arguments = format!("-tls1_2 -cipher {weak}@SECLEVEL=0");
        assert_eq!(handshake(&server, &arguments).await, "", "{weak}");
    }
}

#[tokio::test]
async fn tls_11_can_be_all_there_is() {
    if !has("openssl", "version").await {
        return;
    }
    let server = serving("1.1", "1.1", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA").await;
    assert_eq!(
        handshake(&server, "-cipher ALL@SECLEVEL=0").await,
        "TLSv1.1 ECDHE-ECDSA-AES128-SHA"
    );
    assert_eq!(handshake(&server, "-tls1_2").await, "");
}

#[tokio::test]
async fn curl_delivers_over_tls_11() {
    if !has("curl", "--version").await {
        return;
    }
    let server = serving("1.1", "1.3", "").await;
    let url = format!("https://{}/webhook?type=t", server.address);
    let arguments = [
        "--tlsv1.1",
        "--tls-max",
        "1.1",
        "--ciphers",
        "DEFAULT@SECLEVEL=0",
        "--http1.1",
        "--data-binary",
        "{}",
    ];
    let (status, _, body) = curl(&url, &arguments).await.unwrap();
    assert_eq!(status, 200, "{body}");
    let (status, spoken, _) = curl(&url, &["--http2", "--data-binary", "{}"])
        .await
        .unwrap();
    assert_eq!((status, spoken.as_str()), (200, "2"));
    assert_eq!(server.intake.seen().len(), 2);
}

#[tokio::test]
async fn suites_with_cbc_are_served_where_they_are_named() {
    if !has("openssl", "version").await {
        return;
    }
    let server = serving("1.2", "1.3", "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA").await;
    assert_eq!(
        handshake(&server, "-tls1_2").await,
        "TLSv1.2 ECDHE-ECDSA-AES256-SHA"
    );
    let other = "-tls1_2 -cipher ECDHE-ECDSA-AES256-GCM-SHA384";
    assert_eq!(handshake(&server, other).await, "");
    assert!(handshake(&server, "").await.starts_with("TLSv1.3 "));
    let old = "-tls1_1 -cipher ALL@SECLEVEL=0";
    assert_eq!(handshake(&server, old).await, "");
}

/// Such suites go with an RSA key alone, so the certificate that is made has one.
#[tokio::test]
async fn key_exchange_by_rsa_is_served_where_it_is_named() {
    if !has("openssl", "version").await {
        return;
    }
    let server = serving("1.2", "1.2", "TLS_RSA_WITH_AES_128_GCM_SHA256").await;
    assert_eq!(
        handshake(&server, "-tls1_2").await,
        "TLSv1.2 AES128-GCM-SHA256"
    );
}

#[tokio::test]
async fn its_certificate_is_replaced_too() {
    let folder = tempfile::tempdir().unwrap();
    let first = Pair::valid();
    first.write(folder.path());
    let server = Server::tls(TlsSettings {
        policy: policy("1.1", "1.3", ""),
        ..settings(folder.path())
    })
    .await;
    assert_eq!(client::certificate(server.address).await, first.der);
    let second = Pair::valid();
    second.write(folder.path());
    client::until_served(server.address, &second.der).await;
}

#[tokio::test]
async fn a_pair_that_does_not_match_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    Pair::valid().write(folder.path());
    fs::write(folder.path().join("tls.key"), Pair::valid().key).unwrap();
    let settings = TlsSettings {
        policy: policy("1.1", "1.3", ""),
        ..settings(folder.path())
    };
    let error = set_up(settings).err().unwrap().to_string();
    assert!(
        error.contains("tls.key is not the private key of"),
        "{error}"
    );
}
