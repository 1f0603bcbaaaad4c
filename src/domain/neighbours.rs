//! What the images of one Application mean for each other. Several may be written into the same place, the defaults `image.name` and
//! `image.tag` above all: ImageUpdaters with a broad pattern list images of which each Application has one.

use super::hindrance::Hindrance;
use super::image_target::{FieldKind, Fields, ImageTarget};
use super::outlet::{NameRole, Outlet};
use super::spec_version::is_name_of;
use super::tracked_image::TrackedImage;

/// Finds out what each image's name parameter or variable means.
pub fn find_name_roles(images: &mut [TrackedImage]) {
    let roles: Vec<_> = (0..images.len())
        .map(|index| {
            let (image, others) = one_and_others(images, index)?;
            name_role(image, others)
        })
        .collect();
    for (image, role) in images.iter_mut().zip(roles) {
        if let (Ok(outlet), Some(role)) = (&mut image.outlet, role) {
            outlet.name_role = role;
        }
    }
}

/// Forbids to write images that are in use and would overwrite each other.
pub fn hinder_shared_targets(images: &mut [TrackedImage]) {
    let hindrances: Vec<_> = (0..images.len())
        .map(|index| {
            let (image, mut others) = one_and_others(images, index)?;
            let in_use = |image: &TrackedImage| image.live.is_some();
            others.find_map(|other| {
                let place = shared_place(image, other)?;
                (in_use(image) && in_use(other)).then(|| Hindrance::SharedTarget {
                    other: other.rule.image.to_string(),
                    place,
                })
            })
        })
        .collect();
    for (image, hindrance) in images.iter_mut().zip(hindrances) {
        if image.hindrance.is_none() {
            image.hindrance = hindrance;
        }
    }
}

/// An image and the others of its Application; only those that may be written count.
fn one_and_others(
    images: &[TrackedImage],
    index: usize,
) -> Option<(&TrackedImage, impl Iterator<Item = &TrackedImage>)> {
    let image = images.get(index).filter(|image| is_written(image))?;
    let others = images
        .iter()
        .enumerate()
        .filter(move |(other, image)| *other != index && is_written(image))
        .map(|(_, image)| image);
    Some((image, others))
}

/// Whether an image is this updater's to write, now or when its signature can be verified.
fn is_written(image: &TrackedImage) -> bool {
    match image.hindrance {
        Some(Hindrance::Older(_) | Hindrance::Git) => false,
        None
        | Some(
            Hindrance::Verification | Hindrance::VerificationKey | Hindrance::SharedTarget { .. },
        ) => true,
    }
}

fn name_role<'a>(
    image: &TrackedImage,
    others: impl Iterator<Item = &'a TrackedImage>,
) -> Option<NameRole> {
    let (outlet, kind, fields) = fields_of(image)?;
    let mut role = NameRole::Own;
    for other in others {
        let Some((other_outlet, other_kind, other_fields)) = fields_of(other) else {
            continue;
        };
        if (outlet.place, kind) != (other_outlet.place, other_kind) {
            continue;
        }
        if fields.version() == other_fields.version() {
            return Some(NameRole::Telling);
        }
        let same_image = image.rule.image.name() == other.rule.image.name();
        if !same_image && fields.name().is_some() && fields.name() == other_fields.name() {
            role = NameRole::Shared;
        }
    }
    Some(role)
}

fn fields_of(image: &TrackedImage) -> Option<(&Outlet, FieldKind, &Fields)> {
    let outlet = image.outlet.as_ref().ok()?;
    match &outlet.target {
        ImageTarget::Fields(kind, fields) => Some((outlet, *kind, fields)),
        ImageTarget::Kustomize(_) => None,
    }
}

/// What two images are both written into, for people.
fn shared_place(one: &TrackedImage, other: &TrackedImage) -> Option<String> {
    let (one_outlet, other_outlet) = (one.outlet.as_ref().ok()?, other.outlet.as_ref().ok()?);
    if one_outlet.place != other_outlet.place {
        return None;
    }
    let (one_name, other_name) = (one.rule.image.name(), other.rule.image.name());
    let same_entry = match (&one_outlet.target, &other_outlet.target) {
        (ImageTarget::Fields(kind, fields), ImageTarget::Fields(other_kind, other_fields)) => {
            let shared = kind == other_kind && fields.version() == other_fields.version();
            return shared.then(|| match kind {
                FieldKind::HelmParameter => format!("helm parameter {}", fields.version()),
                FieldKind::PluginEnv => format!("plugin variable {}", fields.version()),
            });
        }
        (ImageTarget::Kustomize(Some(one)), ImageTarget::Kustomize(Some(other))) => one == other,
        (ImageTarget::Kustomize(None), ImageTarget::Kustomize(None)) => one_name == other_name,
        // An image without a name of its own in the manifests is written into every entry that makes it.
        (ImageTarget::Kustomize(None), ImageTarget::Kustomize(Some(name))) => {
            one_name == other_name || is_name_of(name, one_name)
        }
        (ImageTarget::Kustomize(Some(name)), ImageTarget::Kustomize(None)) => {
            one_name == other_name || is_name_of(name, other_name)
        }
        (ImageTarget::Fields(..), ImageTarget::Kustomize(_))
        | (ImageTarget::Kustomize(_), ImageTarget::Fields(..)) => false,
    };
    same_entry.then(|| "kustomize image".to_owned())
}
