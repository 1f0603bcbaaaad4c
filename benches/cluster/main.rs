//! What an update of an Application costs in a cluster, and whether that grows with the number of Applications.
//!
//! `KUBEBUILDER_ASSETS=$(tests/peers/build) cargo bench --bench cluster` runs it, on 100, 500, 1,000 and 10,000 Applications under 50 ImageUpdaters; other
//! numbers come as arguments (`-- 100 500`). It starts an API server of its own, and the program as a child process. For each size it takes turns:
//! a signed delivery over a warm connection, and a bare PATCH of the same kind by a warm client, each until the same watch shows the changed
//! Application. With the word `registry` among the arguments, the program confirms each delivery at a registry that the benchmark starts as well, and a
//! bare HEAD there comes before each bare PATCH. So both have the same disturbances, and their ratio says more than either on a machine that does other things as well. It needs Linux.

mod application;
mod cluster;
#[path = "../../tests/support/registry.rs"]
#[expect(
    dead_code,
    clippy::unwrap_used,
    reason = "it belongs to the tests, which use all of it and fail by panicking"
)]
mod distribution;
mod events;
#[path = "../../tests/support/peers.rs"]
mod peers;
#[path = "../support/process.rs"]
mod process;
mod program;
mod registry;
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
use registry::Registry;
use report::Measured;
use report::Report;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// The argument that has deliveries confirmed.
const REGISTRY: &str = "registry";
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
    let with_registry = arguments.iter().any(|argument| argument == REGISTRY);
    let sizes = sizes(&arguments)?;
    // Both kube and reqwest take the process-wide provider.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(measure(&sizes, with_registry))
}

/// From the least to the most, as one cluster grows from each to the next.
fn sizes(arguments: &[String]) -> Result<Vec<usize>> {
    let numbers = arguments
        .iter()
        .filter(|argument| !argument.starts_with("--") && *argument != REGISTRY);
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

async fn measure(sizes: &[usize], with_registry: bool) -> Result<()> {
    // Where there is no API server and no registry, the reason has been told.
    let registry = if with_registry {
        let Some(registry) = Registry::start()? else {
            return Ok(());
        };
        Some(registry)
    } else {
        None
    };
    let Some(mut cluster) = Cluster::start().await else {
        return Ok(());
    };
    let mut report = Report::default();
    for size in sizes {
        cluster.grow_to(*size).await?;
        let measured = measure_one(&mut cluster, registry.as_ref()).await?;
        println!("{measured}");
        report.add(measured);
    }
    println!("\n{report}");
    Ok(())
}

/// Measures the program on the cluster as it is.
async fn measure_one(cluster: &mut Cluster, registry: Option<&Registry>) -> Result<Measured> {
    let described = registry.map(Registry::file);
    let (program, ready_after) =
        Program::start(&cluster.kubeconfig()?, described.as_deref()).await?;
    let mut events = Events::new(cluster, &program, registry).await?;
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
