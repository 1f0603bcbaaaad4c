//! ImageUpdaters that are new or were edited, for whoever looks at registries.

use std::collections::BTreeSet;
use std::sync::Mutex;

use tokio::sync::Notify;

use super::lock;
use crate::domain::resources::resource::ResourceId;

/// What was edited since it was last taken.
#[derive(Default)]
pub(super) struct Edits {
    edited: Mutex<BTreeSet<ResourceId>>,
    bell: Notify,
}

impl Edits {
    pub(super) fn add(&self, edited: BTreeSet<ResourceId>) {
        if !edited.is_empty() {
            lock(&self.edited).extend(edited);
            self.bell.notify_one();
        }
    }

    /// Takes what was edited, without waiting.
    pub(super) fn take(&self) -> BTreeSet<ResourceId> {
        std::mem::take(&mut lock(&self.edited))
    }

    /// Waits until something was edited, and takes it. It may be given up at any time.
    pub(super) async fn next(&self) -> BTreeSet<ResourceId> {
        loop {
            let edited = self.take();
            if !edited.is_empty() {
                return edited;
            }
            self.bell.notified().await;
        }
    }
}
