//! Where requests come from, and what each source did wrong lately.
//!
//! Only what fails is counted, and only what fails is answered otherwise for it: behind an ingress all senders have one address, and none of
//! them may suffer for another. So a source over its limit is authenticated like every other.

use std::convert::Infallible;
use std::net::IpAddr;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use governor::Quota;
use governor::RateLimiter;
use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::InMemoryState;
use governor::state::NotKeyed;
use governor::state::StateStore;
use http::HeaderMap;
use http::HeaderValue;
use quick_cache::sync::Cache;
use tokio::time::Instant;

use super::answer::Answer;
use crate::adapters::tokio_clock::TokioClock;
use crate::adapters::tokio_clock::TokioInstant;
use crate::domain::admission::network::Neighbourhood;
use crate::domain::admission::network::Networks;
use crate::domain::admission::source::source;
use crate::ports::refusal_meter::RefusalMeter;

/// How many sources are remembered at once, of those that failed and of those over their limit. Whoever has more addresses than that can have
/// others forgotten, and then is answered as if it had done nothing yet.
const REMEMBERED: usize = 4096;

/// Within this time a limit is counted, and the log has one line about all that are over theirs.
const MINUTE: Duration = Duration::from_secs(60);

/// All sources.
pub(super) struct Sources {
    proxies: Networks,
    failures: Option<Failures>,
    meter: Option<Arc<dyn RefusalMeter>>,
}

impl Sources {
    /// Sources that may fail so often in a minute; `None`: as often as they like.
    pub(super) fn new(
        proxies: Networks,
        failures: Option<NonZeroU32>,
        meter: Arc<dyn RefusalMeter>,
    ) -> Self {
        Self {
            proxies,
            meter: Some(meter),
            ..Self::unmetered(failures)
        }
    }

    /// Sources that may fail so often in a minute, none of them a proxy, and nobody counts how many are over that.
    pub(super) fn unmetered(failures: Option<NonZeroU32>) -> Self {
        Self {
            proxies: Networks::default(),
            failures: failures.map(Failures::new),
            meter: None,
        }
    }

    /// Sources of which that one is over its limit.
    #[cfg(test)]
    pub(super) fn suspecting(peer: IpAddr) -> Self {
        let sources = Self::unmetered(Some(NonZeroU32::MIN));
        sources.silent(peer);
        sources.silent(peer);
        sources
    }

    /// From where a request of that peer comes.
    pub(super) fn of(&self, peer: SocketAddr, headers: &HeaderMap) -> IpAddr {
        if !self.proxies.contain(peer.ip()) {
            return peer.ip();
        }
        let forwarded = headers.get_all("x-forwarded-for").into_iter();
        source(
            peer.ip(),
            forwarded.map(HeaderValue::as_bytes),
            &self.proxies,
        )
    }

    /// Counts what fails, and says what it is answered.
    pub(super) fn answer(&self, source: IpAddr, answer: Answer) -> Answer {
        if !answer.is_fault() {
            return answer;
        }
        match self.failed(source) {
            Ok(()) => answer,
            Err(wait) => {
                if let Some(meter) = &self.meter {
                    meter.limited();
                }
                answer.too_many(wait)
            }
        }
    }

    /// Counts a connection that brought no request.
    pub(super) fn silent(&self, peer: IpAddr) {
        if let Some(meter) = &self.meter {
            meter.silent();
        }
        let _ = self.failed(peer);
    }

    /// Whether that peer was over its limit within the last minute.
    pub(super) fn is_suspect(&self, peer: IpAddr) -> bool {
        let failures = self.failures.as_ref();
        let until = failures.and_then(|failures| failures.over.get(&Neighbourhood::of(peer)));
        until.is_some_and(|until| Instant::now() < until)
    }

    /// Counts a failure, or says how long the source is over its limit. A trusted proxy stands for many, and has none.
    fn failed(&self, source: IpAddr) -> Result<(), Duration> {
        match &self.failures {
            Some(failures) if !self.proxies.contain(source) => failures.count(source),
            _ => Ok(()),
        }
    }
}

type Limiter = RateLimiter<Neighbourhood, Remembered, TokioClock, NoOpMiddleware<TokioInstant>>;

/// What sources did wrong lately.
struct Failures {
    limiter: Limiter,
    /// Those over their limit, and until when that is held against them.
    over: Cache<Neighbourhood, Instant>,
    told: Mutex<Told>,
}

/// What the log was told of those over their limit.
#[derive(Default)]
struct Told {
    last: Option<Instant>,
    /// How many failures since then have no line.
    untold: u64,
}

impl Failures {
    fn new(a_minute: NonZeroU32) -> Self {
        let remembered = Remembered(Cache::new(REMEMBERED));
        Self {
            limiter: RateLimiter::new(
                Quota::per_minute(a_minute),
                remembered,
                TokioClock::default(),
            ),
            over: Cache::new(REMEMBERED),
            told: Mutex::default(),
        }
    }

    fn count(&self, source: IpAddr) -> Result<(), Duration> {
        let neighbourhood = Neighbourhood::of(source);
        let Err(not_until) = self.limiter.check_key(&neighbourhood) else {
            return Ok(());
        };
        self.over.insert(neighbourhood, Instant::now() + MINUTE);
        self.tell(source);
        Err(not_until.wait_time_from(self.limiter.clock().now()))
    }

    /// One line a minute, however many fail: a flood of requests must be none of lines.
    fn tell(&self, source: IpAddr) {
        let now = Instant::now();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.untold += 1;
        if told.last.is_some_and(|last| now < last + MINUTE) {
            return;
        }
        let requests = told.untold;
        *told = Told {
            last: Some(now),
            untold: 0,
        };
        drop(told);
        tracing::warn!(
            %source,
            requests,
            "too many requests that fail: more of them are answered 429 and not logged one by one; this source sent the last one"
        );
    }
}

/// The states of governor's limiter, in bounded memory.
struct Remembered(Cache<Neighbourhood, Arc<InMemoryState>>);

impl StateStore for Remembered {
    type Key = Neighbourhood;

    fn measure_and_replace<T, F, E>(&self, key: &Neighbourhood, judge: F) -> Result<T, E>
    where
        F: Fn(Option<governor::nanos::Nanos>) -> Result<(T, governor::nanos::Nanos), E>,
    {
        let fresh = || Ok::<_, Infallible>(Arc::default());
        let Ok(state) = self.0.get_or_insert_with(key, fresh);
        state.measure_and_replace(&NotKeyed::NonKey, judge)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::refusal_meter::MockRefusalMeter;

    const SECOND: Duration = Duration::from_secs(1);

    fn sources(limit: u32, limited: usize) -> Sources {
        let mut meter = MockRefusalMeter::new();
        meter.expect_limited().times(limited).return_const(());
        meter.expect_silent().return_const(());
        let proxies = Networks::parse("10.0.0.0/8").unwrap();
        Sources::new(proxies, NonZeroU32::new(limit), Arc::new(meter))
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// The status of a refusal to that source.
    fn refused(sources: &Sources, source: &str) -> u16 {
        let answer = sources.answer(address(source), Answer::not_found());
        answer.status.as_u16()
    }

    #[tokio::test(start_paused = true)]
    async fn too_many_failures_are_told_apart() {
        let sources = sources(3, 2);
        for expected in [404, 404, 404, 429, 429] {
            assert_eq!(refused(&sources, "192.0.2.1"), expected);
        }
        assert_eq!(refused(&sources, "192.0.2.2"), 404);
        let well = sources.answer(address("192.0.2.1"), Answer::probe(true));
        assert_eq!(well.status, 200);
        let ill = sources.answer(address("192.0.2.1"), Answer::probe(false));
        assert_eq!(ill.status, 503);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_long_ago_is_forgiven() {
        let sources = sources(3, 2);
        for expected in [404, 404, 404, 429] {
            assert_eq!(refused(&sources, "192.0.2.1"), expected);
        }
        tokio::time::advance(20 * SECOND).await;
        assert_eq!(refused(&sources, "192.0.2.1"), 404);
        assert_eq!(refused(&sources, "192.0.2.1"), 429);
        assert!(sources.is_suspect(address("192.0.2.1")));
        tokio::time::advance(61 * SECOND).await;
        assert!(!sources.is_suspect(address("192.0.2.1")));
    }

    #[tokio::test(start_paused = true)]
    async fn who_says_nothing_fails_too() {
        let sources = sources(2, 1);
        for _ in 0..3 {
            sources.silent(address("2001:db8::1"));
        }
        assert!(sources.is_suspect(address("2001:db8::2")));
        assert!(!sources.is_suspect(address("2001:db8:0:1::1")));
        assert_eq!(refused(&sources, "2001:db8::3"), 429);
    }

    #[tokio::test(start_paused = true)]
    async fn a_proxy_is_never_over_a_limit() {
        let sources = sources(1, 0);
        for _ in 0..5 {
            assert_eq!(refused(&sources, "10.0.0.1"), 404);
            sources.silent(address("10.0.0.1"));
        }
        assert!(!sources.is_suspect(address("10.0.0.1")));
    }

    #[tokio::test(start_paused = true)]
    async fn no_limit_is_none() {
        let sources = sources(0, 0);
        for _ in 0..1000 {
            assert_eq!(refused(&sources, "192.0.2.1"), 404);
        }
        assert!(!sources.is_suspect(address("192.0.2.1")));
    }

    #[tokio::test(start_paused = true)]
    async fn memory_is_bounded_whoever_comes() {
        let sources = sources(1, 50_000);
        for number in 0..50_000_u32 {
            let source = IpAddr::from(number.to_be_bytes());
            for expected in [404, 429] {
                assert_eq!(sources.answer(source, Answer::not_found()).status, expected);
            }
        }
        let failures = sources.failures.unwrap();
        assert!(failures.over.len() <= REMEMBERED);
        let states = failures.limiter.into_state_store().0;
        assert!(states.len() <= REMEMBERED && states.len() > REMEMBERED / 2);
    }
}
