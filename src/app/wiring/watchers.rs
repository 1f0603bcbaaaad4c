//! From the environment to those who watch: what is counted, and traces where they are wanted.

use std::env;
use std::sync::Arc;

use tracing::warn;

use crate::adapters::metrics::meters::Meters;
use crate::app::seeing::traces_wanted::wanted;
use crate::app::seeing::watchers::Watchers;
use crate::app::wiring::server::Background;
use crate::ports::delivery_watcher::DeliveryWatcher;
use crate::ports::work_watcher::WorkWatcher;

/// Those who watch.
pub(super) struct Watching {
    /// What is counted.
    pub(super) meters: Meters,
    pub(super) deliveries: Arc<dyn DeliveryWatcher>,
    pub(super) work: Arc<dyn WorkWatcher>,
    /// Sends the last spans.
    pub(super) last: Background,
}

/// Those who watch a process that counts with these. It has to be called on the runtime.
///
/// In many clusters all pods are told where a collector is. So where traces cannot be sent as it is wanted, the log says so, and nothing else
/// depends on it.
pub(super) fn open(meters: Meters) -> Watching {
    let mut deliveries: Vec<Arc<dyn DeliveryWatcher>> = vec![Arc::new(meters.deliveries.clone())];
    let mut work: Vec<Arc<dyn WorkWatcher>> = vec![Arc::new(meters.work.clone())];
    let is_wanted = wanted(|name| env::var(name).ok());
    let last = match is_wanted.map_err(|error| error.to_string()) {
        Ok(true) => traces(&mut deliveries, &mut work),
        Ok(false) => Ok(nothing()),
        Err(reason) => Err(reason),
    };
    let last = last.unwrap_or_else(|reason| {
        warn!(reason, "traces are not sent");
        nothing()
    });
    Watching {
        meters,
        deliveries: Arc::new(Watchers(deliveries)),
        work: Arc::new(Watchers(work)),
        last,
    }
}

fn nothing() -> Background {
    Box::pin(std::future::ready(()))
}

#[cfg(feature = "otlp")]
fn traces(
    deliveries: &mut Vec<Arc<dyn DeliveryWatcher>>,
    work: &mut Vec<Arc<dyn WorkWatcher>>,
) -> Result<Background, String> {
    use std::time::Duration;

    use crate::adapters::otlp::traces::Traces;

    /// How long the process waits in the end for the last spans to be sent.
    const LAST_SPANS: Duration = Duration::from_secs(3);

    let traces = Arc::new(Traces::by_environment()?);
    deliveries.push(Arc::clone(&traces) as _);
    work.push(Arc::clone(&traces) as _);
    tracing::info!("traces are sent by OTLP");
    Ok(Box::pin(async move {
        // It waits for the thread that sends.
        let sent = tokio::task::spawn_blocking(move || traces.finish(LAST_SPANS));
        let _ = sent.await;
    }))
}

#[cfg(not(feature = "otlp"))]
fn traces(
    _: &mut [Arc<dyn DeliveryWatcher>],
    _: &mut [Arc<dyn WorkWatcher>],
) -> Result<Background, String> {
    Err("this build has not the feature otlp, though OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_TRACES_EXPORTER wants traces".to_owned())
}
