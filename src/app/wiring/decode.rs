//! The command `decode`: what the server would make of a delivery.

use std::fs;
use std::io;
use std::io::Read;
use std::process::ExitCode;

use serde::Serialize;

use crate::adapters::senders;
use crate::app::cli::decode_arguments::BodyArgument;
use crate::app::cli::decode_arguments::DecodeArguments;
use crate::app::cli::decode_arguments::DeliveryArguments;
use crate::app::intake::Reading;
use crate::app::intake::read;
use crate::app::wiring::complain;
use crate::app::wiring::print;
use crate::app::wiring::profiles;
use crate::domain::delivery::Delivery;
use crate::domain::delivery::DeliveryId;
use crate::domain::event::ImageEvent;
use crate::domain::secret_policy::SecretPolicy;
use crate::domain::secret_policy::Verified;
use crate::ports::payload_decoder::Decoded;
use crate::ports::webhook_intake::Rejection;

/// Does what it is asked to.
pub(super) fn run(arguments: DecodeArguments) -> ExitCode {
    match arguments {
        DecodeArguments::List => print(list()),
        DecodeArguments::Delivery(delivery) => match body(&delivery.body) {
            Ok(body) => decode(delivery, body),
            Err(error) => complain(format_args!("failed to read the delivery: {error}"), 1),
        },
    }
}

/// A line for each type: its name, its authentication, and where its payload is documented.
fn list() -> String {
    let profiles = profiles();
    let names = profiles
        .iter()
        .map(|profile| profile.name.len())
        .max()
        .unwrap_or_default();
    let ways = profiles
        .iter()
        .map(|profile| profile.authentication.to_string().len())
        .max()
        .unwrap_or_default();
    let line = |name: &str, way: String, documentation: &str| {
        format!("{name:names$}  {way:ways$}  {documentation}")
    };
    let lines = profiles.iter().map(|known| {
        line(
            known.name,
            known.authentication.to_string(),
            known.documentation,
        )
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn body(argument: &BodyArgument) -> io::Result<Vec<u8>> {
    match argument {
        BodyArgument::File(path) => fs::read(path),
        BodyArgument::Stdin => {
            let mut body = Vec::new();
            io::stdin().read_to_end(&mut body)?;
            Ok(body)
        }
    }
}

fn decode(arguments: DeliveryArguments, body: Vec<u8>) -> ExitCode {
    let senders = senders::all();
    let Some(sender) = senders
        .iter()
        .find(|sender| *sender.profile() == arguments.sender)
    else {
        return complain("the type of sender is not known", 1);
    };
    // Without a secret there is nothing to check, and the delivery is decoded all the same.
    let policy = SecretPolicy {
        require_secret: false,
    };
    let delivery = Delivery {
        id: DeliveryId::new("decode".to_owned()),
        headers: arguments.headers.into_iter().collect(),
        query: arguments.query.into_iter().collect(),
        body,
    };
    let outcome = read(sender.as_ref(), policy, &arguments.secrets, delivery);
    let code = if outcome.is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    };
    match serde_json::to_string(&shown(&outcome)) {
        Ok(json) => print(json),
        Err(error) => return complain(error, 1),
    };
    code
}

/// What is printed.
#[derive(Serialize)]
struct Shown {
    outcome: &'static str,
    reason: Option<String>,
    images: Vec<Image>,
}

#[derive(Serialize)]
struct Image {
    registry: String,
    repository: String,
    tag: String,
    digest: Option<String>,
}

fn shown(outcome: &Result<Verified<Reading>, Rejection>) -> Shown {
    let decoded = outcome.as_ref().map(|read| &read.get().decoded);
    let (outcome, reason, images) = match decoded {
        Ok(Decoded::Images(images)) => ("accepted", None, images.iter().map(image).collect()),
        Ok(Decoded::Ignored(reason)) => ("ignored", Some(reason.clone()), Vec::new()),
        Err(rejection) => ("rejected", Some(rejection.to_string()), Vec::new()),
    };
    Shown {
        outcome,
        reason,
        images,
    }
}

fn image(event: &ImageEvent) -> Image {
    Image {
        registry: event.image.registry().to_string(),
        repository: event.image.repository().to_string(),
        tag: event.tag.to_string(),
        digest: event.digest.as_ref().map(ToString::to_string),
    }
}
