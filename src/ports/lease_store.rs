//! Where the Lease stands by which replicas agree on a leader.

use async_trait::async_trait;
use thiserror::Error;

use crate::domain::lease::Lease;

/// One Lease, which all candidates see.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
#[async_trait]
pub trait LeaseStore: Send + Sync {
    /// The Lease as it is; `None`: there is none.
    ///
    /// # Errors
    /// [`LeaseError`].
    async fn read(&self) -> Result<Option<Lease>, LeaseError>;

    /// Writes it, if it still is what was read. The time of this is put into it.
    ///
    /// # Errors
    /// [`LeaseError`]; [`LeaseError::Lost`] where somebody wrote it since.
    async fn write<'a>(&self, lease: LeaseWrite<'a>) -> Result<Lease, LeaseError>;
}

/// What to write into a Lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseWrite<'a> {
    /// What was read; `None`: there was none.
    pub read: Option<&'a Lease>,
    /// What is done with it.
    pub act: LeaseAct<'a>,
}

/// What a candidate does with a Lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseAct<'a> {
    /// Takes it.
    Acquire {
        /// The new holder.
        holder: &'a str,
        /// How often it will have had another holder.
        transitions: u32,
    },
    /// Goes on holding it.
    Renew,
    /// Gives it back, so that nobody has to wait until it expires.
    Release,
}

/// Why a Lease was not read or written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LeaseError {
    /// Somebody else was faster.
    #[error("somebody else wrote the Lease meanwhile")]
    Lost,
    /// It may not be done.
    #[error(
        "{verb} of Lease {lease} is forbidden; allow it in a Role, or turn it off by --leader-election=false"
    )]
    Forbidden {
        /// The verb.
        verb: &'static str,
        /// Namespace and name.
        lease: String,
    },
    /// It cannot be done now.
    #[error("the Lease cannot be had for now: {0}")]
    Unavailable(String),
}
