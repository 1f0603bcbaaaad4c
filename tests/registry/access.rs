//! Being let in.

use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use image_updater::adapters::registry::HttpRegistries;
use image_updater::adapters::registry::Setup;
use image_updater::domain::registry::access::Access;
use image_updater::domain::registry::credential_source::CredentialSource;
use image_updater::domain::registry::endpoint::Endpoint;
use image_updater::domain::registry::endpoint::Registries;
use image_updater::ports::artifact_reader::ArtifactReader as _;
use image_updater::ports::credential_reader::CredentialError;
use image_updater::ports::credential_reader::Credentials;
use image_updater::ports::registry_client::RegistryClient as _;

use crate::scripted::Answer;
use crate::scripted::Ask;
use crate::scripted::Scripted;
use crate::support::PASSWORD;
use crate::support::Purse;
use crate::support::access;
use crate::support::client;
use crate::support::endpoint;
use crate::support::guarded;
use crate::support::kind;
use crate::support::setup;
use crate::support::tags;
use crate::support::user;

fn list() -> Answer {
    Answer::json(r#"{"name":"a","tags":["1"]}"#)
}

fn basic(password: &str) -> String {
    let encoded = BASE64_STANDARD.encode(format!("reader:{password}"));
    format!("Basic {encoded}")
}

/// A registry that wants the token that its token server gives out now.
async fn with_tokens(token: Arc<Mutex<String>>) -> Scripted {
    Scripted::start(move |ask, url, _| {
        let token = token.lock().unwrap().clone();
        if ask.is("/token") {
            return Answer::json(format!(r#"{{"token":"{token}","expires_in":300}}"#));
        }
        let wanted = format!("Bearer {token}");
        if ask.header("authorization") == Some(&wanted) {
            list()
        } else {
            Answer::bearer(&format!("{url}/token?x=y"))
        }
    })
    .await
}

fn with_purse(endpoint: Endpoint, purse: &Arc<Purse>) -> HttpRegistries {
    let credentials = Arc::clone(purse);
    HttpRegistries::new(Setup {
        credentials,
        ..setup(endpoint)
    })
}

#[tokio::test]
async fn a_token_is_got_once_and_then_shown_at_once() {
    let registry = with_tokens(Arc::new(Mutex::new("t".to_owned()))).await;
    let client = client(endpoint(&registry.url()));
    for _ in 0..2 {
        assert_eq!(tags(&client, "a/b").await.unwrap(), "1");
    }
    assert_eq!(tags(&client, "a/c").await.unwrap(), "1");
    let token = |repository: &str| {
        format!("GET /token?x=y&service=tests&scope=repository%3Aa%2F{repository}%3Apull")
    };
    assert_eq!(
        registry.lines(),
        [
            "GET /v2/a/b/tags/list?n=1000",
            &token("b"),
            "GET /v2/a/b/tags/list?n=1000",
            "GET /v2/a/b/tags/list?n=1000",
            &token("c"),
            "GET /v2/a/c/tags/list?n=1000",
        ]
    );
}

#[tokio::test]
async fn a_token_that_is_refused_is_renewed_once() {
    let token = Arc::new(Mutex::new("first".to_owned()));
    let registry = with_tokens(Arc::clone(&token)).await;
    let client = client(endpoint(&registry.url()));
    tags(&client, "a").await.unwrap();
    *token.lock().unwrap() = "second".to_owned();
    registry.asks();
    assert_eq!(tags(&client, "a").await.unwrap(), "1");
    assert_eq!(registry.asks().len(), 3, "refused, token, answered");
}

#[tokio::test]
async fn who_is_never_let_in_is_denied_and_goes_on_no_longer() {
    let registry = Scripted::start(|ask, url, _| {
        if ask.is("/token") {
            Answer::json(r#"{"token":"useless"}"#)
        } else {
            Answer::bearer(&format!("{url}/token"))
        }
    })
    .await;
    let nobody = client(endpoint(&registry.url()));
    assert_eq!(kind(&tags(&nobody, "a").await), "denied");
    assert_eq!(registry.asks().len(), 3);
    // Credentials that were read for this very question are not read again.
    let purse = Purse::of(PASSWORD);
    let somebody = with_purse(guarded(&registry.url()), &purse);
    assert_eq!(kind(&tags(&somebody, "a").await), "denied");
    assert_eq!((registry.asks().len(), purse.reads()), (3, 1));
}

#[tokio::test]
async fn the_token_server_gets_the_password_and_the_registry_does_not() {
    let registry = with_tokens(Arc::new(Mutex::new("t".to_owned()))).await;
    let purse = Purse::of(PASSWORD);
    let client = with_purse(guarded(&registry.url()), &purse);
    tags(&client, "a").await.unwrap();
    let asks = registry.asks();
    let shown: Vec<Option<&str>> = asks.iter().map(|ask| ask.header("authorization")).collect();
    let password = basic(PASSWORD);
    assert_eq!(shown, [None, Some(password.as_str()), Some("Bearer t")]);
    assert!(
        asks[1].line.ends_with("&account=reader"),
        "{}",
        asks[1].line
    );
    assert_eq!(purse.reads(), 1);
}

#[tokio::test]
async fn an_identity_token_is_posted_and_its_redirection_is_not_followed() {
    let purse = Purse::of("");
    purse.put(Ok(Credentials::IdentityToken(PASSWORD.to_owned())));
    let thief = Scripted::start(|_, _, _| Answer::json(r#"{"access_token":"t"}"#)).await;
    let elsewhere = thief.url();
    let is_honest = Arc::new(Mutex::new(true));
    let honest = Arc::clone(&is_honest);
    let registry = Scripted::start(move |ask, url, _| {
        if ask.is("POST /token") && *honest.lock().unwrap() {
            Answer::json(r#"{"access_token":"t"}"#)
        } else if ask.is("POST /token") {
            Answer::of(307).with("location", &elsewhere)
        } else if ask.header("authorization") == Some("Bearer t") {
            list()
        } else {
            Answer::bearer(&format!("{url}/token"))
        }
    })
    .await;
    let client = with_purse(guarded(&registry.url()), &purse);
    tags(&client, "a").await.unwrap();
    let asks = registry.asks();
    assert_eq!(
        asks[1].body,
        format!(
            "grant_type=refresh_token&service=tests&client_id=argocd-image-updater&scope=repository%3Aa%3Apull&refresh_token={PASSWORD}"
        )
    );
    *is_honest.lock().unwrap() = false;
    assert_eq!(kind(&tags(&client, "b").await), "nonsense");
    assert!(thief.asks().is_empty());
}

/// A registry that wants a password.
async fn with_password(password: Arc<Mutex<String>>) -> Scripted {
    Scripted::start(move |ask, _, _| {
        let wanted = basic(&password.lock().unwrap());
        if ask.header("authorization") == Some(&wanted) {
            list()
        } else {
            Answer::basic()
        }
    })
    .await
}

#[tokio::test]
async fn credentials_that_rotated_are_read_again_once() {
    let password = Arc::new(Mutex::new("old".to_owned()));
    let registry = with_password(Arc::clone(&password)).await;
    let purse = Purse::of("old");
    let client = with_purse(guarded(&registry.url()), &purse);
    for _ in 0..3 {
        tags(&client, "a").await.unwrap();
    }
    assert_eq!((registry.asks().len(), purse.reads()), (4, 1));
    *password.lock().unwrap() = "new".to_owned();
    purse.put(Ok(user("new")));
    assert_eq!(tags(&client, "a").await.unwrap(), "1");
    assert!(purse.reads() == 2 && registry.asks().len() <= 3);
    // The same again is not tried again.
    *password.lock().unwrap() = "other".to_owned();
    let refused = tags(&client, "a").await;
    assert_eq!(kind(&refused), "denied");
    assert!(refused.unwrap_err().to_string().contains("env:TESTS"));
    assert!(purse.reads() == 3 && registry.asks().len() <= 2);
}

#[tokio::test]
async fn credentials_are_kept_as_long_as_the_registry_says() {
    let registry = with_password(Arc::new(Mutex::new(PASSWORD.to_owned()))).await;
    for (expire, reads) in [(None, 1), (Some(Duration::ZERO), 3)] {
        let purse = Purse::of(PASSWORD);
        let endpoint = Endpoint {
            credentials_expire: expire,
            ..guarded(&registry.url())
        };
        let client = with_purse(endpoint, &purse);
        for _ in 0..3 {
            tags(&client, "a").await.unwrap();
        }
        assert_eq!(purse.reads(), reads, "{expire:?}");
    }
}

#[tokio::test]
async fn an_image_with_credentials_of_its_own_shows_those() {
    let registry = with_password(Arc::new(Mutex::new(PASSWORD.to_owned()))).await;
    let purse = Purse::of(PASSWORD);
    let client = with_purse(endpoint(&registry.url()), &purse);
    let own = Access {
        credentials: CredentialSource::parse("secret:n/s#f").ok(),
        ..access("a")
    };
    client.tags(&own).await.unwrap();
    assert_eq!(kind(&client.tags(&access("a")).await), "denied");
    purse.put(Err(CredentialError::Unusable("no such Secret".to_owned())));
    let other = Access {
        credentials: CredentialSource::parse("secret:n/other#f").ok(),
        ..access("a")
    };
    assert_eq!(kind(&client.tags(&other).await), "credentials");
    client.tags(&own).await.unwrap();
    assert_eq!(purse.reads(), 2);
}

#[tokio::test]
async fn an_identity_token_is_no_password() {
    let registry = Scripted::start(|_, _, _| Answer::basic()).await;
    let purse = Purse::of("");
    purse.put(Ok(Credentials::IdentityToken(PASSWORD.to_owned())));
    let client = with_purse(guarded(&registry.url()), &purse);
    assert_eq!(kind(&tags(&client, "a").await), "credentials");
}

#[tokio::test]
async fn a_redirection_takes_no_credentials_to_another_host() {
    let content = b"content";
    let digest = crate::support::digest(content);
    let storage = Scripted::start(move |_, _, _| Answer::of(200).body(*content)).await;
    let elsewhere = format!("{}/blob?signature={PASSWORD}", storage.url());
    let wanted = basic(PASSWORD);
    let registry = Scripted::start(move |ask: &Ask, _, _| {
        if ask.header("authorization") == Some(&wanted) {
            Answer::of(307).with("location", &elsewhere)
        } else {
            Answer::basic()
        }
    })
    .await;
    let client = with_purse(guarded(&registry.url()), &Purse::of(PASSWORD));
    let blob = client.blob(&access("a"), &digest).await.unwrap();
    assert_eq!(blob.as_deref(), Some(content.as_slice()));
    let asks = storage.asks();
    assert_eq!(asks.len(), 1);
    assert_eq!(asks[0].header("authorization"), None);
}

#[tokio::test]
async fn what_the_host_of_a_redirection_wants_to_see_is_not_what_the_registry_wants() {
    let thief = Scripted::start(|_, _, _| Answer::json(r#"{"token":"stolen"}"#)).await;
    let realm = format!("{}/token", thief.url());
    for refusal in [
        Answer::bearer(&realm),
        Answer::basic(),
        Answer::error(403, "DENIED"),
    ] {
        let shown = format!("{refusal:?}");
        let storage = Scripted::start(move |_, _, _| refusal.clone()).await;
        let elsewhere = format!("{}/blob?signature={PASSWORD}", storage.url());
        let registry = Scripted::start(move |ask, url, _| {
            if ask.is("/token") {
                Answer::json(r#"{"token":"t","expires_in":300}"#)
            } else if ask.header("authorization") != Some("Bearer t") {
                Answer::bearer(&format!("{url}/token"))
            } else if ask.is("/blobs/") {
                Answer::of(307).with("location", &elsewhere)
            } else {
                list()
            }
        })
        .await;
        let purse = Purse::of(PASSWORD);
        let client = with_purse(guarded(&registry.url()), &purse);
        tags(&client, "a").await.unwrap();
        registry.asks();
        let digest = crate::support::digest(b"content");
        let blob = client.blob(&access("a"), &digest).await;
        assert_eq!(kind(&blob), "nonsense", "{shown}");
        let reason = blob.unwrap_err().to_string();
        assert!(reason.contains(&storage.address.to_string()), "{reason}");
        // The token is as good as before.
        tags(&client, "a").await.unwrap();
        assert_eq!(registry.asks().len(), 2, "{shown}");
        assert_eq!((storage.asks().len(), purse.reads()), (1, 1), "{shown}");
    }
    assert!(thief.asks().is_empty());
}

#[tokio::test]
async fn a_realm_without_tls_gets_no_password_of_a_registry_with_tls() {
    // The domain of the registry is served over TLS by the tests of trust; here the rule alone counts.
    let thief = Scripted::start(|_, _, _| Answer::json(r#"{"token":"t"}"#)).await;
    let realm = thief.url();
    let (acceptor, authority) = crate::support::tls();
    let registry = Scripted::secure(acceptor, move |_| Answer::bearer(&realm)).await;
    let mut endpoint = guarded(&registry.url());
    endpoint.trust = image_updater::domain::registry::endpoint::Trust::Authorities {
        file: None,
        data: Some(authority),
    };
    let client = with_purse(endpoint, &Purse::of(PASSWORD));
    assert_eq!(kind(&tags(&client, "a").await), "credentials");
    assert!(thief.asks().is_empty());
}

#[tokio::test]
async fn a_changed_description_counts_at_once_and_an_unchanged_one_keeps_its_token() {
    let registry = with_tokens(Arc::new(Mutex::new("t".to_owned()))).await;
    let client = client(endpoint(&registry.url()));
    tags(&client, "a").await.unwrap();
    registry.asks();
    client.replace(Registries::of(vec![endpoint(&registry.url())]));
    tags(&client, "a").await.unwrap();
    assert_eq!(registry.asks().len(), 1);
    let spaced = Endpoint {
        default_namespace: Some("library".to_owned()),
        ..endpoint(&registry.url())
    };
    client.replace(Registries::of(vec![spaced]));
    tags(&client, "a").await.unwrap();
    let lines = registry.lines();
    assert_eq!(lines.len(), 3);
    assert!(lines[2].contains("/v2/library/a/"), "{lines:?}");
}
