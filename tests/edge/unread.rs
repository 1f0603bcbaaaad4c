//! Clients that send one request after another over HTTP/1.1 and read none of the answers.

use std::time::Duration;

use image_updater::adapters::http::limits::Limits;
use image_updater::adapters::tls::setup::TlsSettings;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::net::TcpSocket;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::client;
use crate::support::server::{Server, policy, settings};
use crate::support::wire::{PATIENCE, Wire, request};

const SHORT: Duration = Duration::from_millis(150);

fn limits() -> Limits {
    Limits {
        idle: SHORT,
        head: SHORT,
        ..Limits::default()
    }
}

/// Requests with a body that is read after their answer, with none, and such whose answer has none.
fn floods() -> [String; 3] {
    let expect =
        "GET /healthz HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n{}";
    [
        request("GET", "/nowhere"),
        request("HEAD", "/healthz"),
        expect.to_owned(),
    ]
}

/// What fits in its buffer is answered before anybody notices.
async fn connect(server: &Server) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect(server.address).await.unwrap()
}

async fn is_cut_off(stream: impl AsyncRead + AsyncWrite + Unpin, flood: &str) {
    let mut wire = Wire::new(stream);
    let many = flood.repeat(1000);
    let send = async { while wire.try_send(&many).await.is_ok() {} };
    let ended = timeout(PATIENCE, send).await;
    assert!(ended.is_ok(), "it may go on: {flood}");
}

#[tokio::test]
async fn who_reads_nothing_is_cut_off() {
    let server = Server::with_limits(limits()).await;
    for flood in floods() {
        is_cut_off(connect(&server).await, &flood).await;
    }
}

#[tokio::test]
async fn who_reads_nothing_is_cut_off_over_tls() {
    let mut policies = vec![policy("1.3", "1.3", "")];
    if cfg!(feature = "tls11") {
        policies.push(policy("1.1", "1.3", ""));
    }
    for policy in policies {
        let folder = tempfile::tempdir().unwrap();
        let tls = TlsSettings {
            policy,
            ..settings(folder.path())
        };
        let server = Server::tls_with_limits(tls, limits()).await;
        for flood in &floods()[1..] {
            let tcp = connect(&server).await;
            let stream = client::over(tcp, client::config(None)).await.unwrap();
            is_cut_off(stream, flood).await;
        }
    }
}
