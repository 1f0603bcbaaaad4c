//! Whoever watches sees every delivery once, and nothing else.

use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use image_updater::adapters::http::limits::Limits;
use image_updater::domain::delivery::Delivery;
use image_updater::ports::delivery_watcher::Answered;
use image_updater::ports::delivery_watcher::DeliveryOutcome;
use image_updater::ports::delivery_watcher::DeliveryWatcher;
use image_updater::ports::delivery_watcher::Refusal;
use image_updater::ports::webhook_intake::Outcome;
use image_updater::ports::webhook_intake::Rejection;

use crate::support::intake::FakeIntake;
use crate::support::intake::ignored;
use crate::support::server::Server;
use crate::support::wire::Wire;
use crate::support::wire::exchange;
use crate::support::wire::post;
use crate::support::wire::request;

/// The ids that arrived, and what was seen of them in the end.
#[derive(Default)]
struct Seen {
    arrived: Mutex<Vec<String>>,
    answered: Mutex<Vec<(String, Option<String>, DeliveryOutcome)>>,
}

impl DeliveryWatcher for Seen {
    fn arrived(&self, head: &Delivery) {
        assert!(head.body.is_empty());
        let id = head.id.to_string();
        self.arrived.lock().unwrap().push(id);
    }

    fn answered(&self, answered: Answered<'_>) {
        let (id, claimed) = (answered.delivery.to_string(), answered.claimed);
        let seen = (id, claimed.map(str::to_owned), answered.outcome);
        self.answered.lock().unwrap().push(seen);
    }
}

async fn watched(outcome: Outcome, limits: Limits) -> (Server, Arc<Seen>) {
    let seen = Arc::new(Seen::default());
    let watcher = Arc::clone(&seen) as _;
    let server = Server::watched(FakeIntake::new(outcome), limits, watcher).await;
    (server, seen)
}

/// What was seen of the one delivery that there was.
fn the_one(seen: &Seen) -> (Option<String>, DeliveryOutcome) {
    let mut answered = seen.answered.lock().unwrap();
    let (id, claimed, outcome) = answered.pop().unwrap();
    assert_eq!(*answered, []);
    assert_eq!(*seen.arrived.lock().unwrap(), [id]);
    (claimed, outcome)
}

#[tokio::test]
async fn each_outcome_is_seen() {
    let (reason, retry_after) = (String::new(), Duration::from_secs(1));
    let rejected = |rejection, refusal| {
        let outcome = DeliveryOutcome::Rejected(refusal);
        (Outcome::Rejected(rejection), outcome)
    };
    let images = Vec::new();
    for (outcome, expected) in [
        (Outcome::Accepted { images }, DeliveryOutcome::Accepted),
        (ignored(), DeliveryOutcome::Ignored),
        rejected(Rejection::NoHandler, Refusal::NoHandler),
        rejected(Rejection::MissingSecret, Refusal::MissingSecret),
        rejected(Rejection::InvalidSecret, Refusal::InvalidSecret),
        rejected(Rejection::Malformed { reason }, Refusal::Malformed),
        rejected(Rejection::Busy { retry_after }, Refusal::Busy),
    ] {
        let (server, seen) = watched(outcome, Limits::default()).await;
        exchange(server.address, post("{}")).await;
        assert_eq!(the_one(&seen), (Some("t".to_owned()), expected));
    }
}

#[tokio::test]
async fn a_body_that_is_not_read_is_seen() {
    let limits = Limits {
        max_body: 4,
        ..Limits::default()
    };
    let (server, seen) = watched(ignored(), limits).await;
    let reply = exchange(server.address, post("12345")).await;
    assert_eq!(reply.status, 413);
    let outcome = DeliveryOutcome::Rejected(Refusal::Body);
    assert_eq!(the_one(&seen), (Some("t".to_owned()), outcome));
}

#[tokio::test]
async fn nothing_else_is_a_delivery() {
    let (server, seen) = watched(ignored(), Limits::default()).await;
    for (method, path) in [("GET", "/webhook"), ("GET", "/healthz"), ("POST", "/other")] {
        exchange(server.address, request(method, path)).await;
    }
    assert!(seen.arrived.lock().unwrap().is_empty());
    assert!(seen.answered.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_delivery_that_is_given_up_is_seen() {
    let seen = Arc::new(Seen::default());
    let (intake, watcher) = (FakeIntake::gated(ignored(), 0), Arc::clone(&seen) as _);
    let server = Server::watched(intake, Limits::default(), watcher).await;
    let mut wire = Wire::connect(server.address).await;
    wire.send(post("{}")).await;
    until(|| !server.intake.seen().is_empty()).await;
    // It closes all its connections.
    drop(server);
    until(|| !seen.answered.lock().unwrap().is_empty()).await;
    let outcome = DeliveryOutcome::Rejected(Refusal::Gone);
    assert_eq!(the_one(&seen), (Some("t".to_owned()), outcome));
}

async fn until(is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::task::yield_now().await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(20), waiting).await;
    assert!(waited.is_ok());
}
