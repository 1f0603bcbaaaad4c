//! The pushes of one delivery.

use std::collections::HashMap;

use crate::domain::event::ImageEvent;
use crate::domain::reference::Digest;
use crate::domain::reference::ImageName;
use crate::domain::reference::Tag;
use crate::ports::payload_decoder::DecodeError;
use crate::ports::payload_decoder::Decoded;

/// How many tags one delivery may announce. No registry comes near; who names more means to fill the queue.
const MOST: usize = 1_000;

/// Collects what a delivery announces: every tag once, in the order of the payload. What is wrong with a part of it takes nothing from the
/// others.
#[derive(Default)]
pub(super) struct Pushes {
    events: Vec<ImageEvent>,
    left_out: Option<String>,
    wrong: Option<DecodeError>,
}

impl Pushes {
    /// Adds a push, or leaves it out where it is none of a tag that somebody could track. A digest that is none is dropped: the push of
    /// the tag counts all the same. A tag that is none is wrong.
    pub(super) fn add(&mut self, image: ImageName, tag: Option<&str>, digest: Option<&str>) {
        let Some(tag) = tag.filter(|tag| !is_digest(tag)) else {
            self.leave_out(format!("{image} was pushed without a tag"));
            return;
        };
        let tag = match Tag::parse(tag) {
            Ok(tag) => tag,
            Err(error) => {
                self.wrong(DecodeError(error.to_string()));
                return;
            }
        };
        if tag.is_attachment() {
            self.leave_out(format!(
                "the tag {tag} holds a signature or another attachment of an image"
            ));
            return;
        }
        let digest = digest.and_then(|digest| Digest::parse(digest).ok());
        self.events.push(ImageEvent { image, tag, digest });
    }

    /// Notes that a part of the delivery announces no push, and why. The first reason is the one that is told.
    pub(super) fn leave_out(&mut self, reason: String) {
        self.left_out.get_or_insert(reason);
    }

    /// Notes that a part of the delivery is malformed. The first error is the one that is told.
    pub(super) fn wrong(&mut self, error: DecodeError) {
        self.wrong.get_or_insert(error);
    }

    /// What the delivery means: every tag once, in the order of the payload.
    ///
    /// # Errors
    /// What is wrong with it, where no push is left to count, and where it announces too much at once.
    pub(super) fn decoded(self) -> Result<Decoded, DecodeError> {
        let events = each_tag_once(self.events);
        if events.len() > MOST {
            return Err(DecodeError(format!(
                "the delivery announces {} tags: send at most {MOST} at once",
                events.len()
            )));
        }
        if !events.is_empty() {
            return Ok(Decoded::Images(events));
        }
        if let Some(error) = self.wrong {
            return Err(error);
        }
        let reason = self.left_out;
        let reason = reason.unwrap_or_else(|| "it announces nothing".to_owned());
        Ok(Decoded::Ignored(reason))
    }
}

/// Joins events of the same tag, in the place of the first one. The last digest counts.
fn each_tag_once(events: Vec<ImageEvent>) -> Vec<ImageEvent> {
    // Nearly every delivery is one push.
    if events.len() == 1 {
        return events;
    }
    let mut places = HashMap::new();
    let mut once: Vec<ImageEvent> = Vec::with_capacity(events.len());
    for event in events {
        let key = (event.image.clone(), event.tag.clone());
        let place = *places.entry(key).or_insert(once.len());
        match once.get_mut(place) {
            Some(known) => known.digest = event.digest.or(known.digest.take()),
            None => once.push(event),
        }
    }
    once
}

/// Whether a text in the place of a tag is a digest. One that is cut short is still no tag.
pub(super) fn is_digest(text: &str) -> bool {
    ["sha256:", "sha384:", "sha512:"]
        .iter()
        .any(|algorithm| text.starts_with(algorithm))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(fill: &str) -> String {
        format!("sha256:{}", fill.repeat(64))
    }

    fn decoded(pushes: &[(&str, Option<&str>, Option<&str>)]) -> Decoded {
        let mut collected = Pushes::default();
        for (image, tag, digest) in pushes {
            let image = ImageName::parse(image).unwrap();
            collected.add(image, *tag, *digest);
        }
        collected.decoded().unwrap()
    }

    #[test]
    fn each_tag_counts_once_and_in_order() {
        let (old, new) = (digest("1"), digest("2"));
        let Decoded::Images(events) = decoded(&[
            ("ghcr.io/a/b", Some("2"), Some(&old)),
            ("ghcr.io/a/b", Some("1"), Some("sha256:short")),
            ("ghcr.io/a/b", Some("2"), Some(&new)),
            ("ghcr.io/a/b", Some("2"), None),
        ]) else {
            panic!("ignored");
        };
        let shown: Vec<String> = events.iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [format!("ghcr.io/a/b:2@{new}"), "ghcr.io/a/b:1".into()]
        );
    }

    #[test]
    fn what_is_wrong_takes_nothing_from_the_others() {
        let image = ImageName::parse("ghcr.io/a/b").unwrap();
        let mut pushes = Pushes::default();
        pushes.leave_out("a scan".to_owned());
        pushes.add(image.clone(), Some("not a tag"), None);
        pushes.wrong(DecodeError("later".to_owned()));
        let mut mixed = Pushes::default();
        mixed.wrong(DecodeError("first".to_owned()));
        mixed.add(image, Some("1"), None);
        assert!(matches!(mixed.decoded(), Ok(Decoded::Images(events)) if events.len() == 1));
        let message = pushes.decoded().unwrap_err().0;
        assert!(message.contains("not a tag"), "{message}");
    }

    #[test]
    fn a_delivery_is_no_flood() {
        let image = ImageName::parse("ghcr.io/a/b").unwrap();
        let many = |count: usize| {
            let mut pushes = Pushes::default();
            for tag in 0..count {
                pushes.add(image.clone(), Some(&tag.to_string()), None);
                pushes.add(image.clone(), Some("0"), None);
            }
            pushes.decoded()
        };
        assert!(matches!(many(1_000), Ok(Decoded::Images(events)) if events.len() == 1_000));
        let message = many(1_001).unwrap_err().0;
        assert!(message.contains("1001 tags"), "{message}");
    }

    #[test]
    fn what_nobody_tracks_is_left_out() {
        let (whole, signature) = (digest("a"), format!("sha256-{}.sig", "a".repeat(64)));
        for tag in [
            None,
            Some(whole.as_str()),
            Some("sha256:short"),
            Some(&signature),
        ] {
            let left_out = decoded(&[("ghcr.io/a/b", tag, None)]);
            assert!(matches!(left_out, Decoded::Ignored(_)), "{tag:?}");
            let mixed = decoded(&[("ghcr.io/a/b", tag, None), ("ghcr.io/a/b", Some("1"), None)]);
            assert!(
                matches!(mixed, Decoded::Images(events) if events.len() == 1),
                "{tag:?}"
            );
        }
    }
}
