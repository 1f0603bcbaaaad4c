//! Telling those who watch what is done.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::Updater;
use super::task::Task;
use crate::app::seeing::watched_queue::ago;
use crate::domain::change::ApplicationChange;
use crate::domain::change::ImageChange;
use crate::domain::judgement::Judgement;
use crate::domain::queue::entry::Batch;
use crate::domain::queue::entry::QueuedEvent;
use crate::domain::queue::fate::ImageOutcome;
use crate::ports::work_watcher::Occasion;
use crate::ports::work_watcher::Step;
use crate::ports::work_watcher::Stepped;
use crate::ports::work_watcher::WorkWatcher;

/// Who watches, if anybody does.
#[derive(Default)]
pub(super) struct Watching(Option<Watched>);

type Watched = Arc<dyn WorkWatcher>;

impl Watching {
    pub(super) fn new(watcher: Arc<dyn WorkWatcher>) -> Self {
        Self(Some(watcher))
    }

    /// A step of the work on a batch has just ended.
    pub(super) fn stepped(&self, step: Step, batch: &Batch, began: Instant, failed: bool) {
        if let Some(watched) = &self.0 {
            watched.stepped(Stepped {
                step,
                image: &batch.image,
                events: &batch.events,
                took: began.elapsed(),
                failed,
            });
        }
    }

    /// So many images of a batch have this outcome.
    pub(super) fn concluded(&self, batch: &Batch, outcome: ImageOutcome, images: usize) {
        if let Some(watched) = &self.0 {
            for _ in 0..images {
                let occasion = Occasion::of(&batch.events);
                watched.concluded(occasion, Some(outcome));
            }
        }
    }

    /// No Application tracks the image of a batch.
    pub(super) fn unmatched(&self, batch: &Batch) {
        if let Some(watched) = &self.0 {
            watched.concluded(Occasion::of(&batch.events), None);
        }
    }

    /// A change was written.
    pub(super) fn changed(&self, batch: &Batch, change: &ApplicationChange) {
        if let Some(watched) = &self.0 {
            let ages = change.images.iter();
            let ages = ages.filter_map(|image| age(&batch.events, image));
            ages.for_each(|age| watched.changed(age));
        }
    }
}

/// How long ago it was announced what an image becomes. Where no event says just that, as with a strategy that lists tags, the first one counts.
fn age(events: &[QueuedEvent], image: &ImageChange) -> Option<Duration> {
    let tag = image.new.split('@').next();
    let mut latest_first = events.iter().rev();
    let announced = latest_first.find(|queued| Some(queued.event.tag.as_str()) == tag);
    Some(ago(announced.or(events.first())?.at))
}

impl Updater {
    /// Judges, and tells those who watch.
    pub(super) fn decide(&self, task: &Task) -> Judgement {
        let began = Instant::now();
        let judgement = self.judge(task);
        self.watching
            .stepped(Step::Judge, &task.batch, began, false);
        judgement
    }
}
