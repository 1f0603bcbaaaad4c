//! Which versions and cipher suites of TLS are served.
//!
//! What a build can serve comes in as [`Capabilities`], so that a configuration is judged before anything starts.

pub mod cipher_suite;

use std::fmt;

use thiserror::Error;

use crate::domain::tls::cipher_suite::{CipherList, CipherSuite, KeyKind, SuiteClass};

/// A version of TLS that may be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// TLS 1.1, [RFC 4346](https://www.rfc-editor.org/rfc/rfc4346).
    Tls11,
    /// TLS 1.2, [RFC 5246](https://www.rfc-editor.org/rfc/rfc5246).
    Tls12,
    /// TLS 1.3, [RFC 8446](https://www.rfc-editor.org/rfc/rfc8446).
    Tls13,
}

impl TlsVersion {
    /// Parses `1.1`, `1.2` or `1.3`, optionally after `TLS` in whatever case.
    ///
    /// # Errors
    /// [`TlsVersionError`] for anything else, TLS 1.0 included.
    pub fn parse(text: &str) -> Result<Self, TlsVersionError> {
        let lower = text.trim().to_ascii_lowercase();
        match lower.strip_prefix("tls").unwrap_or(&lower) {
            "1.1" => Ok(Self::Tls11),
            "1.2" => Ok(Self::Tls12),
            "1.3" => Ok(Self::Tls13),
            _ => Err(TlsVersionError(text.to_owned())),
        }
    }
}

impl fmt::Display for TlsVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tls11 => "1.1",
            Self::Tls12 => "1.2",
            Self::Tls13 => "1.3",
        })
    }
}

/// A text is no version of TLS that may be served.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is no TLS version that is served; allowed: 1.1, 1.2, 1.3")]
pub struct TlsVersionError(pub String);

/// What a build can serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// Whether it has TLS 1.1 and the suites with CBC or RSA key exchange (cargo feature `tls11`).
    pub tls11: bool,
}

impl Capabilities {
    fn serves(self, suite: CipherSuite) -> bool {
        match suite.class() {
            SuiteClass::Tls13 | SuiteClass::Modern => true,
            SuiteClass::Legacy => self.tls11,
            SuiteClass::Broken => false,
        }
    }
}

/// The versions and suites that are served; all of them can be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsPolicy {
    min: TlsVersion,
    max: TlsVersion,
    suites: Vec<CipherSuite>,
}

impl Default for TlsPolicy {
    /// TLS 1.3 alone.
    fn default() -> Self {
        Self {
            min: TlsVersion::Tls13,
            max: TlsVersion::Tls13,
            suites: Vec::new(),
        }
    }
}

impl TlsPolicy {
    /// Judges what a user asked for against what the build can serve.
    ///
    /// # Errors
    /// [`TlsPolicyError`] where it cannot be served.
    pub fn new(
        min: TlsVersion,
        max: TlsVersion,
        ciphers: &CipherList,
        build: Capabilities,
    ) -> Result<(Self, Vec<TlsWarning>), TlsPolicyError> {
        if min > max {
            return Err(TlsPolicyError::MinAboveMax { min, max });
        }
        if min == TlsVersion::Tls11 && !build.tls11 {
            return Err(TlsPolicyError::NeedsFeature);
        }
        let policy = Self {
            min,
            max,
            suites: Vec::new(),
        };
        if ciphers.suites().is_empty() {
            return Ok((policy, Vec::new()));
        }
        if min == TlsVersion::Tls13 {
            return Ok((policy, vec![TlsWarning::CiphersWithoutEffect]));
        }
        policy.restricted_to(ciphers, build)
    }

    fn restricted_to(
        mut self,
        ciphers: &CipherList,
        build: Capabilities,
    ) -> Result<(Self, Vec<TlsWarning>), TlsPolicyError> {
        let (served, left_out): (Vec<CipherSuite>, Vec<CipherSuite>) = ciphers
            .suites()
            .iter()
            .partition(|suite| build.serves(**suite));
        let (tls13, below): (Vec<CipherSuite>, Vec<CipherSuite>) = served
            .into_iter()
            .partition(|suite| suite.class() == SuiteClass::Tls13);
        self.suites = below;

        let mut warnings = Vec::new();
        if self.suites.is_empty() {
            if tls13.is_empty() || self.max < TlsVersion::Tls13 {
                return Err(TlsPolicyError::NoSuiteLeft { max: self.max });
            }
            self.min = TlsVersion::Tls13;
            warnings.push(TlsWarning::OnlyTls13Suites);
        } else if self.min == TlsVersion::Tls11 && !self.suites.iter().any(|s| s.serves_tls11()) {
            if self.max == TlsVersion::Tls11 {
                return Err(TlsPolicyError::NoSuiteLeft { max: self.max });
            }
            warnings.push(TlsWarning::NoSuiteOfTls11);
        }
        if !left_out.is_empty() {
            warnings.push(TlsWarning::LeftOut(left_out));
        }
        Ok((self, warnings))
    }

    /// The lowest version that is served.
    #[must_use]
    pub fn min(&self) -> TlsVersion {
        self.min
    }

    /// The highest version that is served.
    #[must_use]
    pub fn max(&self) -> TlsVersion {
        self.max
    }

    /// The suites to which the versions below 1.3 are restricted; empty means the usual ones.
    #[must_use]
    pub fn suites(&self) -> &[CipherSuite] {
        &self.suites
    }

    /// Whether the versions below 1.3 can be served with a certificate of that kind.
    #[must_use]
    pub fn fits(&self, key: KeyKind) -> bool {
        self.suites.is_empty() || self.suites.iter().any(|suite| suite.fits(key))
    }

    /// Whether only a build with [`Capabilities::tls11`] can serve it.
    #[must_use]
    pub fn needs_tls11(&self) -> bool {
        let legacy = |suite: &CipherSuite| suite.class() == SuiteClass::Legacy;
        self.min == TlsVersion::Tls11 || self.suites.iter().any(legacy)
    }
}

/// What a user asked for cannot be served.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TlsPolicyError {
    /// No version lies in the range.
    #[error(
        "the minimum TLS version {min} is above the maximum {max}; lower the minimum or raise the maximum"
    )]
    MinAboveMax {
        /// The minimum.
        min: TlsVersion,
        /// The maximum.
        max: TlsVersion,
    },
    /// The build does not have TLS 1.1.
    #[error(
        "TLS 1.1 needs a build with the cargo feature `tls11`, which this one lacks; use such a build or set the minimum TLS version to 1.2"
    )]
    NeedsFeature,
    /// Nothing that was named can be served.
    #[error(
        "none of the named cipher suites is left for TLS up to {max}: this build serves {}, and suites with CBC or RSA key exchange need one with the cargo feature `tls11`",
        modern()
    )]
    NoSuiteLeft {
        /// The maximum version.
        max: TlsVersion,
    },
}

fn modern() -> String {
    let names: Vec<_> = CipherSuite::ALL
        .iter()
        .filter(|suite| suite.class() == SuiteClass::Modern)
        .map(|suite| suite.name())
        .collect();
    names.join(", ")
}

/// What a user asked for is served otherwise than they may think.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsWarning {
    /// Suites are named, and only TLS 1.3 is served.
    CiphersWithoutEffect,
    /// Only suites of TLS 1.3 are named, so that no lower version can be served.
    OnlyTls13Suites,
    /// TLS 1.1 is asked for, and no suite that it has.
    NoSuiteOfTls11,
    /// These suites are not served.
    LeftOut(Vec<CipherSuite>),
}

impl fmt::Display for TlsWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CiphersWithoutEffect => f.write_str(
                "the cipher suites have no effect: the minimum TLS version is 1.3, whose suites are fixed",
            ),
            Self::OnlyTls13Suites => f.write_str(
                "only cipher suites of TLS 1.3 are named, so only TLS 1.3 is served; name one of TLS 1.2 to serve that too",
            ),
            Self::NoSuiteOfTls11 => f.write_str(
                "none of the cipher suites is one of TLS 1.1, so no client can connect with it; name one that ends in _CBC_SHA",
            ),
            Self::LeftOut(suites) => {
                let names: Vec<_> = suites.iter().map(|suite| suite.name()).collect();
                write!(
                    f,
                    "cipher suites that this build does not serve are left out: {}; CBC and RSA key exchange need the cargo feature `tls11`, RC4 and 3DES are broken",
                    names.join(", ")
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::TlsVersion::{Tls11, Tls12, Tls13};
    use super::*;

    const DEFAULT: Capabilities = Capabilities { tls11: false };
    const LEGACY: Capabilities = Capabilities { tls11: true };
    const GCM: &str = "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384";
    const CBC: &str = "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA";
    const RSA: &str = "TLS_RSA_WITH_AES_128_GCM_SHA256";

    fn judge(
        min: TlsVersion,
        max: TlsVersion,
        ciphers: &[&str],
        build: Capabilities,
    ) -> Result<(TlsPolicy, Vec<TlsWarning>), TlsPolicyError> {
        let list = CipherList::parse(&ciphers.join(":")).unwrap();
        TlsPolicy::new(min, max, &list, build)
    }

    fn suites(names: &[&str]) -> Vec<CipherSuite> {
        CipherList::parse(&names.join(":"))
            .unwrap()
            .suites()
            .to_vec()
    }

    #[test]
    fn versions_are_spelt_as_go_and_openssl_spell_them() {
        for (text, version) in [
            ("1.1", Tls11),
            ("TLS1.2", Tls12),
            ("tls1.3", Tls13),
            (" 1.3 ", Tls13),
        ] {
            assert_eq!(TlsVersion::parse(text), Ok(version), "{text}");
        }
        for text in ["1.0", "TLS1.0", "1", "", "1.4", "TLS", "tls1_2"] {
            let error = TlsVersion::parse(text).unwrap_err().to_string();
            assert!(error.contains("allowed: 1.1, 1.2, 1.3"), "{error}");
        }
    }

    #[test]
    fn the_default_is_tls_13_alone() {
        assert_eq!(
            judge(Tls13, Tls13, &[], DEFAULT),
            Ok((TlsPolicy::default(), vec![]))
        );
    }

    #[test]
    fn a_minimum_above_the_maximum_is_refused() {
        assert_eq!(
            judge(Tls13, Tls12, &[], DEFAULT),
            Err(TlsPolicyError::MinAboveMax {
                min: Tls13,
                max: Tls12
            })
        );
    }

    #[test]
    fn tls_11_names_the_feature_it_needs() {
        let error = judge(Tls11, Tls13, &[], DEFAULT).unwrap_err();
        assert_eq!(error, TlsPolicyError::NeedsFeature);
        assert!(error.to_string().contains("`tls11`"));
        let (policy, warnings) = judge(Tls11, Tls13, &[], LEGACY).unwrap();
        assert!(policy.needs_tls11());
        assert_eq!(warnings, []);
    }

    #[test]
    fn suites_have_no_effect_on_tls_13() {
        let (policy, warnings) = judge(Tls13, Tls13, &[GCM, CBC], DEFAULT).unwrap();
        assert_eq!(policy, TlsPolicy::default());
        assert_eq!(warnings, [TlsWarning::CiphersWithoutEffect]);
    }

    #[test]
    fn what_only_the_feature_serves_is_left_out_of_a_default_build() {
        let (policy, warnings) = judge(Tls12, Tls13, &[CBC, GCM, RSA], DEFAULT).unwrap();
        assert_eq!(policy.suites(), suites(&[GCM]));
        assert!(!policy.needs_tls11());
        assert_eq!(warnings, [TlsWarning::LeftOut(suites(&[CBC, RSA]))]);

        let (policy, warnings) = judge(Tls12, Tls13, &[CBC, GCM, RSA], LEGACY).unwrap();
        assert_eq!(policy.suites(), suites(&[CBC, GCM, RSA]));
        assert!(policy.needs_tls11());
        assert_eq!(warnings, []);
    }

    #[test]
    fn it_stops_where_no_suite_is_left() {
        for (build, name) in [
            (DEFAULT, CBC),
            (DEFAULT, RSA),
            (LEGACY, "TLS_RSA_WITH_RC4_128_SHA"),
        ] {
            assert_eq!(
                judge(Tls12, Tls13, &[name], build),
                Err(TlsPolicyError::NoSuiteLeft { max: Tls13 }),
                "{name}"
            );
        }
        assert_eq!(
            judge(Tls12, Tls12, &["TLS_AES_128_GCM_SHA256"], DEFAULT),
            Err(TlsPolicyError::NoSuiteLeft { max: Tls12 })
        );
    }

    #[test]
    fn suites_of_tls_13_alone_leave_tls_13_alone() {
        let (policy, warnings) = judge(Tls12, Tls13, &["TLS_AES_128_GCM_SHA256"], DEFAULT).unwrap();
        assert_eq!(policy, TlsPolicy::default());
        assert_eq!(warnings, [TlsWarning::OnlyTls13Suites]);

        let named = ["TLS_AES_128_GCM_SHA256", CBC];
        let (policy, warnings) = judge(Tls12, Tls13, &named, DEFAULT).unwrap();
        assert_eq!(policy, TlsPolicy::default());
        assert_eq!(
            warnings,
            [
                TlsWarning::OnlyTls13Suites,
                TlsWarning::LeftOut(suites(&[CBC]))
            ]
        );
    }

    #[test]
    fn suites_belong_to_kinds_of_keys() {
        let (policy, _) = judge(Tls12, Tls13, &[GCM, RSA], LEGACY).unwrap();
        assert!(policy.fits(KeyKind::Rsa));
        assert!(!policy.fits(KeyKind::Ecdsa));
        let ecdsa = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256";
        let (policy, _) = judge(Tls12, Tls13, &[ecdsa], DEFAULT).unwrap();
        assert!(!policy.fits(KeyKind::Rsa));
        assert!(TlsPolicy::default().fits(KeyKind::Rsa));
    }

    #[test]
    fn tls_11_without_a_suite_of_its_own_warns() {
        let (_, warnings) = judge(Tls11, Tls12, &[GCM], LEGACY).unwrap();
        assert_eq!(warnings, [TlsWarning::NoSuiteOfTls11]);
        let (_, warnings) = judge(Tls11, Tls12, &[GCM, CBC], LEGACY).unwrap();
        assert_eq!(warnings, []);
        assert_eq!(
            judge(Tls11, Tls11, &[GCM], LEGACY),
            Err(TlsPolicyError::NoSuiteLeft { max: Tls11 })
        );
    }
}
