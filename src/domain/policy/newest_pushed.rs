//! Choosing what was built last among pushed tags.

use super::Choice;
use super::Current;
use super::Policy;
use super::Pushed;
use super::build_age::Compared;
use super::build_age::compared;
use super::choosing::change;
use super::choosing::summary;
use super::circumstances::Circumstances;
use super::confirming::Standing;
use super::confirming::missing;
use super::confirming::remark_moved;
use crate::domain::reference::Tag;
use crate::domain::registry::answer::Build;
use crate::domain::registry::inquiry::Gap;
use crate::domain::registry::inquiry::Inquiry;
use crate::domain::registry::question::Age;

impl Policy {
    /// Judges pushed tags by when they were built.
    pub(super) fn confirm_newest(
        &self,
        pushed: &[Pushed],
        circumstances: Circumstances<'_>,
        inquiry: &mut Inquiry<'_>,
    ) -> Choice {
        let mut out = Vec::new();
        let mut best: Option<(&Pushed, &Build)> = None;
        for push in pushed {
            if let Some(reason) = self.exclusion(&push.tag) {
                out.push(reason);
                continue;
            }
            let build = match inquiry.build(self.about(&push.tag, Age::Now)) {
                Ok(Some(build)) => build,
                // The others' questions are asked together with this one.
                Err(Gap::Open) => continue,
                Err(gap) => return gap.into(),
                Ok(None) => match missing(&push.tag, circumstances) {
                    Ok(Standing::Out(reason)) => {
                        out.push(reason);
                        continue;
                    }
                    Ok(Standing::There(_)) => continue,
                    Err(choice) => return choice,
                },
            };
            if !build.is_for_platform {
                out.push(self.no_platform(&push.tag));
            } else if best.is_none_or(|(_, top)| build.created >= top.created) {
                best = Some((push, build));
            }
        }
        match best {
            _ if inquiry.is_open() => Choice::Open,
            Some((push, build)) => {
                remark_moved(&push.tag, push.digest.as_ref(), &build.digest, inquiry);
                self.newer_build(push, build, circumstances, inquiry)
            }
            None => Choice::Unchanged(summary(&out)),
        }
    }

    /// A pushed tag, if it was built after everything in use.
    fn newer_build(
        &self,
        push: &Pushed,
        build: &Build,
        circumstances: Circumstances<'_>,
        inquiry: &mut Inquiry<'_>,
    ) -> Choice {
        let tag = &push.tag;
        let mut is_same = !circumstances.current.is_empty();
        let mut newer = None;
        for place in circumstances.current {
            match compared(place, tag, build, inquiry) {
                // The other places' questions are asked together with this one.
                Ok(Compared::Same) | Err(Gap::Open) => {}
                Ok(Compared::Older) => is_same = false,
                Ok(Compared::NoOlder(reason)) => {
                    newer.get_or_insert((place, reason));
                }
                Err(gap) => return gap.into(),
            }
        }
        if inquiry.is_open() {
            return Choice::Open;
        }
        match newer {
            // Whether to go back takes a list.
            Some((place, _)) if self.excludes(place) => {
                self.look_after(std::slice::from_ref(push), circumstances, inquiry)
            }
            Some((_, reason)) => Choice::Unchanged(reason),
            None if is_same => Choice::Unchanged(format!("tag {tag} is in use already")),
            None => change(tag),
        }
    }

    /// Whether the filter keeps out what is in use in a place.
    pub(super) fn excludes(&self, place: &Current) -> bool {
        let tag = place.tag.as_deref().and_then(|text| Tag::parse(text).ok());
        tag.is_some_and(|tag| self.exclusion(&tag).is_some())
    }
}
