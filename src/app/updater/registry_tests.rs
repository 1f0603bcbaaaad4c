//! The updater with registries: what it asks, when it asks again, and what it does meanwhile.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::task::Task;
use super::tests::batch;
use super::tests::resources;
use super::tests::terms;
use super::tests::updater;
use super::*;
use crate::domain::reference::Digest;
use crate::domain::reference::ImageName;
use crate::domain::reference::Tag;
use crate::domain::registry::access::Access;
use crate::domain::registry::answer::Answer;
use crate::domain::registry::answer::Build;
use crate::domain::registry::answer::TagList;
use crate::domain::registry::answer::TagOrder;
use crate::domain::registry::question::BuildQuestion;
use crate::domain::registry::question::Question;
use crate::ports::registry_client::MockRegistryClient;
use crate::ports::registry_client::RegistryClient;
use crate::ports::registry_client::RegistryError;
use crate::ports::signature_verifier::MockSignatureVerifier;
use crate::ports::update_trigger::MockUpdateTrigger;

pub(super) fn asking(client: MockRegistryClient, confirm: Confirm, updater: Updater) -> Updater {
    let verifier = Arc::new(MockSignatureVerifier::new());
    let registry = Registry::new(Arc::new(client), verifier, NonZeroUsize::new(2).unwrap());
    let mut updater = Updater {
        terms: terms(confirm),
        ..updater
    };
    updater.ports.registry = Some(Arc::new(registry));
    updater
}

/// What is said of a registry that does not answer for now.
pub(super) fn away() -> RegistryError {
    RegistryError::Unavailable {
        registry: "quay.io".to_owned(),
        reason: "500".to_owned(),
        retry_after: None,
    }
}

pub(super) fn digest() -> Digest {
    Digest::parse(&format!("sha256:{}", "a".repeat(64))).unwrap()
}

pub(super) fn writes(times: usize) -> MockUpdateTrigger {
    let mut trigger = MockUpdateTrigger::new();
    trigger
        .expect_apply()
        .times(times)
        .returning(|changes| vec![Ok(()); changes.len()]);
    trigger
}

pub(super) fn follows(policy: &str) -> Vec<Arc<crate::domain::resources::Resources>> {
    vec![resources("quay.io/a/b:1.5.0", policy, "semver")]
}

/// Takes in what comes next.
pub(super) async fn take_next(updater: &Updater) {
    let incoming = updater.asking.next().await;
    updater.take_in(incoming).await;
}

/// Lets time pass until nothing waits any more.
pub(super) async fn give_up(updater: &Updater) {
    while !updater.is_idle() {
        tokio::time::advance(Duration::from_secs(1)).await;
        updater.work_on_next(false).await;
        if updater.asking.has_events() {
            take_next(updater).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_costs_one_question_and_what_the_policy_refuses_none() {
    let mut client = MockRegistryClient::new();
    client
        .expect_digest()
        .once()
        .withf(|_, tag| tag.as_str() == "1.6.0")
        .returning(|_, _| Ok(Some(digest())));
    let updater = updater(2, writes(1), follows("quay.io/a/b:^1"));
    let updater = asking(client, Confirm::Registry, updater);
    updater.examine(batch(&["quay.io/a/b:2.0.0"])).await;
    updater.examine(batch(&["quay.io/a/b:1.6.0"])).await;
    take_next(&updater).await;
    updater.work_on_next(false).await;
    assert_eq!(updater.unfinished(), []);
}

#[tokio::test(start_paused = true)]
async fn a_tag_that_is_not_there_yet_is_asked_for_again() {
    let mut client = MockRegistryClient::new();
    let mut asked = 0;
    client.expect_digest().times(3).returning(move |_, _| {
        asked += 1;
        Ok((asked == 3).then(digest))
    });
    let updater = updater(1, writes(1), follows("quay.io/a/b:^1"));
    let updater = asking(client, Confirm::Registry, updater);
    updater.examine(batch(&["quay.io/a/b:1.6.0"])).await;
    take_next(&updater).await;
    for wait in [1, 2] {
        updater.work_on_next(false).await; // too soon
        tokio::time::advance(Duration::from_secs(wait)).await;
        updater.work_on_next(false).await;
        take_next(&updater).await;
    }
    updater.work_on_next(false).await;
    assert_eq!(updater.unfinished(), []);
}

#[tokio::test(start_paused = true)]
async fn a_tag_that_never_appears_is_given_up() {
    let mut client = MockRegistryClient::new();
    client.expect_digest().returning(|_, _| Ok(None));
    let updater = updater(1, writes(0), follows("quay.io/a/b:^1"));
    let updater = asking(client, Confirm::Registry, updater);
    updater.examine(batch(&["quay.io/a/b:1.6.0"])).await;
    take_next(&updater).await;
    let begun = tokio::time::Instant::now();
    give_up(&updater).await;
    let waited = begun.elapsed();
    assert!((60..=130).contains(&waited.as_secs()), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_registry_that_refuses_is_asked_once_and_one_that_is_away_for_ten_minutes() {
    for (error, least, most) in [
        (
            RegistryError::Denied {
                registry: "quay.io".to_owned(),
                reason: "401".to_owned(),
            },
            0,
            0,
        ),
        (away(), 400, 900),
    ] {
        let mut client = MockRegistryClient::new();
        client
            .expect_digest()
            .returning(move |_, _| Err(error.clone()));
        let updater = updater(1, writes(0), follows("quay.io/a/b:^1"));
        let updater = asking(client, Confirm::Registry, updater);
        updater.examine(batch(&["quay.io/a/b:1.6.0"])).await;
        take_next(&updater).await;
        let begun = tokio::time::Instant::now();
        give_up(&updater).await;
        let waited = begun.elapsed().as_secs();
        assert!((least..=most).contains(&waited), "{waited} s");
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_registry_holds_up_no_other_image_and_newer_events_wait_behind() {
    let (gate, is_open) = watch::channel(false);
    let client = SlowClient { gate: is_open };
    let verifier = Arc::new(MockSignatureVerifier::new());
    let registry = Registry::new(Arc::new(client), verifier, NonZeroUsize::new(2).unwrap());
    let mut updater = updater(4, writes(2), follows("quay.io/a/b:^1"));
    updater.terms = terms(Confirm::Registry);
    updater.ports.registry = Some(Arc::new(registry));
    updater.examine(batch(&["quay.io/a/b:1.6.0"])).await;
    // Another image ends while the first one's question is open.
    updater.examine(batch(&["quay.io/a/other:1.6.0"])).await;
    for tags in [
        &["quay.io/a/b:1.6.0", "quay.io/a/b:1.7.0"][..],
        &["quay.io/a/b:1.7.0"],
    ] {
        updater.examine(batch(tags)).await;
    }
    gate.send_replace(true);
    take_next(&updater).await; // what was asked first is answered, and what waits behind it is asked
    updater.work_on_next(false).await;
    assert!(!updater.is_idle());
    take_next(&updater).await;
    tokio::time::advance(Duration::from_secs(1)).await;
    updater.work_on_next(false).await;
    assert_eq!(updater.unfinished(), []);
}

#[tokio::test(start_paused = true)]
async fn what_waits_behind_a_question_is_left_over_with_it() {
    let (_gate, gate) = watch::channel(false);
    let verifier = Arc::new(MockSignatureVerifier::new());
    let client = Arc::new(SlowClient { gate });
    let registry = Registry::new(client, verifier, NonZeroUsize::MIN);
    let mut updater = updater(0, writes(0), follows("quay.io/a/b:^1"));
    updater.terms = terms(Confirm::Registry);
    updater.ports.registry = Some(Arc::new(registry));
    let events = [batch(&["quay.io/a/b:1.6.0"]), batch(&["quay.io/a/b:1.7.0"])];
    for batch in &events {
        updater.examine(batch.clone()).await;
    }
    assert_eq!(updater.unfinished(), events);
}

#[tokio::test(start_paused = true)]
async fn a_registry_that_was_away_gets_its_time_to_show_a_tag() {
    let mut client = MockRegistryClient::new();
    let begun = tokio::time::Instant::now();
    client
        .expect_digest()
        .returning(move |_, _| match begun.elapsed().as_secs() {
            0..100 => Err(away()),
            100..140 => Ok(None),
            _ => Ok(Some(digest())),
        });
    let updater = updater(1, writes(1), follows("quay.io/a/b:^1"));
    let updater = asking(client, Confirm::Registry, updater);
    updater.examine(batch(&["quay.io/a/b:1.6.0"])).await;
    take_next(&updater).await;
    give_up(&updater).await;
}

#[tokio::test(start_paused = true)]
async fn a_look_with_many_questions_leaves_room_for_a_delivery() {
    let mut client = MockRegistryClient::new();
    client.expect_digest().once().returning(|_, _| Ok(None));
    // Whoever asks for a list waits for ever.
    let (_gate, closed) = watch::channel(false);
    let client = SlowLists {
        client,
        gate: closed,
    };
    let verifier = Arc::new(MockSignatureVerifier::new());
    let registry = Arc::new(Registry::new(
        Arc::new(client),
        verifier,
        NonZeroUsize::new(4).unwrap(),
    ));
    let question = |name: usize, question: Question| {
        let image = ImageName::parse(&format!("quay.io/a/{name}")).unwrap();
        (Access::plain(image), BTreeSet::from([question]))
    };
    let lists = (0..9).map(|name| question(name, Question::Tags)).collect();
    let looking = Arc::clone(&registry);
    let at_many = Task::look(ImageName::parse("quay.io/a/0").unwrap(), None).batch;
    let look = tokio::spawn(async move { looking.answers(lists, &at_many).await });
    tokio::task::yield_now().await;
    let tag = Question::Digest(Tag::parse("1").unwrap());
    let pushed = batch(&["quay.io/a/9:1"]);
    let learned = registry.answers([question(9, tag)].into(), &pushed).await;
    assert_eq!(learned[0].2, Ok(Answer::Digest(None)));
    look.abort();
}

#[tokio::test(start_paused = true)]
async fn answers_that_lay_about_for_long_are_asked_for_again() {
    let mut client = MockRegistryClient::new();
    client
        .expect_digest()
        .times(2)
        .returning(|_, _| Ok(Some(digest())));
    let updater = updater(1, writes(1), follows("quay.io/a/b:^1"));
    let updater = asking(client, Confirm::Registry, updater);
    updater.examine(batch(&["quay.io/a/b:1.6.0"])).await;
    let answers = updater.asking.next().await;
    tokio::time::advance(Duration::from_secs(31)).await;
    updater.take_in(answers).await;
    take_next(&updater).await;
    updater.work_on_next(false).await;
    assert_eq!(updater.unfinished(), []);
}

#[tokio::test(start_paused = true)]
async fn questions_that_take_long_one_after_the_other_are_asked_once() {
    let mut task = Task::of(batch(&["quay.io/a/b:1.6.0"]));
    for _ in 0..3 {
        task.learn(Vec::new(), tokio::time::Instant::now());
        assert!(!task.forget_old());
        tokio::time::advance(Duration::from_secs(29)).await;
    }
    assert!(!task.forget_old());
    tokio::time::advance(Duration::from_secs(2)).await;
    assert!(task.forget_old());
}

#[tokio::test(start_paused = true)]
async fn a_look_that_nobody_wants_any_more_is_not_made() {
    let updater = updater(0, writes(0), follows("quay.io/a/b:^1"));
    let updater = asking(MockRegistryClient::new(), Confirm::Registry, updater);
    drop(updater.look(ImageName::parse("quay.io/a/b").unwrap()));
    take_next(&updater).await;
    assert!(
        !updater
            .asking
            .is_open(&Task::look(ImageName::parse("quay.io/a/b").unwrap(), None).key())
    );
}

/// A registry that lists nothing before a gate is opened.
struct SlowLists {
    client: MockRegistryClient,
    gate: watch::Receiver<bool>,
}

#[async_trait::async_trait]
impl RegistryClient for SlowLists {
    async fn tags(&self, access: &Access) -> Result<TagList, RegistryError> {
        let mut gate = self.gate.clone();
        gate.wait_for(|open| *open).await.unwrap();
        self.client.tags(access).await
    }

    async fn digest(&self, access: &Access, tag: &Tag) -> Result<Option<Digest>, RegistryError> {
        self.client.digest(access, tag).await
    }

    async fn build(
        &self,
        access: &Access,
        question: &BuildQuestion,
    ) -> Result<Option<Build>, RegistryError> {
        self.client.build(access, question).await
    }
}

/// A registry that has every tag and answers when a gate is opened.
struct SlowClient {
    gate: watch::Receiver<bool>,
}

#[async_trait::async_trait]
impl RegistryClient for SlowClient {
    async fn tags(&self, _: &Access) -> Result<TagList, RegistryError> {
        Ok(list(&[]))
    }

    async fn digest(&self, _: &Access, _: &Tag) -> Result<Option<Digest>, RegistryError> {
        let mut gate = self.gate.clone();
        gate.wait_for(|open| *open).await.unwrap();
        Ok(Some(digest()))
    }

    async fn build(&self, _: &Access, _: &BuildQuestion) -> Result<Option<Build>, RegistryError> {
        Ok(None)
    }
}

fn list(tags: &[&str]) -> TagList {
    TagList {
        tags: tags.iter().map(|tag| Tag::parse(tag).unwrap()).collect(),
        order: TagOrder::Unsorted,
    }
}

fn lists(times: usize, tags: &'static [&'static str]) -> MockRegistryClient {
    let mut client = MockRegistryClient::new();
    client
        .expect_tags()
        .times(times)
        .returning(|_| Ok(list(tags)));
    client
}

#[tokio::test(start_paused = true)]
async fn a_look_changes_what_is_behind_and_says_what_it_did() {
    let updater = updater(0, writes(1), follows("quay.io/a/b:^1"));
    let updater = asking(
        lists(1, &["1.5.0", "1.6.0", "2.0.0"]),
        Confirm::Event,
        updater,
    );
    let image = ImageName::parse("quay.io/a/b").unwrap();
    let mut looked = updater.look(image.clone());
    take_next(&updater).await; // asks
    take_next(&updater).await; // is answered
    assert!(looked.try_recv().is_err());
    updater.work_on_next(false).await;
    let expected = Looked {
        considered: 1,
        changed: 1,
        failed: 0,
    };
    assert_eq!(looked.try_recv(), Ok(expected));
    assert_eq!(updater.tracked_images(None), BTreeSet::from([image]));
}

#[tokio::test(start_paused = true)]
async fn a_look_that_fails_is_not_repeated() {
    let mut client = MockRegistryClient::new();
    client.expect_tags().once().returning(|_| Err(away()));
    let updater = updater(0, writes(0), follows("quay.io/a/b:^1"));
    let updater = asking(client, Confirm::Event, updater);
    let mut looked = updater.look(ImageName::parse("quay.io/a/b").unwrap());
    take_next(&updater).await;
    take_next(&updater).await;
    let expected = Looked {
        considered: 1,
        changed: 0,
        failed: 1,
    };
    assert_eq!(looked.try_recv(), Ok(expected));
    assert!(updater.is_idle());
}

#[tokio::test(start_paused = true)]
async fn a_rescan_takes_an_event_for_a_hint() {
    let updater = updater(1, writes(1), follows("quay.io/a/b:^1"));
    let updater = asking(lists(1, &["1.5.0", "1.9.0"]), Confirm::Rescan, updater);
    updater.examine(batch(&["quay.io/a/b:anything"])).await;
    take_next(&updater).await;
    updater.work_on_next(false).await;
    assert_eq!(updater.unfinished(), []);
}

#[tokio::test(start_paused = true)]
async fn what_waited_for_long_is_asked_for_again_before_it_is_done() {
    let mut client = MockRegistryClient::new();
    client
        .expect_digest()
        .times(2)
        .returning(|_, _| Ok(Some(digest())));
    let updater = updater(1, writes(1), follows("quay.io/a/b:^1"));
    let updater = asking(client, Confirm::Registry, updater);
    updater.examine(batch(&["quay.io/a/b:1.6.0"])).await;
    take_next(&updater).await;
    tokio::time::advance(Duration::from_secs(3600)).await;
    updater.work_on_next(false).await; // asks again, and holds up nobody meanwhile
    take_next(&updater).await;
    assert_eq!(
        updater.needs_turn(false),
        (false, false),
        "it has had its turns"
    );
    updater.work_on_next(false).await;
    assert_eq!(updater.unfinished(), []);
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_again_after_its_turn_goes_before_all_others() {
    let mut client = MockRegistryClient::new();
    client.expect_digest().returning(|_, _| Ok(Some(digest())));
    let updater = updater(1, writes(1), follows("quay.io/a/b:^1"));
    let updater = asking(client, Confirm::Registry, updater);
    updater.examine(batch(&["quay.io/a/b:1.6.0"])).await;
    take_next(&updater).await;
    tokio::time::advance(Duration::from_secs(3600)).await;
    updater.work_on_next(false).await; // asks again
    let other = Task::of(batch(&["quay.io/a/other:1.6.0"]));
    lock(&updater.backlog).add(other);
    take_next(&updater).await;
    let first = lock(&updater.backlog).take(false).unwrap();
    assert_eq!(first.batch, batch(&["quay.io/a/b:1.6.0"]));
    lock(&updater.backlog).go_first(first);
    updater.work_on_next(false).await;
    assert_eq!(updater.unfinished(), [batch(&["quay.io/a/other:1.6.0"])]);
}

#[tokio::test(start_paused = true)]
async fn edited_image_updaters_are_told_of() {
    let seen = vec![
        resources("quay.io/a/b:1.5.0", "quay.io/a/b:^1", "semver"),
        resources("quay.io/a/b:1.6.0", "quay.io/a/b:^1", "semver"),
        resources("quay.io/a/b:1.6.0", "quay.io/a/b:^2", "semver"),
    ];
    let updater = updater(0, writes(0), seen);
    assert_eq!(updater.image_updaters().len(), 1);
    assert_eq!(updater.edits.take().len(), 1, "it is new");
    updater.refresh();
    assert_eq!(
        updater.edits.take().len(),
        0,
        "the Application alone is another"
    );
    updater.refresh();
    assert_eq!(updater.edited().await, updater.image_updaters());
}

#[tokio::test(start_paused = true)]
async fn what_is_new_is_no_edit_where_everything_is_about_to_be_looked_at() {
    let updater = updater(0, writes(0), follows("quay.io/a/b:^1"));
    updater.forget_edits();
    assert_eq!(updater.image_updaters().len(), 1);
    assert_eq!(updater.edits.take().len(), 0);
}
