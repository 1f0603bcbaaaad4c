//! What is to be written into an Application, and the values that it replaces.

use super::application::SourcePlace;
use super::resource::ResourceId;

/// All edits of one Application that one decision makes. They are written together or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplicationChange {
    /// The Application.
    pub application: ResourceId,
    /// The source that is edited.
    pub source: SourcePlace,
    /// The edits, at least one.
    pub edits: Vec<Edit>,
    /// What they mean, for people.
    pub images: Vec<ImageChange>,
}

/// One value to write. `expected` is what stood there when the decision was made (`None`: nothing); where something else stands now,
/// nothing is written and the decision is made again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// A parameter in `helm.parameters`, replaced in place or appended, with `forceString: true`.
    HelmParameter {
        /// Its name.
        name: String,
        /// The value it had.
        expected: Option<String>,
        /// The new value.
        value: String,
    },
    /// An entry of `kustomize.images`, replaced in place or appended.
    KustomizeImage {
        /// The entry it replaces, verbatim.
        expected: Option<String>,
        /// The new entry.
        value: String,
    },
    /// A variable in `plugin.env`, replaced in place or appended.
    PluginEnv {
        /// Its name.
        name: String,
        /// The value it had.
        expected: Option<String>,
        /// The new value.
        value: String,
    },
}

/// One image that changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageChange {
    /// The alias by which an ImageUpdater knows it; empty where it has none.
    pub alias: String,
    /// Its name in the user's spelling.
    pub image: String,
    /// The tag and digest it had, as text; empty where it had none.
    pub old: String,
    /// The tag and digest it gets, as text.
    pub new: String,
}
