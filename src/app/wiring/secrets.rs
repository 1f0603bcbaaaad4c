//! From settings to the secrets that count.

use std::collections::HashMap;
use std::sync::Arc;

use crate::adapters::kubernetes::followed_object::FollowedObject;
use crate::adapters::kubernetes::secrets::ObjectSecrets;
use crate::adapters::secrets::mounted::FixedSecrets;
use crate::adapters::secrets::mounted::MountedSecrets;
use crate::adapters::senders;
use crate::app::settings::SecretSettings;
use crate::app::wiring::server::Background;
use crate::ports::secret_source::SecretSource;

/// The secrets of flags and environment, of the cluster's object, and of the mounted folder. The work of taking up changes is added to the
/// background.
pub(super) fn source(
    settings: SecretSettings,
    object: Option<Arc<FollowedObject>>,
    background: &mut Vec<Background>,
) -> Arc<dyn SecretSource> {
    let senders = senders::all();
    let names: Vec<_> = senders
        .iter()
        .map(|sender| sender.profile().secret_name)
        .collect();
    let hidden_by: HashMap<_, _> = settings
        .fixed
        .iter()
        .map(|fixed| (fixed.secret_name.to_owned(), fixed.place.clone()))
        .collect();
    let fixed = settings.fixed.into_iter().map(|fixed| FixedSecrets {
        secret_name: fixed.secret_name.to_owned(),
        secrets: fixed.secrets,
        place: fixed.place,
    });
    let names = names.iter().copied();
    let mut mounted = MountedSecrets::new(names.clone(), fixed, settings.dir, settings.policy);
    if let Some(object) = object {
        let place = object.place().to_owned();
        let secrets = Arc::new(ObjectSecrets::new(object, names, hidden_by));
        background.push(Box::pin(Arc::clone(&secrets).watch()));
        mounted = mounted.below(secrets, &place);
    }
    let mounted = Arc::new(mounted);
    background.push(Box::pin(Arc::clone(&mounted).watch()));
    mounted
}
