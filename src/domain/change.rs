//! What is to be written into an Application, and the values that it replaces.

use thiserror::Error;

use crate::domain::kustomize_image::KustomizeImage;
use crate::domain::resources::application::Application;
use crate::domain::resources::application::EnvVar;
use crate::domain::resources::application::HelmParameter;
use crate::domain::resources::application::Source;
use crate::domain::resources::application::SourcePlace;
use crate::domain::resources::resource::ResourceId;

/// All edits of one Application that one decision makes. They are written together or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplicationChange {
    /// The Application.
    pub application: ResourceId,
    /// The source that is edited.
    pub source: SourcePlace,
    /// The edits, at least one.
    pub edits: Vec<Edit>,
    /// What they mean, for people.
    pub images: Vec<ImageChange>,
}

/// One value to write. `expected` is what stood there when the decision was made (`None`: nothing); where something else stands now,
/// nothing is written and the decision is made again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// A parameter in `helm.parameters`, replaced in place or appended, with `forceString: true`.
    HelmParameter {
        /// Its name.
        name: String,
        /// The value it had.
        expected: Option<String>,
        /// The new value.
        value: String,
    },
    /// An entry of `kustomize.images`, replaced in place or appended.
    KustomizeImage {
        /// The entry it replaces, verbatim. `None`: there is no entry for its image in the manifests.
        expected: Option<String>,
        /// The new entry.
        value: String,
    },
    /// A variable in `plugin.env`, replaced in place or appended.
    PluginEnv {
        /// Its name.
        name: String,
        /// The value it had.
        expected: Option<String>,
        /// The new value.
        value: String,
    },
}

/// One image that changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageChange {
    /// The ImageUpdater that asks for it.
    pub updater: ResourceId,
    /// The alias by which that knows it; empty where it has none.
    pub alias: String,
    /// Its name in the user's spelling.
    pub image: String,
    /// The tag and digest it had, as text; empty where it had none.
    pub old: String,
    /// The tag and digest it gets, as text.
    pub new: String,
    /// What people are to be told with it.
    pub remark: Option<String>,
}

/// Why a change cannot be made to an Application as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ChangeConflict {
    /// Something else stands where it wants to write: decide again.
    #[error("{0}")]
    Moved(String),
    /// It cannot be told which of several values is meant.
    #[error("{0} is there more than once; keep one of them")]
    Ambiguous(String),
}

impl ChangeConflict {
    /// Something else stands at a place than what is expected there.
    #[must_use]
    pub fn moved(what: &str, expected: Option<&str>, found: Option<&str>) -> Self {
        Self::Moved(match (expected, found) {
            (Some(expected), Some(found)) => {
                format!("{what} is {found:?}, where {expected:?} was expected")
            }
            (Some(_), None) => format!("{what} is no longer there"),
            (None, _) => format!("{what} is there already"),
        })
    }
}

impl ApplicationChange {
    /// What the Application becomes by it.
    ///
    /// # Errors
    /// [`ChangeConflict`] where what stands there is not what an edit expects.
    pub fn applied_to(&self, application: &Application) -> Result<Application, ChangeConflict> {
        let mut changed = application.clone();
        let source = changed
            .sources
            .at_mut(self.source)
            .ok_or_else(|| ChangeConflict::Moved(format!("it has no {}", self.source)))?;
        for edit in &self.edits {
            edit.apply_to(source)?;
        }
        Ok(changed)
    }

    /// Whether all that it writes stands in the Application already.
    #[must_use]
    pub fn is_made_in(&self, application: &Application) -> bool {
        let edits = self.edits.iter().map(Edit::of_its_own_value).collect();
        let again = Self {
            edits,
            ..self.clone()
        };
        again.applied_to(application).is_ok()
    }
}

impl Edit {
    /// The same, where the new value is what is expected.
    fn of_its_own_value(&self) -> Self {
        let mut edit = self.clone();
        match &mut edit {
            Self::HelmParameter {
                expected, value, ..
            }
            | Self::KustomizeImage { expected, value }
            | Self::PluginEnv {
                expected, value, ..
            } => *expected = Some(value.clone()),
        }
        edit
    }

    fn apply_to(&self, source: &mut Source) -> Result<(), ChangeConflict> {
        match self {
            Self::HelmParameter {
                name,
                expected,
                value,
            } => {
                let list = source.helm.get_or_insert_default();
                let named = |one: &HelmParameter| one.name == *name;
                match expected_entry(list, name, expected.as_deref(), named, |one| &one.value)? {
                    Some(parameter) => {
                        parameter.force_string |= HelmParameter::is_retyped(value);
                        parameter.value.clone_from(value);
                    }
                    None => list.push(HelmParameter {
                        name: name.clone(),
                        value: value.clone(),
                        force_string: true,
                    }),
                }
            }
            Self::KustomizeImage { expected, value } => {
                let list = source.kustomize.get_or_insert_default();
                let meant = |one: &String| is_meant(one, expected.as_deref(), value);
                let new = KustomizeImage::parse(value);
                let what = expected.as_deref().unwrap_or(new.replaced_name());
                match expected_entry(list, what, expected.as_deref(), meant, |one| one)? {
                    Some(image) => image.clone_from(value),
                    None => list.push(value.clone()),
                }
            }
            Self::PluginEnv {
                name,
                expected,
                value,
            } => {
                let list = source.plugin.get_or_insert_default();
                let named = |one: &EnvVar| one.name == *name;
                match expected_entry(list, name, expected.as_deref(), named, |one| &one.value)? {
                    Some(variable) => variable.value.clone_from(value),
                    None => list.push(EnvVar {
                        name: name.clone(),
                        value: value.clone(),
                    }),
                }
            }
        }
        Ok(())
    }
}

/// Whether an entry of `kustomize.images` is the one that an edit expects or, where it expects none, stands where the new one would.
#[must_use]
pub fn is_meant(entry: &str, expected: Option<&str>, value: &str) -> bool {
    match expected {
        Some(expected) => entry == expected,
        None => KustomizeImage::parse(entry).is_in_place_of(&KustomizeImage::parse(value)),
    }
}

/// The one entry that an edit means, where it holds the value that is expected; `None` where none is there, as expected.
fn expected_entry<'l, T>(
    list: &'l mut [T],
    what: &str,
    expected: Option<&str>,
    meant: impl Fn(&T) -> bool,
    value: impl Fn(&T) -> &String,
) -> Result<Option<&'l mut T>, ChangeConflict> {
    let mut entries = list.iter_mut().filter(|entry| meant(entry));
    let entry = entries.next();
    if expected.is_some() && entries.next().is_some() {
        return Err(ChangeConflict::Ambiguous(what.to_owned()));
    }
    let found = entry.as_deref().map(value).map(String::as_str);
    if found != expected {
        return Err(ChangeConflict::moved(what, expected, found));
    }
    Ok(entry)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::resources::application::Sources;
    use crate::domain::resources::labels::Labels;
    fn application(source: Source) -> Application {
        Application {
            id: ResourceId {
                namespace: "argocd".into(),
                name: "shop".into(),
            },
            labels: Labels::default(),
            annotations: Labels::default(),
            sources: Sources::Single(source),
            status: None,
        }
    }

    fn change(edit: Edit) -> ApplicationChange {
        ApplicationChange {
            application: application(Source::default()).id,
            source: SourcePlace::Single,
            edits: vec![edit],
            images: Vec::new(),
        }
    }

    fn tag(expected: Option<&str>, value: &str) -> ApplicationChange {
        change(Edit::HelmParameter {
            name: "image.tag".into(),
            expected: expected.map(str::to_owned),
            value: value.into(),
        })
    }

    fn with_tag(value: &str) -> Application {
        application(Source {
            helm: Some(vec![HelmParameter {
                name: "image.tag".into(),
                value: value.into(),
                force_string: false,
            }]),
            ..Source::default()
        })
    }

    fn parameters(application: &Application) -> Vec<(String, bool)> {
        let source = application.sources.at(SourcePlace::Single).unwrap();
        let list = source.helm.as_ref().unwrap();
        list.iter()
            .map(|one| (one.value.clone(), one.force_string))
            .collect()
    }

    #[test]
    fn a_parameter_is_replaced_and_forced_to_a_string_only_where_helm_would_make_a_number_of_it() {
        let changed = tag(Some("1.2"), "1.3")
            .applied_to(&with_tag("1.2"))
            .unwrap();
        assert_eq!(parameters(&changed), [("1.3".into(), false)]);
        let changed = tag(Some("1.2"), "20240101")
            .applied_to(&with_tag("1.2"))
            .unwrap();
        assert_eq!(parameters(&changed), [("20240101".into(), true)]);
    }

    #[test]
    fn a_change_is_made_where_its_values_stand() {
        let change = tag(Some("1.2"), "1.3");
        assert!(change.is_made_in(&with_tag("1.3")));
        assert!(!change.is_made_in(&with_tag("1.2")));
        assert!(!change.is_made_in(&application(Source::default())));
        let before = with_tag("1.2");
        let after = change.applied_to(&before).unwrap();
        assert!(change.is_made_in(&after));
    }

    #[test]
    fn a_missing_parameter_is_appended_as_a_string() {
        let changed = tag(None, "1.3")
            .applied_to(&application(Source::default()))
            .unwrap();
        assert_eq!(parameters(&changed), [("1.3".into(), true)]);
    }

    #[test]
    fn what_stands_there_must_be_what_is_expected() {
        for (expected, there) in [(Some("1.2"), "1.1"), (None, "1.1")] {
            let conflict = tag(expected, "1.3")
                .applied_to(&with_tag(there))
                .unwrap_err();
            assert!(matches!(conflict, ChangeConflict::Moved(_)), "{conflict}");
        }
        let image = change(Edit::KustomizeImage {
            expected: Some("nginx:1".into()),
            value: "nginx:2".into(),
        });
        let conflict = image.applied_to(&with_tag("1")).unwrap_err();
        assert_eq!(conflict.to_string(), "nginx:1 is no longer there");
    }

    #[test]
    fn no_second_entry_is_put_beside_one_for_the_same_image() {
        let there = |images: &[&str]| {
            application(Source {
                kustomize: Some(images.iter().map(|&image| image.into()).collect()),
                ..Source::default()
            })
        };
        let append = change(Edit::KustomizeImage {
            expected: None,
            value: "nginx:1.27".into(),
        });
        for images in [
            &["redis:7", "nginx:1.28"][..],
            &["docker.io/library/nginx:1.28"],
            &["nginx=mirror/nginx:1.28"],
            &["nginx:1.28", "nginx:1.29"],
        ] {
            let conflict = append.applied_to(&there(images)).unwrap_err();
            assert_eq!(
                conflict,
                ChangeConflict::Moved("nginx is there already".into())
            );
        }
        let changed = append.applied_to(&there(&["web=nginx:1"])).unwrap();
        assert_eq!(changed, there(&["web=nginx:1", "nginx:1.27"]));
    }

    #[test]
    fn two_of_one_name_are_not_guessed_between() {
        let mut twice = with_tag("1.2");
        if let Sources::Single(source) = &mut twice.sources {
            let list = source.helm.as_mut().unwrap();
            list.push(list[0].clone());
        }
        assert!(matches!(
            tag(Some("1.2"), "1.3").applied_to(&twice),
            Err(ChangeConflict::Ambiguous(_))
        ));
    }

    #[test]
    fn a_source_that_is_not_there_cannot_be_changed() {
        let mut elsewhere = tag(Some("1.2"), "1.3");
        elsewhere.source = SourcePlace::Multiple(0);
        let conflict = elsewhere.applied_to(&with_tag("1.2")).unwrap_err();
        assert_eq!(conflict.to_string(), "it has no spec.sources[0]");
    }

    #[test]
    fn helm_makes_other_types_of_these() {
        for value in ["20240101", "0", "-5", "true", "False", "NULL"] {
            assert!(HelmParameter::is_retyped(value), "{value}");
        }
        for value in [
            "",
            "1.2",
            "007",
            "v1",
            "1e3",
            "0x10",
            "yes",
            "99999999999999999999",
        ] {
            assert!(!HelmParameter::is_retyped(value), "{value}");
        }
    }
}
