//! The connection to the cluster: one client for everything.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use http::header::USER_AGENT;
use kube::Client;
use kube::Config;
use kube::client::ClientBuilder;
use kube::config::InClusterError;
use kube::config::KubeConfigOptions;
use kube::config::Kubeconfig;
use kube::config::KubeconfigError;
use thiserror::Error;
use tokio::time::timeout;
use tower::util::MapFutureLayer;

use crate::adapters::kubernetes::api_calls::Calls;
use crate::adapters::kubernetes::reason::reason;
use crate::adapters::kubernetes::watch;
use crate::ports::api_calls::ApiCalls;

/// How long a call may take.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a connection may be silent while something is expected of it: a little longer than a watch in which nothing happens.
const READ_TIMEOUT: Duration = Duration::from_secs(watch::DURATION as u64 + 10);

/// What is known of the way to the cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// A kubeconfig file. Without one the pod's own account is used, and outside of pods what `$KUBECONFIG` or `~/.kube/config` says.
    pub kubeconfig: Option<PathBuf>,
    /// The program's own namespace. Without one it is that of the pod's account, or else of the kubeconfig's context.
    pub namespace: Option<String>,
}

/// The cluster.
#[derive(Clone)]
pub struct Cluster {
    client: Client,
    namespace: String,
    server: String,
    calls: Calls,
}

/// Why there is no connection to a cluster.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// Nothing says where a cluster is.
    #[error(
        "no cluster was found: this is no pod of Kubernetes, and there is no kubeconfig ({reason}); name one by --kubeconfig or $KUBECONFIG"
    )]
    NoCluster {
        /// Why there is no kubeconfig.
        reason: String,
    },
    /// A kubeconfig cannot be used.
    #[error("the kubeconfig {place} cannot be used: {reason}")]
    Kubeconfig {
        /// The file, or the variable that names it.
        place: String,
        /// Why.
        reason: String,
    },
    /// The pod's own account cannot be used.
    #[error(
        "the pod's own account cannot be used: {0}; mount its token (automountServiceAccountToken), or name a kubeconfig by --kubeconfig"
    )]
    Account(InClusterError),
    /// No client can be made of the configuration.
    #[error("failed to make a client for {server}: {reason}")]
    Client {
        /// The API server.
        server: String,
        /// Why.
        reason: String,
    },
}

/// Why a call gave nothing.
#[derive(Debug, Error)]
pub enum CallError {
    /// The API server refused, or could not be asked.
    #[error("{}", reason(.0))]
    Api(kube::Error),
    /// There was no answer in time.
    #[error("no answer within {} s", CALL_TIMEOUT.as_secs())]
    TimedOut,
}

/// Gives a call its time-out.
///
/// # Errors
/// [`CallError`].
pub async fn call<T>(call: impl Future<Output = kube::Result<T>>) -> Result<T, CallError> {
    match timeout(CALL_TIMEOUT, call).await {
        Ok(answer) => answer.map_err(CallError::Api),
        Err(_) => Err(CallError::TimedOut),
    }
}

/// Whether something says where a cluster is. Nothing is asked of it.
///
/// # Errors
/// [`ConnectError`].
pub fn check(kubeconfig: Option<&Path>) -> Result<(), ConnectError> {
    find(kubeconfig).map(|_| ())
}

impl Cluster {
    /// Makes a client. Nothing is asked of the cluster yet.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub async fn connect(access: &Access) -> Result<Self, ConnectError> {
        let config = match find(access.kubeconfig.as_deref())? {
            Found::Account(config) => *config,
            Found::Kubeconfig { place, contents } => {
                let options = KubeConfigOptions::default();
                let config = Config::from_custom_kubeconfig(*contents, &options).await;
                config.map_err(|error| unusable(place, &error))?
            }
        };
        Self::new(config, access.namespace.clone())
    }

    /// Makes a client of a configuration. Without a namespace, the configuration's is the program's own.
    ///
    /// # Errors
    /// [`ConnectError::Client`].
    pub fn new(mut config: Config, namespace: Option<String>) -> Result<Self, ConnectError> {
        // rustls takes the process-wide provider; another one that was installed before will do as well.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        config.connect_timeout = Some(CONNECT_TIMEOUT);
        config.read_timeout = Some(READ_TIMEOUT);
        config.reset_reader_on_write = true;
        // A watch must not look alive while its beginning is tried again, and whoever writes knows best when to try again.
        config.default_retry = false;
        let agent = concat!("argocd-image-updater/", env!("CARGO_PKG_VERSION"));
        config
            .headers
            .push((USER_AGENT, HeaderValue::from_static(agent)));
        let server = config.cluster_url.to_string();
        let namespace = namespace.unwrap_or_else(|| config.default_namespace.clone());
        let calls = Calls::default();
        let client = client(config, &calls).map_err(|error| ConnectError::Client {
            server: server.clone(),
            reason: reason(&error),
        })?;
        Ok(Self {
            client,
            namespace,
            server,
            calls,
        })
    }

    /// The client.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The program's own namespace.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// How often it was called.
    #[must_use]
    pub fn calls(&self) -> Arc<dyn ApiCalls> {
        Arc::new(self.calls.clone())
    }

    /// The URL of the API server.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.server
    }
}

/// A client whose calls are counted.
fn client(config: Config, calls: &Calls) -> kube::Result<Client> {
    let calls = calls.clone();
    let counting = MapFutureLayer::new(move |call| calls.clone().counted(call));
    let builder = ClientBuilder::try_from(config)?;
    Ok(builder.with_layer(&counting).build())
}

/// Where a cluster is described.
enum Found {
    Account(Box<Config>),
    Kubeconfig {
        place: String,
        contents: Box<Kubeconfig>,
    },
}

fn find(kubeconfig: Option<&Path>) -> Result<Found, ConnectError> {
    if let Some(path) = kubeconfig {
        let place = path.display().to_string();
        return read(place, Kubeconfig::read_from(path));
    }
    if is_set("KUBERNETES_SERVICE_HOST") {
        let config = Config::incluster().map_err(ConnectError::Account)?;
        return Ok(Found::Account(Box::new(config)));
    }
    if is_set("KUBECONFIG") {
        return read("$KUBECONFIG".to_owned(), Kubeconfig::read());
    }
    match Kubeconfig::read() {
        Err(error @ (KubeconfigError::FindPath | KubeconfigError::ReadConfig(..))) => {
            let reason = match error {
                KubeconfigError::ReadConfig(error, path) => {
                    format!("{}: {error}", path.display())
                }
                other => other.to_string(),
            };
            Err(ConnectError::NoCluster { reason })
        }
        contents => read("~/.kube/config".to_owned(), contents),
    }
}

fn is_set(variable: &str) -> bool {
    std::env::var_os(variable).is_some_and(|value| !value.is_empty())
}

fn read(
    place: String,
    contents: Result<Kubeconfig, KubeconfigError>,
) -> Result<Found, ConnectError> {
    match contents {
        Ok(contents) => Ok(Found::Kubeconfig {
            place,
            contents: Box::new(contents),
        }),
        Err(error) => Err(unusable(place, &error)),
    }
}

/// An error of the parser may quote the file, and with it a token.
fn unusable(place: String, error: &KubeconfigError) -> ConnectError {
    let reason = match error {
        KubeconfigError::Parse(_) => "it is no YAML of a kubeconfig".to_owned(),
        other => other.to_string(),
    };
    ConnectError::Kubeconfig { place, reason }
}
