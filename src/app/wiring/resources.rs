//! From settings to where ImageUpdaters and Applications are.

use std::sync::Arc;

use tracing::warn;

use crate::adapters::kubernetes::client::Access;
use crate::adapters::kubernetes::client::Cluster;
use crate::adapters::kubernetes::client::ConnectError;
use crate::adapters::kubernetes::events::ClusterAnnouncer;
use crate::adapters::kubernetes::finalizer::let_go;
use crate::adapters::kubernetes::resources::ClusterResources;
use crate::adapters::kubernetes::scope::Scope;
use crate::adapters::kubernetes::secret_reader::ClusterSecrets;
use crate::adapters::kubernetes::status_writer::ClusterStatusWriter;
use crate::adapters::manifests::reader::Manifests;
use crate::adapters::manifests::secret_reader::ManifestSecrets;
use crate::adapters::metrics::meters::Meters;
use crate::app::leadership::Leadership;
use crate::app::settings::ClusterSettings;
use crate::app::settings::Settings;
use crate::app::settings::namespaces::WatchedNamespaces;
use crate::app::status::Metered;
use crate::app::status::Ports;
use crate::app::status::Reporter;
use crate::app::status::Untold;
use crate::app::wiring::leadership::candidate;
use crate::app::wiring::server::Background;
use crate::app::wiring::server::StartError;
use crate::ports::announcer::Announcer;
use crate::ports::resource_reader::ResourceReader;
use crate::ports::secret_reader::SecretReader;
use crate::ports::update_trigger::UpdateTrigger;

/// The namespace of objects whose manifest names none: where Argo CD's are.
const DEFAULT_NAMESPACE: &str = "argocd";

/// Where ImageUpdaters and Applications are read and written.
pub(super) struct Place {
    /// The cluster, where there is one.
    pub(super) cluster: Option<Cluster>,
    pub(super) reader: Arc<dyn ResourceReader>,
    /// Writes changes; `None`: nothing is written.
    pub(super) trigger: Option<Arc<dyn UpdateTrigger>>,
    /// How ImageUpdaters are told what was done, and how it is counted; `None`: neither is.
    pub(super) reporter: Option<Reporter>,
    /// Tells people; `None`: nobody is told.
    pub(super) announcer: Option<Arc<dyn Announcer>>,
    /// Reads Secrets that images and registries name.
    pub(super) secrets: Arc<dyn SecretReader>,
    /// Keeps what is known up to date.
    pub(super) watch: Background,
    /// Ends when everything was read for the first time.
    pub(super) synced: Background,
    /// A part in finding a leader, where one is needed.
    pub(super) leadership: Option<Leadership>,
    /// Clears away what the Go program left.
    pub(super) clearing: Option<Background>,
}

impl Place {
    /// The same, in which nothing is written at all.
    fn dry(self) -> Self {
        warn!("dry run: the log says what would change, and nothing is written");
        Self {
            trigger: None,
            reporter: None,
            announcer: None,
            leadership: None,
            clearing: None,
            ..self
        }
    }

    /// The same, in which it is counted what is done, whether or not anybody is told.
    fn metered(self, metered: Metered) -> Self {
        let reporter = self.reporter.unwrap_or_else(|| {
            Reporter::new(Ports {
                reader: Arc::clone(&self.reader),
                writer: Arc::new(Untold),
                announcer: None,
            })
        });
        let reporter = Some(reporter.metered(metered));
        Self { reporter, ..self }
    }
}

/// The folder of manifests where there is one, and else the cluster, to which there may be a connection already. Where metrics are
/// served, what is done is counted.
///
/// # Errors
/// [`StartError`].
pub(super) async fn open(
    settings: &Settings,
    cluster: Option<&Cluster>,
    meters: &Meters,
) -> Result<Place, StartError> {
    let place = match &settings.manifests {
        Some(dir) => {
            let namespace = settings.cluster.argocd_namespace.clone();
            let namespace = namespace.unwrap_or_else(|| DEFAULT_NAMESPACE.to_owned());
            let secrets = ManifestSecrets::new(dir.clone(), namespace.clone());
            let manifests = Arc::new(Manifests::open(dir.clone(), namespace)?);
            if !settings.dry_run {
                manifests.remove_leftovers();
            }
            Place {
                cluster: None,
                reader: Arc::clone(&manifests) as _,
                trigger: Some(Arc::clone(&manifests) as _),
                reporter: None,
                announcer: None,
                secrets: Arc::new(secrets),
                watch: Box::pin(manifests.watch()),
                synced: Box::pin(std::future::ready(())),
                leadership: None,
                clearing: None,
            }
        }
        None => in_cluster(&settings.cluster, cluster).await?,
    };
    let place = if settings.dry_run { place.dry() } else { place };
    if settings.metrics.is_none() {
        return Ok(place);
    }
    Ok(place.metered(Metered {
        meter: Arc::new(meters.clone()),
        is_dry: settings.dry_run,
    }))
}

async fn in_cluster(
    settings: &ClusterSettings,
    known: Option<&Cluster>,
) -> Result<Place, ConnectError> {
    let cluster = match known {
        Some(known) => known.clone(),
        None => connect(settings).await?,
    };
    let scope = scope(&settings.watched, cluster.namespace());
    let resources = Arc::new(ClusterResources::new(cluster.clone(), scope));
    let first = Arc::clone(&resources);
    let announcer = Arc::new(ClusterAnnouncer::new(Arc::clone(&resources)));
    let announcer = settings.events.then_some(announcer as Arc<dyn Announcer>);
    Ok(Place {
        cluster: Some(cluster.clone()),
        reader: Arc::clone(&resources) as _,
        trigger: Some(Arc::clone(&resources) as _),
        reporter: Some(Reporter::new(Ports {
            reader: Arc::clone(&resources) as _,
            writer: Arc::new(ClusterStatusWriter::new(Arc::clone(&resources))),
            announcer: announcer.clone(),
        })),
        announcer,
        secrets: Arc::new(ClusterSecrets::new(cluster.client().clone())),
        watch: Box::pin(Arc::clone(&resources).watch()),
        synced: Box::pin(async move { first.synced().await }),
        leadership: settings
            .leader_election
            .as_ref()
            .map(|election| candidate(&cluster, election)),
        clearing: Some(Box::pin(let_go(resources))),
    })
}

/// The connection to the cluster.
///
/// # Errors
/// [`ConnectError`].
pub(super) async fn connect(settings: &ClusterSettings) -> Result<Cluster, ConnectError> {
    let is_set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let in_pod = settings.kubeconfig.is_none() && is_set("KUBERNETES_SERVICE_HOST").is_some();
    // In a pod the account says which namespace is the program's own, and that need not be Argo CD's.
    let argo_cd = settings.argocd_namespace.clone().filter(|_| !in_pod);
    let access = Access {
        kubeconfig: settings.kubeconfig.clone(),
        namespace: is_set("POD_NAMESPACE").or(argo_cd),
    };
    Cluster::connect(&access).await
}

fn scope(watched: &WatchedNamespaces, own: &str) -> Scope {
    match watched {
        WatchedNamespaces::Own => Scope::Namespaces(vec![own.to_owned()]),
        WatchedNamespaces::AllOrOwn => Scope::ClusterOr(own.to_owned()),
        WatchedNamespaces::All => Scope::Cluster,
        WatchedNamespaces::These(names) => Scope::Namespaces(names.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_programs_own_namespace_stands_in_for_none() {
        let own = "argocd".to_owned();
        let of = |watched| scope(&watched, "argocd");
        let these = vec!["a".to_owned(), "b".to_owned()];
        assert_eq!(
            of(WatchedNamespaces::Own),
            Scope::Namespaces(vec![own.clone()])
        );
        assert_eq!(of(WatchedNamespaces::AllOrOwn), Scope::ClusterOr(own));
        assert_eq!(of(WatchedNamespaces::All), Scope::Cluster);
        assert_eq!(
            of(WatchedNamespaces::These(these.clone())),
            Scope::Namespaces(these)
        );
    }
}
