//! Versions and suites, as OpenSSL's and curl's clients see them.

use crate::support::server::{Server, policy, settings};
use crate::support::tools::{curl, handshake, has};
use image_updater::adapters::tls::setup::TlsSettings;

async fn serving(min: &str, max: &str, ciphers: &str) -> Server {
    let folder = tempfile::tempdir().unwrap();
    Server::tls(TlsSettings {
        policy: policy(min, max, ciphers),
        ..settings(folder.path())
    })
    .await
}

#[tokio::test]
async fn by_default_tls_13_alone_is_spoken() {
    if !has("openssl", "version").await {
        return;
    }
    let server = serving("1.3", "1.3", "").await;
    assert!(handshake(&server, "").await.starts_with("TLSv1.3 "));
    for suite in [
        "TLS_AES_256_GCM_SHA384",
        "TLS_AES_128_GCM_SHA256",
        "TLS_CHACHA20_POLY1305_SHA256",
    ] {
        let shaken = handshake(&server, &format!("-ciphersuites {suite}")).await;
        assert_eq!(shaken, format!("TLSv1.3 {suite}"));
    }
    for old in ["-tls1_2", "-tls1_1 -cipher DEFAULT@SECLEVEL=0"] {
        assert_eq!(handshake(&server, old).await, "", "{old}");
    }
}

#[tokio::test]
async fn a_range_of_versions_is_spoken() {
    if !has("openssl", "version").await {
        return;
    }
    let server = serving("1.2", "1.3", "").await;
    assert!(handshake(&server, "").await.starts_with("TLSv1.3 "));
    assert!(handshake(&server, "-tls1_2").await.starts_with("TLSv1.2 "));
    let old = "-tls1_1 -cipher DEFAULT@SECLEVEL=0";
    assert_eq!(handshake(&server, old).await, "");

    let server = serving("1.2", "1.2", "").await;
    assert!(handshake(&server, "").await.starts_with("TLSv1.2 "));
    assert_eq!(handshake(&server, "-tls1_3").await, "");
}

#[tokio::test]
async fn suites_are_restricted_below_tls_13_only() {
    if !has("openssl", "version").await {
        return;
    }
    let name = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256";
    let server = serving("1.2", "1.3", name).await;
    assert_eq!(
        handshake(&server, "-tls1_2").await,
        "TLSv1.2 ECDHE-ECDSA-AES128-GCM-SHA256"
    );
    let other = "-tls1_2 -cipher ECDHE-ECDSA-AES256-GCM-SHA384";
    assert_eq!(handshake(&server, other).await, "");
    let modern = "-ciphersuites TLS_CHACHA20_POLY1305_SHA256";
    assert_eq!(
        handshake(&server, modern).await,
        "TLSv1.3 TLS_CHACHA20_POLY1305_SHA256"
    );
}

/// The example of the documentation, without a certificate: the one that is made has a key that goes with the suites.
#[tokio::test]
async fn suites_for_rsa_are_served_where_they_are_all_that_is_named() {
    if !has("openssl", "version").await {
        return;
    }
    let names = "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384:TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256";
    let server = serving("1.2", "1.3", names).await;
    for suite in ["ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256"] {
        assert_eq!(
            handshake(&server, &format!("-tls1_2 -cipher {suite}")).await,
            format!("TLSv1.2 {suite}")
        );
    }
    assert!(handshake(&server, "").await.starts_with("TLSv1.3 "));
}

#[tokio::test]
async fn curl_delivers() {
    if !has("curl", "--version").await {
        return;
    }
    let server = serving("1.2", "1.3", "").await;
    let url = format!("https://{}/webhook?type=t", server.address);
    for version in [&["--tls-max", "1.2"][..], &["--tlsv1.3"][..]] {
        let arguments = [&["--data-binary", "{\"a\":1}"][..], version].concat();
        let (status, http, body) = curl(&url, &arguments).await.unwrap();
        assert_eq!((status, http.as_str()), (200, "1.1"), "{version:?}");
        assert!(body.contains("\"outcome\":\"ignored\""), "{body}");
    }
    let seen = server.intake.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].body, b"{\"a\":1}");
}

/// curl announces such a body and waits for leave to send it.
#[tokio::test]
async fn curl_finds_out_that_its_body_is_too_large() {
    if !has("curl", "--version").await {
        return;
    }
    let server = serving("1.3", "1.3", "").await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("body");
    std::fs::write(&file, vec![b'x'; 4 * 1024 * 1024]).unwrap();
    let body = format!("@{}", file.display());
    let url = format!("https://{}/webhook", server.address);
    for framing in ["Content-Type: a/b", "Transfer-Encoding: chunked"] {
        let arguments = ["--data-binary", &body, "--header", framing];
        let (status, _, body) = curl(&url, &arguments).await.unwrap();
        assert_eq!(status, 413, "{framing}");
        assert!(body.contains("larger than 1048576 bytes"), "{body}");
    }
}

#[tokio::test]
async fn clear_text_is_no_handshake() {
    if !has("curl", "--version").await {
        return;
    }
    let server = serving("1.3", "1.3", "").await;
    let url = format!("http://{}/healthz", server.address);
    assert_eq!(curl(&url, &[]).await, None);
}
