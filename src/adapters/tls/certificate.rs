//! A certificate chain and its private key.

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::error::TlsError;

/// A chain, the server's own certificate first, and the private key. That they belong together is for the TLS library to say.
#[derive(Debug)]
pub(super) struct KeyPair {
    /// The chain; it has at least one certificate.
    pub(super) chain: Vec<CertificateDer<'static>>,
    /// The key. Its `Debug` shows nothing of it.
    pub(super) key: PrivateKeyDer<'static>,
}

impl KeyPair {
    /// Reads the contents of `tls.crt` and `tls.key`.
    ///
    /// # Errors
    /// [`TlsError::ParseChain`] or [`TlsError::ParseKey`]. Nothing of the key's file is quoted.
    pub(super) fn parse(chain: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        let chain = CertificateDer::pem_slice_iter(chain)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| parse_chain(error.to_string()))?;
        if chain.is_empty() {
            return Err(parse_chain("it has no CERTIFICATE section".to_owned()));
        }
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| TlsError::ParseKey)?;
        Ok(Self { chain, key })
    }

    /// The same again.
    #[cfg(feature = "tls11")]
    pub(super) fn copy(&self) -> Self {
        Self {
            chain: self.chain.clone(),
            key: self.key.clone_key(),
        }
    }

    /// The server's own certificate.
    pub(super) fn leaf(&self) -> Option<&CertificateDer<'static>> {
        self.chain.first()
    }
}

fn parse_chain(reason: String) -> TlsError {
    TlsError::ParseChain { reason }
}

#[cfg(test)]
mod tests {
    use super::super::self_signed;
    use super::*;

    #[test]
    fn a_pair_is_read_from_pem() {
        let (chain, key) = self_signed::pem(&[]);
        let pair = KeyPair::parse(chain.as_bytes(), key.as_bytes()).unwrap();
        assert_eq!(pair.chain.len(), 1);
        let twice = format!("{chain}{chain}");
        let pair = KeyPair::parse(twice.as_bytes(), key.as_bytes()).unwrap();
        assert_eq!(pair.chain.len(), 2);
    }

    #[test]
    fn what_is_no_pem_is_told_apart() {
        let (chain, key) = self_signed::pem(&[]);
        for broken in ["nonsense", key.as_str(), "-----BEGIN CERTIFICATE-----\n!"] {
            let error = KeyPair::parse(broken.as_bytes(), key.as_bytes()).unwrap_err();
            assert!(matches!(error, TlsError::ParseChain { .. }), "{error}");
        }
        for broken in ["nonsense", chain.as_str(), &key[..60]] {
            let error = KeyPair::parse(chain.as_bytes(), broken.as_bytes()).unwrap_err();
            assert!(matches!(error, TlsError::ParseKey), "{error}");
        }
    }

    #[test]
    fn debug_shows_no_key() {
        let (chain, key) = self_signed::pem(&[]);
        let pair = KeyPair::parse(chain.as_bytes(), key.as_bytes()).unwrap();
        let shown = format!("{:?}", pair.key);
        assert!(shown.contains("elided"), "{shown}");
    }
}
