//! An Argo CD `Application` (`argoproj.io/v1alpha1`), as far as the updater looks at one.

use std::fmt;

use crate::domain::resources::labels::Labels;
use crate::domain::resources::resource::ResourceId;

/// An Application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    /// Its namespace and name.
    pub id: ResourceId,
    /// Its labels, for label selectors.
    pub labels: Labels,
    /// Its annotations, for ImageUpdaters that use them.
    pub annotations: Labels,
    /// Where its manifests come from.
    pub sources: Sources,
    /// What Argo CD reports. An Application in a file has none.
    pub status: Option<ApplicationStatus>,
}

/// Where an Application's manifests come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sources {
    /// `spec.source`.
    Single(Source),
    /// `spec.sources`, at least one.
    Multiple(Vec<Source>),
    /// `spec.sourceHydrator.drySource`.
    Hydrator(Source),
}

/// The place of a source in an Application.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SourcePlace {
    /// `spec.source`.
    Single,
    /// `spec.sources[n]`.
    Multiple(usize),
    /// `spec.sourceHydrator.drySource`.
    Hydrator,
}

impl Sources {
    /// The source at a place, if there is one.
    #[must_use]
    pub fn at(&self, place: SourcePlace) -> Option<&Source> {
        match (self, place) {
            (Self::Single(source), SourcePlace::Single)
            | (Self::Hydrator(source), SourcePlace::Hydrator) => Some(source),
            (Self::Multiple(sources), SourcePlace::Multiple(index)) => sources.get(index),
            (Self::Single(_) | Self::Multiple(_) | Self::Hydrator(_), _) => None,
        }
    }

    pub(in crate::domain) fn at_mut(&mut self, place: SourcePlace) -> Option<&mut Source> {
        match (self, place) {
            (Self::Single(source), SourcePlace::Single)
            | (Self::Hydrator(source), SourcePlace::Hydrator) => Some(source),
            (Self::Multiple(sources), SourcePlace::Multiple(index)) => sources.get_mut(index),
            (Self::Single(_) | Self::Multiple(_) | Self::Hydrator(_), _) => None,
        }
    }
}

impl fmt::Display for SourcePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Single => f.write_str("spec.source"),
            Self::Multiple(index) => write!(f, "spec.sources[{index}]"),
            Self::Hydrator => f.write_str("spec.sourceHydrator.drySource"),
        }
    }
}

/// One source. A block that is absent is `None`; a block that is there and empty is `Some` of nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Source {
    /// `helm.parameters`, in order.
    pub helm: Option<Vec<HelmParameter>>,
    /// `kustomize.images`, in order, verbatim.
    pub kustomize: Option<Vec<String>>,
    /// `plugin.env`, in order.
    pub plugin: Option<Vec<EnvVar>>,
    /// `path`, where write-back targets in git are found.
    pub path: Option<String>,
    /// `chart`, a chart's name in a Helm repository. It makes the source one of Helm, whether or not it has a `helm` block.
    pub chart: Option<String>,
}

/// One of `helm.parameters`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HelmParameter {
    /// Its name, a path into the chart's values.
    pub name: String,
    /// Its value; one that is not given is empty.
    pub value: String,
    /// `forceString`.
    pub force_string: bool,
}

impl HelmParameter {
    /// Whether Helm's `--set` makes a number, a boolean or null of a value that is not forced to be a string (`typedVal` in its
    /// `strvals` package). A tag such as `20240101` comes out of a template as `2.0240101e+07` then.
    #[must_use]
    pub fn is_retyped(value: &str) -> bool {
        let word = ["true", "false", "null", "0"]
            .iter()
            .any(|word| value.eq_ignore_ascii_case(word));
        word || (!value.starts_with('0') && value.parse::<i64>().is_ok())
    }
}

/// One of `plugin.env`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvVar {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// `status`, as far as it says what is live.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApplicationStatus {
    /// `status.sourceType`.
    pub source_type: Option<SourceType>,
    /// `status.sourceTypes`, one for each of `spec.sources`.
    pub source_types: Vec<SourceType>,
    /// `status.summary.images`, verbatim; `None` where nothing is reported, as before the first reconciliation.
    pub images: Option<Vec<String>>,
}

/// What kind of source Argo CD made of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SourceType {
    /// A Helm chart.
    Helm,
    /// A kustomization.
    Kustomize,
    /// A config management plugin.
    Plugin,
    /// Plain manifests, or anything that is not known here.
    Directory,
}
