//! What is worth saying at the start and does not stop it.

use std::fmt;

use tracing::{Level, debug, info, warn};

use crate::domain::tls::TlsWarning;

/// Something about the configuration that people should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A setting is set and does nothing in this version.
    NoEffectYet {
        /// The setting.
        key: String,
        /// Where it is set.
        place: String,
    },
    /// A mounted folder holds a key that is no setting.
    UnknownKey {
        /// The file.
        place: String,
        /// A key that looks like it.
        suggestion: Option<String>,
    },
    /// A secret lies in a ConfigMap, where it is not read.
    SecretInConfigMap {
        /// The file.
        place: String,
    },
    /// A secret in the folder is not used, because a stronger source has one.
    HiddenSecret {
        /// The file.
        place: String,
        /// The stronger source.
        by: String,
    },
    /// Objects of the cluster may not be read.
    MissingPermission {
        /// What may not be done.
        verb: &'static str,
        /// With which resource.
        resource: &'static str,
        /// In which namespace.
        namespace: String,
        /// The objects.
        places: Vec<String>,
    },
    /// An API server does not tell what an object of the cluster says.
    NoAnswer {
        /// The object.
        place: String,
        /// Why.
        reason: String,
    },
    /// Kubernetes put the address of a Service into a variable of this name.
    InjectedByKubernetes {
        /// The variable.
        variable: String,
    },
    /// Nothing describes registries where that was asked for.
    NoRegistries {
        /// The file that is missing.
        file: String,
    },
    /// Something about a registry.
    Registry {
        /// Where registries are described.
        place: String,
        /// What people should know.
        warning: String,
    },
    /// Something about TLS.
    Tls(TlsWarning),
    /// No type of sender has a secret, so that none is served.
    NoSecrets {
        /// An example of what to set.
        example: String,
    },
    /// Some types of senders have no secret and are not served.
    NotServed {
        /// The types.
        senders: Vec<&'static str>,
    },
    /// A type of sender has no secret and is open to everybody.
    Open {
        /// The type.
        sender: &'static str,
    },
    /// `run` without a webhook server has nothing to do in this version.
    NothingToDo,
}

/// What is so where no registry is described.
const NO_REGISTRIES: &str =
    "no registry is described, and Docker Hub and those that images name are asked as they are";

impl Notice {
    /// How severe it is.
    #[must_use]
    pub fn level(&self) -> Level {
        match self {
            Self::InjectedByKubernetes { .. } => Level::DEBUG,
            Self::NotServed { .. } | Self::NoRegistries { .. } => Level::INFO,
            Self::NoEffectYet { .. }
            | Self::UnknownKey { .. }
            | Self::SecretInConfigMap { .. }
            | Self::HiddenSecret { .. }
            | Self::MissingPermission { .. }
            | Self::NoAnswer { .. }
            | Self::Registry { .. }
            | Self::Tls(_)
            | Self::NoSecrets { .. }
            | Self::Open { .. }
            | Self::NothingToDo => Level::WARN,
        }
    }

    /// Writes it into the log.
    pub fn log(&self) {
        match self.level() {
            Level::WARN => warn!("{self}"),
            Level::INFO => info!("{self}"),
            _ => debug!("{self}"),
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoEffectYet { key, place } => {
                write!(f, "{key} has no effect yet; it is set by {place}")
            }
            Self::UnknownKey { place, suggestion } => {
                write!(f, "{place} is no setting and is ignored")?;
                match suggestion {
                    Some(key) => write!(f, "; did you mean {key}?"),
                    None => Ok(()),
                }
            }
            Self::SecretInConfigMap { place } => write!(
                f,
                "{place} is ignored: a secret belongs into a Secret, mounted at --secrets-dir"
            ),
            Self::HiddenSecret { place, by } => {
                write!(f, "{place} is not used, because {by} is set and is stronger")
            }
            Self::MissingPermission {
                verb,
                resource,
                namespace,
                places,
            } => write!(
                f,
                "not read through the API: {}, because the permission to {verb} {resource} in namespace {namespace} is missing; grant it, \
                 or do with what is mounted and set otherwise",
                places.join(", ")
            ),
            Self::NoAnswer { place, reason } => write!(
                f,
                "{place} could not be read, so what is mounted and set otherwise counts: {reason}; it is taken up when it can be read; \
                 where only a start can take it up, the program then ends, to be started again"
            ),
            Self::InjectedByKubernetes { variable } => write!(
                f,
                "{variable} is ignored: it holds the address of a Service, put there by Kubernetes"
            ),
            Self::NoRegistries { file } => write!(f, "{file} is missing: {NO_REGISTRIES}"),
            Self::Registry { place, warning } => write!(f, "{place}: {warning}"),
            Self::Tls(warning) => warning.fmt(f),
            Self::NoSecrets { example } => write!(
                f,
                "no webhook secret is set, so every delivery is refused; set the secret of your registry, such as {example}, \
                 or accept deliveries from anybody with --webhook-require-secret=false"
            ),
            Self::NotServed { senders } => write!(
                f,
                "not served, because they have no secret: types {}",
                senders.join(", ")
            ),
            Self::Open { sender } => write!(
                f,
                "deliveries of type {sender} are taken from anybody: it has no secret and --webhook-require-secret is false"
            ),
            Self::NothingToDo => f.write_str(
                "run has nothing to do: it does not poll registries yet, and its webhook server is off; set --enable-webhook and a port",
            ),
        }
    }
}
