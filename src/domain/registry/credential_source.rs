//! Where the credentials for a registry are.

use std::fmt;

use thiserror::Error;

use crate::domain::dns_label::is_dns_label;

/// A source of credentials: what stands in `pullSecret` of an image, or in `credentials` of a registry.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CredentialSource {
    /// A Secret with a Docker configuration in its field `.dockerconfigjson`.
    PullSecret {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// A field of a Secret that holds `user:password`.
    Secret {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// The field.
        field: String,
    },
    /// An environment variable of the program that holds `user:password`.
    Env(String),
    /// A program, by its absolute path, that prints `user:password`.
    Ext(String),
}

/// The kinds of sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CredentialKind {
    /// `pullsecret:`
    PullSecret,
    /// `secret:`
    Secret,
    /// `env:`
    Env,
    /// `ext:`
    Ext,
}

/// Why a text is no source of credentials, or none that may be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CredentialSourceError {
    /// It has not the form of one. It is not quoted: what stands there by mistake may be the credentials themselves.
    #[error(
        "it is no source of credentials: give pullsecret:<namespace>/<name>, secret:<namespace>/<name>#<field>, env:<variable> or ext:<absolute path>"
    )]
    Form,
    /// It is a Secret of another namespace.
    #[error(
        "it is in namespace {found}, and only one in {wanted}, the Application's own, may be used"
    )]
    OtherNamespace {
        /// The Secret's.
        found: String,
        /// The Application's.
        wanted: String,
    },
    /// Images may not use this kind.
    #[error(
        "it may not be of the kind {0}: use another kind, or have the operator allow it with --image-credential-sources"
    )]
    NotAllowed(CredentialKind),
}

impl CredentialKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::PullSecret, Self::Secret, Self::Env, Self::Ext];

    /// Reads a name, in any case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|known| known.name().eq_ignore_ascii_case(text.trim()))
    }

    /// Its name, as it stands before the colon.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PullSecret => "pullsecret",
            Self::Secret => "secret",
            Self::Env => "env",
            Self::Ext => "ext",
        }
    }
}

impl fmt::Display for CredentialKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl CredentialSource {
    /// Parses `[registry=]kind:definition`, the kind in any case. The registry is read and means nothing, as in the Go program.
    ///
    /// # Errors
    /// [`CredentialSourceError::Form`].
    pub fn parse(text: &str) -> Result<Self, CredentialSourceError> {
        Self::of_text(text.trim()).ok_or(CredentialSourceError::Form)
    }

    /// Parses what an image of a namespace names. What may not be used is told by what was parsed, so that no spelling gets around it.
    ///
    /// # Errors
    /// [`CredentialSourceError`].
    pub fn of_image(
        text: &str,
        own: &str,
        allowed: &[CredentialKind],
    ) -> Result<Self, CredentialSourceError> {
        let source = Self::parse(text)?;
        source.check(own, allowed)?;
        Ok(source)
    }

    /// Whether an image of a namespace may use it.
    ///
    /// # Errors
    /// [`CredentialSourceError`], every one but that of the form.
    pub fn check(
        &self,
        own: &str,
        allowed: &[CredentialKind],
    ) -> Result<(), CredentialSourceError> {
        if !allowed.contains(&self.kind()) {
            return Err(CredentialSourceError::NotAllowed(self.kind()));
        }
        match self {
            Self::PullSecret { namespace, .. } | Self::Secret { namespace, .. }
                if namespace != own =>
            {
                Err(CredentialSourceError::OtherNamespace {
                    found: namespace.clone(),
                    wanted: own.to_owned(),
                })
            }
            Self::PullSecret { .. } | Self::Secret { .. } | Self::Env(_) | Self::Ext(_) => Ok(()),
        }
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> CredentialKind {
        match self {
            Self::PullSecret { .. } => CredentialKind::PullSecret,
            Self::Secret { .. } => CredentialKind::Secret,
            Self::Env(_) => CredentialKind::Env,
            Self::Ext(_) => CredentialKind::Ext,
        }
    }

    fn of_text(text: &str) -> Option<Self> {
        let (kind, definition) = kind_and_definition(text).or_else(|| {
            let (_registry, rest) = text.split_once('=')?;
            kind_and_definition(rest)
        })?;
        match kind {
            CredentialKind::PullSecret => {
                let (namespace, name) = object(definition)?;
                Some(Self::PullSecret { namespace, name })
            }
            CredentialKind::Secret => {
                let (object_name, field) = definition.split_once('#')?;
                let (namespace, name) = object(object_name)?;
                is_secret_key(field).then(|| Self::Secret {
                    namespace,
                    name,
                    field: field.to_owned(),
                })
            }
            CredentialKind::Env => {
                let is_name = !definition.is_empty()
                    && definition
                        .bytes()
                        .all(|byte| byte.is_ascii_graphic() && byte != b'=');
                is_name.then(|| Self::Env(definition.to_owned()))
            }
            CredentialKind::Ext => definition
                .starts_with('/')
                .then(|| Self::Ext(definition.to_owned())),
        }
    }
}

fn kind_and_definition(text: &str) -> Option<(CredentialKind, &str)> {
    let (kind, definition) = text.split_once(':')?;
    Some((CredentialKind::parse(kind)?, definition.trim()))
}

/// `namespace/name`
fn object(text: &str) -> Option<(String, String)> {
    let (namespace, name) = text.split_once('/')?;
    let label = |label: &str| {
        is_dns_label(label, |byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit()
        })
    };
    let is_named = label(namespace) && name.split('.').all(label);
    is_named.then(|| (namespace.to_owned(), name.to_owned()))
}

/// What the API server takes as a key of a Secret's data.
fn is_secret_key(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

impl fmt::Display for CredentialSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.kind();
        match self {
            Self::PullSecret { namespace, name } => write!(f, "{kind}:{namespace}/{name}"),
            Self::Secret {
                namespace,
                name,
                field,
            } => write!(f, "{kind}:{namespace}/{name}#{field}"),
            Self::Env(definition) | Self::Ext(definition) => write!(f, "{kind}:{definition}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BY_DEFAULT: [CredentialKind; 2] = [CredentialKind::PullSecret, CredentialKind::Secret];

    #[test]
    fn sources_are_parsed_in_every_spelling() {
        for (text, shown) in [
            ("pullsecret:argocd/pull", "pullsecret:argocd/pull"),
            (" PullSecret:argocd/pull.dev ", "pullsecret:argocd/pull.dev"),
            ("ghcr.io=secret:a/b#user", "secret:a/b#user"),
            ("localhost:5000=env:TOKEN", "env:TOKEN"),
            (
                "x=SECRET:a/b#.dockerconfigjson",
                "secret:a/b#.dockerconfigjson",
            ),
            (
                "ext:/app/scripts/ecr:login.sh",
                "ext:/app/scripts/ecr:login.sh",
            ),
        ] {
            let source = CredentialSource::parse(text).unwrap();
            assert_eq!(source.to_string(), shown, "{text}");
            assert_eq!(CredentialSource::parse(shown), Ok(source));
        }
        for text in [
            "",
            "pull",
            "pullsecret:",
            "pullsecret:name",
            "pullsecret:a/b/c",
            "secret:a/b",
            "secret:a/b#",
            "env:",
            "ext:relative",
            "vault:x",
            "pullsecret:A/b",
            "pullsecret:../b",
            "secret:a/b#c/d",
            "env:A=B",
        ] {
            assert_eq!(
                CredentialSource::parse(text),
                Err(CredentialSourceError::Form),
                "{text}"
            );
        }
    }

    #[test]
    fn an_image_uses_secrets_of_its_own_namespace_alone() {
        let of = |text| CredentialSource::of_image(text, "argocd", &BY_DEFAULT);
        assert!(of("pullsecret:argocd/pull").is_ok());
        for text in [
            "secret:kube-system/x#y",
            "SECRET:kube-system/x#y",
            "x=Secret:kube-system/x#y",
        ] {
            let error = of(text).unwrap_err();
            assert!(
                matches!(error, CredentialSourceError::OtherNamespace { .. }),
                "{text}: {error}"
            );
        }
        for text in ["env:AWS_SECRET", "ENV:AWS_SECRET", "a=ext:/bin/sh"] {
            let error = of(text).unwrap_err();
            assert!(
                matches!(error, CredentialSourceError::NotAllowed(_)),
                "{text}: {error}"
            );
        }
        let all = CredentialKind::ALL;
        assert!(CredentialSource::of_image("env:A", "argocd", &all).is_ok());
    }

    proptest! {
        #[test]
        fn no_spelling_reaches_another_namespace(text in "[a-zA-Z=:/#.]{0,12}(secret|SECRET|pullsecret):[a-z/#=:.]{0,16}") {
            if let Ok(CredentialSource::PullSecret { namespace, .. } | CredentialSource::Secret { namespace, .. }) =
                CredentialSource::of_image(&text, "own", &CredentialKind::ALL)
            {
                prop_assert_eq!(namespace, "own");
            }
        }

        #[test]
        fn what_is_shown_is_parsed_again(text in ".{0,40}") {
            if let Ok(source) = CredentialSource::parse(&text) {
                prop_assert_eq!(CredentialSource::parse(&source.to_string()), Ok(source));
            }
        }
    }
}
