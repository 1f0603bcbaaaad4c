//! What is known of one object.

use std::sync::Arc;

use kube::Resource;
use tracing::info;
use tracing::warn;

use crate::adapters::kubernetes::finalizer::FINALIZER;
use crate::adapters::kubernetes::slim_object::Kind;
use crate::adapters::kubernetes::slim_object::SlimObject;
use crate::adapters::kubernetes::version::Version;
use crate::adapters::wire::findings::Finding;
use crate::domain::resources::problem::ResourceKind;
use crate::domain::resources::resource::ResourceId;

/// An object as it was last heard of.
#[derive(Debug, Clone)]
pub(super) struct Entry<T> {
    /// What it says; `None` where something in it is wrong, and of an ImageUpdater that is being deleted.
    pub(super) object: Option<Arc<T>>,
    pub(super) version: Version,
    pub(super) uid: Box<str>,
    /// Where its finalizer is that nobody else takes off, if it is being deleted.
    pub(super) held: Option<usize>,
    /// What is wrong with it, and what becomes of it because of that.
    problems: Vec<String>,
}

impl<T: Kind> Entry<T> {
    pub(super) fn of(object: &SlimObject<T>) -> Self {
        let (read, findings) = object.read();
        let told = findings.told();
        // An Application that is being deleted may run for a long time yet.
        let counts = T::KIND != ResourceKind::ImageUpdater || !object.is_leaving();
        let metadata = object.meta();
        Self {
            object: read.filter(|_| counts).map(Arc::new),
            version: Version::parse(metadata.resource_version.as_deref().unwrap_or_default()),
            uid: metadata.uid.as_deref().unwrap_or_default().into(),
            held: object.held_by(FINALIZER),
            problems: told.map(|(fate, finding)| problem(fate, finding)).collect(),
        }
    }

    /// Takes the place of what was known, and says whether it is anything else. Where it is equal, the object stays the one that it was. Its
    /// problems are logged when they come and when they go.
    pub(super) fn succeed(&mut self, id: &ResourceId, before: Option<Self>) -> bool {
        let before_problems = before.as_ref().map_or(&[][..], |before| &before.problems);
        log_changes::<T>(id, before_problems, &self.problems);
        let before = before.and_then(|before| before.object);
        if self.object == before {
            self.object = before;
            return false;
        }
        true
    }

    /// Ends because the object is gone, and says whether it counted for anything.
    pub(super) fn end(self, id: &ResourceId) -> bool {
        log_changes::<T>(id, &self.problems, &[]);
        self.object.is_some()
    }
}

fn problem(fate: &str, finding: &Finding) -> String {
    match fate.trim_start() {
        "" => finding.to_string(),
        fate => format!("{fate}: {finding}"),
    }
}

fn log_changes<T: Kind>(id: &ResourceId, before: &[String], now: &[String]) {
    let kind = T::KIND;
    for problem in now.iter().filter(|problem| !before.contains(problem)) {
        warn!(%kind, object = %id, problem, "resource has a problem");
    }
    for problem in before.iter().filter(|problem| !now.contains(problem)) {
        info!(%kind, object = %id, problem, "resource has that problem no longer");
    }
}
