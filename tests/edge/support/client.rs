//! A TLS client that takes any certificate and tells which one it was given.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::files::Pair;
use super::wire::{PATIENCE, Wire};

#[derive(Debug)]
struct TakesAny(Arc<CryptoProvider>);

impl ServerCertVerifier for TakesAny {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// Connects over TLS with these ALPN names.
pub(crate) async fn connect(
    address: SocketAddr,
    alpn: &[&str],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut config = config(None);
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    connect_with(address, Arc::new(config)).await
}

/// Connects over TLS as this configuration says. It keeps sessions to be resumed.
pub(crate) async fn connect_with(
    address: SocketAddr,
    config: Arc<ClientConfig>,
) -> std::io::Result<TlsStream<TcpStream>> {
    over(TcpStream::connect(address).await?, config).await
}

/// Shakes hands over a connection, as this configuration says.
pub(crate) async fn over(
    tcp: TcpStream,
    config: impl Into<Arc<ClientConfig>>,
) -> std::io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(config.into()).connect(name, tcp).await
}

/// A client that shows this certificate where it is asked for one.
pub(crate) fn config(identity: Option<&Pair>) -> ClientConfig {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(TakesAny(provider)));
    match identity {
        None => builder.with_no_client_auth(),
        Some(pair) => {
            let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
            builder
                .with_client_auth_cert(vec![pair.der.clone()], key)
                .unwrap()
        }
    }
}

/// Connects over TLS for HTTP/1.1.
pub(crate) async fn wire(address: SocketAddr) -> Wire<TlsStream<TcpStream>> {
    Wire::new(connect(address, &["http/1.1"]).await.unwrap())
}

/// The certificate that a new connection is given.
pub(crate) async fn certificate(address: SocketAddr) -> CertificateDer<'static> {
    let stream = connect(address, &[]).await.unwrap();
    let chain = stream.get_ref().1.peer_certificates().unwrap();
    chain[0].clone()
}

/// Connects again and again until that certificate is served, and says how long that took.
pub(crate) async fn until_served(
    address: SocketAddr,
    wanted: &CertificateDer<'static>,
) -> Duration {
    let start = Instant::now();
    while certificate(address).await != *wanted {
        assert!(
            start.elapsed() < PATIENCE,
            "the certificate is not taken up"
        );
        sleep(Duration::from_millis(10)).await;
    }
    start.elapsed()
}
