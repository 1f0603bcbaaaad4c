//! The log, captured for tests.

use std::sync::Arc;
use std::sync::Mutex;
use std::time::SystemTime;

use tracing_subscriber::layer::SubscriberExt as _;

use super::log_layer::LogLayer;
use super::logfmt;

/// What some work logs, at every level, without the time.
pub(in crate::app) fn logged(work: impl FnOnce()) -> Vec<String> {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&lines);
    let layer = LogLayer {
        render: logfmt::render,
        now: || SystemTime::UNIX_EPOCH,
        sink: move |line: &str| {
            let (_, rest) = line.split_once("Z\" ").unwrap();
            sink.lock().unwrap().push(rest.to_owned());
        },
    };
    let subscriber = tracing_subscriber::registry().with(layer);
    tracing::subscriber::with_default(subscriber, work);
    lines.lock().unwrap().clone()
}
