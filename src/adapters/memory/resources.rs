//! ImageUpdaters and Applications in memory.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Mutex;
use tokio::sync::watch;

use crate::domain::change::ApplicationChange;
use crate::domain::change::ChangeConflict;
use crate::domain::resources::Resources;
use crate::ports::resource_reader::ResourceReader;
use crate::ports::update_trigger::TriggerError;
use crate::ports::update_trigger::UpdateTrigger;

/// Resources that are given, and on which changes are made as values.
#[derive(Debug)]
pub struct InMemoryResources {
    current: watch::Sender<Arc<Resources>>,
    /// What [`changed`](ResourceReader::changed) has told.
    told: Mutex<watch::Receiver<Arc<Resources>>>,
}

impl InMemoryResources {
    /// Starts with these.
    #[must_use]
    pub fn new(resources: Resources) -> Self {
        let (current, told) = watch::channel(Arc::new(resources));
        Self {
            current,
            told: Mutex::new(told),
        }
    }

    /// Puts others in their place.
    pub fn replace(&self, resources: Resources) {
        self.current.send_if_modified(|current| {
            let changed = **current != resources;
            if changed {
                *current = Arc::new(resources);
            }
            changed
        });
    }
}

#[async_trait]
impl ResourceReader for InMemoryResources {
    fn current(&self) -> Arc<Resources> {
        Arc::clone(&self.current.borrow())
    }

    fn is_current(&self) -> bool {
        true
    }

    async fn changed(&self) {
        let mut told = self.told.lock().await;
        // It fails only when there is no sender, and this holds one.
        _ = told.changed().await;
    }
}

#[async_trait]
impl UpdateTrigger for InMemoryResources {
    async fn apply(&self, changes: &[ApplicationChange]) -> Vec<Result<(), TriggerError>> {
        let mut results = Vec::new();
        self.current.send_if_modified(|current| {
            let mut changed = Resources::clone(current);
            results = changes
                .iter()
                .map(|change| make(&mut changed, change))
                .collect();
            let different = **current != changed;
            if different {
                *current = Arc::new(changed);
            }
            different
        });
        results
    }
}

fn make(resources: &mut Resources, change: &ApplicationChange) -> Result<(), TriggerError> {
    let mut applications = resources.applications.iter_mut();
    let Some(application) = applications.find(|one| one.id == change.application) else {
        return Err(TriggerError::Gone);
    };
    match change.applied_to(application) {
        Ok(after) => *application = Arc::new(after),
        Err(ChangeConflict::Moved(reason)) => return Err(TriggerError::Moved { reason }),
        Err(conflict @ ChangeConflict::Ambiguous(_)) => {
            let reason = conflict.to_string();
            return Err(TriggerError::Refused { reason });
        }
    }
    Ok(())
}
