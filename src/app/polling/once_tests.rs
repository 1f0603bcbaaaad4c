//! One look at everything, and what it waits for.

use std::sync::Mutex;

use super::*;
use crate::app::settings::Confirm;
use crate::app::updater::Ports;
use crate::app::updater::Terms;
use crate::domain::resources::Resources;
use crate::ports::event_queue::MockEventQueue;
use crate::ports::pace::MockPace;
use crate::ports::resource_reader::MockResourceReader;

/// Looks once, at nothing, where one leads or not; what is known is right at times.
fn once(leading: Option<watch::Receiver<bool>>, mut is_current: Vec<bool>) -> Polling {
    let mut reader = MockResourceReader::new();
    reader
        .expect_current()
        .return_const(Arc::new(Resources::default()));
    is_current.reverse();
    let is_current = Mutex::new(is_current);
    reader
        .expect_is_current()
        .returning(move || is_current.lock().unwrap().pop().unwrap_or_default());
    let ports = Ports {
        queue: Arc::new(MockEventQueue::new()),
        reader: Arc::new(reader),
        trigger: None,
        pace: Arc::new(MockPace::new()),
        spread: None,
        registry: None,
    };
    let terms = Terms {
        confirm: Confirm::Registry,
        never_downgrade: false,
        credential_kinds: Vec::new(),
        registries: None,
        is_durable: false,
    };
    let updater = Arc::new(Updater::new(ports, terms));
    Polling::new(updater, Rhythm::Once, leading, Box::new(|| 0.5))
}

#[tokio::test(start_paused = true)]
async fn one_look_ends_when_everything_was_looked_at() {
    let (_lead, leading) = watch::channel(true);
    let (_ready, is_ready) = watch::channel(true);
    for leading in [None, Some(leading)] {
        let looked = once(leading, Vec::new()).run(is_ready.clone()).await;
        assert_eq!(looked, Some(Looked::default()));
    }
}

#[tokio::test(start_paused = true)]
async fn one_look_waits_for_nothing_for_ever() {
    let (_no, not_so) = watch::channel(false);
    let (_yes, is_so) = watch::channel(true);
    for (leading, is_ready, name) in [
        (None, &not_so, "a cluster that does not answer"),
        (Some(not_so.clone()), &is_so, "another leader"),
    ] {
        let begun = Instant::now();
        let looked = once(leading, Vec::new()).run(is_ready.clone()).await;
        assert_eq!(looked, None, "{name}");
        assert_eq!(begun.elapsed().as_secs(), 60, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_goes_away_and_comes_back_is_waited_for() {
    let once = once(
        None,
        [vec![false; 50], vec![true], vec![false; 70]].concat(),
    );
    let begun = Instant::now();
    once.out_of_touch().await;
    assert_eq!(begun.elapsed().as_secs(), 51 + 61);
}
