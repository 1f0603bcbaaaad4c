//! Who may read the metrics: the API server knows whose a token is, and what they may do.

use async_trait::async_trait;
use k8s_openapi::api::authentication::v1::TokenReview;
use k8s_openapi::api::authentication::v1::TokenReviewSpec;
use k8s_openapi::api::authentication::v1::UserInfo;
use k8s_openapi::api::authorization::v1::NonResourceAttributes;
use k8s_openapi::api::authorization::v1::SubjectAccessReview;
use k8s_openapi::api::authorization::v1::SubjectAccessReviewSpec;
use kube::Api;
use kube::api::PostParams;

use crate::adapters::kubernetes::client::CallError;
use crate::adapters::kubernetes::client::Cluster;
use crate::adapters::kubernetes::client::call;
use crate::adapters::kubernetes::reason::is_forbidden;
use crate::ports::access_reviewer::Access;
use crate::ports::access_reviewer::AccessReviewer;
use crate::ports::access_reviewer::ReviewError;

/// Asks the API server.
pub struct ClusterReviewer(pub Cluster);

#[async_trait]
impl AccessReviewer for ClusterReviewer {
    async fn review(&self, token: &str) -> Result<Access, ReviewError> {
        let Some(user) = self.user(token).await? else {
            return Ok(Access::Unknown);
        };
        let may_read = self.may_read(user).await?;
        Ok(if may_read {
            Access::Granted
        } else {
            Access::Denied
        })
    }
}

impl ClusterReviewer {
    /// Whose a token is; `None`: nobody's.
    async fn user(&self, token: &str) -> Result<Option<UserInfo>, ReviewError> {
        let review = TokenReview {
            spec: TokenReviewSpec {
                token: Some(token.to_owned()),
                ..TokenReviewSpec::default()
            },
            ..TokenReview::default()
        };
        let all: Api<TokenReview> = Api::all(self.0.client().clone());
        let parameters = PostParams::default();
        let reviewed = call(all.create(&parameters, &review)).await;
        let reviewed =
            reviewed.map_err(|error| failed("tokenreviews.authentication.k8s.io", &error))?;
        let status = reviewed.status.unwrap_or_default();
        let is_somebody = status.authenticated.unwrap_or_default();
        Ok(status.user.filter(|_| is_somebody))
    }

    async fn may_read(&self, user: UserInfo) -> Result<bool, ReviewError> {
        let review = SubjectAccessReview {
            spec: SubjectAccessReviewSpec {
                user: user.username,
                groups: user.groups,
                uid: user.uid,
                extra: user.extra,
                non_resource_attributes: Some(NonResourceAttributes {
                    path: Some("/metrics".to_owned()),
                    verb: Some("get".to_owned()),
                }),
                ..SubjectAccessReviewSpec::default()
            },
            ..SubjectAccessReview::default()
        };
        let all: Api<SubjectAccessReview> = Api::all(self.0.client().clone());
        let parameters = PostParams::default();
        let reviewed = call(all.create(&parameters, &review)).await;
        let reviewed = reviewed
            .map_err(|error| failed("subjectaccessreviews.authorization.k8s.io", &error))?;
        Ok(reviewed.status.is_some_and(|status| status.allowed))
    }
}

fn failed(resource: &'static str, error: &CallError) -> ReviewError {
    let reason = error.to_string();
    match error {
        CallError::Api(error) if is_forbidden(error) => ReviewError::Forbidden { resource, reason },
        CallError::Api(_) | CallError::TimedOut => ReviewError::Unavailable { reason },
    }
}
