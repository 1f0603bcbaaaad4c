//! The life of one connection, from the handshake to the last byte.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Version};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use warp::reply::Response;

use super::activity::Activity;
use super::arrival::Arrival;
use super::client::Client;
use super::end_error::EndError;
use super::limits::Limits;
use super::refusal::Refusals;
use super::room::Room;
use super::sources::Sources;
use super::watched_stream::WatchedStream;
use crate::ports::shown_certificate::ShownCertificate;

/// A stream that HTTP can be spoken on, which version of it, and the certificate that the client showed, if it did.
pub type Accepted<S> = (S, Version, Option<Arc<dyn ShownCertificate>>);

/// What answers requests: warp's routes as a service of hyper.
pub(super) trait Routes:
    Service<Request<Incoming>, Response = Response, Error = Infallible, Future: Send>
    + Clone
    + Send
    + 'static
{
}

impl<T> Routes for T where
    T: Service<Request<Incoming>, Response = Response, Error = Infallible, Future: Send>
        + Clone
        + Send
        + 'static
{
}

/// Where a connection comes from, and what it may do.
pub(super) struct Connection {
    /// The other end.
    pub(super) peer: SocketAddr,
    /// What it may take.
    pub(super) limits: Limits,
    /// Where it needs a place.
    pub(super) room: Arc<Room>,
    /// Where it is one of many.
    pub(super) sources: Arc<Sources>,
    /// Becomes true when it should end.
    pub(super) draining: watch::Receiver<bool>,
}

impl Connection {
    /// Waits for a place, completes the handshake and answers requests until either side has enough.
    pub(super) async fn serve<S>(
        mut self,
        handshake: impl Future<Output = io::Result<Accepted<S>>>,
        routes: impl Routes,
    ) where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let room = Arc::clone(&self.room);
        let _place = tokio::select! {
            place = room.enter() => place,
            _ = self.draining.wait_for(|draining| *draining) => return,
        };
        let activity = room.admit(&self.limits, self.peer.ip(), &self.sources);
        let accepted = tokio::select! {
            accepted = shake_hands(handshake, self.limits.handshake, &activity) => accepted,
            _ = self.draining.wait_for(|draining| *draining) => return,
        };
        let ended = match accepted {
            Ok(accepted) => self.answer(accepted, &activity, routes).await,
            Err(error) => Err(error),
        };
        if let Err(error) = ended {
            let remote = self.peer;
            tracing::debug!(%remote, %error, "connection ended");
            if error.is_fault(&activity) {
                self.sources.silent(remote.ip());
            }
        }
    }

    async fn answer<S>(
        &mut self,
        (stream, version, certificate): Accepted<S>,
        activity: &Arc<Activity>,
        routes: impl Routes,
    ) -> Result<(), EndError>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let client = Client {
            peer: self.peer,
            certificate,
            sources: Arc::clone(&self.sources),
            activity: Arc::clone(activity),
        };
        match version {
            Version::HTTP_2 => self.http2(stream, client, activity, routes).await,
            _ => self.http1(stream, client, activity, routes).await,
        }
    }

    async fn http1<S>(
        &mut self,
        mut stream: S,
        client: Client,
        activity: &Arc<Activity>,
        routes: impl Routes,
    ) -> Result<(), EndError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let max_head = self.limits.max_head;
        let service = service(routes, client.clone(), Arc::clone(activity), max_head);
        let ended = {
            let watched = WatchedStream {
                stream: &mut stream,
                activity,
            };
            let mut builder = http1::Builder::new();
            // A client that shuts its side down after its request still gets its answer.
            builder.half_close(true);
            builder.max_buf_size(lenient(max_head));
            let refusals = Refusals::new(watched, client.clone(), max_head);
            let connection = pin!(builder.serve_connection(TokioIo::new(refusals), service));
            let stop = http1::Connection::graceful_shutdown;
            self.drive(connection, stop, &client).await
        };
        if ended.is_err() {
            let _ = timeout(LINGER, stream.shutdown()).await;
        }
        if ended.as_ref().err().is_none_or(EndError::has_answer) {
            linger(&mut stream).await;
        }
        ended
    }

    async fn http2<S>(
        &mut self,
        stream: S,
        client: Client,
        activity: &Arc<Activity>,
        routes: impl Routes,
    ) -> Result<(), EndError>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        /// Each may hold a whole body in memory.
        const STREAMS: u32 = 8;
        let max_head = self.limits.max_head;
        let service = service(routes, client.clone(), Arc::clone(activity), max_head);
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder.max_header_list_size(HTTP2_HEAD);
        builder.max_concurrent_streams(STREAMS);
        let connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
        let stop = http2::Connection::graceful_shutdown;
        self.drive(connection, stop, &client).await
    }

    /// Polls hyper's connection to its end, and stops it in time, or earlier where its place is needed.
    async fn drive<C>(
        &mut self,
        mut connection: Pin<&mut C>,
        stop: impl Fn(Pin<&mut C>),
        client: &Client,
    ) -> Result<(), EndError>
    where
        C: Future<Output = hyper::Result<()>>,
    {
        let activity = &client.activity;
        let mut overdue = pin!(activity.overdue());
        let mut lapsed = pin!(client.lapsed());
        let mut stopped = false;
        let mut makes_room = false;
        // HTTP/2 says goodbye and waits for an answer.
        let mut leaves_by = None;
        loop {
            // The order matters: what has come is read before the connection is taken to be idle.
            tokio::select! {
                biased;
                ended = &mut connection => {
                    ended?;
                    return if makes_room { Err(EndError::MadeRoom) } else { Ok(()) };
                }
                () = &mut overdue => return Err(EndError::Overdue),
                _ = self.draining.wait_for(|draining| *draining), if !stopped => {
                    stopped = true;
                    stop(connection.as_mut());
                }
                () = &mut lapsed, if !stopped => {
                    stopped = true;
                    stop(connection.as_mut());
                }
                () = activity.said_goodbye(), if leaves_by.is_none() => {
                    stopped = true;
                    stop(connection.as_mut());
                    leaves_by = Some(Instant::now() + self.limits.body + LINGER);
                }
                () = activity.asked_to_end(), if !makes_room => {
                    if !activity.is_free() {
                        activity.stay();
                    } else if activity.is_in_part() {
                        activity.cut();
                        return Err(EndError::CutOff);
                    } else {
                        makes_room = true;
                        stop(connection.as_mut());
                        leaves_by = Some(Instant::now() + LINGER);
                    }
                }
                () = sleep_until(leaves_by.unwrap_or_else(Instant::now)), if leaves_by.is_some() => {
                    if makes_room && activity.is_free() {
                        return Err(EndError::MadeRoom);
                    }
                    if !makes_room && !activity.is_in_work() {
                        activity.cut();
                        return Err(EndError::Stayed);
                    }
                    leaves_by = Some(Instant::now() + LINGER);
                }
            }
        }
    }
}

/// Completes the handshake in time, unless the place is needed meanwhile.
async fn shake_hands<S>(
    handshake: impl Future<Output = io::Result<Accepted<S>>>,
    time: Duration,
    activity: &Activity,
) -> Result<Accepted<S>, EndError> {
    let accepted = tokio::select! {
        biased;
        accepted = timeout(time, handshake) => accepted,
        () = activity.asked_to_end() => return Err(EndError::MadeRoom),
    };
    activity.shaken();
    accepted
        .map_err(|_| EndError::HandshakeTimedOut)?
        .map_err(EndError::Handshake)
}

/// Names each request and counts it as activity.
fn service(
    routes: impl Routes,
    client: Client,
    activity: Arc<Activity>,
    max_head: usize,
) -> impl Service<
    Request<Incoming>,
    Response = Response,
    Error = Infallible,
    Future = impl Future<Output = Result<Response, Infallible>> + Send,
> {
    service_fn(move |mut request| {
        let arrival = Arrival::of(&request, &client, max_head);
        request.extensions_mut().insert(Arc::new(arrival));
        let answer = routes.call(request);
        let activity = Arc::clone(&activity);
        async move {
            // Not before: as long as a client does not take the answers before this one, hyper holds this future and does not poll it.
            let in_flight = activity.begin();
            let answer = answer.await;
            drop(in_flight);
            answer
        }
    })
}

/// What breaks hyper's own limits reaches no route, so it gets looser ones than ours.
/// Except the number of fields, 100 in HTTP/1.1: with any other, hyper parses each head on the heap, which it documents to cost about 5 %.
fn lenient(max_head: usize) -> usize {
    const LEAST: usize = 64 * 1024;
    max_head.saturating_mul(4).max(LEAST)
}

/// The length of a head in HTTP/2, in bytes, as it is told to the client (`SETTINGS_MAX_HEADER_LIST_SIZE`). h2 answers a longer one by itself, without a
/// body; and not counted. What is shorter and still too long we answer, and keep nothing of it, so that this may be as much as a body: a few bytes can
/// stand for that, as h2 has every repetition of a field in one place.
const HTTP2_HEAD: u32 = 1024 * 1024;

/// How long a client may go on after its last answer.
const LINGER: Duration = Duration::from_secs(1);

/// Reads on for a moment after our side was shut down: closed with bytes unread, TCP would reset the connection, and a client that is still
/// sending a body which is too large would lose the answer that says so.
async fn linger(stream: &mut (impl AsyncRead + Unpin)) {
    let mut unread = [0; 4096];
    let read_on = async { while matches!(stream.read(&mut unread).await, Ok(1..)) {} };
    let _ = timeout(LINGER, read_on).await;
}
