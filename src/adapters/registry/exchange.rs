//! One request and its answer, asked for again where the registry could not answer.

use std::ops::ControlFlow;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::SystemTime;

use backon::BackoffBuilder as _;
use backon::ExponentialBuilder;
use http::HeaderMap;
use http::Method;
use http::StatusCode;
use http::header::RETRY_AFTER;
use reqwest::Client;
use reqwest::Response;
use reqwest::Url;
use tokio::time::Instant;
use tokio::time::sleep;
use tracing::debug;

use super::connection;
use super::connection::Redirections;
use super::host::Host;
use super::retry_after;
use super::trouble;
use crate::ports::registry_client::RegistryError;

/// After the first. Whoever wants more asks again later.
const MORE_ATTEMPTS: usize = 3;
/// What is read of an answer that tells a failure.
const FAILURE_BYTES: usize = 64 * 1024;

/// A request.
#[derive(Clone)]
pub(super) struct Outgoing {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) form: Option<String>,
    /// The longest body of an answer that is read, in bytes.
    pub(super) most: usize,
}

/// An answer.
pub(super) struct Reply {
    /// What was asked last: with redirections not what was asked first.
    url: Url,
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Reply {
    /// Who answered, where redirections led away from whom was asked; without the path and the query, which may have a signature in them.
    pub(super) fn led_to(&self, asked: &Url) -> Option<String> {
        let origin = self.url.origin();
        (origin != asked.origin()).then(|| origin.ascii_serialization())
    }

    /// A header that is text.
    pub(super) fn header(&self, name: impl http::header::AsHeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Why an attempt brought no answer.
enum Failed {
    /// The next may.
    Passing(String),
    /// The next will not.
    Lasting(String),
    /// What came is no answer.
    Nonsense(String),
}

/// Why there is to be another attempt.
struct Setback {
    reason: String,
    asked_wait: Option<Duration>,
    is_too_many: bool,
}

impl Host {
    /// Sends a request until there is an answer, for a bounded time and number of attempts.
    pub(super) async fn exchange(&self, outgoing: &Outgoing) -> Result<Reply, RegistryError> {
        let timings = &self.means.timings;
        let mut waits = ExponentialBuilder::default()
            .with_jitter()
            .with_min_delay(timings.first_wait)
            .with_max_delay(timings.persistence)
            .with_max_times(MORE_ATTEMPTS)
            .build();
        let mut spent = Duration::ZERO;
        loop {
            let patience = timings.persistence.saturating_sub(spent);
            let (place, waited) = self.doorway.enter(patience).await.map_err(|closed| {
                let reason = "it wants to be left alone after too many requests";
                self.trouble.unavailable(reason, Some(closed.0))
            })?;
            if let Some(meter) = &self.means.meter {
                meter.waited(self.trouble.registry(), waited);
            }
            let start = Instant::now();
            let setback = match self.answer(outgoing).await? {
                ControlFlow::Break(reply) => return Ok(reply),
                ControlFlow::Continue(setback) => setback,
            };
            drop(place);
            let asked_wait = setback.asked_wait.unwrap_or_default();
            let wait = waits.next().map(|wait| wait.max(asked_wait));
            if setback.is_too_many {
                self.doorway.close(wait.unwrap_or(asked_wait));
            }
            spent += start.elapsed();
            let Some(wait) = wait.filter(|wait| spent + *wait <= timings.persistence) else {
                return Err(self.trouble.unavailable(setback.reason, setback.asked_wait));
            };
            debug!(registry = self.trouble.registry(), reason = setback.reason, wait = ?wait, "asking again");
            spent += wait;
            sleep(wait).await;
        }
    }

    /// An answer, or why there is to be another attempt.
    async fn answer(
        &self,
        outgoing: &Outgoing,
    ) -> Result<ControlFlow<Reply, Setback>, RegistryError> {
        match self.attempt(outgoing).await {
            Ok(reply) => Ok(match setback(&reply) {
                Some(setback) => ControlFlow::Continue(setback),
                None => ControlFlow::Break(reply),
            }),
            Err(Failed::Passing(reason)) => Ok(ControlFlow::Continue(Setback {
                reason,
                asked_wait: None,
                is_too_many: false,
            })),
            Err(Failed::Lasting(reason)) => Err(self.trouble.unavailable(reason, None)),
            Err(Failed::Nonsense(reason)) => Err(self.trouble.nonsense(reason)),
        }
    }

    async fn attempt(&self, outgoing: &Outgoing) -> Result<Reply, Failed> {
        let start = Instant::now();
        let answer = self.send(outgoing).await;
        let status = answer.as_ref().ok().map(|reply| reply.status);
        let failed = status.is_none_or(is_failure);
        if let Some(meter) = &self.means.meter {
            meter.asked(self.trouble.registry(), failed);
        }
        // The query has no place in a log: what is in it is up to the registry.
        debug!(
            registry = self.trouble.registry(),
            method = %outgoing.method,
            host = outgoing.url.host_str(),
            path = outgoing.url.path(),
            status = status.map(|status| status.as_u16()),
            took = ?start.elapsed(),
            "asked a registry"
        );
        answer
    }

    async fn send(&self, outgoing: &Outgoing) -> Result<Reply, Failed> {
        let prepared = |client: &Client| {
            client
                .request(outgoing.method.clone(), outgoing.url.clone())
                .headers(outgoing.headers.clone())
        };
        let request = match &outgoing.form {
            None => prepared(&self.client),
            // A client of its own is no waste: a form is sent once in the life of a token.
            Some(form) => {
                let (trust, refused) = (&self.endpoint.trust, Redirections::Refused);
                let client = connection::client(&self.api, trust, &self.means, refused);
                prepared(&client.map_err(Failed::Lasting)?).body(form.clone())
            }
        };
        let response = request.send().await.map_err(|error| {
            if trouble::is_about_certificate(&error) {
                self.is_distrusted.store(true, Ordering::Relaxed);
            }
            failed(error)
        })?;
        let (url, status) = (response.url().clone(), response.status());
        let headers = response.headers().clone();
        let body = if status.is_success() {
            whole(response, outgoing.most).await?
        } else {
            whole(response, FAILURE_BYTES).await.unwrap_or_default()
        };
        Ok(Reply {
            url,
            status,
            headers,
            body,
        })
    }
}

/// A body of at most so many bytes.
async fn whole(mut response: Response, most: usize) -> Result<Vec<u8>, Failed> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > most {
            return Err(Failed::Nonsense(format!(
                "an answer of more than {most} bytes"
            )));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn failed(error: reqwest::Error) -> Failed {
    let is_lasting = error.is_builder() || trouble::is_about_certificate(&error);
    let is_redirect = error.is_redirect();
    let reason = trouble::chain(error);
    match (is_redirect, is_lasting) {
        (true, _) => Failed::Nonsense(reason),
        (false, true) => Failed::Lasting(reason),
        (false, false) => Failed::Passing(reason),
    }
}

fn is_failure(status: StatusCode) -> bool {
    (status.is_client_error() || status.is_server_error())
        && !matches!(status, StatusCode::UNAUTHORIZED | StatusCode::NOT_FOUND)
}

/// Why an answer is none.
fn setback(reply: &Reply) -> Option<Setback> {
    let is_passing = matches!(
        reply.status,
        StatusCode::REQUEST_TIMEOUT
            | StatusCode::TOO_MANY_REQUESTS
            | StatusCode::INTERNAL_SERVER_ERROR
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    );
    let wait = reply.header(RETRY_AFTER);
    is_passing.then(|| Setback {
        reason: trouble::told(reply.status, &reply.body),
        asked_wait: wait.and_then(|header| retry_after::parse(header, SystemTime::now())),
        is_too_many: reply.status == StatusCode::TOO_MANY_REQUESTS,
    })
}

/// What a lock holds; whoever panicked with it left it whole, as everything under these locks is done in one step.
pub(super) fn locked<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
