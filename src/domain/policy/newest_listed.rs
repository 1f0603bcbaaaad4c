//! Choosing what was built last among the tags that a registry lists.

use std::cmp::Reverse;
use std::time::SystemTime;

use super::Choice;
use super::build_age::Compared;
use super::build_age::compared;
use super::choosing::change;
use super::looking::Listing;
use crate::domain::reference::Tag;
use crate::domain::registry::answer::Build;
use crate::domain::registry::answer::TagOrder;
use crate::domain::registry::inquiry::Gap;
use crate::domain::registry::inquiry::Inquiry;
use crate::domain::registry::question::Age;

/// How many tags are asked for again in each look, the newest: one that is set anew again and again is among them.
const ASKED_AGAIN: usize = 5;

/// A tag that can be chosen.
struct Dated<'l, 'k> {
    tag: &'l Tag,
    build: &'k Build,
}

impl<'l> Dated<'l, '_> {
    /// By what they are compared; of one date the last in the order of names counts.
    fn age(&self) -> (Option<SystemTime>, &'l Tag) {
        (self.build.created, self.tag)
    }
}

impl Listing<'_> {
    /// Judges listed tags by when they were built, or by their order where that says it.
    pub(super) fn newest(&self, inquiry: &mut Inquiry<'_>) -> Result<Choice, Gap> {
        let (admitted, out) = self.admitted(|_| Ok(()));
        let admitted: Vec<&Tag> = admitted.into_iter().map(|((), tag)| tag).collect();
        match self.tags.order {
            TagOrder::Unsorted => self.newest_by_date(&admitted, out, inquiry),
            TagOrder::LatestFirst => self.first(admitted.into_iter(), out, inquiry),
            TagOrder::LatestLast => self.first(admitted.into_iter().rev(), out, inquiry),
        }
    }

    /// The first of tags that stand in the order of their age, the newest first.
    fn first<'t>(
        &self,
        newest_first: impl Iterator<Item = &'t Tag>,
        mut out: Vec<String>,
        inquiry: &mut Inquiry<'_>,
    ) -> Result<Choice, Gap> {
        for tag in newest_first {
            match self.policy.shortcoming(tag, Age::Recent, inquiry)? {
                None => return self.in_order(tag, inquiry),
                Some(reason) => out.insert(0, reason),
            }
        }
        Ok(self.nothing(&out))
    }

    /// The newest tag of a sorted list against what is in use: a listed tag is older, and of one that is not listed nobody knows.
    fn in_order(&self, tag: &Tag, inquiry: &mut Inquiry<'_>) -> Result<Choice, Gap> {
        let is_other = |text: &&str| *text != tag.as_str();
        let others: Vec<&str> = self
            .circumstances
            .current
            .iter()
            .filter_map(|place| place.tag.as_deref())
            .filter(is_other)
            .collect();
        let untagged = self
            .circumstances
            .current
            .iter()
            .any(|place| place.tag.is_none());
        if others.is_empty() && !untagged && !self.circumstances.current.is_empty() {
            return Ok(Choice::Unchanged(format!("tag {tag} is in use already")));
        }
        let is_listed = |text: &str| self.tags.tags.iter().any(|listed| listed.as_str() == text);
        let is_admitted =
            |text: &str| Tag::parse(text).is_ok_and(|tag| self.policy.exclusion(&tag).is_none());
        let mut no_older = others;
        no_older.retain(|text| !(is_listed(text) && is_admitted(text)));
        if no_older.is_empty() {
            return Ok(change(tag));
        }
        self.instead_of(&no_older, tag, inquiry)
    }

    /// Thousands of tags are not asked for again in each look. What was learned of them not long ago says which are the newest, and what those
    /// point at now says which of them it is.
    fn newest_by_date(
        &self,
        admitted: &[&Tag],
        mut out: Vec<String>,
        inquiry: &mut Inquiry<'_>,
    ) -> Result<Choice, Gap> {
        let mut known = self.dated(admitted, Age::Recent, &mut out, inquiry)?;
        let mut current = Vec::new();
        loop {
            known.sort_by_key(|one| Reverse(one.age()));
            let best = current.iter().max_by_key(|one: &&Dated<'_, '_>| one.age());
            if let Some(best) = best
                && known.first().is_none_or(|next| next.age() < best.age())
            {
                return self.newest_against(best.tag, best.build, inquiry);
            }
            let newest: Vec<&Tag> = known
                .drain(..known.len().min(ASKED_AGAIN))
                .map(|one| one.tag)
                .collect();
            if newest.is_empty() {
                return Ok(self.nothing(&out));
            }
            current.extend(self.dated(&newest, Age::Now, &mut out, inquiry)?);
        }
    }

    /// What can be chosen of some tags, and when it was built.
    fn dated<'l, 'k>(
        &self,
        tags: &[&'l Tag],
        age: Age,
        out: &mut Vec<String>,
        inquiry: &mut Inquiry<'k>,
    ) -> Result<Vec<Dated<'l, 'k>>, Gap> {
        let mut dated = Vec::new();
        for &tag in tags {
            match inquiry.build(self.policy.about(tag, age)) {
                Ok(Some(build)) if build.is_for_platform => dated.push(Dated { tag, build }),
                Ok(Some(_)) => out.push(self.policy.no_platform(tag)),
                Ok(None) => out.push(format!("the registry does not have tag {tag}")),
                Err(Gap::Open) => {}
                Err(gap) => return Err(gap),
            }
        }
        if inquiry.is_open() {
            return Err(Gap::Open);
        }
        Ok(dated)
    }

    /// The newest tag of a list against what is in use.
    fn newest_against(
        &self,
        tag: &Tag,
        build: &Build,
        inquiry: &mut Inquiry<'_>,
    ) -> Result<Choice, Gap> {
        let mut is_same = !self.circumstances.current.is_empty();
        let mut excluded = Vec::new();
        for place in self.circumstances.current {
            match compared(place, tag, build, inquiry)? {
                Compared::Same => {}
                Compared::Older => is_same = false,
                Compared::NoOlder(reason) => match &place.tag {
                    Some(in_use) if in_use != tag.as_str() && self.policy.excludes(place) => {
                        excluded.push(in_use.as_str());
                    }
                    Some(_) | None => return Ok(Choice::Unchanged(reason)),
                },
            }
        }
        if !excluded.is_empty() {
            return self.instead_of(&excluded, tag, inquiry);
        }
        Ok(if is_same {
            Choice::Unchanged(format!("tag {tag} is in use already"))
        } else {
            change(tag)
        })
    }
}
