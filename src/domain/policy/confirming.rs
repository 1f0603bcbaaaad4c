//! Choosing among pushed tags, with the registry's word for what was chosen.

use super::Choice;
use super::Current;
use super::NewVersion;
use super::Policy;
use super::Pushed;
use super::Rule;
use super::choosing::is_everywhere;
use super::choosing::is_followed;
use super::choosing::summary;
use super::circumstances::Circumstances;
use crate::domain::policy::version::Version;
use crate::domain::reference::Digest;
use crate::domain::reference::Tag;
use crate::domain::registry::answer::Failure;
use crate::domain::registry::inquiry::Inquiry;
use crate::domain::registry::question::Age;
use crate::domain::registry::question::BuildQuestion;
use crate::domain::registry::question::Pointer;

/// What the registry says of a tag that was chosen.
pub(super) enum Standing {
    /// It is there, and points at this.
    There(Digest),
    /// It is not to be chosen. The reason is for people.
    Out(String),
}

impl Policy {
    /// Judges tags that were just pushed, oldest first, as [`choose`](Self::choose) does, and has the registry confirm the one that is chosen:
    /// that it is there, what it points at, and where platforms are asked for that it is for one of them. Where what the registry says differs
    /// from the event, the registry counts.
    ///
    /// * `newest-build` compares when the pushed tag was built with when everything in use was, so that a tag that is set anew, a replica or a
    ///   late event rolls nothing back.
    /// * What an event alone cannot decide is decided by [`look`](Self::look): whether to go back from a version that the policy excludes, and
    ///   what is newer than a digest without a tag.
    #[must_use]
    pub fn confirm(
        &self,
        pushed: &[Pushed],
        circumstances: Circumstances<'_>,
        inquiry: &mut Inquiry<'_>,
    ) -> Choice {
        match &self.rule {
            Rule::Semver(_) | Rule::Alphabetical => {
                self.confirm_highest(pushed, circumstances, inquiry)
            }
            Rule::NewestBuild => self.confirm_newest(pushed, circumstances, inquiry),
            Rule::Digest(followed) => match self.best(pushed, |tag| is_followed(followed, tag)) {
                Ok((push, ())) => {
                    self.follow(followed, push.digest.as_ref(), circumstances, inquiry)
                }
                Err(reason) => Choice::Unchanged(reason),
            },
        }
    }

    fn confirm_highest(
        &self,
        pushed: &[Pushed],
        circumstances: Circumstances<'_>,
        inquiry: &mut Inquiry<'_>,
    ) -> Choice {
        let mut left = pushed.to_vec();
        let mut out = Vec::new();
        loop {
            let version = match self.choose(&left, circumstances.current) {
                Choice::Change(version) => version,
                Choice::Undecided(_) => return self.look_after(pushed, circumstances, inquiry),
                Choice::Unchanged(_) if self.wants_list(&left, circumstances.current) => {
                    return self.look_after(pushed, circumstances, inquiry);
                }
                Choice::Unchanged(_) if left.is_empty() => return Choice::Unchanged(summary(&out)),
                other @ (Choice::Unchanged(_) | Choice::Open | Choice::Failed(_)) => {
                    return other;
                }
            };
            match self.standing(&version.tag, circumstances, inquiry) {
                Ok(Standing::There(digest)) => {
                    let event = left.iter().find(|push| push.tag == version.tag);
                    remark_moved(
                        &version.tag,
                        event.and_then(|push| push.digest.as_ref()),
                        &digest,
                        inquiry,
                    );
                    return Choice::Change(version);
                }
                Ok(Standing::Out(reason)) => {
                    left.retain(|push| push.tag != version.tag);
                    out.push(reason);
                }
                Err(choice) => return choice,
            }
        }
    }

    /// Whether a pushed tag would do and only the version in use, which the policy excludes, is in its way.
    fn wants_list(&self, pushed: &[Pushed], current: &[Current]) -> bool {
        let tags = || {
            current
                .iter()
                .filter_map(|place| Tag::parse(place.tag.as_deref()?).ok())
        };
        let in_use = match &self.rule {
            Rule::Semver(_) => tags()
                .filter_map(|tag| Some((Version::parse(tag.as_str())?, tag)))
                .max_by(|(one, _), (other, _)| one.cmp(other))
                .map(|(_, tag)| tag),
            Rule::Alphabetical => tags().max(),
            Rule::NewestBuild | Rule::Digest(_) => None,
        };
        let is_excluded = in_use.is_some_and(|tag| self.refusal(&tag).is_some());
        is_excluded && pushed.iter().any(|push| self.refusal(&push.tag).is_none())
    }

    /// Asks the registry about a tag that is to be chosen.
    pub(super) fn standing(
        &self,
        tag: &Tag,
        circumstances: Circumstances<'_>,
        inquiry: &mut Inquiry<'_>,
    ) -> Result<Standing, Choice> {
        if self.platforms.is_any() {
            return match inquiry.digest(tag)? {
                Some(digest) => Ok(Standing::There(digest.clone())),
                None => missing(tag, circumstances),
            };
        }
        match inquiry.build(self.about(tag, Age::Now))? {
            Some(build) if build.is_for_platform => Ok(Standing::There(build.digest.clone())),
            Some(_) => Ok(Standing::Out(self.no_platform(tag))),
            None => missing(tag, circumstances),
        }
    }

    /// The question when a tag was built.
    pub(super) fn about(&self, tag: &Tag, age: Age) -> BuildQuestion {
        BuildQuestion {
            of: Pointer::Tag(tag.clone()),
            platforms: self.platforms.clone(),
            age,
        }
    }

    pub(super) fn no_platform(&self, tag: &Tag) -> String {
        format!("tag {tag} is not for {}", self.platforms)
    }

    /// The digest of the followed tag, if a place has another one.
    pub(super) fn follow(
        &self,
        followed: &Tag,
        announced: Option<&Digest>,
        circumstances: Circumstances<'_>,
        inquiry: &mut Inquiry<'_>,
    ) -> Choice {
        let digest = match self.standing(followed, circumstances, inquiry) {
            Ok(Standing::There(digest)) => digest,
            Ok(Standing::Out(reason)) => return Choice::Undecided(reason),
            Err(choice) => return choice,
        };
        remark_moved(followed, announced, &digest, inquiry);
        if is_everywhere(circumstances.current, |place| {
            place.digest.as_ref() == Some(&digest)
        }) {
            let is_other = |announced: &Digest| *announced != digest;
            if !circumstances.is_last_try && announced.is_some_and(is_other) {
                // The tag may have moved on and back. It is likelier that the registry lags behind its own event.
                return not_shown_yet(&format!("the digest that was pushed for tag {followed}"));
            }
            return Choice::Unchanged(format!("digest {digest} is in use already"));
        }
        Choice::Change(NewVersion {
            tag: followed.clone(),
            digest: Some(digest),
        })
    }
}

/// It may show it a moment later.
pub(in crate::domain) fn not_shown(tag: &Tag) -> Choice {
    not_shown_yet(&format!("tag {tag}"))
}

fn not_shown_yet(what: &str) -> Choice {
    Choice::Failed(Failure {
        reason: format!("the registry does not show {what} yet"),
        is_passing: true,
    })
}

pub(super) fn missing(tag: &Tag, circumstances: Circumstances<'_>) -> Result<Standing, Choice> {
    if circumstances.is_last_try {
        Ok(Standing::Out(format!(
            "the registry does not have tag {tag}"
        )))
    } else {
        Err(not_shown(tag))
    }
}

/// The tag moved on since the event, or the event is wrong.
pub(super) fn remark_moved(
    tag: &Tag,
    announced: Option<&Digest>,
    found: &Digest,
    inquiry: &mut Inquiry<'_>,
) {
    if let Some(announced) = announced.filter(|announced| *announced != found) {
        inquiry.remark(format!(
            "the registry has {found} for tag {tag} now, where the event announced {announced}"
        ));
    }
}
