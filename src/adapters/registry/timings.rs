//! How long things may take, and how long what was learned counts.

use std::time::Duration;

/// Times of the client. The default is for the world; tests have shorter ones.
#[derive(Debug, Clone, Copy)]
pub struct Timings {
    /// Until a connection stands, TLS included. A registry that is there answers far sooner, even from another continent.
    pub connect: Duration,
    /// Without a byte of an answer. As long as the Go program waits for the headers.
    pub silence: Duration,
    /// For a request from its first byte to the last of its answer.
    pub request: Duration,
    /// For a question with all its requests and its turns in the queue. Only what never ends takes so long.
    pub question: Duration,
    /// Before the second attempt; it doubles with each.
    pub first_wait: Duration,
    /// For all attempts of a request, without their turns in the queue. Whoever wants to wait longer asks again later.
    pub persistence: Duration,
    /// How long credentials of a single image are kept: long enough for one pass, short enough for a Secret that changes.
    pub image_credentials: Duration,
    /// How long it counts what a tag points at, where that may be known from before.
    pub recent: Duration,
    /// How long lists (which are always asked for again) and what a digest names (which never changes) are kept.
    pub kept: Duration,
}

impl Default for Timings {
    fn default() -> Self {
        const MINUTE: Duration = Duration::from_secs(60);
        const HOUR: Duration = Duration::from_secs(60 * 60);
        Self {
            connect: Duration::from_secs(5),
            silence: Duration::from_secs(10),
            request: Duration::from_secs(30),
            question: MINUTE * 5,
            first_wait: Duration::from_millis(500),
            persistence: Duration::from_secs(30),
            image_credentials: MINUTE,
            recent: HOUR,
            kept: HOUR * 24,
        }
    }
}
