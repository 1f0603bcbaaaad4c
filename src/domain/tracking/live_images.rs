//! Which of the tracked images are live in an Application, and in which versions.

use std::collections::HashMap;
use std::collections::HashSet;

use crate::domain::kustomize_image::KustomizeImage;
use crate::domain::policy::Current;
use crate::domain::reference::ImageName;
use crate::domain::resources::application::Application;
use crate::domain::tracking::hindrance::Hindrance;
use crate::domain::tracking::image_target::ImageTarget;
use crate::domain::tracking::live_image::LiveImage;
use crate::domain::tracking::spec_version::is_told_by_fields;
use crate::domain::tracking::tracked_image::Live;
use crate::domain::tracking::tracked_image::TrackedImage;

/// Finds out what runs of each tracked image: what Argo CD reports, and in an Application of which it reports nothing what its spec names.
pub fn find_live(application: &Application, images: &mut [TrackedImage]) {
    let in_spec: Vec<_> = images.iter().map(TrackedImage::spec_versions).collect();
    let reported = application
        .status
        .as_ref()
        .and_then(|status| status.images.as_ref());
    let running: Vec<_> = match reported {
        Some(images) => images
            .iter()
            .filter_map(|image| LiveImage::parse(image))
            .collect(),
        None => named_in_spec(application, images, &in_spec),
    };
    let mut running_by_name: HashMap<&ImageName, Vec<&LiveImage>> = HashMap::new();
    for running in &running {
        let of_one = running_by_name.entry(&running.name).or_default();
        of_one.push(running);
    }
    let live: Vec<_> = (0..)
        .zip(images.iter())
        .map(|(index, image)| {
            let knowable = reported.is_some() || is_named_by_spec(image);
            if !knowable {
                return Some(Live::default());
            }
            live(image, &running_by_name, |version| {
                may_be_its_own(images, &in_spec, index, version)
            })
        })
        .collect();
    for (image, live) in images.iter_mut().zip(live) {
        image.live = live;
    }
}

/// Whether the spec of an Application without a report would name the image if it were in use. What is kept in git it does not.
fn is_named_by_spec(image: &TrackedImage) -> bool {
    image.outlet.is_ok() && image.hindrance != Some(Hindrance::Git)
}

/// What a spec without a report names: all of kustomize's images, once for each source, and the parameters and variables of the tracked
/// ones.
fn named_in_spec(
    application: &Application,
    images: &[TrackedImage],
    in_spec: &[Vec<Current>],
) -> Vec<LiveImage> {
    let mut named = Vec::new();
    let mut kustomized = HashSet::new();
    for (image, versions) in images.iter().zip(in_spec) {
        let Ok(outlet) = &image.outlet else { continue };
        match &outlet.target {
            ImageTarget::Fields(kind, fields) => {
                if is_told_by_fields(application, outlet, fields, *kind, image.identity()) {
                    named.extend(versions.iter().map(|version| LiveImage {
                        name: image.rule.image.name().clone(),
                        spelling: image.rule.image.spelling().to_owned(),
                        version: version.clone(),
                    }));
                }
            }
            ImageTarget::Kustomize(_) if !kustomized.insert(outlet.place) => {}
            ImageTarget::Kustomize(_) => named.extend(
                outlet
                    .source(application)
                    .and_then(|source| source.kustomize.as_deref())
                    .unwrap_or_default()
                    .iter()
                    .filter_map(|entry| LiveImage::of(&KustomizeImage::parse(entry))),
            ),
        }
    }
    named
}

/// Whether a version that runs may be one of this tracked image. Where an Application runs one image twice, by two rules, what runs by
/// the other rule says nothing about this one: then what the spec says here counts, and without that what it says nowhere else.
fn may_be_its_own(
    images: &[TrackedImage],
    in_spec: &[Vec<Current>],
    index: usize,
    version: &Current,
) -> bool {
    let name = |index: usize| images.get(index).map(TrackedImage::asked);
    let decides = |image: &TrackedImage| !matches!(image.hindrance, Some(Hindrance::Older(_)));
    let mut others = (0..)
        .zip(images.iter().zip(in_spec))
        .filter(|(other, (image, _))| {
            *other != index && name(*other) == name(index) && decides(image)
        })
        .map(|(_, (_, versions))| versions)
        .peekable();
    let own = in_spec.get(index).map_or(&[][..], Vec::as_slice);
    if others.peek().is_none() {
        true
    } else if own.is_empty() {
        !others.any(|versions| versions.contains(version))
    } else {
        own.contains(version)
    }
}

/// What runs under a name of the image.
fn own<'r>(
    image: &TrackedImage,
    running: &HashMap<&ImageName, Vec<&'r LiveImage>>,
) -> Vec<&'r LiveImage> {
    if image.default.is_docker_hub() {
        let own = running.get(image.rule.image.name());
        return own.cloned().unwrap_or_default();
    }
    let identity = image.identity();
    let all = running.values().flatten().copied();
    let mut own: Vec<_> = all
        .filter(|running| identity.is(&running.name, &running.spelling))
        .collect();
    // A map has no order, and the first spelling is the one that is kept.
    own.sort_by(|one, other| one.spelling.cmp(&other.spelling));
    own
}

/// What runs of one image; `None` where it is not live and not to be updated all the same. It is also live where the image is that
/// kustomize replaces by it.
fn live(
    image: &TrackedImage,
    running: &HashMap<&ImageName, Vec<&LiveImage>>,
    may_be_its_own: impl Fn(&Current) -> bool,
) -> Option<Live> {
    let replaced = match &image.rule.target {
        Ok(Some(ImageTarget::Kustomize(Some(replaced)))) => LiveImage::parse(replaced),
        Ok(_) | Err(_) => None,
    };
    let is_replaced = replaced.is_some_and(|replaced| running.contains_key(&replaced.name));
    let own = own(image, running);
    if own.is_empty() && !is_replaced && !image.rule.force_update {
        return None;
    }
    let mut versions: Vec<Current> = Vec::new();
    for running in &own {
        if !versions.contains(&running.version) && may_be_its_own(&running.version) {
            versions.push(running.version.clone());
        }
    }
    let spelled_so = |running: &&LiveImage| running.spelling == image.rule.image.spelling();
    let spelling = own
        .first()
        .filter(|_| !own.iter().any(spelled_so))
        .map(|running| running.spelling.clone());
    Some(Live { versions, spelling })
}

#[cfg(test)]
mod tests {
    use crate::domain::edits::current_text;
    use crate::domain::resources::application::Application;
    use crate::domain::resources::application::ApplicationStatus;
    use crate::domain::resources::application::Source;
    use crate::domain::resources::image_updater::ImageConfig;
    use crate::domain::resources::image_updater::UpdateSettings;
    use crate::domain::resources::image_updater::WriteBackSettings;
    use crate::domain::testing::application;
    use crate::domain::testing::git_source;
    use crate::domain::testing::helm_image;
    use crate::domain::testing::helm_source;
    use crate::domain::testing::image;
    use crate::domain::testing::kustomize_image;
    use crate::domain::testing::kustomize_source;
    use crate::domain::testing::live;
    use crate::domain::testing::reference;
    use crate::domain::testing::tracked;
    use crate::domain::testing::tracked_images;
    use crate::domain::testing::updater;

    /// The versions of each image that is live.
    fn versions(application: Application, images: Vec<ImageConfig>) -> Vec<Option<Vec<String>>> {
        tracked_images(application, images)
            .into_iter()
            .map(|image| Some(image.live?.versions.iter().map(current_text).collect()))
            .collect()
    }

    fn some(versions: &[&str]) -> Option<Vec<String>> {
        (!versions.contains(&"nothing")).then(|| {
            versions
                .iter()
                .map(|version| (*version).to_owned())
                .collect()
        })
    }

    fn running(source: Source, images: &[&str]) -> Application {
        let status: ApplicationStatus = live(images);
        Application {
            status: Some(status),
            ..application("web", source)
        }
    }

    fn forced(mut image: ImageConfig) -> ImageConfig {
        image.settings = UpdateSettings {
            force_update: Some(true),
            ..UpdateSettings::default()
        };
        image
    }

    const NOT_LIVE: &[&str] = &["nothing"];

    #[test]
    fn what_is_reported_is_live_in_every_spelling() {
        for (reported, config, expected) in [
            (&["nginx:1", "redis:7"][..], image("", "nginx"), &["1"][..]),
            (&["docker.io/library/nginx:1"], image("", "nginx"), &["1"]),
            (&["nginx:1"], image("", "docker.io/library/nginx"), &["1"]),
            (
                &["nginx:1", "nginx:2", "nginx:1"],
                image("", "nginx"),
                &["1", "2"],
            ),
            (&["nginx"], image("", "nginx"), &[""]),
            (&["quay.io/acme/nginx:1"], image("", "nginx"), NOT_LIVE),
            (&["not an image"], image("", "nginx"), NOT_LIVE),
            (&[], forced(image("", "nginx")), &[]),
            (&["nginx:1"], forced(image("", "nginx")), &["1"]),
            (&["web:1"], kustomize_image("", "nginx", "web"), &[]),
            (
                &["web:1", "nginx:2"],
                kustomize_image("", "nginx", "web"),
                &["2"],
            ),
            (&["api:1"], kustomize_image("", "nginx", "web"), NOT_LIVE),
        ] {
            assert_eq!(
                versions(
                    running(kustomize_source(&[]), reported),
                    vec![config.clone()]
                ),
                [some(expected)],
                "{reported:?} {config:?}"
            );
        }
    }

    #[test]
    fn without_status_what_the_spec_names_is_live() {
        for (source, config, expected) in [
            (
                kustomize_source(&["redis:7", "docker.io/nginx:1"]),
                image("", "nginx"),
                &["1"][..],
            ),
            (kustomize_source(&["redis:7"]), image("", "nginx"), NOT_LIVE),
            (
                kustomize_source(&["web:1"]),
                kustomize_image("", "acme/web", "web"),
                &[],
            ),
            (
                kustomize_source(&["web=acme/web:1"]),
                kustomize_image("", "acme/web", "web"),
                &["1"],
            ),
            // The chart may name another image itself.
            (
                helm_source(&[("image.tag", "1")]),
                image("", "nginx"),
                NOT_LIVE,
            ),
            (
                helm_source(&[("image.tag", "1")]),
                helm_image("", "nginx", "n", ""),
                NOT_LIVE,
            ),
            (
                helm_source(&[("image.tag", "1")]),
                helm_image("", "nginx", "", "image.tag"),
                &["1"],
            ),
            (
                helm_source(&[("image.name", "nginx"), ("image.tag", "1")]),
                image("", "nginx"),
                &["1"],
            ),
            (
                helm_source(&[("image.name", "redis"), ("image.tag", "1")]),
                image("", "nginx"),
                NOT_LIVE,
            ),
            (helm_source(&[("other", "1")]), image("", "nginx"), NOT_LIVE),
            (helm_source(&[]), forced(image("", "nginx")), &[]),
        ] {
            assert_eq!(
                versions(application("web", source.clone()), vec![config.clone()]),
                [some(expected)],
                "{source:?} {config:?}"
            );
        }
    }

    #[test]
    fn a_status_without_images_leaves_it_to_the_spec() {
        let status = Some(ApplicationStatus::default());
        let with = |source| Application {
            status: status.clone(),
            ..application("web", source)
        };
        for (entry, expected) in [("nginx:1", &["1"][..]), ("redis:7", NOT_LIVE)] {
            let application = with(kustomize_source(&[entry]));
            assert_eq!(
                versions(application, vec![image("", "nginx")]),
                [some(expected)]
            );
        }
    }

    #[test]
    fn a_default_that_several_images_share_names_one_of_them() {
        let both = || vec![image("", "acme/web"), image("", "acme/api")];
        for (parameters, expected) in [
            (
                &[("image.name", "acme/api"), ("image.tag", "1")][..],
                [NOT_LIVE, &["1"]],
            ),
            (&[("image.tag", "1")], [NOT_LIVE, NOT_LIVE]),
        ] {
            assert_eq!(
                versions(application("web", helm_source(parameters)), both()),
                expected.map(some),
                "{parameters:?}"
            );
        }
        // With tags of their own it does not matter what the shared name says.
        let parted = vec![
            helm_image("", "acme/web", "", "w.tag"),
            helm_image("", "acme/api", "", "a.tag"),
        ];
        let source = helm_source(&[("image.name", "acme/web"), ("w.tag", "1"), ("a.tag", "2")]);
        assert_eq!(
            versions(application("web", source), parted),
            [some(&["1"]), some(&["2"])]
        );
    }

    #[test]
    fn what_runs_by_another_alias_says_nothing_about_this_one() {
        let both = || {
            vec![
                helm_image("stable", "acme/web:~1", "s.name", "s.tag"),
                helm_image("canary", "acme/web:~2", "c.name", "c.tag"),
            ]
        };
        let source = || helm_source(&[("s.tag", "1.5"), ("c.tag", "2.3")]);
        let expected = [some(&["1.5"]), some(&["2.3"])];
        assert_eq!(versions(application("web", source()), both()), expected);
        let reported = &["acme/web:1.5", "acme/web:2.3"];
        assert_eq!(versions(running(source(), reported), both()), expected);
        // Argo CD has not carried out the last change of the canary.
        let reported = &["acme/web:1.5", "acme/web:2.2"];
        assert_eq!(
            versions(running(source(), reported), both()),
            [some(&["1.5"]), some(&[])]
        );
        let half = helm_source(&[("c.tag", "2.3")]);
        let reported = &["acme/web:1.5", "acme/web:2.3"];
        assert_eq!(
            versions(running(half, reported), both()),
            [some(&["1.5"]), some(&["2.3"])]
        );
    }

    #[test]
    fn where_nobody_can_know_it_may_be_live() {
        let nginx = || vec![image("", "nginx")];
        assert_eq!(
            versions(application("web", git_source()), nginx()),
            [some(&[])]
        );
        assert_eq!(
            versions(running(git_source(), &[]), nginx()),
            [some(NOT_LIVE)]
        );
        let mut git = updater("u", vec![reference("*", nginx())]);
        git.write_back = WriteBackSettings {
            method: Some("git".to_owned()),
            target: None,
        };
        let (images, _) = tracked(application("web", kustomize_source(&[])), vec![git]);
        assert!(images[0].live.is_some());
    }
}
