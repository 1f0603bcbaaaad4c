//! The registry of the distribution project on loopback, ended whatever happens to the test. Tests include this file by its path.

use std::fs;
use std::io::BufRead;
use std::io::BufReader;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;

use http::header::AUTHORIZATION;
use http::header::CONTENT_TYPE;
use http::header::LOCATION;
use image_updater::domain::reference::Digest;
use reqwest::Client;
use reqwest::Url;
use serde_json::Value;
use serde_json::json;
use sha2::Digest as _;
use tempfile::TempDir;

use crate::peers;

/// The user whom a registry with [`Auth::Password`] knows.
pub(crate) const USER: &str = "reader";
/// And the password.
pub(crate) const PASSWORD: &str = "s3cr3t-of-the-test";
/// Its hash by bcrypt, of the least cost.
const HASH: &str = "$2b$05$abcdefghijklmnopqrstuuBkyVgxY9.9Tpg2XYbpzvNlT3LKr0NSy";

/// What it wants to see.
pub(crate) enum Auth {
    /// Nothing.
    None,
    /// [`USER`] and [`PASSWORD`].
    Password,
    /// A token.
    Token {
        /// Where it is had.
        realm: String,
        /// The service and the issuer.
        service: String,
        /// The keys with which tokens are signed, as a JSON Web Key Set.
        keys: Value,
    },
}

/// How it runs.
pub(crate) struct Options {
    /// What it wants to see.
    pub(crate) auth: Auth,
    /// What it notifies, as in its [configuration](https://distribution.github.io/distribution/about/notifications/); see [`notified`].
    pub(crate) notified: Vec<Value>,
    /// A file with the authorities that it trusts when it notifies.
    pub(crate) authorities: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            auth: Auth::None,
            notified: Vec::new(),
            authorities: None,
        }
    }
}

/// An endpoint that is notified at once, with this in `Authorization`.
pub(crate) fn notified(url: &str, authorization: &str) -> Value {
    json!({
        "name": "tests",
        "url": url,
        "headers": {"Authorization": [authorization]},
        "timeout": "10s",
        "threshold": 5,
        "backoff": "100ms",
    })
}

/// A running registry. What it holds ends with it.
pub(crate) struct Registry {
    /// Host and port.
    pub(crate) authority: String,
    _supervisor: Child,
}

impl Registry {
    /// `None` where the program is not there.
    pub(crate) fn start(options: &Options) -> Option<Self> {
        let binaries = peers::folder(&["registry"], "a registry")?;
        // The supervisor removes it: it may outlive this process for a moment.
        let dir = TempDir::with_prefix("image-updater-registry-")
            .unwrap()
            .keep();
        let configuration = configuration(&dir, options).to_string();
        // JSON is YAML.
        fs::write(dir.join("config.yml"), configuration).unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/serve-registry");
        let mut command = Command::new("bash");
        if let Some(authorities) = &options.authorities {
            // Of Go programs.
            command.env("SSL_CERT_FILE", authorities);
        }
        let mut supervisor = command
            .arg(script)
            .arg(binaries)
            .arg(dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Some(Self {
            authority: authority(&mut supervisor),
            _supervisor: supervisor,
        })
    }

    /// Another one, which has the referrers API and lets everybody in; `None` where the program is not there.
    pub(crate) fn with_referrers() -> Option<Self> {
        let program = peers::folder(&["referrers"], "a registry")?.join("referrers");
        // It ends when its standard input does.
        let mut server = Command::new(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Some(Self {
            authority: authority(&mut server),
            _supervisor: server,
        })
    }

    /// The address of its API.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.authority)
    }

    /// Who pushes to a repository, with this in `Authorization`.
    pub(crate) fn pusher(&self, repository: &str, authorization: &str) -> Pusher {
        // Another one that was installed before will do as well.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        Pusher {
            client: Client::builder().no_proxy().build().unwrap(),
            repository: format!("{}/v2/{repository}", self.url()),
            authorization: authorization.to_owned(),
        }
    }
}

/// Where a process that says so listens.
fn authority(process: &mut Child) -> String {
    let mut ready = String::new();
    let mut said = BufReader::new(process.stdout.take().unwrap());
    said.read_line(&mut ready).unwrap();
    let authority = ready.trim().strip_prefix("ready ");
    authority.unwrap().to_owned()
}

fn configuration(dir: &Path, options: &Options) -> Value {
    let mut configuration = json!({
        "version": "0.1",
        "log": {"level": "info", "accesslog": {"disabled": true}},
        "storage": {"filesystem": {"rootdirectory": dir.join("storage")}, "delete": {"enabled": true}},
        "http": {"addr": "127.0.0.1:0", "secret": "of the tests"},
        "notifications": {"endpoints": options.notified},
    });
    match &options.auth {
        Auth::None => {}
        Auth::Password => {
            let file = dir.join("users");
            fs::write(&file, format!("{USER}:{HASH}\n")).unwrap();
            configuration["auth"] = json!({"htpasswd": {"realm": "tests", "path": file}});
        }
        Auth::Token {
            realm,
            service,
            keys,
        } => {
            let file = dir.join("keys.json");
            fs::write(&file, keys.to_string()).unwrap();
            configuration["auth"] = json!({"token": {
                "realm": realm, "service": service, "issuer": service, "jwks": file,
            }});
        }
    }
    configuration
}

/// Pushes to one repository.
#[derive(Clone)]
pub(crate) struct Pusher {
    client: Client,
    repository: String,
    authorization: String,
}

impl Pusher {
    /// Pushes a blob.
    pub(crate) async fn blob(&self, content: &[u8]) -> Digest {
        let digest = digest(content);
        let start = self
            .client
            .post(format!("{}/blobs/uploads/", self.repository));
        let started = self.answer(start, 202).await;
        let location = started.headers()[LOCATION].to_str().unwrap();
        let mut upload = started.url().join(location).unwrap();
        let pair = ("digest", digest.as_str());
        upload.query_pairs_mut().append_pair(pair.0, pair.1);
        let put = self.client.put::<Url>(upload).body(content.to_owned());
        self.answer(put, 201).await;
        digest
    }

    /// Pushes a manifest or an index under a tag or, without one, under its digest.
    pub(crate) async fn manifest(&self, tag: Option<&str>, content: &Value) -> Digest {
        let kind = content["mediaType"].as_str().unwrap().to_owned();
        let content = content.to_string();
        let digest = digest(content.as_bytes());
        let name = tag.unwrap_or(digest.as_str());
        let put = self
            .client
            .put(format!("{}/manifests/{name}", self.repository));
        self.answer(put.header(CONTENT_TYPE, kind).body(content), 201)
            .await;
        digest
    }

    /// Pushes an image without layers, and answers its manifest's digest. `platform` is such as `linux/amd64`, `created` a time of RFC 3339.
    pub(crate) async fn image(&self, tag: Option<&str>, platform: &str, created: &str) -> Digest {
        let (os, architecture) = platform.split_once('/').unwrap();
        let config = json!({
            "created": created, "os": os, "architecture": architecture,
            "rootfs": {"type": "layers", "diff_ids": []},
        });
        let config = config.to_string();
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json",
                "digest": self.blob(config.as_bytes()).await.as_str(),
                "size": config.len(),
            },
            "layers": [],
        });
        self.manifest(tag, &manifest).await
    }

    /// Pushes an index of images that are there, each with its platform.
    pub(crate) async fn index(&self, tag: Option<&str>, images: &[(&str, Digest)]) -> Digest {
        let entry = |(platform, digest): &(&str, Digest)| {
            let (os, architecture) = platform.split_once('/').unwrap();
            json!({
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "digest": digest.as_str(),
                "size": 1,
                "platform": {"os": os, "architecture": architecture},
            })
        };
        let index = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": images.iter().map(entry).collect::<Vec<_>>(),
        });
        self.manifest(tag, &index).await
    }

    async fn answer(&self, request: reqwest::RequestBuilder, status: u16) -> reqwest::Response {
        let request = if self.authorization.is_empty() {
            request
        } else {
            request.header(AUTHORIZATION, &self.authorization)
        };
        let answer = request.send().await.unwrap();
        let found = answer.status().as_u16();
        assert_eq!(found, status, "{}", answer.url());
        answer
    }
}

fn digest(content: &[u8]) -> Digest {
    let hash = hex::encode(sha2::Sha256::digest(content));
    Digest::parse(&format!("sha256:{hash}")).unwrap()
}
