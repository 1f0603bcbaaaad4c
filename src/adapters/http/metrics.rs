//! The server of the metrics.

use std::sync::Arc;

use http::Method;
use http::Response;
use warp::Filter;
use warp::Rejection;

use super::answer::Answer;
use super::arrival::Arrival;
use super::readiness::Readiness;
use super::routes::answered;
use super::routes::arrival;
use super::routes::too_large_a_head;
use crate::ports::access_reviewer::Access;
use crate::ports::access_reviewer::AccessReviewer;
use crate::ports::metrics_page::MetricsPage;

/// What stands behind `/metrics`.
pub struct Metrics {
    /// What is read there.
    pub page: Arc<dyn MetricsPage>,
    /// Who may read it; `None`: everybody.
    pub reviewer: Option<Arc<dyn AccessReviewer>>,
}

/// The routes. They expect an `Arc<Arrival>` among a request's extensions.
pub(super) fn routes(
    metrics: Metrics,
    max_head: usize,
) -> impl Filter<Extract = (Response<Vec<u8>>,), Error = Rejection> + Clone + Send + Sync + 'static
{
    let answers = too_large_a_head(max_head)
        .or(page(Arc::new(metrics)))
        .unify()
        .or(warp::any().map(|| Answer::nothing_but("/metrics")))
        .unify();
    let is_open = Readiness::default();
    is_open.set(true);
    answered(answers, is_open)
}

fn page(
    metrics: Arc<Metrics>,
) -> impl Filter<Extract = (Answer,), Error = Rejection> + Clone + Send + Sync + 'static {
    warp::path!("metrics")
        .and(warp::method())
        .and(arrival())
        .then(move |method: Method, arrival: Arc<Arrival>| {
            let metrics = Arc::clone(&metrics);
            async move {
                match method {
                    Method::GET | Method::HEAD => metrics.answer(&arrival).await,
                    _ => Answer::method_not_allowed("GET, HEAD"),
                }
            }
        })
}

impl Metrics {
    async fn answer(&self, arrival: &Arrival) -> Answer {
        let Some(reviewer) = &self.reviewer else {
            return Answer::metrics(self.page.text());
        };
        let headers = arrival.take_texts().headers;
        let Some(token) = headers.first("authorization").and_then(bearer) else {
            return Answer::no_token();
        };
        match reviewer.review(token).await {
            Ok(Access::Granted) => Answer::metrics(self.page.text()),
            Ok(Access::Unknown) => Answer::no_token(),
            Ok(Access::Denied) => Answer::denied(),
            Err(_) => Answer::no_review(),
        }
    }
}

/// The token in the value of `Authorization`.
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bearer_token_is_found() {
        assert_eq!(bearer("Bearer abc"), Some("abc"));
        assert_eq!(bearer("bearer  abc "), Some("abc"));
        for none in ["", "Bearer", "Bearer ", "Basic abc", "abc"] {
            assert_eq!(bearer(none), None, "{none:?}");
        }
    }
}
