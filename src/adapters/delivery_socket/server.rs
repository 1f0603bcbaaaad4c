//! The side that answers.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::io::AsyncBufReadExt;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::io::BufReader;
use tokio::net::UnixListener;
use tokio::net::UnixStream;
use tokio::time::sleep;
use tracing::debug;
use tracing::info;
use tracing::warn;

use super::NAME;
use super::form::Answer;
use super::form::Question;
use crate::adapters::wire::journal::RecordForm;
use crate::domain::delivery::DeliveryId;
use crate::ports::delivery_log::DeliveryLog;
use crate::ports::delivery_log::LogError;
use crate::ports::delivery_log::Redelivery;

/// The longest question, in bytes.
const LONGEST: u64 = 4096;
/// The most deliveries in an answer, which is in memory as a whole.
const MOST: usize = 100;

/// Why the socket cannot be had.
#[derive(Debug, Error)]
#[error(
    "the socket {path} cannot be opened: {source}; a path of a socket has about 100 bytes at the most, so that a shorter --state-dir may help"
)]
pub struct SocketError {
    path: PathBuf,
    source: io::Error,
}

/// A socket at which deliveries are told of. It is removed at the end.
pub struct DeliverySocket {
    listener: UnixListener,
    log: Arc<dyn DeliveryLog>,
    path: PathBuf,
    /// Tells it from others of that name. As long as it listens, no other file has the same.
    file: (u64, u64),
}

impl Drop for DeliverySocket {
    fn drop(&mut self) {
        // The next process may have put its own in the place already.
        if file_at(&self.path).is_ok_and(|file| file == self.file) {
            // Whoever cannot remove it leaves a socket at which nobody answers, which the next start replaces.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Device and inode of what has a name.
fn file_at(path: &Path) -> io::Result<(u64, u64)> {
    let file = fs::symlink_metadata(path)?;
    Ok((file.dev(), file.ino()))
}

impl DeliverySocket {
    /// Opens the socket in a state folder that no other process has. One that an earlier process left there is replaced.
    ///
    /// # Errors
    /// [`SocketError`].
    pub fn open(folder: &Path, log: Arc<dyn DeliveryLog>) -> Result<Self, SocketError> {
        let path = folder.join(NAME);
        let _ = fs::remove_file(&path);
        let opened = UnixListener::bind(&path).and_then(|listener| {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
            Ok((listener, file_at(&path)?))
        });
        match opened {
            Ok((listener, file)) => Ok(Self {
                listener,
                log,
                path,
                file,
            }),
            Err(source) => Err(SocketError { path, source }),
        }
    }

    /// Answers for ever.
    pub async fn serve(self) {
        /// When there are no files left to open, some may be a moment later.
        const REST: Duration = Duration::from_millis(100);
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    let log = Arc::clone(&self.log);
                    tokio::spawn(async move {
                        if let Err(error) = answer(stream, &*log).await {
                            debug!(%error, "a question about deliveries was given up");
                        }
                    });
                }
                Err(error) => {
                    warn!(%error, "a question about deliveries could not be taken");
                    sleep(REST).await;
                }
            }
        }
    }
}

async fn answer(stream: UnixStream, log: &dyn DeliveryLog) -> io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    let mut read = BufReader::new(read.take(LONGEST));
    read.read_line(&mut line).await?;
    let answer = match serde_json::from_str(&line) {
        Ok(question) => found(question, log).await,
        Err(error) => Answer::Error(format!("the question makes no sense: {error}")),
    };
    let mut line = serde_json::to_vec(&answer)?;
    line.push(b'\n');
    write.write_all(&line).await
}

async fn found(question: Question, log: &dyn DeliveryLog) -> Answer {
    let answer = match question {
        Question::List { before, most } => {
            let before = before.map(DeliveryId::new);
            let page = log.list(before, most.min(MOST)).await;
            page.map(|records| Answer::List(records.iter().map(RecordForm::from).collect()))
        }
        Question::Show(id) => log
            .show(&DeliveryId::new(id))
            .await
            .map(|record| Answer::Show(record.as_ref().map(RecordForm::from))),
        Question::Redeliver(id) => {
            let redelivered = log.redeliver(&DeliveryId::new(id.as_str())).await;
            if redelivered == Ok(Redelivery::Queued) {
                info!(
                    delivery = id,
                    "delivery is worked on again, as somebody asked for it"
                );
            }
            redelivered.map(|redelivery| Answer::Redeliver(redelivery.into()))
        }
    };
    answer.unwrap_or_else(|LogError::Unavailable(reason)| Answer::Error(reason))
}

#[cfg(test)]
mod tests {
    use super::super::client::RunningProcess;
    use super::*;
    use crate::ports::delivery_log::MockDeliveryLog;

    #[tokio::test]
    async fn a_socket_is_removed_at_its_end_and_that_of_the_next_process_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let open =
            || DeliverySocket::open(folder.path(), Arc::new(MockDeliveryLog::new())).unwrap();
        let ending = open();
        let next = open();
        drop(ending);
        assert!(RunningProcess::of(folder.path()).await.is_some());
        drop(next);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn who_asks_for_very_many_gets_a_page_of_them() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = MockDeliveryLog::new();
        let is_meant = |before: &Option<DeliveryId>, most: &usize| {
            (before.as_ref(), *most) == (Some(&DeliveryId::new("d7")), MOST)
        };
        log.expect_list()
            .withf(is_meant)
            .returning(|_, _| Ok(Vec::new()));
        let socket = DeliverySocket::open(folder.path(), Arc::new(log)).unwrap();
        tokio::spawn(socket.serve());
        let process = RunningProcess::of(folder.path()).await.unwrap();
        let listed = process.list(Some(DeliveryId::new("d7")), 10_000).await;
        assert_eq!(listed, Ok(Vec::new()));
    }
}
