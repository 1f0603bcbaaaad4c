//! The headings under which settings are listed.

use std::fmt;

/// What a setting is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// The webhook server.
    Server,
    /// Who is let in.
    Secrets,
    /// How connections are protected.
    Tls,
    /// What is refused, and when waiting ends.
    Limits,
    /// Where Applications and settings are read.
    Places,
    /// The log.
    Logging,
    /// How the program ends.
    Shutdown,
    /// Registries and credentials.
    Registries,
    /// Looking at registries by itself.
    Polling,
    /// The cluster.
    Kubernetes,
    /// Commits.
    Git,
}

impl Topic {
    /// All, in the order in which they are listed.
    pub const ALL: [Self; 11] = [
        Self::Server,
        Self::Secrets,
        Self::Tls,
        Self::Limits,
        Self::Places,
        Self::Logging,
        Self::Shutdown,
        Self::Registries,
        Self::Polling,
        Self::Kubernetes,
        Self::Git,
    ];

    /// The heading.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Server => "Webhook server",
            Self::Secrets => "Webhook secrets",
            Self::Tls => "TLS",
            Self::Limits => "Limits",
            Self::Places => "Files and folders",
            Self::Logging => "Logging",
            Self::Shutdown => "Shutdown",
            Self::Registries => "Registries",
            Self::Polling => "Polling",
            Self::Kubernetes => "Kubernetes",
            Self::Git => "Git write-back",
        }
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.title())
    }
}
