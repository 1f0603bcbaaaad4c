//! A client, and what it is asked with.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use image_updater::adapters::registry::HttpRegistries;
use image_updater::adapters::registry::Setup;
use image_updater::adapters::registry::timings::Timings;
use image_updater::domain::reference::Digest;
use image_updater::domain::reference::ImageName;
use image_updater::domain::reference::Tag;
use image_updater::domain::registry::access::Access;
use image_updater::domain::registry::answer::TagOrder;
use image_updater::domain::registry::credential_source::CredentialSource;
use image_updater::domain::registry::endpoint::Endpoint;
use image_updater::domain::registry::endpoint::Registries;
use image_updater::domain::registry::endpoint::Trust;
use image_updater::ports::credential_reader::CredentialError;
use image_updater::ports::credential_reader::CredentialReader;
use image_updater::ports::credential_reader::Credentials;
use image_updater::ports::credential_reader::Keyring;
use image_updater::ports::registry_client::RegistryClient as _;
use image_updater::ports::registry_client::RegistryError;
use image_updater::ports::registry_meter::RegistryMeter;
use rustls::pki_types::PrivateKeyDer;
use sha2::Digest as _;
use tokio_rustls::TlsAcceptor;

/// The password of tests: no error, no log and no wrong server may have it.
pub(crate) const PASSWORD: &str = "s3cr3t-of-the-test";

/// Times with which no test waits.
pub(crate) fn quick() -> Timings {
    Timings {
        connect: Duration::from_secs(10),
        silence: Duration::from_secs(10),
        request: Duration::from_secs(20),
        question: Duration::from_secs(30),
        first_wait: Duration::from_millis(1),
        persistence: Duration::from_secs(10),
        ..Timings::default()
    }
}

/// A registry with the prefix `r.example`.
pub(crate) fn endpoint(api: &str) -> Endpoint {
    Endpoint {
        name: "Tests".to_owned(),
        api: api.to_owned(),
        prefix: "r.example".to_owned(),
        credentials: None,
        credentials_expire: None,
        order: TagOrder::Unsorted,
        trust: Trust::Authorities {
            file: None,
            data: None,
        },
        default_namespace: None,
        limit: NonZeroU32::new(10_000),
        is_default: false,
    }
}

/// With credentials from the environment.
pub(crate) fn guarded(api: &str) -> Endpoint {
    Endpoint {
        credentials: CredentialSource::parse("env:TESTS").ok(),
        ..endpoint(api)
    }
}

/// Credentials that a test may change, and how often they were read.
pub(crate) struct Purse {
    credentials: Mutex<Result<Credentials, CredentialError>>,
    reads: Mutex<usize>,
}

impl Purse {
    pub(crate) fn of(password: &str) -> Arc<Self> {
        Arc::new(Self {
            credentials: Mutex::new(Ok(user(password))),
            reads: Mutex::default(),
        })
    }

    pub(crate) fn put(&self, credentials: Result<Credentials, CredentialError>) {
        *self.credentials.lock().unwrap() = credentials;
    }

    pub(crate) fn reads(&self) -> usize {
        *self.reads.lock().unwrap()
    }
}

pub(crate) fn user(password: &str) -> Credentials {
    Credentials::Password {
        user: "reader".to_owned(),
        password: password.to_owned(),
    }
}

#[async_trait]
impl CredentialReader for Purse {
    async fn read(&self, _: &CredentialSource) -> Result<Arc<dyn Keyring>, CredentialError> {
        *self.reads.lock().unwrap() += 1;
        let credentials = self.credentials.lock().unwrap().clone()?;
        Ok(Arc::new(credentials))
    }
}

/// Counts requests, and those that failed.
#[derive(Default)]
pub(crate) struct Counter(pub(crate) Mutex<(usize, usize)>);

impl RegistryMeter for Counter {
    fn asked(&self, registry: &str, failed: bool) {
        assert_eq!(registry, "Tests");
        let mut counts = self.0.lock().unwrap();
        counts.0 += 1;
        counts.1 += usize::from(failed);
    }

    fn waited(&self, registry: &str, _: Duration) {
        assert_eq!(registry, "Tests");
    }
}

pub(crate) fn setup(endpoint: Endpoint) -> Setup {
    Setup {
        registries: Registries::of(vec![endpoint]),
        credentials: Purse::of(PASSWORD),
        certificates: PathBuf::from("/nonexistent"),
        meter: None,
        timings: quick(),
    }
}

pub(crate) fn client(endpoint: Endpoint) -> HttpRegistries {
    HttpRegistries::new(setup(endpoint))
}

pub(crate) fn access(repository: &str) -> Access {
    Access::plain(ImageName::parse(&format!("r.example/{repository}")).unwrap())
}

pub(crate) fn tag(text: &str) -> Tag {
    Tag::parse(text).unwrap()
}

/// The tags of a repository, with a blank between two.
pub(crate) async fn tags(
    client: &HttpRegistries,
    repository: &str,
) -> Result<String, RegistryError> {
    let list = client.tags(&access(repository)).await?;
    let tags: Vec<&str> = list.tags.iter().map(Tag::as_str).collect();
    Ok(tags.join(" "))
}

/// The kind of an error.
pub(crate) fn kind<A: std::fmt::Debug>(answer: &Result<A, RegistryError>) -> &'static str {
    let Err(error) = answer else {
        panic!("no error: {answer:?}");
    };
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains(PASSWORD), "{shown}");
    match error {
        RegistryError::Denied { .. } => "denied",
        RegistryError::Credentials { .. } => "credentials",
        RegistryError::Missing { .. } => "missing",
        RegistryError::Unavailable { .. } => "unavailable",
        RegistryError::Nonsense { .. } => "nonsense",
    }
}

/// The `sha256` digest of a content.
pub(crate) fn digest(content: &[u8]) -> Digest {
    let hash = hex::encode(sha2::Sha256::digest(content));
    Digest::parse(&format!("sha256:{hash}")).unwrap()
}

/// What serves TLS for `localhost`, and the certificate in PEM.
pub(crate) fn tls() -> (TlsAcceptor, String) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    (TlsAcceptor::from(Arc::new(config)), made.cert.pem())
}
