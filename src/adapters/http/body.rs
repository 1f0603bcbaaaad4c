//! Reading a body within its limits.

use std::time::Duration;

use bytes::{Buf, BufMut};
use futures_util::{Stream, StreamExt};
use thiserror::Error;
use tokio::time::timeout;

use super::limits::Limits;

/// A body that was not read to its end.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum BodyError {
    /// It is too long.
    #[error("the body is larger than {max} bytes")]
    TooLarge {
        /// The limit.
        max: usize,
    },
    /// It takes too long.
    #[error("the body did not arrive within {} s", within.as_secs_f64())]
    TooSlow {
        /// The limit.
        within: Duration,
    },
    /// It is badly framed, or the client went away.
    #[error("the body is incomplete or badly framed")]
    Broken,
}

/// Whether a body that is not needed is to be read all the same: a short one that most likely has come with its head costs less than the
/// next connection, and an unread one ends this one.
pub(super) fn is_short(announced: Option<usize>) -> bool {
    const SHORT: usize = 16 * 1024;
    announced.is_some_and(|length| length <= SHORT)
}

/// Reads a body. One that announces too great a length is refused unread.
///
/// # Errors
/// [`BodyError`].
pub(super) async fn read<B: Buf, E>(
    chunks: impl Stream<Item = Result<B, E>> + Unpin,
    announced: Option<usize>,
    limits: &Limits,
) -> Result<Vec<u8>, BodyError> {
    let max = limits.max_body;
    let announced = announced.unwrap_or(0);
    if announced > max {
        return Err(BodyError::TooLarge { max });
    }
    timeout(limits.body, collect(chunks, announced, max))
        .await
        .unwrap_or(Err(BodyError::TooSlow {
            within: limits.body,
        }))
}

async fn collect<B: Buf, E>(
    mut chunks: impl Stream<Item = Result<B, E>> + Unpin,
    announced: usize,
    max: usize,
) -> Result<Vec<u8>, BodyError> {
    /// Room that a mere announcement may claim.
    const AT_FIRST: usize = 16 * 1024;
    let mut body = Vec::with_capacity(announced.min(AT_FIRST));
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| BodyError::Broken)?;
        if chunk.remaining() > max - body.len() {
            return Err(BodyError::TooLarge { max });
        }
        body.put(chunk);
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use futures_util::stream::{self, pending};

    use super::*;

    fn limits() -> Limits {
        Limits {
            max_body: 8,
            body: Duration::from_secs(3),
            ..Limits::default()
        }
    }

    async fn read_chunks(chunks: &[Result<&'static str, ()>]) -> Result<Vec<u8>, BodyError> {
        let chunks = chunks.iter().map(|chunk| chunk.map(str::as_bytes));
        read(stream::iter(chunks), None, &limits()).await
    }

    #[tokio::test]
    async fn a_body_may_be_as_long_as_the_limit() {
        let whole = read_chunks(&[Ok("12345"), Ok("678")]).await;
        assert_eq!(whole, Ok(b"12345678".to_vec()));
        let long = read_chunks(&[Ok("12345"), Ok("6789")]).await;
        assert_eq!(long, Err(BodyError::TooLarge { max: 8 }));
    }

    #[tokio::test]
    async fn an_announcement_is_judged_unread() {
        let never = pending::<Result<&[u8], ()>>();
        let refused = read(never, Some(9), &limits()).await;
        assert_eq!(refused, Err(BodyError::TooLarge { max: 8 }));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_must_come_in_time() {
        let stalled = stream::iter([Ok::<_, ()>(&b"1"[..])]).chain(pending());
        let refused = read(stalled, Some(8), &limits()).await.unwrap_err();
        assert_eq!(refused.to_string(), "the body did not arrive within 3 s");
    }

    #[tokio::test]
    async fn a_broken_body_is_told_apart() {
        let broken = read_chunks(&[Ok("1"), Err(())]).await;
        assert_eq!(broken, Err(BodyError::Broken));
    }
}
