//! The servers that are compared.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
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
use image_updater::adapters::tls::acceptor::Acceptor;
use image_updater::adapters::tls::reload::ReloadTiming;
use image_updater::adapters::tls::setup::{TlsSettings, set_up};
use image_updater::domain::delivery::Delivery;
use image_updater::domain::event::ImageEvent;
use image_updater::domain::secret_policy::{Denied, SecretPolicy, Secrets};
use image_updater::domain::sender::{Authentication, SenderProfile};
use image_updater::domain::tls::TlsPolicy;
use image_updater::ports::webhook_intake::{Outcome, Rejection, WebhookIntake};
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
    /// The whole edge, its log switched off.
    Edge,
    /// The whole edge with its line in the log for each request, written to /dev/null.
    EdgeWithLog,
}

impl Kind {
    pub(crate) const ALL: [Self; 4] = [Self::Bare, Self::Warp, Self::Edge, Self::EdgeWithLog];

    pub(crate) fn parse(name: &str) -> Result<Self> {
        let kind = Self::ALL.into_iter().find(|kind| kind.name() == name);
        Ok(kind.ok_or("no such server")?)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Warp => "warp",
            Self::Edge => "edge",
            Self::EdgeWithLog => "edge-with-log",
        }
    }

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Bare => "bare hyper: TLS, HMAC, JSON",
            Self::Warp => "the same as a route of warp",
            Self::Edge => "the whole edge, log off",
            Self::EdgeWithLog => "the whole edge, a log line per request",
        }
    }
}

/// Serves on a port of its own, which it prints, until the process is killed.
pub(crate) fn run(kind: Kind, folder: &Path) -> Result<()> {
    let settings = TlsSettings {
        policy: TlsPolicy::default(),
        http2: false,
        folder: folder.to_owned(),
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
            Kind::Warp => warp_alone(listener, acceptor).await,
            Kind::Edge => edge(listener, acceptor).await,
            Kind::EdgeWithLog => {
                let null = std::fs::File::create("/dev/null")?;
                tracing_subscriber::fmt().with_writer(null).init();
                edge(listener, acceptor).await
            }
        }
    })
}

async fn edge(listener: TcpListener, acceptor: Arc<dyn Acceptor>) -> Result<()> {
    let intake = Intake {
        secrets: Secrets::parse(SECRET),
        queue: Mutex::default(),
    };
    let edge = Edge {
        intake: Arc::new(intake),
        readiness: Readiness::default(),
        limits: Limits::default(),
    };
    edge.readiness.set(true);
    let accept = move |tcp| {
        let acceptor = Arc::clone(&acceptor);
        async move { acceptor.accept(tcp).await }
    };
    serve(listener, accept, edge, std::future::pending()).await;
    Ok(())
}

/// Verifies, decodes and queues.
struct Intake {
    secrets: Secrets,
    queue: Mutex<VecDeque<ImageEvent>>,
}

const PROFILE: SenderProfile = SenderProfile {
    name: "ghcr.io",
    secret_name: "ghcr",
    title: "GitHub Container Registry",
    authentication: Authentication::HubSignature256,
    documentation: "",
};

#[async_trait]
impl WebhookIntake for Intake {
    async fn accept(&self, delivery: Delivery) -> Outcome {
        let policy = SecretPolicy {
            require_secret: true,
        };
        if delivery.sender_type() != Some(PROFILE.name) {
            return Outcome::Rejected(Rejection::NoHandler);
        }
        let verified = match policy.verify(&PROFILE, &self.secrets, delivery) {
            Ok(verified) => verified,
            Err(Denied::NotServed) => return Outcome::Rejected(Rejection::NoHandler),
            Err(Denied::Missing) => return Outcome::Rejected(Rejection::MissingSecret),
            Err(Denied::Invalid) => return Outcome::Rejected(Rejection::InvalidSecret),
        };
        match decode(&verified.get().body) {
            Ok(event) => {
                push(&self.queue, event.clone());
                let images = vec![event];
                Outcome::Accepted { images }
            }
            Err(error) => Outcome::Rejected(Rejection::Malformed {
                reason: error.to_string(),
            }),
        }
    }
}

/// Nobody works here, so the queue forgets the oldest.
fn push(queue: &Mutex<VecDeque<ImageEvent>>, event: ImageEvent) {
    const BOUND: usize = 1024;
    let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
    if queue.len() == BOUND {
        queue.pop_front();
    }
    queue.push_back(event);
}

async fn bare(listener: TcpListener, acceptor: Arc<dyn Acceptor>) -> Result<()> {
    loop {
        let (tcp, _) = listener.accept().await?;
        tcp.set_nodelay(true)?;
        let acceptor = Arc::clone(&acceptor);
        tokio::spawn(async move {
            if let Ok((stream, _)) = acceptor.accept(tcp).await {
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

async fn warp_alone(listener: TcpListener, acceptor: Arc<dyn Acceptor>) -> Result<()> {
    let route = warp::path!("webhook")
        .and(warp::post())
        .and(warp::header::headers_cloned())
        .and(warp::body::bytes())
        .map(|headers: HeaderMap, body: Bytes| {
            judge(&headers, &body).map(|_| ACCEPTED.as_bytes().to_vec())
        });
    let service = TowerToHyperService::new(warp::service(route));
    loop {
        let (tcp, _) = listener.accept().await?;
        tcp.set_nodelay(true)?;
        let acceptor = Arc::clone(&acceptor);
        tokio::spawn(async move {
            if let Ok((stream, _)) = acceptor.accept(tcp).await {
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
    let mut answer = Response::new(Full::from(ACCEPTED));
    if !is_signed(headers, body) {
        *answer.status_mut() = StatusCode::UNAUTHORIZED;
    } else if decode(body).is_err() {
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
