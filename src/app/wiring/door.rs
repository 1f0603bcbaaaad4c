//! From settings to where deliveries come in.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tracing::info;

use crate::adapters::http::limits::Limits;
use crate::adapters::http::readiness::Readiness;
use crate::adapters::http::server::Edge;
use crate::adapters::http::server::serve;
use crate::adapters::senders;
use crate::app::intake::Intake;
use crate::app::settings::SecretSettings;
use crate::app::settings::ServerSettings;
use crate::app::wiring::listen;
use crate::app::wiring::objects::Objects;
use crate::app::wiring::secrets;
use crate::app::wiring::server::Background;
use crate::app::wiring::server::StartError;
use crate::app::wiring::tls;
use crate::app::wiring::tls::Accepting;
use crate::ports::certificate_expiry::CertificateExpiry;
use crate::ports::delivery_watcher::DeliveryWatcher;
use crate::ports::event_queue::EventQueue;
use crate::ports::refusal_meter::RefusalMeter;

/// Where deliveries come in.
pub(super) struct Door {
    listener: TcpListener,
    pub(super) address: SocketAddr,
    accepting: Accepting,
    edge: Edge,
}

/// What is behind it.
pub(super) struct Parts<'a> {
    pub(super) secrets: SecretSettings,
    pub(super) queue: Arc<dyn EventQueue>,
    pub(super) readiness: Readiness,
    pub(super) meter: Arc<dyn RefusalMeter>,
    /// The objects of the cluster, where one is talked to.
    pub(super) objects: Option<&'a Objects>,
    /// Sees deliveries come and go.
    pub(super) watcher: Arc<dyn DeliveryWatcher>,
}

impl Door {
    /// Takes the port and makes everything ready behind it. The work of taking up changes is added to the background.
    ///
    /// # Errors
    /// [`StartError`].
    pub(super) async fn open(
        settings: ServerSettings,
        parts: Parts<'_>,
        background: &mut Vec<Background>,
    ) -> Result<Self, StartError> {
        let limits = limits(&settings);
        let policy = parts.secrets.policy;
        let secret = parts.objects.map(|objects| Arc::clone(&objects.secret));
        let intake = Intake {
            decoders: senders::all(),
            secrets: secrets::source(parts.secrets, secret, background),
            policy,
            queue: parts.queue,
        };
        let tls = if settings.tls.is_some() { "on" } else { "off" };
        let object = parts
            .objects
            .map(|objects| Arc::clone(&objects.certificate));
        let accepting = tls::acceptor(settings.tls, settings.http2, object, background)?;
        let port = settings.port;
        let failed = |source| StartError::Listen { port, source };
        let listener = listen::everywhere(port).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        info!(%address, tls, "webhook server is listening");
        Ok(Self {
            listener,
            address,
            accepting,
            edge: Edge {
                intake: Arc::new(intake),
                readiness: parts.readiness,
                limits,
                watcher: Some(parts.watcher),
                admission: settings.admission,
                meter: parts.meter,
            },
        })
    }

    /// Until when its certificate is valid; `None`: it has none.
    pub(super) fn certificate(&self) -> Option<Arc<dyn CertificateExpiry>> {
        self.accepting.certificate.clone()
    }
}

/// Serves at the door, if there is one, until it is told to stop.
pub(super) async fn serve_at(door: Option<Door>, mut stopping: watch::Receiver<bool>) {
    let Some(Door {
        listener,
        accepting,
        edge,
        ..
    }) = door
    else {
        let _ = stopping.wait_for(|stop| *stop).await;
        return;
    };
    let accept = move |tcp| {
        let acceptor = Arc::clone(&accepting.acceptor);
        async move { acceptor.accept(tcp).await }
    };
    let stop = async move {
        // Fails where the sender is gone, and then it is time to stop as well.
        let _ = stopping.wait_for(|stop| *stop).await;
    };
    serve(listener, accept, edge, stop).await;
}

fn limits(settings: &ServerSettings) -> Limits {
    Limits {
        max_connections: settings.max_connections,
        handshake: settings.handshake_timeout,
        head: settings.head_timeout,
        body: settings.body_timeout,
        idle: settings.idle_timeout,
        failures: settings.failures,
        ..Limits::default()
    }
}
