//! What kind of source each source of an Application is.
//!
//! An explicit block in the spec decides, as it does for Argo CD; a chart is Helm's; else it is what Argo CD reports. An Application in a
//! file has no report, so there a source may be of any kind.

use crate::domain::resources::application::Application;
use crate::domain::resources::application::Source;
use crate::domain::resources::application::SourcePlace;
use crate::domain::resources::application::SourceType;
use crate::domain::resources::application::Sources;

/// A source and what is known of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceKind<'a> {
    /// Where it is.
    pub place: SourcePlace,
    /// The source.
    pub source: &'a Source,
    /// What is known.
    pub knowledge: Knowledge,
}

/// What is known of a source's kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Knowledge {
    /// It has exactly one block that says so.
    Explicit(SourceType),
    /// It follows from its chart or from what Argo CD reports.
    Inferred(SourceType),
    /// It has blocks of more than one kind, which Argo CD refuses.
    Contradictory,
    /// Nothing says.
    Unknown,
}

impl Knowledge {
    /// The kind, where it is known.
    #[must_use]
    pub fn source_type(self) -> Option<SourceType> {
        match self {
            Self::Explicit(source_type) | Self::Inferred(source_type) => Some(source_type),
            Self::Contradictory | Self::Unknown => None,
        }
    }
}

/// All sources of an Application, in order.
#[must_use]
pub fn source_kinds(application: &Application) -> Vec<SourceKind<'_>> {
    let status = application.status.as_ref();
    let single = |place, source| {
        let reported = status.and_then(|status| status.source_type);
        vec![SourceKind::new(place, source, reported)]
    };
    match &application.sources {
        Sources::Single(source) => single(SourcePlace::Single, source),
        Sources::Hydrator(source) => single(SourcePlace::Hydrator, source),
        Sources::Multiple(sources) => {
            // A report about another number of sources is one about an older spec.
            let reported = status
                .map(|status| status.source_types.as_slice())
                .filter(|types| types.len() == sources.len());
            let reported = |index: usize| reported.and_then(|types| types.get(index)).copied();
            sources
                .iter()
                .enumerate()
                .map(|(index, source)| {
                    let reported = reported(index).or_else(|| only_values(source));
                    SourceKind::new(SourcePlace::Multiple(index), source, reported)
                })
                .collect()
        }
    }
}

/// One of several sources with neither path nor chart only lends its files to the others (`ref`); it makes no manifests.
fn only_values(source: &Source) -> Option<SourceType> {
    source.path.is_none().then_some(SourceType::Directory)
}

impl<'a> SourceKind<'a> {
    fn new(place: SourcePlace, source: &'a Source, reported: Option<SourceType>) -> Self {
        Self {
            place,
            source,
            knowledge: knowledge(source, reported),
        }
    }
}

fn knowledge(source: &Source, reported: Option<SourceType>) -> Knowledge {
    let blocks = [
        (source.helm.is_some(), SourceType::Helm),
        (source.kustomize.is_some(), SourceType::Kustomize),
        (source.plugin.is_some(), SourceType::Plugin),
    ];
    let mut explicit = blocks.iter().filter(|(there, _)| *there);
    match (explicit.next(), explicit.next()) {
        (Some((_, source_type)), None) => Knowledge::Explicit(*source_type),
        (Some(_), Some(_)) => Knowledge::Contradictory,
        (None, _) if source.chart.is_some() => Knowledge::Inferred(SourceType::Helm),
        (None, _) => reported.map_or(Knowledge::Unknown, Knowledge::Inferred),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::resources::application::ApplicationStatus;
    use crate::domain::testing::application;
    use crate::domain::testing::chart_source;
    use crate::domain::testing::git_source;
    use crate::domain::testing::helm_source;
    use crate::domain::testing::kustomize_source;

    fn known(sources: Sources, status: Option<ApplicationStatus>) -> Vec<Knowledge> {
        let mut application = application("web", Source::default());
        application.sources = sources;
        application.status = status;
        source_kinds(&application)
            .iter()
            .map(|source| source.knowledge)
            .collect()
    }

    fn reported(source_types: &[SourceType]) -> ApplicationStatus {
        ApplicationStatus {
            source_type: source_types.first().copied(),
            source_types: source_types.to_vec(),
            ..ApplicationStatus::default()
        }
    }

    #[test]
    fn a_block_decides_then_a_chart_then_the_report() {
        let stale = Some(reported(&[SourceType::Directory]));
        for (source, status, expected) in [
            (
                helm_source(&[]),
                stale.clone(),
                Knowledge::Explicit(SourceType::Helm),
            ),
            (
                kustomize_source(&[]),
                None,
                Knowledge::Explicit(SourceType::Kustomize),
            ),
            (
                chart_source(),
                stale.clone(),
                Knowledge::Inferred(SourceType::Helm),
            ),
            (
                git_source(),
                Some(reported(&[SourceType::Kustomize])),
                Knowledge::Inferred(SourceType::Kustomize),
            ),
            (
                git_source(),
                stale,
                Knowledge::Inferred(SourceType::Directory),
            ),
            (git_source(), None, Knowledge::Unknown),
            (
                Source {
                    plugin: Some(Vec::new()),
                    ..helm_source(&[])
                },
                None,
                Knowledge::Contradictory,
            ),
        ] {
            for wrap in [Sources::Single, Sources::Hydrator] {
                let known = known(wrap(source.clone()), status.clone());
                assert_eq!(known, [expected], "{source:?} {status:?}");
            }
        }
    }

    #[test]
    fn several_sources_are_reported_one_by_one() {
        let sources = || Sources::Multiple(vec![git_source(), chart_source(), Source::default()]);
        let helm = Knowledge::Inferred(SourceType::Helm);
        let directory = Knowledge::Inferred(SourceType::Directory);
        assert_eq!(
            known(
                sources(),
                Some(reported(&[
                    SourceType::Kustomize,
                    SourceType::Helm,
                    SourceType::Directory
                ]))
            ),
            [Knowledge::Inferred(SourceType::Kustomize), helm, directory]
        );
        // Neither a file nor a report about an older spec says what the first one is.
        for status in [None, Some(reported(&[SourceType::Kustomize]))] {
            assert_eq!(
                known(sources(), status),
                [Knowledge::Unknown, helm, directory]
            );
        }
    }
}
