//! From settings to a way of accepting connections.

use std::sync::Arc;

use crate::adapters::tls::acceptor::Acceptor;
use crate::adapters::tls::error::TlsError;
use crate::adapters::tls::folder::CertificateFolder;
use crate::adapters::tls::plain_acceptor::PlainAcceptor;
use crate::adapters::tls::reload::ReloadTiming;
use crate::adapters::tls::setup;
use crate::app::settings::TlsSettings;
use crate::app::wiring::server::Background;

/// An acceptor; the work of keeping its certificate fresh is added to the background.
///
/// # Errors
/// [`TlsError`].
pub(super) fn acceptor(
    settings: Option<TlsSettings>,
    http2: bool,
    background: &mut Vec<Background>,
) -> Result<Arc<dyn Acceptor>, TlsError> {
    let Some(settings) = settings else {
        return Ok(Arc::new(PlainAcceptor));
    };
    let tls = setup::set_up(to_adapter(settings, http2))?;
    background.push(Box::pin(tls.watch.run()));
    Ok(tls.acceptor)
}

/// Whether there will be an acceptor.
///
/// # Errors
/// [`TlsError`].
pub(super) fn check(settings: TlsSettings) -> Result<(), TlsError> {
    // What ALPN offers changes nothing about that.
    setup::check(&to_adapter(settings, false))
}

fn to_adapter(settings: TlsSettings, http2: bool) -> setup::TlsSettings {
    setup::TlsSettings {
        policy: settings.policy,
        http2,
        sources: vec![Arc::new(CertificateFolder(settings.dir))],
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
