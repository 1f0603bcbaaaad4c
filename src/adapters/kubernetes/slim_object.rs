//! An object of the API, as far as it is used.
//!
//! An Application of a real cluster is some ten kilobytes, of which hardly one is used: the rest, the fields' managers and most of the status,
//! is skipped while the answer is read.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;
use serde::Deserializer;
use serde::de::DeserializeSeed;
use serde_json::Value;

use crate::adapters::kubernetes::mask::Mask;
use crate::adapters::wire::application;
use crate::adapters::wire::findings::Findings;
use crate::adapters::wire::image_updater;
use crate::domain::resources::application::Application;
use crate::domain::resources::image_updater::ImageUpdater;
use crate::domain::resources::problem::ResourceKind;
use crate::domain::resources::resource::ResourceId;

/// A kind of object that is read from the API, named by the type that it is read into.
pub trait Kind: fmt::Debug + Clone + PartialEq + Send + Sync + 'static {
    /// Which kind it is.
    const KIND: ResourceKind;
    /// Its group.
    const GROUP: &'static str;
    /// Its version.
    const VERSION: &'static str;
    /// Its name in paths of the API.
    const PLURAL: &'static str;
    /// What is kept of an object.
    const MASK: Mask;

    /// Reads an object; there is none where something in it is wrong.
    fn read(object: &Value) -> (Option<Self>, Findings);
}

const METADATA: Mask = Mask::Members(&[
    ("name", Mask::All),
    ("namespace", Mask::All),
    ("uid", Mask::All),
    ("resourceVersion", Mask::All),
    ("generation", Mask::All),
    ("creationTimestamp", Mask::All),
    ("deletionTimestamp", Mask::All),
    ("finalizers", Mask::All),
    ("labels", Mask::All),
    (
        "annotations",
        Mask::Prefix("argocd-image-updater.argoproj.io/"),
    ),
]);

const SOURCE: Mask = Mask::Members(&[
    ("path", Mask::All),
    ("chart", Mask::All),
    (
        "helm",
        Mask::Members(&[(
            "parameters",
            Mask::Members(&[
                ("name", Mask::All),
                ("value", Mask::All),
                ("forceString", Mask::All),
            ]),
        )]),
    ),
    ("kustomize", Mask::Members(&[("images", Mask::All)])),
    (
        "plugin",
        Mask::Members(&[(
            "env",
            Mask::Members(&[("name", Mask::All), ("value", Mask::All)]),
        )]),
    ),
]);

impl Kind for Application {
    const KIND: ResourceKind = ResourceKind::Application;
    const GROUP: &'static str = application::GROUP;
    const VERSION: &'static str = application::VERSION;
    const PLURAL: &'static str = "applications";
    const MASK: Mask = Mask::Members(&[
        ("metadata", METADATA),
        (
            "spec",
            Mask::Members(&[
                ("source", SOURCE),
                ("sources", SOURCE),
                ("sourceHydrator", Mask::Members(&[("drySource", SOURCE)])),
            ]),
        ),
        (
            "status",
            Mask::Members(&[
                ("sourceType", Mask::All),
                ("sourceTypes", Mask::All),
                ("summary", Mask::Members(&[("images", Mask::All)])),
            ]),
        ),
    ]);

    fn read(object: &Value) -> (Option<Self>, Findings) {
        application::read(object, "")
    }
}

impl Kind for ImageUpdater {
    const KIND: ResourceKind = ResourceKind::ImageUpdater;
    const GROUP: &'static str = image_updater::GROUP;
    const VERSION: &'static str = image_updater::VERSION;
    const PLURAL: &'static str = "imageupdaters";
    const MASK: Mask = Mask::Members(&[
        ("metadata", METADATA),
        ("spec", Mask::All),
        ("status", Mask::All),
    ]);

    fn read(object: &Value) -> (Option<Self>, Findings) {
        image_updater::read(object, "")
    }
}

/// An object of a kind, without what is not used.
#[derive(Debug, Clone)]
pub struct SlimObject<T> {
    /// Name, namespace, uid, resourceVersion and generation alone.
    metadata: ObjectMeta,
    object: Value,
    kind: PhantomData<fn() -> T>,
}

impl<T: Kind> SlimObject<T> {
    /// Its namespace and name.
    #[must_use]
    pub fn id(&self) -> ResourceId {
        ResourceId {
            namespace: self.metadata.namespace.clone().unwrap_or_default(),
            name: self.metadata.name.clone().unwrap_or_default(),
        }
    }

    /// Where in the list of finalizers this one is, if that is what a deletion waits for.
    pub(super) fn held_by(&self, finalizer: &str) -> Option<usize> {
        let finalizers = self.object.pointer("/metadata/finalizers")?;
        let mut finalizers = finalizers.as_array().filter(|_| self.is_leaving())?.iter();
        finalizers.position(|one| one.as_str() == Some(finalizer))
    }

    /// Whether it is being deleted: whoever deleted it wants nothing of it any more.
    pub(super) fn is_leaving(&self) -> bool {
        let time = self.object.pointer("/metadata/deletionTimestamp");
        time.is_some_and(|time| !time.is_null())
    }

    /// What it says; nothing where something in it is wrong.
    #[must_use]
    pub fn read(&self) -> (Option<T>, Findings) {
        T::read(&self.object)
    }
}

impl<'de, T: Kind> Deserialize<'de> for SlimObject<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let object = T::MASK.deserialize(deserializer)?;
        Ok(Self {
            metadata: metadata(&object),
            object,
            kind: PhantomData,
        })
    }
}

fn metadata(object: &Value) -> ObjectMeta {
    let metadata = object.get("metadata");
    let member = |name| metadata.and_then(|metadata| metadata.get(name));
    let text = |name| member(name).and_then(Value::as_str).map(str::to_owned);
    ObjectMeta {
        name: text("name"),
        namespace: text("namespace"),
        uid: text("uid"),
        resource_version: text("resourceVersion"),
        generation: member("generation").and_then(Value::as_i64),
        ..ObjectMeta::default()
    }
}

impl<T: Kind> kube::Resource for SlimObject<T> {
    type DynamicType = ();
    type Scope = NamespaceResourceScope;

    fn kind((): &()) -> Cow<'_, str> {
        Cow::Owned(T::KIND.to_string())
    }

    fn group((): &()) -> Cow<'_, str> {
        Cow::Borrowed(T::GROUP)
    }

    fn version((): &()) -> Cow<'_, str> {
        Cow::Borrowed(T::VERSION)
    }

    fn plural((): &()) -> Cow<'_, str> {
        Cow::Borrowed(T::PLURAL)
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

#[cfg(test)]
mod tests {
    use kube::ResourceExt;
    use serde_json::json;

    use super::*;

    fn slim<T: Kind>(object: &Value) -> SlimObject<T> {
        serde_json::from_str(&object.to_string()).unwrap()
    }

    #[test]
    fn an_application_keeps_what_is_read_of_it() {
        let object = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
            "metadata": {
                "name": "shop", "namespace": "team", "uid": "u", "resourceVersion": "17", "generation": 3,
                "creationTimestamp": "2026-01-01T00:00:00Z",
                "labels": {"tier": "web"}, "managedFields": [{"manager": "x"}],
                "annotations": {"argocd-image-updater.argoproj.io/image-list": "nginx", "kubectl.kubernetes.io/last": "{}"},
            },
            "spec": {
                "project": "default",
                "sources": [
                    {"repoURL": "x", "path": "a", "helm": {"values": "x", "parameters": [{"name": "tag", "value": "1", "forceString": true}]}},
                    {"chart": "c", "kustomize": {"images": ["nginx:1"], "namePrefix": "x"}},
                    {"plugin": {"name": "p", "env": [{"name": "TAG", "value": "1"}]}},
                ],
                "sourceHydrator": null,
            },
            "status": {
                "sourceTypes": ["Helm"], "sourceType": "Helm", "resources": [{}],
                "summary": {"images": ["nginx:1"], "externalURLs": []},
            },
            "operation": {},
        });
        let slim = slim::<Application>(&object);
        assert_eq!(slim.id().to_string(), "team/shop");
        assert_eq!(slim.uid().as_deref(), Some("u"));
        assert_eq!(slim.resource_version().as_deref(), Some("17"));
        let (kept, findings) = slim.read();
        let mut of_ours = object.clone();
        let annotations = of_ours["metadata"]["annotations"].as_object_mut().unwrap();
        annotations.remove("kubectl.kubernetes.io/last").unwrap();
        let (whole, _) = application::read(&of_ours, "");
        assert_eq!(kept, whole);
        assert!(findings.errors.is_empty());
        let text = slim.object.to_string();
        for gone in ["managedFields", "repoURL", "resources", "operation"] {
            assert!(!text.contains(gone), "{text}");
        }
    }

    #[test]
    fn an_image_updater_keeps_spec_and_status() {
        let object = json!({
            "metadata": {"name": "u", "namespace": "team", "generation": 2},
            "spec": {"applicationRefs": [{"namePattern": "*", "useAnnotations": true}]},
            "status": {"observedGeneration": 1, "conditions": [{"type": "Ready"}]},
        });
        let slim = slim::<ImageUpdater>(&object);
        assert_eq!(slim.object, object);
        assert_eq!(slim.metadata.generation, Some(2));
        assert_eq!(slim.read().0.unwrap().id.to_string(), "team/u");
    }

    #[test]
    fn a_finalizer_holds_only_what_is_being_deleted() {
        let updater = |deleted: Value| {
            let finalizers = ["other", "ours"];
            let metadata =
                json!({"name": "u", "deletionTimestamp": deleted, "finalizers": finalizers});
            slim::<ImageUpdater>(&json!({"metadata": metadata, "spec": {}}))
        };
        let deleted = updater("2026-01-01T00:00:00Z".into());
        assert_eq!(deleted.held_by("ours"), Some(1));
        assert_eq!(deleted.held_by("theirs"), None);
        assert_eq!(updater(Value::Null).held_by("ours"), None);
    }

    #[test]
    fn the_api_finds_it_by_its_path() {
        use kube::Resource;
        assert_eq!(
            SlimObject::<Application>::url_path(&(), Some("team")),
            "/apis/argoproj.io/v1alpha1/namespaces/team/applications"
        );
        assert_eq!(
            SlimObject::<ImageUpdater>::url_path(&(), None),
            "/apis/argocd-image-updater.argoproj.io/v1alpha1/imageupdaters"
        );
    }
}
