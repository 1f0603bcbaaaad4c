//! What a client showed of itself, and how long that counts.

use std::sync::Arc;
use std::time::Duration;
use std::time::SystemTime;
use std::time::UNIX_EPOCH;

use async_trait::async_trait;
use rustls::pki_types::CertificateDer;
use tokio::sync::watch;
use tokio::time::sleep;
use tracing::warn;

use super::leaf::Leaf;
use crate::ports::shown_certificate::ShownCertificate;

/// The authorities that are believed, as far as one can tell them apart: each time they are replaced, all receivers see a change.
pub(super) type Trust = watch::Sender<()>;

/// A certificate that was good in the handshake.
pub(super) struct Shown {
    /// The first moment in which it is not valid.
    end: SystemTime,
    /// Has a change when other authorities are believed than in the handshake.
    trust: watch::Receiver<()>,
    now: fn() -> SystemTime,
}

/// What counts of a certificate that was verified by these authorities. One of which it cannot be read how long it is valid proves nothing here, and
/// the types that need none are served all the same.
pub(super) fn shown(
    certificate: &CertificateDer<'_>,
    trust: watch::Receiver<()>,
) -> Option<Arc<dyn ShownCertificate>> {
    let shown = Shown::new(certificate, trust);
    if shown.is_none() {
        warn!("a client's certificate does not say how long it is valid: it does not count");
    }
    shown.map(|shown| Arc::new(shown) as _)
}

impl Shown {
    /// A certificate that was verified by these authorities; `None` where it cannot be read how long it is valid.
    fn new(certificate: &CertificateDer<'_>, trust: watch::Receiver<()>) -> Option<Self> {
        let leaf = Leaf::read(certificate);
        let not_after = leaf.and_then(|leaf| u64::try_from(leaf.not_after()).ok());
        let end = not_after.and_then(|last| {
            let first_after = Duration::from_secs(last.checked_add(1)?);
            UNIX_EPOCH.checked_add(first_after)
        });
        Some(Self {
            end: end?,
            trust,
            now: SystemTime::now,
        })
    }

    /// The time for which it is still valid.
    fn left(&self) -> Option<Duration> {
        let left = self.end.duration_since((self.now)()).ok();
        left.filter(|left| !left.is_zero())
    }
}

#[async_trait]
impl ShownCertificate for Shown {
    fn counts(&self) -> bool {
        // Where nobody can replace the authorities any more, they are the same.
        let is_replaced = self.trust.has_changed().unwrap_or(false);
        !is_replaced && self.left().is_some()
    }

    async fn lapsed(&self) {
        /// The clock on the wall may be set meanwhile.
        const LOOK_AGAIN: Duration = Duration::from_secs(60);
        let mut trust = self.trust.clone();
        while let Some(left) = self.left() {
            tokio::select! {
                Ok(()) = trust.changed() => return,
                () = sleep(left.min(LOOK_AGAIN)) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use tokio::time::Instant;
    use tokio::time::advance;
    use tokio::time::timeout;

    use super::super::self_signed;
    use super::*;
    use crate::domain::tls::cipher_suite::KeyKind;

    const HOUR: Duration = Duration::from_secs(3600);

    /// A time that passes as tokio's does, from when it was first asked for.
    fn now() -> SystemTime {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        UNIX_EPOCH + 1000 * HOUR + START.elapsed()
    }

    /// One that is valid for so long.
    fn shown(left: Duration, trust: &Trust) -> Shown {
        Shown {
            end: now() + left,
            trust: trust.subscribe(),
            now,
        }
    }

    async fn lapses_within(time: Duration, shown: &Shown) -> bool {
        timeout(time, shown.lapsed()).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn a_certificate_counts_until_it_expires() {
        let trust = Trust::default();
        let shown = shown(HOUR, &trust);
        assert!(shown.counts());
        assert!(!lapses_within(HOUR / 2, &shown).await);
        assert!(shown.counts());
        assert!(lapses_within(HOUR, &shown).await);
        assert!(!shown.counts());
        advance(HOUR).await;
        assert!(!shown.counts());
        assert!(lapses_within(Duration::ZERO, &shown).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_certificate_counts_as_long_as_its_authorities_are_believed() {
        let trust = Trust::default();
        let before = shown(HOUR, &trust);
        trust.send_replace(());
        let after = shown(HOUR, &trust);
        assert!(!before.counts() && after.counts());
        assert!(lapses_within(Duration::ZERO, &before).await);
        // Nobody can replace them any more.
        drop(trust);
        assert!(after.counts());
        assert!(!lapses_within(HOUR / 2, &after).await);
        assert!(lapses_within(HOUR, &after).await);
    }

    #[test]
    fn the_end_is_that_of_the_certificate() {
        let pair = self_signed::make(&[], KeyKind::Ecdsa).unwrap();
        let certificate = pair.leaf().unwrap();
        let shown = Shown::new(certificate, Trust::default().subscribe()).unwrap();
        let last = Leaf::read(certificate).unwrap().not_after();
        let end = shown.end.duration_since(UNIX_EPOCH).unwrap();
        assert_eq!(end, Duration::from_secs(last.unsigned_abs() + 1));
        let nonsense = CertificateDer::from(vec![1, 2, 3]);
        assert!(super::shown(&nonsense, Trust::default().subscribe()).is_none());
    }
}
