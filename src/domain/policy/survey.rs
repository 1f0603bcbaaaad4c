//! Everything that a registry lists, sorted out for people: which tags could be chosen, and which rule drops each of the others.

use std::fmt;
use std::time::SystemTime;

use super::Policy;
use super::Rule;
use super::tag_filter::Exclusion;
use crate::domain::policy::version::Version;
use crate::domain::reference::Tag;
use crate::domain::registry::access::Access;
use crate::domain::registry::answer::Answer;
use crate::domain::registry::answer::TagOrder;
use crate::domain::registry::knowledge::Knowledge;
use crate::domain::registry::question::Age;
use crate::domain::registry::question::Question;

/// The tags of a registry under a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// Those that could be chosen, the best first.
    pub candidates: Vec<Candidate>,
    /// The others, in the order of the registry.
    pub dropped: Vec<Dropped>,
}

/// A tag that could be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The tag.
    pub tag: Tag,
    /// When it was built, where that was asked and the image says it.
    pub created: Option<SystemTime>,
}

/// A tag that is out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    /// The tag.
    pub tag: Tag,
    /// What drops it.
    pub by: DroppedBy,
    /// The same at length, for people.
    pub reason: String,
}

/// What drops a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DroppedBy {
    /// It holds a signature or the like.
    Attachment,
    /// `allowTags`.
    AllowTags,
    /// `ignoreTags`.
    IgnoreTags,
    /// It is no version.
    NoVersion,
    /// It is a pre-release, and the constraint has none.
    Prerelease,
    /// The constraint.
    Constraint,
    /// It is for none of the platforms.
    Platforms,
    /// It is listed, and the registry does not have it.
    Missing,
}

impl DroppedBy {
    /// Its name, for programs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Attachment => "attachment",
            Self::AllowTags => "allow-tags",
            Self::IgnoreTags => "ignore-tags",
            Self::NoVersion => "no-version",
            Self::Prerelease => "pre-release",
            Self::Constraint => "constraint",
            Self::Platforms => "platforms",
            Self::Missing => "missing",
        }
    }
}

impl fmt::Display for DroppedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Policy {
    /// Sorts out what is known of a registry's tags. Nothing is asked for it: what [`look`](Self::look) did not need is not checked, so that
    /// of candidates below the chosen one nobody knows whether they are for the platforms.
    #[must_use]
    pub fn survey(&self, access: &Access, knowledge: &Knowledge) -> Survey {
        let (tags, order) = match knowledge.of(access, &Question::Tags) {
            Some(Ok(Answer::Tags(list))) => (list.tags.to_vec(), list.order),
            Some(_) | None => (self.followed().into_iter().collect(), TagOrder::Unsorted),
        };
        let mut survey = Survey {
            candidates: Vec::new(),
            dropped: Vec::new(),
        };
        for tag in tags {
            match self.sort_out(tag, access, knowledge) {
                Ok(candidate) => survey.candidates.push(candidate),
                Err(dropped) => survey.dropped.push(dropped),
            }
        }
        self.order(&mut survey.candidates, order);
        survey
    }

    /// The one tag that strategy `digest` looks at.
    fn followed(&self) -> Option<Tag> {
        match &self.rule {
            Rule::Digest(tag) => Some(tag.clone()),
            Rule::Semver(_) | Rule::NewestBuild | Rule::Alphabetical => None,
        }
    }

    fn sort_out(
        &self,
        tag: Tag,
        access: &Access,
        knowledge: &Knowledge,
    ) -> Result<Candidate, Dropped> {
        if let Some(reason) = self.refusal(&tag) {
            let by = self.rule_against(&tag);
            return Err(Dropped { tag, by, reason });
        }
        match self.known(&tag, access, knowledge) {
            Some(Answer::Build(Some(build))) if !build.is_for_platform => Err(Dropped {
                reason: self.no_platform(&tag),
                by: DroppedBy::Platforms,
                tag,
            }),
            Some(Answer::Build(Some(build))) => Ok(Candidate {
                created: build.created,
                tag,
            }),
            Some(Answer::Build(None) | Answer::Digest(None)) => Err(Dropped {
                reason: format!("the registry does not have tag {tag}"),
                by: DroppedBy::Missing,
                tag,
            }),
            Some(
                Answer::Digest(Some(_)) | Answer::Tags(_) | Answer::Signed | Answer::Unsigned(_),
            )
            | None => Ok(Candidate { tag, created: None }),
        }
    }

    /// Which rule it is that [refuses](Self::refusal) a tag.
    fn rule_against(&self, tag: &Tag) -> DroppedBy {
        if tag.is_attachment() {
            return DroppedBy::Attachment;
        }
        match (self.filter.exclusion(tag.as_str()), &self.rule) {
            (Some(Exclusion::NotAllowed(_)), _) => DroppedBy::AllowTags,
            (Some(Exclusion::Ignored(_)), _) => DroppedBy::IgnoreTags,
            (None, Rule::Semver(constraint)) => match Version::parse(tag.as_str()) {
                None => DroppedBy::NoVersion,
                Some(version) if version.is_prerelease() && !constraint.admits_prereleases() => {
                    DroppedBy::Prerelease
                }
                Some(_) => DroppedBy::Constraint,
            },
            (None, Rule::NewestBuild | Rule::Alphabetical | Rule::Digest(_)) => {
                DroppedBy::Constraint
            }
        }
    }

    /// What the registry said of a tag, if it was asked about it.
    fn known<'k>(
        &self,
        tag: &Tag,
        access: &Access,
        knowledge: &'k Knowledge,
    ) -> Option<&'k Answer> {
        let questions = [
            Question::Build(self.about(tag, Age::Now)),
            Question::Build(self.about(tag, Age::Recent)),
            Question::Digest(tag.clone()),
        ];
        questions
            .iter()
            .find_map(|question| knowledge.of(access, question)?.as_ref().ok())
    }

    /// Puts the best first, as [`look`](Self::look) compares them.
    fn order(&self, candidates: &mut [Candidate], order: TagOrder) {
        match (&self.rule, order) {
            (Rule::Semver(_), _) => {
                candidates.sort_by_cached_key(|one| Version::parse(one.tag.as_str()));
                candidates.reverse();
            }
            (Rule::Alphabetical, _) => candidates.sort_by(|one, other| other.tag.cmp(&one.tag)),
            (Rule::NewestBuild, TagOrder::Unsorted) => {
                candidates.sort_by(|one, other| {
                    (other.created, &other.tag).cmp(&(one.created, &one.tag))
                });
            }
            (Rule::NewestBuild, TagOrder::LatestLast) => candidates.reverse(),
            (Rule::NewestBuild, TagOrder::LatestFirst) | (Rule::Digest(_), _) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::policy::Choice;
    use crate::domain::policy::PolicyRules;
    use crate::domain::policy::circumstances::Circumstances;
    use crate::domain::reference::ImageName;
    use crate::domain::registry::inquiry::Inquiry;
    use crate::domain::testing::Shelf;
    use crate::domain::testing::shelf;

    /// The candidates, and what is dropped with its rule; what is chosen is the first candidate.
    fn survey(rules: &PolicyRules<'_>, shelf: &Shelf) -> (Vec<String>, Vec<String>) {
        let policy = Policy::parse(rules).unwrap().0;
        let access = Access::plain(ImageName::parse("quay.io/a/b").unwrap());
        let circumstances = Circumstances {
            current: &[],
            never_downgrade: false,
            is_last_try: true,
        };
        let (choice, survey) = shelf.settle(|knowledge| {
            let mut inquiry = Inquiry::new(access.clone(), knowledge);
            let choice = policy.look(circumstances, &mut inquiry);
            let ended = inquiry.end();
            let open = (!ended.open.is_empty()).then_some((ended.access, ended.open));
            let decided = (choice, policy.survey(&access, knowledge));
            (decided, open.into_iter().collect::<BTreeMap<_, _>>())
        });
        let best = survey.candidates.first().map(|one| &one.tag);
        let chosen = match &choice {
            Choice::Change(version) => Some(&version.tag),
            Choice::Unchanged(_) | Choice::Undecided(_) | Choice::Open | Choice::Failed(_) => None,
        };
        assert_eq!(best, chosen, "{choice:?}");
        for dropped in &survey.dropped {
            assert!(dropped.reason.contains(dropped.tag.as_str()), "{dropped:?}");
        }
        let candidates = survey.candidates.iter().map(|one| one.tag.to_string());
        let dropped = survey.dropped.iter();
        let dropped = dropped.map(|one| format!("{} {}", one.tag, one.by));
        (candidates.collect(), dropped.collect())
    }

    #[test]
    fn every_tag_is_a_candidate_or_dropped_by_a_rule() {
        let attachment = format!("sha256-{}.sig", "a".repeat(64));
        let attachment: &'static str = Box::leak(attachment.into_boxed_str());
        let shelf = shelf(&[
            "1.2",
            "latest",
            "1.10.0",
            "2.0",
            "1.11.0-rc1",
            "1.3-debug",
            "1.4",
            attachment,
        ]);
        let rules = PolicyRules {
            constraint: Some("1.x"),
            allow_tags: Some("regexp:^[^4]*$"),
            ignore_tags: &["*-debug".to_owned()],
            ..PolicyRules::default()
        };
        let (candidates, dropped) = survey(&rules, &shelf);
        assert_eq!(candidates, ["1.10.0", "1.2"]);
        assert_eq!(
            dropped,
            [
                "latest no-version".to_owned(),
                "2.0 constraint".to_owned(),
                "1.11.0-rc1 pre-release".to_owned(),
                "1.3-debug ignore-tags".to_owned(),
                "1.4 allow-tags".to_owned(),
                format!("{attachment} attachment"),
            ]
        );
    }

    #[test]
    fn candidates_stand_in_the_order_of_their_strategy() {
        let by = |strategy, order| {
            let shelf = Shelf {
                order,
                ..shelf(&["b+1", "d", "a+3", "c+2"])
            };
            let rules = PolicyRules {
                strategy: Some(strategy),
                ..PolicyRules::default()
            };
            survey(&rules, &shelf).0.concat()
        };
        assert_eq!(by("alphabetical", TagOrder::LatestFirst), "dcba");
        assert_eq!(by("newest-build", TagOrder::Unsorted), "acbd");
        assert_eq!(by("newest-build", TagOrder::LatestFirst), "bdac");
        assert_eq!(by("newest-build", TagOrder::LatestLast), "cadb");
    }

    #[test]
    fn what_is_not_for_the_platforms_or_not_there_is_dropped() {
        let platforms = ["linux/arm64".to_owned()];
        let with = |strategy, constraint| PolicyRules {
            strategy: Some(strategy),
            constraint: Some(constraint),
            platforms: &platforms,
            ..PolicyRules::default()
        };
        let there = || Shelf {
            listed: Some(vec!["1.1", "1.2", "1.3", "1.4"]),
            ..shelf(&["1.1+1", "1.2+1/linux/arm64", "1.3+1"])
        };
        // 1.1 is below the chosen one, so nobody asked about it.
        let (candidates, dropped) = survey(&with("semver", "1.x"), &there());
        assert_eq!(candidates, ["1.2", "1.1"]);
        assert_eq!(dropped, ["1.3 platforms", "1.4 missing"]);
        let (candidates, dropped) = survey(&with("newest-build", ""), &there());
        assert_eq!(candidates, ["1.2"]);
        assert_eq!(dropped, ["1.1 platforms", "1.3 platforms", "1.4 missing"]);
        let (candidates, dropped) = survey(&with("digest", "1.1"), &there());
        assert_eq!(
            (candidates.len(), dropped),
            (0, vec!["1.1 platforms".to_owned()])
        );
    }

    #[test]
    fn strategy_digest_has_one_candidate_if_it_is_there() {
        for (followed, candidates, dropped) in [("1.1", 1, 0), ("1.2", 0, 1), ("1.0", 0, 1)] {
            let rules = PolicyRules {
                strategy: Some("digest"),
                constraint: Some(followed),
                ignore_tags: &["1.0".to_owned()],
                ..PolicyRules::default()
            };
            let found = survey(&rules, &shelf(&["1.1", "1.0"]));
            assert_eq!((found.0.len(), found.1.len()), (candidates, dropped));
        }
    }
}
