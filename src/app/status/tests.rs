//! The reporter on mocks: what is told, and when.

use std::sync::Arc;

use mockall::Sequence;
use mockall::predicate::eq;

use super::*;
use crate::domain::change::ApplicationChange;
use crate::domain::change::ImageChange;
use crate::domain::judgement::Opinion;
use crate::domain::judgement::Verdict;
use crate::domain::reference::ImageName;
use crate::domain::registry::answer::Failure;
use crate::domain::resources::Resources;
use crate::domain::resources::application::SourcePlace;
use crate::domain::resources::image_updater::ImageUpdater;
use crate::domain::status::announcement::Subject;
use crate::domain::testing::application;
use crate::domain::testing::git_source;
use crate::domain::testing::id;
use crate::domain::testing::reference;
use crate::domain::testing::updater;
use crate::domain::tracking::tally::Tally;
use crate::ports::announcer::MockAnnouncer;
use crate::ports::meter::Meter;
use crate::ports::meter::MockMeter;
use crate::ports::resource_reader::MockResourceReader;
use crate::ports::status_writer::MockStatusWriter;

/// A time in which everything is told that there is to tell.
const LONG: Duration = Duration::from_secs(600);

/// A place with these ImageUpdaters and the Applications `web` and `shop`. What is written is in it.
fn place(updaters: &[&str]) -> Arc<Mutex<Resources>> {
    let updaters = updaters.iter();
    let updaters = updaters.map(|name| Arc::new(updater(name, vec![reference("*", vec![])])));
    let applications = ["web", "shop"].map(|name| Arc::new(application(name, git_source())));
    Arc::new(Mutex::new(Resources {
        updaters: updaters.collect(),
        applications: applications.to_vec(),
    }))
}

fn reader(place: &Arc<Mutex<Resources>>) -> Arc<MockResourceReader> {
    reader_that_is(true, place)
}

fn reader_that_is(current: bool, place: &Arc<Mutex<Resources>>) -> Arc<MockResourceReader> {
    let mut reader = MockResourceReader::new();
    let place = Arc::clone(place);
    reader
        .expect_current()
        .returning(move || Arc::new(place.lock().unwrap().clone()));
    reader.expect_is_current().return_const(current);
    Arc::new(reader)
}

/// What was written, one name of an ImageUpdater for each write.
type Written = Arc<Mutex<Vec<String>>>;

/// A writer that writes, and what it wrote.
fn writer(place: &Arc<Mutex<Resources>>) -> (MockStatusWriter, Written) {
    let mut writer = MockStatusWriter::new();
    let (place, written) = (Arc::clone(place), Written::default());
    let log = Arc::clone(&written);
    writer
        .expect_write()
        .returning(move |updater, before, after| {
            let mut place = place.lock().unwrap();
            let known = place
                .updaters
                .iter_mut()
                .find(|one| one.id == *updater)
                .unwrap();
            assert_eq!(known.status, *before);
            assert_ne!(after, before);
            *known = Arc::new(ImageUpdater {
                status: after.clone(),
                ..ImageUpdater::clone(known)
            });
            log.lock().unwrap().push(updater.name.clone());
            Ok(())
        });
    (writer, written)
}

fn status(place: &Arc<Mutex<Resources>>, name: &str) -> ImageUpdaterStatus {
    let place = place.lock().unwrap();
    let mut updaters = place.updaters.iter();
    updaters
        .find(|one| one.id.name == name)
        .unwrap()
        .status
        .clone()
}

fn reason(place: &Arc<Mutex<Resources>>, name: &str, condition: &str) -> String {
    status(place, name)
        .condition(condition)
        .unwrap()
        .reason
        .clone()
}

fn reporter(
    place: &Arc<Mutex<Resources>>,
    writer: MockStatusWriter,
    announcer: Option<MockAnnouncer>,
) -> Reporter {
    Reporter::new(Ports {
        reader: reader(place),
        writer: Arc::new(writer),
        announcer: announcer.map(|announcer| Arc::new(announcer) as _),
    })
}

fn assessment(applications: u32) -> Assessment {
    Assessment {
        tally: Tally {
            applications,
            images: applications,
            ..Tally::default()
        },
        ..Assessment::default()
    }
}

fn nginx() -> ImageName {
    ImageName::parse("nginx").unwrap()
}

fn change(application: &str, updater: &str) -> ApplicationChange {
    ApplicationChange {
        application: id(application),
        source: SourcePlace::Single,
        edits: Vec::new(),
        images: vec![ImageChange {
            updater: id(updater),
            alias: "nginx".to_owned(),
            image: "nginx".to_owned(),
            old: "1".to_owned(),
            new: "2".to_owned(),
            remark: None,
        }],
    }
}

fn written(changes: &[ApplicationChange]) -> Account {
    Account {
        written: changes.to_vec(),
        ..Account::new(nginx())
    }
}

fn failed(change: ApplicationChange) -> Account {
    Account {
        failed: vec![(change, "forbidden".to_owned())],
        ..Account::new(nginx())
    }
}

/// An announcer that expects these reasons, in this order.
fn announcer(reasons: &[&'static str]) -> MockAnnouncer {
    let mut announcer = MockAnnouncer::new();
    let mut order = Sequence::new();
    for expected in reasons.iter().copied() {
        announcer
            .expect_announce()
            .once()
            .withf(move |announcement| announcement.reason == expected)
            .in_sequence(&mut order)
            .return_const(Ok(()));
    }
    announcer
}

#[tokio::test(start_paused = true)]
async fn a_start_is_one_write_for_each_whatever_is_found_meanwhile() {
    let place = place(&["a", "b"]);
    let (writer, log) = writer(&place);
    let reporter = reporter(&place, writer, None);
    let work = async {
        for applications in 0..10_000 {
            reporter.assessed(&id("a"), Some(assessment(applications)));
            reporter.assessed(&id("b"), Some(assessment(1)));
            tokio::task::yield_now().await;
        }
        tokio::time::sleep(LONG).await;
        // It is another thing to look at, and says the same.
        reporter.assessed(&id("a"), Some(assessment(9_999)));
        tokio::time::sleep(LONG).await;
    };
    reporter.beside(work).await;
    assert_eq!(*log.lock().unwrap(), ["a", "b"]);
    assert_eq!(status(&place, "a").applications_matched, Some(9_999));
}

#[tokio::test(start_paused = true)]
async fn a_run_is_told_at_once_to_those_alone_for_whom_it_was() {
    let place = place(&["a", "b", "c"]);
    let (writer, log) = writer(&place);
    let announcer = announcer(&["ImagesUpdated", "ImagesUpdated"]);
    let reporter = reporter(&place, writer, Some(announcer));
    let work = async {
        for name in ["a", "b", "c"] {
            reporter.assessed(&id(name), Some(assessment(7)));
        }
        tokio::time::sleep(LONG).await;
        log.lock().unwrap().clear();
        reporter.done(&written(&[change("web", "b"), change("shop", "b")]));
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert_eq!(*log.lock().unwrap(), ["b"]);
        tokio::time::sleep(LONG).await;
    };
    reporter.beside(work).await;
    assert_eq!(*log.lock().unwrap(), ["b"]);
    let status = status(&place, "b");
    assert_eq!(status.recent_updates[0].applications_updated, 2);
    assert_eq!(status.applications_matched, Some(7));
    assert!(status.last_updated_at.is_some());
}

#[tokio::test(start_paused = true)]
async fn runs_that_follow_each_other_are_written_together() {
    let place = place(&["a"]);
    let (writer, log) = writer(&place);
    let reporter = reporter(&place, writer, None);
    let work = async {
        reporter.assessed(&id("a"), Some(assessment(2)));
        for application in ["web", "shop", "web"] {
            reporter.done(&written(&[change(application, "a")]));
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        tokio::time::sleep(LONG).await;
    };
    reporter.beside(work).await;
    assert_eq!(log.lock().unwrap().len(), 2);
    assert_eq!(
        status(&place, "a").recent_updates[0].applications_updated,
        2
    );
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_told_when_it_begins_and_when_it_ends() {
    let place = place(&["a"]);
    let (writer, log) = writer(&place);
    let told = ["ImageUpdateFailed", "ImagesUpdated", "ImageUpdateRecovered"];
    let reporter = reporter(&place, writer, Some(announcer(&told)));
    let work = async {
        reporter.assessed(&id("a"), Some(assessment(2)));
        tokio::time::sleep(LONG).await;
        for _ in 0..3 {
            reporter.done(&failed(change("web", "a")));
            tokio::time::sleep(LONG).await;
        }
        assert_eq!(reason(&place, "a", "Error"), "PartialErrors");
        assert_eq!(status(&place, "a").last_updated_at, None);
        reporter.done(&written(&[change("web", "a")]));
        tokio::time::sleep(LONG).await;
        assert_eq!(reason(&place, "a", "Error"), "NoErrors");
    };
    reporter.beside(work).await;
    assert_eq!(log.lock().unwrap().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_failure_ends_with_its_application_or_with_the_wish() {
    let place = place(&["a"]);
    let (writer, _) = writer(&place);
    let told = ["ImageUpdateFailed"; 3];
    let reporter = reporter(&place, writer, Some(announcer(&told)));
    let fail = async || {
        reporter.done(&failed(change("web", "a")));
        tokio::time::sleep(LONG).await;
        assert_eq!(reason(&place, "a", "Error"), "PartialErrors");
    };
    let work = async {
        reporter.assessed(&id("a"), Some(assessment(2)));
        fail().await;
        let gone = vec![id("web")];
        reporter.done(&Account {
            gone,
            ..Account::new(nginx())
        });
        tokio::time::sleep(LONG).await;
        assert_eq!(reason(&place, "a", "Error"), "NoErrors");

        fail().await;
        let edited = Assessment {
            generation: Some(2),
            ..assessment(2)
        };
        reporter.assessed(&id("a"), Some(edited));
        tokio::time::sleep(LONG).await;
        assert_eq!(reason(&place, "a", "Error"), "NoErrors");

        fail().await;
        place.lock().unwrap().applications.clear();
        reporter.assessed(&id("a"), Some(assessment(1)));
        tokio::time::sleep(LONG).await;
        assert_eq!(reason(&place, "a", "Error"), "NoErrors");
    };
    reporter.beside(work).await;
}

#[tokio::test(start_paused = true)]
async fn what_was_not_answered_ends_with_the_wish_to_know() {
    let place = place(&["updater"]);
    let (writer, _) = writer(&place);
    let reporter = reporter(&place, writer, None);
    let tracked = crate::app::updater::tests::resources("nginx:1", "nginx", "semver");
    let mut index = Index::default();
    index.refresh(&tracked);
    let failed = Verdict {
        updater: id("updater"),
        ..verdict(Opinion::Failed(Failure {
            reason: "no answer".to_owned(),
            is_passing: true,
        }))
    };
    let judgement = Judgement {
        verdicts: vec![failed],
        ..Judgement::default()
    };
    let work = async {
        reporter.assessed(&id("updater"), Some(assessment(1)));
        reporter.judged(&nginx(), &judgement);
        reporter.looked(&tracked, &index);
        tokio::time::sleep(LONG).await;
        assert_eq!(reason(&place, "updater", "Error"), "PartialErrors");
        // `web` runs another image by now.
        let other = crate::app::updater::tests::resources("redis:1", "redis", "semver");
        index.refresh(&other);
        reporter.looked(&other, &index);
        tokio::time::sleep(LONG).await;
        assert_eq!(reason(&place, "updater", "Error"), "NoErrors");
    };
    reporter.beside(work).await;
}

#[tokio::test(start_paused = true)]
async fn git_is_announced_once() {
    let place = place(&["a"]);
    let (writer, _) = writer(&place);
    let mut announcer = MockAnnouncer::new();
    announcer
        .expect_announce()
        .once()
        .withf(|announcement| {
            announcement.about == Subject::ImageUpdater(id("a"))
                && announcement.reason == METHOD_NOT_SUPPORTED
        })
        .return_const(Ok(()));
    let reporter = reporter(&place, writer, Some(announcer));
    let git = |applications| Assessment {
        asks_for_git: true,
        ..assessment(applications)
    };
    let work = async {
        for applications in [1, 2, 3] {
            reporter.assessed(&id("a"), Some(git(applications)));
            tokio::time::sleep(LONG).await;
        }
    };
    reporter.beside(work).await;
    assert_eq!(reason(&place, "a", READY), METHOD_NOT_SUPPORTED);
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_written_is_written_later_with_all_that_came_meanwhile() {
    let place = place(&["a"]);
    let mut failing = MockStatusWriter::new();
    let mut order = Sequence::new();
    let unavailable = TellError::Unavailable {
        reason: "time-out".to_owned(),
    };
    failing
        .expect_write()
        .once()
        .in_sequence(&mut order)
        .return_once(|_, _, _| Err(unavailable));
    failing
        .expect_write()
        .once()
        .in_sequence(&mut order)
        .withf(|_, _, after| after.recent_updates[0].applications_updated == 2)
        .return_const(Ok(()));
    let reporter = reporter(&place, failing, None);
    let work = async {
        reporter.assessed(&id("a"), Some(assessment(2)));
        reporter.done(&written(&[change("web", "a")]));
        tokio::time::sleep(Duration::from_millis(1)).await;
        reporter.done(&written(&[change("shop", "a")]));
    };
    reporter.beside(work).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_forbidden_waits_for_the_next_chance_and_keeps_nothing() {
    let place = place(&["a"]);
    let (mut writer, seen) = (
        MockStatusWriter::new(),
        Arc::<Mutex<Vec<String>>>::default(),
    );
    let log = Arc::clone(&seen);
    writer.expect_write().returning(move |_, _, after| {
        let updates = after.recent_updates.iter();
        let shown: Vec<_> = updates.map(|update| update.new_version.as_str()).collect();
        log.lock().unwrap().push(shown.join(","));
        Err(TellError::Forbidden {
            verb: "patch",
            resource: "imageupdaters/status",
            namespace: "argocd".to_owned(),
            reason: "no".to_owned(),
        })
    });
    let reporter = reporter(&place, writer, None);
    let work = async {
        reporter.assessed(&id("a"), Some(assessment(2)));
        tokio::time::sleep(LONG).await;
        for version in ["2", "3"] {
            let mut change = change("shop", "a");
            version.clone_into(&mut change.images[0].new);
            reporter.done(&written(&[change]));
            tokio::time::sleep(LONG).await;
        }
    };
    reporter.beside(work).await;
    assert_eq!(*seen.lock().unwrap(), ["", "2", "3"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_left_is_told_in_the_end() {
    let place = place(&["a"]);
    let (writer, log) = writer(&place);
    let reporter = reporter(&place, writer, Some(announcer(&["ImagesUpdated"])));
    let work = async {
        reporter.assessed(&id("a"), Some(assessment(2)));
        reporter.done(&written(&[change("web", "a")]));
    };
    reporter.beside(work).await;
    assert_eq!(*log.lock().unwrap(), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_told_of_what_is_gone() {
    let place = place(&[]);
    let mut writer = MockStatusWriter::new();
    writer.expect_write().never();
    let reporter = reporter(&place, writer, None);
    let work = async {
        reporter.assessed(&id("a"), Some(assessment(2)));
        reporter.assessed(&id("b"), Some(assessment(2)));
        reporter.assessed(&id("b"), None);
        tokio::time::sleep(LONG).await;
    };
    reporter.beside(work).await;
}

#[tokio::test(start_paused = true)]
async fn while_not_everything_is_known_only_what_was_done_is_told() {
    let place = place(&["a", "b"]);
    let (writer, log) = writer(&place);
    let reporter = Reporter::new(Ports {
        reader: reader_that_is(false, &place),
        writer: Arc::new(writer),
        announcer: None,
    });
    let work = async {
        reporter.assessed(&id("a"), Some(assessment(2)));
        reporter.assessed(&id("b"), Some(assessment(2)));
        reporter.done(&written(&[change("web", "a")]));
        tokio::time::sleep(LONG).await;
    };
    reporter.beside(work).await;
    assert_eq!(*log.lock().unwrap(), ["a"]);
}

/// A meter that expects to be told these numbers.
fn meter(updated: &[u64], errors: &[u64]) -> MockMeter {
    let mut meter = MockMeter::new();
    meter
        .expect_applications_watched()
        .with(eq(id("a")), eq(2))
        .times(1)
        .return_const(());
    meter
        .expect_images_watched()
        .with(eq(id("a")), eq(2))
        .times(1)
        .return_const(());
    for images in updated {
        meter
            .expect_images_updated()
            .with(eq(id("a")), eq(*images))
            .times(1)
            .return_const(());
    }
    for images in errors {
        meter
            .expect_images_errors()
            .with(eq(id("a")), eq(*images))
            .times(1)
            .return_const(());
    }
    meter
        .expect_forget()
        .with(eq(id("a")))
        .times(1)
        .return_const(());
    meter
}

fn verdict(opinion: Opinion) -> Verdict {
    Verdict {
        application: id("web"),
        updater: id("a"),
        alias: String::new(),
        image: "nginx".to_owned(),
        live: true,
        opinion,
    }
}

/// What no registry answered is no change, so a dry run counts it too.
#[tokio::test]
async fn what_is_done_is_counted() {
    for (is_dry, meter) in [(false, meter(&[2], &[1, 3])), (true, meter(&[], &[3]))] {
        let meter: Arc<dyn Meter> = Arc::new(meter);
        let reporter = reporter(&place(&["a"]), MockStatusWriter::new(), None);
        let reporter = reporter.metered(Metered { meter, is_dry });
        reporter.assessed(&id("a"), Some(assessment(2)));
        reporter.done(&Account {
            failed: vec![(change("api", "a"), "no".to_owned())],
            ..written(&[change("web", "a"), change("shop", "a")])
        });
        let failed = Opinion::Failed(Failure {
            reason: "no answer".to_owned(),
            is_passing: true,
        });
        let mut verdicts = vec![verdict(failed); 3];
        verdicts.push(verdict(Opinion::Unchanged("not newer".to_owned())));
        let judgement = Judgement {
            verdicts,
            ..Judgement::default()
        };
        reporter.judged(&nginx(), &judgement);
        reporter.assessed(&id("a"), None);
    }
}

/// Takes a second for each announcement, and counts them.
#[derive(Default)]
struct SlowAnnouncer(Mutex<usize>);

#[async_trait::async_trait]
impl Announcer for SlowAnnouncer {
    async fn announce(&self, _: &Announcement) -> Result<(), TellError> {
        tokio::time::sleep(Duration::from_secs(1)).await;
        *lock(&self.0) += 1;
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn several_are_announced_at_once_and_those_of_one_object_one_after_the_other() {
    let announcer = Arc::new(SlowAnnouncer::default());
    let reporter = Reporter::new(Ports {
        reader: reader(&place(&[])),
        writer: Arc::new(MockStatusWriter::new()),
        announcer: Some(Arc::clone(&announcer) as _),
    });
    let of = |name: &str| Announcement::images_updated(&id(name), &[]);
    let many: Vec<_> = (0..16).map(|number| of(&format!("app-{number}"))).collect();
    let begun = Instant::now();
    reporter.announce(many);
    reporter.beside(std::future::ready(())).await;
    assert_eq!(begun.elapsed().as_secs(), 2);
    let begun = Instant::now();
    reporter.announce(vec![of("web"), of("web"), of("shop")]);
    reporter.beside(std::future::ready(())).await;
    assert_eq!(begun.elapsed().as_secs(), 2);
    assert_eq!(*lock(&announcer.0), 19);
}
