//! What can be wrong with TLS before a client comes.

use thiserror::Error;

use crate::domain::tls::TlsPolicyError;
use crate::ports::certificate_source::CertificateSourceError;

/// TLS cannot be served.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A certificate is there and cannot be read.
    #[error(transparent)]
    Read(#[from] CertificateSourceError),
    /// `tls.crt` holds no certificate.
    #[error(
        "tls.crt holds no certificate that can be read ({reason}); give a chain in PEM, the server's own certificate first"
    )]
    ParseChain {
        /// What is wrong with it.
        reason: String,
    },
    /// `tls.key` holds no private key.
    #[error("tls.key holds no private key that can be read; give an unencrypted one in PEM")]
    ParseKey,
    /// The two files do not belong together.
    #[error(
        "tls.key is not the private key of the first certificate in tls.crt; give the key that it was made for"
    )]
    MatchKey,
    /// The TLS library refuses the pair.
    #[error("the certificate in tls.crt and tls.key cannot be served: {reason}")]
    UseCertificate {
        /// What the library says.
        reason: String,
    },
    /// The authorities for clients cannot be read.
    #[error("failed to read {place}, which --tls-client-ca names: {reason}")]
    ReadClientCa {
        /// The file.
        place: String,
        /// Why.
        reason: String,
    },
    /// The authorities for clients are none.
    #[error(
        "the file that --tls-client-ca names holds no certificates that can be trusted ({reason}); give those of authorities, in PEM"
    )]
    ParseClientCa {
        /// What is wrong with it.
        reason: String,
    },
    /// No self-signed certificate could be made.
    #[error(
        "failed to make a self-signed certificate: {reason}; give one of your own in tls.crt and tls.key"
    )]
    MakeSelfSigned {
        /// What the library says.
        reason: String,
    },
    /// The TLS library refuses the versions and suites.
    #[error("failed to set TLS up: {reason}")]
    Configure {
        /// What the library says.
        reason: String,
    },
    /// This build cannot serve the policy.
    #[error(transparent)]
    Policy(#[from] TlsPolicyError),
}
