//! The updater on mocks: what it asks of whom, and when.

use std::sync::Arc;
use std::sync::Mutex;

use super::*;
use crate::app::status;
use crate::app::status::Metered;
use crate::domain::change::ApplicationChange;
use crate::domain::change::Edit;
use crate::domain::delivery::DeliveryId;
use crate::domain::event::ImageEvent;
use crate::domain::queue::entry::EntryId;
use crate::domain::queue::entry::QueuedEvent;
use crate::domain::reference::Reference;
use crate::domain::resources::Resources;
use crate::domain::resources::application::Application;
use crate::domain::resources::application::Source;
use crate::domain::resources::application::Sources;
use crate::domain::resources::image_updater::ApplicationRef;
use crate::domain::resources::image_updater::ImageConfig;
use crate::domain::resources::image_updater::ImageUpdater;
use crate::domain::resources::image_updater::UpdateSettings;
use crate::domain::resources::image_updater::WriteBackSettings;
use crate::domain::resources::image_updater_status::ImageUpdaterStatus;
use crate::domain::resources::labels::Labels;
use crate::domain::resources::resource::ResourceId;
use crate::ports::announcer::MockAnnouncer;
use crate::ports::event_queue::MockEventQueue;
use crate::ports::meter::MockMeter;
use crate::ports::pace::MockPace;
use crate::ports::resource_reader::MockResourceReader;
use crate::ports::status_writer::MockStatusWriter;
use crate::ports::update_trigger::MockUpdateTrigger;
use crate::ports::update_trigger::TriggerError;

pub(super) fn id(name: &str) -> ResourceId {
    ResourceId {
        namespace: "argocd".to_owned(),
        name: name.to_owned(),
    }
}

/// The Application `web` that runs `image`, and an ImageUpdater that has it follow `policy` by `strategy`.
pub(in crate::app) fn resources(image: &str, policy: &str, strategy: &str) -> Arc<Resources> {
    let source = Source {
        kustomize: Some(vec![image.to_owned()]),
        ..Source::default()
    };
    let application = Application {
        id: id("web"),
        labels: Labels::default(),
        annotations: Labels::default(),
        sources: Sources::Single(source),
        status: None,
    };
    let image = ImageConfig {
        alias: "main".to_owned(),
        image_name: policy.to_owned(),
        settings: UpdateSettings {
            strategy: Some(strategy.to_owned()),
            ..Default::default()
        },
        ..ImageConfig::default()
    };
    let updater = ImageUpdater {
        id: id("updater"),
        created: None,
        generation: None,
        applications: vec![ApplicationRef {
            name_pattern: "web".to_owned(),
            images: vec![image],
            ..ApplicationRef::default()
        }],
        settings: UpdateSettings::default(),
        write_back: WriteBackSettings::default(),
        verification: None,
        status: ImageUpdaterStatus::default(),
    };
    Arc::new(Resources {
        updaters: vec![Arc::new(updater)],
        applications: vec![Arc::new(application)],
    })
}

pub(super) fn batch(events: &[&str]) -> Batch {
    let queued = |text: &&str| {
        let reference = Reference::parse(text).unwrap();
        let event = ImageEvent {
            image: reference.name().clone(),
            tag: reference.tag().unwrap().clone(),
            digest: reference.digest().cloned(),
        };
        QueuedEvent {
            entry: EntryId(0),
            event,
            delivery: DeliveryId::new("d".to_owned()),
            at: std::time::SystemTime::UNIX_EPOCH,
            trace: None,
        }
    };
    let events: Vec<QueuedEvent> = events.iter().map(queued).collect();
    Batch {
        image: events[0].event.image.clone(),
        events,
    }
}

/// An updater whose queue must be told of the end of so many batches, and which sees one of `seen` after the other, the last for good.
pub(super) fn updater(
    done: usize,
    trigger: MockUpdateTrigger,
    seen: Vec<Arc<Resources>>,
) -> Updater {
    let mut queue = MockEventQueue::new();
    queue.expect_done().times(done).return_const(());
    queue.expect_is_kept().return_const(true);
    let mut reader = MockResourceReader::new();
    reader.expect_is_current().return_const(true);
    let seen = Mutex::new(seen);
    reader.expect_current().returning(move || {
        let mut seen = seen.lock().unwrap();
        if seen.len() > 1 {
            seen.remove(0)
        } else {
            Arc::clone(&seen[0])
        }
    });
    let ports = Ports {
        queue: Arc::new(queue),
        reader: Arc::new(reader),
        trigger: Some(Arc::new(trigger)),
        pace: Arc::new(MockPace::new()),
        spread: None,
        registry: None,
    };
    Updater::new(ports, terms(Confirm::Event))
}

/// Events are believed.
pub(in crate::app) fn terms(confirm: Confirm) -> Terms {
    Terms {
        confirm,
        never_downgrade: false,
        credential_kinds: Vec::new(),
        registries: None,
        is_durable: false,
    }
}

fn edit(expected: &str, value: &str) -> Edit {
    Edit::KustomizeImage {
        expected: Some(expected.to_owned()),
        value: value.to_owned(),
    }
}

fn is_edit(expected: &'static str, value: &'static str) -> impl Fn(&[ApplicationChange]) -> bool {
    move |changes| {
        let [change] = changes else { return false };
        change.application == id("web") && change.edits == [edit(expected, value)]
    }
}

#[tokio::test(start_paused = true)]
async fn what_changes_nothing_ends_where_it_came_in() {
    let mut trigger = MockUpdateTrigger::new();
    trigger.expect_apply().never();
    let updater = updater(
        3,
        trigger,
        vec![resources("quay.io/a/b:1.5.0", "quay.io/a/b:^1", "semver")],
    );
    for event in [
        "quay.io/a/other:1.6.0",
        "quay.io/a/b:1.4.0",
        "quay.io/a/b:2.0.0",
    ] {
        updater.examine(batch(&[event])).await;
    }
    assert_eq!(updater.unfinished(), []);
}

#[tokio::test(start_paused = true)]
async fn a_change_waits_for_its_turn_and_newer_events_join_it() {
    let mut trigger = MockUpdateTrigger::new();
    trigger
        .expect_apply()
        .once()
        .withf(is_edit("quay.io/a/b:1.5.0", "quay.io/a/b:1.7.0"))
        .returning(|_| vec![Ok(())]);
    let updater = updater(
        1,
        trigger,
        vec![resources("quay.io/a/b:1.5.0", "quay.io/a/b:^1", "semver")],
    );
    updater.examine(batch(&["quay.io/a/b:1.6.0"])).await;
    updater.examine(batch(&["quay.io/a/b:1.7.0"])).await;
    updater.work_on_next(false).await;
    assert_eq!(updater.unfinished(), []);
}

#[tokio::test(start_paused = true)]
async fn what_another_process_has_by_now_is_left_to_it() {
    let mut trigger = MockUpdateTrigger::new();
    trigger.expect_apply().never();
    let seen = resources("quay.io/a/b:1.5.0", "quay.io/a/b:^1", "semver");
    let mut updater = updater(0, trigger, vec![seen]);
    let waiting = batch(&["quay.io/a/b:1.6.0"]);
    let mut queue = MockEventQueue::new();
    queue.expect_done().never();
    queue
        .expect_is_kept()
        .once()
        .with(mockall::predicate::eq(waiting.clone()))
        .return_const(false);
    updater.ports.queue = Arc::new(queue);
    updater.examine(waiting).await;
    updater.work_on_next(false).await;
    assert_eq!(updater.unfinished(), []);
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_ends_without_a_trigger_and_starts_anew_with_the_next_event() {
    let mut trigger = MockUpdateTrigger::new();
    trigger.expect_apply().never();
    let mut updater = updater(
        2,
        trigger,
        vec![resources("quay.io/a/b:1.5.0", "quay.io/a/b:^1", "semver")],
    );
    updater.ports.trigger = None;
    for _ in 0..2 {
        updater.examine(batch(&["quay.io/a/b:1.6.0"])).await;
        assert_eq!(updater.unfinished(), [batch(&["quay.io/a/b:1.6.0"])]);
        updater.examine(batch(&["quay.io/a/b:1.6.0"])).await;
        updater.work_on_next(false).await;
        assert_eq!(updater.unfinished(), []);
    }
}

#[tokio::test(start_paused = true)]
async fn an_application_that_moved_is_judged_again() {
    let mut trigger = MockUpdateTrigger::new();
    let moved = TriggerError::Moved {
        reason: "somebody else wrote 1.5.5".to_owned(),
    };
    trigger
        .expect_apply()
        .once()
        .withf(is_edit("quay.io/a/b:1.5.0", "quay.io/a/b:1.6.0"))
        .return_once(|_| vec![Err(moved)]);
    trigger
        .expect_apply()
        .once()
        .withf(is_edit("quay.io/a/b:1.5.5", "quay.io/a/b:1.6.0"))
        .returning(|_| vec![Ok(())]);
    let old = resources("quay.io/a/b:1.5.0", "quay.io/a/b:^1", "semver");
    let new = resources("quay.io/a/b:1.5.5", "quay.io/a/b:^1", "semver");
    let updater = updater(1, trigger, vec![Arc::clone(&old), old, new]);
    updater.examine(batch(&["quay.io/a/b:1.6.0"])).await;
    updater.work_on_next(false).await;
    assert_eq!(updater.unfinished(), []);
}

/// The Applications `web` and `shop`, which run these images.
fn two(web: &str, shop: &str) -> Arc<Resources> {
    let mut both = Resources::clone(&resources(web, "quay.io/a/b:^1", "semver"));
    let other = resources(shop, "quay.io/a/b:^1", "semver");
    both.applications.push(Arc::new(Application {
        id: id("shop"),
        ..Application::clone(&other.applications[0])
    }));
    let mut updater = ImageUpdater::clone(&both.updaters[0]);
    updater.applications[0].name_pattern = "*".to_owned();
    both.updaters = vec![Arc::new(updater)];
    Arc::new(both)
}

#[tokio::test(start_paused = true)]
async fn all_changes_of_a_decision_are_made_at_once_and_only_those_that_moved_again() {
    let mut trigger = MockUpdateTrigger::new();
    trigger
        .expect_apply()
        .once()
        .withf(|changes| changes.len() == 2)
        .returning(|changes| {
            let moved = || TriggerError::Moved {
                reason: "somebody else wrote 1.5.5".to_owned(),
            };
            let one = |change: &ApplicationChange| {
                let is_there = change.application != id("web");
                is_there.then_some(()).ok_or_else(moved)
            };
            changes.iter().map(one).collect()
        });
    trigger
        .expect_apply()
        .once()
        .withf(is_edit("quay.io/a/b:1.5.5", "quay.io/a/b:1.6.0"))
        .returning(|_| vec![Ok(())]);
    let old = two("quay.io/a/b:1.5.0", "quay.io/a/b:1.4.0");
    let new = two("quay.io/a/b:1.5.5", "quay.io/a/b:1.6.0");
    let updater = updater(1, trigger, vec![Arc::clone(&old), old, new]);
    updater.examine(batch(&["quay.io/a/b:1.6.0"])).await;
    updater.work_on_next(false).await;
    assert_eq!(updater.unfinished(), []);
}

#[tokio::test(start_paused = true)]
async fn what_fails_for_now_is_tried_again_and_what_fails_for_good_is_not() {
    let mut trigger = MockUpdateTrigger::new();
    let unavailable = TriggerError::Unavailable {
        reason: "the disk is busy".to_owned(),
    };
    trigger
        .expect_apply()
        .once()
        .return_once(|_| vec![Err(unavailable)]);
    let refused = TriggerError::Refused {
        reason: "read-only".to_owned(),
    };
    trigger
        .expect_apply()
        .once()
        .return_once(|_| vec![Err(refused)]);
    let updater = updater(
        1,
        trigger,
        vec![resources("quay.io/a/b:1.5.0", "quay.io/a/b:^1", "semver")],
    );
    updater.examine(batch(&["quay.io/a/b:1.6.0"])).await;
    updater.work_on_next(false).await;
    updater.work_on_next(false).await; // it rests
    tokio::time::advance(std::time::Duration::from_secs(1)).await;
    updater.work_on_next(false).await;
    assert_eq!(updater.unfinished(), []);
}

/// An updater that may take so many turns.
fn paced(turns: usize, updater: Updater) -> Updater {
    let mut pace = MockPace::new();
    pace.expect_turn().times(turns).return_const(());
    let ports = Ports {
        pace: Arc::new(pace),
        ..updater.ports
    };
    Updater { ports, ..updater }
}

#[tokio::test(start_paused = true)]
async fn work_that_failed_for_now_takes_no_second_turn() {
    let mut trigger = MockUpdateTrigger::new();
    trigger.expect_apply().once().returning(|_| {
        let reason = "the disk is busy".to_owned();
        vec![Err(TriggerError::Unavailable { reason })]
    });
    trigger.expect_apply().once().returning(|_| vec![Ok(())]);
    let seen = vec![resources("quay.io/a/b:1.5.0", "quay.io/a/b:^1", "semver")];
    let updater = paced(1, updater(1, trigger, seen));
    updater.refresh();
    updater.examine(batch(&["quay.io/a/b:1.6.0"])).await;
    for _ in 0..2 {
        updater.turn(false).await;
        updater.work_on_next(false).await;
    }
    assert_eq!(updater.unfinished(), []);
}

#[tokio::test(start_paused = true)]
async fn what_leads_to_work_no_more_takes_no_turn() {
    let mut trigger = MockUpdateTrigger::new();
    trigger
        .expect_apply()
        .times(0..=1)
        .returning(|changes| vec![Ok(()); changes.len()]);
    let old = resources("quay.io/a/b:1.5.0", "quay.io/a/b:^1", "semver");
    let new = resources("quay.io/a/b:1.9.0", "quay.io/a/b:^1", "semver");
    let updater = paced(0, updater(1, trigger, vec![old, new]));
    updater.examine(batch(&["quay.io/a/b:1.6.0"])).await;
    updater.refresh();
    updater.turn(false).await;
    updater.work_on_next(false).await;
    assert_eq!(updater.unfinished(), []);
}

/// The updater that is given, and what it has written into statuses and announced: conditions' and Events' reasons.
fn telling(updater: Updater) -> (Updater, Arc<Mutex<Vec<String>>>) {
    let told = Arc::<Mutex<Vec<String>>>::default();
    let (mut writer, mut announcer) = (MockStatusWriter::new(), MockAnnouncer::new());
    let log = Arc::clone(&told);
    writer.expect_write().returning(move |updater, _, after| {
        let error = &after.condition("Error").unwrap().reason;
        let line = format!("{} {error}", updater.name);
        log.lock().unwrap().push(line);
        Ok(())
    });
    let log = Arc::clone(&told);
    announcer.expect_announce().returning(move |announcement| {
        log.lock().unwrap().push(announcement.reason.to_owned());
        Ok(())
    });
    let reporter = Reporter::new(status::Ports {
        reader: Arc::clone(&updater.ports.reader),
        writer: Arc::new(writer),
        announcer: Some(Arc::new(announcer)),
    });
    (updater.reporting_to(reporter), told)
}

/// Works on what waits, as often as it takes, and tells what there is to tell.
async fn work_and_tell(updater: &Updater) {
    let work = async {
        updater.refresh();
        for _ in 0..ATTEMPTS_OF_TESTS {
            updater.work_on_next(false).await;
            tokio::time::sleep(std::time::Duration::from_secs(60)).await;
        }
    };
    updater.reporter.as_ref().unwrap().beside(work).await;
}

/// Enough for what fails for now to be done in the end.
const ATTEMPTS_OF_TESTS: usize = 10;

#[tokio::test(start_paused = true)]
async fn what_was_written_is_told() {
    let mut trigger = MockUpdateTrigger::new();
    trigger.expect_apply().once().returning(|_| vec![Ok(())]);
    let seen = vec![resources("quay.io/a/b:1.5.0", "quay.io/a/b:^1", "semver")];
    let (updater, told) = telling(updater(1, trigger, seen));
    updater.examine(batch(&["quay.io/a/b:1.6.0"])).await;
    work_and_tell(&updater).await;
    // Each goes its own way.
    let mut told = told.lock().unwrap().clone();
    told.sort();
    assert_eq!(told, ["ImagesUpdated", "updater NoErrors"]);
}

#[tokio::test(start_paused = true)]
async fn what_fails_for_now_is_told_when_it_lasts() {
    for (failures, expected) in [
        (2, &["ImagesUpdated"][..]),
        (
            3,
            &["ImageUpdateFailed", "ImagesUpdated", "ImageUpdateRecovered"],
        ),
    ] {
        let mut trigger = MockUpdateTrigger::new();
        trigger.expect_apply().times(failures).returning(|_| {
            let reason = "time-out".to_owned();
            vec![Err(TriggerError::Unavailable { reason })]
        });
        trigger.expect_apply().once().returning(|_| vec![Ok(())]);
        let seen = vec![resources("quay.io/a/b:1.5.0", "quay.io/a/b:^1", "semver")];
        let (updater, told) = telling(updater(1, trigger, seen));
        updater.examine(batch(&["quay.io/a/b:1.6.0"])).await;
        work_and_tell(&updater).await;
        let mut told = told.lock().unwrap().clone();
        told.retain(|line| !line.starts_with("updater "));
        assert_eq!(told, expected, "{failures}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_that_fails_for_now_is_an_error_when_it_is_given_up() {
    for (failures, updated, errors) in [(7, 1, 0), (15, 0, 1)] {
        let mut trigger = MockUpdateTrigger::new();
        trigger.expect_apply().times(failures).returning(|_| {
            let reason = "time-out".to_owned();
            vec![Err(TriggerError::Unavailable { reason })]
        });
        trigger.expect_apply().returning(|_| vec![Ok(())]);
        let mut meter = MockMeter::new();
        meter.expect_applications_watched().return_const(());
        meter.expect_images_watched().return_const(());
        meter
            .expect_images_updated()
            .times(updated)
            .return_const(());
        meter.expect_images_errors().times(errors).return_const(());
        let seen = vec![resources("quay.io/a/b:1.5.0", "quay.io/a/b:^1", "semver")];
        let (mut updater, _) = telling(updater(1, trigger, seen));
        let reporter = updater.reporter.take().unwrap();
        updater.reporter = Some(reporter.metered(Metered {
            meter: Arc::new(meter),
            is_dry: false,
        }));
        updater.examine(batch(&["quay.io/a/b:1.6.0"])).await;
        for _ in 0..2 {
            work_and_tell(&updater).await;
        }
        assert_eq!(updater.unfinished(), []);
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_ends_when_somebody_else_does_what_failed() {
    let mut trigger = MockUpdateTrigger::new();
    trigger.expect_apply().once().returning(|_| {
        let reason = "not accepted".to_owned();
        vec![Err(TriggerError::Refused { reason })]
    });
    let at = |tag: &str| resources(&format!("quay.io/a/b:{tag}"), "quay.io/a/b:^1", "semver");
    let seen = Arc::new(Mutex::new(at("1.5.0")));
    let mut reader = MockResourceReader::new();
    reader.expect_is_current().return_const(true);
    let shown = Arc::clone(&seen);
    reader
        .expect_current()
        .returning(move || Arc::clone(&shown.lock().unwrap()));
    let mut updater = updater(2, trigger, vec![at("1.5.0")]);
    updater.ports.reader = Arc::new(reader);
    let (updater, told) = telling(updater);
    let work = async {
        updater.examine(batch(&["quay.io/a/b:1.6.0"])).await;
        updater.work_on_next(false).await;
        let moment = std::time::Duration::from_secs(60);
        tokio::time::sleep(moment).await;
        // What is still as it was when it failed is no better, whatever else is pushed.
        *seen.lock().unwrap() = at("1.5.0");
        updater.examine(batch(&["quay.io/a/b:1.4.0"])).await;
        tokio::time::sleep(moment).await;
        assert!(
            !told
                .lock()
                .unwrap()
                .contains(&"ImageUpdateRecovered".to_owned())
        );
        *seen.lock().unwrap() = at("1.6.0");
        updater.refresh();
        tokio::time::sleep(moment).await;
    };
    updater.reporter.as_ref().unwrap().beside(work).await;
    let told = told.lock().unwrap().clone();
    let of = |what: &str| -> Vec<_> {
        let lines = told.iter().filter(|line| line.starts_with(what));
        lines.cloned().collect()
    };
    assert_eq!(of("Image"), ["ImageUpdateFailed", "ImageUpdateRecovered"]);
    let last = of("updater ").pop().unwrap();
    assert_eq!(last, "updater NoErrors");
}
