//! What the table of settings says, the documentation and the adapters say too.
#![cfg(feature = "server")]

use std::path::Path;
use std::{env, fs};

use image_updater::adapters::secrets::mounted::MountedSecrets;
use image_updater::adapters::senders;
use image_updater::app::settings::document::document;
use image_updater::app::settings::table::{Table, secret_key};
use image_updater::domain::secret_policy::SecretPolicy;
use image_updater::ports::secret_source::SecretSource;

#[test]
fn the_documentation_of_settings_is_up_to_date() {
    let senders: Vec<_> = senders::all()
        .iter()
        .map(|sender| *sender.profile())
        .collect();
    let expected = document(&Table::new(&senders));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/CONFIGURATION.md");
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &expected).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == expected,
        "docs/CONFIGURATION.md is out of date; run UPDATE_DOCS=1 cargo test --test configuration"
    );
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
