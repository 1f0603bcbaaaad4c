//! Everything the updater decides on, at one moment.

pub mod application;
pub mod image_updater;
pub mod image_updater_status;
pub mod labels;
pub mod problem;
pub mod resource;

use std::sync::Arc;

use crate::domain::resources::application::Application;
use crate::domain::resources::image_updater::ImageUpdater;

/// All ImageUpdaters and Applications that are known. An object that did not change keeps its `Arc` from one moment to the next, so
/// that an index sees by the pointer what it has to look at again. No two objects of a kind have the same id. An order that stays from one
/// moment to the next makes that cheap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resources {
    /// The ImageUpdaters.
    pub updaters: Vec<Arc<ImageUpdater>>,
    /// The Applications.
    pub applications: Vec<Arc<Application>>,
}
