//! Questions and answers as they go over the socket.

use serde::Deserialize;
use serde::Serialize;

use crate::adapters::wire::journal::RecordForm;
use crate::domain::queue::record::DeliveryRecord;
use crate::ports::delivery_log::LogError;
use crate::ports::delivery_log::Redelivery;

/// What is asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Question {
    List {
        /// The page has those that came before this one.
        before: Option<String>,
        most: usize,
    },
    Show(String),
    Redeliver(String),
}

/// What is answered.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Answer {
    List(Vec<RecordForm>),
    Show(Option<RecordForm>),
    Redeliver(RedeliveryForm),
    Error(String),
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum RedeliveryForm {
    Queued,
    Open,
    Unknown,
}

impl From<Redelivery> for RedeliveryForm {
    fn from(redelivery: Redelivery) -> Self {
        match redelivery {
            Redelivery::Queued => Self::Queued,
            Redelivery::Open => Self::Open,
            Redelivery::Unknown => Self::Unknown,
        }
    }
}

impl From<RedeliveryForm> for Redelivery {
    fn from(form: RedeliveryForm) -> Self {
        match form {
            RedeliveryForm::Queued => Self::Queued,
            RedeliveryForm::Open => Self::Open,
            RedeliveryForm::Unknown => Self::Unknown,
        }
    }
}

/// A record out of its form.
pub(super) fn record(form: RecordForm) -> Result<DeliveryRecord, LogError> {
    DeliveryRecord::try_from(form).map_err(LogError::Unavailable)
}
