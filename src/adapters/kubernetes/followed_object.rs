//! A ConfigMap or Secret of the program's own, followed through the API.

use std::fmt;
use std::pin::Pin;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::runtime::watcher;
use kube::runtime::watcher::Error;
use kube::runtime::watcher::Event;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio::time::sleep_until;
use tokio::time::timeout;
use tracing::debug;
use tracing::info;
use tracing::warn;

use crate::adapters::kubernetes::client::Cluster;
use crate::adapters::kubernetes::keyed::Data;
use crate::adapters::kubernetes::keyed::Keyed;
use crate::adapters::kubernetes::reason::is_forbidden;
use crate::adapters::kubernetes::retry::Retry;
use crate::adapters::kubernetes::watch::DURATION;
use crate::adapters::kubernetes::watch::MEANT;
use crate::adapters::kubernetes::watch::cause;
use crate::adapters::kubernetes::watch::text;
use crate::adapters::kubernetes::watch::verb;

/// The longest wait before a new attempt.
const LONGEST_RETRY: Duration = Duration::from_secs(5);
/// The longest such wait where a permission is missing.
const LONGEST_REFUSAL: Duration = Duration::from_secs(30);

/// One object as it is now: what was last known of it, where the API server cannot be asked.
pub struct FollowedObject {
    place: String,
    namespace: String,
    resource: &'static str,
    state: watch::Sender<State>,
}

/// What is known. It may be a secret, so there is no `Debug`.
#[derive(Default)]
struct State {
    /// What the API server last said. `None`: it has said nothing yet.
    answer: Option<Answer>,
    trouble: Option<Trouble>,
}

/// What an API server says of an object.
#[derive(PartialEq, Eq)]
enum Answer {
    Values(Data),
    NoSuchObject,
}

/// Why nothing new is learnt.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Trouble {
    /// Since when it is of this kind.
    since: Instant,
    is_refusal: bool,
    verb: &'static str,
    reason: String,
}

/// A permission in the program's own namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permission {
    /// What it lets somebody do.
    pub verb: &'static str,
    /// With which resource.
    pub resource: &'static str,
}

/// An object and the work of following it.
pub type Followed = (
    Arc<FollowedObject>,
    Pin<Box<dyn Future<Output = ()> + Send>>,
);

/// Follows a ConfigMap of this name in the program's own namespace while the future is polled.
#[must_use]
pub fn config_map(cluster: &Cluster, name: &str) -> Followed {
    follow::<ConfigMap>(cluster, name)
}

/// Follows a Secret, likewise.
#[must_use]
pub fn secret(cluster: &Cluster, name: &str) -> Followed {
    follow::<Secret>(cluster, name)
}

fn follow<T: Keyed>(cluster: &Cluster, name: &str) -> Followed {
    let object = Arc::new(FollowedObject {
        place: format!("{}/{name}", T::SINGULAR),
        namespace: cluster.namespace().to_owned(),
        resource: T::PLURAL,
        state: watch::Sender::default(),
    });
    let api: Api<T> = Api::namespaced(cluster.client().clone(), cluster.namespace());
    let config = watcher::Config::default()
        .fields(&format!("metadata.name={name}"))
        .timeout(DURATION);
    let work = Arc::clone(&object).run(api, config);
    (object, Box::pin(work))
}

impl FollowedObject {
    /// Waits until it is known; no longer than this. A refusal is waited out too: a server that has just started may not have read its
    /// roles yet.
    pub async fn first_answer(&self, patience: Duration) {
        let mut states = self.state.subscribe();
        let answered = states.wait_for(|state| state.answer.is_some());
        // Without an answer it has no values, and somebody else tells so.
        let _ = timeout(patience, answered).await;
    }

    /// Waits until it is known, or has been refused for so long that this is meant.
    pub async fn settled(&self) {
        let mut states = self.state.subscribe();
        loop {
            let refused_since = {
                let state = states.borrow_and_update();
                if state.answer.is_some() {
                    return;
                }
                let trouble = state.trouble.as_ref().filter(|trouble| trouble.is_refusal);
                trouble.map(|trouble| trouble.since)
            };
            let meant = async {
                match refused_since {
                    Some(since) => sleep_until(since + MEANT).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = meant => return,
                // Fails only when the sender is gone, which `self` holds.
                _ = states.changed() => {}
            }
        }
    }

    /// Whether the API server has said what it is, or that it is not there.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.state.borrow().answer.is_some()
    }

    /// The permission for want of which it is not known.
    #[must_use]
    pub fn refusal(&self) -> Option<Permission> {
        let state = self.state.borrow();
        let trouble = state.trouble.as_ref().filter(|_| state.is_refused())?;
        Some(Permission {
            verb: trouble.verb,
            resource: self.resource,
        })
    }

    /// Its place, such as `configmap/argocd-image-updater-config`.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// The place of one of its values, for people.
    pub(super) fn place_of(&self, key: &str) -> String {
        format!("{}:{key}", self.place)
    }

    /// Calls a function whenever it may have changed, for ever.
    pub(super) async fn at_every_change(&self, mut work: impl FnMut()) {
        let mut states = self.state.subscribe();
        // The state may have changed just before.
        states.mark_changed();
        // Fails only when the sender is gone, which `self` holds.
        while states.changed().await.is_ok() {
            work();
        }
    }

    /// Reads the values by a function; `None` where the object is not known.
    pub(super) fn with_values<T>(&self, read: impl FnOnce(&Data) -> T) -> Option<T> {
        let state = self.state.borrow();
        Some(match state.answer.as_ref()? {
            Answer::Values(data) => read(data),
            Answer::NoSuchObject => read(&Data::new()),
        })
    }

    /// Follows it for ever. Any error ends a watch, and the next one begins with a list, which brings what was missed.
    async fn run<T: Keyed>(self: Arc<Self>, api: Api<T>, config: watcher::Config) {
        let mut retry = Retry::new(LONGEST_RETRY);
        loop {
            let mut events = pin!(watcher::watcher(api.clone(), config.clone()));
            let mut listed = None;
            let error = loop {
                match events.next().await {
                    Some(Ok(event)) => {
                        if self.take(event, &mut listed) {
                            retry = Retry::new(LONGEST_RETRY);
                        }
                    }
                    Some(Err(error)) => break Some(error),
                    None => break None,
                }
            };
            if self.lose(error.as_ref()) {
                retry = Retry::new(LONGEST_REFUSAL);
            }
            retry.wait().await;
        }
    }

    /// Takes an event up; says whether that was news.
    fn take<T: Keyed>(&self, event: Event<T>, listed: &mut Option<Data>) -> bool {
        let answer = match event {
            Event::Init => {
                *listed = None;
                return false;
            }
            Event::InitApply(object) => {
                *listed = Some(object.into_data());
                return false;
            }
            Event::InitDone => listed.take().map_or(Answer::NoSuchObject, Answer::Values),
            Event::Apply(object) => Answer::Values(object.into_data()),
            Event::Delete(_) => Answer::NoSuchObject,
        };
        let (place, namespace) = (&self.place, &self.namespace);
        self.state.send_if_modified(|state| {
            if state.trouble.take().is_some() {
                info!(place, namespace, "the object is followed again");
            }
            let is_other = state.answer.as_ref() != Some(&answer);
            state.answer = Some(answer);
            is_other
        });
        true
    }

    /// Says in the log, once, that nothing new is learnt, and answers whether a missing permission is the reason and was not before. What
    /// goes wrong before the first answer is told by whoever waits for that.
    fn lose(&self, error: Option<&Error>) -> bool {
        let Some(error) = error else { return false };
        let is_refusal = cause(error).is_some_and(is_forbidden);
        let trouble = Trouble {
            since: self.trouble_since(is_refusal),
            is_refusal,
            verb: verb(Some(error)),
            reason: text(error),
        };
        let (place, namespace, reason) = (&self.place, &self.namespace, &trouble.reason);
        let (verb, resource) = (trouble.verb, self.resource);
        let state = self.state.borrow();
        let before = state.trouble.as_ref().map(|before| before.is_refusal);
        if state.answer.is_none() || before == Some(trouble.is_refusal) {
            debug!(place, namespace, reason, "the object cannot be followed");
        } else if trouble.is_refusal {
            warn!(
                place,
                namespace,
                verb,
                resource,
                reason,
                "a permission is missing: what was last read of the object stays in force; grant it"
            );
        } else {
            warn!(
                place,
                namespace,
                reason,
                "the object is not followed: what was last read of it stays in force until it is"
            );
        }
        drop(state);
        let is_new_refusal = trouble.is_refusal && before != Some(true);
        self.state
            .send_modify(|state| state.trouble = Some(trouble));
        is_new_refusal
    }

    /// Since when there has been trouble of this kind; if there is none yet, since now.
    fn trouble_since(&self, is_refusal: bool) -> Instant {
        let state = self.state.borrow();
        let before = state.trouble.as_ref();
        let same = before.filter(|trouble| trouble.is_refusal == is_refusal);
        same.map_or_else(Instant::now, |trouble| trouble.since)
    }

    /// Why nothing is known of it, though no missing permission is the reason.
    #[must_use]
    pub fn silence(&self) -> Option<String> {
        let state = self.state.borrow();
        if state.answer.is_some() || state.is_refused() {
            return None;
        }
        let reason = state.trouble.as_ref();
        let reason = reason.map_or("it does not answer", |trouble| trouble.reason.as_str());
        Some(reason.to_owned())
    }
}

impl State {
    fn is_refused(&self) -> bool {
        let trouble = self.trouble.as_ref();
        self.answer.is_none() && trouble.is_some_and(|trouble| trouble.is_refusal)
    }
}

/// Shows no value.
impl fmt::Debug for FollowedObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FollowedObject")
            .field("place", &self.place)
            .field("namespace", &self.namespace)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
impl FollowedObject {
    /// A Secret of which nothing is known yet.
    pub(super) fn secret() -> Self {
        Self {
            place: "secret/ours".to_owned(),
            namespace: "argocd".to_owned(),
            resource: "secrets",
            state: watch::Sender::default(),
        }
    }

    /// What the API server says: these values, or that there is no such object.
    pub(super) fn set(&self, values: Option<&[(&str, &[u8])]>) {
        let own = |(key, value): &(&str, &[u8])| ((*key).to_owned(), value.to_vec());
        let data: Option<Data> = values.map(|values| values.iter().map(own).collect());
        let answer = data.map_or(Answer::NoSuchObject, Answer::Values);
        self.state.send_modify(|state| state.answer = Some(answer));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::kubernetes::testing::failure;
    use crate::adapters::kubernetes::testing::logged;

    fn listed(object: &FollowedObject, secret: Option<Secret>) {
        let mut listed = None;
        object.take(Event::<Secret>::Init, &mut listed);
        if let Some(secret) = secret {
            object.take(Event::InitApply(secret), &mut listed);
        }
        object.take(Event::<Secret>::InitDone, &mut listed);
    }

    fn keys(object: &FollowedObject) -> Option<Vec<String>> {
        object.with_values(|data| data.keys().cloned().collect())
    }

    fn secret(key: &str) -> Secret {
        let data = [(key.to_owned(), k8s_openapi::ByteString(Vec::new()))];
        Secret {
            data: Some(data.into()),
            ..Secret::default()
        }
    }

    #[test]
    fn what_keeps_the_first_answer_away_is_for_others_to_tell() {
        let object = FollowedObject::secret();
        let lines = logged(|| {
            assert!(!object.lose(Some(&failure(500))));
            assert_eq!(object.refusal(), None);
            assert!(object.silence().is_some());
            assert!(object.lose(Some(&failure(403))), "a refusal begins");
            assert!(!object.lose(Some(&failure(403))));
        });
        assert!(
            lines.iter().all(|line| line.starts_with("DEBUG")),
            "{lines:?}"
        );
        let refusal = object.refusal().unwrap();
        assert_eq!((refusal.verb, refusal.resource), ("list", "secrets"));
        assert_eq!(object.silence(), None);
        listed(&object, None);
        assert_eq!(object.refusal(), None);
        assert_eq!(keys(&object), Some(Vec::new()), "it is not there");
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_settles_it_only_when_it_lasts() {
        let object = FollowedObject::secret();
        let begin = Instant::now();
        let refuse = async {
            object.lose(Some(&failure(403)));
            object.lose(Some(&failure(500)));
            tokio::time::sleep(MEANT).await;
            object.lose(Some(&failure(403)));
            tokio::time::sleep(MEANT / 2).await;
            object.lose(Some(&failure(403)));
        };
        tokio::join!(object.settled(), refuse);
        assert_eq!(begin.elapsed(), 2 * MEANT);

        let begin = Instant::now();
        object.first_answer(Duration::from_secs(5)).await;
        assert_eq!(begin.elapsed(), Duration::from_secs(5), "it is waited out");
        object.set(None);
        object.first_answer(MEANT).await;
        object.settled().await;
        assert_eq!(begin.elapsed(), Duration::from_secs(5));
    }

    #[test]
    fn what_was_read_stays_while_nothing_can_be_read() {
        let object = FollowedObject::secret();
        listed(&object, Some(secret("a")));
        let lines = logged(|| {
            for _ in 0..2 {
                object.lose(Some(&failure(500)));
            }
            object.lose(Some(&failure(403)));
            assert_eq!(keys(&object), Some(vec!["a".to_owned()]));
            listed(&object, Some(secret("b")));
        });
        let told: Vec<_> = lines
            .iter()
            .filter(|line| !line.starts_with("DEBUG"))
            .collect();
        let [lost, refused, back] = told.as_slice() else {
            panic!("{lines:?}");
        };
        assert!(
            lost.starts_with("WARN message=the object is not followed"),
            "{lost}"
        );
        let permission = [
            "WARN message=a permission is missing",
            "verb=\"list\"",
            "resource=\"secrets\"",
        ];
        assert!(
            permission.iter().all(|part| refused.contains(part)),
            "{refused}"
        );
        assert!(
            back.starts_with("INFO message=the object is followed again"),
            "{back}"
        );
        assert_eq!(keys(&object), Some(vec!["b".to_owned()]));
        object.take(Event::Delete(secret("b")), &mut None);
        assert_eq!(keys(&object), Some(Vec::new()));
    }
}
