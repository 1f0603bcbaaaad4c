//! Who is let in.

use super::{secret_key, secret_variable};
use crate::app::settings::kind::Kind;
use crate::app::settings::setting::Setting;
use crate::app::settings::topic::Topic;
use crate::domain::sender::SenderProfile;

pub(super) fn rows(senders: &[SenderProfile]) -> Vec<Setting> {
    let mut rows = vec![
        Setting::new(
            Topic::Secrets,
            "webhook.require-secret",
            "webhook-require-secret",
            Kind::Bool,
        )
        .env("WEBHOOK_REQUIRE_SECRET")
        .default("true")
        .help("Serves only types of senders that have a secret. With false, a type without one takes deliveries from anybody."),
    ];
    rows.extend(senders.iter().map(secret));
    rows.push(
        Setting::new(
            Topic::Secrets,
            "secrets.dir",
            "secrets-dir",
            Kind::Path,
        )
        .env("IMAGE_UPDATER_SECRETS_DIR")
        .default("/app/config/secrets")
        .help("Folder of a mounted Secret with a file for each type, such as webhook.docker-secret. A changed file counts within two seconds. The Secret argocd-image-updater-secret of the cluster is stronger."),
    );
    rows
}

fn secret(sender: &SenderProfile) -> Setting {
    let flag = format!("{}-webhook-secret", sender.secret_name);
    Setting::new(Topic::Secrets, &secret_key(sender), &flag, Kind::Secret)
        .env(&secret_variable(sender))
        .not_in_config_map()
        .help(format!(
            "{}, type {}: its secrets, one a line. Proof: {}.",
            sender.title, sender.name, sender.authentication
        ))
}
