//! Where Applications and settings are read, and where deliveries are kept.

use crate::app::settings::kind::Kind;
use crate::app::settings::setting::Setting;
use crate::app::settings::topic::Topic;

pub(super) fn rows() -> Vec<Setting> {
    let setting = |key, flag, kind| Setting::new(Topic::Places, key, flag, kind);
    vec![
        setting("manifests", "manifests", Kind::Path)
            .env("IMAGE_UPDATER_MANIFESTS")
            .help("Folder with the YAML files of ImageUpdaters and Applications, into which updates are written. With it no cluster is read."),
        setting("dry-run", "dry-run", Kind::Bool)
            .not_in_config_map()
            .default("false")
            .help("Says in the log what it would change, and writes nothing at all."),
        setting("state.dir", "state-dir", Kind::Path)
            .env("IMAGE_UPDATER_STATE_DIR")
            .not_in_config_map()
            .help("Folder in which accepted deliveries are kept until they are done, for one process alone. Without it they are kept in memory, and lost when the process is killed."),
        setting("config.dir", "config-dir", Kind::Path)
            .env("IMAGE_UPDATER_CONFIG_DIR")
            .not_in_config_map()
            .default("/app/config")
            .help("Folder of a mounted ConfigMap with settings, one file for each key."),
    ]
}
