//! Signatures of images.

use kube::KubeSchema;
use serde::Deserialize;
use serde::Serialize;

/// Which signatures an image needs before it is written anywhere. A block inside of another one has to name its key again, or say that it is
/// not enabled.
#[derive(KubeSchema, Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self.enabled == false || has(self.cosignKey)")
    .message("at least one verification method (cosignKey) is required when verification is enabled"))]
pub struct ImagesVerification {
    /// Whether signatures are checked. With false they are not, whatever a block further out says.
    #[serde(default = "enabled")]
    pub enabled: bool,
    /// The public key that cosign signed with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cosign_key: Option<SecretKey>,
}

fn enabled() -> bool {
    true
}

/// A key of a Secret in the ImageUpdater's namespace.
#[derive(KubeSchema, Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecretKey {
    /// The Secret's name.
    pub secret_name: String,
    /// The key in the Secret's data, such as `cosign.pub`. Its value is an ECDSA public key in PEM.
    pub key: String,
}
