//! Turns tracing's events into lines.

use std::time::SystemTime;

use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::fields::Fields;
use super::line::Line;

/// Writes a line for each event.
pub(super) struct LogLayer<W> {
    /// The form of a line, its end included.
    pub(super) render: fn(&Line) -> String,
    /// The clock.
    pub(super) now: fn() -> SystemTime,
    /// Where lines go, one a call.
    pub(super) sink: W,
}

impl<S, W> Layer<S> for LogLayer<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: Fn(&str) + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            let mut fields = Fields::default();
            attributes.record(&mut fields);
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        let spans = context.event_scope(event).into_iter();
        for span in spans.flat_map(tracing_subscriber::registry::Scope::from_root) {
            if let Some(outer) = span.extensions().get::<Fields>() {
                fields.extend(outer);
            }
        }
        event.record(&mut fields);
        let line = Line {
            time: (self.now)(),
            level: *event.metadata().level(),
            message: fields.message,
            fields: fields.named,
        };
        (self.sink)(&(self.render)(&line));
    }
}

#[cfg(test)]
mod tests {
    use tracing::{error, info, info_span};

    use crate::app::telemetry::testing::logged;

    #[test]
    fn the_fields_of_spans_and_events_are_written() {
        let lines = logged(|| {
            let delivery = info_span!("delivery", delivery = "d1", r#type = tracing::field::Empty);
            let _delivery = delivery.enter();
            delivery.record("type", "ghcr.io");
            let _image = info_span!("image", image = %"a/b", delivery = "d2").entered();
            info!(changed = 2, share = 0.5, ok = true, "image {}", "changed");
            info!(level = "x", msg = "y", image = "c");
        });
        assert_eq!(
            lines,
            [
                "level=info msg=\"image changed\" delivery=d2 type=ghcr.io image=a/b changed=2 share=0.5 ok=true\n",
                "level=info msg=\"\" delivery=d2 type=ghcr.io image=c fields.level=x fields.msg=y\n",
            ]
        );
    }

    #[test]
    fn errors_are_written_with_their_causes() {
        #[derive(Debug, thiserror::Error)]
        #[error("failed to bind")]
        struct Outer(#[source] std::io::Error);
        let lines = logged(|| {
            let outer = Outer(std::io::Error::other("in use"));
            error!(
                error = &outer as &dyn std::error::Error,
                value = f64::NAN,
                "cannot start"
            );
        });
        let expected =
            "level=error msg=\"cannot start\" error=\"failed to bind: in use\" value=NaN\n";
        assert_eq!(lines, [expected]);
    }
}
