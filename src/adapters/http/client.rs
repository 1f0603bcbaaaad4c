//! The other end of a connection.

use std::net::SocketAddr;
use std::sync::Arc;

use super::activity::Activity;
use super::sources::Sources;
use crate::domain::admission::ClientCertificate;

/// Who is there, as far as the connection tells.
#[derive(Clone)]
pub(super) struct Client {
    /// Its address, which may be a proxy's.
    pub(super) peer: SocketAddr,
    /// What it showed in the handshake.
    pub(super) certificate: ClientCertificate,
    /// Where it is one of many.
    pub(super) sources: Arc<Sources>,
    /// What the connection does.
    pub(super) activity: Arc<Activity>,
}
