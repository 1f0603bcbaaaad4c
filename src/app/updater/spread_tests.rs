//! Changes that are spaced out, so that a large one does not stampede Argo CD.

use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;
use tokio::time::sleep;

use super::tests::batch;
use super::tests::id;
use super::tests::resources;
use super::tests::updater;
use super::*;
use crate::domain::change::ApplicationChange;
use crate::domain::rate_policy::RatePolicy;
use crate::domain::resources::Resources;
use crate::domain::resources::application::Application;
use crate::domain::resources::image_updater::ImageUpdater;
use crate::ports::pace::MockPace;
use crate::ports::update_trigger::MockUpdateTrigger;
use crate::ports::update_trigger::TriggerError;

/// A turn a second.
struct EachSecond;

#[async_trait]
impl Pace for EachSecond {
    async fn turn(&self) {
        sleep(Duration::from_secs(1)).await;
    }

    fn set_rate(&self, _: RatePolicy) {}
}

/// Applications of one image, and one of another.
fn shops(names: &[&str]) -> Arc<Resources> {
    let one = resources("quay.io/a/b:1.5.0", "quay.io/a/b:^1", "semver");
    let other = resources("quay.io/a/other:1.5.0", "quay.io/a/other:^1", "semver");
    let named = |of: &Resources, name: &str| {
        let id = id(name);
        let application = Application::clone(&of.applications[0]);
        Arc::new(Application { id, ..application })
    };
    let updater = |of: &Resources, name: &str, pattern: &str| {
        let mut updater = ImageUpdater::clone(&of.updaters[0]);
        updater.id = id(name);
        updater.applications[0].name_pattern = pattern.to_owned();
        Arc::new(updater)
    };
    let mut applications: Vec<_> = names.iter().map(|name| named(&one, name)).collect();
    applications.push(named(&other, "other"));
    Arc::new(Resources {
        updaters: vec![
            updater(&one, "one", "shop-*"),
            updater(&other, "other", "other"),
        ],
        applications,
    })
}

/// What was written, with the second in which it was tried.
type Tried = Arc<Mutex<Vec<(u64, String)>>>;

/// Writes everything but one Application, which cannot be written for so many times.
fn trigger(failing: &'static str, mut times: usize) -> (MockUpdateTrigger, Tried) {
    let (tried, begun) = (Tried::default(), Instant::now());
    let log = Arc::clone(&tried);
    let mut trigger = MockUpdateTrigger::new();
    trigger.expect_apply().returning(move |changes| {
        let mut one = |change: &ApplicationChange| {
            let name = change.application.name.clone();
            let fails = name == failing && times > 0;
            times -= usize::from(fails);
            log.lock().unwrap().push((begun.elapsed().as_secs(), name));
            let reason = "time-out".to_owned();
            if fails {
                Err(TriggerError::Unavailable { reason })
            } else {
                Ok(())
            }
        };
        changes.iter().map(&mut one).collect()
    });
    (trigger, tried)
}

/// Works until nothing waits.
async fn work(updater: &Updater) {
    while !updater.is_idle() {
        updater.turn(false).await;
        updater.work_on_next(false).await;
    }
}

#[tokio::test(start_paused = true)]
async fn applications_are_changed_one_a_turn_and_those_of_other_images_between_them() {
    let (trigger, tried) = trigger("", 0);
    let seen = vec![shops(&["shop-1", "shop-2", "shop-3"])];
    let mut updater = updater(2, trigger, seen);
    updater.ports.spread = Some(Arc::new(EachSecond));
    let mut pace = MockPace::new();
    // An event takes its own turn once, however many Applications it changes.
    pace.expect_turn().times(2).return_const(());
    updater.ports.pace = Arc::new(pace);
    updater.refresh();
    updater.examine(batch(&["quay.io/a/b:1.6.0"])).await;
    updater.examine(batch(&["quay.io/a/other:1.6.0"])).await;
    work(&updater).await;
    let tried = tried.lock().unwrap().clone();
    let names: Vec<_> = tried.iter().map(|(_, name)| name.as_str()).collect();
    assert_eq!(names, ["shop-1", "other", "shop-2", "shop-3"]);
    let seconds: Vec<_> = tried.iter().map(|(second, _)| *second).collect();
    assert_eq!(seconds, [1, 2, 3, 4]);
}

#[tokio::test(start_paused = true)]
async fn an_application_that_cannot_be_written_holds_up_no_other() {
    let (trigger, tried) = trigger("shop-1", 3);
    let seen = vec![shops(&["shop-1", "shop-2", "shop-3", "shop-4"])];
    let mut updater = updater(1, trigger, seen);
    updater.ports.spread = Some(Arc::new(EachSecond));
    let mut pace = MockPace::new();
    pace.expect_turn().return_const(());
    updater.ports.pace = Arc::new(pace);
    updater.refresh();
    updater.examine(batch(&["quay.io/a/b:1.6.0"])).await;
    work(&updater).await;
    let tried = tried.lock().unwrap().clone();
    let first: Vec<_> = tried[..4].iter().map(|(_, name)| name.as_str()).collect();
    assert_eq!(first, ["shop-1", "shop-2", "shop-3", "shop-4"]);
    assert_eq!(tried[3].0, 4);
    let again = tried.iter().filter(|(_, name)| name == "shop-1").count();
    assert_eq!(again, 4, "{tried:?}");
}
