//! Who is let in, and who has to make room.

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep_until};

use super::activity::Activity;
use super::limits::Limits;
use super::sources::Sources;

/// The places for connections. While all are taken, whoever waits is given that of the connection which has been idle the longest; of a source
/// that has sent too much that fails, before all others, and where nobody is idle, that of a request which it has begun and does not go on with.
pub(super) struct Room {
    places: Semaphore,
    /// The connections that may become idle. Those which are closed go when the next one comes.
    guests: Mutex<Vec<Weak<Activity>>>,
    /// Tells whoever waits that a connection has become idle.
    idle: Arc<Notify>,
}

impl Room {
    /// An empty room.
    pub(super) fn new(places: NonZeroUsize) -> Self {
        Self {
            places: Semaphore::new(places.get()),
            guests: Mutex::default(),
            idle: Arc::default(),
        }
    }

    /// Waits for a place, which is kept until what this returns is dropped. Only one connection may wait at a time.
    pub(super) async fn enter(&self) -> SemaphorePermit<'_> {
        if let Ok(place) = self.places.try_acquire() {
            return place;
        }
        loop {
            let Asked { is_any, look_again } = self.ask_the_idlest();
            tokio::select! {
                biased;
                Ok(place) = self.places.acquire() => return place,
                // Whoever is asked has its time, however many become idle meanwhile.
                () = self.idle.notified(), if !is_any => {}
                () = sleep_until(look_again) => {}
            }
        }
    }

    /// A new connection, which can be asked to make room from now on: one that does not even shake hands must not keep its place.
    pub(super) fn admit(
        &self,
        limits: &Limits,
        peer: IpAddr,
        sources: &Arc<Sources>,
    ) -> Arc<Activity> {
        let activity = Activity::new(limits, peer, Arc::clone(sources), Arc::clone(&self.idle));
        let mut guests = self.guests.lock().unwrap_or_else(PoisonError::into_inner);
        guests.retain(|guest| guest.strong_count() > 0);
        guests.push(Arc::downgrade(&activity));
        activity
    }

    /// Asks the connection that has been idle the longest to end, and says when to look again. Each is asked once, and the next one soon after: one
    /// that takes its time to leave, as those of HTTP/2 may that do not answer a goodbye, is to hold nobody up.
    fn ask_the_idlest(&self) -> Asked {
        const PAUSE: Duration = Duration::from_millis(50);
        let now = Instant::now();
        let guests = self.guests.lock().unwrap_or_else(PoisonError::into_inner);
        let free: Vec<_> = guests
            .iter()
            .filter_map(Weak::upgrade)
            .filter(|guest| !guest.is_asked_to_end())
            .filter_map(|guest| Some((guest.free_since()?, guest)))
            .collect();
        let has_to_go = free
            .iter()
            .filter(|(since, _)| *since <= now)
            .min_by_key(|(since, guest)| (guest.is_in_part(), !guest.is_suspect(), *since));
        if let Some((_, guest)) = has_to_go {
            guest.ask_to_end();
            return Asked {
                is_any: true,
                look_again: now + PAUSE,
            };
        }
        let soonest = free.iter().map(|(since, _)| *since).min();
        Asked {
            is_any: false,
            look_again: soonest.unwrap_or(now + PAUSE),
        }
    }
}

/// Whether a connection was asked to make room, and when to look again.
struct Asked {
    is_any: bool,
    look_again: Instant,
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn room() -> Room {
        Room::new(NonZeroUsize::MIN)
    }

    /// One that is not done with its handshake.
    fn stranger(room: &Room, is_suspect: bool) -> Arc<Activity> {
        let peer = IpAddr::from([192, 0, 2, 1]);
        let sources = if is_suspect {
            Sources::suspecting(peer)
        } else {
            Sources::unmetered(None)
        };
        room.admit(&Limits::default(), peer, &Arc::new(sources))
    }

    /// One whose handshake is done.
    fn guest(room: &Room, is_suspect: bool) -> Arc<Activity> {
        let guest = stranger(room, is_suspect);
        guest.shaken();
        guest
    }

    /// Whether someone who comes now gets in within a minute, where the one inside does as it is asked.
    async fn lets_in(room: &Room, place: SemaphorePermit<'_>, guest: &Activity) -> bool {
        let leave = async {
            guest.asked_to_end().await;
            drop(place);
            std::future::pending::<()>().await;
        };
        tokio::select! {
            entered = timeout(60 * SECOND, room.enter()) => entered.is_ok(),
            () = leave => false,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_idle_make_room_at_once() {
        let room = room();
        let place = room.enter().await;
        let guest = guest(&room, false);
        drop(guest.begin());
        let start = Instant::now();
        assert!(lets_in(&room, place, &guest).await);
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_has_just_come_may_speak_first() {
        let room = room();
        let place = room.enter().await;
        let guest = guest(&room, false);
        let start = Instant::now();
        assert!(lets_in(&room, place, &guest).await);
        let waited = start.elapsed();
        assert!(waited >= SECOND / 5 && waited < SECOND, "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_busy_stay_until_they_are_idle() {
        let room = room();
        let place = room.enter().await;
        let guest = guest(&room, false);
        let request = guest.begin();
        let start = Instant::now();
        let end = async {
            tokio::time::sleep(30 * SECOND).await;
            drop(request);
        };
        let (is_in, ()) = tokio::join!(lets_in(&room, place, &guest), end);
        assert!(is_in);
        assert_eq!(start.elapsed(), 30 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_does_not_shake_hands_makes_room() {
        let room = room();
        let place = room.enter().await;
        let guest = stranger(&room, false);
        let start = Instant::now();
        assert!(lets_in(&room, place, &guest).await);
        assert_eq!(start.elapsed(), SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn the_idle_make_room_before_a_request_that_is_coming() {
        let room = Room::new(NonZeroUsize::new(2).unwrap());
        let (stays, place) = (room.enter().await, room.enter().await);
        let coming = guest(&room, true);
        drop(coming.begin());
        tokio::time::advance(10 * SECOND).await;
        let (request, idle) = (coming.begin(), guest(&room, false));
        let body = coming.begin_body();
        drop(idle.begin());
        assert!(lets_in(&room, place, &idle).await);
        assert!(!coming.is_asked_to_end());
        drop((stays, body, request));
    }

    #[tokio::test(start_paused = true)]
    async fn of_requests_that_do_not_end_the_first_makes_room() {
        let room = Room::new(NonZeroUsize::new(2).unwrap());
        let (stays, place) = (room.enter().await, room.enter().await);
        let (old, new) = (guest(&room, true), guest(&room, true));
        tokio::time::advance(10 * SECOND).await;
        let (first, second) = (new.begin(), new.begin_body());
        tokio::time::advance(SECOND).await;
        let (third, fourth) = (old.begin(), old.begin_body());
        assert!(lets_in(&room, place, &new).await);
        assert!(!old.is_asked_to_end());
        drop((stays, first, second, third, fourth));
    }

    #[tokio::test(start_paused = true)]
    async fn the_suspect_make_room_first() {
        let room = Room::new(NonZeroUsize::new(2).unwrap());
        let (stays, place) = (room.enter().await, room.enter().await);
        let idlest = guest(&room, false);
        drop(idlest.begin());
        tokio::time::advance(SECOND).await;
        let suspect = guest(&room, true);
        drop(suspect.begin());
        assert!(lets_in(&room, place, &suspect).await);
        drop((stays, idlest));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_takes_long_to_leave_holds_nobody_up() {
        let room = Room::new(NonZeroUsize::new(3).unwrap());
        let stay = (room.enter().await, room.enter().await);
        let place = room.enter().await;
        let slow = [guest(&room, false), guest(&room, true)];
        for guest in &slow {
            drop(guest.begin());
        }
        tokio::time::advance(SECOND).await;
        let quick = guest(&room, false);
        drop(quick.begin());
        let start = Instant::now();
        assert!(lets_in(&room, place, &quick).await);
        assert!(start.elapsed() < SECOND / 5, "{:?}", start.elapsed());
        drop(stay);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_else_is_asked_at_once() {
        let room = Room::new(NonZeroUsize::new(2).unwrap());
        let (stays, place) = (room.enter().await, room.enter().await);
        let idlest = guest(&room, false);
        drop(idlest.begin());
        tokio::time::advance(SECOND).await;
        let other = guest(&room, false);
        // It has become idle, which whoever waits is told.
        drop(other.begin());
        let leave = async {
            idlest.asked_to_end().await;
            tokio::time::sleep(SECOND / 50).await;
            drop(place);
        };
        let (place, ()) = tokio::join!(room.enter(), leave);
        assert!(!other.is_asked_to_end());
        drop((stays, place));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_was_busy_when_it_was_asked_is_asked_again() {
        let room = room();
        let place = room.enter().await;
        let guest = guest(&room, false);
        guest.ask_to_end();
        guest.asked_to_end().await;
        guest.stay();
        drop(guest.begin());
        assert!(lets_in(&room, place, &guest).await);
    }

    #[tokio::test(start_paused = true)]
    async fn the_suspect_may_speak_first_too() {
        let room = room();
        let place = room.enter().await;
        let guest = guest(&room, true);
        let start = Instant::now();
        assert!(lets_in(&room, place, &guest).await);
        assert!(start.elapsed() >= SECOND / 5);
    }

    #[tokio::test(start_paused = true)]
    async fn the_closed_are_forgotten() {
        let room = room();
        for _ in 0..100 {
            drop(guest(&room, false));
        }
        assert_eq!(room.guests.lock().unwrap().len(), 1);
    }
}
