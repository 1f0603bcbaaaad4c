//! Secrets of a cluster that is connected to when the first of them is asked for.

use std::path::PathBuf;

use async_trait::async_trait;
use tokio::sync::OnceCell;

use crate::adapters::kubernetes::client::Access;
use crate::adapters::kubernetes::client::Cluster;
use crate::adapters::kubernetes::client::ConnectError;
use crate::adapters::kubernetes::secret_reader::ClusterSecrets;
use crate::ports::secret_reader::SecretReadError;
use crate::ports::secret_reader::SecretReader;

/// Reads Secrets, if any are asked for at all: most images need none, and no cluster then.
pub(super) struct LazySecrets {
    access: Access,
    cluster: OnceCell<ClusterSecrets>,
}

impl LazySecrets {
    pub(super) fn new(kubeconfig: Option<PathBuf>) -> Self {
        Self {
            access: Access {
                kubeconfig,
                namespace: None,
            },
            cluster: OnceCell::new(),
        }
    }
}

#[async_trait]
impl SecretReader for LazySecrets {
    async fn field(
        &self,
        namespace: &str,
        name: &str,
        field: &str,
    ) -> Result<Vec<u8>, SecretReadError> {
        let connect = async || {
            let cluster = Cluster::connect(&self.access).await?;
            Ok(ClusterSecrets::new(cluster.client().clone()))
        };
        let cluster = self.cluster.get_or_try_init(connect).await;
        let cluster = cluster.map_err(|error: ConnectError| SecretReadError::Unavailable {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            reason: error.to_string(),
        })?;
        cluster.field(namespace, name, field).await
    }
}
