//! The proxy that the environment names.

use std::process::Stdio;

use tokio::process::Command;

use crate::scripted::Answer;
use crate::scripted::Scripted;
use crate::support::client;
use crate::support::endpoint;
use crate::support::tags;

/// Set where [`through_the_environments_proxy`] runs, and to what its registry is called.
const REGISTRY: &str = "IMAGE_UPDATER_TEST_PROXIED_REGISTRY";

/// The environment belongs to a process, so this runs in one of its own, which the next test starts.
#[tokio::test]
async fn through_the_environments_proxy() {
    let Some(api) = std::env::var_os(REGISTRY) else {
        return;
    };
    let api = api.into_string().unwrap();
    assert_eq!(tags(&client(endpoint(&api)), "a").await.unwrap(), "1");
}

#[tokio::test]
async fn requests_go_through_the_proxy_or_around_it_as_the_environment_says() {
    let answer = || Answer::json(r#"{"name":"a","tags":["1"]}"#);
    let proxy = Scripted::start(move |_, _, _| answer()).await;
    let direct = Scripted::start(move |_, _, _| answer()).await;
    for (api, excepted, proxied) in [
        ("http://registry.invalid", "", 1),
        (direct.url().as_str(), "127.0.0.1", 0),
    ] {
        let run = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "proxy::through_the_environments_proxy"])
            .env(REGISTRY, api)
            .env("HTTP_PROXY", proxy.url())
            .env("http_proxy", proxy.url())
            .env("NO_PROXY", excepted)
            .env("no_proxy", excepted)
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .status()
            .await;
        assert!(run.unwrap().success(), "{api}");
        assert_eq!(proxy.asks().len(), proxied, "{api}");
    }
    assert_eq!(direct.asks().len(), 1);
}
