//! Keeps a server busy.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::{Result, delivery};

/// Delivers over TLS, on one thread.
pub(crate) struct Client {
    runtime: Runtime,
    tls: TlsConnector,
    /// At a time.
    connections: usize,
    good: Arc<[u8]>,
    bad: Arc<[u8]>,
}

impl Client {
    /// Makes a certificate for the servers, puts it into that folder, and trusts it.
    pub(crate) fn new(folder: &Path, connections: usize) -> Result<Self> {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()])?;
        std::fs::write(folder.join("tls.crt"), made.cert.pem())?;
        std::fs::write(folder.join("tls.key"), made.signing_key.serialize_pem())?;
        Ok(Self {
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?,
            tls: connector(made.cert.der().clone())?,
            connections,
            good: delivery::request(delivery::SECRET)?.into(),
            bad: delivery::request("another secret")?.into(),
        })
    }

    /// Sends so many deliveries, and checks that each is accepted, or that each is refused for its wrong signature.
    pub(crate) fn deliver(
        &self,
        address: SocketAddr,
        deliveries: usize,
        are_bad: bool,
    ) -> Result<()> {
        let request = if are_bad { &self.bad } else { &self.good };
        self.runtime.block_on(async {
            let mut connections = Vec::new();
            for _ in 0..self.connections {
                let tcp = TcpStream::connect(address).await?;
                tcp.set_nodelay(true)?;
                let name = ServerName::try_from("localhost")?;
                let stream = self.tls.connect(name, tcp).await?;
                let (request, each) = (Arc::clone(request), deliveries / self.connections);
                connections.push(tokio::spawn(send(stream, request, each, are_bad)));
            }
            for connection in connections {
                connection.await??;
            }
            Ok(())
        })
    }
}

fn connector(certificate: CertificateDer<'static>) -> Result<TlsConnector> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config).into())
}

async fn send(
    mut stream: TlsStream<TcpStream>,
    request: Arc<[u8]>,
    times: usize,
    are_bad: bool,
) -> std::io::Result<()> {
    let mut answer = Vec::new();
    for _ in 0..times {
        stream.write_all(&request).await?;
        stream.flush().await?;
        answer.clear();
        while !is_whole(&answer) {
            if stream.read_buf(&mut answer).await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
        }
        let is_refused =
            answer.starts_with(b"HTTP/1.1 401 ") || answer.starts_with(b"HTTP/1.1 429 ");
        if is_refused != are_bad || !(is_refused || answer.starts_with(b"HTTP/1.1 200 OK\r\n")) {
            let answer = String::from_utf8_lossy(&answer).into_owned();
            return Err(std::io::Error::other(answer));
        }
    }
    Ok(())
}

/// Every server answers with an object of JSON that is the last of the answer.
fn is_whole(answer: &[u8]) -> bool {
    answer.ends_with(b"]}")
}
