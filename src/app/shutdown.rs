//! The end of a process: in an order in which nothing that was accepted is lost, and in time.

use std::future::Future;

use tokio::time::Instant;
use tokio::time::sleep;
use tokio::time::timeout_at;
use tracing::info;
use tracing::warn;

use crate::app::settings::ShutdownSettings;

/// What an end consists of, in this order.
pub struct Steps<Unready, Stop, Finish> {
    /// Tells whoever asks for readiness that it is over. Deliveries are still taken.
    pub unready: Unready,
    /// Takes no more deliveries, and answers those that are being taken.
    pub stop: Stop,
    /// Works on everything that was accepted.
    pub finish: Finish,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Everything was done.
    Finished,
    /// Time ran out before that.
    OutOfTime,
    /// A second signal came.
    Aborted,
    /// A part of the program failed.
    Failed,
}

/// Goes through the steps, as long as there is time and no second signal.
pub async fn end<E, Unready, Stop, Finish>(
    settings: ShutdownSettings,
    steps: Steps<Unready, Stop, Finish>,
    second_signal: impl Future<Output = ()>,
) -> End
where
    Unready: FnOnce(),
    Stop: Future<Output = Result<(), E>>,
    Finish: Future<Output = Result<(), E>>,
{
    let ShutdownSettings { delay, grace } = settings;
    let deadline = Instant::now() + grace;
    // Before the line, so that whoever reads it finds the server unready.
    (steps.unready)();
    info!(?delay, ?grace, "shutting down");
    let steps = async {
        sleep(delay).await;
        let stopped = steps.stop.await;
        info!("no more deliveries are taken");
        // Whatever became of the door, what came through it is worked on.
        steps.finish.await.and(stopped)
    };
    tokio::select! {
        in_time = timeout_at(deadline, steps) => match in_time {
            Ok(Ok(())) => End::Finished,
            Ok(Err(_)) => End::Failed,
            Err(_) => End::OutOfTime,
        },
        () = second_signal => {
            warn!("a second signal: ending at once");
            End::Aborted
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::future::pending;
    use std::time::Duration;

    use super::*;

    const SETTINGS: ShutdownSettings = ShutdownSettings {
        delay: Duration::from_secs(3),
        grace: Duration::from_secs(8),
    };

    const DONE: Result<(), &str> = Ok(());

    #[tokio::test(start_paused = true)]
    async fn a_door_that_failed_keeps_nobody_from_finishing() {
        let finished = RefCell::new(false);
        let steps = Steps {
            unready: || {},
            stop: async { Err("a task has panicked") },
            finish: async {
                finished.replace(true);
                Ok(())
            },
        };
        assert_eq!(end(SETTINGS, steps, pending()).await, End::Failed);
        assert!(*finished.borrow());
    }

    #[tokio::test(start_paused = true)]
    async fn the_steps_come_in_order_after_the_delay() {
        let start = Instant::now();
        let told = RefCell::new(Vec::new());
        let tell = |step| told.borrow_mut().push((step, start.elapsed().as_secs()));
        let steps = Steps {
            unready: || tell("unready"),
            stop: async {
                tell("stop");
                DONE
            },
            finish: async {
                tell("finish");
                DONE
            },
        };
        assert_eq!(end(SETTINGS, steps, pending()).await, End::Finished);
        assert_eq!(*told.borrow(), [("unready", 0), ("stop", 3), ("finish", 3)]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_grace_is_all_there_is_the_delay_included() {
        let start = Instant::now();
        let steps = Steps {
            unready: || {},
            stop: async { DONE },
            finish: pending(),
        };
        assert_eq!(end(SETTINGS, steps, pending()).await, End::OutOfTime);
        assert_eq!(start.elapsed(), SETTINGS.grace);
    }

    #[tokio::test(start_paused = true)]
    async fn a_second_signal_waits_for_nothing() {
        let start = Instant::now();
        let steps = Steps {
            unready: || {},
            stop: pending(),
            finish: async { DONE },
        };
        assert_eq!(
            end(SETTINGS, steps, sleep(Duration::from_secs(1))).await,
            End::Aborted
        );
        assert_eq!(start.elapsed(), Duration::from_secs(1));
    }
}
