//! What `deliveries` is asked to do.

use std::path::PathBuf;

use clap::Arg;
use clap::ArgMatches;
use clap::Command;
use clap::builder::PossibleValuesParser;
use clap::value_parser;

use super::command::command;
use super::command::option;
use super::usage_error::UsageError;

const STATE_DIR: &str = "state-dir";
const OUTPUT: &str = "output";
const ID: &str = "id";
const MOST: &str = "limit";

/// Where deliveries are kept, and what is wanted of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveriesArguments {
    /// The folder; `None`: the environment says it.
    pub state_dir: Option<PathBuf>,
    /// Whether programs are to read it.
    pub is_json: bool,
    /// What is wanted.
    pub wish: DeliveriesWish,
}

/// What is wanted of deliveries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeliveriesWish {
    /// The newest ones, so many at the most.
    List(usize),
    /// One of them.
    Show(String),
    /// To have one worked on again.
    Redeliver(String),
}

/// The command, for clap.
pub(super) fn definition() -> Command {
    let id = || {
        Arg::new(ID)
            .value_name("ID")
            .required(true)
            .help("The delivery's id: X-Delivery-Id of the answer, and delivery= in the log")
    };
    let own = |name, about: &'static str| command(name).about(about).args(common());
    command("deliveries")
        .about("Shows accepted deliveries and what became of them, and has one worked on again.")
        .after_help(
            "They are those of the state folder of a server, whether it runs or not. In a pod: \
             kubectl exec deploy/argocd-image-updater-controller -- argocd-image-updater deliveries list",
        )
        .subcommand_required(true)
        .subcommands([
            own("list", "Lists the newest deliveries, the newest first.").arg(
                option(MOST, "NUMBER", "How many are listed at the most")
                    .default_value("50")
                    .value_parser(value_parser!(u16)),
            ),
            own("show", "Shows what one delivery held, which Applications it concerned, and what became of each and why.").arg(id()),
            own("redeliver", "Has all images of a delivery worked on again, which is harmless.").arg(id()),
        ])
}

fn common() -> [Arg; 2] {
    [
        option(
            STATE_DIR,
            "PATH",
            "The folder that the server has for --state-dir; default: $IMAGE_UPDATER_STATE_DIR",
        )
        .value_parser(value_parser!(PathBuf)),
        option(
            OUTPUT,
            "FORM",
            "text for people, json for programs: an object a line",
        )
        .default_value("text")
        .value_parser(PossibleValuesParser::new(["text", "json"])),
    ]
}

impl DeliveriesArguments {
    pub(super) fn read(matches: &ArgMatches) -> Result<Self, UsageError> {
        let wanting = || UsageError::new("say what: deliveries list, show or redeliver");
        let (name, own) = matches.subcommand().ok_or_else(wanting)?;
        let id = || own.get_one::<String>(ID).cloned().unwrap_or_default();
        let wish = match name {
            "show" => DeliveriesWish::Show(id()),
            "redeliver" => DeliveriesWish::Redeliver(id()),
            _ => {
                let most = own.get_one::<u16>(MOST).copied();
                DeliveriesWish::List(most.map_or(usize::MAX, usize::from))
            }
        };
        Ok(Self {
            state_dir: own.get_one::<PathBuf>(STATE_DIR).cloned(),
            is_json: own
                .get_one::<String>(OUTPUT)
                .is_some_and(|form| form == "json"),
            wish,
        })
    }
}
