//! A certificate of our own making, for when none is given.

use std::fmt::Display;
use std::time::{Duration, SystemTime};

use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose,
    PKCS_RSA_SHA256, RsaKeySize,
};
use rustls::pki_types::PrivatePkcs8KeyDer;

use super::certificate::KeyPair;
use super::error::TlsError;
use crate::domain::tls::cipher_suite::KeyKind;

/// Names under which every server can be reached on its own host.
const LOCAL: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
const DAY: Duration = Duration::from_secs(24 * 3600);
/// It lives in memory and is new at every start, so it must only outlive the process.
const LIFETIME: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// Makes one for the local names and these, with a key of RSA with 2048 bits or of ECDSA on P-256. A name that cannot stand in a
/// certificate is left out with a warning.
///
/// # Errors
/// [`TlsError::MakeSelfSigned`].
pub(super) fn make(names: &[String], kind: KeyKind) -> Result<KeyPair, TlsError> {
    let key = key(kind)?;
    let certificate = parameters(names)?
        .self_signed(&key)
        .map_err(|error| failed(&error))?;
    Ok(KeyPair {
        chain: vec![certificate.der().clone()],
        key: PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
    })
}

fn key(kind: KeyKind) -> Result<rcgen::KeyPair, TlsError> {
    match kind {
        KeyKind::Ecdsa => rcgen::KeyPair::generate(),
        KeyKind::Rsa => rcgen::KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048),
    }
    .map_err(|error| failed(&error))
}

fn parameters(names: &[String]) -> Result<CertificateParams, TlsError> {
    let mut params =
        CertificateParams::new(subject_names(names)).map_err(|error| failed(&error))?;
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, "argocd-image-updater");
    params.distinguished_name = subject;
    let now = SystemTime::now();
    params.not_before = (now - DAY).into();
    params.not_after = (now + LIFETIME).into();
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![
        KeyUsagePurpose::DigitalSignature,
        KeyUsagePurpose::KeyEncipherment,
    ];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(params)
}

fn subject_names(names: &[String]) -> Vec<String> {
    let mut all: Vec<String> = LOCAL.iter().map(|name| (*name).to_owned()).collect();
    for name in names {
        if all.contains(name) {
            continue;
        }
        if name.is_empty() || CertificateParams::new(vec![name.clone()]).is_err() {
            tracing::warn!(%name, "the self-signed certificate leaves out a name that is no host name");
            continue;
        }
        all.push(name.clone());
    }
    all
}

fn failed(error: &dyn Display) -> TlsError {
    TlsError::MakeSelfSigned {
        reason: error.to_string(),
    }
}

/// The contents of `tls.crt` and `tls.key` for a new pair.
#[cfg(test)]
pub(super) fn pem(names: &[String]) -> (String, String) {
    let key = key(KeyKind::Ecdsa).unwrap();
    let certificate = parameters(names).unwrap().self_signed(&key).unwrap();
    (certificate.pem(), key.serialize_pem())
}

#[cfg(test)]
mod tests {
    use x509_parser::extensions::GeneralName;

    use super::*;

    #[test]
    fn it_holds_the_local_names_and_the_given_ones() {
        let names = ["updater-7d9f".to_owned(), "10.1.2.3".to_owned()];
        let given = [&names[..], &["localhost".to_owned(), "ü".to_owned()]].concat();
        let pair = make(&given, KeyKind::Ecdsa).unwrap();
        let (_, parsed) = x509_parser::parse_x509_certificate(pair.leaf().unwrap()).unwrap();
        let extension = parsed.subject_alternative_name().unwrap().unwrap();
        let shown: Vec<_> = extension
            .value
            .general_names
            .iter()
            .map(|name| match name {
                GeneralName::DNSName(name) => (*name).to_owned(),
                GeneralName::IPAddress(bytes) => format!("{bytes:?}"),
                other => panic!("{other}"),
            })
            .collect();
        assert_eq!(
            shown,
            [
                "localhost",
                "[127, 0, 0, 1]",
                "[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]",
                "updater-7d9f",
                "[10, 1, 2, 3]",
            ]
        );
        assert!(!parsed.is_ca());
    }

    #[test]
    fn it_can_have_an_rsa_key() {
        let pair = make(&[], KeyKind::Rsa).unwrap();
        let leaf = super::super::leaf::Leaf::read(pair.leaf().unwrap()).unwrap();
        assert_eq!(leaf.key, KeyKind::Rsa);
    }
}
