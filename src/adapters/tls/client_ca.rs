//! The authorities whose word counts for clients.

use std::path::PathBuf;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::error::TlsError;
use crate::adapters::mounted_file;

/// A file with the certificates of authorities, in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ClientCaFile(pub(super) PathBuf);

impl ClientCaFile {
    /// What is in it.
    ///
    /// # Errors
    /// [`TlsError::ReadClientCa`].
    pub(super) fn read(&self) -> Result<Vec<u8>, TlsError> {
        mounted_file::read(&self.0).map_err(|error| TlsError::ReadClientCa {
            place: self.0.display().to_string(),
            reason: error.to_string(),
        })
    }
}

/// Authorities, at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ClientCa(Vec<CertificateDer<'static>>);

impl ClientCa {
    /// Reads certificates in PEM. Each has to be one that can be trusted: one that is left out would shut clients out.
    ///
    /// # Errors
    /// [`TlsError::ParseClientCa`].
    pub(super) fn parse(pem: &[u8]) -> Result<Self, TlsError> {
        let all = CertificateDer::pem_slice_iter(pem)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| wrong(error.to_string()))?;
        if all.is_empty() {
            return Err(wrong("it has no CERTIFICATE section".to_owned()));
        }
        let all = Self(all);
        all.roots().map(|_| all)
    }

    /// As rustls has them.
    ///
    /// # Errors
    /// [`TlsError::ParseClientCa`] where one is none.
    pub(super) fn roots(&self) -> Result<RootCertStore, TlsError> {
        let mut roots = RootCertStore::empty();
        for certificate in &self.0 {
            roots
                .add(certificate.clone())
                .map_err(|error| wrong(error.to_string()))?;
        }
        Ok(roots)
    }

    /// Each of them.
    #[cfg(feature = "tls11")]
    pub(super) fn certificates(&self) -> &[CertificateDer<'static>] {
        &self.0
    }
}

fn wrong(reason: String) -> TlsError {
    TlsError::ParseClientCa { reason }
}

#[cfg(test)]
mod tests {
    use super::super::self_signed;
    use super::*;

    #[test]
    fn authorities_are_read_from_pem() {
        let (one, key) = self_signed::pem(&[]);
        let (other, _) = self_signed::pem(&[]);
        let both = ClientCa::parse(format!("{one}\n{other}").as_bytes()).unwrap();
        assert_eq!(both.roots().unwrap().len(), 2);
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for text in ["", "nonsense", &key, broken, &format!("{one}{broken}")] {
            let error = ClientCa::parse(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains("--tls-client-ca"), "{error}");
        }
    }

    #[test]
    fn a_file_that_is_missing_is_named() {
        let file = ClientCaFile(PathBuf::from("/nowhere/ca.crt"));
        let error = file.read().unwrap_err().to_string();
        assert!(error.contains("/nowhere/ca.crt"), "{error}");
    }
}
