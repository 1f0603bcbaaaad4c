//! A definition that is installed.

use std::env;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

use image_updater::adapters::wire::crd;
use kube::Api;
use kube::Error;
use kube::api::ApiResource;
use kube::api::DynamicObject;
use kube::api::Patch;
use kube::api::PatchParams;
use kube::api::PostParams;
use kube::core::GroupVersionKind;
use serde_json::Value;
use serde_json::json;

use crate::support::ApiServer;
use crate::support::World;

/// Objects of one definition.
pub(super) struct Definition {
    pub(super) name: &'static str,
    kind: ApiResource,
    objects: Api<DynamicObject>,
}

impl Definition {
    /// Installs a definition under another group.
    fn install(server: &ApiServer, world: &World, name: &'static str, mut crd: Value) -> Self {
        let group = format!("{name}-{}.example.com", world.namespace);
        crd["metadata"] = json!({"name": format!("imageupdaters.{group}")});
        crd["spec"]["group"] = json!(group);
        let apply = ["apply", "--server-side", "-f", "-"];
        server.kubectl(&apply, &crd.to_string()).unwrap();
        let wait = ["wait", "--for=condition=Established", "--timeout=60s"];
        let crd = format!("crd/imageupdaters.{group}");
        server.kubectl(&[&wait[..], &[&crd]].concat(), "").unwrap();
        let kind = GroupVersionKind::gvk(&group, "v1alpha1", "ImageUpdater");
        let kind = ApiResource::from_gvk_with_plural(&kind, "imageupdaters");
        let objects = Api::namespaced_with(world.client.clone(), &world.namespace, &kind);
        Self {
            name,
            kind,
            objects,
        }
    }

    /// Ours, and the published one where it is.
    pub(super) fn all(server: &ApiServer, world: &World) -> Vec<Self> {
        let ours = serde_json::to_value(crd::definition()).unwrap();
        let mut all = vec![Self::install(server, world, "ours", ours)];
        let folder = env::var_os("IMAGE_UPDATER_TEST_CRDS").map(PathBuf::from);
        let published = folder.map(|folder| folder.join("imageupdater-crd.yaml"));
        if let Some(path) = published.filter(|path| Path::exists(path)) {
            let text = fs::read_to_string(path).unwrap();
            let published = serde_saphyr::from_str(&text).unwrap();
            all.push(Self::install(server, world, "published", published));
        }
        all
    }

    fn object(&self, object: &Value) -> DynamicObject {
        let mut object = object.clone();
        object["apiVersion"] = json!(self.kind.api_version);
        serde_json::from_value(object).unwrap()
    }

    /// Creates an object, or only looks whether that would be possible.
    pub(super) async fn create(
        &self,
        object: &Value,
        dry_run: bool,
    ) -> Result<DynamicObject, String> {
        let how = PostParams {
            dry_run,
            ..PostParams::default()
        };
        let created = self.objects.create(&how, &self.object(object)).await;
        created.map_err(|error| refusal(&error))
    }

    /// What `status` an object would have.
    pub(super) async fn status(&self, name: &str, status: &Value) -> Result<DynamicObject, String> {
        let how = PatchParams {
            dry_run: true,
            ..PatchParams::default()
        };
        let patch = Patch::Merge(json!({"status": status}));
        let patched = self.objects.patch_status(name, &how, &patch).await;
        patched.map_err(|error| refusal(&error))
    }
}

/// Why an object is not let in. Anything but a refusal of the object fails the test.
fn refusal(error: &Error) -> String {
    match error {
        Error::Api(status) if status.code == 422 => status.message.clone(),
        other => panic!("{other}"),
    }
}
