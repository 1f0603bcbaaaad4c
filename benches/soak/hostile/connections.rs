//! Connections that are held without use.

use std::io;
use std::time::Duration;

use tokio::io::AsyncRead;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWrite;
use tokio::io::AsyncWriteExt;
use tokio::time::sleep;
use tokio::time::timeout;

use super::Kind;
use super::Stranger;
use crate::wire;

/// Longer than the server bears anybody: a minute without a request.
const PATIENCE: Duration = Duration::from_secs(90);
/// Between two bytes.
const DRIP: Duration = Duration::from_millis(500);

const HEAD: &[u8] = b"POST /webhook?type=ghcr.io HTTP/1.1\r\nHost: updater.example.com\r\nX-Fill: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
const STALLED: usize = 900 * 1024;

impl Stranger {
    /// Holds one until the server has had enough.
    pub(super) async fn hold_a_connection(&mut self) -> io::Result<()> {
        let load = &self.load;
        match self.kind {
            Kind::Silent => {
                let mut tcp = wire::tcp(load.address, self.source()).await?;
                wait_for_the_end(&mut tcp).await
            }
            Kind::Garbage => {
                let mut tcp = wire::tcp(load.address, self.source()).await?;
                tcp.write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await?;
                wait_for_the_end(&mut tcp).await
            }
            _ => self.hold_after_handshake().await,
        }
    }

    async fn hold_after_handshake(&mut self) -> io::Result<()> {
        let mut wire = self.connect().await?;
        match self.kind {
            Kind::SlowHead => drip(wire.stream(), HEAD).await,
            Kind::SlowBody => {
                wire.send(&announced(100)).await?;
                drip(wire.stream(), &[b'x'; 99]).await
            }
            Kind::StalledBody => {
                wire.send(&announced(STALLED + 1)).await?;
                wire.send(&vec![b'x'; STALLED]).await?;
                wait_for_the_end(wire.stream()).await
            }
            Kind::Reset => {
                wire.send(&announced(2048)).await?;
                wire.send(&[b'x'; 1024]).await?;
                let (tcp, _) = wire.stream().get_ref();
                tcp.set_zero_linger()
            }
            Kind::ReadsNothing => {
                let requests = "GET /nowhere HTTP/1.1\r\nHost: h\r\n\r\n".repeat(100);
                let send = async { while wire.send(requests.as_bytes()).await.is_ok() {} };
                timeout(PATIENCE, send).await.map_err(io::Error::from)
            }
            _ => wait_for_the_end(wire.stream()).await,
        }
    }
}

/// The head of a delivery whose signature may be right for all that the head shows.
fn announced(length: usize) -> Vec<u8> {
    let signature = "0".repeat(64);
    format!(
        "POST /webhook?type=ghcr.io HTTP/1.1\r\nHost: h\r\nX-Hub-Signature-256: sha256={signature}\r\nContent-Length: {length}\r\n\r\n"
    )
    .into_bytes()
}

async fn drip(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
    for byte in bytes {
        if stream.write_all(&[*byte]).await.is_err() || stream.flush().await.is_err() {
            return Ok(());
        }
        sleep(DRIP).await;
    }
    wait_for_the_end(stream).await
}

/// Reads until the server ends the connection, and takes no notice of what comes.
pub(super) async fn wait_for_the_end(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<()> {
    let mut read = [0; 1024];
    // A reset is an end, too.
    let ends = async { while let Ok(1..) = stream.read(&mut read).await {} };
    timeout(PATIENCE, ends).await.map_err(io::Error::from)
}
