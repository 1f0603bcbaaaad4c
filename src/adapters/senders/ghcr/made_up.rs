//! A delivery as GitHub sends it for a push of a multi-platform image.

use serde_json::Value;
use serde_json::json;
use sha2::Digest;
use sha2::Sha256;

use crate::adapters::senders::compose;
use crate::adapters::senders::fresh;
use crate::adapters::senders::ghcr::PROFILE;
use crate::domain::event::ImageEvent;
use crate::ports::payload_decoder::ComposeError;
use crate::ports::payload_decoder::Composed;

pub(super) fn delivery(event: &ImageEvent) -> Result<Composed, ComposeError> {
    let (registry, repository) = (event.image.registry(), event.image.repository());
    let own = registry.as_str() == PROFILE.name;
    let Some((owner, name)) = repository.as_str().split_once('/').filter(|_| own) else {
        return Err(ComposeError(format!(
            "GitHub speaks of images ghcr.io/<owner>/<name> alone; {} is none: choose another type",
            event.image
        )));
    };
    let mut composed = compose::json(&payload(event, owner, name));
    let header = |name: &str, value: String| (name.to_owned(), value);
    composed.headers.extend([
        header("User-Agent", "GitHub-Hookshot/044aadd".to_owned()),
        header("X-GitHub-Event", "package".to_owned()),
        header("X-GitHub-Delivery", fresh::id()),
        header("X-GitHub-Hook-ID", "518200771".to_owned()),
        header(
            "X-GitHub-Hook-Installation-Target-Type",
            "organization".to_owned(),
        ),
        header(
            "X-GitHub-Hook-Installation-Target-ID",
            "90110022".to_owned(),
        ),
    ]);
    Ok(composed)
}

fn payload(event: &ImageEvent, owner: &str, name: &str) -> Value {
    let organization = json!({"login": owner, "id": 90_110_022, "type": "Organization"});
    json!({
        "action": "published",
        "package": {
            "id": 4_410_021,
            "name": name,
            "namespace": owner,
            "description": "",
            "ecosystem": "CONTAINER",
            "package_type": "CONTAINER",
            "html_url": format!("https://github.com/orgs/{owner}/packages/container/package/{name}"),
            "created_at": "2026-01-12T08:00:00Z",
            "updated_at": fresh::time(),
            "owner": organization,
            "package_version": version(event, owner, name),
            "registry": {
                "about_url": "https://docs.github.com/packages",
                "name": "GitHub CONTAINER registry",
                "type": "CONTAINER",
                "url": format!("https://CONTAINER.pkg.github.com/{owner}"),
                "vendor": "GitHub Inc",
            },
        },
        "organization": organization,
        "sender": {"login": "github-actions[bot]", "id": 41_898_282, "type": "Bot"},
    })
}

fn version(event: &ImageEvent, owner: &str, name: &str) -> Value {
    let digest = digest(event);
    let reference = format!("{}:{}", event.image, event.tag);
    json!({
        "id": 98_120_031,
        "version": digest,
        "name": digest,
        "description": "",
        "summary": "",
        "manifest": "",
        "html_url": format!("https://github.com/orgs/{owner}/packages/container/{name}/98120031"),
        "target_commitish": "main",
        "created_at": fresh::time(),
        "updated_at": fresh::time(),
        "metadata": [],
        "container_metadata": {
            "tag": {"name": event.tag.as_str(), "digest": digest},
            "labels": {
                "description": "",
                "source": format!("https://github.com/{owner}/{name}"),
                "revision": "",
                "image_url": "",
                "licenses": "",
                "all_labels": {},
            },
            "manifest": {
                "digest": digest,
                "media_type": "application/vnd.oci.image.index.v1+json",
                "uri": format!("repositories/{owner}/{name}/manifests/{digest}"),
                "size": 1609,
                "config": {"digest": "", "media_type": "", "size": 0},
                "layers": [],
            },
        },
        "package_files": [],
        "installation_command": format!("docker pull {reference}"),
        "package_url": reference,
    })
}

/// The event's digest, else one made of its name.
fn digest(event: &ImageEvent) -> String {
    match &event.digest {
        Some(digest) => digest.to_string(),
        None => format!("sha256:{}", hex::encode(Sha256::digest(event.to_string()))),
    }
}
