//! The two commands that are configured.

use std::fmt;

/// Which command the settings are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// `webhook`: the webhook server alone.
    Webhook,
    /// `run`: the poller, and on request the webhook server.
    Run,
}

impl Mode {
    /// Both, in the order in which they are listed.
    pub const ALL: [Self; 2] = [Self::Webhook, Self::Run];

    /// The command's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Run => "run",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
