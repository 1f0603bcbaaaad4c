//! `test`, against a registry that says what a test wants.

use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::scripted::Answer;
use crate::scripted::Ask;
use crate::scripted::Scripted;
use crate::server::program;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const PASSWORD: &str = "s3cr3t-of-the-test";

/// The registry `r.example`, and the description that leads to it.
struct World {
    registry: Scripted,
    folder: tempfile::TempDir,
}

impl World {
    async fn new(script: impl Fn(&Ask) -> Answer + Send + Sync + 'static) -> Self {
        let registry = Scripted::start(move |ask, _, _| script(ask)).await;
        let world = Self {
            registry,
            folder: tempfile::tempdir().unwrap(),
        };
        let api = world.registry.url();
        let described = format!(
            "registries:\n- {{name: Tests, prefix: r.example, api_url: '{api}', default: true}}\n"
        );
        std::fs::write(world.description(), described).unwrap();
        world
    }

    /// A registry that lists these tags of `acme/web`, and has every one of them.
    async fn with_tags(tags: &'static [&'static str]) -> Self {
        Self::new(move |ask| list_or_digest(ask, tags)).await
    }

    fn description(&self) -> std::path::PathBuf {
        self.folder.path().join("registries.conf")
    }

    fn test(&self, arguments: &[&str]) -> Output {
        test(&self.description(), arguments)
    }

    /// The exit code, and the JSON object that is printed.
    fn json(&self, arguments: &[&str]) -> (Option<i32>, Value) {
        let output = self.test(&[&["--output", "json"], arguments].concat());
        let shown = serde_json::from_slice(&output.stdout).unwrap();
        (output.status.code(), shown)
    }
}

fn test(description: &Path, arguments: &[&str]) -> Output {
    program()
        .args(["test", "--registries-conf-path"])
        .arg(description)
        .args(arguments)
        .env("CREDENTIALS", format!("user:{PASSWORD}"))
        .output()
        .unwrap()
}

fn list_or_digest(ask: &Ask, tags: &[&str]) -> Answer {
    if ask.is("/v2/acme/web/tags/list") {
        let tags = serde_json::json!({"name": "acme/web", "tags": tags});
        Answer::json(tags.to_string())
    } else if ask.is("HEAD /v2/acme/web/manifests/latest") {
        Answer::of(200).with("docker-content-digest", &digest())
    } else if ask.is("/v2/acme/private") {
        Answer::basic()
    } else {
        Answer::error(404, "NAME_UNKNOWN")
    }
}

fn digest() -> String {
    format!("sha256:{}", "a".repeat(64))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn people_see_a_table() {
    let world = World::with_tags(&["1.2.0", "1.10.0", "latest", "2.0.0", "1.3.0-debug"]).await;
    let output = world.test(&[
        "acme/web:1.2.0",
        "--semver-constraint",
        "^1",
        "--ignore-tags",
        "*-debug",
    ]);
    assert_eq!(
        text(&output.stdout),
        "\
image     r.example/acme/web
strategy  semver, constraint ^1
chosen    r.example/acme/web:1.10.0
because   it is the best of 2 candidates, by version
note      :1.2.0 of IMAGE does not count: the constraint is --semver-constraint

2 candidates, the best first:
  1.10.0
  1.2.0

3 tags dropped:
  ignore-tags      1  1.3.0-debug
                      tag 1.3.0-debug is ignored by ignoreTags *-debug
  no-version       1  latest
                      tag latest is no version
  constraint       1  2.0.0
                      tag 2.0.0 does not satisfy the constraint ^1
"
    );
    assert_eq!(text(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_see_an_object() {
    let world = World::with_tags(&["1.2.0", "latest"]).await;
    let (code, shown) = world.json(&["web=r.example/acme/web"]);
    assert_eq!(code, Some(0));
    assert_eq!(shown["chosen"], "r.example/acme/web:1.2.0");
    assert_eq!(
        shown["candidates"],
        serde_json::json!([{"tag": "1.2.0", "created": null}])
    );
    assert_eq!(shown["dropped"][0]["tag"], "latest");
    assert_eq!(shown["dropped"][0]["rule"], "no-version");

    let (code, shown) = world.json(&["r.example/acme/web", "--semver-constraint", "3.x"]);
    assert_eq!((code, &shown["chosen"]), (Some(0), &Value::Null));
    assert_eq!(shown["dropped"].as_array().unwrap().len(), 2);

    let following = [
        "--update-strategy",
        "digest",
        "--semver-constraint",
        "latest",
    ];
    let (code, shown) = world.json(&[&["r.example/acme/web"], &following[..]].concat());
    let expected = format!("r.example/acme/web:latest@{}", digest());
    assert_eq!((code, &shown["chosen"]), (Some(0), &Value::from(expected)));
}

/// A registry with images that were built one after the other, each for a platform of its own.
fn builds(ask: &Ask, images: &[(&str, &str, &str)]) -> Answer {
    if ask.is("/v2/acme/web/tags/list") {
        let tags: Vec<&str> = images.iter().map(|(tag, ..)| *tag).collect();
        return Answer::json(serde_json::json!({ "tags": tags }).to_string());
    }
    let config = |architecture, created| {
        serde_json::json!({"os": "linux", "architecture": architecture, "created": created})
            .to_string()
    };
    let found = images.iter().find_map(|(tag, architecture, created)| {
        let config = config(architecture, created);
        let digest = sha256(&config);
        let is_config = ask.is(&format!("/blobs/{digest}"));
        let manifest = serde_json::json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest},
            "layers": [],
        })
        .to_string();
        let digest = sha256(&manifest);
        let is_manifest = ask.line.ends_with(&format!("/{tag}")) || ask.line.ends_with(&digest);
        match (is_config, is_manifest) {
            (true, _) => Some(Answer::json(config)),
            (false, true) => Some(
                Answer::of(200)
                    .with("content-type", MANIFEST)
                    .with("docker-content-digest", &digest)
                    .body(manifest),
            ),
            (false, false) => None,
        }
    });
    found.unwrap_or_else(|| Answer::error(404, "MANIFEST_UNKNOWN"))
}

fn sha256(content: &str) -> String {
    use sha2::Digest as _;
    format!("sha256:{}", hex::encode(sha2::Sha256::digest(content)))
}

#[tokio::test(flavor = "multi_thread")]
async fn builds_are_shown_with_their_dates_and_platforms() {
    const IMAGES: [(&str, &str, &str); 3] = [
        ("zeta", "amd64", "2024-01-01T00:00:00Z"),
        ("beta", "amd64", "2025-01-01T00:00:00Z"),
        ("arm", "arm64", "2026-01-01T00:00:00Z"),
    ];
    let world = World::new(|ask| builds(ask, &IMAGES)).await;
    let strategy = ["acme/web", "--update-strategy", "newest-build"];
    let (code, shown) = world.json(&[&strategy[..], &["--platforms", "linux/amd64"]].concat());
    assert_eq!(
        (code, &shown["chosen"]),
        (Some(0), &Value::from("r.example/acme/web:beta"))
    );
    assert_eq!(
        shown["candidates"],
        serde_json::json!([
            {"tag": "beta", "created": "2025-01-01T00:00:00Z"},
            {"tag": "zeta", "created": "2024-01-01T00:00:00Z"},
        ])
    );
    assert_eq!(
        shown["dropped"],
        serde_json::json!([{"tag": "arm", "rule": "platforms", "reason": "tag arm is not for linux/amd64"}])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_without_an_answer_is_a_failure() {
    let world = World::with_tags(&["1.2.0"]).await;
    for (arguments, told) in [
        (
            &["acme/web", "--semver-constraint", "%"][..],
            "--semver-constraint: ",
        ),
        (
            &["acme/web", "--update-strategy", "digest"],
            "--semver-constraint latest",
        ),
        (&["acme/gone"], "has no repository acme/gone"),
        (
            // No kubeconfig is given, so there is no cluster with the Secret.
            &["acme/private", "--credentials", "secret:a/b#c"],
            "Secret a/b could not be read",
        ),
    ] {
        let output = world.test(arguments);
        let error = text(&output.stderr);
        assert!(error.contains(told), "{arguments:?} {error}");
        assert_eq!(
            (output.status.code(), text(&output.stdout)),
            (Some(1), String::new())
        );
        let (code, shown) = world.json(arguments);
        assert_eq!((code, &shown["chosen"]), (Some(1), &Value::Null));
        assert!(shown["error"].as_str().unwrap().contains(told), "{shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_description_that_is_named_has_to_be_there_and_right() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("registries.conf");
    let output = test(&file, &["r.example/acme/web"]);
    let error = text(&output.stderr);
    assert!(
        error.contains("there is no file") && error.contains("registries.conf"),
        "{error}"
    );
    assert_eq!(output.status.code(), Some(1));

    std::fs::write(&file, "registries:\n- {nmae: x}\n").unwrap();
    let output = test(&file, &["r.example/acme/web"]);
    let error = text(&output.stderr);
    assert!(error.contains(file.to_str().unwrap()), "{error}");
    assert_eq!(output.status.code(), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_are_used_and_never_shown() {
    use base64::Engine as _;
    let wanted = base64::prelude::BASE64_STANDARD.encode(format!("user:{PASSWORD}"));
    let authorization = format!("Basic {wanted}");
    let world = World::new(move |ask| {
        if ask.header("authorization") == Some(&authorization) {
            list_or_digest(ask, &["1.2.0"])
        } else {
            Answer::basic()
        }
    })
    .await;
    let arguments = |source| ["acme/web", "--loglevel", "trace", "--credentials", source];
    let right = world.test(&arguments("r.example=env:CREDENTIALS"));
    assert!(text(&right.stdout).contains("chosen    r.example/acme/web:1.2.0"));
    assert!(text(&right.stderr).contains("asking the registry"));
    let none = world.test(&arguments("env:NONE"));
    assert_eq!(none.status.code(), Some(1));
    let anonymous = world.test(&["acme/web"]);
    assert_eq!(anonymous.status.code(), Some(1));
    assert!(text(&anonymous.stderr).contains("refused access"));
    let malformed = world.test(&["acme/web", "--credentials", &format!("user:{PASSWORD}")]);
    assert_eq!(malformed.status.code(), Some(64));
    for output in [right, none, anonymous, malformed] {
        let shown = text(&output.stdout) + &text(&output.stderr);
        assert!(
            !shown.contains(PASSWORD) && !shown.contains(&wanted),
            "{shown}"
        );
    }
}
