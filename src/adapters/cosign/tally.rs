//! What was found on the search for a signature.

use std::fmt;

use crate::adapters::cosign::unreadable::Unreadable;

/// What was found that is no signature of the image with the key.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Signatures of any key.
    pub(super) signatures: usize,
    /// Those of them that the key made, for another digest.
    pub(super) of_another_digest: usize,
    /// Statements about the image that do not sign it.
    pub(super) attestations: usize,
    /// Manifests and layers that are named and not there.
    pub(super) missing: usize,
    /// What cannot be read, and why the first of it cannot.
    pub(super) unreadable: Option<(usize, Unreadable)>,
    /// Whether there is more than was looked at.
    pub(super) cut: bool,
}

impl Tally {
    pub(super) fn add_unreadable(&mut self, why: Unreadable) {
        self.unreadable.get_or_insert((0, why)).0 += 1;
    }
}

/// As a part of a sentence behind a colon.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.signatures, self.of_another_digest) {
            (0, _) => write!(
                f,
                "it has no signature of cosign, neither among its referrers nor under a tag"
            )?,
            (1, 0) => write!(f, "it has 1 signature, which is not by this key")?,
            (found, 0) => write!(f, "it has {found} signatures, none of them by this key")?,
            (found, other) => write!(
                f,
                "of the signatures found ({found}), those by this key ({other}) sign another digest"
            )?,
        }
        if self.attestations > 0 {
            let count = self.attestations;
            write!(f, "; attestations sign no image (found: {count})")?;
        }
        if let Some((count, first)) = &self.unreadable {
            write!(f, "; {count} could not be read: {first}")?;
        }
        if self.missing > 0 {
            write!(f, "; the registry lacks {} of its parts", self.missing)?;
        }
        if self.cut {
            write!(
                f,
                "; there is more, which was not looked at: delete old signatures"
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_says_what_was_found() {
        let none = Tally::default;
        let found = |signatures, of_another_digest| Tally {
            signatures,
            of_another_digest,
            ..none()
        };
        let nothing = "it has no signature of cosign, neither among its referrers nor under a tag";
        for (tally, text) in [
            (none(), nothing.to_owned()),
            (
                found(1, 0),
                "it has 1 signature, which is not by this key".to_owned(),
            ),
            (
                found(7, 0),
                "it has 7 signatures, none of them by this key".to_owned(),
            ),
            (
                found(7, 2),
                "of the signatures found (7), those by this key (2) sign another digest".to_owned(),
            ),
            (
                Tally {
                    attestations: 2,
                    missing: 3,
                    unreadable: Some((4, Unreadable::NoEnvelope)),
                    cut: true,
                    ..none()
                },
                format!(
                    "{nothing}; attestations sign no image (found: 2); 4 could not be read: a bundle has no dsseEnvelope, so that it names no \
                     image; the registry lacks 3 of its parts; there is more, which was not looked at: delete old signatures"
                ),
            ),
        ] {
            assert_eq!(tally.to_string(), text);
        }
    }

    #[test]
    fn the_first_unreadable_one_is_told_and_all_are_counted() {
        let mut tally = Tally::default();
        tally.add_unreadable(Unreadable::Digest);
        tally.add_unreadable(Unreadable::NoEnvelope);
        assert_eq!(tally.unreadable, Some((2, Unreadable::Digest)));
    }
}
