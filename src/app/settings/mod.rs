//! Settings: one table, from which the flags, figment's layers, the `config` command and `docs/CONFIGURATION.md` are made.
//!
//! [`load`](load::load) merges all sources, weakest first: built-in defaults, the ConfigMap, mounted and as the API tells it, the Secret,
//! likewise, the environment, the flags. [`live`] does so again while the program runs. It reports every problem at once and gives the typed [`Settings`].

mod admission;
mod assemble;
pub mod build;
mod credential_kinds;
pub mod document;
pub mod kind;
pub mod layer;
pub mod listen_address;
pub mod live;
pub mod load;
pub mod mode;
pub mod namespaces;
pub mod notice;
pub mod problem;
pub mod queue_address;
mod read;
mod report;
mod rules;
pub mod setting;
pub mod snapshot;
mod suggest;
pub mod table;
#[cfg(test)]
mod tests;
mod tls;
pub mod topic;
pub mod values;

use std::num::NonZeroU32;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use self::listen_address::ListenAddress;
use self::mode::Mode;
use self::namespaces::WatchedNamespaces;
use self::queue_address::QueueAddress;
use crate::domain::admission::Admission;
use crate::domain::rate_policy::RatePolicy;
use crate::domain::registry::credential_source::CredentialKind;
use crate::domain::secret_policy::{SecretPolicy, Secrets};
use crate::domain::tls::TlsPolicy;

/// Everything that a start needs to know, checked. Its `Debug` shows no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The command.
    pub mode: Mode,
    /// The folder of manifests that is worked on; `None`: the cluster.
    pub manifests: Option<PathBuf>,
    /// The folder in which deliveries are kept; `None`: in memory.
    pub state_dir: Option<PathBuf>,
    /// The cluster.
    pub cluster: ClusterSettings,
    /// Whether nothing at all is written: no Application, and nothing that tells of one.
    pub dry_run: bool,
    /// What an update rests on.
    pub confirm: Confirm,
    /// Where registries are described.
    pub registries: RegistriesFile,
    /// The kinds of sources of credentials that images may name.
    pub image_credentials: Vec<CredentialKind>,
    /// The webhook server; `None`: `run` without one.
    pub server: Option<ServerSettings>,
    /// Where the kubelet's probes are answered besides the webhook server; `None`: nowhere.
    pub probes: Option<ListenAddress>,
    /// Where metrics are served; `None`: nowhere.
    pub metrics: Option<MetricsSettings>,
    /// Who is let in.
    pub secrets: SecretSettings,
    /// How many events may wait.
    pub queue_size: NonZeroUsize,
    /// Where replicas share what they have accepted.
    pub shared_queue: SharedQueueSettings,
    /// How many events are worked on an hour.
    pub rate: RatePolicy,
    /// How registries are asked.
    pub asking: AskingSettings,
    /// When registries are looked at.
    pub polling: PollingSettings,
    /// How many Applications are changed.
    pub spread: RatePolicy,
    /// The log.
    pub log: LogSettings,
    /// How the program ends.
    pub shutdown: ShutdownSettings,
}

/// The cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterSettings {
    /// The kubeconfig file; `None`: the pod's own account, or the usual files.
    pub kubeconfig: Option<PathBuf>,
    /// The namespace of Argo CD; `None`: the program's own.
    pub argocd_namespace: Option<String>,
    /// Where ImageUpdaters and Applications are looked for.
    pub watched: WatchedNamespaces,
    /// Whether Kubernetes Events are written.
    pub events: bool,
    /// How a leader is found; `None`: nobody needs one.
    pub leader_election: Option<LeaderElection>,
}

/// How one of several replicas is found that leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaderElection {
    /// The namespace of the Lease; `None`: the program's own.
    pub namespace: Option<String>,
}

/// Where registries are described.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegistriesFile {
    /// Nowhere: they are not to be read.
    Skipped,
    /// In the file that somebody named, and nowhere else.
    Named(PathBuf),
    /// In the cluster's ConfigMap where that has them, and else in the file of the place where they usually are.
    Customary(PathBuf),
}

/// What an update rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confirm {
    /// The authenticated event, and the registry's word for the tag that it leads to.
    Registry,
    /// The authenticated event alone.
    Event,
    /// What the registry lists: an event only says when to look.
    Rescan,
}

/// Where replicas share what they have accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedQueueSettings {
    /// The server; `None`: there is one replica.
    pub address: Option<QueueAddress>,
    /// With what its names begin.
    pub prefix: String,
    /// On how many servers what was accepted is kept.
    pub replicas: usize,
    /// How long a replica may be silent before the others take over its work.
    pub patience: Duration,
}

/// How registries are asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskingSettings {
    /// How many questions are asked at once.
    pub at_once: NonZeroUsize,
    /// Whether no version is ever lowered.
    pub never_downgrade: bool,
}

/// When registries are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PollingSettings {
    /// How often.
    pub rhythm: Rhythm,
    /// Whether the exit code tells of failures.
    pub fail_on_error: bool,
}

/// How often registries are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rhythm {
    /// Never.
    Never,
    /// After the start.
    AtStart,
    /// Once, and then the program ends.
    Once,
    /// After the start, and whenever an ImageUpdater is edited.
    OnEdit,
    /// So often, and whenever an ImageUpdater is edited.
    Every(Duration),
}

/// The webhook server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerSettings {
    /// The port on which it listens; 0: any that is free.
    pub port: u16,
    /// TLS; `None`: plain HTTP.
    pub tls: Option<TlsSettings>,
    /// Whether HTTP/2 is offered.
    pub http2: bool,
    /// How many connections are served at once.
    pub max_connections: NonZeroUsize,
    /// Time for the TLS handshake.
    pub handshake_timeout: Duration,
    /// Time for the head of a request.
    pub head_timeout: Duration,
    /// Time for the body of a request.
    pub body_timeout: Duration,
    /// How long a connection is kept between two requests.
    pub idle_timeout: Duration,
    /// How many requests of one source may fail in a minute; `None`: any number.
    pub failures: Option<NonZeroU32>,
    /// From where and how deliveries may come.
    pub admission: Admission,
}

/// The metrics server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricsSettings {
    /// Where it listens.
    pub address: ListenAddress,
    /// Whether it speaks HTTPS, to those alone whom the cluster lets read.
    pub secure: bool,
}

/// TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsSettings {
    /// The folder of `tls.crt` and `tls.key`.
    pub dir: PathBuf,
    /// Versions and cipher suites.
    pub policy: TlsPolicy,
    /// The file with the authorities whose certificates clients may show; `None`: they show none.
    pub client_ca: Option<PathBuf>,
}

/// The folders that a start reads, for a look at them before it. Whether the other settings may be used does not matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// The folder of manifests; `None`: not set, so that the cluster is read.
    pub manifests: Option<PathBuf>,
    /// The kubeconfig file; `None`: not set.
    pub kubeconfig: Option<PathBuf>,
    /// Where registries are described.
    pub registries: RegistriesFile,
    /// The folder of the certificate; `None`: no TLS. Versions and suites that cannot be served are the usual ones here.
    pub tls: Option<TlsSettings>,
}

/// Who is let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretSettings {
    /// Whether a type without a secret is served.
    pub policy: SecretPolicy,
    /// The folder of a mounted Secret.
    pub dir: PathBuf,
    /// The secrets that flags and environment give. They are stronger than the folder.
    pub fixed: Vec<FixedSecrets>,
}

/// The secrets that flags or environment give for one type of sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FixedSecrets {
    /// The sender's `secret_name`.
    pub secret_name: &'static str,
    /// The secrets, at least one.
    pub secrets: Secrets,
    /// Where they stand, such as `$GHCR_WEBHOOK_SECRET`.
    pub place: String,
}

/// The log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogSettings {
    /// The least severe lines that are logged.
    pub level: LogLevel,
    /// The form of a line.
    pub format: LogFormat,
    /// Whether a terminal gets colours.
    pub colors: bool,
}

/// How severe a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Every step.
    Trace,
    /// What helps to find a fault.
    Debug,
    /// What happens.
    Info,
    /// What may be wrong.
    Warn,
    /// What is wrong.
    Error,
}

/// The form of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// `key=value` pairs.
    Text,
    /// One JSON object a line.
    Json,
}

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShutdownSettings {
    /// How long deliveries are still taken after a signal. It is part of `grace`.
    pub delay: Duration,
    /// Time within which the program ends after a signal.
    pub grace: Duration,
}
