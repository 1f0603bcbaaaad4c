//! Turning a TCP connection into one that HTTP can be spoken on.

use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use http::Version;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::certificate::KeyPair;
use super::client_ca::ClientCa;
use super::error::TlsError;
use crate::ports::shown_certificate::ShownCertificate;

/// A connection that bytes can be read from and written to.
pub trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Socket for T {}

/// What is known after the handshake: the connection; which version of HTTP follows, [`Version::HTTP_2`] where both sides agreed on it by
/// [ALPN](https://www.rfc-editor.org/rfc/rfc7301), else [`Version::HTTP_11`]; and the certificate that the client showed, if it did.
pub type Accepted = (Box<dyn Socket>, Version, Option<Arc<dyn ShownCertificate>>);

/// Accepts connections.
#[async_trait]
pub trait Acceptor: Send + Sync {
    /// Completes the handshake, if there is one. It has no time-out of its own.
    ///
    /// # Errors
    /// The peer went away, or does not speak what is served. The kind is [`io::ErrorKind::UnexpectedEof`] or [`io::ErrorKind::ConnectionReset`] only
    /// where it went before it said anything, as load balancers do to see whether somebody listens.
    async fn accept(&self, tcp: TcpStream) -> io::Result<Accepted>;
}

/// An acceptor with a certificate.
pub(super) trait TlsAcceptor: Acceptor {
    /// Serves this certificate from now on; connections that exist keep what they have.
    ///
    /// # Errors
    /// [`TlsError`] where it cannot be served; the old one stays.
    fn install(&self, pair: &KeyPair) -> Result<(), TlsError>;

    /// Believes these authorities, and no others, about clients from now on; what clients have shown before counts no more.
    ///
    /// # Errors
    /// [`TlsError`] where they cannot be used; the old ones stay.
    fn trust(&self, clients: &ClientCa) -> Result<(), TlsError>;
}

/// Waits until the client has said something.
///
/// # Errors
/// The client went away.
pub(super) async fn first_byte(tcp: &TcpStream) -> io::Result<()> {
    match tcp.peek(&mut [0]).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
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
