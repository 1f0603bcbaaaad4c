//! From settings to a part in finding a leader.

use std::sync::Arc;

use uuid::Uuid;

use crate::adapters::kubernetes::client::Cluster;
use crate::adapters::kubernetes::lease::ClusterLease;
use crate::adapters::kubernetes::lease::NAME;
use crate::app::leadership::Leadership;
use crate::app::settings::LeaderElection;

/// A replica that wants to lead. The Go program's Lease is in its own namespace, so ours is too.
pub(super) fn candidate(cluster: &Cluster, election: &LeaderElection) -> Leadership {
    let namespace = election.namespace.as_deref();
    let namespace = namespace.unwrap_or_else(|| cluster.namespace());
    let lease = ClusterLease::new(cluster.client().clone(), namespace, NAME);
    Leadership::new(Arc::new(lease), identity())
}

/// Names the pod for people, and is another one for each process.
fn identity() -> String {
    let host = gethostname::gethostname();
    format!("{}_{}", host.to_string_lossy(), Uuid::new_v4())
}
