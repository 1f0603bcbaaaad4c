//! A namespace of a test's own, and objects in it.

use std::time::Duration;

use k8s_openapi::api::authentication::v1::TokenRequest;
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::Api;
use kube::Client;
use kube::api::ApiResource;
use kube::api::DeleteParams;
use kube::api::DynamicObject;
use kube::api::Patch;
use kube::api::PatchParams;
use kube::api::PostParams;
use kube::core::GroupVersionKind;
use serde_json::Value;
use serde_json::json;

use super::ApiServer;

/// Longer than anything takes on a slow machine; a test that reaches it has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// A namespace, with a client that may do everything.
pub(crate) struct World {
    pub(crate) client: Client,
    pub(crate) namespace: String,
}

impl World {
    /// A new namespace of the API server that tests share; `None` where there is no API server.
    pub(crate) async fn new() -> Option<(&'static ApiServer, Self)> {
        let server = ApiServer::shared()?;
        Some((server, Self::on(server).await))
    }

    /// A new namespace of an API server.
    pub(crate) async fn on(server: &ApiServer) -> Self {
        let client = server.admin().await;
        let all: Api<Namespace> = Api::all(client.clone());
        let new = serde_json::from_value(json!({"metadata": {"generateName": "test-"}})).unwrap();
        let made = all.create(&PostParams::default(), &new).await.unwrap();
        Self {
            client,
            namespace: made.metadata.name.unwrap(),
        }
    }

    /// The Applications.
    pub(crate) fn applications(&self) -> Api<DynamicObject> {
        self.objects("argoproj.io", "Application", "applications")
    }

    /// The ImageUpdaters.
    pub(crate) fn updaters(&self) -> Api<DynamicObject> {
        let group = "argocd-image-updater.argoproj.io";
        self.objects(group, "ImageUpdater", "imageupdaters")
    }

    fn objects(&self, group: &str, kind: &str, plural: &str) -> Api<DynamicObject> {
        let kind = GroupVersionKind::gvk(group, "v1alpha1", kind);
        let resource = ApiResource::from_gvk_with_plural(&kind, plural);
        Api::namespaced_with(self.client.clone(), &self.namespace, &resource)
    }

    /// Makes an Application with this `spec`.
    pub(crate) async fn application(&self, name: &str, spec: Value) -> DynamicObject {
        let object = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
            "metadata": {"name": name}, "spec": complete(spec),
        });
        create(&self.applications(), object).await
    }

    /// Makes an ImageUpdater with this `spec`.
    pub(crate) async fn updater(&self, name: &str, spec: Value) -> DynamicObject {
        let object = json!({
            "apiVersion": "argocd-image-updater.argoproj.io/v1alpha1", "kind": "ImageUpdater",
            "metadata": {"name": name}, "spec": spec,
        });
        create(&self.updaters(), object).await
    }

    /// Merges fields into an Application.
    pub(crate) async fn merge(&self, application: &str, fields: Value) -> DynamicObject {
        let (patch, how) = (Patch::Merge(fields), PatchParams::default());
        let all = self.applications();
        all.patch(application, &how, &patch).await.unwrap()
    }

    /// Writes the status of an Application, as Argo CD does.
    pub(crate) async fn status(&self, application: &str, status: Value) -> DynamicObject {
        self.merge(application, json!({"status": status})).await
    }

    /// Takes an Application away.
    pub(crate) async fn delete(&self, application: &str) {
        let all = self.applications();
        let how = DeleteParams::default();
        all.delete(application, &how).await.unwrap();
    }

    /// What an Application is now.
    pub(crate) async fn read(&self, application: &str) -> Value {
        let object = self.applications().get(application).await.unwrap();
        serde_json::to_value(object).unwrap()
    }

    /// A bearer token of a service account, which is made where it is missing.
    pub(crate) async fn token(&self, account: &str) -> String {
        let all: Api<ServiceAccount> = Api::namespaced(self.client.clone(), &self.namespace);
        let new = serde_json::from_value(json!({"metadata": {"name": account}})).unwrap();
        // It may be there already.
        let _ = all.create(&PostParams::default(), &new).await;
        let request: TokenRequest =
            serde_json::from_value(json!({"spec": {"audiences": []}})).unwrap();
        let token = all
            .create_token_request(account, &PostParams::default(), &request)
            .await;
        token.unwrap().status.unwrap().token
    }
}

/// Waits until it holds, looking often.
pub(crate) async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let found = tokio::time::timeout(PATIENCE, async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    found.await.unwrap_or_else(|_| panic!("{what}: not so"))
}

/// With the fields that Argo CD's CRD requires.
fn complete(mut spec: Value) -> Value {
    let fields = spec.as_object_mut().unwrap();
    fields.entry("project").or_insert("default".into());
    fields
        .entry("destination")
        .or_insert(json!({"server": "https://kubernetes.default.svc", "namespace": "shop"}));
    spec
}

async fn create(all: &Api<DynamicObject>, object: Value) -> DynamicObject {
    let object = serde_json::from_value(object).unwrap();
    all.create(&PostParams::default(), &object).await.unwrap()
}
