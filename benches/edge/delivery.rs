//! The delivery that is sent, and what every server does with it.

use image_updater::domain::event::ImageEvent;
use image_updater::domain::reference::{Digest, ImageName, Registry, Repository, Tag};
use image_updater::domain::secret_policy::{Secret, hub_signature};
use serde::Deserialize;

use crate::Result;

/// The secret that both sides know.
pub(crate) const SECRET: &str = "a secret of the benchmark";

/// A push as GitHub announces it, with all its headers but its name for the delivery: each is a new one here. Signed with that secret.
pub(crate) fn request(secret: &str) -> Result<Vec<u8>> {
    let body = body();
    let secret = Secret::parse(secret).ok_or("no secret")?;
    let signature = hub_signature(&secret, body.as_bytes());
    let length = body.len();
    Ok(format!(
        "POST /webhook?type=ghcr.io HTTP/1.1\r\n\
         Host: updater.example.com\r\n\
         User-Agent: GitHub-Hookshot/044aadd\r\n\
         Content-Length: {length}\r\n\
         Accept: */*\r\n\
         Content-Type: application/json\r\n\
         X-GitHub-Event: package\r\n\
         X-GitHub-Hook-ID: 518200771\r\n\
         X-GitHub-Hook-Installation-Target-ID: 77120034\r\n\
         X-GitHub-Hook-Installation-Target-Type: organization\r\n\
         X-Hub-Signature-256: {signature}\r\n\r\n{body}"
    )
    .into_bytes())
}

fn body() -> String {
    const LENGTH: usize = 2048;
    let with = |description: &str| {
        format!(
            r#"{{"action":"published","package":{{"id":4410021,"name":"api-gateway","namespace":"Acme-Labs","description":"{description}","ecosystem":"CONTAINER","package_type":"CONTAINER","html_url":"https://github.com/orgs/Acme-Labs/packages/container/package/api-gateway","created_at":"2026-07-30T08:00:00Z","updated_at":"2026-08-01T09:12:44Z","owner":{{"login":"Acme-Labs","id":77120034,"type":"Organization","site_admin":false}},"package_version":{{"id":90112233,"version":"sha256:b08e51f13515aa214fa40e6048af1d091d26cf5cdb48feceaec7292af742bb49","name":"sha256:b08e51f13515aa214fa40e6048af1d091d26cf5cdb48feceaec7292af742bb49","package_url":"ghcr.io/acme-labs/api-gateway:1.5.1","container_metadata":{{"tag":{{"name":"1.5.1","digest":"sha256:b08e51f13515aa214fa40e6048af1d091d26cf5cdb48feceaec7292af742bb49"}},"labels":{{}},"manifest":{{}}}}}}}},"organization":{{"login":"Acme-Labs","id":77120034}},"sender":{{"login":"octo-bot","id":1,"type":"Bot"}}}}"#
        )
    };
    let missing = LENGTH.saturating_sub(with("").len());
    with(&"An API gateway. ".repeat(missing / 16 + 1)[..missing])
}

#[derive(Deserialize)]
struct Payload {
    package: Package,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    namespace: String,
    #[serde(rename = "package_version")]
    version: Version,
}

#[derive(Deserialize)]
struct Version {
    container_metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    tag: TagData,
}

#[derive(Deserialize)]
struct TagData {
    name: String,
    digest: String,
}

/// Reads the event out of a body.
pub(crate) fn decode(body: &[u8]) -> Result<ImageEvent> {
    let Payload { package } = serde_json::from_slice(body)?;
    let repository = Repository::parse(&format!("{}/{}", package.namespace, package.name))?;
    let tag = package.version.container_metadata.tag;
    Ok(ImageEvent {
        image: ImageName::new(Registry::parse("ghcr.io")?, repository),
        tag: Tag::parse(&tag.name)?,
        digest: Some(Digest::parse(&tag.digest)?),
    })
}
