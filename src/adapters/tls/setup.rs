//! From settings to an acceptor.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;

use super::acceptor::{Acceptor, TlsAcceptor};
use super::certificate::KeyPair;
use super::client_ca::ClientCa;
use super::client_ca::ClientCaFile;
use super::client_ca_watch::ClientCaWatch;
use super::error::TlsError;
use super::leaf::Leaf;
use super::reload::{CertificateWatch, ReloadTiming, Served};
use super::rustls_acceptor::RustlsAcceptor;
use super::self_signed;
use super::sources::{Located, Sources};
use crate::domain::tls::TlsPolicy;
use crate::domain::tls::cipher_suite::KeyKind;
use crate::ports::certificate_source::{CertificateSource, Found};

/// How TLS is served.
#[derive(Clone)]
pub struct TlsSettings {
    /// Versions and suites.
    pub policy: TlsPolicy,
    /// Whether HTTP/2 is offered.
    pub http2: bool,
    /// Where `tls.crt` and `tls.key` may be, the strongest place first.
    pub sources: Vec<Arc<dyn CertificateSource>>,
    /// The file with the authorities whose certificates clients may show; `None`: they show none.
    pub client_ca: Option<PathBuf>,
    /// Names of this host and pod for a self-signed certificate, beside the local ones.
    pub names: Vec<String>,
    /// How often the certificate is looked at.
    pub timing: ReloadTiming,
}

/// TLS, ready to accept.
pub struct Tls {
    /// The acceptor.
    pub acceptor: Arc<dyn Acceptor>,
    /// Keeps the certificate fresh while its `run` is polled.
    pub watch: CertificateWatch,
    /// The certificate that is served at first, which a client may trust to reach this very server.
    pub certificate: CertificateDer<'static>,
}

/// Reads the certificate, or makes one where there is none, and sets the acceptor up. It may read files and does not wait otherwise.
///
/// # Errors
/// [`TlsError`] where a certificate is there and cannot be served, or the build cannot serve the policy.
pub fn set_up(settings: TlsSettings) -> Result<Tls, TlsError> {
    let sources = Sources(settings.sources.clone());
    let found = sources.read()?;
    let pair = if let Some(pair) = found.pair()? {
        tracing::info!(
            place = found.place,
            "serving the certificate that was found"
        );
        sources.tell_hidden(&found);
        pair
    } else {
        make_self_signed(&settings, &found)?
    };
    let Some(certificate) = pair.leaf().cloned() else {
        return Err(TlsError::ParseChain {
            reason: "it is empty".to_owned(),
        });
    };
    let client_ca = client_ca(&settings)?;
    let acceptor = acceptor(&settings, &pair, client_ca.as_ref().map(|ca| &ca.parsed))?;
    let leaf = Leaf::read(&certificate);
    let clients = client_ca.map(|ca| ClientCaWatch::new(ca.file, Arc::clone(&acceptor), ca.bytes));
    Ok(Tls {
        acceptor: Arc::clone(&acceptor) as Arc<dyn Acceptor>,
        watch: CertificateWatch {
            sources,
            clients,
            timing: settings.timing,
            served: Served::new(acceptor, settings.policy, found, leaf),
        },
        certificate,
    })
}

/// An acceptor of TLS 1.3 with a certificate that is made now, for these names beside the local ones, and stays.
///
/// # Errors
/// [`TlsError`].
pub fn self_signed(names: &[String]) -> Result<Arc<dyn Acceptor>, TlsError> {
    let pair = self_signed::make(names, KeyKind::Ecdsa)?;
    let policy = TlsPolicy::default();
    Ok(Arc::new(RustlsAcceptor::new(&policy, false, &pair, None)?))
}

/// Whether [`set_up`] would work, as far as the certificate can tell. Nothing is logged.
///
/// # Errors
/// [`TlsError`], as for [`set_up`].
pub fn check(settings: &TlsSettings) -> Result<(), TlsError> {
    let client_ca = client_ca(settings)?;
    let clients = client_ca.as_ref().map(|ca| &ca.parsed);
    match Sources(settings.sources.clone()).read()?.pair()? {
        Some(pair) => acceptor(settings, &pair, clients).map(drop),
        None => Ok(()),
    }
}

/// The authorities for clients as they are at first.
struct FirstClientCa {
    file: ClientCaFile,
    bytes: Vec<u8>,
    parsed: ClientCa,
}

fn client_ca(settings: &TlsSettings) -> Result<Option<FirstClientCa>, TlsError> {
    let Some(path) = &settings.client_ca else {
        return Ok(None);
    };
    let file = ClientCaFile(path.clone());
    let bytes = file.read()?;
    let parsed = ClientCa::parse(&bytes)?;
    Ok(Some(FirstClientCa {
        file,
        bytes,
        parsed,
    }))
}

fn make_self_signed(settings: &TlsSettings, found: &Located) -> Result<KeyPair, TlsError> {
    if let Found::Absent { missing } = &found.found {
        let place = &found.place;
        tracing::warn!(
            place,
            missing,
            "serving a self-signed certificate, as none is given"
        );
    }
    self_signed::make(&settings.names, key_kind(&settings.policy))
}

/// ECDSA has the cheaper handshake; the policy may leave RSA alone.
fn key_kind(policy: &TlsPolicy) -> KeyKind {
    if policy.fits(KeyKind::Ecdsa) {
        KeyKind::Ecdsa
    } else {
        KeyKind::Rsa
    }
}

fn acceptor(
    settings: &TlsSettings,
    pair: &KeyPair,
    clients: Option<&ClientCa>,
) -> Result<Arc<dyn TlsAcceptor>, TlsError> {
    let (policy, http2) = (&settings.policy, settings.http2);
    if !policy.needs_tls11() {
        return Ok(Arc::new(RustlsAcceptor::new(policy, http2, pair, clients)?));
    }
    #[cfg(feature = "tls11")]
    {
        use super::openssl_acceptor::OpensslAcceptor;
        Ok(Arc::new(OpensslAcceptor::new(
            policy, http2, pair, clients,
        )?))
    }
    #[cfg(not(feature = "tls11"))]
    Err(crate::domain::tls::TlsPolicyError::NeedsFeature.into())
}
