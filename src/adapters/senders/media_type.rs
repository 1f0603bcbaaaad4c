//! What a media type says of the thing that was pushed.

use crate::adapters::senders::quote::quoted;

/// How the media types begin of what is kept in registries beside images: charts, signatures, attestations, build caches. A type that is not
/// named here may be one of an image.
const NO_IMAGE: [&str; 7] = [
    "application/vnd.cncf.helm.",
    "application/vnd.acr.helm.",
    "application/vnd.cncf.notary.",
    "application/vnd.dev.cosign.",
    "application/vnd.dev.sigstore.",
    "application/vnd.in-toto+json",
    "application/vnd.buildkit.cacheconfig.",
];

/// Why a thing of that media type is no image, if it is none.
pub(super) fn no_image(media_type: &str) -> Option<String> {
    let lower = media_type.to_ascii_lowercase();
    let known = NO_IMAGE.iter().any(|start| lower.starts_with(start));
    known.then(|| format!("what was pushed is no image but {}", quoted(media_type)))
}

/// How the media types of images begin: of one for one platform, and of an index of several.
const IMAGE: [&str; 3] = [
    "application/vnd.oci.image.manifest.",
    "application/vnd.oci.image.index.",
    "application/vnd.docker.distribution.manifest.",
];

/// Whether a manifest of that media type is one of an image, rather than a layer or something else that is kept beside images.
pub(super) fn is_image(media_type: &str) -> bool {
    let lower = media_type.to_ascii_lowercase();
    IMAGE.iter().any(|start| lower.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charts_are_no_images() {
        assert!(no_image("application/vnd.cncf.helm.config.v1+json").is_some());
        for image in [
            "application/vnd.oci.image.index.v1+json",
            "application/vnd.oci.image.manifest.v1+json",
            "application/vnd.oci.image.config.v1+json",
            "application/vnd.docker.container.image.v1+json",
            "application/vnd.docker.distribution.manifest.list.v2+json",
        ] {
            assert_eq!(no_image(image), None, "{image}");
        }
    }

    #[test]
    fn layers_are_no_images() {
        for image in [
            "application/vnd.oci.image.index.v1+json",
            "application/vnd.oci.image.manifest.v1+json",
            "application/vnd.docker.distribution.manifest.v1+prettyjws",
            "application/vnd.docker.distribution.manifest.v2+json",
            "application/vnd.docker.distribution.manifest.list.v2+json",
        ] {
            assert!(is_image(image), "{image}");
        }
        for other in [
            "application/octet-stream",
            "application/vnd.oci.image.config.v1+json",
            "application/vnd.oci.image.layer.v1.tar+gzip",
        ] {
            assert!(!is_image(other), "{other}");
        }
    }
}
