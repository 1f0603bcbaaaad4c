//! What the program is started on: Applications, secrets, a certificate, and a folder for its journal.

use std::fs;
use std::path::PathBuf;

use image_updater::adapters::senders;
use image_updater::domain::sender::SenderProfile;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;

use crate::Result;
use crate::folder::Folder;

/// How many Applications there are, each with an image of its own.
pub(crate) const APPLICATIONS: usize = 200;
/// What each runs at first, as the last part of its version. All have the same number of digits, so that all deliveries are equally long.
pub(crate) const FIRST: u64 = 10_000_000;
/// What the senders know, each with its own name behind.
const SECRET: &str = "a-secret-of-the-soak-";

/// A folder with all of it, which goes away with the value.
pub(crate) struct World {
    folder: Folder,
    certificate: CertificateDer<'static>,
}

impl World {
    /// Makes it.
    pub(crate) fn new() -> Result<Self> {
        let folder = Folder::new("");
        for sender in senders::all() {
            let profile = sender.profile();
            let file = format!("webhook.{}-secret", profile.secret_name);
            fs::write(folder.secrets().join(file), secret(profile))?;
        }
        for number in 0..APPLICATIONS {
            let image = image(number);
            let (runs, policy) = (format!("{image}:1.0.{FIRST}"), format!("{image}:1.x"));
            folder.add(&format!("app-{number:03}"), &runs, &policy, "");
        }
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()])?;
        let tls = folder.manifests().with_file_name("tls");
        fs::create_dir(&tls)?;
        fs::write(tls.join("tls.crt"), made.cert.pem())?;
        fs::write(tls.join("tls.key"), made.signing_key.serialize_pem())?;
        Ok(Self {
            certificate: made.cert.der().clone(),
            folder,
        })
    }

    /// Flags for a server of it.
    pub(crate) fn flags(&self) -> Vec<String> {
        let mut flags = self.folder.flags();
        let beside = |name: &str| self.folder.manifests().with_file_name(name);
        flags.extend([
            format!("--tls-dir={}", beside("tls").display()),
            format!("--state-dir={}", self.state().display()),
        ]);
        flags
    }

    /// The folder of its journal.
    pub(crate) fn state(&self) -> PathBuf {
        self.folder.manifests().with_file_name("state")
    }

    /// The journal.
    pub(crate) fn journal(&self) -> PathBuf {
        self.state().join("journal.redb")
    }

    /// Whom clients trust.
    pub(crate) fn roots(&self) -> Result<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone())?;
        Ok(roots)
    }

    /// The version that an Application runs by its file.
    pub(crate) fn version(&self, number: usize) -> Result<u64> {
        let file = self.folder.application(&format!("app-{number:03}"));
        let text = fs::read_to_string(file)?;
        let before = format!("{}:1.0.", image(number));
        let (_, version) = text.split_once(&before).ok_or("no image")?;
        let version = version.split_whitespace().next().unwrap_or_default();
        Ok(version.parse()?)
    }
}

/// The secret of a type of sender.
pub(crate) fn secret(profile: &SenderProfile) -> String {
    format!("{SECRET}{}", profile.secret_name)
}

/// The image of an Application. Those whose number has the same remainder are in the same registry.
pub(crate) fn image(number: usize) -> String {
    let registries = REGISTRIES.len();
    format!("{}/acme/app-{number:03}", REGISTRIES[number % registries].1)
}

/// The type of sender that announces an Application's image.
pub(crate) fn sender(number: usize) -> &'static str {
    REGISTRIES[number % REGISTRIES.len()].0
}

/// Types of senders, each with a registry that it speaks of.
pub(crate) const REGISTRIES: [(&str, &str); 8] = [
    ("ghcr.io", "ghcr.io"),
    ("docker.io", "docker.io"),
    ("harbor", "harbor.example.com"),
    ("quay.io", "quay.io"),
    ("aliyun-acr", "registry.cn-hangzhou.aliyuncs.com"),
    ("acr", "acme.azurecr.io"),
    ("distribution", "registry.example.com:5000"),
    (
        "cloudevents",
        "123456789012.dkr.ecr.eu-central-1.amazonaws.com",
    ),
];
