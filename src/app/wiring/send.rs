//! The command `send`: a made-up delivery, really sent.

use std::fs;
use std::process::ExitCode;

use crate::adapters::senders;
use crate::adapters::webhook_client::HttpWebhookClient;
use crate::app::cli::send_arguments::SecretArgument;
use crate::app::cli::send_arguments::SendArguments;
use crate::app::send::request;
use crate::app::wiring::block_on;
use crate::app::wiring::complain;
use crate::app::wiring::print;
use crate::domain::secret_policy::Secret;
use crate::domain::secret_policy::Secrets;
use crate::ports::webhook_client::WebhookClient;

/// Sends, prints the answer, and ends well if the delivery was taken.
pub(super) fn run(arguments: SendArguments) -> ExitCode {
    block_on(async {
        match send(arguments).await {
            Ok(code) => code,
            Err(error) => complain(error, 1),
        }
    })
}

async fn send(arguments: SendArguments) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let senders = senders::all();
    let sender = senders
        .iter()
        .find(|sender| *sender.profile() == arguments.sender);
    let sender = sender.ok_or("the type of sender is not known")?;
    let secret = secret(arguments.secret)?;
    let url = arguments.url.uri().to_string();
    let request = request(sender.as_ref(), &arguments.event, &url, secret.as_ref())?;
    let answer = HttpWebhookClient::new(arguments.insecure)?
        .post(request)
        .await?;
    print(&answer.body);
    if (200..300).contains(&answer.status) {
        return Ok(ExitCode::SUCCESS);
    }
    Ok(complain(
        format_args!("{} answered {}", arguments.url, answer.status),
        1,
    ))
}

/// Of several secrets in a file, the first one is the newest.
fn secret(argument: SecretArgument) -> Result<Option<Secret>, String> {
    match argument {
        SecretArgument::None => Ok(None),
        SecretArgument::Given(secret) => Ok(Some(secret)),
        SecretArgument::File(path) => {
            let text = fs::read_to_string(&path)
                .map_err(|error| format!("failed to read {}: {error}", path.display()))?;
            let secret = Secrets::parse(&text).first().cloned();
            secret
                .map(Some)
                .ok_or_else(|| format!("{} holds no secret", path.display()))
        }
    }
}
