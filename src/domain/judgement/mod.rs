//! What pushed tags of an image, or those that its registry lists, mean for every Application that tracks it.

mod case;
mod changes;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::domain::change::ApplicationChange;
use crate::domain::event::ImageEvent;
use crate::domain::policy::Pushed;
use crate::domain::reference::ImageName;
use crate::domain::registry::access::Access;
use crate::domain::registry::answer::Failure;
use crate::domain::registry::credential_source::CredentialKind;
use crate::domain::registry::knowledge::Knowledge;
use crate::domain::registry::question::Question;
use crate::domain::resources::resource::ResourceId;
use crate::domain::tracking::index::Index;

use self::case::Case;
use self::changes::Changes;

/// What is to be done, and what was thought about it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judgement {
    /// One for each tracked image; none where nothing tracks the image.
    pub verdicts: Vec<Verdict>,
    /// All edits of an Application together, at most one for each of its sources.
    pub changes: Vec<ApplicationChange>,
    /// What is to be asked before all verdicts are final.
    pub questions: BTreeMap<Access, BTreeSet<Question>>,
}

/// Why an image is judged.
#[derive(Debug, Clone, Copy)]
pub enum Occasion<'a> {
    /// These events of it wait together, oldest first.
    Pushed(&'a [ImageEvent]),
    /// Its registry is looked at.
    Look,
}

/// On what a judgement rests.
#[derive(Debug, Clone, Copy)]
pub struct Grounds<'a> {
    /// What was learned for it so far; `None`: events are believed, and no registry is asked.
    pub knowledge: Option<&'a Knowledge>,
    /// Whether no version is ever lowered.
    pub never_downgrade: bool,
    /// Whether a tag that the registry does not show counts as not being there.
    pub is_last_try: bool,
    /// The kinds of credentials that images may name.
    pub credential_kinds: &'a [CredentialKind],
}

/// The event alone.
const NO_REGISTRY: Grounds<'static> = Grounds {
    knowledge: None,
    never_downgrade: false,
    is_last_try: false,
    credential_kinds: &[],
};

/// What was found about one tracked image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The Application.
    pub application: ResourceId,
    /// The ImageUpdater.
    pub updater: ResourceId,
    /// The image's alias; empty where it has none.
    pub alias: String,
    /// The image's name in the user's spelling.
    pub image: String,
    /// Whether it is live there. An ImageUpdater with a broad pattern lists images that most of its Applications do not run; what was
    /// found about those is seldom worth a line.
    pub live: bool,
    /// What was found.
    pub opinion: Opinion,
}

/// What a push means for one tracked image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opinion {
    /// It is to run the new version.
    Change {
        /// The tag and digest it has, as text; empty where it has none.
        old: String,
        /// The tag and digest it gets, as text.
        new: String,
    },
    /// What it runs stays. The reason is for people.
    Unchanged(String),
    /// It cannot be decided or done here, so what it runs stays. The reason is for people.
    Undecided(String),
    /// Questions are open: it is to be judged again when they are answered.
    Open,
    /// The registry gives no answer to decide by, or what it gives may not be run, so what it runs stays. Where that is passing, it is to be judged
    /// again later.
    Failed(Failure),
}

/// Judges the events of one image that wait together, oldest first, by the events alone. Every tracked image is judged for itself.
#[must_use]
pub fn judge(index: &Index, image: &ImageName, events: &[ImageEvent]) -> Judgement {
    judge_on(index, image, Occasion::Pushed(events), NO_REGISTRY)
}

/// Judges an image on what is known. What is missing is asked for by the judgement: whoever makes it asks, and judges again with what was
/// learned, until nothing is asked for.
#[must_use]
pub fn judge_on(
    index: &Index,
    image: &ImageName,
    occasion: Occasion<'_>,
    grounds: Grounds<'_>,
) -> Judgement {
    let case = Case {
        pushed: match occasion {
            Occasion::Pushed(events) => Some(events.iter().map(Pushed::from).collect()),
            Occasion::Look => None,
        },
        grounds,
    };
    let mut changes = Changes::default();
    let verdicts = index
        .tracked(image)
        .map(|tracked| Verdict {
            application: tracked.application.id.clone(),
            updater: tracked.updater.id.clone(),
            alias: tracked.rule.image.alias().to_owned(),
            image: tracked.rule.image.spelling().to_owned(),
            live: tracked.live.is_some(),
            opinion: case.opinion(tracked, &mut changes),
        })
        .collect();
    Judgement {
        verdicts,
        changes: changes.by_source.into_values().collect(),
        questions: changes.questions,
    }
}

impl From<&ImageEvent> for Pushed {
    fn from(event: &ImageEvent) -> Self {
        Self {
            tag: event.tag.clone(),
            digest: event.digest.clone(),
        }
    }
}
