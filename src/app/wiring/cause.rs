//! Why a process ends.

use crate::app::shutdown::End;
use crate::app::updater::Looked;

/// Why a process ends.
pub(super) enum Cause {
    Signal,
    /// A part of the program has failed.
    Failure(&'static str),
    /// The settings want a new start.
    Outdated,
    /// All was looked at, as it was to be once.
    Looked {
        /// Whether that counts as a failure.
        failed: bool,
    },
}

impl Cause {
    /// What a look at everything ends with; `None` where it could not be done.
    pub(super) fn looked(looked: Option<Looked>, fail_on_error: bool) -> Self {
        match looked {
            Some(looked) => Self::Looked {
                failed: fail_on_error && looked.failed > 0,
            },
            None => Self::Failure("looking at registries"),
        }
    }

    /// The end that a supervisor is told of. It has to start the program anew for settings, however well this one ends.
    pub(super) fn exit(&self, end: End) -> End {
        match self {
            Self::Signal | Self::Failure(_) | Self::Looked { failed: false } => end,
            Self::Outdated | Self::Looked { failed: true } => End::Failed,
        }
    }
}
