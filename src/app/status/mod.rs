//! Tells the cluster what was done: the status of ImageUpdaters, and Kubernetes Events.
//!
//! It goes on beside the work and never holds it up, and what cannot be told fails nothing. An ImageUpdater's status is written when something
//! in it is another: at once after work that was done for it, a moment later where what it tracks changed, so that a start is one
//! write for each and not one for each Application. Nothing is written a second time while nothing differs.

mod account;
mod desk;
mod grievances;
mod metered;
mod untold;

use std::collections::BTreeSet;
use std::collections::HashSet;
use std::future::Future;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::SystemTime;

use futures_util::future::join_all;
use tokio::sync::Notify;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio::time::sleep_until;

pub use self::account::Account;
use self::desk::Desk;
use self::desk::Sheet;
use self::grievances::Grievances;
pub use self::metered::Metered;
pub use self::untold::Untold;
use crate::domain::judgement::Judgement;
use crate::domain::reference::ImageName;
use crate::domain::resources::Resources;
use crate::domain::resources::image_updater_status::ImageUpdaterStatus;
use crate::domain::resources::resource::ResourceId;
use crate::domain::status::announcement::Announcement;
use crate::domain::status::conditions::METHOD_NOT_SUPPORTED;
use crate::domain::status::conditions::READY;
use crate::domain::status::reckoning::reckon;
use crate::domain::tracking::assessment::Assessment;
use crate::domain::tracking::index::Index;
use crate::ports::announcer::Announcer;
use crate::ports::resource_reader::ResourceReader;
use crate::ports::status_writer::StatusWriter;
use crate::ports::tell_error::TellError;

/// How long to wait before a status is written that could not be for now.
const RETRY: Duration = Duration::from_secs(30);
/// How many Events are written at once. After a change of very many Applications one after the other would take longer than an end may.
const ANNOUNCED_AT_ONCE: usize = 8;

/// What the reporter works with.
pub struct Ports {
    /// ImageUpdaters and Applications.
    pub reader: Arc<dyn ResourceReader>,
    /// Writes statuses.
    pub writer: Arc<dyn StatusWriter>,
    /// Writes Events; `None`: nobody wants them.
    pub announcer: Option<Arc<dyn Announcer>>,
}

/// Tells the cluster what was done.
pub struct Reporter {
    ports: Ports,
    desk: Mutex<Desk>,
    grievances: Mutex<Grievances>,
    /// Rung when there is a status to look at.
    statuses: Notify,
    /// Rung when there is something to announce.
    announcements: Notify,
    metered: Option<Metered>,
}

impl Reporter {
    /// A reporter that has nothing to tell yet.
    #[must_use]
    pub fn new(ports: Ports) -> Self {
        Self {
            ports,
            desk: Mutex::default(),
            grievances: Mutex::default(),
            statuses: Notify::new(),
            announcements: Notify::new(),
            metered: None,
        }
    }

    /// Has it counted as well.
    #[must_use]
    pub fn metered(self, metered: Metered) -> Self {
        let metered = Some(metered);
        Self { metered, ..self }
    }

    /// Hears that there is something else to say about an ImageUpdater, or nothing, as it is gone.
    pub fn assessed(&self, updater: &ResourceId, assessment: Option<Assessment>) {
        if let Some(metered) = &self.metered {
            metered.assessed(updater, assessment.as_ref());
        }
        lock(&self.desk).assessed(updater, assessment, Instant::now());
        self.statuses.notify_one();
    }

    /// Hears what was done for the events of an image.
    pub fn done(&self, account: &Account) {
        if account.is_empty() {
            return;
        }
        if let Some(metered) = &self.metered {
            metered.done(account);
        }
        let announcements = lock(&self.desk).done(account, SystemTime::now(), Instant::now());
        self.announce(announcements);
        self.statuses.notify_one();
    }

    /// Hears what was found about an image in the end: what no registry answered is wrong until it does.
    pub fn judged(&self, image: &ImageName, judgement: &Judgement) {
        if let Some(metered) = &self.metered {
            metered.judged(judgement);
        }
        let changed = lock(&self.desk).judged(image, judgement, Instant::now());
        if changed {
            self.statuses.notify_one();
        }
    }

    /// Hears that registries were looked at for ImageUpdaters.
    pub fn checked(&self, updaters: &BTreeSet<ResourceId>) {
        lock(&self.desk).checked(updaters, SystemTime::now(), Instant::now());
        self.statuses.notify_one();
    }

    /// Hears what the cluster is like by now: what could not be done may have been done by somebody else, and what was not answered may be asked by
    /// nobody any more.
    pub fn looked(&self, resources: &Resources, index: &Index) {
        let now = Instant::now();
        let (announcements, is_less) = {
            let mut desk = lock(&self.desk);
            let announcements = desk.looked(resources, SystemTime::now(), now);
            (announcements, desk.forget_unasked(index, now))
        };
        if is_less {
            self.statuses.notify_one();
        }
        if !announcements.is_empty() {
            self.announce(announcements);
            self.statuses.notify_one();
        }
    }

    /// Tells what it hears of for as long as the work goes on, and then what is left.
    pub async fn beside(&self, work: impl Future<Output = ()>) {
        let (ended, mut work_has_ended) = watch::channel(false);
        let (written, mut all_is_written) = watch::channel(false);
        tokio::join!(
            async {
                work.await;
                ended.send_replace(true);
            },
            async {
                self.write_statuses(&mut work_has_ended).await;
                written.send_replace(true);
            },
            self.write_announcements(&mut all_is_written),
        );
    }

    async fn write_statuses(&self, ended: &mut watch::Receiver<bool>) {
        while !*ended.borrow() {
            let due = lock(&self.desk).next_due();
            tokio::select! {
                // Fails only when the sender is gone, which the caller holds.
                _ = ended.changed() => {}
                () = self.statuses.notified() => {}
                () = until(due) => self.write_due(Instant::now()).await,
            }
        }
        let all = lock(&self.desk).take_all();
        for (updater, sheet) in all {
            if self.can_be_told(&sheet) {
                self.write(&updater, sheet).await;
            }
        }
    }

    async fn write_due(&self, now: Instant) {
        let due = lock(&self.desk).take_due(now);
        for (updater, sheet) in due {
            if self.can_be_told(&sheet) {
                self.write(&updater, sheet).await;
            } else {
                lock(&self.desk).put_off(&updater, None, Some(Instant::now() + desk::SETTLE));
            }
        }
    }

    /// While not everything is known, what would be said of all that is tracked would be wrong a moment later. What was done is so whatever is
    /// known, and nothing is done before everything was known once.
    fn can_be_told(&self, sheet: &Sheet) -> bool {
        sheet.run.is_some() || self.ports.reader.is_current()
    }

    async fn write(&self, updater: &ResourceId, sheet: Sheet) {
        let resources = self.ports.reader.current();
        let mut updaters = resources.updaters.iter();
        let Some(object) = updaters.find(|one| one.id == *updater) else {
            return;
        };
        let applications = resources.applications.iter();
        let there: HashSet<&ResourceId> = applications.map(|one| &one.id).collect();
        let failures = lock(&self.desk).failures_of(updater, |failed| there.contains(failed));
        let before = &object.status;
        let now = SystemTime::now();
        let run = sheet.run.as_ref();
        let Some(status) = reckon(before, &sheet.assessment, &failures, run, now) else {
            return;
        };
        match self.ports.writer.write(updater, before, &status).await {
            Ok(()) => self.wrote(updater, before, &status),
            Err(TellError::Gone) => {}
            Err(error) => {
                lock(&self.grievances).status(updater, &error);
                let again = matches!(error, TellError::Unavailable { .. });
                let due = again.then(|| Instant::now() + RETRY);
                // What may never be written is not kept: there would be more of it for as long as the process lives.
                let run = sheet.run.filter(|_| again);
                lock(&self.desk).put_off(updater, run, due);
            }
        }
    }

    fn wrote(&self, updater: &ResourceId, before: &ImageUpdaterStatus, now: &ImageUpdaterStatus) {
        lock(&self.desk).wrote(updater, Instant::now());
        lock(&self.grievances).status_works();
        if asks_in_vain(now) && !asks_in_vain(before) {
            self.announce(vec![Announcement::method_not_supported(updater)]);
        }
    }

    fn announce(&self, announcements: Vec<Announcement>) {
        if self.ports.announcer.is_some() && !announcements.is_empty() {
            lock(&self.desk).announcements.extend(announcements);
            self.announcements.notify_one();
        }
    }

    async fn write_announcements(&self, ended: &mut watch::Receiver<bool>) {
        let Some(announcer) = &self.ports.announcer else {
            return;
        };
        loop {
            let next = lock(&self.desk).next_announcements(ANNOUNCED_AT_ONCE);
            if !next.is_empty() {
                let all = next.iter().map(|one| self.tell(announcer.as_ref(), one));
                join_all(all).await;
            } else if *ended.borrow() {
                return;
            } else {
                tokio::select! {
                    () = self.announcements.notified() => {}
                    // Fails only when the sender is gone, which the caller holds.
                    _ = ended.changed() => {}
                }
            }
        }
    }

    async fn tell(&self, announcer: &dyn Announcer, announcement: &Announcement) {
        match announcer.announce(announcement).await {
            Ok(()) => lock(&self.grievances).events_work(),
            Err(error) => lock(&self.grievances).event(announcement, &error),
        }
    }
}

/// Whether a status says that changes are wanted in git.
fn asks_in_vain(status: &ImageUpdaterStatus) -> bool {
    let ready = status.condition(READY);
    ready.is_some_and(|ready| ready.reason == METHOD_NOT_SUPPORTED)
}

async fn until(due: Option<Instant>) {
    match due {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

/// Nothing in here panics while it holds a lock half-way through a change.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
