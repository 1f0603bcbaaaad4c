//! Which images are tracked in one Application, by all ImageUpdaters of its namespace together.

use std::collections::HashMap;
use std::sync::Arc;

use crate::domain::reference::ImageName;
use crate::domain::registry::default_registry::DefaultRegistry;
use crate::domain::resources::application::Application;
use crate::domain::resources::image_updater::ImageUpdater;
use crate::domain::resources::problem::Finding;
use crate::domain::resources::problem::Problem;
use crate::domain::resources::problem::ResourceKind;
use crate::domain::resources::resource::ResourceId;
use crate::domain::tracking::hindrance::Hindrance;
use crate::domain::tracking::identity::Identity;
use crate::domain::tracking::image_rule::ImageRule;
use crate::domain::tracking::live_images::find_live;
use crate::domain::tracking::neighbours::find_name_roles;
use crate::domain::tracking::neighbours::hinder_shared_targets;
use crate::domain::tracking::outlet::Outlet;
use crate::domain::tracking::tracked_image::NoOutlet;
use crate::domain::tracking::tracked_image::TrackedImage;
use crate::domain::tracking::updater_rules::Claim;
use crate::domain::tracking::updater_rules::UpdaterRules;
use crate::domain::tracking::write_back::WriteBackMethod;

/// Finds out which images are tracked in an Application, and what is wrong. The ImageUpdaters are those of its namespace, the one first
/// that decides where several track one image.
#[must_use]
pub fn application_images(
    application: &Arc<Application>,
    updaters: &[UpdaterRules],
    default: &Arc<DefaultRegistry>,
) -> (Vec<TrackedImage>, Vec<Problem>) {
    let mut problems = Vec::new();
    let mut images = Vec::new();
    let mut owners = HashMap::new();
    for rules in updaters {
        let (claim, wrong) = rules.claim(application);
        problems.extend(wrong);
        if let Some(claim) = claim {
            let tracked = track(application, rules.updater(), &claim, default, &mut owners);
            images.extend(tracked);
        }
    }
    find_name_roles(&mut images);
    find_live(application, &mut images);
    hinder_shared_targets(&mut images);
    problems.extend(images.iter().filter_map(problem_of));
    // They stay for as long as the Application does, and most have one image, for which a list that grew keeps room for four.
    images.shrink_to_fit();
    (images, problems)
}

/// What an ImageUpdater tracks, without regard to the Application's other images. `owners` holds who decides about which image: the
/// first that tracks it.
fn track(
    application: &Arc<Application>,
    updater: &Arc<ImageUpdater>,
    claim: &Claim,
    default: &Arc<DefaultRegistry>,
    owners: &mut HashMap<ImageName, ResourceId>,
) -> Vec<TrackedImage> {
    claim
        .images
        .iter()
        .map(|rule| {
            let owner = owners
                .entry(Identity::new(&rule.image, default).asked())
                .or_insert_with(|| updater.id.clone());
            TrackedImage {
                updater: Arc::clone(updater),
                application: Arc::clone(application),
                outlet: outlet(application, rule),
                live: None,
                hindrance: hindrance(&updater.id, owner, claim.write_back, rule),
                rule: Arc::clone(rule),
                default: Arc::clone(default),
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
            Some(finding.about(ResourceKind::ImageUpdater, &tracked.updater.id))
        }
        (Some(shared @ Hindrance::SharedTarget { .. }), _) => {
            let finding = Finding::error(shared.to_string()).within(format_args!("image {image}"));
            Some(finding.about(ResourceKind::Application, application))
        }
        (Some(Hindrance::Git | Hindrance::VerificationKey), _)
        | (None, Ok(_) | Err(NoOutlet::Target(_))) => None,
        (None, Err(NoOutlet::Source(error))) => tracked.live.is_some().then(|| {
            Finding::error(error.to_string()).about(ResourceKind::Application, application)
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::resources::image_updater::WriteBackSettings;
    use crate::domain::resources::problem::Severity;
    use crate::domain::testing::application;
    use crate::domain::testing::default_registry;
    use crate::domain::testing::git_source;
    use crate::domain::testing::image;
    use crate::domain::testing::kustomize_source;
    use crate::domain::testing::live;
    use crate::domain::testing::reference;
    use crate::domain::testing::tracked;
    use crate::domain::testing::tracked_by_default;
    use crate::domain::testing::updater;

    fn nginx_by(name: &str) -> ImageUpdater {
        updater(name, vec![reference("*", vec![image("", "nginx")])])
    }

    fn hindrances(images: &[TrackedImage]) -> Vec<Option<Hindrance>> {
        images.iter().map(|image| image.hindrance.clone()).collect()
    }

    #[test]
    fn of_two_that_track_one_image_the_first_decides() {
        let redis_too = updater(
            "b",
            vec![reference(
                "*",
                vec![image("", "docker.io/library/nginx"), image("", "redis")],
            )],
        );
        let application = application("web", kustomize_source(&["nginx:1", "redis:1"]));
        let (images, problems) = tracked(application, vec![nginx_by("a"), redis_too]);
        let a = images[0].updater.id.clone();
        assert_eq!(hindrances(&images), [None, Some(Hindrance::Older(a)), None]);
        let told: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 1);
        assert!(
            told[0].starts_with(
                "ImageUpdater argocd/b: image docker.io/library/nginx: ImageUpdater argocd/a tracks"
            ),
            "{told:?}"
        );
    }

    #[test]
    fn a_bare_name_and_the_default_registrys_are_one_image() {
        let proxied = "harbor.acme.example/proxy/nginx";
        let by_default = |live_image: &str, host: &str| {
            let full = updater("b", vec![reference("*", vec![image("", proxied)])]);
            let mut application = application("web", kustomize_source(&[]));
            application.status = Some(live(&[live_image]));
            let default = default_registry(host, Some("proxy"));
            tracked_by_default(application, vec![nginx_by("a"), full], default).0
        };
        let is_live = |images: &[TrackedImage]| {
            images
                .iter()
                .map(|image| image.live.is_some())
                .collect::<Vec<_>>()
        };
        let harbor = by_default(&format!("{proxied}:1"), "harbor.acme.example");
        let a = harbor[0].updater.id.clone();
        assert_eq!(hindrances(&harbor), [None, Some(Hindrance::Older(a))]);
        assert_eq!(is_live(&harbor), [true, true]);
        assert_eq!(harbor[0].asked().to_string(), proxied);
        let spelling = harbor[0].live.as_ref().unwrap().spelling.as_deref();
        assert_eq!(spelling, Some(proxied), "it is written as it runs");
        let bare = by_default("nginx:1", "harbor.acme.example");
        assert_eq!(is_live(&bare), [true, true]);

        let hub = by_default(&format!("{proxied}:1"), "docker.io");
        assert_eq!(hindrances(&hub), [None, None]);
        assert_eq!(is_live(&hub), [false, true]);
        assert_eq!(hub[0].asked().to_string(), "docker.io/library/nginx");
    }

    #[test]
    fn the_first_decides_even_where_it_writes_nothing() {
        let mut git = nginx_by("a");
        git.write_back = WriteBackSettings {
            method: Some("git".to_owned()),
            target: None,
        };
        let application = application("web", kustomize_source(&["nginx:1"]));
        let (images, _) = tracked(application, vec![git, nginx_by("b")]);
        let a = images[0].updater.id.clone();
        assert_eq!(
            hindrances(&images),
            [Some(Hindrance::Git), Some(Hindrance::Older(a))]
        );
    }

    #[test]
    fn an_application_that_is_of_no_kind_is_told_where_it_matters() {
        let mut application = application("web", git_source());
        let (_, problems) = tracked(application.clone(), vec![nginx_by("a")]);
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].severity, Severity::Error);
        assert_eq!(problems[0].about, application.id);
        // What does not run there does not matter there.
        application.status = Some(live(&["redis:7"]));
        let (images, problems) = tracked(application, vec![nginx_by("a")]);
        assert!(images[0].outlet.is_err());
        assert_eq!(problems, []);
    }
}
