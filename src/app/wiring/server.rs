//! From settings to a running process.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::error;
use tracing::info;
use tracing::warn;

use crate::adapters::delivery_socket::server::SocketError;
use crate::adapters::http::readiness::Readiness;
use crate::adapters::journal::error::OpenError;
use crate::adapters::kubernetes::client::ConnectError;
use crate::adapters::manifests::reader::ManifestsError;
use crate::adapters::metrics::meters::Meters;
use crate::adapters::pace::Governed;
use crate::adapters::tls::error::TlsError;
use crate::app::leadership::Leadership;
use crate::app::polling::Polling;
use crate::app::settings::MetricsSettings;
use crate::app::settings::Settings;
use crate::app::settings::ShutdownSettings;
use crate::app::settings::listen_address::ListenAddress;
use crate::app::shutdown;
use crate::app::shutdown::End;
use crate::app::shutdown::Steps;
use crate::app::updater::Updater;
use crate::app::wiring::cause::Cause;
use crate::app::wiring::door;
use crate::app::wiring::door::Door;
use crate::app::wiring::door::Parts;
use crate::app::wiring::following::Follow;
use crate::app::wiring::following::Following;
use crate::app::wiring::keeping;
use crate::app::wiring::leadership::lead;
use crate::app::wiring::leadership::stood_down;
use crate::app::wiring::metrics;
use crate::app::wiring::metrics::Shown;
use crate::app::wiring::objects::Objects;
use crate::app::wiring::probes;
use crate::app::wiring::profiles;
use crate::app::wiring::registries;
use crate::app::wiring::resources;
use crate::app::wiring::sharing::SharingError;
use crate::app::wiring::watchers;
use crate::app::wiring::working;

/// Why the program does not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The manifests cannot be read.
    #[error(transparent)]
    Manifests(#[from] ManifestsError),
    /// There is no connection to a cluster.
    #[error(transparent)]
    Cluster(#[from] ConnectError),
    /// Deliveries cannot be kept.
    #[error("deliveries cannot be kept: {0}")]
    Journal(#[from] OpenError),
    /// The queue cannot be shared.
    #[error(transparent)]
    Sharing(#[from] SharingError),
    /// What is kept cannot be shown.
    #[error(transparent)]
    Socket(#[from] SocketError),
    /// The certificate cannot be served.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The description of registries cannot be used.
    #[error("the description of registries cannot be used: {0}")]
    Registries(String),
    /// The port cannot be had.
    #[error(
        "failed to listen on port {port}: {source}; free it, or give another one with --webhook-port"
    )]
    Listen {
        /// The port.
        port: u16,
        /// Why.
        source: io::Error,
    },
    /// The address for probes cannot be had.
    #[error(
        "failed to listen on {address} for probes: {source}; free it, or give another one with --health-probe-bind-address"
    )]
    Probes {
        /// The address.
        address: ListenAddress,
        /// Why.
        source: io::Error,
    },
    /// The address for metrics cannot be had.
    #[error(
        "failed to listen on {address} for metrics: {source}; free it, or give another one with --metrics-bind-address"
    )]
    Metrics {
        /// The address.
        address: ListenAddress,
        /// Why.
        source: io::Error,
    },
}

/// Work that goes on beside all else, until the end.
pub(super) type Background = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A process that is ready to run.
pub struct Server {
    updater: Arc<Updater>,
    /// What has work wait for its turn. It is lifted at the end; none where what waits outlives the process.
    paces: Vec<Arc<Governed>>,
    /// Writes down what is kept.
    keeping: Background,
    door: Option<Door>,
    readiness: Readiness,
    leadership: Option<Leadership>,
    polling: Polling,
    fail_on_error: bool,
    background: Vec<Background>,
    /// Ends where the settings want a new start.
    outdated: Background,
    /// Ends when everything was read for the first time.
    synced: Background,
    shutdown: ShutdownSettings,
    /// Sends the last traces.
    last_traces: Background,
}

impl Server {
    /// Reads manifests, or finds the cluster; reads secrets and certificate, and takes the port. Nothing is served yet.
    ///
    /// # Errors
    /// [`StartError`].
    pub(super) async fn build(
        settings: Settings,
        following: Following,
    ) -> Result<Self, StartError> {
        let objects = following.objects;
        let cluster = objects.as_ref().map(|objects| &objects.cluster);
        let meters = Meters::new(profiles().into_iter().map(|profile| profile.name));
        let mut place = resources::open(&settings, cluster, &meters).await?;
        let announcer = place.announcer.take();
        let registries = registries::open(&settings, objects.as_ref(), announcer.clone())?;
        let keeping = Box::pin(keeping::open(&settings)).await?;
        let watching = watchers::open(meters);
        let current = registries.current();
        let work = working::open(&settings, &mut place, &keeping, current, &watching);
        let mut background: Vec<Background> = vec![place.watch, Box::pin(registries.run())];
        background.extend(work.describing.into_iter().chain(place.clearing));
        background.extend(keeping.showing.into_iter().chain(keeping.failing));
        let readiness = Readiness::default();
        let parts = Parts {
            secrets: settings.secrets,
            queue: Arc::clone(&work.queue) as _,
            readiness: readiness.clone(),
            meter: Arc::new(watching.meters.clone()),
            objects: objects.as_ref(),
            watcher: watching.deliveries,
        };
        let door = match settings.server {
            Some(server) => Some(Door::open(server, parts, &mut background).await?),
            None => None,
        };
        let shown = Shown {
            meters: watching.meters,
            reader: place.reader,
            cluster: place.cluster,
            backlog: work.queue,
            certificate: door.as_ref().and_then(Door::certificate),
        };
        let aside = (settings.probes, settings.metrics);
        open_aside(aside, readiness.clone(), shown, &mut background).await?;
        let paced = Arc::clone(&work.pace) as _;
        let follow = Follow::of(following.settings, paced, objects.as_ref(), announcer);
        let settled = settled(objects.as_ref());
        background.extend(objects.map(Objects::follow));
        Ok(Self {
            polling: work.polling,
            fail_on_error: settings.polling.fail_on_error,
            updater: work.updater,
            paces: lifted(work.spread, work.pace, keeping.is_durable),
            keeping: keeping.closing,
            door,
            readiness,
            leadership: place.leadership,
            background,
            outdated: follow.outdated,
            synced: after_each_other([place.synced, settled, follow.checked]),
            shutdown: settings.shutdown,
            last_traces: watching.last,
        })
    }

    /// Where deliveries come in; `None` where none do.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.door.as_ref().map(|door| door.address)
    }

    /// Serves until the first signal, and then ends in order; at the second signal at once. Where the settings want a new start, it ends in
    /// order as well. A part of it that fails ends it too: half a server would take deliveries that nobody works on.
    pub async fn run(self, mut signal: impl AsyncFnMut()) -> End {
        let mut background: JoinSet<()> = self.background.into_iter().collect();
        let (close, closing) = watch::channel(false);
        let updater = Arc::clone(&self.updater);
        let mut updating = tokio::spawn(async move { updater.run(closing).await });
        let readiness = self.readiness;
        let (stop, stopping) = watch::channel(false);
        let mut leading = tokio::spawn(lead(self.leadership, stopping.clone()));
        let mut serving = tokio::spawn(door::serve_at(self.door, stopping));
        let mut outdated = tokio::spawn(self.outdated);
        let (ready, is_ready) = watch::channel(false);
        let mut polling = tokio::spawn(self.polling.run(is_ready));
        let cause = tokio::select! {
            () = signal() => Cause::Signal,
            never = become_ready(self.synced, &readiness, &ready) => match never {},
            looked = &mut polling => Cause::looked(looked.ok().flatten(), self.fail_on_error),
            _ = &mut updating => Cause::Failure("updater"),
            _ = &mut serving => Cause::Failure("webhook server"),
            Some(_) = background.join_next() => Cause::Failure("watch of files or of the cluster, or the queue"),
            ended = &mut outdated => ended.map_or(Cause::Failure("watch of the settings"), |()| Cause::Outdated),
        };
        outdated.abort();
        polling.abort();
        // They are made again after the next start, at their rate.
        self.updater.give_up_looks();
        // Not only once the door is shut: a client that dawdles could keep it open for all the time there is.
        self.paces.iter().for_each(|pace| pace.lift());
        let end = if let Cause::Failure(part) = cause {
            error!(part, "a part of the program has failed: ending");
            readiness.set(false);
            stop.send_replace(true);
            End::Failed
        } else {
            let steps = Steps {
                unready: || readiness.set(false),
                stop: async {
                    stop.send_replace(true);
                    (&mut serving).await
                },
                finish: async {
                    close.send_replace(true);
                    let (updated, _) = tokio::join!(&mut updating, &mut leading);
                    updated
                },
            };
            shutdown::end(self.shutdown, steps, second(&mut signal)).await
        };
        // Both are still at work where time ran out, and what is left can be told only of what stands still.
        serving.abort();
        updating.abort();
        let _ = tokio::join!(halted(serving), halted(updating), stood_down(leading, end));
        let left = self.updater.leave();
        self.keeping.await;
        self.last_traces.await;
        tell(end, left);
        cause.exit(end)
    }
}

/// Tells of the end, at which so many images are left.
fn tell(end: End, left: usize) {
    match end {
        End::Finished if left > 0 => {
            info!(
                images = left,
                "finished; what waits is worked on after the next start"
            );
        }
        End::Finished => info!("finished"),
        End::OutOfTime | End::Aborted | End::Failed => {
            warn!(images = left, "ended before everything was done");
        }
    }
}

/// The paces that are lifted in the end: what is kept for the next start needs no haste.
fn lifted(
    spread: Option<Arc<Governed>>,
    pace: Arc<Governed>,
    is_durable: bool,
) -> Vec<Arc<Governed>> {
    if is_durable {
        Vec::new()
    } else {
        spread.into_iter().chain([pace]).collect()
    }
}

/// Opens the servers beside the webhook's.
async fn open_aside(
    (probes, metrics): (Option<ListenAddress>, Option<MetricsSettings>),
    readiness: Readiness,
    shown: Shown,
    background: &mut Vec<Background>,
) -> Result<(), StartError> {
    if let Some(address) = &probes {
        background.push(probes::open(address, readiness).await?);
    }
    if let Some(settings) = &metrics {
        background.push(metrics::open(settings, shown).await?);
    }
    Ok(())
}

async fn become_ready(
    synced: Background,
    readiness: &Readiness,
    ready: &watch::Sender<bool>,
) -> Infallible {
    synced.await;
    readiness.set(true);
    ready.send_replace(true);
    info!("ready");
    std::future::pending().await
}

/// Ends when the objects of the cluster are known, if there are any.
fn settled(objects: Option<&Objects>) -> Background {
    match objects {
        Some(objects) => objects.settled(),
        None => Box::pin(std::future::ready(())),
    }
}

fn after_each_other<const N: usize>(all: [Background; N]) -> Background {
    Box::pin(async move {
        for one in all {
            one.await;
        }
    })
}

/// Waits for the end of a task that was told to end, unless it has been waited for already.
pub(super) async fn halted(task: JoinHandle<()>) {
    if !task.is_finished() {
        let _ = task.await;
    }
}

/// The second signal. Some supervisors send the first one twice, to the process and to its group: what comes with it belongs to it.
async fn second(signal: &mut impl AsyncFnMut()) {
    const TOGETHER: Duration = Duration::from_millis(200);
    let _ = timeout(TOGETHER, async {
        loop {
            signal().await;
        }
    })
    .await;
    signal().await;
}
