//! The Lease by which replicas agree on a leader, as an object of `coordination.k8s.io/v1`.
//!
//! It is written as `client-go` writes its own, and by the same name as the Go program's, so that old and new never lead together.

use std::time::Duration;

use async_trait::async_trait;
use k8s_openapi::api::coordination::v1::Lease as LeaseObject;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::Timestamp;
use kube::Api;
use kube::Client;
use kube::api::Patch;
use kube::api::PatchParams;
use kube::api::PostParams;
use serde_json::Value;
use serde_json::json;

use crate::domain::lease::DURATION;
use crate::domain::lease::Lease;
use crate::ports::lease_store::LeaseAct;
use crate::ports::lease_store::LeaseError;
use crate::ports::lease_store::LeaseStore;
use crate::ports::lease_store::LeaseWrite;

/// The name of the Go program's Lease.
pub const NAME: &str = "c21b75f2.argoproj.io";

/// What `client-go` makes of a Lease's duration when it gives the Lease back.
const RELEASED: Duration = Duration::from_secs(1);

/// A Lease in a cluster.
#[derive(Clone)]
pub struct ClusterLease {
    leases: Api<LeaseObject>,
    name: String,
    /// Namespace and name, for people.
    shown: String,
}

impl ClusterLease {
    /// A Lease, which need not be there yet.
    #[must_use]
    pub fn new(client: Client, namespace: &str, name: &str) -> Self {
        Self {
            leases: Api::namespaced(client, namespace),
            name: name.to_owned(),
            shown: format!("{namespace}/{name}"),
        }
    }

    async fn create(&self, fields: Value) -> Result<LeaseObject, LeaseError> {
        let object = json!({"metadata": {"name": self.name}, "spec": fields});
        let object = serde_json::from_value(object)
            .map_err(|error| LeaseError::Unavailable(error.to_string()))?;
        let made = self.leases.create(&PostParams::default(), &object).await;
        made.map_err(|error| self.error("create", error))
    }

    async fn update(&self, read: &Lease, fields: Value) -> Result<LeaseObject, LeaseError> {
        let (verb, how) = ("patch", PatchParams::default());
        // With the version that was read, the server refuses it where somebody wrote the Lease since.
        let patch = Patch::Merge(json!({
            "metadata": {"resourceVersion": read.version},
            "spec": fields,
        }));
        let written = self.leases.patch(&self.name, &how, &patch).await;
        written.map_err(|error| self.error(verb, error))
    }

    fn error(&self, verb: &'static str, error: kube::Error) -> LeaseError {
        match error {
            kube::Error::Api(status) if status.code == 409 => LeaseError::Lost,
            kube::Error::Api(status) if status.code == 403 => LeaseError::Forbidden {
                verb,
                lease: self.shown.clone(),
            },
            other => LeaseError::Unavailable(other.to_string()),
        }
    }
}

#[async_trait]
impl LeaseStore for ClusterLease {
    async fn read(&self) -> Result<Option<Lease>, LeaseError> {
        let read = self.leases.get_opt(&self.name).await;
        let read = read.map_err(|error| self.error("get", error))?;
        Ok(read.as_ref().map(lease))
    }

    async fn write<'a>(&self, write: LeaseWrite<'a>) -> Result<Lease, LeaseError> {
        let fields = fields(write.act, Timestamp::now());
        let written = match write.read {
            None => self.create(fields).await?,
            Some(read) => self.update(read, fields).await?,
        };
        Ok(lease(&written))
    }
}

/// The fields of `spec` that are written. Others stay as they are.
fn fields(act: LeaseAct<'_>, now: Timestamp) -> Value {
    let now = MicroTime(now);
    match act {
        LeaseAct::Acquire {
            holder,
            transitions,
        } => json!({
            "holderIdentity": holder, "leaseTransitions": transitions, "leaseDurationSeconds": DURATION.as_secs(),
            "acquireTime": now, "renewTime": now,
        }),
        LeaseAct::Renew => json!({"leaseDurationSeconds": DURATION.as_secs(), "renewTime": now}),
        LeaseAct::Release => json!({
            "holderIdentity": "", "leaseDurationSeconds": RELEASED.as_secs(), "acquireTime": now, "renewTime": now,
        }),
    }
}

fn lease(object: &LeaseObject) -> Lease {
    let spec = object.spec.clone().unwrap_or_default();
    let unsigned = |number: Option<i32>| number.and_then(|number| u32::try_from(number).ok());
    Lease {
        holder: spec.holder_identity.unwrap_or_default(),
        duration: unsigned(spec.lease_duration_seconds)
            .map_or(DURATION, |seconds| Duration::from_secs(seconds.into())),
        transitions: unsigned(spec.lease_transitions).unwrap_or_default(),
        version: object.metadata.resource_version.clone().unwrap_or_default(),
    }
}
