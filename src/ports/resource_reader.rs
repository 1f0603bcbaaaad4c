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

    /// Whether [`current`](Self::current) is all there is. It is not before everything was read for the first time, nor while changes may have
    /// been missed. What is decided then may be decided on old knowledge.
    fn is_current(&self) -> bool;

    /// Waits until [`current`](Self::current) or [`is_current`](Self::is_current) is another than when this last returned.
    async fn changed(&self);
}
