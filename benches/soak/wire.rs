//! Connections from a source of one's choice, and HTTP/1.1 as far as it is needed here.

use std::io;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::client::Resumption;
use rustls::pki_types::ServerName;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpSocket;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::Result;

/// How long an answer may take. The server's own time-outs are shorter.
const PATIENCE: Duration = Duration::from_secs(30);

/// How clients shake hands.
pub(crate) struct Tls {
    /// With the session of an earlier connection, where there was one.
    pub(crate) again: TlsConnector,
    /// As if for the first time.
    pub(crate) anew: TlsConnector,
    /// For HTTP/2.
    pub(crate) http2: TlsConnector,
}

impl Tls {
    pub(crate) fn new(roots: &RootCertStore) -> Result<Self> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let plain = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_root_certificates(roots.clone())
            .with_no_client_auth();
        let mut anew = plain.clone();
        anew.resumption = Resumption::disabled();
        let mut http2 = plain.clone();
        http2.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Self {
            again: Arc::new(plain).into(),
            anew: Arc::new(anew).into(),
            http2: Arc::new(http2).into(),
        })
    }
}

/// Connects from that address of this machine.
pub(crate) async fn tcp(address: SocketAddr, source: Ipv4Addr) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((source, 0).into())?;
    let stream = within(socket.connect(address)).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// The same, with TLS.
pub(crate) async fn tls(
    address: SocketAddr,
    source: Ipv4Addr,
    connector: &TlsConnector,
) -> io::Result<TlsStream<TcpStream>> {
    let tcp = tcp(address, source).await?;
    let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
    within(connector.connect(name, tcp)).await
}

/// Gives up in the end.
pub(crate) async fn within<T>(action: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let late = |_| Err(io::ErrorKind::TimedOut.into());
    timeout(PATIENCE, action).await.unwrap_or_else(late)
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// In seconds.
    pub(crate) retry_after: Option<u64>,
    /// Whether the connection ends with it.
    pub(crate) closes: bool,
    pub(crate) body: Vec<u8>,
}

/// A connection over which one request goes after the other.
pub(crate) struct Wire {
    stream: TlsStream<TcpStream>,
    unread: Vec<u8>,
}

impl Wire {
    pub(crate) fn new(stream: TlsStream<TcpStream>) -> Self {
        Self {
            stream,
            unread: Vec::new(),
        }
    }

    /// Sends a request and reads its answer.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> io::Result<Answer> {
        within(async {
            // Who refuses a long body does not read it, but the answer is there.
            let sent = self.send(request).await;
            let answer = self.read().await;
            if answer.is_err() {
                sent.and(answer)
            } else {
                answer
            }
        })
        .await
    }

    /// Sends bytes.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }

    async fn read(&mut self) -> io::Result<Answer> {
        let end = loop {
            let mut ends = self.unread.windows(4);
            if let Some(end) = ends.position(|part| part == b"\r\n\r\n") {
                break end + 4;
            }
            self.read_more().await?;
        };
        let head: Vec<u8> = self.unread.drain(..end).collect();
        let (mut answer, length) = parse(&String::from_utf8_lossy(&head))?;
        while self.unread.len() < length {
            self.read_more().await?;
        }
        answer.body = self.unread.drain(..length).collect();
        Ok(answer)
    }

    async fn read_more(&mut self) -> io::Result<()> {
        match self.stream.read_buf(&mut self.unread).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    /// The stream itself.
    pub(crate) fn stream(&mut self) -> &mut TlsStream<TcpStream> {
        &mut self.stream
    }
}

/// A head, and how long the body is.
fn parse(head: &str) -> io::Result<(Answer, usize)> {
    let broken = || io::Error::other(format!("no answer: {head}"));
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1));
    let mut answer = Answer {
        status: status
            .and_then(|status| status.parse().ok())
            .ok_or_else(broken)?,
        retry_after: None,
        closes: false,
        body: Vec::new(),
    };
    let mut length = 0;
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        match name {
            "content-length" => length = value.parse().map_err(|_| broken())?,
            "retry-after" => answer.retry_after = value.parse().ok(),
            "connection" => answer.closes = value == "close",
            _ => {}
        }
    }
    Ok((answer, length))
}
