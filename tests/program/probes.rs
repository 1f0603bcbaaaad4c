//! The server for the kubelet's probes.

use std::io::Read;
use std::io::Write;
use std::net::TcpListener;
use std::net::TcpStream;

use crate::folder::Folder;
use crate::server::Server;
use crate::server::field;
use crate::server::run;

/// The status line of an answer to a plain `GET`.
fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: probe\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn probes_are_answered_until_the_end_and_deliveries_are_not() {
    let folder = Folder::new("s");
    let mut flags = folder.flags();
    let more = [
        "--health-probe-bind-address",
        "127.0.0.1:0",
        "--shutdown-delay",
        "2s",
    ];
    flags.extend(more.map(str::to_owned));
    let mut server = Server::start(flags);
    let line = server.log.wait_for(&["probe server is listening"]);
    let address = field(&line, "address");
    server.log.wait_for(&["msg=ready"]);
    assert_eq!(get(&address, "/healthz"), "HTTP/1.1 200 OK");
    assert_eq!(get(&address, "/readyz"), "HTTP/1.1 200 OK");
    assert_eq!(get(&address, "/webhook"), "HTTP/1.1 404 Not Found");
    server.signal("TERM");
    server.log.wait_for(&["shutting down"]);
    assert_eq!(get(&address, "/healthz"), "HTTP/1.1 200 OK");
    assert_eq!(get(&address, "/readyz"), "HTTP/1.1 503 Service Unavailable");
    assert!(server.wait().success());
}

#[test]
fn an_address_that_is_taken_stops_the_start() {
    let folder = Folder::new("s");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut arguments = vec![
        "webhook",
        "--webhook-port",
        "0",
        "--health-probe-bind-address",
    ];
    let flags = folder.flags();
    arguments.push(&address);
    arguments.extend(flags.iter().map(String::as_str));
    let output = run(&arguments);
    assert_eq!(output.status.code(), Some(1));
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    let expected = format!("failed to listen on {address} for probes");
    assert!(log.contains(&expected), "{log}");
}
