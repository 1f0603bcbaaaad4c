//! Traces where this build has none.

use crate::folder::Folder;
use crate::server::Server;
use crate::server::program;

/// In many clusters all pods are told where a collector is.
#[test]
fn a_collector_is_no_reason_not_to_start() {
    let folder = Folder::new("s");
    let mut command = program();
    command
        .args(["webhook", "--webhook-port", "0"])
        .args(folder.flags())
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318");
    let server = Server::spawn(command);
    let told = ["level=warning", "traces are not sent", "feature otlp"];
    assert_eq!(server.log.with(&told).len(), 1, "{}", server.log.text());
}
