//! Which namespaces are watched.

use std::time::Duration;

use kube::Api;
use kube::Client;
use kube::api::ListParams;
use tokio::time::Instant;
use tokio::time::timeout_at;
use tracing::debug;
use tracing::warn;

use crate::adapters::kubernetes::client::CallError;
use crate::adapters::kubernetes::client::call;
use crate::adapters::kubernetes::reason::is_forbidden;
use crate::adapters::kubernetes::retry::Retry;
use crate::adapters::kubernetes::slim_object::Kind;
use crate::adapters::kubernetes::slim_object::SlimObject;
use crate::domain::resources::application::Application;
use crate::domain::resources::image_updater::ImageUpdater;

/// Where ImageUpdaters and Applications are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// In the whole cluster.
    Cluster,
    /// In the whole cluster where that is allowed at the start, and else in this namespace.
    ClusterOr(String),
    /// In these namespaces.
    Namespaces(Vec<String>),
}

impl Scope {
    /// The namespaces to watch, of which `None` is all of them. Where the answer depends on the API server, this waits for it.
    pub(super) async fn settle(&self, client: &Client) -> Vec<Option<String>> {
        match self {
            Self::Cluster => vec![None],
            Self::Namespaces(names) => names.iter().cloned().map(Some).collect(),
            Self::ClusterOr(namespace) => {
                let refused = match may_list::<ImageUpdater>(client).await {
                    Some(refused) => Some(refused),
                    None => may_list::<Application>(client).await,
                };
                let Some(resource) = refused else {
                    return vec![None];
                };
                warn!(
                    verb = "list",
                    resource,
                    namespace,
                    "a permission for the whole cluster is missing: only one namespace is watched; grant it, or name the namespaces with \
                     --watch-namespaces, and restart the program"
                );
                vec![Some(namespace.clone())]
            }
        }
    }
}

/// Asks for one object of a kind in the whole cluster, until there is an answer. Gives the resource where it is refused again and again: a
/// server that has just started may not have read its roles yet.
async fn may_list<T: Kind>(client: &Client) -> Option<String> {
    const LONGEST_RETRY: Duration = Duration::from_secs(5);
    /// How long refusals are not believed. Where they are meant, nothing is watched for so long.
    const DOUBT: Duration = Duration::from_secs(5);
    let api: Api<SlimObject<T>> = Api::all(client.clone());
    let one = ListParams::default().limit(1);
    let mut retry = Retry::new(LONGEST_RETRY);
    let mut is_told = false;
    let mut doubt_until = None;
    loop {
        match call(api.list(&one)).await {
            Ok(_) => return None,
            Err(CallError::Api(error)) if is_forbidden(&error) => {
                let end = *doubt_until.get_or_insert_with(|| Instant::now() + DOUBT);
                if Instant::now() >= end {
                    return Some(format!("{}.{}", T::PLURAL, T::GROUP));
                }
                debug!(%error, "refused: asking again for a while");
                // Until the end at most, when it is asked for the last time.
                let _ = timeout_at(end, retry.wait()).await;
                continue;
            }
            // That the kind is unknown is for the watch to tell, again and again.
            Err(CallError::Api(kube::Error::Api(status))) if status.is_not_found() => return None,
            Err(error) if is_told => debug!(%error, "the API server still does not answer"),
            Err(error) => {
                is_told = true;
                warn!(%error, "the API server does not answer: trying again until it does");
            }
        }
        retry.wait().await;
    }
}
