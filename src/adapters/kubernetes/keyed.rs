//! Objects that hold values by their keys.

use std::collections::BTreeMap;
use std::fmt::Debug;

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::api::core::v1::Secret;
use kube::Resource;
use serde::de::DeserializeOwned;

/// A kind of object that holds values by their keys.
pub(super) trait Keyed:
    Resource<DynamicType = (), Scope = NamespaceResourceScope>
    + Clone
    + Debug
    + DeserializeOwned
    + Send
    + 'static
{
    /// Its name in paths of the API.
    const PLURAL: &'static str;
    /// Its name in places, as `kubectl` takes it.
    const SINGULAR: &'static str;

    /// The values.
    fn into_data(self) -> Data;
}

/// The values of an object, by their keys.
pub(super) type Data = BTreeMap<String, Vec<u8>>;

impl Keyed for ConfigMap {
    const PLURAL: &'static str = "configmaps";
    const SINGULAR: &'static str = "configmap";

    fn into_data(self) -> Data {
        let values = self.data.unwrap_or_default().into_iter();
        values
            .map(|(key, value)| (key, value.into_bytes()))
            .collect()
    }
}

impl Keyed for Secret {
    const PLURAL: &'static str = "secrets";
    const SINGULAR: &'static str = "secret";

    fn into_data(self) -> Data {
        let values = self.data.unwrap_or_default().into_iter();
        values.map(|(key, value)| (key, value.0)).collect()
    }
}
