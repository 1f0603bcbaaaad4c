//! Where the description of registries comes from.

use crate::domain::registry::endpoint::Registries;

/// Knows what describes registries, as it is now. It may read files.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
pub trait RegistriesSource: Send + Sync {
    /// Reads it anew.
    fn read(&self) -> Reading;
}

/// A description as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// Where it stands, such as the path of a file; `None`: nothing describes registries, so that there are those that everybody knows.
    pub place: Option<String>,
    /// What it says.
    pub outcome: Result<Description, Vec<String>>,
}

/// What a description that can be used says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Description {
    /// All registries.
    pub registries: Registries,
    /// What people should know of them, each thing with its place in the description.
    pub warnings: Vec<String>,
}

impl Reading {
    /// Nothing describes registries.
    #[must_use]
    pub fn of_nothing() -> Self {
        Self {
            place: None,
            outcome: Ok(Description::default()),
        }
    }
}
