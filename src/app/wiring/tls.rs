//! From settings to a way of accepting connections.

use std::sync::Arc;

use crate::adapters::kubernetes::followed_object::FollowedObject;
use crate::adapters::tls::acceptor::Acceptor;
use crate::adapters::tls::error::TlsError;
use crate::adapters::tls::folder::CertificateFolder;
use crate::adapters::tls::plain_acceptor::PlainAcceptor;
use crate::adapters::tls::reload::ReloadTiming;
use crate::adapters::tls::setup;
use crate::app::settings::TlsSettings;
use crate::app::wiring::server::Background;
use crate::ports::certificate_expiry::CertificateExpiry;
use crate::ports::certificate_source::CertificateSource;

/// How connections are accepted.
pub(super) struct Accepting {
    pub(super) acceptor: Arc<dyn Acceptor>,
    /// Until when its certificate is valid; `None`: it has none.
    pub(super) certificate: Option<Arc<dyn CertificateExpiry>>,
}

/// An acceptor; the work of keeping its certificate fresh is added to the background.
///
/// # Errors
/// [`TlsError`].
pub(super) fn acceptor(
    settings: Option<TlsSettings>,
    http2: bool,
    object: Option<Arc<FollowedObject>>,
    background: &mut Vec<Background>,
) -> Result<Accepting, TlsError> {
    let Some(settings) = settings else {
        return Ok(Accepting {
            acceptor: Arc::new(PlainAcceptor),
            certificate: None,
        });
    };
    let tls = setup::set_up(to_adapter(settings, http2, object))?;
    let certificate = Some(tls.watch.expiry());
    background.push(Box::pin(tls.watch.run()));
    Ok(Accepting {
        acceptor: tls.acceptor,
        certificate,
    })
}

/// An acceptor with a certificate of our own making.
///
/// # Errors
/// [`TlsError`].
pub(super) fn self_signed() -> Result<Arc<dyn Acceptor>, TlsError> {
    setup::self_signed(&host_names())
}

/// Whether there will be an acceptor.
///
/// # Errors
/// [`TlsError`].
pub(super) fn check(
    settings: TlsSettings,
    object: Option<Arc<FollowedObject>>,
) -> Result<(), TlsError> {
    // What ALPN offers changes nothing about that.
    setup::check(&to_adapter(settings, false, object))
}

/// The cluster's object is stronger than the folder, as with settings and secrets: it may be the same object, of which the kubelet knows later.
fn to_adapter(
    settings: TlsSettings,
    http2: bool,
    object: Option<Arc<FollowedObject>>,
) -> setup::TlsSettings {
    let object = object.map(|object| object as Arc<dyn CertificateSource>);
    let folder: Arc<dyn CertificateSource> = Arc::new(CertificateFolder(settings.dir));
    setup::TlsSettings {
        policy: settings.policy,
        http2,
        client_ca: settings.client_ca,
        sources: object.into_iter().chain([folder]).collect(),
        names: host_names(),
        timing: ReloadTiming::default(),
    }
}

/// The names by which this process may be reached: of its host, which in a pod is the pod's, and of the pod as the downward API tells it.
fn host_names() -> Vec<String> {
    let host = gethostname::gethostname().to_string_lossy().into_owned();
    let pod = std::env::var("POD_NAME").ok();
    let mut names: Vec<String> = pod
        .into_iter()
        .chain([host])
        .filter(|name| !name.is_empty())
        .collect();
    names.dedup();
    names
}
