//! Webhook secrets of a Secret that is followed through the API.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use tracing::error;
use tracing::info;
use tracing::warn;

use crate::adapters::kubernetes::followed_object::FollowedObject;
use crate::domain::secret_policy::Secrets;
use crate::ports::secret_source::SecretSource;

/// The secrets of every type that the object has a value for.
#[derive(Debug)]
pub struct ObjectSecrets {
    object: Arc<FollowedObject>,
    /// Of every type that it may have a value for.
    known: ArcSwap<BTreeMap<String, Arc<Secrets>>>,
    /// The place of the stronger secret of a type, where it has one.
    hidden_by: HashMap<String, String>,
}

impl ObjectSecrets {
    /// Reads the object as it is known now. `secret_names` are those of all types; a change of one that `hidden_by` has a place for is logged
    /// as hidden.
    #[must_use]
    pub fn new<'a>(
        object: Arc<FollowedObject>,
        secret_names: impl IntoIterator<Item = &'a str>,
        hidden_by: HashMap<String, String>,
    ) -> Self {
        let none = |name: &str| (name.to_owned(), Arc::default());
        let known: BTreeMap<_, _> = secret_names.into_iter().map(none).collect();
        let secrets = Self {
            object,
            known: ArcSwap::from_pointee(known),
            hidden_by,
        };
        secrets.take_up(|_, _| {});
        secrets
    }

    /// Takes up changes of the object, for ever.
    pub async fn watch(self: Arc<Self>) {
        let take_up = || self.take_up(|name, count| self.log_change(name, count));
        self.object.at_every_change(take_up).await;
    }

    fn take_up(&self, tell: impl Fn(&str, usize)) {
        let known = self.known.load_full();
        let mut now = BTreeMap::clone(&known);
        for (name, last) in known.iter() {
            if let Some(secrets) = self.read(name).filter(|secrets| **last != *secrets) {
                tell(name, secrets.len());
                now.insert(name.clone(), Arc::new(secrets));
            }
        }
        self.known.store(Arc::new(now));
    }

    /// The secrets of a type; `None` where they are not known, or cannot be read.
    fn read(&self, name: &str) -> Option<Secrets> {
        let bytes = self
            .object
            .with_values(|data| data.get(&key(name)).cloned());
        let Ok(text) = String::from_utf8(bytes?.unwrap_or_default()) else {
            let place = self.object.place_of(&key(name));
            error!(
                place,
                "the secret is no UTF-8; what it was before still counts"
            );
            return None;
        };
        Some(Secrets::parse(&text))
    }

    fn log_change(&self, name: &str, count: usize) {
        let place = self.object.place_of(&key(name));
        match self.hidden_by.get(name) {
            Some(by) => warn!(
                place,
                "the secret changed, but {by} hides it until a restart"
            ),
            None if count == 0 => warn!(
                place,
                "the secret is gone: what the mounted folder has for its type counts from now on, and if it has nothing, nothing does"
            ),
            None => info!(
                place,
                secrets = count,
                "the secret changed and counts from now on"
            ),
        }
    }
}

impl SecretSource for ObjectSecrets {
    fn secrets(&self, secret_name: &str) -> Arc<Secrets> {
        let known = self.known.load();
        known.get(secret_name).map(Arc::clone).unwrap_or_default()
    }
}

fn key(secret_name: &str) -> String {
    format!("webhook.{secret_name}-secret")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::kubernetes::testing::logged;
    use crate::ports::secret_source::contract;

    fn source(hidden_by: &[(&str, &str)]) -> ObjectSecrets {
        let own = |(name, by): &(&str, &str)| ((*name).to_owned(), (*by).to_owned());
        ObjectSecrets::new(
            Arc::new(FollowedObject::secret()),
            ["docker", "ghcr"],
            hidden_by.iter().map(own).collect(),
        )
    }

    fn put(source: &ObjectSecrets, name: &str, text: &[u8]) -> Vec<String> {
        source.object.set(Some(&[(&key(name), text)]));
        logged(|| source.take_up(|name, count| source.log_change(name, count)))
    }

    #[test]
    fn it_keeps_the_contract() {
        let source = source(&[]);
        contract::is_kept(&source, &|name, text| {
            put(&source, name, text.as_bytes());
        });
    }

    #[test]
    fn what_cannot_be_read_leaves_the_last_secret_and_no_secret_is_told() {
        let source = source(&[("docker", "$DOCKER_WEBHOOK_SECRET")]);
        let mut lines = put(&source, "ghcr", b"hunter2");
        lines.extend(put(&source, "ghcr", b"hunter2\xff"));
        assert_eq!(*source.secrets("ghcr"), Secrets::parse("hunter2"));
        lines.extend(put(&source, "docker", b"hunter2"));
        assert!(source.secrets("ghcr").is_empty());
        let told = [
            "INFO message=the secret changed and counts from now on",
            "ERROR message=the secret is no UTF-8",
            "WARN message=the secret changed, but $DOCKER_WEBHOOK_SECRET hides it",
            "WARN message=the secret is gone",
        ];
        assert_eq!(lines.len(), told.len(), "{lines:?}");
        for (line, told) in lines.iter().zip(told) {
            assert!(line.starts_with(told), "{line}");
            assert!(!line.contains("hunter2"), "{line}");
        }
        assert!(!format!("{source:?}").contains("hunter2"), "{source:?}");
    }

    #[tokio::test]
    async fn a_change_is_taken_up_by_itself() {
        let source = Arc::new(source(&[]));
        let watch = tokio::spawn(Arc::clone(&source).watch());
        source.object.set(Some(&[("webhook.ghcr-secret", b"new")]));
        while source.secrets("ghcr").is_empty() {
            tokio::task::yield_now().await;
        }
        source.object.set(None);
        while !source.secrets("ghcr").is_empty() {
            tokio::task::yield_now().await;
        }
        watch.abort();
    }
}
