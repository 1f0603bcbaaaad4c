//! Why something that looks like a signature is none.

use thiserror::Error;

/// Why an artifact of a registry cannot be read as signatures. No text repeats what the artifact says: whoever may push wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Unreadable {
    /// It is no JSON of the right shape.
    #[error("{what} is not the JSON it should be (line {line}, column {column})")]
    Json {
        /// What it should be.
        what: &'static str,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// It is no base64.
    #[error("{0} is no base64")]
    Base64(&'static str),
    /// A manifest names something by what is no digest.
    #[error("a manifest names a layer or a manifest by what is no digest")]
    Digest,
    /// A layer has no signature beside it.
    #[error("a layer lacks the annotation dev.cosignproject.cosign/signature")]
    NoAnnotation,
    /// A bundle holds no DSSE envelope.
    #[error("a bundle has no dsseEnvelope, so that it names no image")]
    NoEnvelope,
    /// An envelope holds something other than a statement.
    #[error("an envelope's payloadType is not application/vnd.in-toto+json")]
    PayloadType,
    /// A payload is no statement.
    #[error("a payload is no in-toto Statement")]
    NoStatement,
}

impl Unreadable {
    /// What became of a text that should be JSON.
    pub(super) fn json(what: &'static str, error: &serde_json::Error) -> Self {
        Self::Json {
            what,
            line: error.line(),
            column: error.column(),
        }
    }
}
