//! The servers that are compared.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use image_updater::adapters::http::limits::Limits;
use image_updater::adapters::http::readiness::Readiness;
use image_updater::adapters::http::server::{Edge, serve};
use image_updater::adapters::journal::Journal;
use image_updater::adapters::memory::event_queue::InMemoryQueue;
use image_updater::adapters::metrics::deliveries::DeliveryMeters;
use image_updater::adapters::metrics::meters::Meters;
use image_updater::adapters::secrets::memory::MemorySecrets;
use image_updater::adapters::senders;
use image_updater::adapters::tls::acceptor::Acceptor;
use image_updater::adapters::tls::folder::CertificateFolder;
use image_updater::adapters::tls::reload::ReloadTiming;
use image_updater::adapters::tls::setup::{TlsSettings, set_up};
use image_updater::app::intake::Intake;
use image_updater::app::settings::{LogFormat, LogLevel, LogSettings};
use image_updater::app::telemetry;
use image_updater::domain::admission::Admission;
use image_updater::domain::delivery::{Delivery, DeliveryId};
use image_updater::domain::pairs::Pairs;
use image_updater::domain::queue::fate::Fate;
use image_updater::domain::secret_policy::{SecretPolicy, Secrets};

use image_updater::domain::tls::TlsPolicy;
use image_updater::ports::event_queue::EventQueue;
use image_updater::ports::payload_decoder::{Decoded, PayloadDecoder};
use sha2::Sha256;
use tokio::net::TcpListener;
use warp::Filter;

use crate::Result;
use crate::delivery::{SECRET, decode};

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// hyper alone, doing the HMAC and the decoding.
    Bare,
    /// The same under one route of warp.
    Warp,
    /// The same again, decoded by our decoder, which reads more fields and bears what senders get wrong.
    WarpAndDecoder,
    /// The whole edge, its log switched off.
    Edge,
    /// The whole edge with its lines in the log for each request, written to /dev/null.
    EdgeWithLog,
    /// The whole edge, its log switched off, with each delivery on disk before it is answered.
    EdgeWithJournal,
    /// The whole edge, its log switched off, where every signature is wrong and each is told so.
    Refusing,
    /// The whole edge with its log, where every signature is wrong, as it is set up by default: most are too many of one source.
    RefusingWithLog,
}

impl Kind {
    pub(crate) const ALL: [Self; 8] = [
        Self::Bare,
        Self::Warp,
        Self::WarpAndDecoder,
        Self::Edge,
        Self::EdgeWithLog,
        Self::EdgeWithJournal,
        Self::Refusing,
        Self::RefusingWithLog,
    ];

    /// Whether it logs.
    pub(crate) fn logs(self) -> bool {
        matches!(self, Self::EdgeWithLog | Self::RefusingWithLog)
    }

    /// Whether it is sent wrong signatures.
    pub(crate) fn refuses(self) -> bool {
        matches!(self, Self::Refusing | Self::RefusingWithLog)
    }

    pub(crate) fn parse(name: &str) -> Result<Self> {
        let kind = Self::ALL.into_iter().find(|kind| kind.name() == name);
        Ok(kind.ok_or("no such server")?)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Warp => "warp",
            Self::WarpAndDecoder => "warp-and-decoder",
            Self::Edge => "edge",
            Self::EdgeWithLog => "edge-with-log",
            Self::EdgeWithJournal => "edge-with-journal",
            Self::Refusing => "refusing",
            Self::RefusingWithLog => "refusing-with-log",
        }
    }

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Bare => "bare hyper: TLS, HMAC, JSON",
            Self::Warp => "the same as a route of warp",
            Self::WarpAndDecoder => "the same with our decoder",
            Self::Edge => "the whole edge, log off",
            Self::EdgeWithLog => "the whole edge, two log lines for each",
            Self::EdgeWithJournal => "the whole edge with its journal, log off",
            Self::Refusing => "wrong signatures, no limit, log off",
            Self::RefusingWithLog => "wrong signatures, limit and log on",
        }
    }
}

/// Serves on a port of its own, which it prints, until the process is killed.
pub(crate) fn run(kind: Kind, folder: &Path) -> Result<()> {
    let settings = TlsSettings {
        policy: TlsPolicy::default(),
        http2: false,
        sources: vec![Arc::new(CertificateFolder(folder.to_owned()))],
        client_ca: None,
        names: Vec::new(),
        timing: ReloadTiming::default(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        let acceptor = set_up(settings)?.acceptor;
        match kind {
            Kind::Bare => bare(listener, acceptor).await,
            Kind::Warp => warp_alone(listener, acceptor, judge).await,
            Kind::WarpAndDecoder => warp_alone(listener, acceptor, judge_by_decoder).await,
            Kind::Edge => edge(listener, acceptor, Limits::default(), memory()).await,
            Kind::EdgeWithJournal => {
                let state = tempfile::tempdir_in(folder)?;
                let journal = Arc::new(Journal::open(state.path(), 1024)?);
                edge(listener, acceptor, Limits::default(), journal).await
            }
            Kind::Refusing => {
                let limits = Limits {
                    failures: None,
                    ..Limits::default()
                };
                edge(listener, acceptor, limits, memory()).await
            }
            Kind::EdgeWithLog | Kind::RefusingWithLog => {
                telemetry::install(LogSettings {
                    level: LogLevel::Info,
                    format: LogFormat::Text,
                    colors: false,
                })?;
                edge(listener, acceptor, Limits::default(), memory()).await
            }
        }
    })
}

fn memory() -> Arc<dyn EventQueue> {
    Arc::new(InMemoryQueue::new(1024))
}

async fn edge(
    listener: TcpListener,
    acceptor: Arc<dyn Acceptor>,
    limits: Limits,
    queue: Arc<dyn EventQueue>,
) -> Result<()> {
    let secrets = MemorySecrets::default();
    secrets.set("ghcr", Secrets::parse(SECRET));
    let intake = Intake {
        decoders: senders::all(),
        secrets: Arc::new(secrets),
        policy: SecretPolicy {
            require_secret: true,
        },
        queue: Arc::clone(&queue),
    };
    tokio::spawn(async move {
        loop {
            let batch = queue.next().await;
            queue.done(&batch, &Fate::Worked(Vec::new())).await;
        }
    });
    let edge = Edge {
        intake: Arc::new(intake),
        readiness: Readiness::default(),
        limits,
        admission: Admission::default(),
        meter: Arc::new(Meters::new([])),
        watcher: Some(Arc::new(DeliveryMeters::new([]))),
    };
    edge.readiness.set(true);
    let accept = move |tcp| {
        let acceptor = Arc::clone(&acceptor);
        async move { acceptor.accept(tcp).await }
    };
    serve(listener, accept, edge, std::future::pending()).await;
    Ok(())
}

async fn bare(listener: TcpListener, acceptor: Arc<dyn Acceptor>) -> Result<()> {
    loop {
        let (tcp, _) = listener.accept().await?;
        tcp.set_nodelay(true)?;
        let acceptor = Arc::clone(&acceptor);
        tokio::spawn(async move {
            if let Ok((stream, ..)) = acceptor.accept(tcp).await {
                let service = service_fn(|request: Request<Incoming>| async {
                    let (head, body) = request.into_parts();
                    let body = body.collect().await?.to_bytes();
                    Ok::<_, hyper::Error>(judge(&head.headers, &body))
                });
                let _ = http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            }
        });
    }
}

async fn warp_alone(
    listener: TcpListener,
    acceptor: Arc<dyn Acceptor>,
    judge: fn(&HeaderMap, &[u8]) -> Response<Full<Bytes>>,
) -> Result<()> {
    let route = warp::path!("webhook")
        .and(warp::post())
        .and(warp::header::headers_cloned())
        .and(warp::body::bytes())
        .map(move |headers: HeaderMap, body: Bytes| {
            judge(&headers, &body).map(|_| ACCEPTED.as_bytes().to_vec())
        });
    let service = TowerToHyperService::new(warp::service(route));
    loop {
        let (tcp, _) = listener.accept().await?;
        tcp.set_nodelay(true)?;
        let acceptor = Arc::clone(&acceptor);
        tokio::spawn(async move {
            if let Ok((stream, ..)) = acceptor.accept(tcp).await {
                let _ = http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            }
        });
    }
}

/// As long as the edge's answer.
const ACCEPTED: &str = r#"{"outcome":"accepted","message":"queued 1 image","delivery":"019abf4c-9d0e-7c3a-8f57-0a1b2c3d4e5f","images":[{"registry":"ghcr.io","repository":"acme-labs/api-gateway","tag":"1.5.1","digest":"sha256:b08e51f13515aa214fa40e6048af1d091d26cf5cdb48feceaec7292af742bb49"}]}"#;

/// Checks the signature and decodes, no more.
fn judge(headers: &HeaderMap, body: &[u8]) -> Response<Full<Bytes>> {
    answer(is_signed(headers, body) && decode(body).is_ok())
}

/// Checks the signature and decodes as the edge does.
fn judge_by_decoder(headers: &HeaderMap, body: &[u8]) -> Response<Full<Bytes>> {
    static SENDERS: LazyLock<Vec<Box<dyn PayloadDecoder>>> = LazyLock::new(senders::all);
    if !is_signed(headers, body) {
        return answer(false);
    }
    let delivery = Delivery {
        id: DeliveryId::new(String::new()),
        headers: [
            ("content-type", "application/json"),
            ("x-github-event", "package"),
        ]
        .into_iter()
        .collect(),
        query: Pairs::default(),
        body: body.to_vec(),
    };
    let decoder = SENDERS.iter().find(|d| d.profile().name == "ghcr.io");
    let decoded = decoder.map(|decoder| decoder.decode(&delivery));
    answer(matches!(decoded, Some(Ok(Decoded::Images(_)))))
}

fn answer(is_accepted: bool) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::from(ACCEPTED));
    if !is_accepted {
        *answer.status_mut() = StatusCode::BAD_REQUEST;
    }
    answer
}

fn is_signed(headers: &HeaderMap, body: &[u8]) -> bool {
    let signature = headers
        .get("x-hub-signature-256")
        .and_then(|value| value.as_bytes().strip_prefix(b"sha256="))
        .and_then(|text| hex::decode(text).ok());
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()) else {
        return false;
    };
    mac.update(body);
    signature.is_some_and(|signature| mac.verify_slice(&signature).is_ok())
}
