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
use image_updater::domain::tls::cipher_suite::CipherList;
use image_updater::domain::tls::{TlsPolicy, TlsVersion};
use image_updater::ports::delivery_watcher::DeliveryWatcher;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::intake::{FakeIntake, ignored};

/// A running server. Dropping it closes everything at once.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) intake: Arc<FakeIntake>,
    pub(crate) readiness: Readiness,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<()>,
    watching: Option<JoinHandle<()>>,
}

impl Server {
    /// Plain HTTP with the default limits and an intake that ignores everything.
    pub(crate) async fn plain() -> Self {
        Self::with_limits(Limits::default()).await
    }

    /// Plain HTTP with these limits.
    pub(crate) async fn with_limits(limits: Limits) -> Self {
        Self::start(
            Arc::new(PlainAcceptor),
            FakeIntake::new(ignored()),
            limits,
            None,
        )
        .await
    }

    /// Plain HTTP with this intake.
    pub(crate) async fn with_intake(intake: FakeIntake) -> Self {
        Self::start(Arc::new(PlainAcceptor), intake, Limits::default(), None).await
    }

    /// Plain HTTP with this intake and these limits, watched by somebody.
    pub(crate) async fn watched(
        intake: FakeIntake,
        limits: Limits,
        watcher: Arc<dyn DeliveryWatcher>,
    ) -> Self {
        Self::start(Arc::new(PlainAcceptor), intake, limits, Some(watcher)).await
    }

    /// Plain HTTP with room for so many connections and with this intake.
    pub(crate) async fn with_places(places: usize, intake: FakeIntake) -> Self {
        Self::start(Arc::new(PlainAcceptor), intake, self::places(places), None).await
    }

    /// HTTPS as these settings say.
    pub(crate) async fn tls(settings: TlsSettings) -> Self {
        Self::tls_with_limits(settings, Limits::default()).await
    }

    /// HTTPS as these settings say, with these limits.
    pub(crate) async fn tls_with_limits(settings: TlsSettings, limits: Limits) -> Self {
        let tls = set_up(settings).unwrap();
        let intake = FakeIntake::new(ignored());
        let mut server = Self::start(tls.acceptor, intake, limits, None).await;
        server.watching = Some(tokio::spawn(tls.watch.run()));
        server
    }

    async fn start(
        acceptor: Arc<dyn Acceptor>,
        intake: FakeIntake,
        limits: Limits,
        watcher: Option<Arc<dyn DeliveryWatcher>>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let intake = Arc::new(intake);
        let readiness = Readiness::default();
        readiness.set(true);
        let edge = Edge {
            intake: Arc::clone(&intake) as _,
            readiness: readiness.clone(),
            limits,
            watcher,
        };
        let accept = move |tcp| {
            let acceptor = Arc::clone(&acceptor);
            async move { acceptor.accept(tcp).await }
        };
        let serving = tokio::spawn(serve(listener, accept, edge, async {
            let _ = stopped.await;
        }));
        Self {
            address,
            intake,
            readiness,
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
