//! Our answer in the place of hyper's own. What hyper cannot read as a request it refuses by itself, with a head alone, before any route
//! sees it. Only what is written shows that, so a stream looks at each write.

use std::fmt::Write as _;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::StatusCode;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::access_log;
use super::answer::Answer;
use super::arrival::Arrival;
use super::client::Client;

/// A stream on which a refusal of hyper's becomes one of ours. A normal answer costs a look at its last byte.
pub(super) struct Refusals<S> {
    stream: S,
    client: Client,
    max_head: usize,
    answering: Option<Answering>,
}

/// An answer on its way.
struct Answering {
    bytes: Vec<u8>,
    sent: usize,
    /// The length of what hyper wrote instead.
    stands_for: usize,
}

impl<S> Refusals<S> {
    /// Wraps the stream of a connection with this other end, where heads may have so many bytes.
    pub(super) fn new(stream: S, client: Client, max_head: usize) -> Self {
        Self {
            stream,
            client,
            max_head,
            answering: None,
        }
    }

    /// Our answer, logged as any other.
    fn answer(&self, refusal: &str) -> Vec<u8> {
        let is_bad = status(refusal) == Some(StatusCode::BAD_REQUEST.as_str());
        let answer = if is_bad {
            Answer::no_request()
        } else {
            Answer::head_unread(self.max_head)
        };
        let arrival = Arrival::unread(&self.client);
        let answer = self.client.sources.answer(arrival.source, answer);
        access_log::write(&arrival, &answer, "");
        let response = answer.render(&arrival, false);
        let mut head = format!("HTTP/1.1 {}\r\n", response.status());
        for (name, value) in response.headers() {
            let value = value.to_str().unwrap_or_default();
            // Memory takes whatever is written.
            let _ = write!(head, "{name}: {value}\r\n");
        }
        let length = response.body().len();
        let _ = write!(head, "content-length: {length}\r\n");
        if let Some(date) = refusal.lines().find(|line| line.starts_with("date: ")) {
            let _ = write!(head, "{date}\r\n");
        }
        head.push_str("\r\n");
        [head.into_bytes(), response.into_body()].concat()
    }
}

impl<S: AsyncWrite + Unpin> Refusals<S> {
    /// Writes our answer to its end, and says that hyper's has been written.
    fn poll_answer(
        &mut self,
        mut answering: Answering,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        while let Some(rest @ [_, ..]) = answering.bytes.get(answering.sent..) {
            match Pin::new(&mut self.stream).poll_write(cx, rest) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(sent)) => answering.sent += sent,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    self.answering = Some(answering);
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(Ok(answering.stands_for))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Refusals<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Refusals<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if let Some(answering) = self.answering.take() {
            return self.poll_answer(answering, cx);
        }
        match refusal(buf) {
            None => Pin::new(&mut self.stream).poll_write(cx, buf),
            Some((before @ [_, ..], _)) => Pin::new(&mut self.stream).poll_write(cx, before),
            Some(([], refusal)) => {
                let answering = Answering {
                    bytes: self.answer(refusal),
                    sent: 0,
                    stands_for: buf.len(),
                };
                self.poll_answer(answering, cx)
            }
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let is_full = |buf: &IoSlice<'_>| !buf.is_empty();
        let first = bufs.iter().position(is_full);
        let last = bufs.iter().rposition(is_full);
        match (first, last.map(|last| bufs.split_at(last))) {
            // hyper writes a refusal in one piece.
            (Some(first), Some((before, [only, ..]))) if first == before.len() => {
                self.poll_write(cx, only)
            }
            (_, Some((before, [last, ..]))) if refusal(last).is_some() => {
                Pin::new(&mut self.stream).poll_write_vectored(cx, before)
            }
            _ => Pin::new(&mut self.stream).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(answering) = self.answering.take() {
            ready!(self.poll_answer(answering, cx))?;
        }
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// What hyper's refusal, always the last that it writes, begins after, and the refusal. No answer of ours is without a body.
fn refusal(written: &[u8]) -> Option<(&[u8], &str)> {
    const STARTS: [&[u8]; 2] = [b"HTTP/1.1 4", b"HTTP/1.0 4"];
    /// Status, reason, three fields.
    const LONGEST: usize = 256;
    // JSON ends in a brace and has no line ends, so this is where nearly all writes leave.
    if !written.ends_with(b"\r\n\r\n") {
        return None;
    }
    let tail = written.len().saturating_sub(LONGEST);
    let start = STARTS[0].len();
    let at = (tail..written.len()).rev().find(|&at| {
        let start = written.get(at..at + start);
        start.is_some_and(|start| STARTS.contains(&start))
    })?;
    let (before, head) = written.split_at_checked(at)?;
    let head = str::from_utf8(head).ok()?;
    let is_bodiless = head.contains("\r\ncontent-length: 0\r\n");
    is_bodiless.then_some((before, head))
}

/// The three digits.
fn status(head: &str) -> Option<&str> {
    head.split(' ').nth(1)
}

#[cfg(test)]
mod tests;
