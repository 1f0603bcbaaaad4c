//! Tokens, by the [specification of Docker's registry](https://distribution.github.io/distribution/spec/auth/token/) and its
//! [OAuth 2 way](https://distribution.github.io/distribution/spec/auth/oauth/).

use std::time::Duration;
use std::time::SystemTime;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::HeaderMap;
use http::HeaderValue;
use http::Method;
use http::StatusCode;
use http::header::AUTHORIZATION;
use http::header::CONTENT_TYPE;
use k8s_openapi::jiff::Timestamp;
use reqwest::Url;
use serde::Deserialize;
use tokio::time::Instant;

use super::exchange::Outgoing;
use super::exchange::Reply;
use super::host::Host;
use super::trouble;
use crate::ports::credential_reader::Credentials;
use crate::ports::registry_client::RegistryError;

/// As the Go program takes them at least, whatever the registry says.
const SHORTEST: Duration = Duration::from_secs(60);
/// Nobody hands out tokens for longer, and what would be is good until it is refused.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// So long before its end a token is not used any more: it is to arrive while it is good.
const MARGIN: Duration = Duration::from_secs(10);
/// Tokens with the rights on one repository are a few kibibytes.
const MOST_BYTES: usize = 256 * 1024;
/// What OAuth 2 wants to know a client by.
const CLIENT: &str = "argocd-image-updater";

/// A token, as it is sent.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) header: HeaderValue,
    until: Instant,
}

impl Token {
    pub(super) fn is_good(&self) -> bool {
        Instant::now() < self.until
    }
}

/// Why there is no token.
#[derive(Clone)]
pub(super) enum TokenError {
    /// The credentials were refused.
    Refused(String),
    /// Another reason.
    Other(RegistryError),
}

/// What a token is for.
pub(super) struct Wanted {
    pub(super) realm: Url,
    pub(super) service: Option<String>,
    pub(super) repository: String,
}

impl Wanted {
    /// The actions that a token is to allow. Azure has its own words for what others call `pull`.
    fn scope(&self, api: &Url) -> String {
        let is_azure = api
            .host_str()
            .is_some_and(|host| host.contains(".azurecr."));
        let actions = if is_azure {
            "pull,metadata_read,content_read"
        } else {
            "pull"
        };
        format!("repository:{}:{actions}", self.repository)
    }
}

impl Host {
    /// Gets a token.
    pub(super) async fn token(
        &self,
        wanted: &Wanted,
        credentials: Option<&Credentials>,
    ) -> Result<Token, TokenError> {
        let is_exposed = self.api.scheme() == "https" && wanted.realm.scheme() != "https";
        if credentials.is_some() && is_exposed {
            let reason = format!(
                "it wants its credentials sent to {} without TLS, which is not done",
                wanted.realm.host_str().unwrap_or_default()
            );
            return Err(TokenError::Other(self.trouble.credentials(reason)));
        }
        let scope = wanted.scope(&self.api);
        let outgoing = match credentials {
            Some(Credentials::IdentityToken(token)) => by_refresh_token(wanted, &scope, token),
            Some(Credentials::Password { user, password }) => {
                by_password(wanted, &scope, Some((user, password)))
            }
            None => by_password(wanted, &scope, None),
        };
        let reply = self.exchange(&outgoing).await.map_err(TokenError::Other)?;
        self.read_token(&reply)
    }

    fn read_token(&self, reply: &Reply) -> Result<Token, TokenError> {
        let told = || {
            format!(
                "its token server says {}",
                trouble::told(reply.status, &reply.body)
            )
        };
        match reply.status {
            StatusCode::OK | StatusCode::CREATED => {}
            // OAuth 2 says 400 where a refresh token is no good.
            StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                return Err(TokenError::Refused(told()));
            }
            _ => return Err(TokenError::Other(self.trouble.nonsense(told()))),
        }
        parse(&reply.body, SystemTime::now()).map_err(|reason| {
            let reason = format!("its token server's answer {reason}");
            TokenError::Other(self.trouble.nonsense(reason))
        })
    }
}

fn by_password(wanted: &Wanted, scope: &str, password: Option<(&String, &String)>) -> Outgoing {
    let mut url = wanted.realm.clone();
    let mut headers = HeaderMap::new();
    {
        let mut query = url.query_pairs_mut();
        if let Some(service) = &wanted.service {
            query.append_pair("service", service);
        }
        query.append_pair("scope", scope);
        if let Some((user, _)) = password {
            query.append_pair("account", user);
        }
    }
    if let Some(basic) = password.and_then(|(user, password)| basic(user, password)) {
        headers.insert(AUTHORIZATION, basic);
    }
    Outgoing {
        method: Method::GET,
        url,
        headers,
        form: None,
        most: MOST_BYTES,
    }
}

fn by_refresh_token(wanted: &Wanted, scope: &str, token: &str) -> Outgoing {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "refresh_token");
    if let Some(service) = &wanted.service {
        form.append_pair("service", service);
    }
    form.append_pair("client_id", CLIENT);
    form.append_pair("scope", scope);
    form.append_pair("refresh_token", token);
    let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
    Outgoing {
        method: Method::POST,
        url: wanted.realm.clone(),
        headers: HeaderMap::from_iter([(CONTENT_TYPE, form_type)]),
        form: Some(form.finish()),
        most: MOST_BYTES,
    }
}

/// A user and a password, as they are sent.
pub(super) fn basic(user: &str, password: &str) -> Option<HeaderValue> {
    let encoded = BASE64_STANDARD.encode(format!("{user}:{password}"));
    secret(&format!("Basic {encoded}"))
}

fn secret(text: &str) -> Option<HeaderValue> {
    let mut header = HeaderValue::from_str(text).ok()?;
    header.set_sensitive(true);
    Some(header)
}

#[derive(Deserialize)]
struct Answer {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<f64>,
    issued_at: Option<String>,
}

/// Reads an answer. Of two tokens `access_token` counts, as in the Go program.
fn parse(body: &[u8], now: SystemTime) -> Result<Token, &'static str> {
    let answer: Answer = serde_json::from_slice(body).map_err(|_| "cannot be read")?;
    let filled = |token: &String| !token.is_empty();
    let token = answer.access_token.filter(filled);
    let token = token
        .or_else(|| answer.token.filter(filled))
        .ok_or("has no token in it")?;
    let header = secret(&format!("Bearer {token}")).ok_or("has a token that cannot be sent")?;
    let lifetime = answer
        .expires_in
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .unwrap_or_default();
    // A clock that goes wrong here or there costs a token some time, and at worst it is refused and renewed.
    let age = answer.issued_at.and_then(|text| {
        let issued = text.parse::<Timestamp>().ok()?;
        now.duration_since(SystemTime::from(issued)).ok()
    });
    let left = lifetime
        .saturating_sub(age.unwrap_or_default())
        .clamp(SHORTEST, LONGEST);
    Ok(Token {
        header,
        until: Instant::now() + left.saturating_sub(MARGIN),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seconds(body: &str) -> Result<(String, u64), &'static str> {
        let now = SystemTime::from("2026-11-27T18:00:00Z".parse::<Timestamp>().unwrap());
        let token = parse(body.as_bytes(), now)?;
        let left = token.until.duration_since(Instant::now()).as_secs();
        Ok((token.header.to_str().unwrap().to_owned(), left))
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_counts_until_shortly_before_its_end() {
        for (body, token, left) in [
            (r#"{"token":"a"}"#, "Bearer a", 50),
            (
                r#"{"token":"a","access_token":"b","expires_in":300}"#,
                "Bearer b",
                290,
            ),
            (
                r#"{"token":"a","access_token":"","expires_in":1}"#,
                "Bearer a",
                50,
            ),
            (r#"{"token":"a","expires_in":-5}"#, "Bearer a", 50),
            (r#"{"token":"a","expires_in":1e300}"#, "Bearer a", 50),
            (
                r#"{"token":"a","expires_in":300,"issued_at":"2026-11-27T19:59:00.5+02:00"}"#,
                "Bearer a",
                230,
            ),
            (
                r#"{"token":"a","expires_in":300,"issued_at":"2027-01-01T00:00:00Z"}"#,
                "Bearer a",
                290,
            ),
            (
                r#"{"token":"a","expires_in":300,"issued_at":"?"}"#,
                "Bearer a",
                290,
            ),
        ] {
            assert_eq!(seconds(body), Ok((token.to_owned(), left)), "{body}");
        }
        for body in [
            "",
            "<html>",
            "{}",
            r#"{"token":""}"#,
            "{\"token\":\"a\\nb\"}",
            "[]",
        ] {
            assert!(seconds(body).is_err(), "{body}");
        }
    }

    #[test]
    fn azure_has_its_own_words() {
        let wanted = Wanted {
            realm: Url::parse("https://auth.example/token").unwrap(),
            service: None,
            repository: "a/b".to_owned(),
        };
        for (api, scope) in [
            ("https://registry-1.docker.io", "repository:a/b:pull"),
            (
                "https://acme.azurecr.io",
                "repository:a/b:pull,metadata_read,content_read",
            ),
        ] {
            assert_eq!(wanted.scope(&Url::parse(api).unwrap()), scope);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_that_ends_is_good_no_more() {
        let token = parse(br#"{"token":"a","expires_in":300}"#, SystemTime::now()).unwrap();
        tokio::time::advance(Duration::from_secs(289)).await;
        assert!(token.is_good());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(!token.is_good());
    }

    proptest! {
        #[test]
        fn any_answer_is_read_without_a_panic(expires in any::<f64>(), issued in "\\PC{0,30}") {
            let body = serde_json::json!({"token": "a", "expires_in": expires, "issued_at": issued});
            let _ = parse(body.to_string().as_bytes(), SystemTime::now());
        }
    }
}
