//! Turning a TCP connection into one that HTTP can be spoken on.

use std::io;

use async_trait::async_trait;
use http::Version;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::certificate::KeyPair;
use super::error::TlsError;

/// A connection that bytes can be read from and written to.
pub trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Socket for T {}

/// Accepts connections.
#[async_trait]
pub trait Acceptor: Send + Sync {
    /// Completes the handshake, if there is one, and says which version of HTTP follows: [`Version::HTTP_2`] where both sides agreed on
    /// it by [ALPN](https://www.rfc-editor.org/rfc/rfc7301), else [`Version::HTTP_11`]. It has no time-out of its own.
    ///
    /// # Errors
    /// The peer went away, or does not speak what is served.
    async fn accept(&self, tcp: TcpStream) -> io::Result<(Box<dyn Socket>, Version)>;
}

/// An acceptor with a certificate.
pub(super) trait TlsAcceptor: Acceptor {
    /// Serves this certificate from now on; connections that exist keep what they have.
    ///
    /// # Errors
    /// [`TlsError`] where it cannot be served; the old one stays.
    fn install(&self, pair: &KeyPair) -> Result<(), TlsError>;
}

/// The name of HTTP/2 in ALPN.
pub(super) const H2: &[u8] = b"h2";
/// The name of HTTP/1.1 in ALPN.
pub(super) const HTTP11: &[u8] = b"http/1.1";

/// The version of HTTP that an ALPN name means.
pub(super) fn version(alpn: Option<&[u8]>) -> Version {
    if alpn == Some(H2) {
        Version::HTTP_2
    } else {
        Version::HTTP_11
    }
}
