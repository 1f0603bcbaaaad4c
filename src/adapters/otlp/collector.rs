//! Sending spans to a collector, on the HTTP client that the program has already.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use opentelemetry_http::Bytes;
use opentelemetry_http::HttpClient;
use opentelemetry_http::HttpError;
use opentelemetry_http::Request;
use opentelemetry_http::Response;
use reqwest::Client;
use reqwest::redirect::Policy;
use tokio::runtime::Handle;
use tracing::info;
use tracing::warn;

/// How long one request may take. What the environment says is for all attempts of the exporter together.
const REQUEST: Duration = Duration::from_secs(30);

/// Posts what is to be sent. The exporter works on a thread of its own, so each request goes over to the runtime.
#[derive(Debug)]
pub(super) struct Poster {
    client: Client,
    runtime: Handle,
    /// An outage that has not ended; each is told once.
    is_out: AtomicBool,
}

impl Poster {
    /// A client on the runtime that it is called on.
    ///
    /// # Errors
    /// Why there can be no client.
    pub(super) fn new() -> Result<Self, String> {
        // reqwest takes the process-wide provider; another one that was installed before will do as well.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let client = Client::builder()
            .timeout(REQUEST)
            .redirect(Policy::none())
            .referer(false)
            .user_agent(concat!("argocd-image-updater/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Self {
            client: client.map_err(|error| error.to_string())?,
            runtime: Handle::current(),
            is_out: AtomicBool::new(false),
        })
    }

    /// Says when an outage begins and when it ends. What the collector's address and headers hold may be secret, so neither is told.
    fn tell(&self, failure: Option<&str>) {
        let was_out = self.is_out.swap(failure.is_some(), Ordering::Relaxed);
        match failure {
            Some(reason) if !was_out => {
                warn!(reason, "traces cannot be sent; nothing else depends on it");
            }
            None if was_out => info!("traces are sent again"),
            Some(_) | None => {}
        }
    }
}

#[async_trait]
impl HttpClient for Poster {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let sent = self
            .runtime
            .spawn(async move { post(&client, request).await });
        let sent = sent
            .await
            .unwrap_or_else(|_| Err("the program ends".to_owned()));
        let failure = match &sent {
            Ok(response) if response.status().is_success() => None,
            Ok(response) => Some(format!("the collector answers {}", response.status())),
            Err(reason) => Some(reason.clone()),
        };
        self.tell(failure.as_deref());
        sent.map_err(HttpError::from)
    }
}

async fn post(client: &Client, request: Request<Bytes>) -> Result<Response<Bytes>, String> {
    let failed = |error: reqwest::Error| chain(&error.without_url());
    let request = reqwest::Request::try_from(request).map_err(failed)?;
    let answer = client.execute(request).await.map_err(failed)?;
    let mut response = Response::builder().status(answer.status());
    for (name, value) in answer.headers() {
        response = response.header(name, value);
    }
    let body = answer.bytes().await.map_err(failed)?;
    response.body(body).map_err(|error| error.to_string())
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| (*error).source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
