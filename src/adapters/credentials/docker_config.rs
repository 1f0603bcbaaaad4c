//! A Docker configuration: `config.json`, or the older `.dockercfg`, which is its `auths` alone.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::GeneralPurpose;
use base64::engine::GeneralPurposeConfig;
use serde::Deserialize;
use thiserror::Error;

use crate::adapters::credentials::login;
use crate::adapters::credentials::registry_key::RegistryKey;
use crate::ports::credential_reader::Credentials;

/// Base64 with or without padding.
const STANDARD: GeneralPurpose = tolerant(&alphabet::STANDARD);
/// The same, with the two letters that URLs take.
const URL_SAFE: GeneralPurpose = tolerant(&alphabet::URL_SAFE);

const fn tolerant(alphabet: &alphabet::Alphabet) -> GeneralPurpose {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    GeneralPurpose::new(alphabet, config)
}

/// The credentials for registries, by the names under which they stand. Its `Debug` shows no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DockerConfig {
    auths: BTreeMap<String, Entry>,
    /// Whether it leaves credentials to a program of the machine on which it was made.
    has_helpers: bool,
}

/// Why a Docker configuration gives no credentials. No text holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DockerConfigError {
    /// It is none.
    #[error("it is no Docker configuration: its JSON is wrong at line {line}, column {column}")]
    Form {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// It has no credentials at all.
    #[error("it has no credentials: there is nothing in auths{0}")]
    Empty(&'static str),
    /// It has none for this registry.
    #[error("it has no credentials for {hosts}, but for {known}{hint}")]
    NoEntry {
        /// The names of the registry.
        hosts: String,
        /// The keys that it has.
        known: String,
        /// What else there is to say.
        hint: &'static str,
    },
    /// What it has for this registry cannot be used.
    #[error(
        "what it has for {key} cannot be used: give auth (Base64 of user:password), username and password, or identitytoken"
    )]
    Entry {
        /// The key.
        key: String,
    },
}

/// What is said where a configuration leaves credentials to somebody else.
const HELPERS: &str = "; credsStore and credHelpers name programs of another machine and are not used: log in without them, or use ext:";

#[derive(Deserialize)]
struct File {
    auths: Option<BTreeMap<String, Option<Entry>>>,
    #[serde(rename = "credsStore")]
    creds_store: Option<serde::de::IgnoredAny>,
    #[serde(rename = "credHelpers")]
    cred_helpers: Option<serde::de::IgnoredAny>,
}

/// What stands under one key.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Entry {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
}

/// Shows no secret.
impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entry([redacted])")
    }
}

impl DockerConfig {
    /// Reads a `config.json`.
    ///
    /// # Errors
    /// [`DockerConfigError::Form`].
    pub fn parse(bytes: &[u8]) -> Result<Self, DockerConfigError> {
        let file: File = read(bytes)?;
        Ok(Self {
            auths: given(file.auths.unwrap_or_default()),
            has_helpers: file.creds_store.is_some() || file.cred_helpers.is_some(),
        })
    }

    /// Reads a `.dockercfg`.
    ///
    /// # Errors
    /// [`DockerConfigError::Form`].
    pub fn parse_legacy(bytes: &[u8]) -> Result<Self, DockerConfigError> {
        Ok(Self {
            auths: given(read(bytes)?),
            has_helpers: false,
        })
    }

    /// The credentials for a registry by its names, the first that there is something for. Of several keys that fit one, that without a wildcard
    /// counts before others, and then that with the longest path.
    ///
    /// # Errors
    /// [`DockerConfigError`].
    pub fn credentials(&self, hosts: &[String]) -> Result<Credentials, DockerConfigError> {
        let hint = if self.has_helpers { HELPERS } else { "" };
        if self.auths.is_empty() {
            return Err(DockerConfigError::Empty(hint));
        }
        let Some((key, entry)) = hosts.iter().find_map(|host| self.entry(host)) else {
            let known: Vec<&str> = self.auths.keys().map(String::as_str).collect();
            return Err(DockerConfigError::NoEntry {
                hosts: hosts.join(" or "),
                known: known.join(", "),
                hint,
            });
        };
        let key = key.to_owned();
        entry.credentials().ok_or(DockerConfigError::Entry { key })
    }

    fn entry(&self, host: &str) -> Option<(&str, &Entry)> {
        let registry = RegistryKey::parse(host);
        let fitting = self.auths.iter().filter_map(|(key, entry)| {
            let fit = RegistryKey::parse(key).fit(&registry)?;
            // Of two spellings of one registry, `docker login` may have left one empty.
            Some((fit, entry.credentials().is_some(), key, entry))
        });
        // Of those that are alike, the first by its text: whoever looks again finds the same.
        let best = fitting
            .rev()
            .max_by_key(|(fit, is_usable, ..)| (*fit, *is_usable));
        best.map(|(_, _, key, entry)| (key.as_str(), entry))
    }
}

fn read<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, DockerConfigError> {
    // What serde says may quote a value.
    serde_json::from_slice(bytes).map_err(|error| DockerConfigError::Form {
        line: error.line(),
        column: error.column(),
    })
}

fn given(auths: BTreeMap<String, Option<Entry>>) -> BTreeMap<String, Entry> {
    let entries = auths.into_iter();
    entries
        .filter_map(|(key, entry)| Some((key, entry?)))
        .collect()
}

impl Entry {
    /// As Docker reads it: a token before all else, and `auth` before what it is made of.
    fn credentials(&self) -> Option<Credentials> {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        if let Some(token) = given(&self.identitytoken) {
            return Some(Credentials::IdentityToken(token));
        }
        if let Some(auth) = given(&self.auth) {
            return decode(&auth);
        }
        let (user, password) = (given(&self.username)?, given(&self.password)?);
        Some(Credentials::Password { user, password })
    }
}

fn decode(auth: &str) -> Option<Credentials> {
    let text: String = auth.split_whitespace().collect();
    let bytes = STANDARD
        .decode(&text)
        .or_else(|_| URL_SAFE.decode(&text))
        .ok()?;
    let end = bytes.iter().rposition(|byte| *byte != 0)?;
    login::parse(bytes.get(..=end)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Of `bob:hunter2`.
    const AUTH: &str = "Ym9iOmh1bnRlcjI=";

    fn config(auths: &str) -> DockerConfig {
        DockerConfig::parse(format!(r#"{{"auths": {auths}}}"#).as_bytes()).unwrap()
    }

    fn of(config: &DockerConfig, hosts: &[&str]) -> Result<String, DockerConfigError> {
        let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
        config
            .credentials(&hosts)
            .map(|credentials| match credentials {
                Credentials::Password { user, password } => format!("{user}/{password}"),
                Credentials::IdentityToken(token) => format!("token {token}"),
            })
    }

    #[test]
    fn every_way_of_giving_credentials_is_read() {
        for (entry, expected) in [
            (format!(r#"{{"auth": "{AUTH}"}}"#), "bob/hunter2"),
            (r#"{"auth": "Ym9iOmh1bnRlcjI"}"#.to_owned(), "bob/hunter2"),
            (
                r#"{"auth": " Ym9iOmh1\nbnRlcjI=\n"}"#.to_owned(),
                "bob/hunter2",
            ),
            (
                r#"{"auth": "Ym9iOmh1bnRlcjIAAA=="}"#.to_owned(),
                "bob/hunter2",
            ),
            (r#"{"auth": "Ym9iOj8_Pj4"}"#.to_owned(), "bob/??>>"),
            (
                r#"{"username": "bob", "password": "a:b"}"#.to_owned(),
                "bob/a:b",
            ),
            (
                format!(r#"{{"auth": "{AUTH}", "username": "x", "password": "y", "email": "e"}}"#),
                "bob/hunter2",
            ),
            (
                r#"{"auth": "PHRva2VuPjo=", "identitytoken": "t"}"#.to_owned(),
                "token t",
            ),
        ] {
            let config = config(&format!(r#"{{"ghcr.io": {entry}}}"#));
            assert_eq!(
                of(&config, &["ghcr.io"]),
                Ok(expected.to_owned()),
                "{entry}"
            );
        }
    }

    #[test]
    fn the_key_that_fits_best_counts_in_any_order() {
        let entry = |user: &str| format!(r#"{{"username": "{user}", "password": "p"}}"#);
        let keys = [
            "https://index.docker.io/v1/",
            "quay.io",
            "quay.io/acme",
            "*.io",
            "acme.example:5000",
        ];
        let mut members: Vec<String> = keys
            .iter()
            .map(|key| format!(r#""{key}": {}"#, entry(key)))
            .collect();
        for _ in 0..2 {
            let config = config(&format!("{{{}}}", members.join(",")));
            for (hosts, key) in [
                (["docker.io", "registry-1.docker.io"], keys[0]),
                (["quay.io/acme/web", "quay.io"], keys[2]),
                (["quay.io/other", "quay.io"], keys[1]),
                (["ghcr.io", "ghcr.io"], keys[3]),
                (["acme.example", "acme.example:5000"], keys[4]),
            ] {
                assert_eq!(of(&config, &hosts), Ok(format!("{key}/p")), "{hosts:?}");
            }
            members.reverse();
        }
    }

    #[test]
    fn an_empty_spelling_of_the_same_registry_hides_nothing() {
        let both = format!(
            r#"{{"docker.io": {{}}, "https://index.docker.io/v1/": {{"auth": "{AUTH}"}}}}"#
        );
        assert_eq!(
            of(&config(&both), &["docker.io"]),
            Ok("bob/hunter2".to_owned())
        );
    }

    #[test]
    fn the_older_form_has_no_auths() {
        let text = format!(r#"{{"ghcr.io": {{"auth": "{AUTH}", "email": "a@b"}}}}"#);
        let config = DockerConfig::parse_legacy(text.as_bytes()).unwrap();
        assert_eq!(of(&config, &["ghcr.io"]), Ok("bob/hunter2".to_owned()));
    }

    #[test]
    fn what_is_missing_is_told_without_secrets() {
        let told = |text: &str| {
            let config = DockerConfig::parse(text.as_bytes());
            let result = config.and_then(|config| of(&config, &["ghcr.io", "api.ghcr.io"]));
            let told = result.unwrap_err().to_string();
            assert!(!told.contains("hunter2") && !told.contains(AUTH), "{told}");
            told
        };
        assert!(told("hunter2").contains("line 1, column 1"));
        assert!(told(r#"{"auths": {"ghcr.io": "hunter2"}}"#).contains("its JSON is wrong"));
        assert!(
            told(r#"{"auths": {"ghcr.io": {"auth": 3, "password": "hunter2"}}}"#)
                .contains("its JSON is wrong")
        );
        assert!(told("{}").contains("nothing in auths"));
        assert!(told(r#"{"credsStore": "desktop"}"#).contains("credsStore"));
        let other = told(&format!(
            r#"{{"auths": {{"a.example": {{"auth": "{AUTH}"}}, "b.example": {{}}}}}}"#
        ));
        assert!(
            other.contains("for ghcr.io or api.ghcr.io, but for a.example, b.example"),
            "{other}"
        );
        for entry in [
            "{}",
            r#"{"auth": "aHVudGVyMg=="}"#,
            r#"{"auth": "***hunter2"}"#,
            r#"{"username": "bob"}"#,
        ] {
            let text = format!(r#"{{"auths": {{"https://ghcr.io/v2/": {entry}}}}}"#);
            assert!(
                told(&text).contains("what it has for https://ghcr.io/v2/ cannot be used"),
                "{entry}"
            );
        }
    }

    #[test]
    fn its_debug_shows_no_secret() {
        let text = format!(
            r#"{{"ghcr.io": {{"auth": "{AUTH}", "password": "hunter2", "identitytoken": "hunter2"}}}}"#
        );
        let shown = format!("{:?}", config(&text));
        assert!(
            shown.contains("ghcr.io") && !shown.contains("hunter2") && !shown.contains(AUTH),
            "{shown}"
        );
    }

    proptest! {
        #[test]
        fn parsing_never_panics(bytes in any::<Vec<u8>>(), key in "\\PC{0,20}", auth in "\\PC{0,20}") {
            _ = DockerConfig::parse(&bytes);
            _ = DockerConfig::parse_legacy(&bytes);
            let text = serde_json::json!({"auths": {key.as_str(): {"auth": auth}}}).to_string();
            let config = DockerConfig::parse(text.as_bytes()).unwrap();
            _ = config.credentials(&[key]);
        }

        #[test]
        fn what_is_encoded_is_decoded(user in "[^:\0\r\n]{1,10}", password in "[^\0\r\n]{1,20}") {
            let auth = base64::prelude::BASE64_STANDARD.encode(format!("{user}:{password}"));
            let config = config(&serde_json::json!({"a.example": {"auth": auth}}).to_string());
            prop_assert_eq!(of(&config, &["a.example"]), Ok(format!("{user}/{password}")));
        }
    }
}
