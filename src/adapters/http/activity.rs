//! Whether a connection does something, and since when it does not.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::limits::Limits;
use super::sources::Sources;

/// The state of one connection. Its time-out costs a request two looks at the clock; a timer runs only as often as one could be due.
pub(super) struct Activity {
    born: Instant,
    head: Duration,
    idle: Duration,
    /// The other end, and where it is one of many.
    peer: IpAddr,
    sources: Arc<Sources>,
    /// Requests that are being answered.
    in_flight: AtomicUsize,
    /// Those among them whose body has not come whole.
    in_body: AtomicUsize,
    /// Whether there was no request yet, so that the first one is expected soon, rather than some time.
    is_new: AtomicBool,
    /// Whether a part of a head has come.
    in_head: AtomicBool,
    /// Whether the handshake is not done yet.
    in_handshake: AtomicBool,
    /// Whether something has come over it that proves who is there.
    is_proved: AtomicBool,
    /// When the wait for a head began, in nanoseconds after `born`: whole milliseconds would not tell who of two came first.
    since: AtomicU64,
    /// When the handshake was done, likewise.
    shaken: AtomicU64,
    /// Told when the last request is answered.
    idle_now: Arc<Notify>,
    /// Whether it was asked to end and has not said that it stays.
    is_asked: AtomicBool,
    /// Whether it ends whatever is under way.
    is_cut: AtomicBool,
    end: Notify,
    goodbye: Notify,
}

impl Activity {
    /// A new connection of that peer, which should now shake hands. It tells `idle_now` when it has become idle.
    pub(super) fn new(
        limits: &Limits,
        peer: IpAddr,
        sources: Arc<Sources>,
        idle_now: Arc<Notify>,
    ) -> Arc<Self> {
        Arc::new(Self {
            born: Instant::now(),
            head: limits.head,
            idle: limits.idle,
            peer,
            sources,
            in_flight: AtomicUsize::new(0),
            in_body: AtomicUsize::new(0),
            is_new: AtomicBool::new(true),
            in_head: AtomicBool::new(false),
            in_handshake: AtomicBool::new(true),
            is_proved: AtomicBool::new(false),
            since: AtomicU64::new(0),
            shaken: AtomicU64::new(0),
            idle_now,
            is_asked: AtomicBool::new(false),
            is_cut: AtomicBool::new(false),
            end: Notify::new(),
            goodbye: Notify::new(),
        })
    }

    /// Says that hands are shaken, so that the first request should come now.
    pub(super) fn shaken(&self) {
        self.in_handshake.store(false, Ordering::Relaxed);
        self.shaken.store(self.age(), Ordering::Relaxed);
        self.wait();
    }

    /// Says that a request is being answered until what this returns is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> InFlight {
        let others = self.in_flight.fetch_add(1, Ordering::Relaxed);
        self.is_new.store(false, Ordering::Relaxed);
        let has_head = self.in_head.swap(false, Ordering::Relaxed);
        if others == 0 && !has_head {
            self.wait();
        }
        InFlight(Arc::clone(self))
    }

    /// Says that the body of a request that is being answered is waited for until what this returns is dropped.
    pub(super) fn begin_body(&self) -> InBody<'_> {
        self.in_body.fetch_add(1, Ordering::Relaxed);
        InBody(self)
    }

    /// Says that bytes have come. Between two requests they are the start of a head.
    pub(super) fn received(&self) {
        if self.is_busy() || self.in_head.swap(true, Ordering::Relaxed) {
            return;
        }
        // The time for the first head began with the connection.
        if !self.is_new.load(Ordering::Relaxed) {
            self.wait();
        }
    }

    fn is_busy(&self) -> bool {
        self.in_flight.load(Ordering::Acquire) > 0
    }

    /// Whether a request is being answered that has come whole.
    pub(super) fn is_in_work(&self) -> bool {
        self.in_flight.load(Ordering::Acquire) > self.in_body.load(Ordering::Relaxed)
    }

    /// Whether a part of a request has come, and nothing that is whole.
    pub(super) fn is_in_part(&self) -> bool {
        self.is_in_head() || self.is_busy() && !self.is_in_work()
    }

    fn age(&self) -> u64 {
        u64::try_from(self.born.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn wait(&self) {
        self.since.store(self.age(), Ordering::Relaxed);
    }

    fn waiting_since(&self) -> Instant {
        self.at(&self.since)
    }

    fn at(&self, age: &AtomicU64) -> Instant {
        self.born + Duration::from_nanos(age.load(Ordering::Relaxed))
    }

    /// Since when its place may be given to somebody else; `None`: it may not.
    ///
    /// That is since when nothing of a request has been here, but not before some time that is still to come where the connection is new: its
    /// handshake takes a while, and its first request is on its way, after the handshake of TLS 1.2 for a whole round trip. A request that has
    /// begun to come keeps the place. The suspect could keep all places by that, so with them it does for the connection's first moment alone,
    /// however they go on, and after that where somebody else is idle or has begun before: a delivery that comes whole proves who is there.
    pub(super) fn free_since(&self) -> Option<Instant> {
        const HANDSHAKE: Duration = Duration::from_secs(1);
        const FIRST_WORD: Duration = Duration::from_millis(250);
        const PROOF: Duration = Duration::from_secs(1);
        if self.is_in_work() {
            None
        } else if self.is_in_part() {
            let since = self.waiting_since().max(self.at(&self.shaken) + PROOF);
            self.is_suspect().then_some(since)
        } else if self.in_handshake.load(Ordering::Relaxed) {
            Some(self.waiting_since() + HANDSHAKE)
        } else if self.is_new.load(Ordering::Relaxed) {
            Some(self.waiting_since() + FIRST_WORD)
        } else {
            Some(self.waiting_since())
        }
    }

    /// Whether its place may be given to somebody else now.
    pub(super) fn is_free(&self) -> bool {
        self.free_since()
            .is_some_and(|since| since <= Instant::now())
    }

    /// Whether it has to go before others: its source is over its limit, and it has not proved that it is somebody else there.
    pub(super) fn is_suspect(&self) -> bool {
        !self.is_proved.load(Ordering::Relaxed) && self.sources.is_suspect(self.peer)
    }

    /// Says that an authentic delivery has come. Behind an ingress it shares its address with whoever floods, and is not to go for that.
    pub(super) fn prove(&self) {
        self.is_proved.store(true, Ordering::Relaxed);
    }

    /// Whether a request was due that has not come, or not whole.
    pub(super) fn owes_request(&self) -> bool {
        self.is_new.load(Ordering::Relaxed) || self.is_in_head()
    }

    /// Whether a part of a head has come.
    pub(super) fn is_in_head(&self) -> bool {
        self.in_head.load(Ordering::Relaxed)
    }

    /// Says that it ends whatever is under way, so that what breaks off by that is nobody's fault.
    pub(super) fn cut(&self) {
        self.is_cut.store(true, Ordering::Relaxed);
    }

    /// Whether that was said.
    pub(super) fn is_cut(&self) -> bool {
        self.is_cut.load(Ordering::Relaxed)
    }

    /// Says that the connection should end when what has come over it is answered.
    pub(super) fn say_goodbye(&self) {
        self.goodbye.notify_one();
    }

    /// Returns when that was said.
    pub(super) async fn said_goodbye(&self) {
        self.goodbye.notified().await;
    }

    /// Asks the connection to end if its place is still free.
    pub(super) fn ask_to_end(&self) {
        self.is_asked.store(true, Ordering::Relaxed);
        self.end.notify_one();
    }

    /// Whether it was asked to end, and most likely does.
    pub(super) fn is_asked_to_end(&self) -> bool {
        self.is_asked.load(Ordering::Relaxed)
    }

    /// Says that it was asked to end and does not: a request has come meanwhile.
    pub(super) fn stay(&self) {
        self.is_asked.store(false, Ordering::Relaxed);
    }

    /// Returns when the connection was asked to end.
    pub(super) async fn asked_to_end(&self) {
        self.end.notified().await;
    }

    /// Returns when a head is overdue.
    pub(super) async fn overdue(&self) {
        loop {
            let now = Instant::now();
            // A head may begin right after this look, so the next one must not be later than that head is due.
            let soonest = now + self.head.min(self.idle);
            let next = match self.due() {
                Some(due) if due <= now => return,
                Some(due) => due.min(soonest),
                None => soonest,
            };
            sleep_until(next).await;
        }
    }

    fn due(&self) -> Option<Instant> {
        if self.is_busy() {
            return None;
        }
        let limit = if self.owes_request() {
            self.head
        } else {
            self.idle
        };
        Some(self.waiting_since() + limit)
    }
}

/// A request that is being answered.
pub(super) struct InFlight(Arc<Activity>);

impl Drop for InFlight {
    fn drop(&mut self) {
        // First the time: without it, an idle connection would seem to be as old as its last wait.
        self.0.wait();
        if self.0.in_flight.fetch_sub(1, Ordering::Release) == 1 {
            self.0.idle_now.notify_one();
        }
    }
}

/// A request whose body is waited for.
pub(super) struct InBody<'a>(&'a Activity);

impl Drop for InBody<'_> {
    fn drop(&mut self) {
        self.0.in_body.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const SECOND: Duration = Duration::from_secs(1);

    /// One whose handshake is done.
    fn of(sources: Sources) -> Arc<Activity> {
        let limits = Limits {
            head: Duration::from_secs(10),
            idle: Duration::from_secs(60),
            ..Limits::default()
        };
        let activity = Activity::new(&limits, PEER, Arc::new(sources), Arc::default());
        activity.shaken();
        activity
    }

    fn activity() -> Arc<Activity> {
        of(Sources::unmetered(None))
    }

    async fn is_overdue_after(activity: &Activity, seconds: u64) -> bool {
        let start = Instant::now();
        activity.overdue().await;
        start.elapsed().as_secs() == seconds
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_head_must_come_soon() {
        assert!(is_overdue_after(&activity(), 10).await);
        let activity = activity();
        tokio::time::advance(Duration::from_secs(3)).await;
        activity.received();
        assert!(is_overdue_after(&activity, 7).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_part_of_a_request_makes_it_busy() {
        let activity = activity();
        assert!(activity.free_since() > Some(Instant::now()));
        activity.received();
        assert_eq!(activity.free_since(), None);
        let request = activity.begin();
        assert_eq!(activity.free_since(), None);
        drop(request);
        assert_eq!(activity.free_since(), Some(Instant::now()));
        activity.received();
        assert_eq!(activity.free_since(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_handshake_may_take_a_while() {
        let sources = Arc::new(Sources::unmetered(None));
        let activity = Activity::new(&Limits::default(), PEER, sources, Arc::default());
        assert_eq!(activity.free_since(), Some(Instant::now() + SECOND));
        tokio::time::advance(5 * SECOND).await;
        assert_eq!(activity.free_since(), Some(Instant::now() - 4 * SECOND));
        assert!(activity.owes_request());
        activity.shaken();
        assert!(activity.free_since() > Some(Instant::now()));
        drop(activity.begin());
        assert!(!activity.owes_request());
    }

    #[tokio::test(start_paused = true)]
    async fn the_suspect_keep_no_place_by_what_they_begin() {
        let suspect = of(Sources::suspecting(PEER));
        let due = Instant::now() + SECOND;
        suspect.received();
        assert_eq!(suspect.free_since(), Some(due));
        assert!(!suspect.is_free());
        tokio::time::advance(SECOND).await;
        assert!(suspect.is_free());
        let request = suspect.begin();
        assert_eq!(suspect.free_since(), None);
        let body = suspect.begin_body();
        assert_eq!(suspect.free_since(), Some(due));
        let other = suspect.begin();
        assert_eq!(suspect.free_since(), None);
        drop(other);
        assert!(suspect.is_free());
        suspect.prove();
        assert_eq!(suspect.free_since(), None);
        drop((body, request));
        assert!(suspect.is_free());
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_may_idle_between_requests() {
        let activity = activity();
        drop(activity.begin());
        assert!(is_overdue_after(&activity, 60).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_has_begun_must_end_soon_however_it_drips() {
        let activity = activity();
        drop(activity.begin());
        let overdue = activity.overdue();
        tokio::pin!(overdue);
        assert!(
            timeout(Duration::from_secs(25), &mut overdue)
                .await
                .is_err()
        );
        for _ in 0..3 {
            activity.received();
            assert!(timeout(Duration::from_secs(3), &mut overdue).await.is_err());
        }
        let start = Instant::now();
        overdue.await;
        assert_eq!(start.elapsed().as_secs(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_may_take_its_time() {
        let activity = activity();
        let request = activity.begin();
        let overdue = activity.overdue();
        tokio::pin!(overdue);
        assert!(
            timeout(Duration::from_secs(600), &mut overdue)
                .await
                .is_err()
        );
        activity.received();
        drop(request);
        let start = Instant::now();
        overdue.await;
        assert_eq!(start.elapsed().as_secs(), 60);
    }
}
