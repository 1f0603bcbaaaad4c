//! Counts the calls of the API, of every kind.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use http::Response;

use crate::ports::api_calls::ApiCalls;

/// How often the API was called.
#[derive(Debug, Clone, Default)]
pub(super) struct Calls(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    requests: AtomicU64,
    errors: AtomicU64,
}

impl Calls {
    /// Counts a request that is sent.
    pub(super) fn sent(&self) {
        self.0.requests.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts what came of it, where that is an error. A watch that was answered is none, however it ends.
    pub(super) fn answered<B, E>(&self, answer: &Result<Response<B>, E>) {
        let is_error = answer.as_ref().map_or(true, |answer| {
            answer.status().is_client_error() || answer.status().is_server_error()
        });
        self.0.errors.fetch_add(is_error.into(), Ordering::Relaxed);
    }
}

impl ApiCalls for Calls {
    fn requests(&self) -> u64 {
        self.0.requests.load(Ordering::Relaxed)
    }

    fn errors(&self) -> u64 {
        self.0.errors.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_counted() {
        let calls = Calls::default();
        for status in [200, 201, 304, 404, 500] {
            calls.sent();
            let answer = Response::builder().status(status).body(()).unwrap();
            calls.answered::<_, ()>(&Ok(answer));
        }
        calls.sent();
        calls.answered::<(), _>(&Err(()));
        assert_eq!((calls.requests(), calls.errors()), (6, 3));
    }
}
