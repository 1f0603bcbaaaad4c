//! A journal that another process has for a moment: one that looks at it, that is about to end, or that has just begun.

use std::time::Duration;

use tokio::time::Instant;
use tokio::time::sleep;
use tracing::info;

use crate::adapters::journal::error::OpenError;

/// How long it is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long between two tries.
const PAUSE: Duration = Duration::from_millis(100);

/// Opens what `open` does as soon as no other process has it, within a few seconds.
///
/// # Errors
/// What `open` says, [`OpenError::InUse`] after that time only.
pub(super) async fn once_free<T, F>(mut open: impl FnMut() -> F) -> Result<T, OpenError>
where
    F: Future<Output = Result<T, OpenError>>,
{
    let until = Instant::now() + PATIENCE;
    let mut is_told = false;
    loop {
        match open().await {
            Err(OpenError::InUse(file)) if Instant::now() < until => {
                if !is_told {
                    info!(file = %file.display(), "the journal is in use by another process: waiting for it");
                    is_told = true;
                }
                sleep(PAUSE).await;
            }
            opened => return opened,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_in_use_for_a_moment_is_waited_for() {
        let started = Instant::now();
        let open = async |seconds: u64| {
            once_free(async || {
                let is_free = started.elapsed() >= Duration::from_secs(seconds);
                is_free
                    .then_some(())
                    .ok_or_else(|| OpenError::InUse(PathBuf::new()))
            })
            .await
        };
        assert!(open(5).await.is_ok());
        assert_eq!(started.elapsed().as_secs(), 5);
        assert!(matches!(open(3600).await, Err(OpenError::InUse(_))));
        assert_eq!(started.elapsed().as_secs(), 15);
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_else_is_waited_for() {
        let started = Instant::now();
        let damaged = async || {
            Err::<(), _>(OpenError::Damaged {
                path: PathBuf::new(),
                reason: String::new(),
            })
        };
        assert!(once_free(damaged).await.is_err());
        assert!(started.elapsed().is_zero());
    }
}
