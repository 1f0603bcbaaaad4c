//! What flags say of TLS, seen from the other side of the socket.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rcgen::generate_simple_self_signed;
use rustls::ClientConfig;
use rustls::ProtocolVersion;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::folder::Folder;
use crate::server::Server;

/// Writes a certificate for `localhost` that clients may trust.
fn certificate_in(folder: &Path) -> CertificateDer<'static> {
    let made = generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    fs::write(folder.join("tls.crt"), made.cert.pem()).unwrap();
    fs::write(folder.join("tls.key"), made.signing_key.serialize_pem()).unwrap();
    made.cert.der().clone()
}

/// The version of TLS and the protocol that a client agrees on with the server, if it offers all of them.
async fn agreed(
    server: &Server,
    trusted: CertificateDer<'static>,
) -> (ProtocolVersion, Option<Vec<u8>>) {
    let mut roots = RootCertStore::empty();
    roots.add(trusted).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let tcp = TcpStream::connect(server.address()).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TlsConnector::from(Arc::new(config))
        .connect(name, tcp)
        .await
        .unwrap();
    let (_, connection) = stream.get_ref();
    (
        connection.protocol_version().unwrap(),
        connection.alpn_protocol().map(<[u8]>::to_vec),
    )
}

#[tokio::test]
async fn versions_and_http2_reach_the_socket() {
    let only_12 = ["--tlsminversion", "1.2", "--tlsmaxversion", "1.2"];
    let rows: [(&[&str], ProtocolVersion, &[u8]); 3] = [
        (&[], ProtocolVersion::TLSv1_3, b"http/1.1"),
        (&["--enable-http2"], ProtocolVersion::TLSv1_3, b"h2"),
        (&only_12, ProtocolVersion::TLSv1_2, b"http/1.1"),
    ];
    for (flags, version, protocol) in rows {
        let folder = Folder::new("secret");
        let certificates = tempfile::tempdir().unwrap();
        let trusted = certificate_in(certificates.path());
        let mut arguments = folder.flags();
        arguments.push("--tls-dir".to_owned());
        arguments.push(certificates.path().to_str().unwrap().to_owned());
        arguments.extend(flags.iter().map(|flag| (*flag).to_owned()));
        let server = Server::start(arguments);
        let agreed = agreed(&server, trusted).await;
        assert_eq!(agreed, (version, Some(protocol.to_vec())), "{flags:?}");
    }
}

#[cfg(not(feature = "tls11"))]
#[test]
fn a_build_without_tls_11_says_which_one_has_it() {
    let output = crate::server::run(&["webhook", "--tlsminversion", "1.1"]);
    let shown = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(64), "{shown}");
    assert!(shown.contains("cargo feature `tls11`"), "{shown}");
}
