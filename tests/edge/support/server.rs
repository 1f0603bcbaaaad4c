//! A server on a port of its own.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use image_updater::adapters::http::limits::Limits;
use image_updater::adapters::http::readiness::Readiness;
use image_updater::adapters::http::server::{Edge, serve};
use image_updater::adapters::tls::CAPABILITIES;
use image_updater::adapters::tls::acceptor::Acceptor;
use image_updater::adapters::tls::folder::CertificateFolder;
use image_updater::adapters::tls::plain_acceptor::PlainAcceptor;
use image_updater::adapters::tls::reload::ReloadTiming;
use image_updater::adapters::tls::setup::{TlsSettings, set_up};
use image_updater::domain::admission::Admission;
use image_updater::domain::tls::cipher_suite::CipherList;
use image_updater::domain::tls::{TlsPolicy, TlsVersion};
use image_updater::ports::delivery_watcher::DeliveryWatcher;
use image_updater::ports::webhook_intake::WebhookIntake;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::intake::{FakeIntake, ignored};
use super::meter::FakeMeter;

/// A running server. Dropping it closes everything at once.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    /// Where deliveries end up, unless the server was given an intake of another kind.
    pub(crate) intake: Arc<FakeIntake>,
    pub(crate) readiness: Readiness,
    pub(crate) meter: Arc<FakeMeter>,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<()>,
    watching: Option<JoinHandle<()>>,
}

/// What a server is made of.
pub(crate) struct Parts {
    pub(crate) acceptor: Arc<dyn Acceptor>,
    pub(crate) limits: Limits,
    pub(crate) admission: Admission,
    pub(crate) watcher: Option<Arc<dyn DeliveryWatcher>>,
}

impl Default for Parts {
    /// Plain HTTP for everybody.
    fn default() -> Self {
        Self {
            acceptor: Arc::new(PlainAcceptor),
            limits: Limits::default(),
            admission: Admission::default(),
            watcher: None,
        }
    }
}

impl Server {
    /// Plain HTTP with the default limits and an intake that ignores everything.
    pub(crate) async fn plain() -> Self {
        Self::with_limits(Limits::default()).await
    }

    /// Plain HTTP with these limits.
    pub(crate) async fn with_limits(limits: Limits) -> Self {
        Self::of(Parts {
            limits,
            ..Parts::default()
        })
        .await
    }

    /// Plain HTTP with this intake.
    pub(crate) async fn with_intake(intake: FakeIntake) -> Self {
        Self::start(Parts::default(), intake).await
    }

    /// Plain HTTP with this intake, which is no fake.
    pub(crate) async fn with_real_intake(intake: impl WebhookIntake + 'static) -> Self {
        let unused = Arc::new(FakeIntake::new(ignored()));
        Self::serving(Parts::default(), unused, Arc::new(intake)).await
    }

    /// Plain HTTP with this intake and these limits, watched by somebody.
    pub(crate) async fn watched(
        intake: FakeIntake,
        limits: Limits,
        watcher: Arc<dyn DeliveryWatcher>,
    ) -> Self {
        let parts = Parts {
            limits,
            watcher: Some(watcher),
            ..Parts::default()
        };
        Self::start(parts, intake).await
    }

    /// Plain HTTP with room for so many connections and with this intake.
    pub(crate) async fn with_places(places: usize, intake: FakeIntake) -> Self {
        let limits = self::places(places);
        let parts = Parts {
            limits,
            ..Parts::default()
        };
        Self::start(parts, intake).await
    }

    /// HTTPS as these settings say.
    pub(crate) async fn tls(settings: TlsSettings) -> Self {
        Self::tls_of(settings, Parts::default()).await
    }

    /// HTTPS as these settings say, with these limits.
    pub(crate) async fn tls_with_limits(settings: TlsSettings, limits: Limits) -> Self {
        let parts = Parts {
            limits,
            ..Parts::default()
        };
        Self::tls_of(settings, parts).await
    }

    /// HTTPS as these settings say, and else of these parts.
    pub(crate) async fn tls_of(settings: TlsSettings, parts: Parts) -> Self {
        let tls = set_up(settings).unwrap();
        let mut server = Self::of(Parts {
            acceptor: tls.acceptor,
            ..parts
        })
        .await;
        server.watching = Some(tokio::spawn(tls.watch.run()));
        server
    }

    /// A server of these parts whose intake ignores everything.
    pub(crate) async fn of(parts: Parts) -> Self {
        Self::start(parts, FakeIntake::new(ignored())).await
    }

    /// A server of these parts with this intake.
    pub(crate) async fn start(parts: Parts, intake: FakeIntake) -> Self {
        let intake = Arc::new(intake);
        Self::serving(parts, Arc::clone(&intake), intake).await
    }

    async fn serving(parts: Parts, fake: Arc<FakeIntake>, intake: Arc<dyn WebhookIntake>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let readiness = Readiness::default();
        readiness.set(true);
        let meter = Arc::new(FakeMeter::default());
        let edge = Edge {
            intake,
            readiness: readiness.clone(),
            limits: parts.limits,
            admission: parts.admission,
            meter: Arc::clone(&meter) as _,
            watcher: parts.watcher,
        };
        let acceptor = parts.acceptor;
        let accept = move |tcp| {
            let acceptor = Arc::clone(&acceptor);
            async move { acceptor.accept(tcp).await }
        };
        let serving = tokio::spawn(serve(listener, accept, edge, async {
            let _ = stopped.await;
        }));
        Self {
            address,
            intake: fake,
            readiness,
            meter,
            stop: Some(stop),
            serving,
            watching: None,
        }
    }

    /// Asks the server to end.
    pub(crate) fn stop(&mut self) {
        let _ = self.stop.take().unwrap().send(());
    }

    /// Waits until the server has ended.
    pub(crate) async fn ended(mut self) {
        let ended = tokio::time::timeout(Duration::from_secs(20), &mut self.serving).await;
        ended.expect("the server did not end").unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
        if let Some(watching) = &self.watching {
            watching.abort();
        }
    }
}

/// The default limits, but room for so many connections only.
pub(crate) fn places(places: usize) -> Limits {
    Limits {
        max_connections: NonZeroUsize::new(places).unwrap(),
        ..Limits::default()
    }
}

/// TLS 1.3 alone, with whatever certificate is in that folder.
pub(crate) fn settings(folder: &Path) -> TlsSettings {
    TlsSettings {
        policy: TlsPolicy::default(),
        http2: false,
        sources: vec![Arc::new(CertificateFolder(folder.to_owned()))],
        client_ca: None,
        names: Vec::new(),
        timing: ReloadTiming {
            poll: Duration::from_millis(20),
            ..ReloadTiming::default()
        },
    }
}

/// A policy as a user writes it.
pub(crate) fn policy(min: &str, max: &str, ciphers: &str) -> TlsPolicy {
    let version = |text| TlsVersion::parse(text).unwrap();
    let ciphers = CipherList::parse(ciphers).unwrap();
    let (policy, _) = TlsPolicy::new(version(min), version(max), &ciphers, CAPABILITIES).unwrap();
    policy
}
