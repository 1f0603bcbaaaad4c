//! Choosing what was built last among the tags that a registry lists.

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

    fn newest_by_date(
        &self,
        admitted: &[&Tag],
        mut out: Vec<String>,
        inquiry: &mut Inquiry<'_>,
    ) -> Result<Choice, Gap> {
        let mut best: Option<(Option<SystemTime>, &Tag, &Build)> = None;
        for tag in admitted {
            match inquiry.build(self.policy.about(tag, Age::Recent)) {
                Ok(Some(build)) if build.is_for_platform => {
                    if best.is_none_or(|(created, top, _)| (build.created, *tag) > (created, top)) {
                        best = Some((build.created, tag, build));
                    }
                }
                Ok(Some(_)) => out.push(self.policy.no_platform(tag)),
                Ok(None) => out.push(format!("the registry does not have tag {tag}")),
                Err(Gap::Open) => {}
                Err(gap) => return Err(gap),
            }
        }
        if inquiry.is_open() {
            return Err(Gap::Open);
        }
        let Some((_, tag, build)) = best else {
            return Ok(self.nothing(&out));
        };
        self.newest_against(tag, build, inquiry)
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
