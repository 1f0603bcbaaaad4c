//! When registries are looked at, on an updater that runs.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::*;
use crate::app::settings::Confirm;
use crate::app::updater::Ports;
use crate::app::updater::Registry;
use crate::app::updater::tests::resources;
use crate::app::updater::tests::terms;
use crate::domain::queue::accepted::Accepted;
use crate::domain::queue::entry::Batch;
use crate::domain::queue::fate::Fate;
use crate::domain::reference::Digest;
use crate::domain::reference::Tag;
use crate::domain::registry::access::Access;
use crate::domain::registry::answer::Build;
use crate::domain::registry::answer::TagList;
use crate::domain::registry::answer::TagOrder;
use crate::domain::registry::question::BuildQuestion;
use crate::domain::resources::Resources;
use crate::domain::resources::application::Application;
use crate::domain::resources::image_updater::ImageUpdater;
use crate::domain::secret_policy::Verified;
use crate::domain::testing::id;
use crate::ports::event_queue::EventQueue;
use crate::ports::event_queue::Load;
use crate::ports::event_queue::Pushed;
use crate::ports::event_queue::QueueError;
use crate::ports::pace::MockPace;
use crate::ports::registry_client::MockRegistryClient;
use crate::ports::registry_client::RegistryClient;
use crate::ports::registry_client::RegistryError;
use crate::ports::resource_reader::ResourceReader;
use crate::ports::signature_verifier::MockSignatureVerifier;

/// A queue to which nothing comes.
struct NoDeliveries;

#[async_trait]
impl EventQueue for NoDeliveries {
    async fn push(&self, _: Verified<Accepted>) -> Result<Pushed, QueueError> {
        unreachable!("nobody delivers")
    }

    async fn next(&self) -> Batch {
        std::future::pending().await
    }

    fn is_kept(&self, _: &Batch) -> bool {
        true
    }

    async fn done(&self, _: &Batch, _: &Fate) {}

    fn load(&self) -> Load {
        Load::default()
    }
}

/// Resources that are edited.
struct Edited {
    current: Mutex<Arc<Resources>>,
    later: Mutex<VecDeque<Arc<Resources>>>,
    bell: tokio::sync::Notify,
}

#[async_trait]
impl ResourceReader for Edited {
    fn current(&self) -> Arc<Resources> {
        Arc::clone(&self.current.lock().unwrap())
    }

    fn is_current(&self) -> bool {
        true
    }

    async fn changed(&self) {
        self.bell.notified().await;
        if let Some(next) = self.later.lock().unwrap().pop_front() {
            *self.current.lock().unwrap() = next;
        }
    }
}

/// What is tracked is known.
fn ready() -> watch::Receiver<bool> {
    watch::channel(true).1
}

fn following(constraint: &str) -> Arc<Resources> {
    let policy = format!("quay.io/a/b:{constraint}");
    resources("quay.io/a/b:1.5.0", &policy, "semver")
}

/// A registry that never says which tags `a/b` has.
struct Hanging(Arc<AtomicUsize>);

#[async_trait]
impl RegistryClient for Hanging {
    async fn tags(&self, access: &Access) -> Result<TagList, RegistryError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        if access.image == ImageName::parse("quay.io/a/b").unwrap() {
            std::future::pending::<()>().await;
        }
        Ok(TagList {
            tags: [Tag::parse("1.5.0").unwrap()].into(),
            order: TagOrder::Unsorted,
        })
    }

    async fn digest(&self, _: &Access, _: &Tag) -> Result<Option<Digest>, RegistryError> {
        unreachable!("only lists are asked for")
    }

    async fn build(&self, _: &Access, _: &BuildQuestion) -> Result<Option<Build>, RegistryError> {
        unreachable!("only lists are asked for")
    }
}

struct World {
    lists: Arc<AtomicUsize>,
    reader: Arc<Edited>,
    updater: Arc<Updater>,
    working: JoinHandle<()>,
    _close: watch::Sender<bool>,
}

impl World {
    /// A registry that fails to list tags so often, and that `web` is up to date with.
    fn new(failures: usize) -> Self {
        let lists = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&lists);
        let mut client = MockRegistryClient::new();
        client.expect_tags().returning(move |_| {
            if counted.fetch_add(1, Ordering::SeqCst) < failures {
                return Err(RegistryError::Nonsense {
                    registry: "quay.io".to_owned(),
                    reason: "HTML".to_owned(),
                });
            }
            Ok(TagList {
                tags: [Tag::parse("1.5.0").unwrap()].into(),
                order: TagOrder::Unsorted,
            })
        });
        Self::with(Arc::new(client), lists, following("^1.5"))
    }

    fn with(
        client: Arc<dyn RegistryClient>,
        lists: Arc<AtomicUsize>,
        later: Arc<Resources>,
    ) -> Self {
        let verifier = Arc::new(MockSignatureVerifier::new());
        let registry = Registry::new(client, verifier, NonZeroUsize::new(4).unwrap());
        let reader = Arc::new(Edited {
            current: Mutex::new(following("^1")),
            later: Mutex::new([later].into()),
            bell: tokio::sync::Notify::new(),
        });
        let ports = Ports {
            queue: Arc::new(NoDeliveries),
            reader: Arc::clone(&reader) as _,
            trigger: None,
            pace: Arc::new(MockPace::new()),
            spread: None,
            registry: Some(Arc::new(registry)),
        };
        let updater = Arc::new(Updater::new(ports, terms(Confirm::Registry)));
        let (close, closing) = watch::channel(false);
        let running = Arc::clone(&updater);
        Self {
            lists,
            reader,
            updater,
            working: tokio::spawn(async move { running.run(closing).await }),
            _close: close,
        }
    }

    fn polling(&self, rhythm: Rhythm, leading: Option<watch::Receiver<bool>>) -> Polling {
        Polling::new(Arc::clone(&self.updater), rhythm, leading, Box::new(|| 0.5))
    }

    /// How many lists were asked for while so many seconds pass.
    async fn lists_within(&self, seconds: u64, polling: &mut JoinHandle<Option<Looked>>) -> usize {
        let before = self.lists.load(Ordering::SeqCst);
        let passing = Duration::from_secs(seconds);
        assert!(timeout(passing, polling).await.is_err(), "it has ended");
        self.lists.load(Ordering::SeqCst) - before
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.working.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn once_is_once_and_tells_what_came_of_it() {
    let world = World::new(0);
    let looked = world
        .polling(Rhythm::Once, None)
        .run(ready())
        .await
        .unwrap();
    let expected = Looked {
        considered: 1,
        changed: 0,
        failed: 0,
    };
    assert_eq!((looked, world.lists.load(Ordering::SeqCst)), (expected, 1));
    let failing = World::new(1);
    let looked = failing.polling(Rhythm::Once, None).run(ready()).await;
    assert_eq!(looked.unwrap().failed, 1);
}

#[tokio::test(start_paused = true)]
async fn an_interval_is_kept_whatever_fails() {
    let world = World::new(2);
    let polling = world.polling(Rhythm::Every(Duration::from_secs(120)), None);
    let mut polling = tokio::spawn(polling.run(ready()));
    assert_eq!(world.lists_within(1, &mut polling).await, 1);
    assert_eq!(world.lists_within(600, &mut polling).await, 5);
}

#[tokio::test(start_paused = true)]
async fn only_a_leader_looks() {
    let world = World::new(0);
    let (lead, leading) = watch::channel(false);
    let polling = world.polling(Rhythm::Every(Duration::from_secs(60)), Some(leading));
    let mut polling = tokio::spawn(polling.run(ready()));
    assert_eq!(world.lists_within(600, &mut polling).await, 0);
    lead.send_replace(true);
    assert_eq!(world.lists_within(90, &mut polling).await, 2);
    lead.send_replace(false);
    assert_eq!(world.lists_within(600, &mut polling).await, 0);
    lead.send_replace(true);
    assert_eq!(world.lists_within(1, &mut polling).await, 1);
}

#[tokio::test(start_paused = true)]
async fn an_edited_image_updater_is_looked_at_at_once() {
    for rhythm in [Rhythm::OnEdit, Rhythm::Every(Duration::from_secs(3600))] {
        let world = World::new(0);
        let mut polling = tokio::spawn(world.polling(rhythm, None).run(ready()));
        assert_eq!(world.lists_within(600, &mut polling).await, 1);
        world.reader.bell.notify_one();
        assert_eq!(world.lists_within(1, &mut polling).await, 1, "{rhythm:?}");
        assert_eq!(world.lists_within(600, &mut polling).await, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn an_edit_does_not_wait_for_the_end_of_a_long_look() {
    let mut edited = Resources::clone(&following("^1"));
    edited.updaters.push({
        let mut other = ImageUpdater::clone(&edited.updaters[0]);
        other.id = id("other");
        other.applications[0].name_pattern = "shop".to_owned();
        other.applications[0].images[0].image_name = "quay.io/a/c:^1".to_owned();
        Arc::new(other)
    });
    edited.applications.push({
        let web = resources("quay.io/a/c:1.5.0", "", "semver");
        let mut shop = Application::clone(&web.applications[0]);
        shop.id = id("shop");
        Arc::new(shop)
    });
    let edited = Arc::new(edited);
    for rhythm in [Rhythm::OnEdit, Rhythm::Every(Duration::from_secs(3600))] {
        let lists = Arc::new(AtomicUsize::new(0));
        let client = Arc::new(Hanging(Arc::clone(&lists)));
        let world = World::with(client, lists, Arc::clone(&edited));
        let mut polling = tokio::spawn(world.polling(rhythm, None).run(ready()));
        assert_eq!(world.lists_within(60, &mut polling).await, 1);
        world.reader.bell.notify_one();
        assert_eq!(world.lists_within(1, &mut polling).await, 1, "{rhythm:?}");
        polling.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn who_leads_no_longer_gives_up_what_it_looks_at() {
    let lists = Arc::new(AtomicUsize::new(0));
    let client = Arc::new(Hanging(Arc::clone(&lists)));
    let world = World::with(client, lists, following("^1.5"));
    let (lead, leading) = watch::channel(true);
    let polling = world.polling(Rhythm::Every(Duration::from_secs(60)), Some(leading));
    let mut polling = tokio::spawn(polling.run(ready()));
    assert_eq!(world.lists_within(600, &mut polling).await, 1);
    lead.send_replace(false);
    assert_eq!(world.lists_within(600, &mut polling).await, 0);
    lead.send_replace(true);
    let again = world.lists_within(1, &mut polling).await;
    assert_eq!(again, 1, "it waits behind a look that nobody wants");
}

#[tokio::test(start_paused = true)]
async fn where_no_next_look_comes_one_that_failed_is_repeated() {
    for rhythm in [Rhythm::AtStart, Rhythm::OnEdit] {
        let world = World::new(3);
        let mut polling = tokio::spawn(world.polling(rhythm, None).run(ready()));
        // After 60, 120 and 240 seconds, the last of which works.
        assert_eq!(world.lists_within(50, &mut polling).await, 1, "{rhythm:?}");
        assert_eq!(world.lists_within(100, &mut polling).await, 1);
        assert_eq!(world.lists_within(100, &mut polling).await, 1);
        assert_eq!(world.lists_within(300, &mut polling).await, 1);
        assert_eq!(world.lists_within(100_000, &mut polling).await, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn never_is_never() {
    let world = World::new(0);
    let mut polling = tokio::spawn(world.polling(Rhythm::Never, None).run(ready()));
    assert_eq!(world.lists_within(100_000, &mut polling).await, 0);
}
