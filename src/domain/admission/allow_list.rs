//! The networks that deliveries may come from.

use std::net::IpAddr;

use thiserror::Error;

use super::network::NetworkError;
use super::network::Networks;
use super::network::elements;

/// What is no entry of the list.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AllowListError {
    /// The network is none.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The type before `=` is empty.
    #[error("{0:?} names no type before the =; write it as ghcr.io=192.0.2.0/24")]
    NoType(String),
}

/// From where deliveries are taken: a type with networks of its own from those alone, every other one from the general ones, and from
/// everywhere where there are none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowList {
    general: Networks,
    by_type: Vec<(String, Networks)>,
}

impl AllowList {
    /// Reads networks separated by commas, each for all types or, as `type=network`, for one.
    ///
    /// # Errors
    /// [`AllowListError`] with the first entry that is none.
    pub fn parse(text: &str) -> Result<Self, AllowListError> {
        let mut list = Self::default();
        for entry in elements(text) {
            match entry.split_once('=') {
                None => list.general.add(entry)?,
                Some((name, network)) => {
                    let name = name.trim();
                    if name.is_empty() {
                        return Err(AllowListError::NoType(entry.to_owned()));
                    }
                    list.of_type(name).add(network.trim())?;
                }
            }
        }
        Ok(list)
    }

    fn of_type(&mut self, name: &str) -> &mut Networks {
        let at = self.by_type.iter().position(|(known, _)| known == name);
        let at = at.unwrap_or(self.by_type.len());
        if at == self.by_type.len() {
            self.by_type.push((name.to_owned(), Networks::default()));
        }
        &mut self.by_type[at].1
    }

    /// The types that have networks of their own.
    pub fn types(&self) -> impl Iterator<Item = &str> {
        self.by_type.iter().map(|(name, _)| name.as_str())
    }

    /// Whether a delivery of that type may come from there.
    #[must_use]
    pub fn admits(&self, sender_type: Option<&str>, source: IpAddr) -> bool {
        let own = self
            .by_type
            .iter()
            .find(|(name, _)| Some(name.as_str()) == sender_type);
        match own {
            Some((_, networks)) => networks.contain(source),
            None => self.general.is_empty() || self.general.contain(source),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn admits(list: &str, sender_type: Option<&str>, source: &str) -> bool {
        let list = AllowList::parse(list).unwrap();
        list.admits(sender_type, source.parse().unwrap())
    }

    #[test]
    fn an_empty_list_admits_everybody() {
        assert!(admits("", Some("harbor"), "203.0.113.1"));
        assert!(admits("", None, "2001:db8::1"));
    }

    #[test]
    fn the_general_networks_are_for_every_type() {
        for sender_type in [None, Some("harbor"), Some("unknown")] {
            assert!(admits("10.0.0.0/8,::1", sender_type, "10.1.1.1"));
            assert!(!admits("10.0.0.0/8,::1", sender_type, "11.1.1.1"));
        }
    }

    #[test]
    fn a_type_with_networks_of_its_own_has_those_alone() {
        let list = "10.0.0.0/8, ghcr.io=192.0.2.0/24, ghcr.io = 198.51.100.0/24";
        assert!(admits(list, Some("ghcr.io"), "192.0.2.1"));
        assert!(admits(list, Some("ghcr.io"), "198.51.100.1"));
        assert!(!admits(list, Some("ghcr.io"), "10.1.1.1"));
        assert!(admits(list, Some("harbor"), "10.1.1.1"));
        assert!(!admits(list, Some("harbor"), "192.0.2.1"));
        assert!(admits(
            "ghcr.io=192.0.2.0/24",
            Some("harbor"),
            "203.0.113.1"
        ));
    }

    #[test]
    fn what_is_no_entry_is_named() {
        for text in [
            "=10.0.0.0/8",
            "harbor=",
            "harbor",
            "harbor=x",
            "10.0.0.0/8,",
        ] {
            assert!(AllowList::parse(text).is_err(), "{text}");
        }
        let list = AllowList::parse("a=::1,b=::1,a=::2").unwrap();
        assert_eq!(list.types().collect::<Vec<_>>(), ["a", "b"]);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in any::<String>()) {
            if let Ok(list) = AllowList::parse(&text) {
                let _ = list.admits(Some("a"), IpAddr::from([127, 0, 0, 1]));
            }
        }
    }
}
