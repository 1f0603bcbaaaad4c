//! A followed object as a source of settings, and of the certificate.

use crate::adapters::kubernetes::followed_object::FollowedObject;
use crate::adapters::kubernetes::keyed::Data;
use crate::ports::certificate_source::CertificateSource;
use crate::ports::certificate_source::CertificateSourceError;
use crate::ports::certificate_source::Found;
use crate::ports::config_source::ConfigSource;
use crate::ports::config_source::ConfigSourceError;
use crate::ports::config_source::ConfigValue;

/// An object that is not there, may not be read, or of which nothing is known yet, has no values.
impl ConfigSource for FollowedObject {
    fn values(&self) -> Result<Vec<ConfigValue>, ConfigSourceError> {
        let values = self.with_values(|data| {
            let value = |(key, bytes): (&String, &Vec<u8>)| ConfigValue {
                key: key.clone(),
                // The same as of a file of a mounted folder.
                value: String::from_utf8_lossy(bytes)
                    .trim_end_matches(['\r', '\n'])
                    .to_owned(),
            };
            data.iter().map(value).collect()
        });
        Ok(values.unwrap_or_default())
    }
}

impl CertificateSource for FollowedObject {
    fn place(&self) -> String {
        self.place().to_owned()
    }

    fn read(&self) -> Result<Found, CertificateSourceError> {
        let of = |data: &Data, key: &str| data.get(key).cloned();
        let found = self.with_values(|data| Found::of(of(data, "tls.crt"), of(data, "tls.key")));
        Ok(found.unwrap_or_else(|| Found::of(None, None)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(object: &FollowedObject) -> Vec<(String, String)> {
        let values = object.values().unwrap();
        values.into_iter().map(|v| (v.key, v.value)).collect()
    }

    #[test]
    fn values_are_read_like_files() {
        let object = FollowedObject::secret();
        object.set(Some(&[("a", b"\n x \r\n\n"), ("b", b"a\xff")]));
        let expected = [("a", "\n x "), ("b", "a\u{fffd}")];
        let expected = expected.map(|(k, v)| (k.to_owned(), v.to_owned()));
        assert_eq!(pairs(&object), expected);
        object.set(None);
        assert_eq!(pairs(&object), []);
    }

    #[test]
    fn an_object_of_which_nothing_is_known_has_no_values_and_says_so() {
        let object = FollowedObject::secret();
        assert_eq!(pairs(&object), []);
        assert!(matches!(object.read(), Ok(Found::Absent { .. })));
        assert!(object.silence().is_some());
        object.set(None);
        assert_eq!(object.silence(), None);
    }

    #[test]
    fn a_pair_is_read_whole() {
        let object = FollowedObject::secret();
        object.set(Some(&[("tls.crt", b"c"), ("tls.key", b"k")]));
        let pair = Found::of(Some(b"c".to_vec()), Some(b"k".to_vec()));
        assert!(object.read().unwrap() == pair);
        object.set(Some(&[("tls.crt", b"c")]));
        assert!(
            matches!(object.read().unwrap(), Found::Absent { missing } if missing == "tls.key")
        );
        assert!(!format!("{object:?}").contains("tls.crt"));
    }
}
