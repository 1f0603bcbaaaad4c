//! The members that an entry may have.

use strsim::normalized_damerau_levenshtein;

/// Their keys.
pub(super) const KEYS: [&str; 13] = [
    "name",
    "api_url",
    "prefix",
    "credentials",
    "credsexpire",
    "tagsortmode",
    "insecure",
    "ca_file",
    "ca_data",
    "defaultns",
    "limit",
    "default",
    "ping",
];

/// How alike two keys are at the least, of 1, so that one is suggested for the other.
const ALIKE: f64 = 0.6;

/// What is wrong with a key that is none.
pub(super) fn unknown(key: &str) -> String {
    let plain = key.to_ascii_lowercase().replace('-', "_");
    let likeness = |known: &str| normalized_damerau_levenshtein(&plain, known);
    let meant = KEYS
        .into_iter()
        .filter(|known| likeness(known) > ALIKE)
        .max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
    match meant {
        Some(known) => format!("is no key of a registry; did you mean {known}?"),
        None => format!("is no key of a registry: give {}", KEYS.join(", ")),
    }
}
