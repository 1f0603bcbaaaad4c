//! The names of things on the server.

use std::fmt;

use serde::Deserialize;
use serde::Serialize;
use sha2::Digest;
use sha2::Sha256;
use thiserror::Error;
use uuid::Uuid;

use crate::domain::delivery::DeliveryId;
use crate::domain::delivery::SenderKey;
use crate::domain::queue::accepted::Accepted;
use crate::domain::reference::ImageName;

/// Into how many parts images are divided, each of which one replica works on. Every replica of an installation has to know the same number.
pub(super) const PARTITIONS: usize = 32;

/// A replica, from its start to its end.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct ReplicaId(String);

impl ReplicaId {
    /// A new one.
    pub(super) fn new() -> Self {
        Self(Uuid::new_v4().simple().to_string())
    }

    #[cfg(test)]
    pub(super) fn named(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// Where it begins to look for partitions, so that not all begin with the same.
    pub(super) fn first_partition(&self) -> usize {
        partition_of(&self.0)
    }
}

impl fmt::Display for ReplicaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The partition of an image.
pub(super) fn partition(image: &ImageName) -> usize {
    partition_of(&image.to_string())
}

fn partition_of(text: &str) -> usize {
    let hash = Sha256::digest(text.as_bytes());
    usize::from(hash[0]) % PARTITIONS
}

/// What a message is about, by its subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Subject {
    /// A delivery that waits or is in work.
    Delivery,
    /// What became of a delivery.
    Note,
    /// Who works on a partition.
    Partition(usize),
    /// A replica is alive.
    Replica(ReplicaId),
}

/// Why a prefix is none.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("give up to 64 letters, digits, - and _")]
pub struct PrefixError;

/// The names of one installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    prefix: String,
}

impl Names {
    /// Names that begin with a prefix, which is the stream's name as well.
    ///
    /// # Errors
    /// [`PrefixError`] where it does not do.
    pub fn new(prefix: &str) -> Result<Self, PrefixError> {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if prefix.is_empty() || prefix.len() > 64 || !prefix.chars().all(is_name) {
            return Err(PrefixError);
        }
        Ok(Self {
            prefix: prefix.to_owned(),
        })
    }

    /// The stream.
    pub(super) fn stream(&self) -> &str {
        &self.prefix
    }

    /// All subjects.
    pub(super) fn all(&self) -> String {
        format!("{}.>", self.prefix)
    }

    /// The subject of a delivery: the same for all that a sender calls by the same name, of which the server then keeps one.
    pub(super) fn delivery(&self, accepted: &Accepted) -> String {
        let name = match &accepted.key {
            Some(key) => token("key", SenderKey::as_str(key)),
            None => token("id", accepted.delivery.as_str()),
        };
        format!("{}.delivery.{name}", self.prefix)
    }

    /// The subject of what became of a delivery.
    pub(super) fn note(&self, id: &DeliveryId) -> String {
        format!("{}.note.{}", self.prefix, token("id", id.as_str()))
    }

    /// The subjects of what became of all deliveries.
    pub(super) fn notes(&self) -> String {
        format!("{}.note.*", self.prefix)
    }

    /// The subject of a partition.
    pub(super) fn partition(&self, partition: usize) -> String {
        format!("{}.partition.{partition}", self.prefix)
    }

    /// The subject of a replica.
    pub(super) fn replica(&self, replica: &ReplicaId) -> String {
        format!("{}.replica.{replica}", self.prefix)
    }

    /// What a subject is about; `None` where it is nothing that this version knows.
    pub(super) fn read(&self, subject: &str) -> Option<Subject> {
        let rest = subject.strip_prefix(&self.prefix)?.strip_prefix('.')?;
        let (kind, name) = rest.split_once('.')?;
        match kind {
            "delivery" => Some(Subject::Delivery),
            "note" => Some(Subject::Note),
            "partition" => {
                let partition: usize = name.parse().ok()?;
                (partition < PARTITIONS).then_some(Subject::Partition(partition))
            }
            "replica" => Some(Subject::Replica(ReplicaId(name.to_owned()))),
            _ => None,
        }
    }
}

/// A name that may stand in a subject, whatever the text. No two kinds of texts have the same.
fn token(kind: &str, text: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(kind.as_bytes());
    hash.update([0]);
    hash.update(text.as_bytes());
    hex::encode(&hash.finalize()[..16])
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn a_subject_is_known_again() {
        let names = Names::new("image-updater").unwrap();
        let replica = ReplicaId::new();
        let mut accepted = Accepted {
            delivery: DeliveryId::new("a d.*>"),
            sender: "quay.io".to_owned(),
            key: None,
            at: SystemTime::UNIX_EPOCH,
            trace: None,
            events: Vec::new(),
        };
        let without = names.delivery(&accepted);
        accepted.key = SenderKey::parse("a d.*>");
        assert_ne!(names.delivery(&accepted), without);
        for (subject, expected) in [
            (without, Subject::Delivery),
            (names.note(&accepted.delivery), Subject::Note),
            (names.partition(31), Subject::Partition(31)),
            (names.replica(&replica), Subject::Replica(replica.clone())),
        ] {
            assert_eq!(names.read(&subject), Some(expected), "{subject}");
            assert!(
                subject
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '.')
            );
        }
        for unknown in [
            "image-updater.partition.32",
            "image-updater.x.y",
            "other.note.a",
            "image-updater",
        ] {
            assert_eq!(names.read(unknown), None);
        }
    }

    #[test]
    fn a_prefix_has_no_wildcards() {
        for wrong in ["", "a.b", "a>", "*", "a b", &"a".repeat(65)] {
            assert_eq!(Names::new(wrong), Err(PrefixError));
        }
    }

    #[test]
    fn images_are_spread_over_all_partitions() {
        let image = |n| ImageName::parse(&format!("quay.io/a/app-{n}")).unwrap();
        let mut used: Vec<usize> = (0..500).map(|n| partition(&image(n))).collect();
        used.sort_unstable();
        used.dedup();
        assert_eq!(used.len(), PARTITIONS);
    }
}
