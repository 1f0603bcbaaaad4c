//! Whether the program stays as it is under full load for long: memory, files, threads, and every promise kept.
//!
//! `cargo bench --bench soak` runs it for 30 minutes, `-- 2` for two. It starts the program as a child process on a folder of manifests, with TLS, HTTP/2 and
//! a journal. Clients with the senders' secrets deliver one thing after the other, over connections that stay and connections that come and go, beside
//! strangers who do all that a stranger can. Every second it looks at the process; at the end everything that was promised has to be done. The
//! exit code is 1 where a good delivery was lost or refused, a hostile one taken, or the process ended. It needs Linux.

#[path = "../../tests/crash/rounds.rs"]
#[expect(
    dead_code,
    clippy::unwrap_used,
    reason = "it belongs to the tests, which use all of it"
)]
mod chance;
#[path = "../../tests/program/folder.rs"]
#[expect(
    clippy::unwrap_used,
    reason = "it belongs to the tests, which fail by panicking"
)]
mod folder;
mod good;
mod histogram;
mod hostile;
mod http2;
#[path = "../../tests/edge/support/http2_frame.rs"]
#[expect(
    clippy::unwrap_used,
    reason = "it belongs to the tests, which fail by panicking"
)]
mod http2_frame;
mod load;
mod log;
mod plan;
#[path = "../support/process.rs"]
mod process;
mod program;
mod report;
mod sample;
mod tally;
mod template;
mod wire;
mod world;

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use load::Load;
use program::Program;
use report::Report;
use world::World;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// How long it takes, where no argument says otherwise.
const MINUTES: f64 = 30.0;
/// The metric of images that were changed.
const CHANGES: &str =
    r#"argocd_image_updater_image_outcomes_total{occasion="delivery",outcome="changed"}"#;
/// How long the queue may take to get empty at the end.
const PATIENCE: Duration = Duration::from_secs(300);

fn main() -> Result<ExitCode> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if !arguments.iter().any(|argument| argument == "--bench") {
        println!("run it with `cargo bench --bench soak`");
        return Ok(ExitCode::SUCCESS);
    }
    let minutes = arguments
        .iter()
        .find(|argument| !argument.starts_with("--"))
        .map_or(Ok(MINUTES), |given| given.parse())
        .map_err(|error| format!("name a number of minutes: {error}"))?;
    // The clients share the machine with the program, so they have one thread.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let report = runtime.block_on(soak(Duration::try_from_secs_f64(minutes * 60.0)?))?;
    print!("\n{report}");
    Ok(report.exit_code())
}

async fn soak(time: Duration) -> Result<Report> {
    let world = World::new()?;
    let program = Arc::new(Program::start(&world)?);
    let load = Arc::new(Load::new(&world, &program, time)?);
    println!(
        "{} Applications, {} good clients, {} strangers, {:.1} minutes",
        world::APPLICATIONS,
        good::count(),
        hostile::count(),
        time.as_secs_f64() / 60.0
    );
    let sampling = {
        let (program, load) = (Arc::clone(&program), Arc::clone(&load));
        let journal = world.journal();
        std::thread::spawn(move || sample::run(&program, &journal, &load))
    };
    let strangers = hostile::begin(&load)?;
    for client in good::begin(&load) {
        client.await?;
    }
    drop(strangers);
    let samples = sampling.join().map_err(|_| "the sampler has failed")?;
    let ending = finish(&world, &program, &load).await;
    Ok(Report {
        load,
        samples,
        log: Arc::clone(&program.log),
        ending: ending.map_err(|error| error.to_string()),
    })
}

/// What was found at the end.
struct Ending {
    /// How long the queue took to get empty.
    drained_after: Duration,
    /// The most memory that it ever held, in KiB.
    peak: u64,
    /// How many changes it has made.
    changes: u64,
    /// Deliveries that it remembers, none of them open or failed.
    remembered: usize,
}

/// Has the program finish what it has promised, looks at what it has made of it, and ends it.
async fn finish(world: &World, program: &Program, load: &Load) -> Result<Ending> {
    let began = tokio::time::Instant::now();
    while program.metric(sample::QUEUE)? > 0 {
        if began.elapsed() > PATIENCE {
            return Err("the queue does not get empty".into());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let drained_after = began.elapsed();
    let changes = program.metric(CHANGES)?;
    let peak = program.memory()?.peak;
    let remembered = Program::nothing_is_open(world)?;
    program.end()?;
    for (number, version) in load.plan.promised() {
        let runs = world.version(number)?;
        if runs != version {
            return Err(format!("app-{number:03} runs {runs}, and {version} was promised").into());
        }
    }
    Ok(Ending {
        drained_after,
        peak,
        changes,
        remembered,
    })
}
