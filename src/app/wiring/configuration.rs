//! Settings from where they really are, and the command `config`.

use std::process::ExitCode;

use crate::adapters::config::environment::Environment;
use crate::adapters::config::mounted_folder::MountedFolder;
use crate::adapters::kubernetes::client;
use crate::adapters::manifests::reader;
use crate::adapters::tls::CAPABILITIES;
use crate::app::cli::flags::Flags;
use crate::app::settings::build::Build;
use crate::app::settings::load::Loaded;
use crate::app::settings::load::Mount;
use crate::app::settings::load::Presence;
use crate::app::settings::load::Sources;
use crate::app::settings::load::load;
use crate::app::settings::mode::Mode;
use crate::app::settings::problem::EXIT_USAGE;
use crate::app::settings::problem::Problem;
use crate::app::wiring::print;
use crate::app::wiring::profiles;
use crate::app::wiring::tls;
use crate::ports::config_source::ConfigSource;

/// Loads the settings of a command from flags, environment and mounted folders, and looks at the places that they name.
pub(super) fn read(mode: Mode, flags: &Flags) -> Loaded {
    let mut loaded = from(mode, flags, &Environment::new(std::env::vars_os()), &folder);
    look(&mut loaded);
    loaded
}

/// Finds what would stop the start although every value is one that is allowed.
fn look(loaded: &mut Loaded) {
    let places = &loaded.places;
    let manifests = places.manifests.as_deref().map(reader::check);
    let kubeconfig = places.kubeconfig.clone();
    let has_manifests = places.manifests.is_some() || loaded.is_refused("manifests");
    let tls = places.tls.clone().map(tls::check);
    if let Some(Err(error)) = manifests {
        loaded.refuse("manifests", &error);
    }
    if !has_manifests && let Err(error) = client::check(kubeconfig.as_deref()) {
        if kubeconfig.is_some() {
            loaded.refuse("kubeconfig", &error);
        } else {
            let request = format!(
                "not set, and {error}; or give a folder with ImageUpdaters and Applications by --manifests"
            );
            loaded.problems.push(Problem::of("manifests", request));
        }
    }
    if let Some(Err(error)) = tls {
        loaded.refuse("tls.dir", &error);
    }
}

/// Loads the settings of a command from sources of the caller's choice.
pub(super) fn from(
    mode: Mode,
    flags: &Flags,
    environment: &Environment,
    folder: &dyn Fn(Mount<'_>) -> Box<dyn ConfigSource>,
) -> Loaded {
    let build = Build {
        senders: &profiles(),
        tls: CAPABILITIES,
    };
    load(
        mode,
        &build,
        &Sources {
            flags,
            environment,
            folder,
            objects: None,
        },
    )
}

/// A mounted folder.
pub(super) fn folder(mount: Mount<'_>) -> Box<dyn ConfigSource> {
    Box::new(match mount.presence {
        Presence::Required => MountedFolder::required(mount.path, mount.keys),
        Presence::Optional => MountedFolder::optional(mount.path, mount.keys),
    })
}

/// `config`: prints the effective settings and what would stop a start.
pub(super) fn show(mode: Mode, flags: &Flags) -> ExitCode {
    let loaded = read(mode, flags);
    let stops = !loaded.problems.is_empty();
    print(loaded.report());
    if stops {
        ExitCode::from(EXIT_USAGE)
    } else {
        ExitCode::SUCCESS
    }
}
