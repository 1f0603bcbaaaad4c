//! An `ImageUpdater` (`argocd-image-updater.argoproj.io/v1alpha1`): which Applications follow which images, and by what rule.
//!
//! Fields hold what the object says. Inheritance and everything that can be wrong with a text in it is resolved where an ImageUpdater is
//! matched with an Application, so that one bad image or Application stops no other.

use std::collections::BTreeMap;

use crate::domain::resources::image_updater_status::ImageUpdaterStatus;
use crate::domain::resources::resource::ResourceId;

/// An ImageUpdater.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageUpdater {
    /// Its namespace, which is also that of its Applications, and name.
    pub id: ResourceId,
    /// `metadata.creationTimestamp`, where the object has one: RFC 3339 in UTC, in whole seconds, as Kubernetes writes it, so that texts
    /// sort as times do. Of two that track one image the older decides, and of two of one age, or without one, the first by name.
    pub created: Option<String>,
    /// `metadata.generation`, the number of the version of `spec`. An object in a file has none.
    pub generation: Option<i64>,
    /// `spec.applicationRefs`.
    pub applications: Vec<ApplicationRef>,
    /// `spec.commonUpdateSettings`.
    pub settings: UpdateSettings,
    /// `spec.writeBackConfig`.
    pub write_back: WriteBackSettings,
    /// `spec.imagesVerification`.
    pub verification: Option<VerificationSettings>,
    /// `status`, as it was last read.
    pub status: ImageUpdaterStatus,
}

impl ImageUpdater {
    /// Whether it asks for the same as another: nothing but the generation and the status may differ.
    #[must_use]
    pub fn asks_the_same_as(&self, other: &Self) -> bool {
        let Self {
            id,
            created,
            generation: _,
            applications,
            settings,
            write_back,
            verification,
            status: _,
        } = self;
        *id == other.id
            && *created == other.created
            && *applications == other.applications
            && *settings == other.settings
            && *write_back == other.write_back
            && *verification == other.verification
    }
}

/// One of `spec.applicationRefs`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApplicationRef {
    /// `namePattern`, a glob in the manner of Go's `filepath.Match`.
    pub name_pattern: String,
    /// `labelSelectors`; absent and empty select everything.
    pub labels: Option<LabelSelector>,
    /// `useAnnotations`: images and settings come from the Application's annotations.
    pub use_annotations: bool,
    /// `images`.
    pub images: Vec<ImageConfig>,
    /// `commonUpdateSettings`.
    pub settings: UpdateSettings,
    /// `writeBackConfig`.
    pub write_back: WriteBackSettings,
    /// `imagesVerification`.
    pub verification: Option<VerificationSettings>,
}

/// One of `images`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageConfig {
    /// `alias`.
    pub alias: String,
    /// `imageName`: a name, and after its colon a constraint.
    pub image_name: String,
    /// `commonUpdateSettings`.
    pub settings: UpdateSettings,
    /// `manifestTargets`.
    pub target: ManifestTarget,
    /// `imagesVerification`.
    pub verification: Option<VerificationSettings>,
}

/// `commonUpdateSettings`, of which each field that is given replaces the one of the level above.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UpdateSettings {
    /// `updateStrategy`.
    pub strategy: Option<String>,
    /// `forceUpdate`.
    pub force_update: Option<bool>,
    /// `allowTags`.
    pub allow_tags: Option<String>,
    /// `ignoreTags`.
    pub ignore_tags: Option<Vec<String>>,
    /// `pullSecret`.
    pub pull_secret: Option<String>,
    /// `platforms`.
    pub platforms: Option<Vec<String>>,
}

/// `writeBackConfig`, as far as it decides here: only the method counts until git is written to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WriteBackSettings {
    /// `method`: `argocd` (the default), `git` or `git:<credentials>`.
    pub method: Option<String>,
    /// `gitConfig.writeBackTarget`.
    pub target: Option<String>,
}

/// `imagesVerification`, whose fields are inherited one by one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VerificationSettings {
    /// `enabled`, true where the block exists and does not say.
    pub enabled: Option<bool>,
    /// `cosignKey`.
    pub cosign_key: Option<SecretKeyRef>,
}

/// A key of a Secret.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SecretKeyRef {
    /// The Secret's name.
    pub secret_name: String,
    /// The key in it.
    pub key: String,
}

/// `manifestTargets`: where in the Application an image is written. More than one of them is a mistake.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ManifestTarget {
    /// `helm`.
    pub helm: Option<NamedTarget>,
    /// `kustomize.name`, the image's name in the manifests.
    pub kustomize: Option<String>,
    /// `plugin`.
    pub plugin: Option<NamedTarget>,
}

/// Names of Helm parameters, or of a plugin's variables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NamedTarget {
    /// Takes the name of the image.
    pub name: Option<String>,
    /// Takes the tag.
    pub tag: Option<String>,
    /// Takes name and tag at once, and then the other two do not count.
    pub spec: Option<String>,
}

/// A Kubernetes label selector; all of its terms must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LabelSelector {
    /// `matchLabels`.
    pub labels: BTreeMap<String, String>,
    /// `matchExpressions`.
    pub expressions: Vec<LabelExpression>,
}

/// One of `matchExpressions`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelExpression {
    /// The label.
    pub key: String,
    /// `In`, `NotIn`, `Exists` or `DoesNotExist`; anything else makes the selector invalid, and it matches nothing.
    pub operator: String,
    /// The values of `In` and `NotIn`.
    pub values: Vec<String>,
}
