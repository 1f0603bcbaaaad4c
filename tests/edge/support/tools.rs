//! Other people's clients.

use std::io::Write;
use std::net::SocketAddr;
use std::process::{Output, Stdio};

use tokio::process::Command;
use tokio::time::timeout;

use super::server::Server;
use super::wire::PATIENCE;

/// What a handshake of `openssl s_client` came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Handshake {
    pub(crate) version: String,
    pub(crate) suite: String,
}

/// Whether a program is there. Where it is missing, the test that needs it says so and is left out; in CI it fails.
pub(crate) async fn has(program: &str, version: &str) -> bool {
    let found = Command::new(program)
        .arg(version)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .await
        .is_ok_and(|status| status.success());
    if !found {
        let test = std::thread::current();
        let test = test.name().unwrap_or("a test").to_owned();
        assert!(
            std::env::var_os("CI").is_none(),
            "{program} is missing, and {test} needs it"
        );
        // Not by a macro, whose output cargo would hide.
        let line = format!("\n!!! {program} is missing: {test} was LEFT OUT\n");
        let _ = std::io::stderr().write_all(line.as_bytes());
    }
    found
}

/// The version and the suite of a handshake, as one text; empty where there is none.
pub(crate) async fn handshake(server: &Server, arguments: &str) -> String {
    let handshake = s_client(server.address, arguments).await;
    handshake.map_or_else(String::new, |it| format!("{} {}", it.version, it.suite))
}

/// Runs a program to its end without input.
async fn run(program: &str, arguments: &[&str]) -> Output {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    timeout(PATIENCE, output)
        .await
        .expect("the program does not end")
        .unwrap()
}

/// A handshake by `openssl s_client` with these arguments; `None` where it fails.
pub(crate) async fn s_client(address: SocketAddr, arguments: &str) -> Option<Handshake> {
    let address = address.to_string();
    let mut all = vec!["s_client", "-brief", "-connect", address.as_str()];
    all.extend(arguments.split_whitespace());
    let output = run("openssl", &all).await;
    let shown = String::from_utf8_lossy(&output.stderr).into_owned();
    let field = |name: &str| {
        let line = shown.lines().find_map(|line| line.strip_prefix(name))?;
        Some(line.trim().to_owned())
    };
    Some(Handshake {
        version: field("Protocol version:")?,
        suite: field("Ciphersuite:")?,
    })
}

/// The status, the HTTP version and the body of a `curl` with these arguments; `None` where it fails.
pub(crate) async fn curl(url: &str, arguments: &[&str]) -> Option<(u16, String, String)> {
    let mut all = vec![
        "--silent",
        "--insecure",
        "--max-time",
        "15",
        "--noproxy",
        "*",
        "--write-out",
        "\n%{http_code} %{http_version}",
        url,
    ];
    all.extend(arguments);
    let output = run("curl", &all).await;
    if !output.status.success() {
        return None;
    }
    let shown = String::from_utf8(output.stdout).unwrap();
    let (body, facts) = shown.rsplit_once('\n').unwrap();
    let (status, version) = facts.split_once(' ').unwrap();
    Some((status.parse().unwrap(), version.to_owned(), body.to_owned()))
}
