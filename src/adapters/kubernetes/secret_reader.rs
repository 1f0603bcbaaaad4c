//! Secrets that resources name, read from the cluster.

use async_trait::async_trait;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::Client;

use crate::adapters::kubernetes::client::CallError;
use crate::adapters::kubernetes::client::call;
use crate::adapters::kubernetes::keyed::Keyed as _;
use crate::adapters::kubernetes::reason::is_forbidden;
use crate::ports::secret_reader::SecretReadError;
use crate::ports::secret_reader::SecretReader;

/// Reads Secrets one by one whenever it is asked, and keeps none: a program that kept those of all namespaces would be worth breaking into.
#[derive(Clone)]
pub struct ClusterSecrets {
    client: Client,
}

impl ClusterSecrets {
    /// Reads by a client.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client }
    }
}

#[async_trait]
impl SecretReader for ClusterSecrets {
    async fn field(
        &self,
        namespace: &str,
        name: &str,
        field: &str,
    ) -> Result<Vec<u8>, SecretReadError> {
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), namespace);
        let secret = call(secrets.get(name)).await;
        let secret = secret.map_err(|error| failure(namespace, name, &error))?;
        let value = secret.into_data().remove(field);
        value.ok_or_else(|| SecretReadError::NoField {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            field: field.to_owned(),
        })
    }
}

fn failure(namespace: &str, name: &str, error: &CallError) -> SecretReadError {
    let reason = error.to_string();
    let (namespace, name) = (namespace.to_owned(), name.to_owned());
    match error {
        CallError::Api(error) if is_forbidden(error) => SecretReadError::Forbidden {
            reason: format!(
                "the permission to get secrets in namespace {namespace} is missing: grant it there, by config/rbac/watched-namespace or the \
                 chart ({reason})"
            ),
            namespace,
            name,
        },
        CallError::Api(kube::Error::Api(status)) if status.is_not_found() => {
            SecretReadError::Absent { namespace, name }
        }
        CallError::Api(_) | CallError::TimedOut => SecretReadError::Unavailable {
            namespace,
            name,
            reason,
        },
    }
}

#[cfg(test)]
mod tests {
    use kube::core::Status;

    use super::*;

    fn error(code: u16, reason: &str) -> SecretReadError {
        let status = Status {
            code,
            reason: reason.to_owned(),
            message: "no".to_owned(),
            ..Status::default()
        };
        let error = CallError::Api(kube::Error::Api(status.boxed()));
        failure("shop", "pull", &error)
    }

    #[test]
    fn what_keeps_a_secret_from_being_read_is_told_apart() {
        let forbidden = error(403, "Forbidden").to_string();
        assert!(
            forbidden.contains("permission to get secrets in namespace shop is missing"),
            "{forbidden}"
        );
        assert!(matches!(
            error(404, "NotFound"),
            SecretReadError::Absent { .. }
        ));
        for code in [401, 429, 500, 503] {
            let told = error(code, "X");
            assert!(
                matches!(told, SecretReadError::Unavailable { .. }),
                "{told}"
            );
        }
        let late = failure("shop", "pull", &CallError::TimedOut);
        assert!(
            matches!(late, SecretReadError::Unavailable { .. }),
            "{late}"
        );
    }
}
