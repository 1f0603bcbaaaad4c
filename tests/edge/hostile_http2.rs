//! Floods that HTTP/2 makes possible, and clients that take no answers over it, in frames made by hand.

use std::num::NonZeroU32;
use std::num::NonZeroUsize;
use std::time::Duration;
use std::time::Instant;

use image_updater::adapters::http::limits::Limits;
use image_updater::adapters::tls::setup::TlsSettings;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

use crate::support::client;
use crate::support::http2_frame::CONTINUATION;
use crate::support::http2_frame::DATA;
use crate::support::http2_frame::END_HEADERS;
use crate::support::http2_frame::END_STREAM;
use crate::support::http2_frame::GET;
use crate::support::http2_frame::HEADERS;
use crate::support::http2_frame::NO_WINDOW;
use crate::support::http2_frame::POST;
use crate::support::http2_frame::PREFACE;
use crate::support::http2_frame::RESET;
use crate::support::http2_frame::SETTINGS;
use crate::support::http2_frame::fields;
use crate::support::http2_frame::frame;
use crate::support::http2_frame::reset_at_once;
use crate::support::server::{Server, settings};
use crate::support::wire::{PATIENCE, Wire, request};

const SHORT: Duration = Duration::from_millis(150);

async fn serving(limits: Limits) -> Server {
    let folder = tempfile::tempdir().unwrap();
    let tls = TlsSettings {
        http2: true,
        ..settings(folder.path())
    };
    Server::tls_with_limits(tls, limits).await
}

/// A connection on which HTTP/2 has begun with these settings of the client.
async fn begun(server: &Server, settings: &[u8]) -> Wire<TlsStream<TcpStream>> {
    let mut wire = Wire::new(client::connect(server.address, &["h2"]).await.unwrap());
    wire.send(PREFACE).await;
    wire.send(frame(SETTINGS, 0, 0, settings)).await;
    wire
}

/// Sends parts until the server has had enough, which it must before that many have gone.
async fn cut_off(
    wire: &mut Wire<TlsStream<TcpStream>>,
    parts: impl Iterator<Item = Vec<u8>>,
) -> bool {
    let flood = async {
        for part in parts {
            if wire.try_send(part).await.is_err() {
                return true;
            }
        }
        false
    };
    timeout(PATIENCE, flood)
        .await
        .expect("it takes no more, and does not say so")
}

async fn still_serves(server: &Server) {
    let mut wire = client::wire(server.address).await;
    wire.send(request("GET", "/healthz")).await;
    assert_eq!(wire.reply().await.status, 200);
}

#[tokio::test]
async fn streams_that_are_reset_at_once_end_the_connection() {
    let server = serving(Limits::default()).await;
    let mut wire = begun(&server, &[]).await;
    let pairs = (0..200_000_u32).map(|number| reset_at_once(2 * number + 1));
    // Many in a write, so that they come together.
    let mut pairs = pairs.peekable();
    let parts = std::iter::from_fn(|| {
        pairs.peek()?;
        Some(pairs.by_ref().take(500).flatten().collect())
    });
    assert!(cut_off(&mut wire, parts).await, "100000 resets were taken");
    still_serves(&server).await;
}

#[tokio::test]
async fn a_head_without_end_ends_the_connection() {
    let server = serving(Limits::default()).await;
    let mut wire = begun(&server, &[]).await;
    wire.send(frame(HEADERS, END_STREAM, 1, GET)).await;
    let part = frame(CONTINUATION, 0, 1, &fields());
    let parts = std::iter::repeat_n(part, 64 * 1024);
    assert!(cut_off(&mut wire, parts).await, "1 GiB of a head was taken");
    still_serves(&server).await;
}

#[tokio::test]
async fn empty_continuations_without_end_end_the_connection() {
    let server = serving(Limits::default()).await;
    let mut wire = begun(&server, &[]).await;
    wire.send(frame(HEADERS, END_STREAM, 1, GET)).await;
    let part = frame(CONTINUATION, 0, 1, &[]).repeat(1000);
    let parts = std::iter::repeat_n(part, 10_000);
    assert!(
        cut_off(&mut wire, parts).await,
        "10 million frames were taken"
    );
    still_serves(&server).await;
}

/// The client gives no room for an answer, so that none can be sent.
#[tokio::test]
async fn who_takes_no_answer_is_cut_off() {
    let server = serving(Limits {
        idle: SHORT,
        ..Limits::default()
    })
    .await;
    let mut wire = begun(&server, NO_WINDOW).await;
    for stream in [1, 3, 5] {
        wire.send(frame(HEADERS, END_HEADERS | END_STREAM, stream, GET))
            .await;
    }
    wire.ended().await;
    still_serves(&server).await;
}

/// A body of empty frames never ends.
#[tokio::test]
async fn a_body_of_nothing_has_its_time_too() {
    let server = serving(Limits {
        body: SHORT,
        idle: SHORT,
        ..Limits::default()
    })
    .await;
    let mut wire = begun(&server, &[]).await;
    wire.send(frame(HEADERS, END_HEADERS, 1, POST)).await;
    let drip = async {
        while wire.try_send(frame(DATA, 0, 1, &[])).await.is_ok() {
            tokio::time::sleep(SHORT / 10).await;
        }
    };
    timeout(PATIENCE, drip).await.expect("it may go on");
    still_serves(&server).await;
}

/// There is always one that is waited for, so that the connection is never idle.
#[tokio::test]
async fn bodies_that_never_come_hold_no_connection() {
    let limits = Limits {
        body: SHORT,
        failures: None,
        ..Limits::default()
    };
    let server = serving(limits).await;
    let mut wire = begun(&server, &[]).await;
    let wait = async {
        for stream in (1..).step_by(2) {
            let head = frame(HEADERS, END_HEADERS, stream, POST);
            if wire.try_send(head).await.is_err() {
                break;
            }
            tokio::time::sleep(SHORT / 2).await;
        }
    };
    timeout(PATIENCE, wait).await.expect("it may go on");
    still_serves(&server).await;
}

/// Nor does one that is taken back when the next one is there.
#[tokio::test]
async fn the_suspect_hold_no_place_by_streams_that_wait() {
    let limits = Limits {
        max_connections: NonZeroUsize::MIN,
        failures: NonZeroU32::new(1),
        ..Limits::default()
    };
    let server = serving(limits).await;
    let mut wire = begun(&server, &[]).await;
    let hold = async {
        for stream in (1..).step_by(2) {
            let head = frame(HEADERS, END_HEADERS, stream, POST);
            let parts = match stream {
                1 => head,
                _ => [head, frame(RESET, 0, stream - 2, &[0, 0, 0, 8])].concat(),
            };
            if wire.try_send(parts).await.is_err() {
                break;
            }
            tokio::time::sleep(SHORT).await;
        }
        std::future::pending::<()>().await;
    };
    let start = Instant::now();
    let served = async {
        tokio::select! {
            () = hold => {}
            () = still_serves(&server) => {}
        }
    };
    timeout(PATIENCE, served).await.expect("it keeps its place");
    assert!(start.elapsed() < Limits::default().body);
}
