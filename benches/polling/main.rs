//! How long one look takes that changes a thousand Applications of fifty repositories.
//!
//! `KUBEBUILDER_ASSETS=$(tests/peers/build) cargo bench --bench polling` runs it. It starts an API server and a registry of its own, and then `run
//! --once` as a child process, which lists the tags of all repositories and patches all Applications. Between two rounds all of them are set
//! back by a bare PATCH each, as many at once as the program sends: so much of the time is the API server's.

#[path = "../../tests/support/counting.rs"]
#[expect(
    dead_code,
    clippy::unwrap_used,
    reason = "it belongs to the tests, which use all of it and fail by panicking"
)]
mod counting;
#[path = "../../tests/support/peers.rs"]
mod peers;
#[path = "../../tests/support/registry.rs"]
#[expect(
    dead_code,
    clippy::unwrap_used,
    reason = "it belongs to the tests, which use all of it and fail by panicking"
)]
mod registry;
#[path = "../../tests/kubernetes/scene.rs"]
#[expect(
    dead_code,
    clippy::unwrap_used,
    reason = "it belongs to the tests, which use all of it and fail by panicking"
)]
mod scene;
#[path = "../../tests/program/server.rs"]
#[expect(
    dead_code,
    clippy::panic,
    clippy::unwrap_used,
    reason = "it belongs to the tests, which use all of it and fail by panicking"
)]
mod server;
#[path = "../../tests/kubernetes/support/mod.rs"]
#[expect(
    dead_code,
    unused_imports,
    clippy::panic,
    clippy::unwrap_used,
    reason = "it belongs to the tests, which use all of it and fail by panicking"
)]
mod support;
#[path = "../../tests/kubernetes/town.rs"]
#[expect(
    clippy::unwrap_used,
    reason = "it belongs to the tests, which fail by panicking"
)]
mod town;

use std::error::Error;
use std::time::Duration;
use std::time::Instant;

use scene::Scene;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// How often it is measured.
const ROUNDS: usize = 5;

/// What one round took.
struct Round {
    /// From the start of the process to its end.
    whole: Duration,
    /// Of that, from the first question to the last change.
    look: Duration,
    /// How many lists of tags were asked for.
    lists: usize,
    /// As many bare patches.
    bare: Duration,
}

fn main() -> Result<()> {
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("run it with `cargo bench --bench polling`");
        return Ok(());
    }
    // Both kube and reqwest take the process-wide provider.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(measure())
}

async fn measure() -> Result<()> {
    // Where there is no API server or no registry, the reason has been told.
    let Some(scene) = Scene::new().await else {
        return Ok(());
    };
    town::fill(&scene).await;
    println!(
        "{} Applications of {} repositories",
        town::APPLICATIONS,
        town::REPOSITORIES
    );
    println!("| whole process | the look | tag lists | bare patches |\n|---|---|---|---|");
    for _ in 0..ROUNDS {
        let round = round(&scene).await?;
        println!(
            "| {:.2} s | {:.2} s | {} | {:.2} s |",
            round.whole.as_secs_f64(),
            round.look.as_secs_f64(),
            round.lists,
            round.bare.as_secs_f64()
        );
    }
    Ok(())
}

/// Changes everything, and sets it back.
async fn round(scene: &Scene) -> Result<Round> {
    scene.proxy.asked();
    let flags = ["--once", "--fail-on-error", "--loglevel=info"];
    let command = scene.home.command("run", &flags);
    let mut command = tokio::process::Command::from(command);
    let began = Instant::now();
    let output = command.output().await?;
    let whole = began.elapsed();
    let log = String::from_utf8_lossy(&output.stderr);
    let looked = log
        .lines()
        .find(|line| line.contains("registries were looked at"));
    let updated = format!("images_updated={}", town::APPLICATIONS);
    let looked = looked
        .filter(|line| output.status.success() && line.contains(&updated))
        .ok_or_else(|| format!("it did not change everything:\n{log}"))?;
    let lists = scene.proxy.count("/tags/list");
    let began = Instant::now();
    town::set_back(scene).await;
    Ok(Round {
        whole,
        look: Duration::from_secs_f64(server::field(looked, "seconds").parse()?),
        lists,
        bare: began.elapsed(),
    })
}
