//! Choosing among pushed tags, by the event alone.

use std::cmp::Ordering;

use super::{Choice, Current, NewVersion, Policy, Pushed, Rule};
use crate::domain::policy::constraint::Constraint;
use crate::domain::policy::tag_filter::Exclusion;
use crate::domain::policy::version::Version;
use crate::domain::reference::Digest;
use crate::domain::reference::Tag;

/// How many tags a reason explains; a batch may hold hundreds.
const EXPLAINED: usize = 3;

impl Policy {
    /// Judges tags that were just pushed, oldest first, against everything that is in use.
    ///
    /// Whatever is in use counts: where one place has 1.2 and another 1.3, a push of 1.2.5 changes nothing. A place without a tag, or
    /// with one that the strategy cannot compare, is older than everything, and so is nothing at all. Where a place has a digest alone,
    /// `semver` and `alphabetical` cannot know what it runs: a tag that is higher than all others is undecided.
    ///
    /// * `semver` and `alphabetical`: the highest pushed tag, if it is higher than all that are in use. Another spelling of a version
    ///   that is in use (`v1.0`, `1.0.0`), or a push of its tag with other content, is no higher one.
    /// * `newest-build`: the tag that was pushed last, if a place has another one. A place that pins a digest is up to date only where
    ///   the event carries that digest: a re-pushed tag is a newer build, and the pin would keep it from running.
    ///   It is undecided where `platforms` are given, as only a registry tells which platforms an image is for.
    /// * `digest`: the pushed digest of the tag it follows, if a place has another one; undecided where the event carries none. The
    ///   digest of an index is written as it is, so `platforms` do not count.
    #[must_use]
    pub fn choose(&self, pushed: &[Pushed], current: &[Current]) -> Choice {
        let choice = match &self.rule {
            Rule::Semver(constraint) => self
                .best(pushed, |tag| admitted_version(constraint, tag))
                .map(|(push, version)| self.newer_version(&push.tag, &version, current)),
            Rule::NewestBuild => self
                .best(pushed, |_| Ok(()))
                .map(|(push, ())| newest_build(push, !self.platforms.is_any(), current)),
            Rule::Alphabetical => self
                .best(pushed, Ok)
                .map(|(_, tag)| self.later_in_order(tag, current)),
            Rule::Digest(followed) => self
                .best(pushed, |tag| is_followed(followed, tag))
                .map(|(push, ())| digest(push, current)),
        };
        choice.unwrap_or_else(Choice::Unchanged)
    }

    /// The push whose tag ranks highest, of equals the last, among those that the filter lets through and that are given a rank. The
    /// error says why there is none.
    pub(super) fn best<'p, T: Ord>(
        &self,
        pushed: &'p [Pushed],
        rank: impl Fn(&'p Tag) -> Result<T, String>,
    ) -> Result<(&'p Pushed, T), String> {
        let mut best: Option<(&Pushed, T)> = None;
        let mut refusals = Vec::new();
        for push in pushed {
            let ranked = match self.exclusion(&push.tag) {
                Some(reason) => Err(reason),
                None => rank(&push.tag),
            };
            match ranked {
                Ok(rank) if best.as_ref().is_none_or(|(_, top)| rank >= *top) => {
                    best = Some((push, rank));
                }
                Ok(_) => {}
                Err(reason) => refusals.push(reason),
            }
        }
        best.ok_or_else(|| summary(&refusals))
    }

    /// Why a tag is kept out whatever the strategy.
    pub(super) fn exclusion(&self, tag: &Tag) -> Option<String> {
        if tag.is_attachment() {
            return Some(format!("tag {tag} holds a signature or the like, no image"));
        }
        self.filter
            .exclusion(tag.as_str())
            .map(|exclusion| match exclusion {
                Exclusion::NotAllowed(rule) => {
                    format!("tag {tag} is not allowed by allowTags {rule}")
                }
                Exclusion::Ignored(pattern) => {
                    format!("tag {tag} is ignored by ignoreTags {pattern}")
                }
            })
    }

    /// Why a tag would not be chosen, whatever else there is.
    pub(super) fn refusal(&self, tag: &Tag) -> Option<String> {
        self.exclusion(tag).or_else(|| match &self.rule {
            Rule::Semver(constraint) => admitted_version(constraint, tag).err(),
            Rule::NewestBuild | Rule::Alphabetical => None,
            Rule::Digest(followed) => is_followed(followed, tag).err(),
        })
    }

    fn newer_version(&self, tag: &Tag, version: &Version, current: &[Current]) -> Choice {
        let in_use = current
            .iter()
            .filter_map(|place| Version::parse(place.tag.as_deref()?))
            .max();
        match in_use {
            Some(in_use) if version.precedence(&in_use) != Ordering::Greater => {
                self.not_higher(tag, in_use.as_str())
            }
            Some(_) | None => higher(tag, current),
        }
    }

    fn later_in_order(&self, tag: &Tag, current: &[Current]) -> Choice {
        let in_use = current
            .iter()
            .filter_map(|place| Tag::parse(place.tag.as_deref()?).ok())
            .max();
        match in_use {
            Some(in_use) if *tag <= in_use => self.not_higher(tag, in_use.as_str()),
            Some(_) | None => higher(tag, current),
        }
    }

    /// Says that the highest pushed tag is not higher than one in use, and what it takes where that one is itself against the rules.
    fn not_higher(&self, pushed: &Tag, in_use: &str) -> Choice {
        if pushed.as_str() == in_use {
            return Choice::Unchanged(format!("tag {pushed} is in use already"));
        }
        let reason = format!("tag {pushed} is not higher than {in_use}, which is in use");
        let refusal = Tag::parse(in_use).ok().and_then(|tag| self.refusal(&tag));
        Choice::Unchanged(match refusal {
            Some(refusal) => format!(
                "{reason}; {refusal}, but an event alone never goes back: that takes a list of the registry's tags, or a change by hand"
            ),
            None => reason,
        })
    }
}

/// A tag that is higher than every tag in use: the change to it, unless what is in use is not known.
fn higher(tag: &Tag, current: &[Current]) -> Choice {
    match current.iter().find_map(|place| untagged(place, current)) {
        Some(digest) => Choice::Undecided(format!(
            "digest {digest} is in use without a tag, and only a registry tells whether {tag} is higher: set a tag there"
        )),
        None => change(tag),
    }
}

/// The digest of a place without a tag, if no other place says which tag it is.
fn untagged<'c>(place: &'c Current, current: &[Current]) -> Option<&'c Digest> {
    let digest = place.digest.as_ref().filter(|_| place.tag.is_none())?;
    let is_tagged = current
        .iter()
        .any(|other| other.tag.is_some() && other.digest.as_ref() == Some(digest));
    (!is_tagged).then_some(digest)
}

pub(super) fn admitted_version(constraint: &Constraint, tag: &Tag) -> Result<Version, String> {
    let version = Version::parse(tag.as_str()).ok_or_else(|| format!("tag {tag} is no version"))?;
    if constraint.matches(&version) {
        Ok(version)
    } else if version.is_prerelease() && !constraint.admits_prereleases() {
        Err(format!(
            "tag {tag} is a pre-release, which the constraint {constraint} does not admit without one of its own, such as -0 at its end"
        ))
    } else {
        Err(format!(
            "tag {tag} does not satisfy the constraint {constraint}"
        ))
    }
}

pub(super) fn is_followed(followed: &Tag, tag: &Tag) -> Result<(), String> {
    if tag == followed {
        Ok(())
    } else {
        Err(format!("tag {tag} is not {followed}, the tag to follow"))
    }
}

fn newest_build(push: &Pushed, for_platforms: bool, current: &[Current]) -> Choice {
    let tag = &push.tag;
    if for_platforms {
        return Choice::Undecided(format!(
            "only a registry tells whether tag {tag} is for the platforms that are configured"
        ));
    }
    let up_to_date = |place: &Current| {
        place.tag.as_deref() == Some(tag.as_str())
            && (place.digest.is_none() || place.digest == push.digest)
    };
    if is_everywhere(current, up_to_date) {
        return Choice::Unchanged(format!("tag {tag} is in use already"));
    }
    change(tag)
}

fn digest(push: &Pushed, current: &[Current]) -> Choice {
    let Some(digest) = &push.digest else {
        return Choice::Undecided(format!(
            "the event carries no digest for tag {}, and only a registry tells it",
            push.tag
        ));
    };
    if is_everywhere(current, |place| place.digest.as_ref() == Some(digest)) {
        return Choice::Unchanged(format!("digest {digest} is in use already"));
    }
    Choice::Change(NewVersion {
        tag: push.tag.clone(),
        digest: Some(digest.clone()),
    })
}

/// Where nothing is in use, nothing is up to date.
pub(super) fn is_everywhere(current: &[Current], up_to_date: impl Fn(&Current) -> bool) -> bool {
    !current.is_empty() && current.iter().all(up_to_date)
}

pub(super) fn change(tag: &Tag) -> Choice {
    Choice::Change(NewVersion {
        tag: tag.clone(),
        digest: None,
    })
}

pub(super) fn summary(refusals: &[String]) -> String {
    if refusals.is_empty() {
        return "nothing was pushed".to_owned();
    }
    let explained = refusals.get(..EXPLAINED).unwrap_or(refusals).join("; ");
    match refusals.len().saturating_sub(EXPLAINED) {
        0 => explained,
        more => format!("{explained}; and {more} more"),
    }
}

#[cfg(test)]
mod tests;
