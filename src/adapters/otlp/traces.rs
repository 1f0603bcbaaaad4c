//! The spans of a delivery's way.
//!
//! Each span is made when it ends, from when it began and how long it took, so nothing has to be carried through the work but the name of the
//! delivery's receipt, which its events have with them: after a new start, and on another replica as well. Whoever has not proved who they are makes no span. Attributes hold ids, types and names of images, and nothing of what a delivery
//! carries besides.

use std::collections::HashSet;
use std::time::Duration;
use std::time::SystemTime;

use opentelemetry::Context;
use opentelemetry::KeyValue;
use opentelemetry::trace::Link;
use opentelemetry::trace::Span as _;
use opentelemetry::trace::SpanContext;
use opentelemetry::trace::SpanKind;
use opentelemetry::trace::Status;
use opentelemetry::trace::TraceContextExt as _;
use opentelemetry::trace::Tracer as _;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::SpanExporter;
use opentelemetry_otlp::WithHttpConfig as _;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracer;
use opentelemetry_sdk::trace::SdkTracerProvider;
use opentelemetry_sdk::trace::Span;

use super::collector::Poster;
use super::parent;
use super::under_way::AllUnderWay;
use super::under_way::UnderWay;
use crate::domain::delivery::Delivery;
use crate::domain::delivery::DeliveryId;
use crate::domain::delivery::TraceParent;
use crate::domain::queue::entry::QueuedEvent;
use crate::domain::queue::fate::ImageOutcome;
use crate::ports::delivery_watcher::Answered;
use crate::ports::delivery_watcher::DeliveryOutcome;
use crate::ports::delivery_watcher::DeliveryWatcher;
use crate::ports::work_watcher::Occasion;
use crate::ports::work_watcher::Step;
use crate::ports::work_watcher::Stepped;
use crate::ports::work_watcher::WorkWatcher;

/// What the program is called where nobody says otherwise.
const SERVICE: &str = "argocd-image-updater";
/// The most deliveries and tags that a span names.
const NAMED: usize = 32;

/// Makes spans, and has them sent.
pub struct Traces {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    under_way: AllUnderWay,
}

impl Traces {
    /// Has spans sent to where the environment says. It has to be called on the runtime.
    ///
    /// # Errors
    /// Why they cannot be.
    pub fn by_environment() -> Result<Self, String> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Poster::new()?)
            .build()
            // What it says quotes the address, in which a password may be.
            .map_err(|_| {
                "OTEL_EXPORTER_OTLP_ENDPOINT is no address of a collector, or a header is none"
                    .to_owned()
            })?;
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource())
            .build();
        Ok(Self::new(provider))
    }

    fn new(provider: SdkTracerProvider) -> Self {
        Self {
            tracer: provider.tracer(SERVICE),
            provider,
            under_way: AllUnderWay::default(),
        }
    }

    /// Sends what is left, for so long at the most. It waits.
    pub fn finish(&self, time: Duration) {
        // Why it fails has been told.
        let _ = self.provider.shutdown_with_timeout(time);
    }

    /// Begins the span of a delivery's receipt, as it is authentic.
    fn receive(&self, under_way: &mut UnderWay) {
        let builder = self
            .tracer
            .span_builder("receive delivery")
            .with_kind(SpanKind::Server)
            .with_start_time(under_way.since);
        let span = self.tracer.build_with_context(builder, &under_way.parent);
        under_way.receipt = Some(span);
    }

    fn end_receipt(&self, mut under_way: UnderWay, answered: Answered<'_>) {
        if answered.outcome.is_taken() && under_way.receipt.is_none() {
            self.receive(&mut under_way);
        }
        if let Some(span) = under_way.receipt.take() {
            describe(span, answered).end();
        }
    }
}

/// What names the receipts of the deliveries of these events: those that are recorded before the others, and the latest of each first. What is part of
/// one that is not recorded is not recorded either.
fn receipts(events: &[QueuedEvent]) -> Vec<SpanContext> {
    let mut seen = HashSet::new();
    let latest_first = events.iter().rev();
    let mut receipts: Vec<SpanContext> = latest_first
        .filter(|queued| seen.insert(&queued.delivery))
        .filter_map(|queued| parent::named(queued.trace.as_ref()?))
        .collect();
    receipts.sort_by_key(|receipt| !receipt.is_sampled());
    receipts.truncate(NAMED);
    receipts
}

/// What is said of the program in every span.
fn resource() -> Resource {
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let names = ["OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES"].map(std::env::var);
    let [name, attributes] = names.map(Result::unwrap_or_default);
    let builder = Resource::builder().with_attribute(version);
    if name.is_empty() && !attributes.contains("service.name=") {
        builder.with_service_name(SERVICE).build()
    } else {
        builder.build()
    }
}

fn describe(mut span: Span, answered: Answered<'_>) -> Span {
    let delivery = answered.delivery.to_string();
    span.set_attribute(KeyValue::new("image_updater.delivery", delivery));
    if let Some(claimed) = answered.claimed {
        // It is one that there is, as the delivery is authentic.
        span.set_attribute(KeyValue::new("image_updater.type", claimed.to_owned()));
    }
    let outcome = answered.outcome.name();
    span.set_attribute(KeyValue::new("image_updater.outcome", outcome));
    if let DeliveryOutcome::Rejected(refusal) = answered.outcome {
        span.set_status(Status::error(refusal.name()));
    }
    span
}

impl DeliveryWatcher for Traces {
    fn arrived(&self, head: &Delivery) {
        self.under_way.begin(head.id.clone(), parent::parent(head));
    }

    fn answered(&self, answered: Answered<'_>) {
        if let Some(under_way) = self.under_way.end(answered.delivery) {
            self.end_receipt(under_way, answered);
        }
    }
}

impl WorkWatcher for Traces {
    fn accepted(&self, delivery: &DeliveryId) -> Option<TraceParent> {
        let named = self.under_way.with(delivery, |under_way| {
            self.receive(under_way);
            let span = under_way.receipt.as_ref()?;
            parent::name(span.span_context())
        });
        named.flatten()
    }

    fn stepped(&self, stepped: Stepped<'_>) {
        let end = SystemTime::now();
        let mut receipts = receipts(stepped.events).into_iter();
        // A look at a registry is no part of a delivery's trace.
        let Some(parent) = receipts.next() else {
            return;
        };
        let (name, kind) = match stepped.step {
            Step::Queue => ("wait in queue", SpanKind::Internal),
            Step::Judge => ("judge image", SpanKind::Internal),
            Step::Ask => ("ask registries", SpanKind::Client),
            Step::Write => ("write changes", SpanKind::Client),
        };
        let tags: Vec<&str> = stepped
            .events
            .iter()
            .rev()
            .take(NAMED)
            .map(|queued| queued.event.tag.as_str())
            .collect();
        let builder = self
            .tracer
            .span_builder(name)
            .with_kind(kind)
            .with_start_time(end.checked_sub(stepped.took).unwrap_or(end))
            .with_attributes([
                KeyValue::new("image_updater.image", stepped.image.to_string()),
                KeyValue::new("image_updater.tags", tags.join(",")),
            ])
            .with_links(receipts.map(Link::with_context).collect());
        let parent = Context::new().with_remote_span_context(parent);
        let mut span = self.tracer.build_with_context(builder, &parent);
        if stepped.failed {
            span.set_status(Status::error("it failed; the log says why"));
        }
        span.end_with_timestamp(end);
    }

    fn concluded(&self, _: Occasion, _: Option<ImageOutcome>) {}

    fn changed(&self, _: Duration) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::ImageEvent;
    use crate::domain::pairs::Pairs;
    use crate::domain::queue::entry::EntryId;
    use crate::domain::reference::ImageName;
    use crate::domain::reference::Tag;
    use crate::ports::delivery_watcher::Refusal;

    fn traces() -> Traces {
        Traces::new(SdkTracerProvider::builder().build())
    }

    fn id() -> DeliveryId {
        DeliveryId::new("d1")
    }

    fn arrive(traces: &Traces) {
        traces.arrived(&Delivery {
            id: id(),
            headers: Pairs::default(),
            query: Pairs::default(),
            body: Vec::new(),
        });
    }

    fn answer(traces: &Traces, outcome: DeliveryOutcome) {
        traces.answered(Answered {
            delivery: &id(),
            claimed: Some("ghcr.io"),
            outcome,
            took: Duration::ZERO,
        });
    }

    #[test]
    fn a_stranger_makes_no_span_and_leaves_nothing() {
        let traces = traces();
        arrive(&traces);
        let outcome = DeliveryOutcome::Rejected(Refusal::InvalidSecret);
        traces.under_way.with(&id(), |under_way| {
            assert!(under_way.receipt.is_none());
        });
        answer(&traces, outcome);
        assert_eq!(traces.under_way.count(), 0);
    }

    #[test]
    fn what_is_recorded_is_gone_on_with_before_what_is_not() {
        let queued = |id: &str, trace: String| QueuedEvent {
            entry: EntryId(0),
            event: ImageEvent {
                image: ImageName::parse("quay.io/a/b").unwrap(),
                tag: Tag::parse(id).unwrap(),
                digest: None,
            },
            delivery: DeliveryId::new(id),
            at: SystemTime::UNIX_EPOCH,
            trace: TraceParent::parse(&trace),
        };
        let named = |span: u8, flags: &str| format!("00-{:032x}-{span:016x}-{flags}", 7);
        let events = [
            queued("1", named(1, "01")),
            queued("2", named(2, "01")),
            queued("3", named(3, "00")),
        ];
        let spans = receipts(&events).into_iter();
        let spans: Vec<u64> = spans
            .map(|receipt| u64::from_be_bytes(receipt.span_id().to_bytes()))
            .collect();
        assert_eq!(spans, [2, 1, 3]);
        let crowd = (10..10 + 2 * NAMED).map(|n| queued(&n.to_string(), named(9, "00")));
        let crowd: Vec<QueuedEvent> = events.into_iter().chain(crowd).collect();
        let receipts = receipts(&crowd);
        assert_eq!(receipts.len(), NAMED);
        assert!(receipts[0].is_sampled() && receipts[1].is_sampled());
    }

    #[test]
    fn a_delivery_is_known_until_it_is_answered() {
        let traces = traces();
        for outcome in [
            DeliveryOutcome::Accepted,
            DeliveryOutcome::Rejected(Refusal::Busy),
        ] {
            arrive(&traces);
            let name = traces.accepted(&id()).unwrap();
            let context = parent::named(&name).unwrap();
            assert!(context.is_valid() && context.is_remote() && context.is_sampled());
            answer(&traces, outcome);
            assert_eq!(traces.under_way.count(), 0);
            assert_eq!(traces.accepted(&id()), None);
        }
    }
}
