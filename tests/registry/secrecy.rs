//! No secret is logged, whatever is.

use std::io;
use std::io::Write;
use std::sync::Arc;
use std::sync::Mutex;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use image_updater::adapters::registry::HttpRegistries;
use image_updater::ports::artifact_reader::ArtifactReader as _;
use image_updater::ports::credential_reader::Credentials;
use tracing::Level;

use crate::scripted::Answer;
use crate::scripted::Scripted;
use crate::support::PASSWORD;
use crate::support::Purse;
use crate::support::access;
use crate::support::digest;
use crate::support::guarded;
use crate::support::setup;
use crate::support::tags;
use crate::support::user;

/// A token, and what a signed address has in it.
const TOKEN: &str = "t0ken-of-the-test";

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A registry that lets in, or not, and repeats all that it was told.
async fn indiscreet(is_letting_in: bool) -> Scripted {
    Scripted::start(move |ask, url, _| {
        let told = ask.header("authorization").unwrap_or_default().to_owned();
        let repeated = format!(
            r#"{{"errors":[{{"code":"{told}","message":"{told} {}"}}]}}"#,
            ask.body
        );
        let shown = format!("Bearer {TOKEN}");
        if ask.is("/token") {
            Answer::json(format!(r#"{{"token":"{TOKEN}"}}"#))
        } else if ask.is("/storage") {
            Answer::of(500).body(repeated)
        } else if ask.is("/blobs/") && told == shown {
            Answer::of(307).with("location", &format!("{url}/storage?signature={TOKEN}"))
        } else if is_letting_in && told == shown {
            Answer::json(r#"{"name":"a","tags":["1"]}"#)
        } else {
            Answer::bearer(&format!("{url}/token")).body(repeated)
        }
    })
    .await
}

/// The whole process is listened to, at the finest level: what the libraries say as well, and during the other tests.
#[tokio::test]
async fn neither_the_log_nor_an_error_has_a_secret_in_it() {
    let lines = Lines::default();
    let writer = lines.clone();
    tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(Level::TRACE)
        .with_writer(move || writer.clone())
        .init();
    let mut told = Vec::new();
    let identity = Credentials::IdentityToken(PASSWORD.to_owned());
    for credentials in [user(PASSWORD), identity] {
        for is_letting_in in [true, false] {
            let registry = indiscreet(is_letting_in).await;
            let purse = Purse::of(PASSWORD);
            purse.put(Ok(credentials.clone()));
            let mut setup = setup(guarded(&registry.url()));
            setup.credentials = purse;
            let client = HttpRegistries::new(setup);
            told.push(format!("{:?}", tags(&client, "a").await));
            let blob = client.blob(&access("a"), &digest(b"x")).await;
            told.push(format!("{:?}", blob.unwrap_err()));
        }
    }
    let told = told.join(" ");
    let logged = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(logged.contains("asked a registry"), "{logged}");
    let encoded = BASE64_STANDARD.encode(format!("reader:{PASSWORD}"));
    for secret in [PASSWORD, TOKEN, &encoded] {
        assert!(!told.contains(secret), "{told}");
        let found: Vec<&str> = logged
            .lines()
            .filter(|line| line.contains(secret))
            .collect();
        assert!(found.is_empty(), "{found:#?}");
    }
}
