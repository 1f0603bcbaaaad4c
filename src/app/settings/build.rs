//! What the program was built with, as far as settings depend on it.

use crate::domain::sender::SenderProfile;
use crate::domain::tls::Capabilities;

/// What the program was built with.
#[derive(Debug, Clone, Copy)]
pub struct Build<'a> {
    /// The types of senders that it knows.
    pub senders: &'a [SenderProfile],
    /// The versions and suites of TLS that it can serve.
    pub tls: Capabilities,
}
