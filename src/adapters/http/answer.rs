//! The only table from what became of a request to what is answered.

use std::borrow::Cow;
use std::time::Duration;

use http::header::{
    ALLOW, CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE,
};
use http::{Response, StatusCode, Version};
use serde::{Serialize, Serializer};

use super::arrival::Arrival;
use super::body::BodyError;
use crate::domain::admission::TurnedAway;
use crate::domain::event::ImageEvent;
use crate::domain::reference::Digest;
use crate::ports::webhook_intake::{Outcome, Rejection};

const DELIVERY_ID: HeaderName = HeaderName::from_static("x-delivery-id");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const OPEN_METRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
const CLOSE: HeaderValue = HeaderValue::from_static("close");

/// An answer before it is written down.
#[derive(Debug)]
pub(super) struct Answer {
    /// The status.
    pub(super) status: StatusCode,
    /// The type that the sender gave itself, for the log.
    pub(super) sender: Option<String>,
    content: Content,
    header: Option<(HeaderName, HeaderValue)>,
    /// Whether the rest of the request is not read, so that nothing can follow it on this connection.
    closes: bool,
    /// Whether its sender has proved who it is.
    is_authentic: bool,
}

#[derive(Debug)]
enum Content {
    /// The word that a probe reads.
    Text(&'static str),
    /// Metrics.
    Metrics(String),
    /// What became of a delivery.
    Json {
        word: &'static str,
        message: Cow<'static, str>,
        images: Vec<ImageEvent>,
    },
}

impl Answer {
    /// To a liveness or readiness probe.
    pub(super) fn probe(is_well: bool) -> Self {
        let (status, text) = if is_well {
            (StatusCode::OK, "OK")
        } else {
            (StatusCode::SERVICE_UNAVAILABLE, "not ready")
        };
        Self {
            status,
            sender: None,
            content: Content::Text(text),
            header: None,
            closes: false,
            is_authentic: false,
        }
    }

    /// To a delivery that the intake has judged.
    pub(super) fn outcome(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Accepted { images } => {
                let message = match images.len() {
                    1 => Cow::Borrowed("queued 1 image"),
                    several => format!("queued {several} images").into(),
                };
                Self::json(StatusCode::OK, "accepted", message, images)
            }
            Outcome::Duplicate { of, images } => {
                let message = format!("delivery {of}, which is the same, is not done yet");
                Self::json(StatusCode::OK, "duplicate", message, images)
            }
            Outcome::Ignored { reason } => {
                Self::json(StatusCode::OK, "ignored", reason, Vec::new())
            }
            Outcome::Rejected(rejection) => Self::rejection(&rejection),
        }
    }

    /// To a delivery that the intake rejects before its body is read.
    pub(super) fn unread(rejection: &Rejection) -> Self {
        Self::rejection(rejection).closing()
    }

    fn rejection(rejection: &Rejection) -> Self {
        let status = match rejection {
            Rejection::NoHandler => StatusCode::NOT_FOUND,
            Rejection::MissingSecret | Rejection::InvalidSecret => StatusCode::UNAUTHORIZED,
            Rejection::Malformed { .. } => StatusCode::BAD_REQUEST,
            Rejection::Busy { .. } | Rejection::Unavailable { .. } => {
                StatusCode::SERVICE_UNAVAILABLE
            }
        };
        let answer = Self::rejected(status, rejection.to_string());
        match rejection {
            Rejection::Busy { retry_after } | Rejection::Unavailable { retry_after } => {
                answer.with(RETRY_AFTER, whole_seconds(*retry_after).into())
            }
            Rejection::Malformed { .. } => Self {
                is_authentic: true,
                ..answer
            },
            Rejection::NoHandler | Rejection::MissingSecret | Rejection::InvalidSecret => answer,
        }
    }

    /// To a delivery from where or how none are taken.
    pub(super) fn turned_away(why: TurnedAway) -> Self {
        let rejected = |status| Self::rejected(status, why.to_string()).closing();
        match why {
            TurnedAway::Network | TurnedAway::Certificate => rejected(StatusCode::FORBIDDEN),
            // Over another connection it may be taken at once.
            TurnedAway::Lapsed => {
                rejected(StatusCode::SERVICE_UNAVAILABLE).with(RETRY_AFTER, 1.into())
            }
        }
    }

    /// To a delivery whose body was not read to its end.
    pub(super) fn body_error(error: &BodyError) -> Self {
        match error {
            BodyError::TooLarge { .. } => {
                Self::rejected(StatusCode::PAYLOAD_TOO_LARGE, error.to_string()).closing()
            }
            BodyError::TooSlow { .. } => {
                Self::rejected(StatusCode::REQUEST_TIMEOUT, error.to_string()).closing()
            }
            BodyError::Broken => Self::rejected(
                StatusCode::BAD_REQUEST,
                format!("Failed to process webhook event: {error}"),
            )
            .closing(),
        }
    }

    /// To a request whose head is longer than that many bytes.
    pub(super) fn head_too_large(max: usize) -> Self {
        Self::rejected(
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            format!("the head of the request is larger than {max} bytes"),
        )
        .closing()
    }

    /// To a request whose head was given up: it has more bytes or more fields than are read.
    pub(super) fn head_unread(max: usize) -> Self {
        Self::rejected(
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            format!(
                "the head of the request is larger than {max} bytes, or has more than 100 fields"
            ),
        )
        .closing()
    }

    /// To what is no request, or one of which two readers could disagree where it ends.
    pub(super) fn no_request() -> Self {
        Self::rejected(
            StatusCode::BAD_REQUEST,
            "this is no HTTP request, or it is badly framed",
        )
        .closing()
    }

    /// To a method that the path does not know.
    pub(super) fn method_not_allowed(allow: &'static str) -> Self {
        Self::rejected(
            StatusCode::METHOD_NOT_ALLOWED,
            format!("this path takes {allow} only"),
        )
        .with(ALLOW, HeaderValue::from_static(allow))
    }

    /// To a path that is none.
    pub(super) fn not_found() -> Self {
        Self::rejected(
            StatusCode::NOT_FOUND,
            "there is nothing at this path; webhooks go to /webhook",
        )
    }

    /// To a path that is none, where there is this one alone.
    pub(super) fn nothing_but(path: &str) -> Self {
        Self::rejected(
            StatusCode::NOT_FOUND,
            format!("there is nothing at this path; only {path} is served here"),
        )
    }

    /// To whoever may read the metrics.
    pub(super) fn metrics(text: String) -> Self {
        Self {
            status: StatusCode::OK,
            sender: None,
            content: Content::Metrics(text),
            header: None,
            closes: false,
            is_authentic: false,
        }
    }

    /// To whoever wants the metrics without a token, or with one that is nobody's.
    pub(super) fn no_token() -> Self {
        Self::rejected(
            StatusCode::UNAUTHORIZED,
            "send the bearer token of a service account that may get /metrics",
        )
        .with(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    /// To whoever may not read the metrics.
    pub(super) fn denied() -> Self {
        Self::rejected(
            StatusCode::FORBIDDEN,
            "this account may not get /metrics: bind it to the ClusterRole argocd-image-updater-metrics-reader",
        )
    }

    /// To whoever wants the metrics while nobody can tell whether they may.
    pub(super) fn no_review() -> Self {
        Self::rejected(
            StatusCode::SERVICE_UNAVAILABLE,
            "the API server could not be asked who you are; the log says why",
        )
    }

    /// Adds the type that the sender gave itself.
    pub(super) fn to(self, sender: Option<String>) -> Self {
        Self { sender, ..self }
    }

    fn rejected(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self::json(status, "rejected", message, Vec::new())
    }

    fn json(
        status: StatusCode,
        word: &'static str,
        message: impl Into<Cow<'static, str>>,
        images: Vec<ImageEvent>,
    ) -> Self {
        let message = message.into();
        Self {
            status,
            sender: None,
            content: Content::Json {
                word,
                message,
                images,
            },
            header: None,
            closes: false,
            is_authentic: false,
        }
    }

    fn with(self, name: HeaderName, value: HeaderValue) -> Self {
        Self {
            header: Some((name, value)),
            ..self
        }
    }

    /// The rest of the request is not read.
    fn closing(self) -> Self {
        Self {
            closes: true,
            ..self
        }
    }

    /// Whether whoever sent this has only itself to blame, and may be anybody.
    pub(super) fn is_fault(&self) -> bool {
        self.status.is_client_error() && !self.is_authentic
    }

    /// What it says is wrong, for the log.
    pub(super) fn reason(&self) -> &str {
        match &self.content {
            Content::Text(text) => text,
            Content::Metrics(_) => "",
            Content::Json { message, .. } => message,
        }
    }

    /// The same in the stead of that, to a source of too many such requests, which is asked to wait for so long.
    pub(super) fn too_many(self, wait: Duration) -> Self {
        let message = format!(
            "too many requests from your address have failed, and so does this one: {}",
            self.reason()
        );
        Self {
            sender: self.sender,
            closes: self.closes,
            ..Self::rejected(StatusCode::TOO_MANY_REQUESTS, message)
        }
        .with(RETRY_AFTER, whole_seconds(wait).into())
    }

    /// Writes the answer down. `keep_alive` is whether the client may send its next request on this connection.
    pub(super) fn render(self, arrival: &Arrival, keep_alive: bool) -> Response<Vec<u8>> {
        let (content_type, body) = match &self.content {
            Content::Text(text) => (TEXT, text.as_bytes().to_vec()),
            Content::Metrics(text) => (OPEN_METRICS, text.as_bytes().to_vec()),
            Content::Json {
                word,
                message,
                images,
            } => (JSON, to_json(word, message, arrival, images)),
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, content_type);
        if let Ok(id) = HeaderValue::from_str(arrival.id.as_str()) {
            headers.insert(DELIVERY_ID, id);
        }
        if let Some((name, value)) = self.header {
            headers.insert(name, value);
        }
        if self.closes || !keep_alive {
            headers.insert(CONNECTION, CLOSE);
        }
        if arrival.version == Version::HTTP_2 {
            // HTTP/2 has no such header: it ends its streams one by one.
            headers.remove(CONNECTION);
        }
        response
    }
}

fn whole_seconds(time: Duration) -> u64 {
    let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
    seconds.max(1)
}

#[derive(Serialize)]
struct Json<'a> {
    outcome: &'a str,
    message: &'a str,
    delivery: &'a str,
    #[serde(serialize_with = "as_json_images")]
    images: &'a [ImageEvent],
}

#[derive(Serialize)]
struct JsonImage<'a> {
    registry: &'a str,
    repository: &'a str,
    tag: &'a str,
    digest: Option<&'a str>,
}

/// Enough for most answers without their images, so that the text is not moved while it grows.
const ROOM: usize = 256;
/// Enough for most images.
const IMAGE_ROOM: usize = 256;

fn to_json(word: &str, message: &str, arrival: &Arrival, images: &[ImageEvent]) -> Vec<u8> {
    let answer = Json {
        outcome: word,
        message,
        delivery: arrival.id.as_str(),
        images,
    };
    let mut json = Vec::with_capacity(ROOM + IMAGE_ROOM * images.len());
    // Strings and lists always have a JSON form, and memory takes whatever is written.
    let _ = serde_json::to_writer(&mut json, &answer);
    json
}

fn as_json_images<S: Serializer>(images: &[ImageEvent], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(images.iter().map(|event| JsonImage {
        registry: event.image.registry().as_str(),
        repository: event.image.repository().as_str(),
        tag: event.tag.as_str(),
        digest: event.digest.as_ref().map(Digest::as_str),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_never_in_the_past() {
        assert_eq!(whole_seconds(Duration::ZERO), 1);
        assert_eq!(whole_seconds(Duration::from_secs(7)), 7);
        assert_eq!(whole_seconds(Duration::from_millis(7001)), 8);
    }

    /// Status and message of every refusal, as people look them up.
    #[test]
    fn the_troubleshooting_page_knows_every_refusal() {
        let page = include_str!("../../../docs/TROUBLESHOOTING.md");
        let rows: Vec<Vec<&str>> = page
            .lines()
            .map(|line| line.split(" | ").collect())
            .collect();
        let secs = Duration::from_secs;
        let reason = String::new();
        for answer in [
            Answer::rejection(&Rejection::NoHandler),
            Answer::rejection(&Rejection::MissingSecret),
            Answer::rejection(&Rejection::InvalidSecret),
            Answer::rejection(&Rejection::Malformed { reason }),
            Answer::rejection(&Rejection::Busy {
                retry_after: secs(30),
            }),
            Answer::body_error(&BodyError::TooLarge { max: 1 << 20 }),
            Answer::body_error(&BodyError::TooSlow { within: secs(10) }),
            Answer::body_error(&BodyError::Broken),
            Answer::head_too_large(16 << 10),
            Answer::head_unread(16 << 10),
            Answer::no_request(),
            Answer::method_not_allowed("POST"),
            Answer::not_found(),
            Answer::not_found().too_many(secs(1)),
            Answer::turned_away(TurnedAway::Network),
            Answer::turned_away(TurnedAway::Certificate),
            Answer::turned_away(TurnedAway::Lapsed),
        ] {
            let Content::Json { message, .. } = &answer.content else {
                panic!("{answer:?}");
            };
            let is_row = |row: &&Vec<&str>| {
                let status = format!("| {}", answer.status.as_u16());
                let told = row.get(1).map(|cell| cell.trim_matches(['`', ' ', '…']));
                row[0] == status && told.is_some_and(|told| message.starts_with(told))
            };
            assert!(
                rows.iter().any(|row| is_row(&row)),
                "{}: {message}",
                answer.status
            );
        }
    }
}
