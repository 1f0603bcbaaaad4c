//! The cipher suites that a user may name, by their
//! [IANA names](https://www.iana.org/assignments/tls-parameters/tls-parameters.xhtml#tls-parameters-4).

use std::fmt;

use thiserror::Error;

/// A cipher suite that we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CipherSuite {
    name: &'static str,
    class: SuiteClass,
}

/// What it takes to serve a cipher suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SuiteClass {
    /// It belongs to TLS 1.3, whose suites are always all served.
    Tls13,
    /// An authenticated cipher of TLS 1.2 with forward secrecy: every build serves it.
    Modern,
    /// It uses CBC or has no forward secrecy: only a build that speaks TLS 1.1 serves it.
    Legacy,
    /// It is broken (RC4, 3DES): no build serves it.
    Broken,
}

/// The kind of a certificate's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// On an elliptic curve.
    Ecdsa,
    /// RSA.
    Rsa,
}

impl CipherSuite {
    /// Every suite that may be named.
    pub const ALL: &'static [Self] = &ALL;

    /// The suite of that IANA name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        ALL.iter().find(|suite| suite.name == name).copied()
    }

    /// The IANA name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.name
    }

    /// What it takes to serve it.
    #[must_use]
    pub fn class(self) -> SuiteClass {
        self.class
    }

    /// Whether it can be served with a certificate of that kind.
    #[must_use]
    pub fn fits(self, key: KeyKind) -> bool {
        let key_of_suite = if self.name.contains("_ECDSA_") {
            KeyKind::Ecdsa
        } else {
            KeyKind::Rsa
        };
        self.class == SuiteClass::Tls13 || key == key_of_suite
    }

    /// Whether TLS 1.1 has it: there, a suite is CBC with SHA-1.
    #[must_use]
    pub fn serves_tls11(self) -> bool {
        self.class == SuiteClass::Legacy && self.name.ends_with("_CBC_SHA")
    }
}

impl fmt::Display for CipherSuite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

const fn suite(name: &'static str, class: SuiteClass) -> CipherSuite {
    CipherSuite { name, class }
}

const ALL: [CipherSuite; 25] = {
    use SuiteClass::{Broken, Legacy, Modern, Tls13};
    [
        suite("TLS_AES_128_GCM_SHA256", Tls13),
        suite("TLS_AES_256_GCM_SHA384", Tls13),
        suite("TLS_CHACHA20_POLY1305_SHA256", Tls13),
        suite("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", Modern),
        suite("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", Modern),
        suite("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", Modern),
        suite("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", Modern),
        suite("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", Modern),
        suite("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", Modern),
        suite("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", Legacy),
        suite("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", Legacy),
        suite("TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", Legacy),
        suite("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", Legacy),
        suite("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", Legacy),
        suite("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", Legacy),
        suite("TLS_RSA_WITH_AES_128_CBC_SHA", Legacy),
        suite("TLS_RSA_WITH_AES_128_CBC_SHA256", Legacy),
        suite("TLS_RSA_WITH_AES_128_GCM_SHA256", Legacy),
        suite("TLS_RSA_WITH_AES_256_CBC_SHA", Legacy),
        suite("TLS_RSA_WITH_AES_256_GCM_SHA384", Legacy),
        suite("TLS_ECDHE_ECDSA_WITH_RC4_128_SHA", Broken),
        suite("TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA", Broken),
        suite("TLS_ECDHE_RSA_WITH_RC4_128_SHA", Broken),
        suite("TLS_RSA_WITH_3DES_EDE_CBC_SHA", Broken),
        suite("TLS_RSA_WITH_RC4_128_SHA", Broken),
    ]
};

/// The suites that a user named, each once, in the user's order. Empty where the user named none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CipherList(Vec<CipherSuite>);

impl CipherList {
    /// Parses IANA names that are separated by colons; empty parts are skipped.
    ///
    /// # Errors
    /// [`UnknownCiphers`], which names all that are unknown.
    pub fn parse(text: &str) -> Result<Self, UnknownCiphers> {
        let (mut known, mut unknown) = (Vec::new(), Vec::new());
        for name in text.split(':').map(str::trim).filter(|n| !n.is_empty()) {
            match CipherSuite::named(name) {
                Some(suite) if known.contains(&suite) => {}
                Some(suite) => known.push(suite),
                None => unknown.push(name.to_owned()),
            }
        }
        if unknown.is_empty() {
            Ok(Self(known))
        } else {
            Err(UnknownCiphers(unknown))
        }
    }

    /// The suites.
    #[must_use]
    pub fn suites(&self) -> &[CipherSuite] {
        &self.0
    }
}

/// Some names are no cipher suites that we know.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("unknown cipher suite {}; allowed, separated by \":\": {}", quoted(.0), allowed())]
pub struct UnknownCiphers(pub Vec<String>);

fn quoted(names: &[String]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("{name:?}")).collect();
    quoted.join(", ")
}

fn allowed() -> String {
    let names: Vec<_> = ALL
        .iter()
        .filter(|suite| matches!(suite.class, SuiteClass::Modern | SuiteClass::Legacy))
        .map(|suite| suite.name)
        .collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_list_keeps_its_order_and_drops_repetition() {
        let list = CipherList::parse(
            "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: TLS_AES_128_GCM_SHA256 ::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        );
        let names: Vec<_> = list
            .unwrap()
            .suites()
            .iter()
            .map(|suite| suite.name())
            .collect();
        assert_eq!(
            names,
            [
                "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
                "TLS_AES_128_GCM_SHA256"
            ]
        );
        assert_eq!(CipherList::parse(""), Ok(CipherList::default()));
    }

    #[test]
    fn every_unknown_name_is_reported_with_what_is_allowed() {
        let error = CipherList::parse("AES256-SHA:TLS_AES_128_GCM_SHA256:nonsense").unwrap_err();
        assert_eq!(error.0, ["AES256-SHA", "nonsense"]);
        let shown = error.to_string();
        assert!(shown.contains("\"AES256-SHA\", \"nonsense\""), "{shown}");
        assert!(shown.contains("TLS_RSA_WITH_AES_128_GCM_SHA256"), "{shown}");
        assert!(!shown.contains("RC4"), "{shown}");
    }

    #[test]
    fn names_are_unique() {
        for suite in CipherSuite::ALL {
            assert_eq!(CipherSuite::named(suite.name()), Some(*suite));
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_list_or_an_error(text in ".*") {
            let _ = CipherList::parse(&text);
        }

        #[test]
        fn what_was_parsed_parses_again(picks in prop::collection::vec(0..ALL.len(), 0..8)) {
            let text = picks.iter().map(|i| ALL[*i].name()).collect::<Vec<_>>().join(":");
            let list = CipherList::parse(&text).unwrap();
            let again = list.suites().iter().map(|s| s.name()).collect::<Vec<_>>().join(":");
            prop_assert_eq!(CipherList::parse(&again), Ok(list));
        }
    }
}
