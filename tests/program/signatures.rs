//! Signatures of images, from the registry to the manifest.

use std::fs;
use std::process::Output;

use image_updater::domain::reference::Digest;

use crate::folder::Folder;
use crate::registry::Options;
use crate::registry::Pusher;
use crate::registry::Registry;
use crate::server::Lines;
use crate::server::Server;
use crate::server::field;
use crate::server::program;
use crate::server::wait_for_text;
use crate::signer::Signer;

const SECRET: &str = "of the deliveries";

/// A registry, the key that images have to be signed with, and Applications that run version 1.0.0.
struct World {
    registry: Registry,
    folder: Folder,
    signer: Signer,
}

impl World {
    /// `None` where there is no registry.
    fn new() -> Option<Self> {
        let registry = Registry::start(&Options::default())?;
        let folder = Folder::new("s");
        let signer = Signer::new();
        let authority = &registry.authority;
        let described = format!(
            "registries:\n- {{name: Tests, api_url: 'http://{authority}', prefix: '{authority}'}}\n"
        );
        fs::write(folder.secrets().join("registries.conf"), described).unwrap();
        let delivery_secret = folder.secrets().join("webhook.distribution-secret");
        fs::write(delivery_secret, SECRET).unwrap();
        let key = signer.public_key().replace('\n', "\n    ");
        let secret = format!(
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: cosign\n  namespace: argocd\nstringData:\n  cosign.pub: |\n    {}\n",
            key.trim_end()
        );
        fs::write(folder.manifests().join("key.yaml"), secret).unwrap();
        Some(Self {
            registry,
            folder,
            signer,
        })
    }

    fn image(&self, name: &str) -> String {
        format!("{}/acme/{name}", self.registry.authority)
    }

    fn pusher(&self, name: &str) -> Pusher {
        self.registry.pusher(&format!("acme/{name}"), "")
    }

    /// An Application, and an image of version 1.1.0 that it is to run once it is signed.
    async fn pushed(&self, name: &str) -> (Pusher, Digest) {
        let image = self.image(name);
        let policy = format!("{image}:^1");
        self.folder
            .add(name, &format!("{image}:1.0.0"), &policy, "");
        let file = self.folder.manifests().join(format!("{name}-updater.yaml"));
        let updater = fs::read_to_string(&file).unwrap();
        let spec =
            "spec:\n  imagesVerification:\n    cosignKey: {secretName: cosign, key: cosign.pub}\n";
        fs::write(file, updater.replace("spec:\n", spec)).unwrap();
        let pusher = self.pusher(name);
        let digest = push(&pusher, "2026-01-01T00:00:00Z").await;
        (pusher, digest)
    }

    fn flags(&self) -> Vec<String> {
        let file = self.folder.secrets().join("registries.conf");
        let mut flags = self.folder.flags();
        flags.push(format!("--registries-conf-path={}", file.display()));
        flags
    }

    /// Looks once, with these arguments besides.
    fn run(&self, more: &[&str]) -> (Output, String) {
        let mut command = program();
        command.args(["run", "--once"]).args(self.flags());
        let output = command.args(more).output().unwrap();
        let log = String::from_utf8(output.stderr.clone()).unwrap();
        (output, log)
    }

    fn manifest(&self, name: &str) -> String {
        fs::read_to_string(self.folder.application(name)).unwrap()
    }

    fn is_untouched(&self, name: &str) -> bool {
        let old = format!("- {}:1.0.0\n", self.image(name));
        self.manifest(name).contains(&old)
    }

    /// What the spec says when version 1.1.0 runs.
    fn pinned(&self, name: &str, digest: &Digest) -> String {
        format!("- {}:1.1.0@{}\n", self.image(name), digest.as_str())
    }
}

async fn push(pusher: &Pusher, created: &str) -> Digest {
    pusher.image(Some("1.1.0"), "linux/amd64", created).await
}

/// The line about an Application that was left alone, and why.
fn failure(log: &str, name: &str) -> String {
    let about = format!("application=argocd/{name}");
    let mut lines = log
        .lines()
        .filter(|line| line.contains("outcome=failed") && line.contains(&about));
    let line = lines.next().unwrap_or_else(|| panic!("{name} in\n{log}"));
    field(line, "reason")
}

#[tokio::test]
async fn what_is_signed_is_deployed_by_its_digest_and_nothing_else_is() {
    let Some(world) = World::new() else {
        return;
    };
    let stranger = Signer::new();
    let (pusher, simple) = world.pushed("simple").await;
    world.signer.sign_simply(&pusher, &simple).await;
    let (pusher, bundled) = world.pushed("bundled").await;
    world.signer.sign_by_bundle(&pusher, &bundled).await;
    world.pushed("unsigned").await;
    let (pusher, digest) = world.pushed("foreign").await;
    stranger.sign_simply(&pusher, &digest).await;
    stranger.sign_by_bundle(&pusher, &digest).await;
    let (pusher, digest) = world.pushed("attested").await;
    let provenance = "https://slsa.dev/provenance/v1";
    world.signer.attest(&pusher, &digest, provenance).await;
    let (pusher, signed) = world.pushed("moved").await;
    world.signer.sign_simply(&pusher, &signed).await;
    let moved = push(&pusher, "2026-02-02T00:00:00Z").await;
    assert_ne!(moved, signed);
    // Somebody who may push, and has no key, puts the old signature beside the new image.
    let (pusher, signed) = world.pushed("replayed").await;
    let replayed = push(&pusher, "2026-02-02T00:00:00Z").await;
    let signer = &world.signer;
    signer.sign_beside(&pusher, &signed, &replayed).await;

    let (output, log) = world.run(&["--fail-on-error"]);
    assert_eq!(output.status.code(), Some(1), "{log}");
    for (name, digest) in [("simple", &simple), ("bundled", &bundled)] {
        let (manifest, pinned) = (world.manifest(name), world.pinned(name, digest));
        assert!(manifest.contains(&pinned), "{manifest}\n{log}");
    }
    for (name, why) in [
        ("unsigned", "no signature of cosign"),
        ("foreign", "it has 2 signatures, none of them by this key"),
        ("attested", "attestations sign no image (found: 1)"),
        ("moved", "no signature of cosign"),
        ("replayed", "those by this key (1) sign another digest"),
    ] {
        assert!(world.is_untouched(name), "{name}\n{log}");
        let reason = failure(&log, name);
        assert!(reason.contains(why), "{name}: {reason}");
        assert!(reason.contains("key of Secret argocd/cosign"), "{reason}");
    }
    assert!(failure(&log, "moved").contains(moved.as_str()), "{log}");
    let (output, log) = world.run(&[]);
    assert_eq!(output.status.code(), Some(0), "{log}");
}

#[tokio::test]
async fn a_key_that_is_not_there_or_is_none_deploys_nothing() {
    let Some(world) = World::new() else {
        return;
    };
    let (pusher, digest) = world.pushed("app").await;
    world.signer.sign_simply(&pusher, &digest).await;
    let file = world.folder.manifests().join("key.yaml");
    let whole = fs::read_to_string(&file).unwrap();
    for (text, why) in [
        (
            whole.replace("name: cosign", "name: other"),
            "argocd/cosign",
        ),
        (whole.replace("cosign.pub", "cosign.pem"), "cosign.pub"),
        (whole.replace("PUBLIC", "PRIVATE"), "holds a private key"),
        (whole.replace("MFkw", "hunter2"), "no public key in PEM"),
    ] {
        fs::write(&file, text).unwrap();
        let (output, log) = world.run(&["--fail-on-error"]);
        assert_eq!(output.status.code(), Some(1), "{log}");
        assert!(world.is_untouched("app"), "{log}");
        let reason = failure(&log, "app");
        assert!(reason.contains(why), "{reason}");
        assert!(!log.contains("hunter2"), "{log}");
    }
    fs::write(&file, whole).unwrap();
    let (output, log) = world.run(&["--fail-on-error"]);
    assert_eq!(output.status.code(), Some(0), "{log}");
    let pinned = world.pinned("app", &digest);
    assert!(world.manifest("app").contains(&pinned), "{log}");
}

#[tokio::test]
async fn a_delivery_is_verified_before_it_counts() {
    let Some(world) = World::new() else {
        return;
    };
    let (pusher, digest) = world.pushed("signed").await;
    world.signer.sign_by_bundle(&pusher, &digest).await;
    let (later, signed_later) = world.pushed("unsigned").await;
    let mut command = program();
    command
        .args(["webhook", "--webhook-port", "0", "--loglevel", "debug"])
        .args(world.flags())
        .env("WEBHOOK_CONFIRM", "registry");
    let server = Server::spawn(command);
    for name in ["unsigned", "signed"] {
        send(&server, &format!("{}:1.1.0", world.image(name)));
    }
    let pinned = world.pinned("signed", &digest);
    wait_for_text(&world.folder.application("signed"), &pinned);
    let reason = told(&server.log, "unsigned");
    assert!(reason.contains("no signature of cosign"), "{reason}");
    assert!(world.is_untouched("unsigned"));
    // Images are signed after they are pushed.
    world.signer.sign_by_bundle(&later, &signed_later).await;
    let pinned = world.pinned("unsigned", &signed_later);
    wait_for_text(&world.folder.application("unsigned"), &pinned);
}

/// Waits for the reason why an Application was left alone.
fn told(log: &Lines, name: &str) -> String {
    let about = format!("application=argocd/{name}");
    let line = log.wait_for(&["image could not be decided for now", &about]);
    field(&line, "reason")
}

/// Has the program be the registry that tells of a push.
fn send(server: &Server, image: &str) {
    let url = server.url("/webhook");
    let about = ["send", "--type", "distribution", "--insecure", "--url"];
    let mut command = program();
    command.args(about).args([&url, "--image", image]);
    let output = command.args(["--secret", SECRET]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}
