//! The client of `send` and `quickstart`: HTTP by reqwest, TLS by rustls.

use std::time::Duration;

use async_trait::async_trait;
use reqwest::Client;
use reqwest::ClientBuilder;
use reqwest::redirect::Policy;

use crate::ports::webhook_client::Answer;
use crate::ports::webhook_client::Request;
use crate::ports::webhook_client::SendError;
use crate::ports::webhook_client::WebhookClient;

/// As long as GitHub waits for an answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Posts deliveries over HTTP or HTTPS.
pub struct HttpWebhookClient {
    client: Client,
}

impl HttpWebhookClient {
    /// A client that trusts the system's certificate authorities, or, if `insecure`, any certificate.
    ///
    /// # Errors
    /// [`SendError`] where the system's authorities cannot be loaded.
    pub fn new(insecure: bool) -> Result<Self, SendError> {
        Self::build(Client::builder().tls_danger_accept_invalid_certs(insecure))
    }

    /// A client for a server on this machine, with a certificate that it made for itself: no proxy that is set for the world outside stands
    /// between them.
    ///
    /// # Errors
    /// [`SendError`] where the client cannot be made.
    pub fn to_this_machine() -> Result<Self, SendError> {
        Self::build(
            Client::builder()
                .tls_danger_accept_invalid_certs(true)
                .no_proxy(),
        )
    }

    fn build(builder: ClientBuilder) -> Result<Self, SendError> {
        // reqwest takes the process-wide provider; another one that was installed before will do as well.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let client = builder
            .timeout(TIMEOUT)
            .redirect(Policy::none())
            .user_agent(concat!("argocd-image-updater/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| failed(&error))?;
        Ok(Self { client })
    }
}

#[async_trait]
impl WebhookClient for HttpWebhookClient {
    async fn post(&self, request: Request) -> Result<Answer, SendError> {
        let mut post = self.client.post(request.url).body(request.body);
        for (name, value) in request.headers {
            post = post.header(name, value);
        }
        let answer = post
            .send()
            .await
            .map_err(|error| failed(&error.without_url()))?;
        let status = answer.status().as_u16();
        let body = answer
            .text()
            .await
            .map_err(|error| failed(&error.without_url()))?;
        Ok(Answer { status, body })
    }
}

/// The whole chain of causes: reqwest's own text is only "error sending request".
fn failed(error: &dyn std::error::Error) -> SendError {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let reason: Vec<String> = causes.map(ToString::to_string).collect();
    SendError {
        reason: reason.join(": "),
    }
}
