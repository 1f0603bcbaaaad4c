//! What `decode` is asked to do.

use std::path::PathBuf;

use clap::ArgMatches;

use super::command;
use super::usage_error::UsageError;
use crate::domain::secret_policy::Secrets;
use crate::domain::sender::SenderProfile;

/// What `decode` is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DecodeArguments {
    /// List the types of senders.
    List,
    /// Decode a delivery.
    Delivery(DeliveryArguments),
}

/// A delivery to be decoded. `Debug` shows neither secrets nor headers nor query.
#[derive(Clone, PartialEq, Eq)]
pub struct DeliveryArguments {
    /// The type of sender.
    pub sender: SenderProfile,
    /// The secrets that it has to know; empty: authentication is not looked at.
    pub secrets: Secrets,
    /// Headers, their names in lower case.
    pub headers: Vec<(String, String)>,
    /// Query parameters, decoded.
    pub query: Vec<(String, String)>,
    /// Where the body is read.
    pub body: BodyArgument,
}

/// Where a body is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BodyArgument {
    /// From standard input.
    Stdin,
    /// From a file.
    File(PathBuf),
}

impl DecodeArguments {
    pub(super) fn read(
        matches: &ArgMatches,
        senders: &[SenderProfile],
    ) -> Result<Self, UsageError> {
        if matches.get_flag(command::LIST) {
            return Ok(Self::List);
        }
        Ok(Self::Delivery(DeliveryArguments {
            sender: sender(matches, senders)?,
            secrets: secrets(matches)?,
            headers: all(matches, command::HEADER, header)?,
            query: all(matches, command::QUERY, parameter)?,
            body: match matches.get_one::<PathBuf>(command::FILE) {
                Some(path) if path.as_os_str() != "-" => BodyArgument::File(path.clone()),
                _ => BodyArgument::Stdin,
            },
        }))
    }
}

/// An empty secret is refused: whoever gives one, such as an unset variable, believes that authentication is looked at.
fn secrets(matches: &ArgMatches) -> Result<Secrets, UsageError> {
    let secrets = Secrets::parse(text(matches, command::SECRET));
    if secrets.is_empty() && matches.contains_id(command::SECRET) {
        return Err(UsageError::new("--secret is empty"));
    }
    Ok(secrets)
}

/// The type of sender that was asked for; clap has checked the name.
pub(super) fn sender(
    matches: &ArgMatches,
    senders: &[SenderProfile],
) -> Result<SenderProfile, UsageError> {
    let name = text(matches, command::TYPE);
    let sender = senders.iter().find(|sender| sender.name == name);
    sender
        .copied()
        .ok_or_else(|| UsageError::new("--type is missing"))
}

/// A text argument; empty where it is not given.
pub(super) fn text<'a>(matches: &'a ArgMatches, name: &str) -> &'a str {
    matches.get_one::<String>(name).map_or("", String::as_str)
}

type Pair = (String, String);

fn all(
    matches: &ArgMatches,
    name: &str,
    parse: fn(&str) -> Option<Pair>,
) -> Result<Vec<Pair>, UsageError> {
    let given = matches.get_many::<String>(name).into_iter().flatten();
    let pairs: Option<Vec<_>> = given.map(|text| parse(text)).collect();
    pairs.ok_or_else(|| match name {
        command::HEADER => UsageError::new("give --header as 'NAME: VALUE'"),
        _ => UsageError::new("give --query as 'NAME=VALUE'"),
    })
}

fn header(text: &str) -> Option<Pair> {
    let (name, value) = text.split_once(':')?;
    let name = name.trim();
    let pair = (name.to_ascii_lowercase(), value.trim().to_owned());
    (!name.is_empty()).then_some(pair)
}

fn parameter(text: &str) -> Option<Pair> {
    let (name, value) = text.split_once('=')?;
    (!name.is_empty()).then(|| (name.to_owned(), value.to_owned()))
}

impl std::fmt::Debug for DeliveryArguments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeliveryArguments")
            .field("sender", &self.sender.name)
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}
