//! Where ImageUpdaters and Applications come from.

use std::sync::Arc;

use async_trait::async_trait;

use crate::domain::resources::Resources;

/// Knows the ImageUpdaters and Applications.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
#[async_trait]
pub trait ResourceReader: Send + Sync {
    /// All that is known now, from memory. It holds every change that the [trigger](super::update_trigger::UpdateTrigger) of the same
    /// place has made.
    fn current(&self) -> Arc<Resources>;

    /// Waits until [`current`](Self::current) is another than when this last returned.
    async fn changed(&self);
}
