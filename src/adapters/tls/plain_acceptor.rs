//! Connections without TLS.

use std::io;

use async_trait::async_trait;
use http::Version;
use tokio::net::TcpStream;

use super::acceptor::{Accepted, Acceptor};

/// Takes connections as they are: HTTP/1.1 in clear text, for a proxy that ends TLS.
#[derive(Debug, Clone, Copy)]
pub struct PlainAcceptor;

#[async_trait]
impl Acceptor for PlainAcceptor {
    async fn accept(&self, tcp: TcpStream) -> io::Result<Accepted> {
        Ok((Box::new(tcp), Version::HTTP_11, None))
    }
}
