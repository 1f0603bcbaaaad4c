//! From settings to a part in finding a leader, until the end.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::adapters::kubernetes::client::Cluster;
use crate::adapters::kubernetes::lease::ClusterLease;
use crate::adapters::kubernetes::lease::NAME;
use crate::app::leadership::Leadership;
use crate::app::settings::LeaderElection;
use crate::app::shutdown::End;
use crate::app::wiring::server::halted;

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

/// Tries to lead, where that is wanted, until the process is told to stop.
pub(super) async fn lead(leadership: Option<Leadership>, mut stopping: watch::Receiver<bool>) {
    let stop = async move {
        // Fails where the sender is gone, and then it is time to stop as well.
        let _ = stopping.wait_for(|stop| *stop).await;
    };
    match leadership {
        Some(leadership) => leadership.run(stop).await,
        None => stop.await,
    }
}

/// Waits until the Lease is given back where a part of the program failed, which leaves time for it; else that was done, or time is up.
pub(super) async fn stood_down(leading: JoinHandle<()>, end: End) {
    if end != End::Failed {
        leading.abort();
    }
    halted(leading).await;
}
