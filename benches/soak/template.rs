//! Requests that are prepared: all is there but what differs from one delivery to the next, and that is always equally long.

use image_updater::adapters::senders;
use image_updater::app::send;
use image_updater::domain::event::ImageEvent;
use image_updater::domain::reference::Digest;
use image_updater::domain::reference::ImageName;
use image_updater::domain::reference::Tag;
use image_updater::domain::secret_policy::Secret;
use image_updater::domain::secret_policy::hub_signature;

use crate::Result;
use crate::world::REGISTRIES;
use crate::world::image;

const HOST: &str = "https://updater.example.com";
/// What stands where a version is to be.
const VERSION: &str = "18273645";
/// How long a name of a sender for its delivery is, and a signature.
const ID: usize = 36;
const SIGNATURE: usize = 71;

/// A delivery of one type of sender.
pub(crate) struct Template {
    head: Blank,
    body: Blank,
    secret: Secret,
}

/// Text with gaps.
struct Blank {
    text: Vec<u8>,
    gaps: Vec<(usize, Gap)>,
}

#[derive(Clone, Copy)]
enum Gap {
    Application,
    Version,
    Id,
    Signature,
}

/// What differs.
pub(crate) struct Filling {
    /// Of which Application the image is.
    pub(crate) application: usize,
    /// The last part of its version.
    pub(crate) version: u64,
    /// What no other delivery has.
    pub(crate) id: u64,
}

impl Template {
    /// The deliveries of the sender that the first Applications' images are of, by their number, with that secret.
    pub(crate) fn new(sender: usize, secret: &str) -> Result<Self> {
        let (name, _) = REGISTRIES[sender];
        let event = ImageEvent {
            image: ImageName::parse(&image(sender))?,
            tag: Tag::parse(&format!("1.0.{VERSION}"))?,
            digest: Some(Digest::parse(&format!("sha256:{VERSION:a<64}"))?),
        };
        let secret = Secret::parse(secret).ok_or("no secret")?;
        let all = senders::all();
        let known = all.iter().find(|known| known.profile().name == name);
        let known = known.ok_or("no such sender")?;
        let url = format!("{HOST}/webhook");
        let request = send::request(known.as_ref(), &event, &url, Some(&secret))?;
        let mut head = format!("POST {} HTTP/1.1\r\n", &request.url[HOST.len()..]);
        let length = ("Content-Length".to_owned(), request.body.len().to_string());
        let host = ("Host".to_owned(), "updater.example.com".to_owned());
        for (name, value) in request.headers.iter().chain([&host, &length]) {
            head = head + name + ": " + value + "\r\n";
        }
        let name = format!("app-{sender:03}");
        Ok(Self {
            head: Blank::of((head + "\r\n").into_bytes(), &name),
            body: Blank::of(request.body, &name),
            secret,
        })
    }

    /// The request with nothing missing.
    pub(crate) fn fill(&self, filling: &Filling) -> Vec<u8> {
        let body = self.body.fill(filling, "");
        let is_signed = self.head.gaps.iter().any(|(_, gap)| gap.is_signature());
        let signature = if is_signed {
            hub_signature(&self.secret, &body)
        } else {
            String::new()
        };
        let mut request = self.head.fill(filling, &signature);
        request.extend(body);
        request
    }
}

impl Gap {
    fn is_signature(self) -> bool {
        matches!(self, Self::Signature)
    }
}

impl Blank {
    fn of(text: Vec<u8>, name: &str) -> Self {
        let mut gaps = Vec::new();
        for at in 0..text.len() {
            let rest = &text[at..];
            if rest.starts_with(name.as_bytes()) {
                gaps.push((at, Gap::Application));
            } else if rest.starts_with(VERSION.as_bytes()) {
                gaps.push((at, Gap::Version));
            } else if is_id(rest) {
                gaps.push((at, Gap::Id));
            } else if rest.starts_with(b"sha256=") && rest.len() >= SIGNATURE {
                gaps.push((at, Gap::Signature));
            }
        }
        Self { text, gaps }
    }

    fn fill(&self, filling: &Filling, signature: &str) -> Vec<u8> {
        let mut text = self.text.clone();
        for (at, gap) in &self.gaps {
            let piece = match gap {
                Gap::Application => format!("app-{:03}", filling.application),
                Gap::Version => filling.version.to_string(),
                Gap::Id => format!("{:08x}-0000-4000-8000-{:012x}", filling.id, filling.id),
                Gap::Signature => signature.to_owned(),
            };
            text[*at..at + piece.len()].copy_from_slice(piece.as_bytes());
        }
        text
    }
}

/// Whether a UUID stands here.
fn is_id(text: &[u8]) -> bool {
    let Some(text) = text.get(..ID) else {
        return false;
    };
    text.iter().enumerate().all(|(at, byte)| match at {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    })
}

/// A POST with the signature of GitHub's type, whatever its body is.
pub(crate) fn signed(secret: &str, event: &str, body: &[u8]) -> Result<Vec<u8>> {
    let secret = Secret::parse(secret).ok_or("no secret")?;
    let signature = hub_signature(&secret, body);
    let head = format!(
        "POST /webhook?type=ghcr.io HTTP/1.1\r\nHost: updater.example.com\r\nContent-Type: application/json\r\nX-GitHub-Event: {event}\r\n\
         X-Hub-Signature-256: {signature}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    Ok([head.as_bytes(), body].concat())
}
