//! All places that may hold the certificate.

use std::sync::Arc;

use tracing::warn;

use super::certificate::KeyPair;
use super::error::TlsError;
use crate::ports::certificate_source::CertificateSource;
use crate::ports::certificate_source::Found;

/// Places, the strongest first. The first that holds a whole pair counts alone: a certificate of one and a key of another do not belong
/// together.
#[derive(Clone)]
pub(super) struct Sources(pub(super) Vec<Arc<dyn CertificateSource>>);

/// What counts, and where it stands.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Located {
    pub(super) place: String,
    pub(super) found: Found,
}

impl Sources {
    /// Reads them. Where none holds a pair, it is the weakest that is told of.
    ///
    /// # Errors
    /// [`TlsError::Read`] where something is there and cannot be read. A weaker place does not stand in for it: which one counts must not
    /// change with a passing trouble.
    pub(super) fn read(&self) -> Result<Located, TlsError> {
        let mut last = Located {
            place: String::new(),
            found: Found::of(None, None),
        };
        for source in &self.0 {
            last = Located {
                place: source.place(),
                found: source.read()?,
            };
            if last.is_pair() {
                break;
            }
        }
        Ok(last)
    }

    /// Says which places hold another pair than the one that counts.
    pub(super) fn tell_hidden(&self, used: &Located) {
        let by = &used.place;
        for source in self.0.iter().filter(|source| source.place() != *by) {
            let Ok(found) = source.read() else { continue };
            if matches!(found, Found::Pair { .. }) && found != used.found {
                let place = source.place();
                warn!(%place, "the certificate there is not used, because that of {by} is stronger");
            }
        }
    }
}

impl Located {
    pub(super) fn is_pair(&self) -> bool {
        matches!(self.found, Found::Pair { .. })
    }

    /// The pair that was found, if one was.
    ///
    /// # Errors
    /// As for [`KeyPair::parse`].
    pub(super) fn pair(&self) -> Result<Option<KeyPair>, TlsError> {
        match &self.found {
            Found::Pair { chain, key } => KeyPair::parse(chain, key).map(Some),
            Found::Absent { .. } => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::certificate_source::CertificateSourceError;
    use crate::ports::certificate_source::MockCertificateSource;

    fn source(
        place: &'static str,
        read: Result<Found, CertificateSourceError>,
    ) -> Arc<dyn CertificateSource> {
        let mut source = MockCertificateSource::new();
        source.expect_place().returning(|| place.to_owned());
        source.expect_read().return_const(read);
        Arc::new(source)
    }

    fn pair(text: &str) -> Found {
        Found::of(Some(text.into()), Some(text.into()))
    }

    fn place(sources: Vec<Arc<dyn CertificateSource>>) -> String {
        Sources(sources).read().unwrap().place
    }

    #[test]
    fn the_strongest_whole_pair_counts() {
        let half = || Found::of(Some(b"x".into()), None);
        let both = vec![source("one", Ok(pair("1"))), source("two", Ok(pair("2")))];
        assert_eq!(place(both), "one");
        let second = vec![source("one", Ok(half())), source("two", Ok(pair("2")))];
        assert_eq!(place(second), "two");
        let none = vec![source("one", Ok(half())), source("two", Ok(half()))];
        let none = Sources(none).read().unwrap();
        assert!(none.place == "two" && !none.is_pair());
        assert!(none.pair().unwrap().is_none());
    }

    #[test]
    fn trouble_with_the_strongest_does_not_bring_another_one_up() {
        let error = CertificateSourceError {
            place: "one".to_owned(),
            reason: "away".to_owned(),
        };
        let sources = Sources(vec![
            source("one", Err(error)),
            source("two", Ok(pair("2"))),
        ]);
        assert!(sources.read().is_err());
    }
}
