//! An Application, as Argo CD leaves it after some months.

use serde_json::Value;
use serde_json::json;

use crate::UPDATERS;

/// Resources of each Application.
const RESOURCES: usize = 6;
/// Past syncs that each Application remembers: Argo CD's default.
const HISTORY: usize = 10;

/// An Application of one image, which it shares with no other.
pub(crate) struct Application {
    number: usize,
    repository: String,
    name: String,
    patch_version: usize,
}

/// The name of the team of an Application, which is the name of its ImageUpdater.
pub(crate) fn team(number: usize) -> String {
    format!("team-{:02}", number % UPDATERS)
}

impl Application {
    pub(crate) fn new(number: usize) -> Self {
        Self {
            number,
            repository: format!("acme/{}-service-{number}", team(number)),
            name: format!("{}-service-{number}", team(number)),
            patch_version: 2,
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn repository(&self) -> &str {
        &self.repository
    }

    /// Goes on to the next version.
    pub(crate) fn turn_newer(&mut self) {
        self.patch_version += 1;
    }

    pub(crate) fn tag(&self) -> String {
        format!("1.4.{}", self.patch_version)
    }

    pub(crate) fn image_name(&self) -> String {
        format!("ghcr.io/{}", self.repository())
    }

    pub(crate) fn image(&self) -> String {
        format!("{}:{}", self.image_name(), self.tag())
    }

    /// The whole object.
    pub(crate) fn object(&self) -> Value {
        let name = &self.name;
        json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
            "metadata": {
                "name": name,
                "labels": {"app.kubernetes.io/instance": name, "app.kubernetes.io/part-of": "shop", "team": team(self.number)},
                "annotations": {
                    "argocd-image-updater.argoproj.io/image-list": format!("main={}:1.x", self.image_name()),
                    "argocd-image-updater.argoproj.io/main.update-strategy": "semver",
                    "notifications.argoproj.io/subscribe.on-sync-failed.slack": "deployments",
                },
                "finalizers": ["resources-finalizer.argocd.argoproj.io"],
            },
            "spec": {
                "project": "production", "source": self.source(), "destination": destination(),
                "syncPolicy": {"automated": {"prune": true, "selfHeal": true}, "syncOptions": ["CreateNamespace=true"]},
            },
            "status": self.status(),
        })
    }

    fn source(&self) -> Value {
        json!({
            "repoURL": "https://git.example.com/platform/deployments.git", "targetRevision": "HEAD",
            "path": format!("services/{}/overlays/production", self.name),
            "kustomize": {"images": [self.image()]},
        })
    }

    fn revision(&self) -> String {
        format!("{:040x}", self.number)
    }

    fn status(&self) -> Value {
        let time = "2026-01-01T00:00:00Z";
        let (source, revision) = (self.source(), self.revision());
        let past = |index: usize| {
            json!({
                "id": index, "revision": revision, "deployedAt": time, "deployStartedAt": time,
                "initiatedBy": {"automated": true}, "source": source,
            })
        };
        json!({
            "sourceType": "Kustomize", "reconciledAt": time, "controllerNamespace": "argocd",
            "health": {"status": "Healthy", "lastTransitionTime": time},
            "sync": {"status": "Synced", "revision": revision, "comparedTo": {"source": source, "destination": destination()}},
            "summary": {"images": [
                self.image(), "ghcr.io/acme/platform/sidecar:2.0.1", "docker.io/library/busybox:1.36",
            ]},
            "resources": (0..RESOURCES).map(|index| self.resource(index)).collect::<Vec<_>>(),
            "history": (0..HISTORY).map(past).collect::<Vec<_>>(),
            "operationState": {
                "phase": "Succeeded", "message": "successfully synced (all tasks run)", "startedAt": time, "finishedAt": time,
                "operation": {"sync": {"revision": revision}, "initiatedBy": {"automated": true}, "retry": {"limit": 5}},
                "syncResult": {
                    "revision": revision, "source": source,
                    "resources": (0..RESOURCES).map(|index| self.synced(index)).collect::<Vec<_>>(),
                },
            },
        })
    }

    fn resource(&self, index: usize) -> Value {
        json!({
            "group": "apps", "version": "v1", "kind": "Deployment", "namespace": "production", "name": format!("{}-{index}", self.name),
            "status": "Synced", "health": {"status": "Healthy"},
        })
    }

    fn synced(&self, index: usize) -> Value {
        let name = &self.name;
        json!({
            "group": "apps", "version": "v1", "kind": "Deployment", "namespace": "production", "name": format!("{name}-{index}"),
            "status": "Synced", "message": format!("deployment.apps/{name}-{index} configured"), "hookPhase": "Running", "syncPhase": "Sync",
        })
    }
}

fn destination() -> Value {
    json!({"server": "https://kubernetes.default.svc", "namespace": "production"})
}
