//! Objects for the domain's tests.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use std::time::SystemTime;

use crate::domain::event::ImageEvent;
use crate::domain::policy::NewVersion;
use crate::domain::reference::Digest;
use crate::domain::reference::Reference;
use crate::domain::reference::Tag;
use crate::domain::registry::access::Access;
use crate::domain::registry::answer::Answer;
use crate::domain::registry::answer::Build;
use crate::domain::registry::answer::Failure;
use crate::domain::registry::answer::TagList;
use crate::domain::registry::answer::TagOrder;
use crate::domain::registry::default_registry::DefaultRegistry;
use crate::domain::registry::endpoint::Endpoint;
use crate::domain::registry::knowledge::Knowledge;
use crate::domain::registry::platform::Platform;
use crate::domain::registry::question::Age;
use crate::domain::registry::question::Question;
use crate::domain::resources::application::Application;
use crate::domain::resources::application::ApplicationStatus;
use crate::domain::resources::application::EnvVar;
use crate::domain::resources::application::HelmParameter;
use crate::domain::resources::application::Source;
use crate::domain::resources::application::Sources;
use crate::domain::resources::image_updater::ApplicationRef;
use crate::domain::resources::image_updater::ImageConfig;
use crate::domain::resources::image_updater::ImageUpdater;
use crate::domain::resources::image_updater::ManifestTarget;
use crate::domain::resources::image_updater::NamedTarget;
use crate::domain::resources::image_updater::UpdateSettings;
use crate::domain::resources::image_updater::WriteBackSettings;
use crate::domain::resources::image_updater_status::ImageUpdaterStatus;
use crate::domain::resources::labels::Labels;
use crate::domain::resources::problem::Problem;
use crate::domain::resources::resource::ResourceId;
use crate::domain::tracking::application_images::application_images;
use crate::domain::tracking::tracked_image::TrackedImage;
use crate::domain::tracking::updater_rules::UpdaterRules;

/// A name in the namespace of everything that does not say another one.
pub(crate) fn id(name: &str) -> ResourceId {
    ResourceId {
        namespace: "argocd".to_owned(),
        name: name.to_owned(),
    }
}

/// A source in git that says nothing of its kind.
pub(crate) fn git_source() -> Source {
    Source {
        path: Some("deploy".to_owned()),
        ..Source::default()
    }
}

/// A source with a helm block.
pub(crate) fn helm_source(parameters: &[(&str, &str)]) -> Source {
    let parameter = |(name, value): &(&str, &str)| HelmParameter {
        name: (*name).to_owned(),
        value: (*value).to_owned(),
        force_string: true,
    };
    Source {
        helm: Some(parameters.iter().map(parameter).collect()),
        ..git_source()
    }
}

/// A source with a kustomize block.
pub(crate) fn kustomize_source(images: &[&str]) -> Source {
    Source {
        kustomize: Some(images.iter().map(|image| (*image).to_owned()).collect()),
        ..git_source()
    }
}

/// A source with a plugin block.
pub(crate) fn plugin_source(env: &[(&str, &str)]) -> Source {
    let variable = |(name, value): &(&str, &str)| EnvVar {
        name: (*name).to_owned(),
        value: (*value).to_owned(),
    };
    Source {
        plugin: Some(env.iter().map(variable).collect()),
        ..git_source()
    }
}

/// A source that is a chart of a Helm repository.
pub(crate) fn chart_source() -> Source {
    Source {
        chart: Some("web".to_owned()),
        ..Source::default()
    }
}

/// An Application with one source and without status, as it is in a file.
pub(crate) fn application(name: &str, source: Source) -> Application {
    Application {
        id: id(name),
        labels: Labels::default(),
        annotations: Labels::default(),
        sources: Sources::Single(source),
        status: None,
    }
}

/// A status that reports live images.
pub(crate) fn live(images: &[&str]) -> ApplicationStatus {
    ApplicationStatus {
        images: Some(images.iter().map(|image| (*image).to_owned()).collect()),
        ..ApplicationStatus::default()
    }
}

/// An ImageUpdater.
pub(crate) fn updater(name: &str, applications: Vec<ApplicationRef>) -> ImageUpdater {
    ImageUpdater {
        id: id(name),
        created: None,
        generation: None,
        applications,
        settings: UpdateSettings::default(),
        write_back: WriteBackSettings::default(),
        verification: None,
        status: ImageUpdaterStatus::default(),
    }
}

/// One of an ImageUpdater's references.
pub(crate) fn reference(name_pattern: &str, images: Vec<ImageConfig>) -> ApplicationRef {
    ApplicationRef {
        name_pattern: name_pattern.to_owned(),
        images,
        ..ApplicationRef::default()
    }
}

/// One of a reference's images.
pub(crate) fn image(alias: &str, image_name: &str) -> ImageConfig {
    ImageConfig {
        alias: alias.to_owned(),
        image_name: image_name.to_owned(),
        ..ImageConfig::default()
    }
}

/// The digest of one repeated hexadecimal digit.
pub(crate) fn digest(digit: char) -> String {
    format!("sha256:{}", digit.to_string().repeat(64))
}

/// The event that announces `name:tag[@digest]`.
pub(crate) fn event(text: &str) -> ImageEvent {
    let reference = Reference::parse(text).unwrap();
    ImageEvent {
        image: reference.name().clone(),
        tag: reference.tag().unwrap().clone(),
        digest: reference.digest().cloned(),
    }
}

/// An image that is written to Helm parameters of name and tag.
pub(crate) fn helm_image(alias: &str, image_name: &str, name: &str, tag: &str) -> ImageConfig {
    ImageConfig {
        target: ManifestTarget {
            helm: Some(NamedTarget {
                name: (!name.is_empty()).then(|| name.to_owned()),
                tag: (!tag.is_empty()).then(|| tag.to_owned()),
                spec: None,
            }),
            ..ManifestTarget::default()
        },
        ..image(alias, image_name)
    }
}

/// An image that is written to the kustomize entry of a name in the manifests.
pub(crate) fn kustomize_image(alias: &str, image_name: &str, name: &str) -> ImageConfig {
    ImageConfig {
        target: ManifestTarget {
            kustomize: Some(name.to_owned()),
            ..ManifestTarget::default()
        },
        ..image(alias, image_name)
    }
}

/// Annotations of ours, by what follows the slash.
pub(crate) fn annotations(pairs: &[(&str, &str)]) -> Labels {
    pairs
        .iter()
        .map(|(key, value)| {
            let key = format!("argocd-image-updater.argoproj.io/{key}");
            (key, (*value).to_owned())
        })
        .collect()
}

/// A default registry with images under this host.
pub(crate) fn default_registry(host: &str, namespace: Option<&str>) -> DefaultRegistry {
    DefaultRegistry::of(&Endpoint {
        prefix: host.to_owned(),
        default_namespace: namespace.map(str::to_owned),
        ..Endpoint::bare()
    })
}

/// What ImageUpdaters track in an Application, and what is wrong.
pub(crate) fn tracked(
    application: Application,
    updaters: Vec<ImageUpdater>,
) -> (Vec<TrackedImage>, Vec<Problem>) {
    tracked_by_default(application, updaters, DefaultRegistry::default())
}

/// The same where another registry has names without one.
pub(crate) fn tracked_by_default(
    application: Application,
    updaters: Vec<ImageUpdater>,
    default: DefaultRegistry,
) -> (Vec<TrackedImage>, Vec<Problem>) {
    let rules: Vec<_> = updaters
        .into_iter()
        .map(|updater| UpdaterRules::read(Arc::new(updater)))
        .collect();
    application_images(&Arc::new(application), &rules, &Arc::new(default))
}

/// What one ImageUpdater with these images, of whatever Application, tracks.
pub(crate) fn tracked_images(
    application: Application,
    images: Vec<ImageConfig>,
) -> Vec<TrackedImage> {
    tracked(
        application,
        vec![updater("all", vec![reference("*", images)])],
    )
    .0
}

/// The version `tag[@digest]`.
pub(crate) fn version(text: &str) -> NewVersion {
    let pushed = event(&format!("any:{text}"));
    NewVersion {
        tag: pushed.tag,
        digest: pushed.digest,
    }
}

/// A registry with what it lists and what it has, which may differ. It notes what it is asked.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    /// What it has.
    pub(crate) builds: Vec<Shelved>,
    /// What it lists, where that is not what it has.
    pub(crate) listed: Option<Vec<&'static str>>,
    /// What the order of its list means.
    pub(crate) order: TagOrder,
    /// What was learned of some tags a while ago, where that is so no longer.
    pub(crate) learned: Vec<Shelved>,
    /// The tag or digest of which it says nothing.
    pub(crate) silent_about: Option<&'static str>,
    /// The digests that are signed.
    pub(crate) signed: Vec<Digest>,
    /// The questions it was asked, in words.
    pub(crate) asked: std::cell::RefCell<Vec<String>>,
}

/// A tag of a registry.
#[derive(Debug, Clone)]
pub(crate) struct Shelved {
    pub(crate) tag: &'static str,
    pub(crate) digest: Digest,
    /// When it was built, in seconds; `None`: it does not say.
    pub(crate) created: Option<u64>,
    pub(crate) platform: Platform,
}

/// `tag@x+5/linux/arm64`: a tag, the letter that its digest is filled with (a), when it was built in seconds, and its platform (linux/amd64).
pub(crate) fn shelf(texts: &[&'static str]) -> Shelf {
    let one = |text: &&'static str| {
        let (rest, platform) = text.split_once('/').unwrap_or((text, "linux/amd64"));
        let (rest, created) = rest
            .split_once('+')
            .map_or((rest, None), |(rest, at)| (rest, Some(at)));
        let (tag, fill) = rest.split_once('@').unwrap_or((rest, "a"));
        Shelved {
            tag,
            digest: Digest::parse(&digest(fill.chars().next().unwrap())).unwrap(),
            created: created.map(|at| at.parse().unwrap()),
            platform: Platform::parse(platform).unwrap(),
        }
    };
    Shelf {
        builds: texts.iter().map(one).collect(),
        ..Shelf::default()
    }
}

impl Shelf {
    /// Answers what is asked, until nothing is.
    pub(crate) fn settle<T>(
        &self,
        mut decide: impl FnMut(&Knowledge) -> (T, BTreeMap<Access, BTreeSet<Question>>),
    ) -> T {
        let mut knowledge = Knowledge::new();
        loop {
            let (decision, questions) = decide(&knowledge);
            if questions.is_empty() {
                return decision;
            }
            for (access, questions) in questions {
                for question in questions {
                    assert_eq!(knowledge.of(&access, &question), None, "asked twice");
                    knowledge.learn(access.clone(), question.clone(), self.answer(&question));
                }
            }
        }
    }

    fn answer(&self, question: &Question) -> Result<Answer, Failure> {
        let (words, about) = match question {
            Question::Tags => ("tags".to_owned(), None),
            Question::Digest(tag) => (format!("digest {tag}"), Some(tag.as_str())),
            Question::Build(question) => (
                format!("build {}", question.of.as_str()),
                Some(question.of.as_str()),
            ),
            Question::Signature { digest, .. } => {
                (format!("signature {}", &digest.as_str()[7..8]), None)
            }
        };
        self.asked.borrow_mut().push(words);
        if about.is_some() && about == self.silent_about {
            return Err(Failure {
                reason: "registry quay.io could not be asked: 500".to_owned(),
                is_passing: true,
            });
        }
        let learned = match question {
            Question::Build(question) if question.age == Age::Recent => &self.learned[..],
            Question::Tags
            | Question::Digest(_)
            | Question::Build(_)
            | Question::Signature { .. } => &[],
        };
        let found = about.and_then(|about| {
            let mut builds = learned.iter().chain(&self.builds);
            builds.find(|build| build.tag == about || build.digest.as_str() == about)
        });
        Ok(match question {
            Question::Tags => Answer::Tags(self.list()),
            Question::Digest(_) => Answer::Digest(found.map(|build| build.digest.clone())),
            Question::Build(question) => Answer::Build(found.map(|build| {
                Build {
                    digest: build.digest.clone(),
                    created: build
                        .created
                        .map(|at| SystemTime::UNIX_EPOCH + Duration::from_secs(at)),
                    is_for_platform: question.platforms.admits(&build.platform),
                }
            })),
            Question::Signature { digest, .. } if self.signed.contains(digest) => Answer::Signed,
            Question::Signature { .. } => Answer::Unsigned("no matching signature".to_owned()),
        })
    }

    fn list(&self) -> TagList {
        let all = || self.builds.iter().map(|build| build.tag).collect();
        let tags = self.listed.clone().unwrap_or_else(all);
        TagList {
            tags: tags
                .into_iter()
                .map(|tag| Tag::parse(tag).unwrap())
                .collect(),
            order: self.order,
        }
    }
}
