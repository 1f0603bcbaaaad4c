//! What we look at in a certificate ourselves.

use std::time::{SystemTime, UNIX_EPOCH};

use rustls::pki_types::CertificateDer;
use x509_parser::oid_registry::OID_PKCS1_RSAENCRYPTION;
use x509_parser::parse_x509_certificate;
use x509_parser::time::ASN1Time;

use crate::domain::tls::cipher_suite::KeyKind;

/// The facts of a server's own certificate that are worth a line in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Leaf {
    not_before: ASN1Time,
    not_after: ASN1Time,
    /// The kind of its key.
    pub(super) key: KeyKind,
}

impl Leaf {
    /// Reads them; `None` where the certificate has a form that we do not know. The TLS library may serve it all the same.
    pub(super) fn read(certificate: &CertificateDer<'_>) -> Option<Self> {
        let (_, parsed) = parse_x509_certificate(certificate).ok()?;
        let is_rsa = parsed.public_key().algorithm.algorithm == OID_PKCS1_RSAENCRYPTION;
        Some(Self {
            not_before: parsed.validity().not_before,
            not_after: parsed.validity().not_after,
            key: if is_rsa { KeyKind::Rsa } else { KeyKind::Ecdsa },
        })
    }

    /// The last second in which it is valid, as seconds since 1970.
    pub(super) fn not_after(&self) -> i64 {
        self.not_after.timestamp()
    }

    /// Why clients will refuse it at that time, if they will.
    pub(super) fn complaint(&self, now: SystemTime) -> Option<String> {
        let now = now.duration_since(UNIX_EPOCH).map_or(0, |since| {
            i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
        });
        if now > self.not_after.timestamp() {
            Some(format!("it expired at {}", self.not_after))
        } else if now < self.not_before.timestamp() {
            Some(format!("it is not valid before {}", self.not_before))
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::self_signed;
    use super::*;

    #[test]
    fn validity_depends_on_the_time() {
        let pair = self_signed::make(&[], KeyKind::Ecdsa).unwrap();
        let leaf = Leaf::read(pair.leaf().unwrap()).unwrap();
        let century = Duration::from_secs(100 * 365 * 24 * 3600);
        let now = SystemTime::now();
        assert_eq!(leaf.complaint(now), None);
        let late = leaf.complaint(now + century).unwrap();
        assert!(late.starts_with("it expired at "), "{late}");
        let early = leaf.complaint(UNIX_EPOCH).unwrap();
        assert!(early.starts_with("it is not valid before "), "{early}");
        assert_eq!(leaf.key, KeyKind::Ecdsa);
    }

    #[test]
    fn nonsense_is_no_leaf() {
        assert_eq!(Leaf::read(&CertificateDer::from(vec![1, 2, 3])), None);
    }
}
