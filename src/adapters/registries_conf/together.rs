//! What can be said only of all entries together.

use crate::adapters::registries_conf::mistake::Mistake;
use crate::domain::registry::endpoint::Endpoint;

/// An entry that was read, and where it stands.
pub(super) struct Read {
    pub(super) endpoint: Endpoint,
    pub(super) title: String,
    pub(super) line: u64,
    /// Whether its prefix is what it says, and not what became of a mistake.
    pub(super) has_valid_prefix: bool,
}

/// What is wrong with the entries though each may be right by itself.
pub(super) fn check(entries: &[Read]) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let before = entries.get(..index).unwrap_or_default();
        let mut say = |key: &str, reason| {
            mistakes.push(Mistake {
                line: entry.line,
                entry: Some(entry.title.clone()),
                key: Some(key.to_owned()),
                reason,
            });
        };
        let same = |other: &&Read| {
            let both = other.has_valid_prefix && entry.has_valid_prefix;
            both && other.endpoint.prefix == entry.endpoint.prefix
        };
        if let Some(other) = before.iter().find(same) {
            say("prefix", clash(entry, other));
        }
        let other = before.iter().find(|other| other.endpoint.is_default);
        if let (Some(other), true) = (other, entry.endpoint.is_default) {
            let reason = format!(
                "there is one default registry, and that is {} (line {}) already: take one default: true away",
                other.title, other.line
            );
            say("default", reason);
        }
    }
    mistakes
}

fn clash(entry: &Read, other: &Read) -> String {
    let (title, line) = (&other.title, other.line);
    if entry.endpoint.prefix.is_empty() {
        return format!(
            "only one registry may do without a prefix, and that is {title} (line {line}) already: give it one, such as {}",
            entry.endpoint.host()
        );
    }
    format!(
        "{title} (line {line}) has the prefix {} already: join the two, or give one of them a longer prefix",
        entry.endpoint.prefix
    )
}
