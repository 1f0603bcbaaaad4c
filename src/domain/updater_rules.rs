//! An ImageUpdater, read once: which Applications it takes, and by what rules.

use std::sync::Arc;

use super::annotations::{Annotated, AnnotationError};
use super::application::Application;
use super::glob::Glob;
use super::hindrance::Hindrance;
use super::image_rule::{ImageRule, Verification};
use super::image_updater::{
    ApplicationRef, ImageConfig, ImageUpdater, LabelSelector, UpdateSettings, VerificationSettings,
};
use super::problem::{Finding, Problem, ResourceKind};
use super::selector::Selector;
use super::specificity::most_specific_first;
use super::write_back::WriteBackMethod;

/// An ImageUpdater, read once. What is wrong with a part of it is left out of it, and only that.
#[derive(Debug, Clone)]
pub struct UpdaterRules {
    updater: Arc<ImageUpdater>,
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
            updater,
            references,
            problems,
        }
    }

    /// What is wrong with it.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The ImageUpdater that was read.
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
