//! What several tests of this adapter need.

use std::cell::RefCell;
use std::fmt::Debug;
use std::fmt::Write as _;
use std::sync::Once;

use kube::core::Status;
use kube::runtime::watcher::Error;
use tracing::Event;
use tracing::Subscriber;
use tracing::field::Field;
use tracing::field::Visit;
use tracing_subscriber::layer::Context;
use tracing_subscriber::layer::Layer;
use tracing_subscriber::layer::SubscriberExt as _;

/// How a watch ends where the API server answers its list with this code.
pub(super) fn failure(code: u16) -> Error {
    let status = Status {
        code,
        message: "no".to_owned(),
        reason: if code == 403 { "Forbidden" } else { "" }.to_owned(),
        ..Status::default()
    };
    Error::InitialListFailed(kube::Error::Api(status.boxed()))
}

thread_local! {
    /// The lines of this thread, while somebody collects them.
    static LINES: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// What this adapter logs on this thread, a line for each record: its level and its fields.
///
/// The subscriber is that of the whole process. One for a thread and a time would now and then miss a line that another thread logs for the
/// first time in the same moment, as `tracing` remembers for each place whether anybody listens.
pub(super) fn logged(work: impl FnOnce()) -> Vec<String> {
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| {
        let subscriber = tracing_subscriber::registry().with(Lines);
        tracing::subscriber::set_global_default(subscriber).unwrap();
    });
    LINES.set(Some(Vec::new()));
    work();
    LINES.take().unwrap_or_default()
}

struct Lines;

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if !event.metadata().target().starts_with("image_updater") {
            return;
        }
        LINES.with_borrow_mut(|lines| {
            if let Some(lines) = lines {
                let mut line = Line(event.metadata().level().to_string());
                event.record(&mut line);
                lines.push(line.0);
            }
        });
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, " {field}={value:?}");
    }
}
