//! From settings to the secrets that count.

use std::sync::Arc;

use crate::adapters::secrets::mounted::FixedSecrets;
use crate::adapters::secrets::mounted::MountedSecrets;
use crate::adapters::senders;
use crate::app::settings::SecretSettings;

/// The secrets of flags, environment and mounted folder.
pub(super) fn mounted(settings: SecretSettings) -> Arc<MountedSecrets> {
    let senders = senders::all();
    let names = senders.iter().map(|sender| sender.profile().secret_name);
    let fixed = settings.fixed.into_iter().map(|fixed| FixedSecrets {
        secret_name: fixed.secret_name.to_owned(),
        secrets: fixed.secrets,
        place: fixed.place,
    });
    Arc::new(MountedSecrets::new(
        names,
        fixed,
        settings.dir,
        settings.policy,
    ))
}
