//! What one client may take.

use std::num::NonZeroU32;
use std::num::NonZeroUsize;
use std::time::Duration;

/// Bounds on connections and requests. What a stranger can make the server hold for each connection stands in `docs/SECURITY.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections at a time. Where there are more, idle ones are closed; while all are busy, the next ones wait. Default 256.
    pub max_connections: NonZeroUsize,
    /// The longest head of a request in bytes: request line and headers. More is answered 431. Default 16 KiB.
    pub max_head: usize,
    /// The longest body of a request in bytes. More is answered 413. Default 1 MiB.
    pub max_body: usize,
    /// How long a TLS handshake may take. Default 10 s.
    pub handshake: Duration,
    /// How long the head of a request may take, from its first byte on; for the first request, from the handshake on. Default 10 s.
    pub head: Duration,
    /// How long the body of a request may take after its head. More is answered 408. Default 10 s.
    pub body: Duration,
    /// How long a connection may be without a request. Default 60 s.
    pub idle: Duration,
    /// How many requests and connections of one source may fail in a minute. More are answered 429. `None`: any number. Default 60.
    pub failures: Option<NonZeroU32>,
}

impl Default for Limits {
    fn default() -> Self {
        const CONNECTIONS: NonZeroUsize = NonZeroUsize::new(256).unwrap();
        Self {
            max_connections: CONNECTIONS,
            max_head: 16 * 1024,
            max_body: 1024 * 1024,
            handshake: Duration::from_secs(10),
            head: Duration::from_secs(10),
            body: Duration::from_secs(10),
            idle: Duration::from_secs(60),
            failures: NonZeroU32::new(60),
        }
    }
}
