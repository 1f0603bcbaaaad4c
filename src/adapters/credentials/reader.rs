//! The port.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::sync::Arc;

use async_trait::async_trait;

use crate::adapters::credentials::docker_config::DockerConfig;
use crate::adapters::credentials::docker_config::DockerConfigError;
use crate::adapters::credentials::login;
use crate::adapters::credentials::script;
use crate::domain::registry::credential_source::CredentialSource;
use crate::ports::credential_reader::CredentialError;
use crate::ports::credential_reader::CredentialReader;
use crate::ports::credential_reader::Credentials;
use crate::ports::credential_reader::Keyring;
use crate::ports::secret_reader::SecretReadError;
use crate::ports::secret_reader::SecretReader;

/// The field of a Secret of the type `kubernetes.io/dockerconfigjson`.
const CONFIG: &str = ".dockerconfigjson";
/// That of the older type `kubernetes.io/dockercfg`.
const LEGACY_CONFIG: &str = ".dockercfg";

/// Tells the value of an environment variable.
type Variables = Box<dyn Fn(&str) -> Option<OsString> + Send + Sync>;

/// Reads credentials from Secrets, environment variables and programs. It keeps none of them.
pub struct SourceReader {
    secrets: Arc<dyn SecretReader>,
    variables: Variables,
}

impl SourceReader {
    /// Reads Secrets by a port, and the environment of this process.
    #[must_use]
    pub fn new(secrets: Arc<dyn SecretReader>) -> Self {
        Self {
            secrets,
            variables: Box::new(|name| std::env::var_os(name)),
        }
    }

    /// Looks variables up elsewhere.
    #[must_use]
    pub fn with_variables(
        self,
        variables: impl Fn(&str) -> Option<OsString> + Send + Sync + 'static,
    ) -> Self {
        let variables = Box::new(variables);
        Self { variables, ..self }
    }

    fn variable(&self, name: &str) -> Result<Credentials, CredentialError> {
        let value = (self.variables)(name).map(OsString::into_vec);
        let Some(value) = value.filter(|value| !value.is_empty()) else {
            return unusable(format!(
                "could not fetch credentials: env '{name}' is not set: set it to user:password"
            ));
        };
        login::parse(&value).map_or_else(
            || {
                unusable(format!(
                    "value of {name} is malformed: it must be user:password"
                ))
            },
            Ok,
        )
    }

    async fn secret(
        &self,
        namespace: &str,
        name: &str,
        field: &str,
    ) -> Result<Credentials, CredentialError> {
        let value = self.secrets.field(namespace, name, field).await;
        login::parse(&value.map_err(|error| not_read(&error))?).map_or_else(
            || {
                unusable(format!(
                    "field {field:?} of Secret {namespace}/{name} is malformed: it must be user:password"
                ))
            },
            Ok,
        )
    }

    async fn pull_secret(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<PullSecret, CredentialError> {
        let config = match self.secrets.field(namespace, name, CONFIG).await {
            Ok(json) => DockerConfig::parse(&json),
            Err(error @ SecretReadError::NoField { .. }) => {
                let legacy = self.secrets.field(namespace, name, LEGACY_CONFIG).await;
                // Whoever has neither is told of the one that people make today.
                DockerConfig::parse_legacy(&legacy.map_err(|_| not_read(&error))?)
            }
            Err(error) => return Err(not_read(&error)),
        };
        let secret = format!("{namespace}/{name}");
        match config {
            Ok(config) => Ok(PullSecret { secret, config }),
            Err(error) => Err(wrong(&secret, &error)),
        }
    }
}

/// What a pull secret holds.
struct PullSecret {
    /// Its namespace and name.
    secret: String,
    config: DockerConfig,
}

impl Keyring for PullSecret {
    fn credentials(&self, names: &[String]) -> Result<Credentials, CredentialError> {
        let found = self.config.credentials(names);
        found.map_err(|error| wrong(&self.secret, &error))
    }
}

fn wrong(secret: &str, error: &DockerConfigError) -> CredentialError {
    CredentialError::Unusable(format!("pull secret {secret}: {error}"))
}

fn unusable<T>(reason: String) -> Result<T, CredentialError> {
    Err(CredentialError::Unusable(reason))
}

fn not_read(error: &SecretReadError) -> CredentialError {
    let reason = error.to_string();
    match error {
        SecretReadError::Absent { .. }
        | SecretReadError::NoField { .. }
        | SecretReadError::Forbidden { .. } => CredentialError::Unusable(reason),
        SecretReadError::Unavailable { .. } => CredentialError::Unavailable(reason),
    }
}

#[async_trait]
impl CredentialReader for SourceReader {
    async fn read(&self, source: &CredentialSource) -> Result<Arc<dyn Keyring>, CredentialError> {
        let credentials = match source {
            CredentialSource::Env(name) => self.variable(name)?,
            CredentialSource::Ext(path) => script::run(path, script::TIMEOUT).await?,
            CredentialSource::Secret {
                namespace,
                name,
                field,
            } => self.secret(namespace, name, field).await?,
            CredentialSource::PullSecret { namespace, name } => {
                return Ok(Arc::new(self.pull_secret(namespace, name).await?));
            }
        };
        Ok(Arc::new(credentials))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::secret_reader::MockSecretReader;

    /// Knows one Secret, `argocd/pull`, with these fields.
    fn reader(fields: &'static [(&'static str, &'static str)]) -> SourceReader {
        let mut secrets = MockSecretReader::new();
        secrets
            .expect_field()
            .returning(move |namespace, name, field| {
                let (namespace, name) = (namespace.to_owned(), name.to_owned());
                if name == "later" {
                    let reason = "no answer".to_owned();
                    return Err(SecretReadError::Unavailable {
                        namespace,
                        name,
                        reason,
                    });
                }
                if (namespace.as_str(), name.as_str()) != ("argocd", "pull") {
                    return Err(SecretReadError::Absent { namespace, name });
                }
                let found = fields.iter().find(|(known, _)| *known == field);
                let value = found.map(|(_, value)| value.as_bytes().to_vec());
                let field = field.to_owned();
                value.ok_or(SecretReadError::NoField {
                    namespace,
                    name,
                    field,
                })
            });
        SourceReader::new(Arc::new(secrets)).with_variables(|name| match name {
            "LOGIN" => Some("bob:hunter2\n".into()),
            "BROKEN" => Some("hunter2".into()),
            "EMPTY" => Some(OsString::new()),
            _ => None,
        })
    }

    async fn read(reader: &SourceReader, source: &str) -> Result<Credentials, CredentialError> {
        let source = CredentialSource::parse(source).unwrap();
        let keyring = reader.read(&source).await?;
        keyring.credentials(&["ghcr.io/acme/web".to_owned()])
    }

    fn bob() -> Credentials {
        Credentials::Password {
            user: "bob".to_owned(),
            password: "hunter2".to_owned(),
        }
    }

    #[tokio::test]
    async fn every_source_is_read() {
        let auths = r#"{"auths": {"ghcr.io": {"auth": "Ym9iOmh1bnRlcjI="}}}"#;
        let reader = reader(Box::leak(Box::new([
            ("login", "bob:hunter2\n"),
            (CONFIG, auths),
        ])));
        let script = concat!(
            "ext:",
            env!("CARGO_MANIFEST_DIR"),
            "/tests/fixtures/credentials/prints"
        );
        for source in [
            "env:LOGIN",
            "secret:argocd/pull#login",
            "pullsecret:argocd/pull",
        ] {
            assert!(read(&reader, source).await == Ok(bob()), "{source}");
        }
        assert!(read(&reader, script).await.is_ok());
    }

    #[tokio::test]
    async fn the_older_type_of_pull_secret_is_read_where_it_is_one() {
        let legacy = reader(&[(
            LEGACY_CONFIG,
            r#"{"ghcr.io": {"auth": "Ym9iOmh1bnRlcjI="}}"#,
        )]);
        assert!(read(&legacy, "pullsecret:argocd/pull").await == Ok(bob()));
        let neither = read(&reader(&[]), "pullsecret:argocd/pull")
            .await
            .unwrap_err();
        assert!(
            neither.to_string().contains(".dockerconfigjson"),
            "{neither}"
        );
    }

    #[tokio::test]
    async fn what_goes_wrong_is_told_without_secrets() {
        let reader = reader(&[
            ("login", "hunter2"),
            (CONFIG, r#"{"auths": {"ghcr.io": {"password": "hunter2"}}}"#),
        ]);
        for (source, part, is_passing) in [
            (
                "env:NONE",
                "could not fetch credentials: env 'NONE' is not set",
                false,
            ),
            ("env:EMPTY", "env 'EMPTY' is not set", false),
            ("env:BROKEN", "value of BROKEN is malformed", false),
            (
                "secret:argocd/pull#login",
                "field \"login\" of Secret argocd/pull is malformed",
                false,
            ),
            (
                "secret:argocd/pull#other",
                "Secret argocd/pull has no field \"other\"",
                false,
            ),
            (
                "secret:argocd/none#login",
                "there is no Secret argocd/none",
                false,
            ),
            (
                "secret:argocd/later#login",
                "could not be read: no answer",
                true,
            ),
            (
                "pullsecret:argocd/later",
                "could not be read: no answer",
                true,
            ),
            (
                "pullsecret:argocd/pull",
                "pull secret argocd/pull: what it has for ghcr.io cannot be used",
                false,
            ),
            ("ext:/not/there", "/not/there does not exist", false),
        ] {
            let error = read(&reader, source).await.unwrap_err();
            let text = error.to_string();
            assert!(text.contains(part), "{source}: {text}");
            let passes = matches!(error, CredentialError::Unavailable(_));
            assert_eq!(passes, is_passing, "{text}");
            assert!(!format!("{error:?}{text}").contains("hunter2"), "{text}");
        }
    }

    #[test]
    fn credentials_show_no_secret() {
        let token = Credentials::IdentityToken("hunter2".to_owned());
        let shown = format!("{:?}{token:?}", bob());
        assert!(
            !shown.contains("hunter2") && !shown.contains("bob"),
            "{shown}"
        );
    }
}
