//! Changes, as they are seen and told.

use std::sync::Mutex;

use super::*;
use crate::app::settings::mode::Mode;
use crate::app::settings::tests::World;
use crate::domain::rate_policy::RatePolicy;
use crate::ports::announcer::MockAnnouncer;
use crate::ports::pace::MockPace;
use crate::ports::tell_error::TellError;

/// Everything that settings acted upon, in order.
type Acts = Arc<Mutex<Vec<String>>>;

fn live(start: &World) -> (LiveSettings, Acts) {
    let acts = Acts::default();
    let act = |acts: &Acts| {
        let acts = Arc::clone(acts);
        move |what: String| acts.lock().unwrap().push(what)
    };
    let mut pace = MockPace::new();
    let note = act(&acts);
    pace.expect_set_rate()
        .returning(move |rate| note(format!("{rate:?}")));
    let mut announcer = MockAnnouncer::new();
    let note = act(&acts);
    announcer.expect_announce().returning(move |announcement| {
        note(announcement.message.clone());
        Ok(())
    });
    let config_map = ResourceId {
        namespace: "argocd".to_owned(),
        name: "settings".to_owned(),
    };
    let note = act(&acts);
    let handles = Handles {
        pace: Arc::new(pace),
        level: Box::new(move |level| note(format!("{level:?}"))),
        announcer: Some((Arc::new(announcer), config_map)),
        awaited: Some(Awaited {
            is_read: Box::new(|| unreachable!("tests say what is read")),
            checked: oneshot::channel().0,
        }),
    };
    let load: Load = Arc::new(|| unreachable!("tests say what is seen"));
    let live = LiveSettings::new(load, snapshot(start), handles);
    (live, acts)
}

fn snapshot(world: &World) -> Snapshot {
    Snapshot::of(&world.load(Mode::Webhook))
}

async fn twice(live: &mut LiveSettings, world: &World) {
    for _ in 0..2 {
        live.look(snapshot(world));
    }
    while live.telling.join_next().await.is_some() {}
}

fn taken(acts: &Acts) -> Vec<String> {
    std::mem::take(&mut acts.lock().unwrap())
}

#[tokio::test]
async fn a_change_counts_when_it_is_seen_twice_running() {
    let world = |level| World::default().objects(&[("log.level", level)], &[]);
    let (mut live, acts) = live(&world("info"));
    for level in ["warn", "info", "warn", "debug"] {
        live.look(snapshot(&world(level)));
        assert_eq!(taken(&acts), [""; 0], "{level}");
    }
    live.look(snapshot(&world("debug")));
    assert_eq!(taken(&acts), ["Debug", "Unlimited"]);
    twice(&mut live, &world("debug")).await;
    assert_eq!(taken(&acts), [""; 0]);
}

#[tokio::test]
async fn a_broken_change_is_refused_as_a_whole_and_told_once() {
    let world = |level, rate| {
        let values = [("log.level", level), ("webhook.ratelimit-allowed", rate)];
        World::default().objects(&values, &[])
    };
    let (mut live, acts) = live(&world("info", "7"));
    for _ in 0..2 {
        twice(&mut live, &world("loud", "many")).await;
    }
    let told = taken(&acts);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("config:log.level is \"loud\""), "{told:?}");
    assert!(
        told[0].contains("ratelimit-allowed is \"many\""),
        "{told:?}"
    );

    twice(&mut live, &world("loud", "9")).await;
    assert_eq!(taken(&acts).len(), 1, "other problems are told anew");
    twice(&mut live, &world("warn", "9")).await;
    let rate = format!("{:?}", RatePolicy::per_hour(9));
    assert_eq!(taken(&acts), ["Warn".to_owned(), rate]);
}

#[tokio::test]
async fn an_awaited_source_ends_the_process_where_only_a_start_takes_it_up() {
    let world = |key, value| World::default().objects(&[(key, value)], &[]);
    let ends = |first: &World, later: &World| {
        let (mut live, _) = live(&World::default());
        let mut step = |world: &World, is_read| live.step(snapshot(world), is_read).is_break();
        assert!(!step(&World::default(), false));
        assert!(!step(first, true), "seen once");
        let at_first = step(first, true);
        let mut then = || step(later, true);
        (at_first, then() || then())
    };
    let (port, other) = (world("webhook.port", "1"), world("webhook.port", "2"));
    assert!(ends(&port, &port).0);
    assert!(
        ends(&world("webhook.port", "many"), &port).0,
        "no start at all"
    );
    let level = world("log.level", "warn");
    assert_eq!(ends(&level, &other), (false, false), "later it is too late");
}

/// An API server that does not answer would else keep every later change waiting.
#[tokio::test]
async fn an_event_on_its_way_delays_no_change() {
    struct Never;
    #[async_trait::async_trait]
    impl Announcer for Never {
        async fn announce(&self, _: &Announcement) -> Result<(), TellError> {
            std::future::pending().await
        }
    }
    let world = |level| World::default().objects(&[("log.level", level)], &[]);
    let (mut live, acts) = live(&world("info"));
    let (_, config_map) = live.handles.announcer.take().unwrap();
    live.handles.announcer = Some((Arc::new(Never), config_map));
    for level in ["loud", "loud", "warn", "warn"] {
        live.look(snapshot(&world(level)));
    }
    assert_eq!(live.telling.len(), 1);
    assert_eq!(taken(&acts), ["Warn", "Unlimited"]);
}

#[test]
fn what_a_change_means_depends_on_the_setting_and_on_its_source() {
    let world = |port, level, rate| {
        let values = [
            ("webhook.port", port),
            ("log.level", level),
            ("webhook.ratelimit-allowed", rate),
            ("git.user", port),
        ];
        World::default()
            .objects(&values, &[("webhook.docker-secret", port)])
            .environment(&[("IMAGE_UPDATER_LOGLEVEL", "info")])
    };
    let start = snapshot(&world("1", "info", "0"));
    let next = snapshot(&world("2", "debug", "5"));
    let object = |key: &str| format!("configmap/argocd-image-updater-config:{key}");
    let (rate, level) = ("webhook.ratelimit-allowed", "log.level");
    let expected = [
        Change::NeedsRestart {
            key: "webhook.port".to_owned(),
            old: "1".to_owned(),
            new: "2".to_owned(),
            place: object("webhook.port"),
        },
        Change::Counts {
            key: rate.to_owned(),
            old: "0".to_owned(),
            new: "5".to_owned(),
            place: object(rate),
        },
        Change::Hidden {
            key: level.to_owned(),
            new: "debug".to_owned(),
            place: object(level),
            by: "$IMAGE_UPDATER_LOGLEVEL".to_owned(),
        },
    ];
    assert_eq!(next.changes_since(&start, &start), expected);
    assert_eq!(next.changes_since(&next, &start), []);
    let back = snapshot(&world("1", "debug", "5"));
    let is_back = Change::IsBack {
        key: "webhook.port".to_owned(),
        value: "1".to_owned(),
    };
    assert_eq!(back.changes_since(&next, &start), [is_back]);
}

#[test]
fn a_mount_that_lags_behind_its_object_tells_nothing() {
    let world = |folder, object| {
        World::default()
            .folder("/app/config", &[("log.level", folder)])
            .objects(&[("log.level", object)], &[])
    };
    let (old, between) = (
        snapshot(&world("info", "info")),
        snapshot(&world("info", "warn")),
    );
    assert_eq!(between.changes_since(&old, &old).len(), 1);
    let after = snapshot(&world("warn", "warn"));
    assert_eq!(after.changes_since(&between, &old), []);
}

/// What the table calls live is what a change acts upon, and nothing else is.
#[test]
fn the_table_says_what_counts_without_a_restart() {
    let world = |level, rate| {
        let values = [("log.level", level), ("webhook.ratelimit-allowed", rate)];
        snapshot(&World::default().objects(&values, &[]))
    };
    let (one, other) = (world("info", "1"), world("warn", "2"));
    let changes = other.changes_since(&one, &one);
    assert!(
        changes
            .iter()
            .all(|change| matches!(change, Change::Counts { .. }))
    );
    let of = |snapshot: &Snapshot| {
        let live = snapshot.live().unwrap();
        (live.level, live.rate)
    };
    assert_eq!(of(&other), (LogLevel::Warn, RatePolicy::per_hour(2)));
    let table = crate::app::settings::table::Table::new(&[]);
    assert_eq!(
        table.iter().filter(|row| row.is_live).count(),
        changes.len()
    );
}
