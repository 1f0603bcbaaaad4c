//! Where the server's certificate comes from.

use thiserror::Error;

/// One place that may hold a certificate and its private key.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
pub trait CertificateSource: Send + Sync {
    /// The place, for people.
    fn place(&self) -> String;

    /// What it holds now. This may read files.
    ///
    /// # Errors
    /// [`CertificateSourceError`] where something is there and cannot be read.
    fn read(&self) -> Result<Found, CertificateSourceError>;
}

/// What such a place holds. It may be a private key, so there is no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub enum Found {
    /// Both files, in PEM as they are.
    Pair {
        /// The contents of `tls.crt`.
        chain: Vec<u8>,
        /// The contents of `tls.key`.
        key: Vec<u8>,
    },
    /// At least one of them is missing or empty.
    Absent {
        /// Which.
        missing: String,
    },
}

impl Found {
    /// Makes it of the contents of both, of which empty ones count as missing.
    #[must_use]
    pub fn of(chain: Option<Vec<u8>>, key: Option<Vec<u8>>) -> Self {
        let filled = |bytes: &Vec<u8>| !bytes.trim_ascii().is_empty();
        let missing = match (chain.filter(filled), key.filter(filled)) {
            (Some(chain), Some(key)) => return Self::Pair { chain, key },
            (None, Some(_)) => "tls.crt",
            (Some(_), None) => "tls.key",
            (None, None) => "tls.crt and tls.key",
        };
        Self::Absent {
            missing: missing.to_owned(),
        }
    }
}

/// A certificate is there and cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("failed to read {place}: {reason}")]
pub struct CertificateSourceError {
    /// The file or object.
    pub place: String,
    /// Why, and what to do.
    pub reason: String,
}
