//! A Kubernetes Event on the ConfigMap with the settings.

use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::api::core::v1::Event;
use k8s_openapi::api::core::v1::EventSource;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use kube::Api;
use kube::Resource;
use kube::ResourceExt;
use kube::api::PostParams;

use crate::adapters::kubernetes::client::CallError;
use crate::adapters::kubernetes::client::Cluster;
use crate::adapters::kubernetes::client::call;

/// The most that is told, in bytes: the API takes no longer message.
const LONGEST_MESSAGE: usize = 1024;

/// Writes Events about a ConfigMap in the program's own namespace.
pub struct SettingsEvent {
    events: Api<Event>,
    config_maps: Api<ConfigMap>,
    name: String,
}

impl SettingsEvent {
    /// About the ConfigMap of this name.
    #[must_use]
    pub fn new(cluster: &Cluster, name: &str) -> Self {
        let (client, namespace) = (cluster.client(), cluster.namespace());
        Self {
            events: Api::namespaced(client.clone(), namespace),
            config_maps: Api::namespaced(client.clone(), namespace),
            name: name.to_owned(),
        }
    }

    /// Writes a warning. Where there is no such ConfigMap, there is nobody to tell.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn create(&self, reason: &str, message: &str) -> Result<(), CallError> {
        let found = call(self.config_maps.get_opt(&self.name)).await?;
        let Some(config_map) = found else {
            return Ok(());
        };
        let now = Some(Time(Timestamp::now()));
        let event = Event {
            metadata: ObjectMeta {
                generate_name: Some(format!("{}.", self.name)),
                namespace: config_map.namespace(),
                ..ObjectMeta::default()
            },
            involved_object: config_map.object_ref(&()),
            type_: Some("Warning".to_owned()),
            reason: Some(reason.to_owned()),
            message: Some(shortened(message)),
            source: Some(EventSource {
                component: Some("argocd-image-updater".to_owned()),
                ..EventSource::default()
            }),
            first_timestamp: now.clone(),
            last_timestamp: now,
            count: Some(1),
            ..Event::default()
        };
        call(self.events.create(&PostParams::default(), &event)).await?;
        Ok(())
    }
}

fn shortened(message: &str) -> String {
    if message.len() <= LONGEST_MESSAGE {
        return message.to_owned();
    }
    const MORE: &str = "…";
    let end = message.floor_char_boundary(LONGEST_MESSAGE - MORE.len());
    format!("{}{MORE}", message.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_message_is_cut_between_characters() {
        assert_eq!(shortened("short"), "short");
        for start in ["", "a", "ab"] {
            let long = format!("{start}{}", "ü".repeat(LONGEST_MESSAGE));
            let cut = shortened(&long);
            assert!(
                cut.len() <= LONGEST_MESSAGE && cut.ends_with("ü…"),
                "{}",
                cut.len()
            );
        }
    }
}
