//! Which of the tracked images are live in an Application, and in which versions.

use super::application::Application;
use super::hindrance::Hindrance;
use super::image_target::ImageTarget;
use super::kustomize_image::KustomizeImage;
use super::live_image::LiveImage;
use super::policy::Current;
use super::tracked_image::{Live, TrackedImage};

/// Finds out what runs of each tracked image: what Argo CD reports, and in an Application without status what its spec names.
pub fn find_live(application: &Application, images: &mut [TrackedImage]) {
    let in_spec: Vec<_> = images.iter().map(TrackedImage::spec_versions).collect();
    let reported = application.status.as_ref();
    let running: Vec<_> = match reported {
        Some(status) => status
            .images
            .iter()
            .filter_map(|image| LiveImage::parse(image))
            .collect(),
        None => named_in_spec(application, images, &in_spec),
    };
    let live: Vec<_> = (0..)
        .zip(images.iter())
        .map(|(index, image)| {
            let knowable = reported.is_some() || is_named_by_spec(image);
            if !knowable {
                return Some(Live::default());
            }
            let others = versions_of_others(images, &in_spec, index);
            live(image, &running, &others)
        })
        .collect();
    for (image, live) in images.iter_mut().zip(live) {
        image.live = live;
    }
}

/// Whether the spec of an Application without status would name the image if it were in use. What is kept in git it does not.
fn is_named_by_spec(image: &TrackedImage) -> bool {
    image.outlet.is_ok() && image.hindrance != Some(Hindrance::Git)
}

/// What a spec without status names: all of kustomize's images, and the parameters and variables of the tracked ones.
fn named_in_spec(
    application: &Application,
    images: &[TrackedImage],
    in_spec: &[Vec<Current>],
) -> Vec<LiveImage> {
    let mut named = Vec::new();
    for (image, versions) in images.iter().zip(in_spec) {
        let Ok(outlet) = &image.outlet else { continue };
        match &outlet.target {
            ImageTarget::Fields(..) => named.extend(versions.iter().map(|version| LiveImage {
                name: image.rule.image.name().clone(),
                spelling: image.rule.image.spelling().to_owned(),
                version: version.clone(),
            })),
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

/// The versions that the spec says of the same image elsewhere, but not here. Where an Application runs one image twice, by two rules,
/// what runs by the other rule says nothing about this one.
fn versions_of_others<'a>(
    images: &[TrackedImage],
    in_spec: &'a [Vec<Current>],
    index: usize,
) -> Vec<&'a Current> {
    let name = |index: usize| images.get(index).map(|image| image.rule.image.name());
    let own = in_spec.get(index).map_or(&[][..], Vec::as_slice);
    (0..)
        .zip(in_spec)
        .filter(|(other, _)| *other != index && name(*other) == name(index))
        .flat_map(|(_, versions)| versions)
        .filter(|version| !own.contains(version))
        .collect()
}

/// What runs of one image; `None` where it is not live and not to be updated all the same. It is also live where the image is that
/// kustomize replaces by it.
fn live(image: &TrackedImage, running: &[LiveImage], others: &[&Current]) -> Option<Live> {
    let name = image.rule.image.name();
    let replaced = match &image.rule.target {
        Ok(Some(ImageTarget::Kustomize(Some(replaced)))) => LiveImage::parse(replaced),
        Ok(_) | Err(_) => None,
    };
    let is_replaced = replaced
        .is_some_and(|replaced| running.iter().any(|running| running.name == replaced.name));
    let own: Vec<_> = running
        .iter()
        .filter(|running| running.name == *name)
        .collect();
    if own.is_empty() && !is_replaced && !image.rule.force_update {
        return None;
    }
    let mut versions: Vec<Current> = Vec::new();
    for running in &own {
        if !versions.contains(&running.version) && !others.contains(&&running.version) {
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
