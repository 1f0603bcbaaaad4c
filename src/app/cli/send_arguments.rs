//! What `send` is asked to do.

use std::fmt;
use std::path::PathBuf;

use clap::ArgMatches;
use http::Uri;

use super::command;
use super::decode_arguments::{sender, text};
use super::usage_error::UsageError;
use crate::domain::event::ImageEvent;
use crate::domain::reference::Reference;
use crate::domain::secret_policy::Secret;
use crate::domain::sender::SenderProfile;

/// What `send` is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendArguments {
    /// The type of sender.
    pub sender: SenderProfile,
    /// The push that is announced.
    pub event: ImageEvent,
    /// Where it is sent.
    pub url: TargetUrl,
    /// How the sender proves who it is.
    pub secret: SecretArgument,
    /// Whether any certificate is accepted.
    pub insecure: bool,
}

/// Where a secret is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretArgument {
    /// There is none.
    None,
    /// It was given.
    Given(Secret),
    /// In a file.
    File(PathBuf),
}

/// An address over HTTP or HTTPS. Its query may hold a secret, so it is not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct TargetUrl(Uri);

impl TargetUrl {
    fn parse(text: &str) -> Result<Self, UsageError> {
        let uri: Option<Uri> = text.parse().ok();
        uri.filter(|uri| matches!(uri.scheme_str(), Some("http" | "https")))
            .map(Self)
            .ok_or_else(|| UsageError::new("give --url as https://HOST[:PORT]/webhook"))
    }

    /// The whole address.
    #[must_use]
    pub fn uri(&self) -> &Uri {
        &self.0
    }
}

impl fmt::Display for TargetUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.0.scheme_str().unwrap_or_default();
        let host = self.0.host().unwrap_or_default();
        write!(f, "{scheme}://{host}")?;
        if let Some(port) = self.0.port_u16() {
            write!(f, ":{port}")?;
        }
        f.write_str(self.0.path())
    }
}

impl fmt::Debug for TargetUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl SendArguments {
    pub(super) fn read(
        matches: &ArgMatches,
        senders: &[SenderProfile],
    ) -> Result<Self, UsageError> {
        Ok(Self {
            sender: sender(matches, senders)?,
            event: event(text(matches, command::IMAGE))?,
            url: TargetUrl::parse(text(matches, command::URL))?,
            secret: secret(matches)?,
            insecure: matches.get_flag(command::INSECURE),
        })
    }
}

fn event(image: &str) -> Result<ImageEvent, UsageError> {
    let reference =
        Reference::parse(image).map_err(|error| UsageError::new(format!("--image: {error}")))?;
    let tag = reference.tag().cloned();
    Ok(ImageEvent {
        image: reference.name().clone(),
        tag: tag.ok_or_else(|| UsageError::new("give --image with a tag, such as nginx:1.29"))?,
        digest: reference.digest().cloned(),
    })
}

fn secret(matches: &ArgMatches) -> Result<SecretArgument, UsageError> {
    if let Some(path) = matches.get_one::<PathBuf>(command::SECRET_FILE) {
        return Ok(SecretArgument::File(path.clone()));
    }
    match matches.get_one::<String>(command::SECRET) {
        None => Ok(SecretArgument::None),
        Some(text) => Secret::parse(text)
            .map(SecretArgument::Given)
            .ok_or_else(|| UsageError::new("--secret is empty")),
    }
}
