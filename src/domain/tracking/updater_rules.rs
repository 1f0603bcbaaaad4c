//! An ImageUpdater, read once: which Applications it takes, and by what rules.

use std::sync::Arc;

use crate::domain::policy::glob::Glob;
use crate::domain::resources::application::Application;
use crate::domain::resources::image_updater::ApplicationRef;
use crate::domain::resources::image_updater::ImageConfig;
use crate::domain::resources::image_updater::ImageUpdater;
use crate::domain::resources::image_updater::LabelSelector;
use crate::domain::resources::image_updater::UpdateSettings;
use crate::domain::resources::image_updater::VerificationSettings;
use crate::domain::resources::problem::Finding;
use crate::domain::resources::problem::Problem;
use crate::domain::resources::problem::ResourceKind;
use crate::domain::tracking::annotations::Annotated;
use crate::domain::tracking::annotations::AnnotationError;
use crate::domain::tracking::hindrance::Hindrance;
use crate::domain::tracking::image_rule::ImageRule;
use crate::domain::tracking::image_rule::Verification;
use crate::domain::tracking::selector::Selector;
use crate::domain::tracking::specificity::most_specific_first;
use crate::domain::tracking::write_back::WriteBackMethod;

/// An ImageUpdater, read once. What is wrong with a part of it is left out of it, and only that.
#[derive(Debug, Clone)]
pub struct UpdaterRules {
    updater: Arc<ImageUpdater>,
    /// Its last version that asks for the same.
    latest: Arc<ImageUpdater>,
    /// The most specific first.
    references: Vec<Reference>,
    problems: Vec<Problem>,
}

/// One of `applicationRefs`.
#[derive(Debug, Clone)]
struct Reference {
    pattern: Glob,
    selector: Selector,
    content: Content,
}

/// Where a reference's images come from.
#[derive(Debug, Clone)]
enum Content {
    /// From itself.
    Own(Claim),
    /// From the Application's annotations. They say nothing of verification.
    Annotations(Option<VerificationSettings>),
}

/// What an ImageUpdater does with one Application.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The images that it tracks.
    pub images: Vec<Arc<ImageRule>>,
    /// How changes are kept.
    pub write_back: WriteBackMethod,
}

impl UpdaterRules {
    /// Reads an ImageUpdater.
    ///
    /// A name pattern that is none makes it take no Application at all: nobody knows which ones the pattern was to keep from its other
    /// references.
    #[must_use]
    pub fn read(updater: Arc<ImageUpdater>) -> Self {
        let mut findings = Vec::new();
        let references = read_references(&updater, &mut findings).unwrap_or_else(|finding| {
            findings.push(finding);
            Vec::new()
        });
        let problems = findings
            .into_iter()
            .map(|finding| finding.about(ResourceKind::ImageUpdater, &updater.id))
            .collect();
        Self {
            latest: Arc::clone(&updater),
            updater,
            references,
            problems,
        }
    }

    /// Takes up a version of the ImageUpdater that asks for the same as the one that was read, and says whether its generation is another than
    /// before. One that differs in its status alone is no news to anybody who follows the rules.
    pub fn take_up(&mut self, version: &Arc<ImageUpdater>) -> bool {
        let before = std::mem::replace(&mut self.latest, Arc::clone(version));
        before.generation != version.generation
    }

    /// Whether these are the rules of a version of the ImageUpdater.
    #[must_use]
    pub fn are_of(&self, version: &Arc<ImageUpdater>) -> bool {
        Arc::ptr_eq(&self.latest, version) || self.updater.asks_the_same_as(version)
    }

    /// The generation of the last version.
    #[must_use]
    pub fn generation(&self) -> Option<i64> {
        self.latest.generation
    }

    /// Whether it takes no Application, whatever its name.
    #[must_use]
    pub fn are_unusable(&self) -> bool {
        self.references.is_empty()
    }

    /// Whether changes of some Application are to be kept in git. What annotations say is not known here.
    #[must_use]
    pub fn ask_for_git(&self) -> bool {
        self.references
            .iter()
            .any(|reference| match &reference.content {
                Content::Own(claim) => claim.write_back == WriteBackMethod::Git,
                Content::Annotations(_) => false,
            })
    }

    /// What is wrong with it.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The ImageUpdater that was read. Its status may have changed since.
    #[must_use]
    pub fn updater(&self) -> &Arc<ImageUpdater> {
        &self.updater
    }

    /// What it does with an Application: the first reference decides that takes it and whose settings can be read. The problems are about
    /// the Application.
    #[must_use]
    pub fn claim(&self, application: &Application) -> (Option<Claim>, Vec<Problem>) {
        let mut findings = Vec::new();
        let claim = self
            .references
            .iter()
            .filter(|reference| reference.takes(application))
            .find_map(|reference| match &reference.content {
                Content::Own(claim) => Some(claim.clone()),
                Content::Annotations(verification) => {
                    annotated_claim(application, verification.as_ref(), &mut findings)
                }
            });
        let problems = findings
            .into_iter()
            .map(|finding| finding.about(ResourceKind::Application, &application.id))
            .collect();
        (claim, problems)
    }
}

impl Reference {
    fn takes(&self, application: &Application) -> bool {
        self.pattern.matches(&application.id.name) && self.selector.matches(&application.labels)
    }
}

fn read_references(
    updater: &ImageUpdater,
    findings: &mut Vec<Finding>,
) -> Result<Vec<Reference>, Finding> {
    if updater.applications.is_empty() {
        let message = "it takes no Application: give spec.applicationRefs at least one entry";
        return Err(Finding::error(message.to_owned()));
    }
    let mut references = Vec::new();
    for source in most_specific_first(&updater.applications) {
        let pattern = Glob::parse(&source.name_pattern).map_err(|error| {
            let pattern = &source.name_pattern;
            Finding::error(format!(
                "it takes no Application, as its namePattern {pattern:?} is none: {error}"
            ))
        })?;
        let mut own = Vec::new();
        match read_reference(updater, source, &mut own) {
            Ok((selector, content)) => references.push(Reference {
                pattern,
                selector,
                content,
            }),
            Err(finding) => own.push(finding),
        }
        let part = format!("applicationRef {:?}", source.name_pattern);
        findings.extend(own.into_iter().map(|finding| finding.within(&part)));
    }
    Ok(references)
}

/// Reads everything of a reference but its pattern. The error is why it takes no Application.
fn read_reference(
    updater: &ImageUpdater,
    source: &ApplicationRef,
    findings: &mut Vec<Finding>,
) -> Result<(Selector, Content), Finding> {
    let everything = LabelSelector::default();
    let selector = Selector::parse(source.labels.as_ref().unwrap_or(&everything))
        .map_err(|error| Finding::error(format!("it takes no Application: {error}")))?;
    let verification = VerificationSettings::inherited([
        source.verification.as_ref(),
        updater.verification.as_ref(),
    ]);
    if source.use_annotations {
        return Ok((selector, Content::Annotations(verification)));
    }
    let write_back = source.write_back.inheriting(&updater.write_back);
    let write_back = WriteBackMethod::parse(write_back.method.as_deref())
        .map_err(|error| Finding::error(format!("it takes no Application: {error}")))?;
    findings.extend(Hindrance::of_method(write_back).map(Finding::from));
    if source.images.is_empty() {
        let message = "it tracks nothing: give it images, or set useAnnotations to true";
        findings.push(Finding::warning(message.to_owned()));
    }
    let settings = source.settings.inheriting(&updater.settings);
    let claim = Claim {
        images: read_images(&source.images, &settings, verification.as_ref(), findings),
        write_back,
    };
    Ok((selector, Content::Own(claim)))
}

/// Reads images with the settings and the verification of the levels above.
fn read_images(
    images: &[ImageConfig],
    settings: &UpdateSettings,
    above: Option<&VerificationSettings>,
    findings: &mut Vec<Finding>,
) -> Vec<Arc<ImageRule>> {
    let mut rules = Vec::new();
    for image in images {
        let verification = VerificationSettings::inherited([image.verification.as_ref(), above]);
        let verification = Verification::parse(verification);
        match ImageRule::parse(image, &image.settings.inheriting(settings), verification) {
            Ok((rule, own)) => {
                rules.push(Arc::new(rule));
                findings.extend(own);
            }
            Err(finding) => findings.push(finding),
        }
    }
    rules
}

/// What an Application's annotations say; `None` where they do not or are wrong, and the next reference has its turn.
fn annotated_claim(
    application: &Application,
    verification: Option<&VerificationSettings>,
    findings: &mut Vec<Finding>,
) -> Option<Claim> {
    let annotated = match Annotated::parse(&application.annotations) {
        Ok(annotated) => annotated,
        // Not to have the annotation is how an Application stays out.
        Err(AnnotationError::Missing) => return None,
        Err(error) => {
            findings.push(Finding::error(error.to_string()));
            return None;
        }
    };
    let write_back = WriteBackMethod::parse(annotated.write_back.method.as_deref())
        .map_err(|error| findings.push(Finding::error(error.to_string())))
        .ok()?;
    findings.extend(Hindrance::of_method(write_back).map(Finding::from));
    Some(Claim {
        images: read_images(
            &annotated.images,
            &annotated.settings,
            verification,
            findings,
        ),
        write_back,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::policy::Policy;
    use crate::domain::policy::Strategy;
    use crate::domain::resources::application::Source;
    use crate::domain::resources::image_updater::LabelExpression;
    use crate::domain::resources::image_updater::SecretKeyRef;
    use crate::domain::resources::image_updater::WriteBackSettings;
    use crate::domain::testing::annotations;
    use crate::domain::testing::application;
    use crate::domain::testing::image;
    use crate::domain::testing::reference;
    use crate::domain::testing::updater;

    fn read(updater: ImageUpdater) -> UpdaterRules {
        UpdaterRules::read(Arc::new(updater))
    }

    fn labelled(name: &str, labels: &[(&str, &str)]) -> Application {
        let mut application = application(name, Source::default());
        application.labels = labels
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        application
    }

    fn annotated(pairs: &[(&str, &str)]) -> Application {
        let mut application = application("web", Source::default());
        application.annotations = annotations(pairs);
        application
    }

    fn by_annotations(name_pattern: &str) -> ApplicationRef {
        ApplicationRef {
            use_annotations: true,
            ..reference(name_pattern, Vec::new())
        }
    }

    fn selecting(mut reference: ApplicationRef, key: &str, operator: &str) -> ApplicationRef {
        let expression = LabelExpression {
            key: key.to_owned(),
            operator: operator.to_owned(),
            values: Vec::new(),
        };
        reference.labels = Some(LabelSelector {
            expressions: vec![expression],
            ..LabelSelector::default()
        });
        reference
    }

    fn method(method: &str) -> WriteBackSettings {
        WriteBackSettings {
            method: Some(method.to_owned()),
            target: None,
        }
    }

    /// The names of the images that are tracked, and the number of problems of this Application.
    fn images(rules: &UpdaterRules, application: &Application) -> (Vec<String>, usize) {
        let (claim, problems) = rules.claim(application);
        let images = claim.into_iter().flat_map(|claim| claim.images);
        let names = images.map(|rule| rule.image.spelling().to_owned());
        (names.collect(), problems.len())
    }

    fn names(rules: &UpdaterRules, application: &Application) -> Vec<String> {
        let (names, problems) = images(rules, application);
        assert_eq!(problems, 0);
        names
    }

    #[test]
    fn the_most_specific_reference_that_takes_an_application_decides() {
        let rules = read(updater(
            "u",
            vec![
                reference("*", vec![image("", "all")]),
                reference("shop-*", vec![image("", "shop")]),
                selecting(
                    reference("shop*", vec![image("", "canary")]),
                    "canary",
                    "Exists",
                ),
                reference("shop-web", vec![image("", "exact")]),
            ],
        ));
        assert_eq!(rules.problems(), []);
        let plain = |name| application(name, Source::default());
        assert_eq!(names(&rules, &plain("shop-web")), ["exact"]);
        assert_eq!(names(&rules, &plain("shop-api")), ["shop"]);
        assert_eq!(names(&rules, &plain("other")), ["all"]);
        let canary = labelled("shop-api", &[("canary", "")]);
        assert_eq!(names(&rules, &canary), ["canary"]);
    }

    #[test]
    fn a_pattern_that_is_none_stops_its_updater_and_a_selector_only_its_reference() {
        let bad_pattern = read(updater(
            "u",
            vec![
                reference("*", vec![image("", "all")]),
                reference("shop-[", vec![image("", "shop")]),
            ],
        ));
        assert_eq!(bad_pattern.problems().len(), 1);
        let web = application("web", Source::default());
        assert!(bad_pattern.claim(&web).0.is_none());

        let bad_selector = read(updater(
            "u",
            vec![
                reference("*", vec![image("", "all")]),
                selecting(reference("web", vec![image("", "web")]), "a", "Equals"),
            ],
        ));
        let problem = bad_selector.problems()[0].to_string();
        assert!(
            problem.starts_with("ImageUpdater argocd/u: applicationRef \"web\": it takes no"),
            "{problem}"
        );
        assert_eq!(names(&bad_selector, &web), ["all"]);
    }

    #[test]
    fn an_updater_without_references_or_images_says_so() {
        assert_eq!(read(updater("u", Vec::new())).problems().len(), 1);
        let nothing = updater("u", vec![reference("*", Vec::new())]);
        assert_eq!(read(nothing).problems().len(), 1);
    }

    #[test]
    fn a_bad_image_stops_no_other() {
        let rules = read(updater(
            "u",
            vec![reference(
                "*",
                vec![image("a", "not an image"), image("b", "nginx")],
            )],
        ));
        assert_eq!(rules.problems().len(), 1);
        let web = application("web", Source::default());
        assert_eq!(names(&rules, &web), ["nginx"]);
    }

    #[test]
    fn settings_come_down_three_levels() {
        let strategy = |strategy: &str| UpdateSettings {
            strategy: Some(strategy.to_owned()),
            ..UpdateSettings::default()
        };
        let mut own = image("own", "nginx:1");
        own.settings = strategy("digest");
        let mut shop = reference("shop", vec![own, image("inherits", "nginx:1")]);
        shop.settings = strategy("alphabetical");
        let mut source = updater("u", vec![shop, reference("*", vec![image("", "nginx")])]);
        source.settings = UpdateSettings {
            force_update: Some(true),
            ..strategy("newest-build")
        };
        source.write_back = method("git");
        let rules = read(source);
        // Every Application of these is left alone because of git.
        assert_eq!(rules.problems().len(), 2);
        let strategies = |name| {
            let claim = rules
                .claim(&application(name, Source::default()))
                .0
                .unwrap();
            assert_eq!(claim.write_back, WriteBackMethod::Git);
            assert!(claim.images.iter().all(|rule| rule.force_update));
            let policies = claim
                .images
                .iter()
                .map(|rule| rule.policy.as_ref().unwrap());
            policies.map(Policy::strategy).collect::<Vec<_>>()
        };
        assert_eq!(
            strategies("shop"),
            [Strategy::Digest, Strategy::Alphabetical]
        );
        assert_eq!(strategies("other"), [Strategy::NewestBuild]);
    }

    #[test]
    fn a_reference_whose_settings_are_wrong_gives_way_to_the_next() {
        let mut broken = reference("web", vec![image("", "web")]);
        broken.write_back = method("svn");
        let all = || reference("*", vec![image("", "all")]);
        let rules = read(updater("u", vec![broken, all()]));
        assert_eq!(rules.problems().len(), 1);
        let web = application("web", Source::default());
        assert_eq!(names(&rules, &web), ["all"]);

        let rules = read(updater("u", vec![by_annotations("web"), all()]));
        for (pairs, image, problems) in [
            (&[][..], "all", 0),
            (&[("image-list", "nginx")], "nginx", 0),
            (&[("image-list", " ")], "all", 1),
            (
                &[("image-list", "nginx"), ("write-back-method", "svn")],
                "all",
                1,
            ),
            (
                &[("image-list", "a=nginx"), ("a.force-update", "perhaps")],
                "all",
                1,
            ),
        ] {
            assert_eq!(
                images(&rules, &annotated(pairs)),
                (vec![image.to_owned()], problems),
                "{pairs:?}"
            );
        }
    }

    #[test]
    fn annotations_stand_alone_but_for_verification() {
        let mut source = updater("u", vec![by_annotations("*")]);
        source.settings.force_update = Some(true);
        source.write_back = method("git");
        source.verification = Some(VerificationSettings {
            enabled: None,
            cosign_key: Some(SecretKeyRef {
                secret_name: "cosign".to_owned(),
                key: "cosign.pub".to_owned(),
            }),
        });
        let claim = |source: ImageUpdater| {
            let web = annotated(&[("image-list", "nginx")]);
            read(source).claim(&web).0.unwrap()
        };
        let verified = claim(source.clone());
        assert_eq!(verified.write_back, WriteBackMethod::Application);
        assert!(!verified.images[0].force_update);
        assert!(matches!(
            verified.images[0].verification,
            Verification::WithKey(_)
        ));
        source.applications[0].verification = Some(VerificationSettings {
            enabled: Some(false),
            cosign_key: None,
        });
        assert_eq!(claim(source).images[0].verification, Verification::NotAsked);
    }
}
