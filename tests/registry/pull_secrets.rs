//! Which credentials of a pull secret an image is asked for with.

use std::sync::Arc;
use std::sync::Mutex;

use async_trait::async_trait;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use image_updater::adapters::credentials::reader::SourceReader;
use image_updater::adapters::registry::HttpRegistries;
use image_updater::adapters::registry::Setup;
use image_updater::domain::reference::ImageName;
use image_updater::domain::registry::access::Access;
use image_updater::domain::registry::credential_source::CredentialSource;
use image_updater::domain::registry::endpoint::Endpoint;
use image_updater::ports::registry_client::RegistryClient as _;
use image_updater::ports::secret_reader::SecretReadError;
use image_updater::ports::secret_reader::SecretReader;

use crate::scripted::Answer;
use crate::scripted::Scripted;
use crate::support::endpoint;
use crate::support::kind;
use crate::support::setup;

/// One pull secret, and how often it was read.
#[derive(Default)]
struct Secret {
    keys: Mutex<Vec<String>>,
    reads: Mutex<usize>,
}

impl Secret {
    /// The password under each key is the key itself.
    fn put(&self, keys: &[&str]) {
        *self.keys.lock().unwrap() = keys.iter().map(ToString::to_string).collect();
    }

    fn reads(&self) -> usize {
        std::mem::take(&mut *self.reads.lock().unwrap())
    }
}

#[async_trait]
impl SecretReader for Secret {
    async fn field(&self, _: &str, _: &str, _: &str) -> Result<Vec<u8>, SecretReadError> {
        *self.reads.lock().unwrap() += 1;
        let entry = |key: &String| (key.clone(), serde_json::json!({"auth": login(key)}));
        let auths = self.keys.lock().unwrap().iter().map(entry).collect();
        let config = serde_json::json!({"auths": serde_json::Value::Object(auths)});
        Ok(config.to_string().into_bytes())
    }
}

fn login(password: &str) -> String {
    BASE64_STANDARD.encode(format!("reader:{password}"))
}

/// A registry that lets in whoever has any password, what it has in a pull secret, and a client that reads that.
struct Case {
    registry: Scripted,
    secret: Arc<Secret>,
    client: HttpRegistries,
}

impl Case {
    async fn of(prefix: &str, keys: &[&str]) -> Self {
        let registry = Scripted::start(|ask, _, _| match ask.header("authorization") {
            Some(_) => Answer::json(r#"{"name":"a","tags":["1"]}"#),
            None => Answer::basic(),
        })
        .await;
        let secret = Arc::new(Secret::default());
        let authority = registry.address.to_string();
        let keys: Vec<String> = keys
            .iter()
            .map(|key| key.replace("API", &authority))
            .collect();
        secret.put(&keys.iter().map(String::as_str).collect::<Vec<_>>());
        let endpoint = Endpoint {
            prefix: prefix.to_owned(),
            credentials: CredentialSource::parse("pullsecret:argocd/pull").ok(),
            ..endpoint(&registry.url())
        };
        let client = HttpRegistries::new(Setup {
            credentials: Arc::new(SourceReader::new(Arc::clone(&secret) as _)),
            ..setup(endpoint)
        });
        Self {
            registry,
            secret,
            client,
        }
    }

    /// With which of its entries an image is asked for; or the kind of the error.
    async fn shown(&self, image: &str) -> String {
        self.registry.asks();
        let access = Access::plain(ImageName::parse(image).unwrap());
        let answer = self.client.tags(&access).await;
        let asks = self.registry.asks();
        let Some(shown) = asks.iter().find_map(|ask| ask.header("authorization")) else {
            return kind(&answer).to_owned();
        };
        let login = shown.strip_prefix("Basic ").unwrap();
        let login = String::from_utf8(BASE64_STANDARD.decode(login).unwrap()).unwrap();
        let authority = self.registry.address.to_string();
        let password = login.strip_prefix("reader:").unwrap();
        password.replace(&authority, "API")
    }
}

#[tokio::test]
async fn an_image_is_asked_for_with_what_stands_under_its_name_as_the_kubelet_does() {
    let keys = [
        "r.example/team",
        "r.example/team/web",
        "r.example/other",
        "API",
    ];
    let case = Case::of("r.example", &keys).await;
    for (image, expected) in [
        ("r.example/team/api", "r.example/team"),
        ("r.example/team/web", "r.example/team/web"),
        ("r.example/team/web/inner", "r.example/team/web"),
        ("r.example/other/web", "r.example/other"),
        ("r.example/teams/web", "API"),
        ("r.example/team/api", "r.example/team"),
    ] {
        assert_eq!(case.shown(image).await, expected, "{image}");
    }
    assert_eq!(case.secret.reads(), 1, "all of them are of one reading");
}

#[tokio::test]
async fn an_entry_for_all_images_sends_its_api_only_what_is_meant_for_that() {
    let case = Case::of("", &["ghcr.io", "API", "API/team"]).await;
    for (image, expected) in [
        ("ghcr.io/a/b", "API"),
        ("quay.io/a/b", "API"),
        ("ghcr.io/team/b", "API/team"),
    ] {
        assert_eq!(case.shown(image).await, expected, "{image}");
    }
    let without = Case::of("", &["ghcr.io"]).await;
    assert_eq!(without.shown("ghcr.io/a/b").await, "credentials");
}

#[tokio::test]
async fn what_a_pull_secret_does_not_have_yet_is_looked_for_again() {
    let case = Case::of("r.example", &["r.example/a"]).await;
    assert_eq!(case.shown("r.example/a/b").await, "r.example/a");
    assert_eq!(case.shown("r.example/b/b").await, "credentials");
    case.secret.put(&["r.example/a", "r.example/b"]);
    assert_eq!(case.shown("r.example/b/b").await, "r.example/b");
    assert_eq!(case.secret.reads(), 3);
    assert_eq!(case.shown("r.example/a/b").await, "r.example/a");
    assert_eq!(case.secret.reads(), 0);
}
