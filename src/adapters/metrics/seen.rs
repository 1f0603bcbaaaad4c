//! What is looked up when somebody reads.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::encoding::EncodeMetric;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

use crate::ports::api_calls::ApiCalls;
use crate::ports::backlog_view::BacklogView;
use crate::ports::certificate_expiry::CertificateExpiry;
use crate::ports::resource_reader::ResourceReader;

/// What is looked up when somebody reads.
pub struct Seen {
    /// Knows whether what is known of ImageUpdaters and Applications may be old.
    pub reader: Arc<dyn ResourceReader>,
    /// Knows how often the cluster was asked; `None`: there is none.
    pub calls: Option<Arc<dyn ApiCalls>>,
    /// Knows how much is left to do.
    pub backlog: Arc<dyn BacklogView>,
    /// Knows until when the webhook server's certificate is valid; `None`: it has none.
    pub certificate: Option<Arc<dyn CertificateExpiry>>,
}

impl Collector for Seen {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.resources(&mut encoder)?;
        self.calls(&mut encoder)?;
        self.backlog(&mut encoder)?;
        self.certificate(&mut encoder)
    }
}

impl Seen {
    fn resources(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        gauge(
            encoder,
            "watch_behind",
            "1 while what is known of ImageUpdaters and Applications may be old, so that deliveries wait; else 0",
            i64::from(!self.reader.is_current()),
        )
    }

    fn calls(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let calls = self.calls.as_deref();
        counter(
            encoder,
            "k8s_api_requests",
            "The number of requests to the Kubernetes API",
            calls.map_or(0, ApiCalls::requests),
        )?;
        counter(
            encoder,
            "k8s_api_errors",
            "The number of requests to the Kubernetes API that were answered by an error, or not at all",
            calls.map_or(0, ApiCalls::errors),
        )
    }

    fn backlog(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        gauge(
            encoder,
            "queue_events",
            "The number of events that wait or are in work",
            count(self.backlog.events()),
        )?;
        gauge(
            encoder,
            "queue_capacity",
            "The number of events that may wait",
            count(self.backlog.capacity()),
        )?;
        let age = self.backlog.oldest().unwrap_or_default();
        let age = ConstGauge::new(age.as_secs_f64());
        age.encode(encoder.encode_descriptor(
            "queue_oldest_age",
            "How long ago the oldest event was accepted that waits or is in work; 0: there is none",
            Some(&Unit::Seconds),
            age.metric_type(),
        )?)
    }

    fn certificate(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let certificate = self.certificate.as_deref();
        let Some(time) = certificate.and_then(CertificateExpiry::not_after) else {
            return Ok(());
        };
        let time = ConstGauge::new(time);
        time.encode(encoder.encode_descriptor(
            "certificate_expiry_timestamp",
            "The last second in which the certificate is valid that the webhook server serves, as seconds since 1970",
            Some(&Unit::Seconds),
            time.metric_type(),
        )?)
    }
}

fn gauge(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: i64) -> fmt::Result {
    let gauge = ConstGauge::new(value);
    gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)
}

fn counter(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: u64) -> fmt::Result {
    let counter = ConstCounter::new(value);
    counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seen").finish_non_exhaustive()
    }
}
