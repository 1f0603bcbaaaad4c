//! Taking up a certificate that was replaced.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::{Instant, MissedTickBehavior, interval};

use super::acceptor::TlsAcceptor;
use super::certificate::KeyPair;
use super::client_ca_watch::ClientCaWatch;
use super::error::TlsError;
use super::expiry::ServedExpiry;
use super::leaf::Leaf;
use super::sources::{Located, Sources};
use crate::domain::tls::TlsPolicy;
use crate::ports::certificate_expiry::CertificateExpiry;

/// How often a certificate is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReloadTiming {
    /// Between two looks at the places where it may be. A file system need not tell of changes for this to work. Default 1 s.
    pub poll: Duration,
    /// Between two complaints about a certificate that is not valid now. Default 1 h.
    pub complain: Duration,
}

impl Default for ReloadTiming {
    fn default() -> Self {
        Self {
            poll: Duration::from_secs(1),
            complain: Duration::from_secs(3600),
        }
    }
}

/// Watches over the certificate that is served.
pub struct CertificateWatch {
    pub(super) sources: Sources,
    pub(super) clients: Option<ClientCaWatch>,
    pub(super) timing: ReloadTiming,
    pub(super) served: Served,
}

impl CertificateWatch {
    /// Until when the certificate is valid that is served at the time of asking.
    #[must_use]
    pub fn expiry(&self) -> Arc<dyn CertificateExpiry> {
        Arc::clone(&self.served.expiry) as _
    }

    /// Works until it is dropped: takes up a certificate that was replaced or has come, and authorities for clients that were replaced; and says
    /// in the log what is wrong with them.
    pub async fn run(mut self) {
        let mut poll = interval(self.timing.poll);
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut next_complaint = Instant::now();
        loop {
            let now = poll.tick().await;
            let sources = self.sources.clone();
            let found = tokio::task::spawn_blocking(move || sources.read()).await;
            if let Ok(found) = found
                && self.served.look(found)
            {
                next_complaint = now;
            }
            if let Some(clients) = &mut self.clients {
                let file = clients.file.clone();
                if let Ok(found) = tokio::task::spawn_blocking(move || file.read()).await {
                    clients.look(found);
                }
            }
            if now >= next_complaint {
                self.served.complain(SystemTime::now());
                next_complaint = now + self.timing.complain;
            }
        }
    }
}

/// What is served, and what was seen since.
pub(super) struct Served {
    acceptor: Arc<dyn TlsAcceptor>,
    policy: TlsPolicy,
    found: Located,
    leaf: Option<Leaf>,
    expiry: Arc<ServedExpiry>,
    problem: Option<Problem>,
}

/// What is wrong with the new one. It is reported when it is seen for the second time running: the first may have fallen between the
/// writing of one file and of the other.
#[derive(Debug, PartialEq, Eq)]
struct Problem {
    text: String,
    is_reported: bool,
}

impl Served {
    /// Starts from what the acceptor was made with.
    pub(super) fn new(
        acceptor: Arc<dyn TlsAcceptor>,
        policy: TlsPolicy,
        found: Located,
        leaf: Option<Leaf>,
    ) -> Self {
        let served = Self {
            acceptor,
            policy,
            found,
            expiry: Arc::new(ServedExpiry::of(leaf.as_ref())),
            leaf,
            problem: None,
        };
        served.warn_of_unusable_suites();
        served
    }

    /// Looks at what is found now; says whether another certificate is served than before.
    fn look(&mut self, now: Result<Located, TlsError>) -> bool {
        // Not parsed at every look: a private key is worth no more copies in memory than are needed.
        if let Ok(located) = &now
            && located.found == self.found.found
        {
            self.found.place.clone_from(&located.place);
            self.problem = None;
            return false;
        }
        let seen = now.and_then(|found| Ok((found.pair()?, found)));
        match seen {
            Ok((Some(pair), found)) => match self.acceptor.install(&pair) {
                Ok(()) => {
                    self.take(&pair, found);
                    return true;
                }
                Err(error) => self.report(error.to_string()),
            },
            Ok((None, _)) => self.report("tls.crt or tls.key is missing or empty".to_owned()),
            Err(error) => self.report(error.to_string()),
        }
        false
    }

    fn take(&mut self, pair: &KeyPair, found: Located) {
        tracing::info!(
            place = found.place,
            "serving the certificate that has replaced the previous one"
        );
        self.leaf = pair.leaf().and_then(Leaf::read);
        self.expiry.take(self.leaf.as_ref());
        self.found = found;
        self.problem = None;
        self.warn_of_unusable_suites();
    }

    fn warn_of_unusable_suites(&self) {
        if let Some(leaf) = &self.leaf
            && !self.policy.fits(leaf.key)
        {
            let key = leaf.key;
            tracing::warn!(
                ?key,
                "no client below TLS 1.3 can connect: none of the cipher suites goes with the certificate's key; give suites for such a \
                 key, or a certificate with a key of the other kind"
            );
        }
    }

    fn report(&mut self, text: String) {
        match &mut self.problem {
            Some(known) if known.text == text => {
                if !known.is_reported {
                    tracing::error!(reason = text, "keeping the previous certificate");
                    known.is_reported = true;
                }
            }
            _ => {
                self.problem = Some(Problem {
                    text,
                    is_reported: false,
                });
            }
        }
    }

    /// Says in the log that clients will refuse the certificate, if they will.
    fn complain(&self, now: SystemTime) {
        if let Some(reason) = self.leaf.as_ref().and_then(|leaf| leaf.complaint(now)) {
            tracing::error!(
                reason,
                "the certificate is not valid; serving it all the same"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Mutex;

    use async_trait::async_trait;
    use tokio::net::TcpStream;

    use super::super::acceptor::{Accepted, Acceptor};
    use super::super::client_ca::ClientCa;
    use super::super::self_signed;
    use super::*;
    use crate::ports::certificate_source::CertificateSourceError;
    use crate::ports::certificate_source::Found;

    /// Remembers what was installed; refuses what is told to be a mismatch.
    #[derive(Default)]
    struct Installed {
        leaves: Mutex<Vec<Vec<u8>>>,
        refuses: Mutex<bool>,
    }

    #[async_trait]
    impl Acceptor for Installed {
        async fn accept(&self, _: TcpStream) -> io::Result<Accepted> {
            Err(io::ErrorKind::Unsupported.into())
        }
    }

    impl TlsAcceptor for Installed {
        fn install(&self, pair: &KeyPair) -> Result<(), TlsError> {
            if *self.refuses.lock().unwrap() {
                return Err(TlsError::MatchKey);
            }
            let leaf = pair.leaf().unwrap().to_vec();
            self.leaves.lock().unwrap().push(leaf);
            Ok(())
        }

        fn trust(&self, _: &ClientCa) -> Result<(), TlsError> {
            Ok(())
        }
    }

    fn at(place: &str, found: Found) -> Located {
        Located {
            place: place.to_owned(),
            found,
        }
    }

    fn absent() -> Located {
        at("folder", Found::of(None, None))
    }

    fn pair() -> Located {
        let (chain, key) = self_signed::pem(&[]);
        at("folder", Found::of(Some(chain.into()), Some(key.into())))
    }

    fn started() -> (Arc<Installed>, Served) {
        let acceptor = Arc::new(Installed::default());
        let served = Served::new(
            Arc::clone(&acceptor) as Arc<dyn TlsAcceptor>,
            TlsPolicy::default(),
            absent(),
            None,
        );
        (acceptor, served)
    }

    fn count(acceptor: &Installed) -> usize {
        acceptor.leaves.lock().unwrap().len()
    }

    #[test]
    fn a_certificate_that_comes_or_changes_is_taken_up_once() {
        let (acceptor, mut served) = started();
        assert!(!served.look(Ok(absent())));
        assert_eq!(served.expiry.not_after(), None);
        let first = pair();
        assert!(served.look(Ok(first.clone())));
        assert!(!served.look(Ok(first.clone())));
        assert_eq!(count(&acceptor), 1);
        assert!(served.look(Ok(pair())));
        assert_eq!(count(&acceptor), 2);
        let leaf = served.leaf.as_ref().unwrap();
        assert_eq!(served.expiry.not_after(), Some(leaf.not_after()));
    }

    #[test]
    fn the_same_certificate_in_another_place_is_no_other_one() {
        let (acceptor, mut served) = started();
        let found = pair().found;
        assert!(served.look(Ok(at("folder", found.clone()))));
        assert!(!served.look(Ok(at("object", found))));
        assert_eq!(count(&acceptor), 1);
    }

    #[test]
    fn what_cannot_be_served_leaves_the_old_one() {
        let (acceptor, mut served) = started();
        let good = pair();
        served.look(Ok(good.clone()));
        let nonsense = || Some(b"nonsense".to_vec());
        let broken = at("folder", Found::of(nonsense(), nonsense()));
        assert!(!served.look(Ok(broken)));
        assert!(!served.look(Ok(absent())));
        assert!(served.found == good);
        *acceptor.refuses.lock().unwrap() = true;
        assert!(!served.look(Ok(pair())));
        assert!(served.found == good);
        assert_eq!(count(&acceptor), 1);
    }

    #[test]
    fn a_problem_is_reported_when_it_lasts_and_once() {
        let (_, mut served) = started();
        let is_reported = |served: &Served| served.problem.as_ref().map(|p| p.is_reported);
        let unreadable = || {
            let (place, reason) = ("tls.crt".to_owned(), "denied".to_owned());
            Err(CertificateSourceError { place, reason }.into())
        };
        served.look(unreadable());
        assert_eq!(is_reported(&served), Some(false));
        served.look(unreadable());
        assert_eq!(is_reported(&served), Some(true));
        served.look(Ok(absent()));
        assert_eq!(is_reported(&served), None);
    }
}
