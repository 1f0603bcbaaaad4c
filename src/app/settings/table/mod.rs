//! The table of settings, from which flags, layers, the `config` command and the documentation are made.

mod git_rows;
mod kubernetes_rows;
mod limit_rows;
mod place_rows;
mod polling_rows;
mod queue_rows;
mod registry_rows;
mod secret_rows;
mod server_rows;
mod tls_rows;

use super::mode::Mode;
use super::setting::Setting;
use crate::domain::sender::SenderProfile;

/// Keys of the Go program's ConfigMap that are files rather than settings.
pub const FILE_KEYS: [&str; 2] = ["registries.conf", "git.commit-message-template"];

/// The names that those files have in the Go program's container.
pub const FILE_NAMES: [&str; 2] = ["registries.conf", "commit.template"];

/// All settings, in the order in which they are listed within their topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table(Vec<Setting>);

impl Table {
    /// The settings of a program that serves these types of senders.
    #[must_use]
    pub fn new(senders: &[SenderProfile]) -> Self {
        let mut rows = server_rows::rows();
        rows.extend(secret_rows::rows(senders));
        rows.extend(tls_rows::rows());
        rows.extend(limit_rows::rows());
        rows.extend(place_rows::rows());
        rows.extend(queue_rows::rows());
        rows.extend(registry_rows::rows());
        rows.extend(polling_rows::rows());
        rows.extend(kubernetes_rows::rows());
        rows.extend(git_rows::rows());
        Self(rows)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Setting> {
        self.0.iter()
    }

    /// Those of one command.
    pub fn of(&self, mode: Mode) -> impl Iterator<Item = &Setting> {
        self.iter().filter(move |setting| setting.is_of(mode))
    }
}

/// The key under which the secrets of a sender are found.
#[must_use]
pub fn secret_key(sender: &SenderProfile) -> String {
    format!("webhook.{}-secret", sender.secret_name)
}

/// The environment variable that holds them.
#[must_use]
pub fn secret_variable(sender: &SenderProfile) -> String {
    let name = sender.secret_name.to_ascii_uppercase().replace('-', "_");
    format!("{name}_WEBHOOK_SECRET")
}
