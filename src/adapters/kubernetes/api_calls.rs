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
    /// Counts a call that begins, and when it ends what came of it. A watch that was answered is no error, however it ends.
    pub(super) fn counted<B, E>(
        self,
        call: impl Future<Output = Result<Response<B>, E>>,
    ) -> impl Future<Output = Result<Response<B>, E>> {
        self.0.requests.fetch_add(1, Ordering::Relaxed);
        let mut outcome = Outcome {
            counts: self.0,
            is_error: true,
        };
        async move {
            let answer = call.await;
            outcome.note(&answer);
            answer
        }
    }
}

/// What came of a call. One that is given up, as nobody answers, is an error as well.
struct Outcome {
    counts: Arc<Counts>,
    is_error: bool,
}

impl Outcome {
    fn note<B, E>(&mut self, answer: &Result<Response<B>, E>) {
        self.is_error = answer.as_ref().map_or(true, |answer| {
            answer.status().is_client_error() || answer.status().is_server_error()
        });
    }
}

impl Drop for Outcome {
    fn drop(&mut self) {
        let errors = &self.counts.errors;
        errors.fetch_add(self.is_error.into(), Ordering::Relaxed);
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
    use std::convert::Infallible;
    use std::future::pending;
    use std::future::ready;
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn errors_are_counted() {
        let calls = Calls::default();
        for status in [200, 201, 304, 404, 500] {
            let answer = Response::builder().status(status).body(()).unwrap();
            let answer = ready(Ok::<_, Infallible>(answer));
            calls.clone().counted(answer).await.unwrap();
        }
        assert_eq!((calls.requests(), calls.errors()), (5, 2));
        let broken = ready(Err::<Response<()>, _>("broken"));
        calls.clone().counted(broken).await.unwrap_err();
        assert_eq!((calls.requests(), calls.errors()), (6, 3));
        let hangs = calls.clone().counted(pending::<Result<Response<()>, ()>>());
        let given_up = timeout(Duration::from_secs(10), hangs).await;
        assert!(given_up.is_err());
        assert_eq!((calls.requests(), calls.errors()), (7, 4));
    }
}
