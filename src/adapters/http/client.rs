//! The other end of a connection.

use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;

use super::activity::Activity;
use super::sources::Sources;
use crate::domain::admission::ClientCertificate;
use crate::ports::shown_certificate::ShownCertificate;

/// Who is there, as far as the connection tells.
#[derive(Clone)]
pub(super) struct Client {
    /// Its address, which may be a proxy's.
    pub(super) peer: SocketAddr,
    /// What it showed in the handshake, if it did.
    pub(super) certificate: Option<Arc<dyn ShownCertificate>>,
    /// Where it is one of many.
    pub(super) sources: Arc<Sources>,
    /// What the connection does.
    pub(super) activity: Arc<Activity>,
}

impl Client {
    /// What it has shown, as far as that counts now.
    pub(super) fn certificate(&self) -> ClientCertificate {
        match &self.certificate {
            Some(shown) if shown.counts() => ClientCertificate::Verified,
            Some(_) => ClientCertificate::Lapsed,
            None => ClientCertificate::Absent,
        }
    }

    /// Returns when what it has shown counts no more.
    pub(super) async fn lapsed(&self) {
        match &self.certificate {
            Some(shown) => shown.lapsed().await,
            None => pending().await,
        }
    }
}

#[cfg(test)]
impl Client {
    /// Somebody of whom nothing is known.
    pub(super) fn unknown() -> Self {
        let peer = SocketAddr::from(([127, 0, 0, 1], 9));
        let sources = Arc::new(Sources::unmetered(None));
        let limits = super::limits::Limits::default();
        Self {
            peer,
            certificate: None,
            activity: Activity::new(&limits, peer.ip(), Arc::clone(&sources), Arc::default()),
            sources,
        }
    }
}
