//! HTTP/1.1 by hand, so that tests say every byte.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longer than anything here should take, on a busy machine too.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A connection and what was read from it beyond the last answer.
pub(crate) struct Wire<S> {
    stream: S,
    unread: Vec<u8>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Reply {
    /// The header of that lower-case name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The JSON's `message`.
    pub(crate) fn message(&self) -> String {
        self.json()["message"].as_str().unwrap().to_owned()
    }
}

impl Wire<TcpStream> {
    /// Connects in clear text.
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self::new(TcpStream::connect(address).await.unwrap())
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self {
            stream,
            unread: Vec::new(),
        }
    }

    /// Sends bytes as they are.
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.try_send(bytes).await.unwrap();
    }

    /// Sends bytes as they are, to a peer that may be gone.
    pub(crate) async fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> std::io::Result<()> {
        self.stream.write_all(bytes.as_ref()).await?;
        self.stream.flush().await
    }

    /// Ends the sending side.
    pub(crate) async fn shut_down(&mut self) {
        self.stream.shutdown().await.unwrap();
    }

    /// Reads the next answer.
    pub(crate) async fn reply(&mut self) -> Reply {
        timeout(PATIENCE, self.read_reply(true))
            .await
            .expect("no answer came")
    }

    /// Reads the next answer; `None` where the connection ends instead.
    pub(crate) async fn try_reply(&mut self) -> Option<Reply> {
        if self.unread.is_empty() {
            let more = timeout(PATIENCE, self.read_more());
            more.await.expect("no answer came").then_some(())?;
        }
        Some(self.reply().await)
    }

    /// Reads the next answer to a HEAD.
    pub(crate) async fn reply_to_head(&mut self) -> Reply {
        timeout(PATIENCE, self.read_reply(false))
            .await
            .expect("no answer came")
    }

    /// Waits for the end of the connection, whatever comes before it.
    pub(crate) async fn ended(&mut self) {
        let read_on = async { while self.read_more().await {} };
        timeout(PATIENCE, read_on)
            .await
            .expect("the connection stays open");
    }

    /// Waits for the end of the connection and returns what came before it. A reset is an end too.
    pub(crate) async fn rest(&mut self) -> String {
        let read_on = async { while self.read_more().await {} };
        timeout(PATIENCE, read_on)
            .await
            .expect("the connection stays open");
        String::from_utf8(std::mem::take(&mut self.unread)).unwrap()
    }

    async fn read_reply(&mut self, has_body: bool) -> Reply {
        let head = loop {
            if let Some(end) = find(&self.unread, b"\r\n\r\n") {
                break self.take(end + 4);
            }
            assert!(
                self.read_more().await,
                "the connection ended after {:?}",
                String::from_utf8_lossy(&self.unread)
            );
        };
        let mut lines = head.split("\r\n").filter(|line| !line.is_empty());
        let status = lines.next().unwrap().split(' ').nth(1).unwrap();
        let status = status.parse().unwrap();
        let headers: Vec<_> = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let length = match length {
            Some((_, length)) if has_body => length.parse().unwrap(),
            _ => 0,
        };
        while self.unread.len() < length {
            assert!(self.read_more().await, "the connection ended in a body");
        }
        let body = self.take(length);
        Reply {
            status,
            headers,
            body,
        }
    }

    async fn read_more(&mut self) -> bool {
        matches!(self.stream.read_buf(&mut self.unread).await, Ok(1..))
    }

    fn take(&mut self, length: usize) -> String {
        let rest = self.unread.split_off(length);
        String::from_utf8(std::mem::replace(&mut self.unread, rest)).unwrap()
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|part| part == wanted)
}

/// A delivery with that body.
pub(crate) fn post(body: &str) -> String {
    format!(
        "POST /webhook?type=t HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A request without a body.
pub(crate) fn request(method: &str, path: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: h\r\n\r\n")
}

/// Sends a request over a new connection in clear text and reads the answer.
pub(crate) async fn exchange(address: SocketAddr, request: impl AsRef<[u8]>) -> Reply {
    let mut wire = Wire::connect(address).await;
    wire.send(request).await;
    wire.reply().await
}
