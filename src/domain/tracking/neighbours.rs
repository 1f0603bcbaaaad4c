//! What the images of one Application mean for each other. Several may be written into the same place, the defaults `image.name` and
//! `image.tag` above all: ImageUpdaters with a broad pattern list images of which each Application has one.

use std::collections::HashMap;
use std::collections::HashSet;

use crate::domain::reference::ImageName;
use crate::domain::resources::application::SourcePlace;
use crate::domain::tracking::hindrance::Hindrance;
use crate::domain::tracking::image_target::FieldKind;
use crate::domain::tracking::image_target::ImageTarget;
use crate::domain::tracking::outlet::NameRole;
use crate::domain::tracking::tracked_image::TrackedImage;

/// Finds out what each image's name parameter or variable means.
pub fn find_name_roles(images: &mut [TrackedImage]) {
    let takers = Takers::count(images);
    let roles: Vec<_> = images.iter().map(|image| takers.name_role(image)).collect();
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
            let (image, others) = one_and_others(images, index)?;
            image.live.as_ref()?;
            others
                .filter(|other| other.live.is_some())
                .find_map(|other| {
                    Some(Hindrance::SharedTarget {
                        other: other.rule.image.to_string(),
                        place: shared_place(image, other)?,
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
        None | Some(Hindrance::VerificationKey | Hindrance::SharedTarget { .. }) => true,
    }
}

/// A parameter or variable: the source that has it, its kind and its name.
type Field<'a> = (SourcePlace, FieldKind, &'a str);

/// Which images take each parameter or variable.
#[derive(Default)]
struct Takers<'a> {
    /// How many are written with their version into it.
    of_version: HashMap<Field<'a>, usize>,
    /// The images whose name is written into it.
    of_name: HashMap<Field<'a>, HashSet<ImageName>>,
}

impl<'a> Takers<'a> {
    fn count(images: &'a [TrackedImage]) -> Self {
        let mut takers = Self::default();
        for image in images {
            let Some((version, name)) = fields_of(image) else {
                continue;
            };
            *takers.of_version.entry(version).or_default() += 1;
            if let Some(name) = name {
                let names = takers.of_name.entry(name).or_default();
                names.insert(image.asked());
            }
        }
        takers
    }

    fn name_role(&self, image: &TrackedImage) -> Option<NameRole> {
        let (version, name) = fields_of(image)?;
        let shares_version = self
            .of_version
            .get(&version)
            .is_some_and(|count| *count > 1);
        let shares_name = name
            .and_then(|name| self.of_name.get(&name))
            .is_some_and(|names| names.len() > 1);
        Some(match (shares_version, shares_name) {
            (true, _) => NameRole::Telling,
            (false, true) => NameRole::Shared,
            (false, false) => NameRole::Own,
        })
    }
}

/// What takes the version of an image that may be written, and what takes its name alone.
fn fields_of(image: &TrackedImage) -> Option<(Field<'_>, Option<Field<'_>>)> {
    let outlet = image.outlet.as_ref().ok().filter(|_| is_written(image))?;
    match &outlet.target {
        ImageTarget::Fields(kind, fields) => {
            let field = |name| (outlet.place, *kind, name);
            Some((field(fields.version()), fields.name().map(field)))
        }
        ImageTarget::Kustomize(_) => None,
    }
}

/// What two images are both written into, for people.
fn shared_place(one: &TrackedImage, other: &TrackedImage) -> Option<String> {
    let (one_outlet, other_outlet) = (one.outlet.as_ref().ok()?, other.outlet.as_ref().ok()?);
    if one_outlet.place != other_outlet.place {
        return None;
    }
    let (one_name, other_name) = (one.asked(), other.asked());
    let same_entry = match (&one_outlet.target, &other_outlet.target) {
        (ImageTarget::Fields(kind, fields), ImageTarget::Fields(other_kind, other_fields)) => {
            let shared = kind == other_kind && fields.version() == other_fields.version();
            return shared.then(|| kind.named(fields.version()));
        }
        (ImageTarget::Kustomize(Some(one)), ImageTarget::Kustomize(Some(other))) => one == other,
        (ImageTarget::Kustomize(None), ImageTarget::Kustomize(None)) => one_name == other_name,
        // An image without a name of its own in the manifests is written into every entry that makes it.
        (ImageTarget::Kustomize(None), ImageTarget::Kustomize(Some(name))) => {
            one_name == other_name || one.identity().is_text(name)
        }
        (ImageTarget::Kustomize(Some(name)), ImageTarget::Kustomize(None)) => {
            one_name == other_name || other.identity().is_text(name)
        }
        (ImageTarget::Fields(..), ImageTarget::Kustomize(_))
        | (ImageTarget::Kustomize(_), ImageTarget::Fields(..)) => false,
    };
    same_entry.then(|| "kustomize image".to_owned())
}

#[cfg(test)]
mod tests {
    use crate::domain::resources::application::Application;
    use crate::domain::resources::application::Source;
    use crate::domain::resources::image_updater::ImageConfig;
    use crate::domain::testing::application;
    use crate::domain::testing::helm_image;
    use crate::domain::testing::helm_source;
    use crate::domain::testing::image;
    use crate::domain::testing::kustomize_image;
    use crate::domain::testing::kustomize_source;
    use crate::domain::testing::live;
    use crate::domain::testing::tracked_images;
    use crate::domain::tracking::hindrance::Hindrance;
    use crate::domain::tracking::outlet::NameRole;

    fn running(source: Source, images: &[&str]) -> Application {
        let mut application = application("web", source);
        application.status = Some(live(images));
        application
    }

    fn roles(images: Vec<ImageConfig>) -> Vec<NameRole> {
        tracked_images(application("web", helm_source(&[])), images)
            .iter()
            .map(|image| image.outlet.as_ref().unwrap().name_role)
            .collect()
    }

    /// Which of the images are kept from being written by another.
    fn hindered(application: Application, images: Vec<ImageConfig>) -> Vec<bool> {
        tracked_images(application, images)
            .iter()
            .map(|image| matches!(image.hindrance, Some(Hindrance::SharedTarget { .. })))
            .collect()
    }

    #[test]
    fn what_a_name_means() {
        let web = |name, tag| helm_image("web", "acme/web", name, tag);
        let api = |name, tag| helm_image("api", "acme/api", name, tag);
        let again = |name, tag| helm_image("again", "acme/web", name, tag);
        for (images, expected) in [
            (vec![web("", "")], vec![NameRole::Own]),
            (
                vec![web("w.name", "w.tag"), api("a.name", "a.tag")],
                vec![NameRole::Own; 2],
            ),
            (
                vec![web("", "w.tag"), api("", "a.tag")],
                vec![NameRole::Shared; 2],
            ),
            // Both write the same name.
            (
                vec![web("", "w.tag"), again("", "a.tag")],
                vec![NameRole::Own; 2],
            ),
            (vec![web("", ""), api("", "")], vec![NameRole::Telling; 2]),
            (
                vec![web("w.name", ""), api("a.name", "")],
                vec![NameRole::Telling; 2],
            ),
        ] {
            assert_eq!(roles(images.clone()), expected, "{images:?}");
        }
    }

    #[test]
    fn images_in_use_that_would_overwrite_each_other_are_left_alone() {
        let both = || vec![image("web", "acme/web"), image("api", "acme/api")];
        let helm = || helm_source(&[]);
        assert_eq!(
            hindered(running(helm(), &["acme/web:1", "acme/api:1"]), both()),
            [true, true]
        );
        // The other one is only listed.
        assert_eq!(
            hindered(running(helm(), &["acme/web:1"]), both()),
            [false, false]
        );
        let parted = vec![
            helm_image("web", "acme/web", "", "w.tag"),
            helm_image("api", "acme/api", "", "a.tag"),
        ];
        assert_eq!(
            hindered(running(helm(), &["acme/web:1", "acme/api:1"]), parted),
            [false, false]
        );
    }

    #[test]
    fn entries_of_kustomize_that_two_images_share() {
        let nginx = || image("", "nginx");
        let named = |image_name, name| kustomize_image("", image_name, name);
        for (images, expected) in [
            (vec![nginx(), nginx()], true),
            (vec![nginx(), named("nginx", "web")], true),
            (vec![named("quay.io/acme/nginx", "nginx"), nginx()], true),
            (vec![named("nginx", "web"), named("redis", "web")], true),
            (vec![named("nginx", "web"), named("nginx", "api")], false),
            (vec![nginx(), image("", "redis")], false),
        ] {
            let application = running(
                kustomize_source(&[]),
                &["nginx:1", "redis:1", "quay.io/acme/nginx:1"],
            );
            assert_eq!(
                hindered(application, images.clone()),
                [expected; 2],
                "{images:?}"
            );
        }
    }

    #[test]
    fn the_hindrance_says_what_is_shared() {
        let images = vec![image("web", "acme/web"), image("api", "acme/api")];
        let application = running(helm_source(&[]), &["acme/web:1", "acme/api:1"]);
        assert_eq!(
            tracked_images(application, images)[0].hindrance,
            Some(Hindrance::SharedTarget {
                other: "acme/api (api)".to_owned(),
                place: "helm parameter image.tag".to_owned(),
            })
        );
    }
}
