//! The command `deliveries`: on a running server through its socket, else on what it left on disk.

use std::env;
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::adapters::delivery_socket::client::RunningProcess;
use crate::adapters::journal::Journal;
use crate::adapters::journal::error::OpenError;
use crate::app::cli::deliveries_arguments::DeliveriesArguments;
use crate::app::cli::deliveries_arguments::DeliveriesWish;
use crate::app::deliveries::json;
use crate::app::deliveries::text;
use crate::app::settings::problem::EXIT_USAGE;
use crate::app::wiring::block_on;
use crate::app::wiring::complain;
use crate::app::wiring::once_free::once_free;
use crate::app::wiring::print;
use crate::domain::delivery::DeliveryId;
use crate::domain::queue::record::DeliveryRecord;
use crate::ports::delivery_log::DeliveryLog;
use crate::ports::delivery_log::Redelivery;

/// The variable that a server has its folder from.
const VARIABLE: &str = "IMAGE_UPDATER_STATE_DIR";

/// Does what is asked.
pub(super) fn run(arguments: DeliveriesArguments) -> ExitCode {
    let named = arguments.state_dir.clone();
    let named = named.or_else(|| env::var_os(VARIABLE).map(PathBuf::from));
    let Some(folder) = named.filter(|folder| !folder.as_os_str().is_empty()) else {
        let request = "give the folder in which the server keeps deliveries, with --state-dir or $IMAGE_UPDATER_STATE_DIR; a server without one remembers none";
        return complain(request, EXIT_USAGE);
    };
    block_on(async move {
        match once_free(|| kept_in(&folder)).await {
            Ok(Some(Kept::Running(process))) => answer(&process, &arguments).await,
            Ok(Some(Kept::Left(journal))) => {
                let code = answer(&journal, &arguments).await;
                journal.close().await;
                code
            }
            Ok(None) => {
                let folder = folder.display();
                complain(format!("no server has kept deliveries in {folder}"), 1)
            }
            Err(error) => complain(advice(&error), 1),
        }
    })
}

/// Where deliveries are.
enum Kept {
    Running(RunningProcess),
    Left(Journal),
}

/// The deliveries of a folder. One without any is a mistake here, not to be made a journal of.
async fn kept_in(folder: &Path) -> Result<Option<Kept>, OpenError> {
    if let Some(process) = RunningProcess::of(folder).await {
        return Ok(Some(Kept::Running(process)));
    }
    Ok(Journal::left_in(folder)?.map(Kept::Left))
}

fn advice(error: &OpenError) -> String {
    match error {
        OpenError::Damaged { .. } => {
            format!("{error}; the next start of the server sets it aside, and begins a new one")
        }
        OpenError::InUse(file) => format!(
            "{} is in use by a process that does not answer yet: try again in a moment",
            file.display()
        ),
        OpenError::Folder { .. }
        | OpenError::TooNew { .. }
        | OpenError::TooOld { .. }
        | OpenError::Storage { .. } => error.to_string(),
    }
}

async fn answer(log: &dyn DeliveryLog, arguments: &DeliveriesArguments) -> ExitCode {
    let answered = match &arguments.wish {
        DeliveriesWish::List(most) => list(log, *most, arguments.is_json).await,
        DeliveriesWish::Show(id) => show(log, id, arguments.is_json).await.map(print),
        DeliveriesWish::Redeliver(id) => redeliver(log, id).await.map(print),
    };
    answered.unwrap_or_else(|reason| complain(reason, 1))
}

/// Prints page after page, so that no more than one is in memory.
async fn list(log: &dyn DeliveryLog, most: usize, is_json: bool) -> Result<ExitCode, String> {
    let (mut left, mut before) = (most, None);
    while left > 0 {
        let page = log.list(before.clone(), left).await;
        let page = page.map_err(|error| error.to_string())?;
        let Some(last) = page.last() else {
            break;
        };
        if is_json {
            print(rendered(&page)?);
        } else {
            if before.is_none() {
                print(text::heading());
            }
            print(text::list(&page));
        }
        before = Some(last.id.clone());
        left = left.saturating_sub(page.len());
    }
    if before.is_none() && !is_json {
        print("no deliveries are remembered");
    }
    Ok(ExitCode::SUCCESS)
}

async fn show(log: &dyn DeliveryLog, id: &str, is_json: bool) -> Result<String, String> {
    let record = log.show(&DeliveryId::new(id)).await;
    let record = record
        .map_err(|error| error.to_string())?
        .ok_or_else(|| unknown(id))?;
    if is_json {
        return rendered(&[record]);
    }
    Ok(text::show(&record))
}

async fn redeliver(log: &dyn DeliveryLog, id: &str) -> Result<String, String> {
    let redelivered = log.redeliver(&DeliveryId::new(id)).await;
    match redelivered.map_err(|error| error.to_string())? {
        Redelivery::Queued => Ok(format!("delivery {id} is worked on again")),
        Redelivery::Open => Ok(format!(
            "delivery {id} is not done yet, so there is nothing to repeat"
        )),
        Redelivery::Unknown => Err(unknown(id)),
    }
}

fn rendered(records: &[DeliveryRecord]) -> Result<String, String> {
    json::render(records).map_err(|error| error.to_string())
}

fn unknown(id: &str) -> String {
    format!("no delivery {id} is remembered: deliveries list shows those that are")
}
