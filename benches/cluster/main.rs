//! What an update of an Application costs in a cluster, and whether that grows with the number of Applications.
//!
//! `KUBEBUILDER_ASSETS=$(tests/peers/build) cargo bench --bench cluster` runs it, on 100, 500, 1,000 and 10,000 Applications under 50 ImageUpdaters; other
//! numbers come as arguments (`-- 100 500`). It starts an API server of its own, and the program as a child process. For each size it takes turns:
//! a signed delivery over a warm connection, and a bare PATCH of the same kind by a warm client, each until the same watch shows the changed
//! Application. So both have the same disturbances, and their ratio says more than either on a machine that does other things as well. It needs Linux.

mod application;
mod cluster;
mod events;
mod program;
mod report;
#[path = "../../tests/kubernetes/support/mod.rs"]
#[expect(
    dead_code,
    unused_imports,
    clippy::panic,
    clippy::unwrap_used,
    reason = "it belongs to the tests, which use all of it and fail by panicking"
)]
mod support;
mod watch;

use std::error::Error;

use cluster::Cluster;
use events::Events;
use program::Program;
use report::Measured;
use report::Report;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// How many ImageUpdaters there are, whatever the number of Applications.
const UPDATERS: usize = 50;
/// Numbers of Applications, where no argument names others.
const SIZES: [usize; 4] = [100, 500, 1_000, 10_000];
/// With fewer, an image would be announced again while it still rests from the last time.
const FEWEST: usize = 100;

fn main() -> Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if !arguments.iter().any(|argument| argument == "--bench") {
        println!("run it with `cargo bench --bench cluster`");
        return Ok(());
    }
    let sizes = sizes(&arguments)?;
    // Both kube and reqwest take the process-wide provider.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(measure(&sizes))
}

/// From the least to the most, as one cluster grows from each to the next.
fn sizes(arguments: &[String]) -> Result<Vec<usize>> {
    let numbers = arguments
        .iter()
        .filter(|argument| !argument.starts_with("--"));
    let mut sizes = numbers
        .map(|number| number.parse())
        .collect::<std::result::Result<Vec<usize>, _>>()
        .map_err(|error| format!("name numbers of Applications: {error}"))?;
    if sizes.is_empty() {
        sizes = SIZES.to_vec();
    }
    sizes.sort_unstable();
    match sizes.first() {
        Some(least) if *least < FEWEST => {
            Err(format!("{FEWEST} Applications are the fewest").into())
        }
        _ => Ok(sizes),
    }
}

async fn measure(sizes: &[usize]) -> Result<()> {
    // Where there is no API server, the reason has been told.
    let Some(mut cluster) = Cluster::start().await else {
        return Ok(());
    };
    let mut report = Report::default();
    for size in sizes {
        cluster.grow_to(*size).await?;
        let measured = measure_one(&mut cluster).await?;
        println!("{measured}");
        report.add(measured);
    }
    println!("\n{report}");
    Ok(())
}

/// Measures the program on the cluster as it is.
async fn measure_one(cluster: &mut Cluster) -> Result<Measured> {
    let (program, ready_after) = Program::start(&cluster.kubeconfig()?).await?;
    let mut events = Events::new(cluster, &program).await?;
    events.warm_up().await?;
    let cpu_before = program.cpu_time()?;
    let latencies = events.measure().await?;
    let cpu = program.cpu_time()?.saturating_sub(cpu_before);
    let memory = program.memory()?;
    Ok(Measured {
        applications: cluster.len(),
        ready_after,
        cpu,
        memory,
        latencies,
    })
}
