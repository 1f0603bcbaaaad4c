//! Registries and the credentials for them.

use crate::app::settings::kind::Kind;
use crate::app::settings::setting::Setting;
use crate::app::settings::topic::Topic;

pub(super) fn rows() -> Vec<Setting> {
    let setting = |key, flag, kind| Setting::new(Topic::Registries, key, flag, kind);
    vec![
        setting("registries-conf-path", "registries-conf-path", Kind::Text)
            .not_in_config_map()
            .default("/app/config/registries.conf")
            .help("File that describes registries, see [REGISTRIES.md](REGISTRIES.md); empty: none. A changed file counts within two seconds. Where this is not set, the key registries.conf of the cluster's ConfigMap is stronger than the file."),
        setting(
            "image.credential-sources",
            "image-credential-sources",
            Kind::CredentialKinds,
        )
        .env("IMAGE_CREDENTIAL_SOURCES")
        .default("pullsecret,secret")
        .help("Which kinds of credentials the pullSecret of an image may name, separated by commas: pullsecret, secret, env, ext. Whoever writes ImageUpdaters can have what they name sent to a registry of their choice, so env and ext are the operator's by themselves, who names them in the description of registries."),
    ]
}
