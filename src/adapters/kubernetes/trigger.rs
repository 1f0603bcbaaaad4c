//! Writing into the cluster, which is not built yet: every change is refused, and the log says so.

use async_trait::async_trait;

use crate::adapters::kubernetes::resources::ClusterResources;
use crate::domain::change::ApplicationChange;
use crate::ports::update_trigger::TriggerError;
use crate::ports::update_trigger::UpdateTrigger;

#[async_trait]
impl UpdateTrigger for ClusterResources {
    async fn apply(&self, changes: &[ApplicationChange]) -> Vec<Result<(), TriggerError>> {
        let reason = "this version only reads from a cluster; use --manifests".to_owned();
        vec![Err(TriggerError::Refused { reason }); changes.len()]
    }
}
