//! The side that asks.

use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::AsyncBufReadExt;
use tokio::io::AsyncWriteExt;
use tokio::io::BufReader;
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::NAME;
use super::form::Answer;
use super::form::Question;
use super::form::record;
use crate::domain::delivery::DeliveryId;
use crate::domain::queue::record::DeliveryRecord;
use crate::ports::delivery_log::DeliveryLog;
use crate::ports::delivery_log::LogError;
use crate::ports::delivery_log::Redelivery;

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// The deliveries of a running process.
pub struct RunningProcess {
    path: PathBuf,
}

impl RunningProcess {
    /// The process that has a state folder; `None` where no process does.
    pub async fn of(folder: &Path) -> Option<Self> {
        let path = folder.join(NAME);
        UnixStream::connect(&path).await.ok()?;
        Some(Self { path })
    }

    async fn ask(&self, question: Question) -> Result<Answer, LogError> {
        let failed =
            |error: io::Error| LogError::Unavailable(format!("{}: {error}", self.path.display()));
        match timeout(PATIENCE, self.answer(question)).await {
            Ok(Ok(Answer::Error(reason))) => Err(LogError::Unavailable(reason)),
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(failed(error)),
            Err(_) => Err(failed(io::ErrorKind::TimedOut.into())),
        }
    }

    async fn answer(&self, question: Question) -> io::Result<Answer> {
        let (read, mut write) = UnixStream::connect(&self.path).await?.into_split();
        let mut line = serde_json::to_vec(&question)?;
        line.push(b'\n');
        write.write_all(&line).await?;
        let mut answer = String::new();
        BufReader::new(read).read_line(&mut answer).await?;
        Ok(serde_json::from_str(&answer)?)
    }
}

fn another() -> LogError {
    LogError::Unavailable(
        "the process answers another question: is it of the same version?".to_owned(),
    )
}

#[async_trait]
impl DeliveryLog for RunningProcess {
    async fn list(
        &self,
        before: Option<DeliveryId>,
        most: usize,
    ) -> Result<Vec<DeliveryRecord>, LogError> {
        let before = before.map(|id| id.to_string());
        match self.ask(Question::List { before, most }).await? {
            Answer::List(forms) => forms.into_iter().map(record).collect(),
            Answer::Show(_) | Answer::Redeliver(_) | Answer::Error(_) => Err(another()),
        }
    }

    async fn show(&self, id: &DeliveryId) -> Result<Option<DeliveryRecord>, LogError> {
        match self.ask(Question::Show(id.to_string())).await? {
            Answer::Show(form) => form.map(record).transpose(),
            Answer::List(_) | Answer::Redeliver(_) | Answer::Error(_) => Err(another()),
        }
    }

    async fn redeliver(&self, id: &DeliveryId) -> Result<Redelivery, LogError> {
        match self.ask(Question::Redeliver(id.to_string())).await? {
            Answer::Redeliver(redelivery) => Ok(redelivery.into()),
            Answer::List(_) | Answer::Show(_) | Answer::Error(_) => Err(another()),
        }
    }
}
