//! HTTP/2 from the client's side.

use std::io;
use std::net::Ipv4Addr;

use bytes::Bytes;
use http::Request;
use http_body_util::BodyExt;
use http_body_util::Full;
use hyper::client::conn::http2;
use hyper_util::rt::TokioExecutor;
use hyper_util::rt::TokioIo;

use crate::load::Load;
use crate::wire;
use crate::wire::Answer;

/// A connection, on which several requests may be on their way at once.
pub(crate) type Sender = http2::SendRequest<Full<Bytes>>;

/// Connects.
pub(crate) async fn connect(load: &Load, source: Ipv4Addr) -> io::Result<Sender> {
    let stream = wire::tls(load.address, source, &load.tls.http2).await?;
    let builder = http2::Builder::new(TokioExecutor::new());
    let shaken = builder.handshake(TokioIo::new(stream)).await;
    let (sender, connection) = shaken.map_err(io::Error::other)?;
    // It ends with the last sender, or with the server's side.
    tokio::spawn(connection);
    Ok(sender)
}

/// Sends a request, which is given as HTTP/1.1 writes it, and reads its answer.
pub(crate) async fn exchange(mut sender: Sender, request: &[u8]) -> io::Result<Answer> {
    let request = translated(request)?;
    wire::within(async {
        sender.ready().await.map_err(io::Error::other)?;
        let answer = sender.send_request(request).await;
        let answer = answer.map_err(io::Error::other)?;
        let status = answer.status().as_u16();
        let retry_after = answer.headers().get("retry-after");
        let retry_after = retry_after.and_then(|value| value.to_str().ok()?.parse().ok());
        let body = answer.into_body().collect().await;
        Ok(Answer {
            status,
            retry_after,
            closes: false,
            body: body.map_err(io::Error::other)?.to_bytes().to_vec(),
        })
    })
    .await
}

fn translated(request: &[u8]) -> io::Result<Request<Full<Bytes>>> {
    let mut ends = request.windows(4);
    let end = ends.position(|part| part == b"\r\n\r\n");
    let (head, body) = request.split_at(end.map_or(request.len(), |end| end + 4));
    let head = String::from_utf8_lossy(head);
    let mut lines = head.split("\r\n");
    let target = lines.next().and_then(|line| line.split(' ').nth(1));
    let target = target.unwrap_or_default();
    let mut builder = Request::post(format!("https://updater.example.com{target}"));
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        if name != "Host" {
            builder = builder.header(name, value);
        }
    }
    let body = Full::from(Bytes::copy_from_slice(body));
    builder.body(body).map_err(io::Error::other)
}
