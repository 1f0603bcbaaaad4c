//! The command `quickstart`: the real server on a folder of its own, and one real delivery.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::sleep;
use tokio::time::timeout;

use crate::adapters::config::environment::Environment;
use crate::adapters::senders;
use crate::adapters::webhook_client::HttpWebhookClient;
use crate::app::cli::PROGRAM;
use crate::app::cli::flags::Flags;
use crate::app::cli::quickstart_arguments::QuickstartArguments;
use crate::app::quickstart::folder::Folder;
use crate::app::quickstart::tell;
use crate::app::send::request;
use crate::app::settings::Settings;
use crate::app::settings::load::Mount;
use crate::app::settings::mode::Mode;
use crate::app::settings::problem::EXIT_USAGE;
use crate::app::settings::table::Table;
use crate::app::settings::topic::Topic;
use crate::app::telemetry;
use crate::app::wiring::Server;
use crate::app::wiring::block_on;
use crate::app::wiring::complain;
use crate::app::wiring::configuration;
use crate::app::wiring::following::Following;
use crate::app::wiring::print;
use crate::app::wiring::profiles;
use crate::app::wiring::serve::exit_code;
use crate::app::wiring::serve::signals;
use crate::domain::event::ImageEvent;
use crate::domain::reference::ImageName;
use crate::domain::reference::Tag;
use crate::ports::config_source::ConfigSource;
use crate::ports::payload_decoder::PayloadDecoder;
use crate::ports::webhook_client::Request;
use crate::ports::webhook_client::WebhookClient;

/// Longer than the way of one event takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// Makes the folder, loads the settings that serve it, and starts.
pub(super) fn run(arguments: &QuickstartArguments) -> ExitCode {
    let folder = match arguments
        .dir
        .clone()
        .map_or_else(somewhere, Ok)
        .map(|root| Folder::make(&root))
    {
        Ok(Ok(folder)) => folder,
        Ok(Err(error)) => return complain(error, 1),
        Err(error) => return complain(format_args!("failed to make a folder: {error}"), 1),
    };
    let settings = match settings(arguments, &folder) {
        Ok(settings) => settings,
        Err(problems) => return complain(problems, EXIT_USAGE),
    };
    if let Err(error) = telemetry::install(settings.log) {
        return complain(format_args!("failed to start the log: {error}"), 1);
    }
    block_on(async {
        match try_out(&folder, settings, arguments.once).await {
            Ok(code) => code,
            Err(error) => complain(error, 1),
        }
    })
}

fn somewhere() -> std::io::Result<PathBuf> {
    let folder = tempfile::Builder::new()
        .prefix("argocd-image-updater-quickstart-")
        .tempdir()?;
    // It is for looking at afterwards, so it stays.
    Ok(folder.keep())
}

/// The settings of `webhook` for this folder, with nothing of the machine's own configuration in them but how it logs.
fn settings(arguments: &QuickstartArguments, folder: &Folder) -> Result<Settings, Box<dyn Error>> {
    let path = |path: PathBuf| path.to_string_lossy().into_owned();
    let flags = arguments
        .log
        .clone()
        .with("--manifests", &path(folder.manifests()))
        .with("--secrets-dir", &path(folder.secrets()))
        .with("--state-dir", &path(folder.state()))
        .with(
            "--tls-dir",
            &path(folder.manifests().join("no-certificate")),
        )
        .with("--webhook-port", &arguments.port.to_string())
        // Nothing that its images are named after exists.
        .with("--webhook-confirm", "event")
        .with("--catch-up", "false");
    let secrets = folder.secrets();
    let folders = |mount: Mount<'_>| -> Box<dyn ConfigSource> {
        if mount.path == secrets {
            configuration::folder(mount)
        } else {
            Box::new(Flags::default())
        }
    };
    let variables = log_variables();
    let environment = std::env::vars_os()
        .filter(|(name, _)| variables.iter().any(|variable| name == variable.as_str()));
    let environment = Environment::new(environment);
    let loaded = configuration::from(Mode::Webhook, &flags, &environment, &folders, None);
    Ok(loaded.into_settings()?)
}

/// The environment variables that say how to log.
fn log_variables() -> Vec<String> {
    let table = Table::new(&profiles());
    let log = table.iter().filter(|row| row.topic == Topic::Logging);
    let mut variables: Vec<String> = log.filter_map(|row| row.env.clone()).collect();
    variables.push("NO_COLOR".to_owned());
    variables
}

/// Serves, and beside it sends the delivery and tells what came of it.
async fn try_out(
    folder: &Folder,
    settings: Settings,
    once: bool,
) -> Result<ExitCode, Box<dyn Error>> {
    let mut signal = signals()?;
    let server = Server::build(settings, Following::default()).await?;
    let port = server.address().ok_or("the server has no port")?.port();
    let shown = Notify::new();
    let end = async || {
        tokio::select! {
            () = shown.notified() => {}
            () = signal() => {}
        }
    };
    let url = format!("https://127.0.0.1:{port}/webhook");
    let mut story = std::pin::pin!(tell_story(folder, &url, once));
    let mut running = std::pin::pin!(server.run(end));
    // Whoever ends the server does not wait for the end of the story.
    tokio::select! {
        told = &mut story => {
            if once || told.is_err() {
                shown.notify_one();
            }
            let ended = running.await;
            told.map(|()| exit_code(ended))
        }
        ended = &mut running => Ok(exit_code(ended)),
    }
}

/// Sends one delivery, waits for the change it makes and shows it.
async fn tell_story(folder: &Folder, url: &str, once: bool) -> Result<(), Box<dyn Error>> {
    let senders = senders::all();
    let ghcr = senders
        .iter()
        .find(|sender| sender.profile().name == "ghcr.io")
        .ok_or("no sender of GHCR's type")?;
    let before = folder.contents()?;
    print(format_args!(
        "Serving {url} on the Applications in {}",
        folder.manifests().display()
    ));
    let (event, request) = announcement(ghcr.as_ref(), "1.5.0", folder, url)?;
    print(format_args!(
        "\nDelivering, signed as GitHub signs: {event} was pushed"
    ));
    // The certificate is one that the server made for itself a moment ago.
    let answer = HttpWebhookClient::to_this_machine()?.post(request).await?;
    print(format_args!("{} {}", answer.status, answer.body));
    let changes = timeout(PATIENCE, changes(folder, &before)).await;
    let changes = changes.map_err(|_| "nothing changed; the log says why")??;
    print(format_args!("\n{changes}"));
    if !once {
        print(by_hand(ghcr.as_ref(), folder, url)?);
    }
    Ok(())
}

/// A delivery that announces a version of the shop.
fn announcement(
    ghcr: &dyn PayloadDecoder,
    version: &str,
    folder: &Folder,
    url: &str,
) -> Result<(ImageEvent, Request), Box<dyn Error>> {
    let image = ImageName::parse("ghcr.io/acme/storefront")?;
    let event = ImageEvent {
        image,
        tag: Tag::parse(version)?,
        digest: None,
    };
    let request = request(ghcr, &event, url, Some(folder.secret()))?;
    Ok((event, request))
}

/// Waits until a manifest differs, and gives the differences.
async fn changes(
    folder: &Folder,
    before: &[(&'static str, String)],
) -> Result<String, Box<dyn Error>> {
    loop {
        let now = folder.contents()?;
        let differ = before
            .iter()
            .zip(&now)
            .filter(|(before, now)| before != now);
        let shown: Vec<String> = differ
            .map(|((name, before), (_, now))| tell::diff(name, before, now))
            .collect();
        if !shown.is_empty() {
            return Ok(shown.join("\n"));
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// Two command lines for going on by hand.
fn by_hand(
    ghcr: &dyn PayloadDecoder,
    folder: &Folder,
    url: &str,
) -> Result<String, Box<dyn Error>> {
    let (event, request) = announcement(ghcr, "1.6.0", folder, url)?;
    let body = folder.keep_delivery(&request.body)?;
    let curl = tell::curl(&request, &body);
    let program = std::env::current_exe()
        .map_or_else(|_| PROGRAM.to_owned(), |path| path.display().to_string());
    let secret = folder.secret_file();
    Ok(format!(
        "\nTry it by hand. {event}, by curl:\n\n{curl}\n\nAny other image, by this program:\n\n{} send --type ghcr.io --image ghcr.io/acme/payments-api:2.3.1 \\\n  \
         --url {} --secret-file {} --insecure\n\nWhat became of them:\n\n{} deliveries list --state-dir {}\n\nEnd with Ctrl-C.",
        tell::quoted(&program),
        tell::quoted(url),
        tell::quoted(&secret.display().to_string()),
        tell::quoted(&program),
        tell::quoted(&folder.state().display().to_string()),
    ))
}
