//! Kubernetes Events of `core/v1`, each of them new: the Role allows nothing but to create them, so none is ever counted up.

use std::sync::Arc;
use std::time::SystemTime;
use std::time::UNIX_EPOCH;

use async_trait::async_trait;
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::api::core::v1::Event;
use k8s_openapi::api::core::v1::EventSource;
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use kube::Api;
use kube::api::PostParams;

use crate::adapters::kubernetes::client::call;
use crate::adapters::kubernetes::resources::ClusterResources;
use crate::adapters::kubernetes::resources::KnownObject;
use crate::adapters::kubernetes::slim_object::Kind;
use crate::adapters::kubernetes::tell_error::Write;
use crate::domain::resources::resource::ResourceId;
use crate::domain::status::announcement::Announcement;
use crate::domain::status::announcement::Class;
use crate::domain::status::announcement::Subject;
use crate::ports::announcer::Announcer;
use crate::ports::tell_error::TellError;

/// Who says it, by the Go program's name.
const COMPONENT: &str = "ArgocdImageUpdater";
/// The longest text, in bytes; that of `events.k8s.io`, where Events can be read, too.
const LONGEST_MESSAGE: usize = 1024;
/// The longest name of an object, in bytes.
const LONGEST_NAME: usize = 253;

const WRITE: Write = Write {
    verb: "create",
    resource: "events",
};

/// Writes Events into a cluster.
pub struct ClusterAnnouncer {
    resources: Arc<ClusterResources>,
}

impl ClusterAnnouncer {
    /// Writes into the cluster of these.
    #[must_use]
    pub fn new(resources: Arc<ClusterResources>) -> Self {
        Self { resources }
    }

    /// The uid of a ConfigMap, by which `kubectl describe` finds its Events. Without it they can be listed all the same.
    async fn uid(&self, id: &ResourceId) -> Option<String> {
        let client = self.resources.client().clone();
        let api: Api<ConfigMap> = Api::namespaced(client, &id.namespace);
        let found = call(api.get_metadata(&id.name)).await;
        found.ok()?.metadata.uid
    }

    /// The object, as it was last read where it is known.
    fn reference(&self, subject: &Subject) -> ObjectReference {
        match subject {
            Subject::Application(id) => reference(id, self.resources.application(id)),
            Subject::ImageUpdater(id) => reference(id, self.resources.updater(id)),
            Subject::ConfigMap(id) => ObjectReference {
                api_version: Some("v1".to_owned()),
                kind: Some("ConfigMap".to_owned()),
                name: Some(id.name.clone()),
                namespace: Some(id.namespace.clone()),
                ..ObjectReference::default()
            },
        }
    }
}

fn reference<T: Kind>(id: &ResourceId, known: Option<KnownObject<T>>) -> ObjectReference {
    let (uid, version) = known
        .map(|known| (known.uid, known.resource_version))
        .unzip();
    ObjectReference {
        api_version: Some(format!("{}/{}", T::GROUP, T::VERSION)),
        kind: Some(T::KIND.to_string()),
        name: Some(id.name.clone()),
        namespace: Some(id.namespace.clone()),
        uid,
        resource_version: version,
        ..ObjectReference::default()
    }
}

#[async_trait]
impl Announcer for ClusterAnnouncer {
    async fn announce(&self, announcement: &Announcement) -> Result<(), TellError> {
        let mut about = self.reference(&announcement.about);
        if let Subject::ConfigMap(id) = &announcement.about {
            about.uid = self.uid(id).await;
        }
        let namespace = about.namespace.clone().unwrap_or_default();
        let api: Api<Event> = Api::namespaced(self.resources.client().clone(), &namespace);
        let event = event(announcement, about, SystemTime::now());
        let created = call(api.create(&PostParams::default(), &event)).await;
        created.map_err(|error| WRITE.error(&namespace, &error))?;
        Ok(())
    }
}

fn event(announcement: &Announcement, about: ObjectReference, now: SystemTime) -> Event {
    let time = Timestamp::try_from(now).ok().map(Time);
    let annotations = announcement.annotations.iter().cloned().collect();
    Event {
        metadata: ObjectMeta {
            name: Some(name(about.name.as_deref().unwrap_or_default(), now)),
            namespace: about.namespace.clone(),
            annotations: Some(annotations),
            ..ObjectMeta::default()
        },
        involved_object: about,
        type_: Some(
            match announcement.class {
                Class::Normal => "Normal",
                Class::Warning => "Warning",
            }
            .to_owned(),
        ),
        reason: Some(announcement.reason.to_owned()),
        message: Some(cut(&announcement.message, LONGEST_MESSAGE).to_owned()),
        source: Some(EventSource {
            component: Some(COMPONENT.to_owned()),
            host: None,
        }),
        count: Some(1),
        first_timestamp: time.clone(),
        last_timestamp: time,
        ..Event::default()
    }
}

/// `<object>.<nanoseconds>`, as every client names Events.
fn name(object: &str, now: SystemTime) -> String {
    let nanos = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let suffix = format!(".{:x}", nanos.as_nanos());
    let object = cut(object, LONGEST_NAME - suffix.len());
    format!("{}{suffix}", object.trim_end_matches(['-', '.']))
}

/// At most so many bytes of it.
fn cut(text: &str, longest: usize) -> &str {
    let mut ends = (0..=longest.min(text.len())).rev();
    let end = ends.find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or_default()]
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::resources::application::Application;

    fn about(name: &str) -> ObjectReference {
        let id = ResourceId {
            namespace: "argocd".to_owned(),
            name: name.to_owned(),
        };
        ObjectReference {
            uid: Some("u".to_owned()),
            ..reference::<Application>(&id, None)
        }
    }

    #[test]
    fn an_event_is_complete() {
        let subject = Subject::Application(ResourceId {
            namespace: "argocd".to_owned(),
            name: "web".to_owned(),
        });
        let announcement = Announcement {
            annotations: vec![("a/b".to_owned(), "c".to_owned())],
            ..Announcement::warning(subject, "ImageUpdateFailed", "é".repeat(600))
        };
        let now = UNIX_EPOCH + Duration::new(1_700_000_000, 1);
        let event = event(&announcement, about("web"), now);
        let json = serde_json::to_value(&event).unwrap();
        assert_eq!(json["metadata"]["name"], "web.17979cfe362a0001");
        assert_eq!(json["metadata"]["annotations"]["a/b"], "c");
        assert_eq!(json["involvedObject"]["kind"], "Application");
        assert_eq!(json["involvedObject"]["apiVersion"], "argoproj.io/v1alpha1");
        assert_eq!(json["involvedObject"]["uid"], "u");
        assert_eq!(json["source"]["component"], "ArgocdImageUpdater");
        assert_eq!(json["type"], "Warning");
        assert_eq!(json["count"], 1);
        assert_eq!(json["firstTimestamp"], json["lastTimestamp"]);
        assert_eq!(json["message"].as_str().unwrap().len(), 1024);
    }

    #[test]
    fn a_long_name_leaves_room_for_the_time() {
        let name = name(&"a.".repeat(126), SystemTime::now());
        assert!(name.len() <= LONGEST_NAME && !name.contains(".."), "{name}");
    }
}
