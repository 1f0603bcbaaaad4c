//! One watch: of one kind, in one namespace or in all.
//!
//! kube's watcher lists and then watches. By itself it resumes after an error without telling when it is back; so any error ends it here, and
//! another one begins with a list, whose end says that everything is known again. That the server ends a watch after its time is no error.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use kube::Api;
use kube::Client;
use kube::runtime::watcher;
use kube::runtime::watcher::Error;
use kube::runtime::watcher::Event;
use tokio::time::Instant;
use tracing::debug;
use tracing::info;
use tracing::warn;

use crate::adapters::kubernetes::reason::is_forbidden;
use crate::adapters::kubernetes::reason::reason;
use crate::adapters::kubernetes::retry::Retry;
use crate::adapters::kubernetes::slim_object::SlimObject;
use crate::adapters::kubernetes::store::Store;
use crate::adapters::kubernetes::store::Stored;

/// How many objects the server sends at once in a list. More would only take more memory.
const PAGE: u32 = 100;
/// How long one watch lasts, in seconds. A connection that died in silence is noticed after this.
pub(super) const DURATION: u32 = 30;
/// The longest wait before a new attempt.
const LONGEST_RETRY: Duration = Duration::from_secs(5);
/// The longest such wait where a permission is missing.
const LONGEST_REFUSAL: Duration = Duration::from_secs(30);
/// After how long a refusal is taken to be meant: a server that has just started may not have read its roles yet.
pub(super) const MEANT: Duration = Duration::from_secs(20);

/// A watch.
pub(super) struct Watch<T> {
    api: Api<SlimObject<T>>,
    store: Arc<Store>,
    /// The namespace; `None`: all of them.
    namespace: Option<String>,
    trouble: Option<Trouble>,
    retry: Retry,
}

/// What has gone wrong and is not well again.
#[derive(Debug, Clone, Copy)]
struct Trouble {
    since: Instant,
    /// Since when every answer was that a permission is missing; `None`: the last was not.
    refused_since: Option<Instant>,
}

impl<T: Stored> Watch<T> {
    pub(super) fn new(client: &Client, store: Arc<Store>, namespace: Option<String>) -> Self {
        let client = client.clone();
        Self {
            api: match &namespace {
                Some(namespace) => Api::namespaced(client, namespace),
                None => Api::all(client),
            },
            store,
            namespace,
            trouble: None,
            retry: Retry::new(LONGEST_RETRY),
        }
    }

    /// Keeps the store up to date, for as long as this is polled.
    pub(super) async fn run(mut self) {
        loop {
            let error = self.follow().await;
            self.store.lose::<T>(self.namespace.as_deref());
            self.take_loss(error.as_ref());
            self.retry.wait().await;
        }
    }

    /// Lists and watches until something goes wrong.
    async fn follow(&mut self) -> Option<Error> {
        let config = watcher::Config::default().page_size(PAGE).timeout(DURATION);
        let mut events = pin!(watcher::watcher(self.api.clone(), config));
        while let Some(event) = events.next().await {
            let event = match event {
                Ok(event) => event,
                Err(error) => return Some(error),
            };
            let is_complete = matches!(event, Event::InitDone);
            self.store.take(self.namespace.as_deref(), event);
            if is_complete {
                self.tell_regained();
            }
        }
        None
    }

    /// Tells once of each kind of trouble.
    fn take_loss(&mut self, error: Option<&Error>) {
        let is_refusal = error.and_then(cause).is_some_and(is_forbidden);
        let before = self.trouble;
        let now = Instant::now();
        // An outage that went before says nothing about permissions.
        let refused_before = before.and_then(|trouble| trouble.refused_since);
        let refused_since = is_refusal.then(|| refused_before.unwrap_or(now));
        self.trouble = Some(Trouble {
            since: before.map_or(now, |trouble| trouble.since),
            refused_since,
        });
        if before.is_none_or(|before| before.refused_since.is_some() != is_refusal) {
            self.retry = Retry::new(if is_refusal {
                LONGEST_REFUSAL
            } else {
                LONGEST_RETRY
            });
            self.tell_loss(error, is_refusal);
        } else {
            let reason = error.map(text).unwrap_or_default();
            let (resource, namespace) = (resource::<T>(), self.shown_namespace());
            debug!(resource, namespace, reason, "the watch is still lost");
        }
        if refused_since.is_some_and(|since| since.elapsed() >= MEANT) {
            self.store.refuse::<T>(self.namespace.as_deref());
        }
    }

    fn tell_loss(&self, error: Option<&Error>, is_refusal: bool) {
        let reason = error.map(text).unwrap_or_default();
        let (resource, namespace) = (resource::<T>(), self.shown_namespace());
        if is_refusal {
            let verb = verb(error);
            warn!(
                verb,
                resource,
                namespace,
                reason,
                "a permission is missing: grant it, or watch other namespaces with --watch-namespaces"
            );
        } else {
            warn!(
                resource,
                namespace,
                reason,
                "the watch is lost: what deliveries announce waits until it is back"
            );
        }
    }

    fn tell_regained(&mut self) {
        if let Some(trouble) = self.trouble.take() {
            let (resource, namespace) = (resource::<T>(), self.shown_namespace());
            let after = trouble.since.elapsed();
            info!(resource, namespace, ?after, "the watch is back");
        }
        self.retry = Retry::new(LONGEST_RETRY);
    }

    fn shown_namespace(&self) -> &str {
        self.namespace.as_deref().unwrap_or("*")
    }
}

fn resource<T: Stored>() -> String {
    format!("{}.{}", T::PLURAL, T::GROUP)
}

/// The failed call behind an error.
pub(super) fn cause(error: &Error) -> Option<&kube::Error> {
    match error {
        Error::InitialListFailed(cause)
        | Error::WatchStartFailed(cause)
        | Error::WatchFailed(cause) => Some(cause),
        Error::WatchError(_) | Error::NoResourceVersion => None,
    }
}

pub(super) fn text(error: &Error) -> String {
    match error {
        Error::WatchError(status) => status.message.clone(),
        other => cause(other).map_or_else(|| other.to_string(), reason),
    }
}

pub(super) fn verb(error: Option<&Error>) -> &'static str {
    match error {
        Some(Error::InitialListFailed(_)) => "list",
        Some(
            Error::WatchStartFailed(_)
            | Error::WatchError(_)
            | Error::WatchFailed(_)
            | Error::NoResourceVersion,
        )
        | None => "watch",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::kubernetes::testing::failure;
    use crate::domain::resources::application::Application;
    use crate::domain::resources::image_updater::ImageUpdater;

    fn read<T: Stored>(store: &Store, namespace: &str) {
        store.take::<T>(Some(namespace), Event::Init);
        store.take::<T>(Some(namespace), Event::InitDone);
    }

    /// A client that nothing is asked of.
    fn client() -> Client {
        let nowhere = http::Uri::from_static("http://127.0.0.1:1");
        Client::try_from(kube::Config::new(nowhere)).unwrap()
    }

    /// The watch of namespace `b`, which was read once, as everything in namespace `a` is.
    fn watch() -> (Arc<Store>, Watch<Application>) {
        let store = Arc::new(Store::new());
        store.open(&["a", "b"].map(|namespace| Some(namespace.to_owned())));
        for namespace in ["a", "b"] {
            read::<Application>(&store, namespace);
            read::<ImageUpdater>(&store, namespace);
        }
        let watch = Watch::new(&client(), Arc::clone(&store), Some("b".to_owned()));
        (store, watch)
    }

    async fn fail(watch: &mut Watch<Application>, code: u16) {
        watch.store.lose::<Application>(Some("b"));
        watch.take_loss(Some(&failure(code)));
        tokio::time::advance(Duration::from_secs(1)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_meant_when_it_lasts() {
        let (store, mut watch) = watch();
        for _ in 0..MEANT.as_secs() {
            fail(&mut watch, 403).await;
            assert!(!store.is_current());
        }
        fail(&mut watch, 403).await;
        assert!(store.is_current());
    }

    #[tokio::test(start_paused = true)]
    async fn an_outage_that_went_before_makes_no_refusal_meant() {
        let (store, mut watch) = watch();
        for code in [503, 403].repeat(60) {
            fail(&mut watch, code).await;
            assert!(!store.is_current());
        }
        let lost_for = watch.trouble.unwrap().since.elapsed();
        assert_eq!(lost_for, Duration::from_secs(120));
    }
}
