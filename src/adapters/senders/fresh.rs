//! What a delivery that is made up takes from the moment: times, and ids that no other delivery has.

use std::time::SystemTime;
use std::time::UNIX_EPOCH;

use uuid::Uuid;

/// An id.
pub(super) fn id() -> String {
    Uuid::now_v7().to_string()
}

/// Now, as RFC 3339 writes it in UTC.
pub(super) fn time() -> String {
    humantime::format_rfc3339_seconds(SystemTime::now()).to_string()
}

/// Now, in seconds since 1970.
pub(super) fn seconds() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
