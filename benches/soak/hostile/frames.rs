//! Floods of HTTP/2, in frames made by hand.

use std::io;
use std::time::Duration;

use tokio::time::sleep;
use tokio::time::timeout;

use super::Kind;
use super::Stranger;
use super::connections::wait_for_the_end;
use crate::http2_frame::CONTINUATION;
use crate::http2_frame::DATA;
use crate::http2_frame::END_HEADERS;
use crate::http2_frame::END_STREAM;
use crate::http2_frame::GET;
use crate::http2_frame::HEADERS;
use crate::http2_frame::NO_WINDOW;
use crate::http2_frame::POST;
use crate::http2_frame::PREFACE;
use crate::http2_frame::SETTINGS;
use crate::http2_frame::fields;
use crate::http2_frame::frame;
use crate::http2_frame::reset_at_once;
use crate::wire;
use crate::wire::Wire;

/// Longer than the server bears anybody: a minute without a request.
const PATIENCE: Duration = Duration::from_secs(90);

impl Stranger {
    /// Goes on until the server has had enough.
    pub(super) async fn flood_streams(&mut self) -> io::Result<()> {
        let load = &self.load;
        let stream = wire::tls(load.address, self.source(), &load.tls.http2).await?;
        let mut wire = Wire::new(stream);
        wire.send(PREFACE).await?;
        let settings: &[u8] = match self.kind {
            Kind::NoWindow => NO_WINDOW,
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
        let pairs = (first..first + 200).step_by(2).map(reset_at_once);
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
    let part = frame(CONTINUATION, 0, 1, &fields());
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
