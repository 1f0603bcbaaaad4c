//! Which images are tracked in one Application, by all ImageUpdaters of its namespace together.

use std::collections::HashMap;
use std::sync::Arc;

use super::application::Application;
use super::hindrance::Hindrance;
use super::image_rule::ImageRule;
use super::live_images::find_live;
use super::neighbours::{find_name_roles, hinder_shared_targets};
use super::outlet::Outlet;
use super::problem::{Finding, Problem, ResourceKind};
use super::reference::ImageName;
use super::resource::ResourceId;
use super::tracked_image::{NoOutlet, TrackedImage};
use super::updater_rules::{Claim, UpdaterRules};
use super::write_back::WriteBackMethod;

/// Finds out which images are tracked in an Application, and what is wrong. The ImageUpdaters are those of its namespace, the one first
/// that decides where several track one image.
#[must_use]
pub fn application_images(
    application: &Arc<Application>,
    updaters: &[UpdaterRules],
) -> (Vec<TrackedImage>, Vec<Problem>) {
    let mut problems = Vec::new();
    let mut images = Vec::new();
    let mut owners = HashMap::new();
    for rules in updaters {
        let (claim, wrong) = rules.claim(application);
        problems.extend(wrong);
        if let Some(claim) = claim {
            let updater = &rules.updater().id;
            images.extend(track(application, updater, &claim, &mut owners));
        }
    }
    find_name_roles(&mut images);
    find_live(application, &mut images);
    hinder_shared_targets(&mut images);
    problems.extend(images.iter().filter_map(problem_of));
    (images, problems)
}

/// What an ImageUpdater tracks, without regard to the Application's other images. `owners` holds who decides about which image: the
/// first that tracks it.
fn track(
    application: &Arc<Application>,
    updater: &ResourceId,
    claim: &Claim,
    owners: &mut HashMap<ImageName, ResourceId>,
) -> Vec<TrackedImage> {
    claim
        .images
        .iter()
        .map(|rule| {
            let owner = owners
                .entry(rule.image.name().clone())
                .or_insert_with(|| updater.clone());
            TrackedImage {
                updater: updater.clone(),
                application: Arc::clone(application),
                outlet: outlet(application, rule),
                live: None,
                hindrance: hindrance(updater, owner, claim.write_back, rule),
                rule: Arc::clone(rule),
            }
        })
        .collect()
}

fn outlet(application: &Application, rule: &ImageRule) -> Result<Outlet, NoOutlet> {
    let wanted = rule.target.as_ref().map_err(Clone::clone)?;
    Ok(Outlet::find(application, wanted.as_ref())?)
}

fn hindrance(
    updater: &ResourceId,
    owner: &ResourceId,
    method: WriteBackMethod,
    rule: &ImageRule,
) -> Option<Hindrance> {
    if updater != owner {
        return Some(Hindrance::Older(owner.clone()));
    }
    Hindrance::of_method(method).or_else(|| Hindrance::of_verification(&rule.verification))
}

/// What is wrong with an image in this Application alone. What is wrong with it everywhere was found with its ImageUpdater.
fn problem_of(tracked: &TrackedImage) -> Option<Problem> {
    let application = &tracked.application.id;
    let image = &tracked.rule.image;
    match (&tracked.hindrance, &tracked.outlet) {
        (Some(older @ Hindrance::Older(_)), _) => {
            let finding = Finding::warning(older.to_string()).within(format_args!("image {image}"));
            Some(finding.about(ResourceKind::ImageUpdater, &tracked.updater))
        }
        (Some(shared @ Hindrance::SharedTarget { .. }), _) => {
            let finding = Finding::error(shared.to_string()).within(format_args!("image {image}"));
            Some(finding.about(ResourceKind::Application, application))
        }
        (Some(Hindrance::Git | Hindrance::Verification | Hindrance::VerificationKey), _)
        | (None, Ok(_) | Err(NoOutlet::Target(_))) => None,
        (None, Err(NoOutlet::Source(error))) => tracked.live.is_some().then(|| {
            Finding::error(error.to_string()).about(ResourceKind::Application, application)
        }),
    }
}
