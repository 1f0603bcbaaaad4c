//! The metrics, as they are read.

/// Writes down what was counted.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
pub trait MetricsPage: Send + Sync {
    /// All metrics now, in [OpenMetrics](https://prometheus.io/docs/specs/om/open_metrics_spec/) text.
    fn text(&self) -> String;
}
