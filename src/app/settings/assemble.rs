//! Makes the typed settings of merged values.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use super::admission;
use super::build::Build;
use super::credential_kinds;
use super::listen_address::ListenAddress;
use super::mode::Mode;
use super::namespaces::WatchedNamespaces;
use super::problem::Problem;
use super::queue_address::QueueAddress;
use super::table::secret_key;
use super::tls;
use super::values::Values;
use super::{
    AskingSettings, ClusterSettings, FixedSecrets, LeaderElection, LogSettings, MetricsSettings,
    Places, PollingSettings, RegistriesFile, Rhythm, SecretSettings, ServerSettings, Settings,
    SharedQueueSettings, ShutdownSettings, TlsSettings,
};
use crate::domain::rate_policy::RatePolicy;
use crate::domain::registry::credential_source::CredentialKind;
use crate::domain::secret_policy::SecretPolicy;
use crate::domain::sender::SenderProfile;
use crate::domain::tls::{Capabilities, TlsPolicy};

/// The settings that the values mean.
///
/// # Errors
/// [`Problem`] where something that has no default is missing.
pub(super) fn settings(
    mode: Mode,
    values: &Values,
    build: &Build<'_>,
) -> Result<Settings, Problem> {
    Ok(Settings {
        mode,
        manifests: values.optional("manifests")?,
        state_dir: values.optional("state.dir")?,
        cluster: cluster(mode, values)?,
        dry_run: values.get("dry-run")?,
        confirm: values.get("webhook.confirm")?,
        registries: registries(values)?,
        image_credentials: image_credentials(values)?,
        server: server(mode, values, build.tls)?,
        probes: address("health-probe-bind-address", values)?,
        metrics: metrics(values)?,
        secrets: secrets(values, build.senders)?,
        queue_size: values.get("webhook.queue-size")?,
        shared_queue: shared_queue(values)?,
        rate: RatePolicy::per_hour(values.get("webhook.ratelimit-allowed")?),
        asking: AskingSettings {
            at_once: values.get("max_concurrent_apps")?,
            never_downgrade: values.get("never-downgrade")?,
        },
        polling: polling(mode, values)?,
        spread: RatePolicy::per_hour(60 * values.get::<u32>("max-updates-per-minute")?),
        log: log(values)?,
        shutdown: shutdown(values)?,
    })
}

fn shared_queue(values: &Values) -> Result<SharedQueueSettings, Problem> {
    let key = "queue.address";
    let address: Option<String> = values.optional(key)?;
    let address = address.map(|text| QueueAddress::parse(&text)).transpose();
    Ok(SharedQueueSettings {
        address: address.map_err(|request| Problem::of(key, request))?,
        prefix: values.get("queue.prefix")?,
        replicas: queue_replicas(values)?,
        patience: queue_patience(values)?,
    })
}

fn queue_replicas(values: &Values) -> Result<usize, Problem> {
    let key = "queue.replicas";
    let words: String = values.get(key)?;
    words
        .parse()
        .map_err(|_| Problem::of(key, "give 1, 3 or 5"))
}

/// How long a replica may be silent. A part of it has to do for a word to the server and back.
fn queue_patience(values: &Values) -> Result<Duration, Problem> {
    let key = "queue.patience";
    let patience = duration(values, key)?;
    if patience < Duration::from_secs(1) {
        return Err(Problem::of(key, "give 1s or more"));
    }
    Ok(patience)
}

fn polling(mode: Mode, values: &Values) -> Result<PollingSettings, Problem> {
    Ok(PollingSettings {
        rhythm: rhythm(mode, values)?,
        fail_on_error: match mode {
            Mode::Webhook => false,
            Mode::Run => values.get("fail-on-error")?,
        },
    })
}

/// How often registries are looked at.
pub(super) fn rhythm(mode: Mode, values: &Values) -> Result<Rhythm, Problem> {
    if mode == Mode::Webhook {
        let catches_up = values.get("catch-up")?;
        return Ok(if catches_up {
            Rhythm::AtStart
        } else {
            Rhythm::Never
        });
    }
    if values.get("once")? {
        return Ok(Rhythm::Once);
    }
    let interval: i64 = values.get("interval")?;
    Ok(match u64::try_from(interval) {
        Ok(0) => Rhythm::OnEdit,
        Ok(nanoseconds) => Rhythm::Every(Duration::from_nanos(nanoseconds)),
        Err(_) => Rhythm::Never,
    })
}

/// The folders that a start would read. One that the values do not name does not hide the others.
pub(super) fn places(mode: Mode, values: &Values, build: Capabilities) -> Places {
    let is_tls_served =
        matches!(port(mode, values), Ok(Some(_))) && !values.get("disable-tls").unwrap_or(false);
    let tls = |dir| TlsSettings {
        policy: tls::policy(values, build)
            .map_or_else(|_| TlsPolicy::default(), |(policy, _)| policy),
        client_ca: admission::client_ca(values).unwrap_or_default(),
        dir,
    };
    Places {
        manifests: values.optional("manifests").unwrap_or_default(),
        kubeconfig: kubeconfig(values).unwrap_or_default(),
        registries: registries(values).unwrap_or(RegistriesFile::Skipped),
        tls: is_tls_served
            .then(|| values.get("tls.dir").ok().map(tls))
            .flatten(),
    }
}

fn registries(values: &Values) -> Result<RegistriesFile, Problem> {
    let key = "registries-conf-path";
    let path: PathBuf = values.get(key)?;
    Ok(if path.as_os_str().is_empty() {
        RegistriesFile::Skipped
    } else if values.is_given(key) {
        RegistriesFile::Named(path)
    } else {
        RegistriesFile::Customary(path)
    })
}

fn image_credentials(values: &Values) -> Result<Vec<CredentialKind>, Problem> {
    let key = "image.credential-sources";
    let text: String = values.get(key)?;
    credential_kinds::parse(&text).map_err(|request| Problem::of(key, request))
}

fn cluster(mode: Mode, values: &Values) -> Result<ClusterSettings, Problem> {
    let namespace: String = values.get("argocd.namespace")?;
    let watched: String = values.get("watch.namespaces")?;
    let watched = WatchedNamespaces::parse(&watched)
        .map_err(|request| Problem::of("watch.namespaces", request))?;
    let are_events_disabled: bool = values.get("kube.events")?;
    Ok(ClusterSettings {
        events: !are_events_disabled,
        kubeconfig: kubeconfig(values)?,
        argocd_namespace: Some(namespace).filter(|name| !name.is_empty()),
        watched: watched.unwrap_or(match mode {
            Mode::Webhook => WatchedNamespaces::AllOrOwn,
            Mode::Run => WatchedNamespaces::Own,
        }),
        leader_election: match mode {
            Mode::Webhook => None,
            // Only who looks at registries takes turns with others.
            Mode::Run if rhythm(mode, values)? == Rhythm::Never => None,
            Mode::Run => leader_election(values)?,
        },
    })
}

fn leader_election(values: &Values) -> Result<Option<LeaderElection>, Problem> {
    let namespace: String = values.get("leader-election-namespace")?;
    let election = LeaderElection {
        namespace: Some(namespace).filter(|name| !name.is_empty()),
    };
    let is_on = values.get("leader-election")?;
    Ok(Some(election).filter(|_| is_on))
}

pub(super) fn metrics(values: &Values) -> Result<Option<MetricsSettings>, Problem> {
    let secure = values.get("metrics-secure")?;
    let address = address("metrics-bind-address", values)?;
    Ok(address.map(|address| MetricsSettings { address, secure }))
}

fn address(key: &str, values: &Values) -> Result<Option<ListenAddress>, Problem> {
    let address: String = values.get(key)?;
    ListenAddress::parse(&address).map_err(|request| Problem::of(key, request))
}

fn kubeconfig(values: &Values) -> Result<Option<PathBuf>, Problem> {
    let path: PathBuf = values.get("kubeconfig")?;
    Ok(Some(path).filter(|path| !path.as_os_str().is_empty()))
}

/// The port of the webhook server, if there is to be one: `webhook` always has one, `run` only with a port that is not 0.
pub(super) fn port(mode: Mode, values: &Values) -> Result<Option<u16>, Problem> {
    let port: u16 = values.get("webhook.port")?;
    Ok(match mode {
        Mode::Webhook => Some(port),
        Mode::Run => (values.get("webhook.enable")? && port != 0).then_some(port),
    })
}

fn server(
    mode: Mode,
    values: &Values,
    build: Capabilities,
) -> Result<Option<ServerSettings>, Problem> {
    let Some(port) = port(mode, values)? else {
        return Ok(None);
    };
    Ok(Some(ServerSettings {
        port,
        tls: tls(values, build)?,
        http2: values.get("enable-http2")?,
        max_connections: values.get("webhook.max-connections")?,
        handshake_timeout: duration(values, "webhook.handshake-timeout")?,
        head_timeout: duration(values, "webhook.head-timeout")?,
        body_timeout: duration(values, "webhook.body-timeout")?,
        idle_timeout: duration(values, "webhook.idle-timeout")?,
        failures: NonZeroU32::new(values.get("webhook.failures-per-minute")?),
        admission: admission::admission(values)?,
    }))
}

fn tls(values: &Values, build: Capabilities) -> Result<Option<TlsSettings>, Problem> {
    if values.get("disable-tls")? {
        return Ok(None);
    }
    let (policy, _) = tls::policy(values, build)?;
    Ok(Some(TlsSettings {
        policy,
        dir: values.get("tls.dir")?,
        client_ca: admission::client_ca(values)?,
    }))
}

fn secrets(values: &Values, senders: &[SenderProfile]) -> Result<SecretSettings, Problem> {
    let fixed = senders.iter().filter_map(|sender| {
        let (secrets, place) = values.fixed_secrets(&secret_key(sender))?;
        Some(FixedSecrets {
            secret_name: sender.secret_name,
            secrets: secrets.clone(),
            place: place.to_owned(),
        })
    });
    Ok(SecretSettings {
        policy: SecretPolicy {
            require_secret: values.get("webhook.require-secret")?,
        },
        dir: values.get("secrets.dir")?,
        fixed: fixed.collect(),
    })
}

fn log(values: &Values) -> Result<LogSettings, Problem> {
    Ok(LogSettings {
        level: values.get("log.level")?,
        format: values.get("log.format")?,
        colors: values.get("log.colors")?,
    })
}

fn shutdown(values: &Values) -> Result<ShutdownSettings, Problem> {
    Ok(ShutdownSettings {
        delay: duration(values, "shutdown.delay")?,
        grace: duration(values, "shutdown.grace")?,
    })
}

fn duration(values: &Values, key: &str) -> Result<Duration, Problem> {
    values.get(key).map(Duration::from_nanos)
}
