//! Choosing among the tags that a registry lists.

use std::cmp::Ordering;

use super::Choice;
use super::Policy;
use super::Pushed;
use super::Rule;
use super::choosing::admitted_version;
use super::choosing::change;
use super::choosing::summary;
use super::circumstances::Circumstances;
use super::confirming::Standing;
use crate::domain::policy::version::Version;
use crate::domain::reference::Tag;
use crate::domain::registry::answer::TagList;
use crate::domain::registry::inquiry::Gap;
use crate::domain::registry::inquiry::Inquiry;
use crate::domain::registry::question::Age;

/// How a strategy tells the higher of two tags.
pub(super) trait Rank: Ord + Sized {
    /// The rank of a tag in use; `None` where it is lower than all others.
    fn of(text: &str) -> Option<Self>;

    /// Compares without what only makes the order total.
    fn precedence(&self, other: &Self) -> Ordering;
}

impl Rank for Version {
    fn of(text: &str) -> Option<Self> {
        Self::parse(text)
    }

    fn precedence(&self, other: &Self) -> Ordering {
        Self::precedence(self, other)
    }
}

impl Rank for Tag {
    fn of(text: &str) -> Option<Self> {
        Self::parse(text).ok()
    }

    fn precedence(&self, other: &Self) -> Ordering {
        self.cmp(other)
    }
}

/// What a registry lists, against what is in use.
pub(super) struct Listing<'a> {
    pub(super) policy: &'a Policy,
    pub(super) tags: &'a TagList,
    pub(super) circumstances: Circumstances<'a>,
}

impl Policy {
    /// Judges what the registry lists against everything that is in use.
    ///
    /// A version is lowered only where the policy excludes the one in use by now, or the registry answers that it no longer has it: a list that
    /// lacks it may lag behind.
    #[must_use]
    pub fn look(&self, circumstances: Circumstances<'_>, inquiry: &mut Inquiry<'_>) -> Choice {
        if let Rule::Digest(followed) = &self.rule {
            if let Some(reason) = self.exclusion(followed) {
                return Choice::Unchanged(reason);
            }
            let at_last = Circumstances {
                is_last_try: true,
                ..circumstances
            };
            return self.follow(followed, None, at_last, inquiry);
        }
        match inquiry.tags() {
            Ok(tags) => self.look_at(tags, circumstances, inquiry),
            Err(gap) => gap.into(),
        }
    }

    /// As [`look`](Self::look), where the list may lag behind what was just pushed: a pushed tag that it lacks and that the registry shows counts
    /// as listed.
    pub(super) fn look_after(
        &self,
        pushed: &[Pushed],
        circumstances: Circumstances<'_>,
        inquiry: &mut Inquiry<'_>,
    ) -> Choice {
        let tags = match inquiry.tags() {
            Ok(tags) => tags,
            Err(gap) => return gap.into(),
        };
        let mut unlisted: Vec<Tag> = Vec::new();
        for Pushed { tag, .. } in pushed {
            if tags.tags.contains(tag) || unlisted.contains(tag) || self.refusal(tag).is_some() {
                continue;
            }
            match self.standing(tag, circumstances, inquiry) {
                Ok(Standing::There(_)) => unlisted.push(tag.clone()),
                Ok(Standing::Out(_)) => {}
                Err(choice) => return choice,
            }
        }
        self.look_at(&tags.with_newer(&unlisted), circumstances, inquiry)
    }

    fn look_at(
        &self,
        tags: &TagList,
        circumstances: Circumstances<'_>,
        inquiry: &mut Inquiry<'_>,
    ) -> Choice {
        let listing = Listing {
            policy: self,
            tags,
            circumstances,
        };
        let choice = match &self.rule {
            Rule::Semver(constraint) => {
                listing.highest(|tag| admitted_version(constraint, tag), inquiry)
            }
            Rule::Alphabetical => listing.highest(|tag| Ok(tag.clone()), inquiry),
            Rule::NewestBuild | Rule::Digest(_) => listing.newest(inquiry),
        };
        choice.unwrap_or_else(Choice::from)
    }

    /// Why a tag that would be chosen is none for the platforms that are asked for.
    pub(super) fn shortcoming(
        &self,
        tag: &Tag,
        age: Age,
        inquiry: &mut Inquiry<'_>,
    ) -> Result<Option<String>, Gap> {
        if self.platforms.is_any() {
            return Ok(None);
        }
        Ok(match inquiry.build(self.about(tag, age))? {
            Some(build) if build.is_for_platform => None,
            Some(_) => Some(self.no_platform(tag)),
            None => Some(format!("the registry does not have tag {tag}")),
        })
    }
}

impl Listing<'_> {
    fn highest<R: Rank>(
        &self,
        rank: impl Fn(&Tag) -> Result<R, String>,
        inquiry: &mut Inquiry<'_>,
    ) -> Result<Choice, Gap> {
        let (mut candidates, mut out) = self.admitted(rank);
        candidates.sort_by(|(one, _), (other, _)| other.cmp(one));
        for (rank, tag) in candidates {
            match self.policy.shortcoming(tag, Age::Recent, inquiry)? {
                None => return self.against(&rank, tag, inquiry),
                // Before all others, as it is the highest that would have been chosen.
                Some(reason) => out.insert(0, reason),
            }
        }
        Ok(self.nothing(&out))
    }

    /// The highest tag against the highest in use.
    fn against<R: Rank>(
        &self,
        rank: &R,
        tag: &Tag,
        inquiry: &mut Inquiry<'_>,
    ) -> Result<Choice, Gap> {
        let in_use = self.circumstances.current.iter();
        let in_use = in_use.filter_map(|place| place.tag.as_deref());
        let mut no_lower: Vec<(R, &str)> = in_use
            .filter_map(|text| Some((R::of(text)?, text)))
            .filter(|(in_use, _)| rank.precedence(in_use) != Ordering::Greater)
            .collect();
        no_lower.sort_by(|(one, _), (other, _)| other.cmp(one));
        let others: Vec<&str> = no_lower
            .iter()
            .map(|(_, text)| *text)
            .filter(|text| *text != tag.as_str())
            .collect();
        match (no_lower.is_empty(), others.is_empty()) {
            (true, _) => Ok(change(tag)),
            (false, true) => Ok(Choice::Unchanged(format!("tag {tag} is in use already"))),
            (false, false) => self.instead_of(&others, tag, inquiry),
        }
    }

    /// The tags that the filter lets through and that are given a rank, and why the others are not.
    pub(super) fn admitted<R>(
        &self,
        rank: impl Fn(&Tag) -> Result<R, String>,
    ) -> (Vec<(R, &Tag)>, Vec<String>) {
        let mut admitted = Vec::new();
        let mut out = Vec::new();
        for tag in self.tags.tags.iter() {
            let ranked = self.policy.exclusion(tag).map_or_else(|| rank(tag), Err);
            match ranked {
                Ok(rank) => admitted.push((rank, tag)),
                Err(reason) => out.push(reason),
            }
        }
        (admitted, out)
    }

    /// Whether a tag is to be run in the place of those, at least one, that are no lower. None of them may be one that is to be kept.
    pub(super) fn instead_of(
        &self,
        in_use: &[&str],
        tag: &Tag,
        inquiry: &mut Inquiry<'_>,
    ) -> Result<Choice, Gap> {
        let mut reasons = Vec::new();
        for text in in_use {
            match self.why_not_kept(text, inquiry)? {
                Some(reason) => reasons.push(reason),
                None => {
                    return Ok(Choice::Unchanged(format!(
                        "no tag is newer than {text}, which is in use"
                    )));
                }
            }
        }
        let (in_use, reason) = (in_use.join(" and "), reasons.join("; "));
        if self.circumstances.never_downgrade {
            return Ok(Choice::Unchanged(format!(
                "{reason}, but {tag} is no newer tag, and --never-downgrade keeps what is in use"
            )));
        }
        inquiry.remark(format!("instead of {in_use}: {reason}"));
        Ok(change(tag))
    }

    /// Why a tag in use may be left for one that is no newer: the policy excludes it, or the registry no longer has it.
    fn why_not_kept(&self, in_use: &str, inquiry: &mut Inquiry<'_>) -> Result<Option<String>, Gap> {
        let Ok(tag) = Tag::parse(in_use) else {
            return Ok(Some(format!("{in_use:?}, which is in use, is no tag")));
        };
        if let Some(refusal) = self.policy.refusal(&tag) {
            return Ok(Some(refusal));
        }
        if self.tags.tags.contains(&tag) {
            // Nothing is left for what was so an hour ago.
            return self.policy.shortcoming(&tag, Age::Now, inquiry);
        }
        Ok(match inquiry.digest(&tag)? {
            Some(_) => None,
            None => Some(format!("the registry no longer has tag {tag}")),
        })
    }

    /// No tag can be chosen.
    pub(super) fn nothing(&self, out: &[String]) -> Choice {
        Choice::Unchanged(match self.tags.tags.len() {
            0 => "the registry lists no tag".to_owned(),
            count => format!(
                "none of the {count} tags in the registry can be chosen: {}",
                summary(out)
            ),
        })
    }
}
