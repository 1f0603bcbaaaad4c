//! The server of the metrics.

use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;

use tracing::info;

use crate::adapters::http::metrics::Metrics;
use crate::adapters::http::server::serve_metrics;
use crate::adapters::kubernetes::access_review::ClusterReviewer;
use crate::adapters::kubernetes::client::Cluster;
use crate::adapters::metrics::meters::Meters;
use crate::adapters::metrics::page::Build;
use crate::adapters::metrics::page::Page;
use crate::adapters::metrics::seen::Seen;
use crate::adapters::tls::acceptor::Acceptor;
use crate::adapters::tls::plain_acceptor::PlainAcceptor;
use crate::app::cli::version;
use crate::app::metrics_access::Remembered;
use crate::app::settings::MetricsSettings;
use crate::app::wiring::listen;
use crate::app::wiring::server::Background;
use crate::app::wiring::server::StartError;
use crate::app::wiring::tls;
use crate::ports::access_reviewer::AccessReviewer;
use crate::ports::backlog_view::BacklogView;
use crate::ports::certificate_expiry::CertificateExpiry;
use crate::ports::resource_reader::ResourceReader;

/// What this program was built of.
const BUILD: Build = Build {
    version: env!("CARGO_PKG_VERSION"),
    commit: version::COMMIT,
    features: version::FEATURES,
};

/// What is shown.
pub(super) struct Shown {
    pub(super) meters: Meters,
    pub(super) reader: Arc<dyn ResourceReader>,
    /// The cluster, where there is one: it is counted how often it is asked, and it knows who may read.
    pub(super) cluster: Option<Cluster>,
    /// How much is left to do.
    pub(super) backlog: Arc<dyn BacklogView>,
    /// Until when the webhook server's certificate is valid; `None`: it has none.
    pub(super) certificate: Option<Arc<dyn CertificateExpiry>>,
}

/// Takes the address, and serves there until the end of the process.
///
/// # Errors
/// [`StartError::Metrics`], and [`StartError::Tls`].
pub(super) async fn open(
    settings: &MetricsSettings,
    shown: Shown,
) -> Result<Background, StartError> {
    let failed = |source| StartError::Metrics {
        address: settings.address.clone(),
        source,
    };
    let listener = listen::at(&settings.address).await.map_err(failed)?;
    let bound: SocketAddr = listener.local_addr().map_err(failed)?;
    let acceptor: Arc<dyn Acceptor> = if settings.secure {
        tls::self_signed()?
    } else {
        Arc::new(PlainAcceptor)
    };
    let seen = Seen {
        reader: shown.reader,
        calls: shown.cluster.as_ref().map(Cluster::calls),
        backlog: shown.backlog,
        certificate: shown.certificate,
    };
    let reviewer = shown.cluster.filter(|_| settings.secure).map(|cluster| {
        let reviewer = Arc::new(ClusterReviewer(cluster));
        Arc::new(Remembered::new(reviewer)) as Arc<dyn AccessReviewer>
    });
    let metrics = Metrics {
        page: Arc::new(Page::new(&shown.meters, seen, BUILD)),
        reviewer,
    };
    let accept = move |tcp| {
        let acceptor = Arc::clone(&acceptor);
        async move { acceptor.accept(tcp).await }
    };
    info!(address = %bound, secure = settings.secure, "metrics server is listening");
    Ok(Box::pin(serve_metrics(
        listener,
        accept,
        metrics,
        pending(),
    )))
}
