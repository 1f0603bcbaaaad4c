//! The program's own ConfigMap and Secrets in the cluster.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::adapters::kubernetes::client::Cluster;
use crate::adapters::kubernetes::client::ConnectError;
use crate::adapters::kubernetes::followed_object;
use crate::adapters::kubernetes::followed_object::FollowedObject;
use crate::adapters::kubernetes::followed_object::Permission;
use crate::app::settings::ClusterSettings;
use crate::app::settings::load::CONFIG_MAP;
use crate::app::settings::load::SECRET;
use crate::app::settings::load::TLS_SECRET;
use crate::app::settings::notice::Notice;
use crate::app::wiring::resources;
use crate::app::wiring::server::Background;
use crate::domain::resources::resource::ResourceId;

/// How long the start waits for them.
const PATIENCE: Duration = Duration::from_secs(5);

/// The objects, followed for as long as this is kept.
pub(super) struct Objects {
    pub(super) cluster: Cluster,
    pub(super) config_map: Arc<FollowedObject>,
    pub(super) secret: Arc<FollowedObject>,
    pub(super) certificate: Arc<FollowedObject>,
    /// Whether the start goes on without the ConfigMap, not knowing what it says.
    pub(super) is_late: bool,
    following: JoinSet<()>,
}

impl Objects {
    /// Connects to the cluster and waits for a while until the objects are known. Without an answer the start goes on: deliveries that come
    /// meanwhile would be lost.
    ///
    /// # Errors
    /// [`ConnectError`] where nothing can be asked.
    pub(super) async fn connect(settings: &ClusterSettings) -> Result<Self, ConnectError> {
        let cluster = resources::connect(settings).await?;
        let mut following = JoinSet::new();
        let mut begin = |(object, work): followed_object::Followed| {
            following.spawn(work);
            object
        };
        let mut objects = Self {
            config_map: begin(followed_object::config_map(&cluster, CONFIG_MAP)),
            secret: begin(followed_object::secret(&cluster, SECRET)),
            certificate: begin(followed_object::secret(&cluster, TLS_SECRET)),
            cluster,
            is_late: false,
            following,
        };
        tokio::join!(
            objects.config_map.first_answer(PATIENCE),
            objects.secret.first_answer(PATIENCE),
            objects.certificate.first_answer(PATIENCE),
        );
        objects.is_late = !objects.config_map.is_known();
        Ok(objects)
    }

    /// What the ConfigMap is called.
    pub(super) fn config_map_id(&self) -> ResourceId {
        ResourceId {
            namespace: self.cluster.namespace().to_owned(),
            name: CONFIG_MAP.to_owned(),
        }
    }

    /// What is to be said of those that are not known: for want of a permission, by the permission, or of an answer.
    pub(super) fn out_of_reach(&self) -> Vec<Notice> {
        let all = [&self.config_map, &self.secret, &self.certificate];
        let mut notices = Vec::new();
        let mut places: BTreeMap<_, Vec<String>> = BTreeMap::new();
        for object in all {
            if let Some(permission) = object.refusal() {
                let place = object.place().to_owned();
                places.entry(permission).or_default().push(place);
            } else if let Some(reason) = object.silence() {
                let place = object.place().to_owned();
                notices.push(Notice::NoAnswer { place, reason });
            }
        }
        let notice = |(Permission { verb, resource }, places)| Notice::MissingPermission {
            verb,
            resource,
            namespace: self.cluster.namespace().to_owned(),
            places,
        };
        notices.extend(places.into_iter().map(notice));
        notices
    }

    /// Ends when all of them are known, or were refused for so long that this is meant.
    pub(super) fn settled(&self) -> Background {
        let all = [&self.config_map, &self.secret, &self.certificate].map(Arc::clone);
        Box::pin(async move {
            for object in all {
                object.settled().await;
            }
        })
    }

    /// Goes on following them; ends only where something fails.
    pub(super) fn follow(mut self) -> Background {
        Box::pin(async move {
            self.following.join_next().await;
        })
    }
}
