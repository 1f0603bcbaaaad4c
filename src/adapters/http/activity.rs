//! Whether a connection does something, and since when it does not.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::limits::Limits;

/// The state of one connection. Its time-out costs a request two looks at the clock; a timer runs only as often as one could be due.
#[derive(Debug)]
pub(super) struct Activity {
    born: Instant,
    head: Duration,
    idle: Duration,
    /// Requests that are being answered.
    in_flight: AtomicUsize,
    /// Whether there was no request yet, so that the first one is expected soon, rather than some time.
    is_new: AtomicBool,
    /// Whether a part of a head has come.
    in_head: AtomicBool,
    /// Whether the handshake is not done yet.
    in_handshake: AtomicBool,
    /// Whether its source has sent too much already that fails, and nothing has come over it yet that proves who is there.
    is_suspect: AtomicBool,
    /// When the wait for a head began, in nanoseconds after `born`: whole milliseconds would not tell who of two came first.
    since: AtomicU64,
    /// Told when the last request is answered.
    idle_now: Arc<Notify>,
    /// Whether it was asked to end and has not said that it stays.
    is_asked: AtomicBool,
    end: Notify,
}

impl Activity {
    /// A new connection, which should now shake hands. It tells `idle_now` when it has become idle.
    pub(super) fn new(limits: &Limits, is_suspect: bool, idle_now: Arc<Notify>) -> Arc<Self> {
        Arc::new(Self {
            born: Instant::now(),
            head: limits.head,
            idle: limits.idle,
            in_flight: AtomicUsize::new(0),
            is_new: AtomicBool::new(true),
            in_head: AtomicBool::new(false),
            in_handshake: AtomicBool::new(true),
            is_suspect: AtomicBool::new(is_suspect),
            since: AtomicU64::new(0),
            idle_now,
            is_asked: AtomicBool::new(false),
            end: Notify::new(),
        })
    }

    /// Says that hands are shaken, so that the first request should come now.
    pub(super) fn shaken(&self) {
        self.in_handshake.store(false, Ordering::Relaxed);
        self.wait();
    }

    /// Says that a request is being answered until what this returns is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        self.is_new.store(false, Ordering::Relaxed);
        self.in_head.store(false, Ordering::Relaxed);
        InFlight(Arc::clone(self))
    }

    /// Says that bytes have come. Between two requests they are the start of a head.
    fn received(&self) {
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

    fn wait(&self) {
        let since = u64::try_from(self.born.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.since.store(since, Ordering::Relaxed);
    }

    fn waiting_since(&self) -> Instant {
        self.born + Duration::from_nanos(self.since.load(Ordering::Relaxed))
    }

    /// Since when nothing of a request has been here. A new connection is not idle before some time that is still to come: its handshake
    /// takes a while, and its first request is on its way, after the handshake of TLS 1.2 for a whole round trip.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        const HANDSHAKE: Duration = Duration::from_secs(1);
        const FIRST_WORD: Duration = Duration::from_millis(250);
        if self.is_busy() || self.is_in_head() {
            return None;
        }
        let grace = if self.in_handshake.load(Ordering::Relaxed) {
            HANDSHAKE
        } else if self.is_new.load(Ordering::Relaxed) {
            FIRST_WORD
        } else {
            Duration::ZERO
        };
        Some(self.waiting_since() + grace)
    }

    /// Whether it has to go before others.
    pub(super) fn is_suspect(&self) -> bool {
        self.is_suspect.load(Ordering::Relaxed)
    }

    /// Says that an authentic delivery has come. Behind an ingress it shares its address with whoever floods, and is not to go for that.
    pub(super) fn prove(&self) {
        self.is_suspect.store(false, Ordering::Relaxed);
    }

    /// Whether a request was due that has not come, or not whole.
    pub(super) fn owes_request(&self) -> bool {
        self.is_new.load(Ordering::Relaxed) || self.is_in_head()
    }

    /// Whether a part of a head has come.
    pub(super) fn is_in_head(&self) -> bool {
        self.in_head.load(Ordering::Relaxed)
    }

    /// Asks the connection to end if it is still idle.
    pub(super) fn ask_to_end(&self) {
        self.is_asked.store(true, Ordering::Relaxed);
        self.end.notify_one();
    }

    /// Whether it was asked to end, and most likely does.
    pub(super) fn is_asked_to_end(&self) -> bool {
        self.is_asked.load(Ordering::Relaxed)
    }

    /// Says that it was asked to end and does not: it had become busy meanwhile.
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

/// A stream that tells when bytes come.
pub(super) struct Watched<'a, S> {
    pub(super) stream: &'a mut S,
    pub(super) activity: &'a Activity,
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<'_, S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut *self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.activity.received();
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<'_, S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    fn activity() -> Arc<Activity> {
        let limits = Limits {
            head: Duration::from_secs(10),
            idle: Duration::from_secs(60),
            ..Limits::default()
        };
        let activity = Activity::new(&limits, false, Arc::default());
        activity.shaken();
        activity
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
        assert!(activity.idle_since() > Some(Instant::now()));
        activity.received();
        assert_eq!(activity.idle_since(), None);
        let request = activity.begin();
        assert_eq!(activity.idle_since(), None);
        drop(request);
        assert_eq!(activity.idle_since(), Some(Instant::now()));
        activity.received();
        assert_eq!(activity.idle_since(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_handshake_may_take_a_while() {
        let activity = Activity::new(&Limits::default(), false, Arc::default());
        let second = Duration::from_secs(1);
        assert_eq!(activity.idle_since(), Some(Instant::now() + second));
        tokio::time::advance(5 * second).await;
        assert_eq!(activity.idle_since(), Some(Instant::now() - 4 * second));
        assert!(activity.owes_request());
        activity.shaken();
        assert!(activity.idle_since() > Some(Instant::now()));
        drop(activity.begin());
        assert!(!activity.owes_request());
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
