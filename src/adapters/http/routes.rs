//! Which request is answered by what.

use std::convert::Infallible;
use std::future::ready;
use std::sync::Arc;

use bytes::Buf;
use futures_util::Stream;
use http::{Method, Response};
use warp::{Filter, Rejection};

use super::access_log;
use super::answer::Answer;
use super::arrival::{Arrival, Texts};
use super::body;
use super::body::BodyError;
use super::limits::Limits;
use super::readiness::Readiness;
use super::watched;
use super::watched::Watched;
use crate::domain::admission::Admission;
use crate::domain::delivery::Delivery;
use crate::ports::delivery_watcher::DeliveryOutcome;
use crate::ports::delivery_watcher::DeliveryWatcher;
use crate::ports::delivery_watcher::Refusal;
use crate::ports::refusal_meter::RefusalMeter;
use crate::ports::webhook_intake::WebhookIntake;

/// What stands behind the routes.
pub struct Edge {
    /// Takes the deliveries.
    pub intake: Arc<dyn WebhookIntake>,
    /// What `/readyz` shows.
    pub readiness: Readiness,
    /// What a client may take.
    pub limits: Limits,
    /// Sees deliveries come and go; `None`: nobody does.
    pub watcher: Option<Arc<dyn DeliveryWatcher>>,
    /// From where and how deliveries may come.
    pub admission: Admission,
    /// Counts what is sent that helps nobody.
    pub meter: Arc<dyn RefusalMeter>,
}

/// The routes. They expect an `Arc<Arrival>` among a request's extensions, and answer every request that has one.
pub(super) fn routes(
    edge: &Arc<Edge>,
) -> impl Filter<Extract = (Response<Vec<u8>>,), Error = Rejection> + Clone + Send + Sync + 'static
{
    let others = too_large_a_head(edge.limits.max_head)
        .or(warp::path!("webhook").map(|| Answer::method_not_allowed("POST")))
        .unify()
        .or(probes_or_nothing(&edge.readiness))
        .unify();
    // Every `or` costs what passes it, so deliveries come first and pass one.
    let answers = webhook(Arc::clone(edge)).or(others).unify();
    answered(answers, edge.readiness.clone())
}

/// The routes of a server for the kubelet's probes alone.
pub(super) fn probes(
    readiness: &Readiness,
    max_head: usize,
) -> impl Filter<Extract = (Response<Vec<u8>>,), Error = Rejection> + Clone + Send + Sync + 'static
{
    let answers = too_large_a_head(max_head)
        .or(probes_or_nothing(readiness))
        .unify();
    answered(answers, readiness.clone())
}

fn probes_or_nothing(
    readiness: &Readiness,
) -> impl Filter<Extract = (Answer,), Error = Infallible> + Clone + Send + Sync + 'static {
    let readiness = readiness.clone();
    warp::path!("healthz")
        .and(probe(|| true))
        .or(warp::path!("readyz").and(probe(move || readiness.is_ready())))
        .unify()
        .or(warp::any().map(Answer::not_found))
        .unify()
}

/// Counts what fails, logs the answers and writes them down.
pub(super) fn answered(
    answers: impl Filter<Extract = (Answer,), Error = Infallible> + Clone + Send + Sync + 'static,
    readiness: Readiness,
) -> impl Filter<Extract = (Response<Vec<u8>>,), Error = Rejection> + Clone + Send + Sync + 'static
{
    arrival().and(warp::method()).and(answers).map(
        move |arrival: Arc<Arrival>, method: Method, answer: Answer| {
            let answer = if arrival.client.activity.is_cut() {
                answer
            } else {
                arrival.client.sources.answer(arrival.source, answer)
            };
            access_log::write(&arrival, &answer, method.as_str());
            answer.render(&arrival, readiness.is_ready())
        },
    )
}

/// What is known of a request.
pub(super) fn arrival() -> impl Filter<Extract = (Arc<Arrival>,), Error = Rejection> + Copy {
    warp::ext::get::<Arc<Arrival>>()
}

/// Lets pass whose head is within the limit.
fn small_head(max: usize) -> impl Filter<Extract = (Arc<Arrival>,), Error = Rejection> + Copy {
    arrival().and_then(move |arrival: Arc<Arrival>| {
        ready(if arrival.head_bytes > max {
            Err(warp::reject::not_found())
        } else {
            Ok(arrival)
        })
    })
}

/// Answers requests whose head is above the limit.
pub(super) fn too_large_a_head(
    max: usize,
) -> impl Filter<Extract = (Answer,), Error = Rejection> + Copy {
    arrival().and_then(move |arrival: Arc<Arrival>| {
        ready(if arrival.head_bytes > max {
            Ok(Answer::head_too_large(max))
        } else {
            Err(warp::reject::not_found())
        })
    })
}

fn probe(
    is_well: impl Fn() -> bool + Clone + Send + Sync + 'static,
) -> impl Filter<Extract = (Answer,), Error = Infallible> + Clone {
    warp::method().map(move |method| match method {
        Method::GET | Method::HEAD => Answer::probe(is_well()),
        _ => Answer::method_not_allowed("GET, HEAD"),
    })
}

fn webhook(edge: Arc<Edge>) -> impl Filter<Extract = (Answer,), Error = Rejection> + Clone {
    warp::path!("webhook")
        .and(warp::post())
        .and(small_head(edge.limits.max_head))
        .and(warp::body::stream())
        .then(move |arrival, chunks| deliver(Arc::clone(&edge), arrival, chunks))
}

async fn deliver<B: Buf, E>(
    edge: Arc<Edge>,
    arrival: Arc<Arrival>,
    chunks: impl Stream<Item = Result<B, E>> + Unpin,
) -> Answer {
    let Texts { headers, query } = arrival.take_texts();
    let delivery = Delivery {
        id: arrival.id.clone(),
        headers,
        query,
        body: Vec::new(),
    };
    let sender = delivery.sender_type().map(shortened);
    let mut watched = edge
        .watcher
        .as_deref()
        .map(|watcher| Watched::begin(watcher, &delivery, sender.as_deref(), arrival.at));
    let (outcome, answer) = answer(&edge, &arrival, delivery, chunks).await;
    if outcome.is_authentic() {
        arrival.client.activity.prove();
    }
    if let Some(watched) = &mut watched {
        watched.outcome = outcome;
    }
    drop(watched);
    answer.to(sender)
}

/// What becomes of a delivery, and what is answered.
async fn answer<B: Buf, E>(
    edge: &Edge,
    arrival: &Arrival,
    mut delivery: Delivery,
    chunks: impl Stream<Item = Result<B, E>> + Unpin,
) -> (DeliveryOutcome, Answer) {
    if let Err(why) = edge
        .admission
        .admit(delivery.sender_type(), arrival.origin())
    {
        return (
            DeliveryOutcome::Rejected(Refusal::TurnedAway),
            Answer::turned_away(why),
        );
    }
    if !body::is_short(arrival.announced)
        && let Err(rejection) = edge.intake.screen(&delivery)
    {
        return (watched::rejected(&rejection), Answer::unread(&rejection));
    }
    let activity = &arrival.client.activity;
    let in_body = activity.begin_body();
    let body = body::read(chunks, arrival.announced, &edge.limits).await;
    drop(in_body);
    match body {
        Ok(body) => {
            delivery.body = body;
            let outcome = edge.intake.accept(delivery).await;
            (watched::outcome(&outcome), Answer::outcome(outcome))
        }
        Err(error) => {
            if matches!(error, BodyError::TooSlow { .. }) {
                // Over HTTP/2 the answer alone ends its stream, and the next one could wait as long.
                activity.say_goodbye();
            }
            let outcome = DeliveryOutcome::Rejected(Refusal::Body);
            (outcome, Answer::body_error(&error))
        }
    }
}

/// As much of a type as the log needs to show which one was meant.
fn shortened(sender: &str) -> String {
    const SHOWN: usize = 40;
    match sender.char_indices().nth(SHOWN) {
        Some((end, _)) => sender.get(..end).unwrap_or_default().to_owned(),
        None => sender.to_owned(),
    }
}
