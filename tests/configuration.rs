//! What the table of settings says, the documentation and the adapters say too.
#![cfg(feature = "server")]
#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

use std::path::Path;
use std::{env, fs};

use image_updater::adapters::secrets::mounted::MountedSecrets;
use image_updater::adapters::senders;
use image_updater::app::settings::document::document;
use image_updater::app::settings::mode::Mode;
use image_updater::app::settings::setting::Setting;
use image_updater::app::settings::table::{FILE_KEYS, Table, secret_key};
use image_updater::domain::secret_policy::SecretPolicy;
use image_updater::ports::secret_source::SecretSource;

fn table() -> Table {
    let senders: Vec<_> = senders::all()
        .iter()
        .map(|sender| *sender.profile())
        .collect();
    Table::new(&senders)
}

/// Checks that a file of the repository is this text; with `UPDATE_DOCS` it is made so.
fn check(path: &str, expected: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, expected).unwrap();
    }
    let written = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        written == expected,
        "{path} is out of date; run UPDATE_DOCS=1 cargo test --test configuration"
    );
}

#[test]
fn the_documentation_of_settings_is_up_to_date() {
    check("docs/CONFIGURATION.md", &document(&table()));
}

#[test]
fn the_config_map_and_the_secret_to_start_from_have_every_key() {
    let table = table();
    let settings = table
        .iter()
        .filter(|setting| setting.in_config_map && !setting.is_secret());
    let mut keys: Vec<String> = settings.map(commented).collect();
    for (key, help) in FILE_KEYS.iter().zip(FILES) {
        keys.push(format!("  # {help}\n  # {key}: |\n"));
    }
    let config_map = example("ConfigMap", "config", "data", &keys.concat());
    check("config/manager/config-map.yaml", &config_map);

    let secrets = table.iter().filter(|setting| setting.is_secret());
    let keys: Vec<String> = secrets
        .map(|setting| {
            format!(
                "  # {}\n  # {}: a-long-random-text\n",
                setting.help, setting.key
            )
        })
        .collect();
    let secret = example("Secret", "secret", "stringData", &keys.concat());
    check("config/manager/secret.yaml", &secret);
}

/// What the keys that are whole files are for.
const FILES: [&str; 2] = [
    "The registries: their addresses, credentials and limits.",
    "The template of commit messages.",
];

/// A key of the ConfigMap with its default.
fn commented(setting: &Setting) -> String {
    let default = setting.default_for(Mode::Run, true).unwrap_or_default();
    format!("  # {}\n  # {}: \"{default}\"\n", setting.help, setting.key)
}

/// An object whose keys are all there, none of them in effect.
fn example(kind: &str, name: &str, field: &str, keys: &str) -> String {
    format!(
        "\
# Made from the program's table of settings; every key may be left out. It is not part of the install, which would else take back what you
# have set. Take the keys that you need, then:
#
#   kubectl apply -n argocd -f config/manager/{file}.yaml
apiVersion: v1
kind: {kind}
metadata:
  name: argocd-image-updater-{name}
  labels:
    app.kubernetes.io/name: argocd-image-updater-{name}
    app.kubernetes.io/part-of: argocd-image-updater-controller
# {field}:
{keys}",
        file = if kind == "Secret" { "secret" } else { "config-map" },
    )
}

#[test]
fn the_keys_of_the_table_are_the_files_of_the_secrets_folder() {
    let folder = tempfile::tempdir().unwrap();
    for sender in senders::all() {
        let profile = sender.profile();
        fs::write(folder.path().join(secret_key(profile)), "secret").unwrap();
        let name = profile.secret_name;
        let policy = SecretPolicy {
            require_secret: true,
        };
        let secrets = MountedSecrets::new([name], [], folder.path().to_owned(), policy);
        assert_eq!(secrets.secrets(name).len(), 1, "{name}");
    }
}
