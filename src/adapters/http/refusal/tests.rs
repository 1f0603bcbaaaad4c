use std::collections::VecDeque;

use tokio::io::AsyncWriteExt;

use super::*;

const REFUSAL: &str = "HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\ndate: Fri, 27 Nov 2026 18:00:00 GMT\r\n\r\n";
const ANSWER: &str = "HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\n{}";

/// Takes as many bytes as it is told each time, and then has to be asked again.
struct Narrow {
    takes: VecDeque<usize>,
    waits: bool,
    written: Vec<u8>,
}

impl Narrow {
    fn taking(takes: impl IntoIterator<Item = usize>) -> Self {
        Self {
            takes: takes.into_iter().collect(),
            waits: false,
            written: Vec::new(),
        }
    }
}

impl AsyncWrite for Narrow {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.waits = !self.waits;
        if self.waits {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let takes = self.takes.pop_front().unwrap_or(usize::MAX).min(buf.len());
        self.written.extend_from_slice(&buf[..takes]);
        Poll::Ready(Ok(takes))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn refusals(stream: Narrow) -> Refusals<Narrow> {
    let client = Client::unknown();
    Refusals::new(stream, client, 16 * 1024)
}

/// The head and the JSON of the answer that is all there is.
fn parts(written: &str) -> (&str, serde_json::Value) {
    let (head, body) = written.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(&format!("\r\ncontent-length: {}", body.len())));
    (head, serde_json::from_str(body).unwrap())
}

async fn written(stream: Narrow, bytes: &str) -> String {
    let mut stream = refusals(stream);
    stream.write_all(bytes.as_bytes()).await.unwrap();
    String::from_utf8(stream.stream.written).unwrap()
}

#[tokio::test]
async fn a_refusal_becomes_json() {
    let written = written(Narrow::taking([]), REFUSAL).await;
    let (head, body) = parts(&written);
    assert!(head.starts_with("HTTP/1.1 431 Request Header Fields Too Large\r\n"));
    assert_eq!(head.matches("connection: close").count(), 1, "{head}");
    assert!(head.contains("\r\ndate: Fri, 27 Nov 2026 18:00:00 GMT"));
    let id = body["delivery"].as_str().unwrap();
    assert!(head.contains(&format!("x-delivery-id: {id}\r\n")), "{head}");
    assert_eq!(body["outcome"], "rejected");
    assert_eq!(body["images"], serde_json::json!([]));
}

#[tokio::test]
async fn it_does_so_byte_by_byte_behind_another_answer() {
    let both = format!("{ANSWER}{REFUSAL}");
    let written = written(Narrow::taking([1; 2000]), &both).await;
    let (_, body) = parts(written.strip_prefix(ANSWER).unwrap());
    assert_eq!(body["outcome"], "rejected");
}

#[tokio::test]
async fn it_does_so_among_several_buffers() {
    let mut stream = refusals(Narrow::taking([3, 5, 7]));
    let both = format!("{ANSWER}{REFUSAL}");
    let (mut sent, mut rest) = (0, both.as_bytes());
    while !rest.is_empty() {
        let split = ANSWER.len().saturating_sub(sent);
        let (answer, refusal) = rest.split_at(split);
        let slices = [answer, &[], refusal].map(IoSlice::new);
        sent += stream.write_vectored(&slices).await.unwrap();
        rest = &both.as_bytes()[sent..];
    }
    let written = String::from_utf8(stream.stream.written).unwrap();
    let (_, body) = parts(written.strip_prefix(ANSWER).unwrap());
    assert_eq!(body["outcome"], "rejected");
}

#[tokio::test]
async fn everything_else_stays_as_it_is() {
    for answer in [
        ANSWER,
        "HTTP/1.1 100 Continue\r\n\r\n",
        // The head that a HEAD request gets, or that is written before its body.
        "HTTP/1.1 404 Not Found\r\ncontent-length: 20\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
        "\r\n\r\n",
    ] {
        assert_eq!(written(Narrow::taking([2, 1]), answer).await, answer);
    }
}
