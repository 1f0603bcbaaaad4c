//! Requests that are made to be read in two ways, or to break what reads them.

use crate::support::server::Server;
use crate::support::wire::{Wire, exchange, post, request};

const HEAD: &str = "POST /webhook?type=t HTTP/1.1\r\nHost: h\r\n";

/// Everything that is answered to these bytes, after which the connection has to end.
async fn all(server: &Server, bytes: impl AsRef<[u8]>) -> String {
    let mut wire = Wire::connect(server.address).await;
    let _ = wire.try_send(bytes).await;
    wire.rest().await
}

#[tokio::test]
async fn heads_that_two_readers_could_read_differently_are_refused() {
    let server = Server::plain().await;
    for head in [
        // A line that goes on in the next one.
        "X-One: a\r\n b\r\nContent-Length: 0",
        "Content-Length: 0\r\n Transfer-Encoding: chunked",
        " Content-Length: 0",
        "Transfer-Encoding:\r\n chunked",
        // Characters that some readers take for blanks or for ends.
        "Transfer-Encoding: \u{b}chunked",
        "Transfer-Encoding\t: chunked",
        "Content-Length\0: 0",
        "X-One: a\0b",
        "X-One: a\rContent-Length: 5",
        "X-One\r\n",
        ": a",
        "X One: a",
        // Framing that contradicts itself.
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Transfer-Encoding: chunked;q=1",
        "Transfer-Encoding: \"chunked\"",
        "Content-Length: 0\r\nContent-Length: 0, 1",
        "Content-Length: 0 0",
        "Content-Length: \u{661}",
        "Content-Length: 1e0",
    ] {
        let bytes = format!("{HEAD}{head}\r\n\r\n{}", post("smuggled"));
        let all = all(&server, bytes).await;
        assert!(all.starts_with("HTTP/1.1 400 "), "{head:?}: {all}");
        assert_eq!(all.matches("HTTP/1.1 ").count(), 1, "{head:?}: {all}");
    }
    assert!(server.intake.seen().is_empty());
}

#[tokio::test]
async fn request_lines_that_are_none_are_refused() {
    let server = Server::plain().await;
    for line in [
        "POST /webhook HTTP/1.1 HTTP/1.1",
        "POST /web\0hook HTTP/1.1",
        "POST /web\thook HTTP/1.1",
        "POST  HTTP/1.1",
        "POST /webhook",
        "POST /webhook http/1.1",
        "POST /webhook HTTP/1.12",
        "POST /webhook HTTP/2.0",
        "PO ST /webhook HTTP/1.1",
        "PO\0ST /webhook HTTP/1.1",
    ] {
        let bytes = format!(
            "{line}\r\nHost: h\r\nContent-Length: 0\r\n\r\n{}",
            post("smuggled")
        );
        let all = all(&server, bytes).await;
        assert!(all.starts_with("HTTP/1.1 400 "), "{line:?}: {all}");
        assert_eq!(all.matches("HTTP/1.1 ").count(), 1, "{line:?}: {all}");
    }
    assert!(server.intake.seen().is_empty());
}

/// RFC 9112 lets a reader take a line feed alone for the end of a line, and hyper does so everywhere in a head. What matters is that the
/// framing is that of the same lines.
#[tokio::test]
async fn a_line_feed_alone_ends_a_line_and_smuggles_nothing() {
    let server = Server::plain().await;
    let bytes = "POST /webhook?type=t HTTP/1.1\nHost: h\nContent-Length: 2\n\n{}";
    assert_eq!(exchange(server.address, bytes).await.status, 200);
    let both = format!(
        "{HEAD}Content-Length: 6\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{}",
        post("x")
    );
    let answers = all(&server, both).await;
    assert_eq!(answers.matches("HTTP/1.1 ").count(), 1, "{answers}");
    let bodies: Vec<_> = server.intake.seen().into_iter().map(|d| d.body).collect();
    assert_eq!(bodies, [b"{}".to_vec(), Vec::new()]);
}

#[tokio::test]
async fn chunks_are_read_strictly() {
    let server = Server::plain().await;
    let many = "a=b;".repeat(8 * 1024);
    let trailers = format!("X-T: {}\r\n", "x".repeat(64)).repeat(1024);
    for chunks in [
        "2\n{}\r\n0\r\n\r\n",
        "2\r\n{}\n0\r\n\r\n",
        "2;x=\ny\r\n{}\r\n0\r\n\r\n",
        "0x2\r\n{}\r\n0\r\n\r\n",
        "+2\r\n{}\r\n0\r\n\r\n",
        "2 2\r\n{}\r\n0\r\n\r\n",
        "\r\n2\r\n{}\r\n0\r\n\r\n",
        "ffffffffffffffff1\r\n{}\r\n0\r\n\r\n",
        // Without end.
        &format!("2;{many}\r\n{{}}\r\n0\r\n\r\n"),
        &format!("2\r\n{{}}\r\n0\r\n{trailers}\r\n"),
    ] {
        let start: String = chunks.chars().take(20).collect();
        let bytes = format!(
            "{HEAD}Transfer-Encoding: chunked\r\n\r\n{chunks}{}",
            post("smuggled")
        );
        let all = all(&server, bytes).await;
        assert!(all.starts_with("HTTP/1.1 400 "), "{start:?}: {all}");
        assert_eq!(all.matches("HTTP/1.1 ").count(), 1, "{start:?}: {all}");
    }
    assert!(server.intake.seen().is_empty());
}

/// A trailer is no header: a signature in one signs nothing.
#[tokio::test]
async fn trailers_are_not_believed() {
    let server = Server::plain().await;
    let bytes = format!(
        "{HEAD}Transfer-Encoding: chunked\r\nTrailer: X-Registry-Type\r\n\r\n2\r\n{{}}\r\n0\r\nX-Registry-Type: u\r\nContent-Length: 9\r\n\r\n"
    );
    let mut wire = Wire::connect(server.address).await;
    wire.send(bytes + &request("GET", "/healthz")).await;
    assert_eq!(wire.reply().await.status, 200);
    assert_eq!(wire.reply().await.body, "OK");
    let seen = server.intake.seen();
    assert_eq!(seen[0].header("x-registry-type"), None);
    assert_eq!(seen[0].header("content-length"), None);
}

/// Other forms of a target name the same path, and nothing but the path counts.
#[tokio::test]
async fn a_target_is_its_path() {
    let server = Server::plain().await;
    for (target, status) in [
        ("http://other.example/webhook?type=t", 200),
        ("/webhook?type=t#/healthz", 200),
        ("//webhook?type=t", 404),
        ("/./webhook", 404),
        ("/x/../webhook", 404),
        ("/%77ebhook", 404),
        ("/webhook%00", 404),
        ("/webhook;x=y", 404),
        ("/WEBHOOK", 404),
    ] {
        let bytes = format!("POST {target} HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{{}}");
        let reply = exchange(server.address, bytes).await;
        assert_eq!(reply.status, status, "{target}: {reply:?}");
    }
}

/// What the path does not take is not taken under another name of its method.
#[tokio::test]
async fn a_method_is_what_the_line_says() {
    let server = Server::plain().await;
    for extra in [
        "X-HTTP-Method-Override: POST",
        "X-Method-Override: POST",
        "Upgrade: websocket\r\nConnection: Upgrade",
    ] {
        let bytes = format!("GET /webhook?type=t HTTP/1.1\r\nHost: h\r\n{extra}\r\n\r\n");
        assert_eq!(exchange(server.address, bytes).await.status, 405, "{extra}");
    }
    let lower = post("{}").replacen("POST", "post", 1);
    assert_eq!(exchange(server.address, lower).await.status, 405);
    assert!(server.intake.seen().is_empty());
}
