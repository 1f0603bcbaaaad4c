//! The accept loop.

use std::future::ready;
use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::Version;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};

use super::connection::{Connection, Routes};
use super::limits::Limits;
use super::metrics;
use super::metrics::Metrics;
use super::readiness::Readiness;
use super::room::Room;
use super::routes::{probes, routes};
use super::sources::Sources;

pub use super::connection::Accepted;
pub use super::routes::Edge;

/// Serves until `stop` completes; then accepts no more, lets the requests that are being answered finish, and returns when every
/// connection is closed. Dropping the future closes them at once: whoever has a deadline sets a time-out.
///
/// `accept` makes of a TCP connection one that HTTP can be spoken on; its time-out is the handshake's.
pub async fn serve<A, F, S>(
    listener: TcpListener,
    accept: A,
    edge: Edge,
    stop: impl Future<Output = ()>,
) where
    A: Fn(TcpStream) -> F,
    F: Future<Output = io::Result<Accepted<S>>> + Send + 'static,
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let limits = edge.limits;
    let sources = sources(&edge);
    let routes = TowerToHyperService::new(warp::service(routes(&Arc::new(edge))));
    serve_routes(listener, accept, (limits, sources), routes, stop).await;
}

/// Serves one connection that somebody else has accepted, until it ends.
pub async fn serve_one<S>(accepted: Accepted<S>, peer: SocketAddr, edge: Edge)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (_drain, draining) = watch::channel(false);
    let connection = Connection {
        peer,
        limits: edge.limits,
        room: Arc::new(Room::new(NonZeroUsize::MIN)),
        sources: sources(&edge),
        draining,
    };
    let routes = TowerToHyperService::new(warp::service(routes(&Arc::new(edge))));
    connection.serve(ready(Ok(accepted)), routes).await;
}

fn sources(edge: &Edge) -> Arc<Sources> {
    let proxies = edge.admission.proxies.clone();
    let meter = Arc::clone(&edge.meter);
    Arc::new(Sources::new(proxies, edge.limits.failures, meter))
}

/// Serves the kubelet's probes alone, over plain HTTP, until `stop` completes.
pub async fn serve_probes(
    listener: TcpListener,
    readiness: Readiness,
    stop: impl Future<Output = ()>,
) {
    let limits = Limits::default();
    let routes = probes(&readiness, limits.max_head);
    let routes = TowerToHyperService::new(warp::service(routes));
    let accept = |tcp| ready(Ok((tcp, Version::HTTP_11, None)));
    let sources = Arc::new(Sources::unmetered(limits.failures));
    serve_routes(listener, accept, (limits, sources), routes, stop).await;
}

/// Serves the metrics until `stop` completes, as [`serve`] does deliveries.
pub async fn serve_metrics<A, F, S>(
    listener: TcpListener,
    accept: A,
    metrics: Metrics,
    stop: impl Future<Output = ()>,
) where
    A: Fn(TcpStream) -> F,
    F: Future<Output = io::Result<Accepted<S>>> + Send + 'static,
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    /// Whoever scrapes needs one.
    const CONNECTIONS: NonZeroUsize = NonZeroUsize::new(16).unwrap();
    let limits = Limits {
        max_connections: CONNECTIONS,
        ..Limits::default()
    };
    let routes = metrics::routes(metrics, limits.max_head);
    let routes = TowerToHyperService::new(warp::service(routes));
    let sources = Arc::new(Sources::unmetered(limits.failures));
    serve_routes(listener, accept, (limits, sources), routes, stop).await;
}

async fn serve_routes<A, F, S>(
    listener: TcpListener,
    accept: A,
    (limits, sources): (Limits, Arc<Sources>),
    routes: impl Routes,
    stop: impl Future<Output = ()>,
) where
    A: Fn(TcpStream) -> F,
    F: Future<Output = io::Result<Accepted<S>>> + Send + 'static,
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let room = Arc::new(Room::new(limits.max_connections));
    let (drain, draining) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        tokio::select! {
            biased;
            () = &mut stop => break,
            Some(ended) = connections.join_next() => report(ended),
            // One may wait for a place in the room; the next ones wait in the operating system's queue.
            (tcp, peer) = next(&listener), if connections.len() <= limits.max_connections.get() => {
                let (room, sources) = (Arc::clone(&room), Arc::clone(&sources));
                let draining = draining.clone();
                let connection = Connection { peer, limits, room, sources, draining };
                connections.spawn(connection.serve(accept(tcp), routes.clone()));
            }
        }
    }
    drop(listener);
    drain.send_replace(true);
    while let Some(ended) = connections.join_next().await {
        report(ended);
    }
}

/// The next connection.
async fn next(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok((tcp, peer)) => {
                // Answers are small and written at once: waiting to fill a segment would only delay them.
                let _ = tcp.set_nodelay(true);
                // A socket for both versions of IP shows IPv4 peers in IPv6 clothes.
                let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
                return (tcp, peer);
            }
            Err(error) => back_off(&error).await,
        }
    }
}

/// A client that went away costs nothing; when the process has no more file descriptors, trying again at once would spin.
async fn back_off(error: &io::Error) {
    const PAUSE: Duration = Duration::from_millis(100);
    match error.kind() {
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset => {}
        _ => {
            tracing::warn!(%error, "failed to accept a connection");
            tokio::time::sleep(PAUSE).await;
        }
    }
}

fn report(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "the task of a connection failed");
    }
}
