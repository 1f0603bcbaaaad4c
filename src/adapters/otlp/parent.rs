//! The sender's part of a trace, as its [`traceparent`](https://www.w3.org/TR/trace-context/) says.

use std::collections::HashMap;

use opentelemetry::Context;
use opentelemetry::propagation::Extractor;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::SpanContext;
use opentelemetry::trace::TraceContextExt;
use opentelemetry_sdk::propagation::TraceContextPropagator;

use crate::domain::delivery::Delivery;
use crate::domain::delivery::TraceParent;

/// Where it stands in a carrier.
const HEADER: &str = "traceparent";

/// The context that a delivery names; an empty one where it names none that can be read.
pub(super) fn parent(head: &Delivery) -> Context {
    TraceContextPropagator::new().extract_with_context(&Context::new(), &Headers(head))
}

/// What a span is called where its trace goes on; nothing where it is not recorded anywhere.
pub(super) fn name(span: &SpanContext) -> Option<TraceParent> {
    let context = Context::new().with_remote_span_context(span.clone());
    let mut carrier = HashMap::new();
    TraceContextPropagator::new().inject_context(&context, &mut carrier);
    TraceParent::parse(carrier.get(HEADER)?)
}

/// The span of that name.
pub(super) fn named(name: &TraceParent) -> Option<SpanContext> {
    let carrier = HashMap::from([(HEADER.to_owned(), name.as_str().to_owned())]);
    let context = TraceContextPropagator::new().extract_with_context(&Context::new(), &carrier);
    let span = context.span().span_context().clone();
    span.is_valid().then_some(span)
}

struct Headers<'a>(&'a Delivery);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.header(key)
    }

    fn keys(&self) -> Vec<&str> {
        // The propagator asks for the two that it knows.
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::delivery::DeliveryId;
    use crate::domain::pairs::Pairs;

    fn of(traceparent: &str) -> Context {
        parent(&Delivery {
            id: DeliveryId::new("d"),
            headers: [("traceparent", traceparent)].into_iter().collect(),
            query: Pairs::default(),
            body: Vec::new(),
        })
    }

    #[test]
    fn a_parent_is_read() {
        let context = of("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        let span = context.span();
        let found = span.span_context();
        let trace = "0af7651916cd43dd8448eb211c80319c";
        assert_eq!(found.trace_id().to_string(), trace);
        assert_eq!(found.span_id().to_string(), "b7ad6b7169203331");
        assert!(found.is_remote() && found.is_sampled());
    }

    #[test]
    fn a_span_is_found_again_by_its_name() {
        let text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let span = named(&TraceParent::parse(text).unwrap()).unwrap();
        assert_eq!(name(&span).unwrap().as_str(), text);
        let none = "00-00000000000000000000000000000000-0000000000000000-00";
        assert_eq!(named(&TraceParent::parse(none).unwrap()), None);
        assert_eq!(name(&SpanContext::empty_context()), None);
    }

    #[test]
    fn nonsense_is_no_parent() {
        for nonsense in [
            "",
            "00",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ] {
            let context = of(nonsense);
            assert!(!context.span().span_context().is_valid(), "{nonsense:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_a_sender_says_is_borne(text in any::<String>()) {
            of(&text);
        }

        #[test]
        fn nearly_right_is_borne(text in "0[0f]-[0-9a-fA-F]{31,33}-[0-9a-f]{15,17}-[0-9a-f]{1,3}") {
            of(&text);
        }
    }
}
