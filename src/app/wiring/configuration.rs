//! Settings from where they really are, and the command `config`.

use std::process::ExitCode;
use std::sync::Arc;

use crate::adapters::config::environment::Environment;
use crate::adapters::config::mounted_folder::MountedFolder;
use crate::adapters::kubernetes::client;
use crate::adapters::kubernetes::followed_object::FollowedObject;
use crate::adapters::manifests::reader;
use crate::adapters::tls::CAPABILITIES;
use crate::app::cli::flags::Flags;
use crate::app::settings::build::Build;
use crate::app::settings::load;
use crate::app::settings::load::Loaded;
use crate::app::settings::load::Mount;
use crate::app::settings::load::Presence;
use crate::app::settings::load::Sources;
use crate::app::settings::load::load;
use crate::app::settings::mode::Mode;
use crate::app::settings::problem::EXIT_USAGE;
use crate::app::settings::problem::Problem;
use crate::app::wiring::block_on;
use crate::app::wiring::objects::Objects;
use crate::app::wiring::print;
use crate::app::wiring::profiles;
use crate::app::wiring::registries;
use crate::app::wiring::tls;
use crate::ports::config_source::ConfigSource;

/// Where the settings of a command come from.
#[derive(Clone)]
pub(super) struct Inputs {
    mode: Mode,
    flags: Flags,
    environment: Arc<Environment>,
    /// ConfigMap and Secret of the cluster, where one is talked to.
    objects: Option<(Arc<FollowedObject>, Arc<FollowedObject>)>,
}

/// The settings of a command, and how they came to be.
pub(super) struct Configuration {
    pub(super) inputs: Inputs,
    pub(super) loaded: Loaded,
    /// The objects of the cluster, where one is talked to.
    pub(super) objects: Option<Objects>,
}

impl Inputs {
    /// Loads the settings anew, with what the sources say now.
    pub(super) fn load(&self) -> Loaded {
        let objects = self.objects.as_ref();
        let objects = objects.map(|(config_map, secret)| load::Objects {
            config_map: config_map.as_ref(),
            secret: secret.as_ref(),
        });
        from(self.mode, &self.flags, &self.environment, &folder, objects)
    }
}

/// Loads the settings of a command from flags, environment, mounted folders and the objects of the cluster, and looks at the places that they
/// name. Whether there is a cluster is itself a setting, which the other sources tell.
pub(super) async fn read(mode: Mode, flags: Flags) -> Configuration {
    let mut inputs = Inputs {
        mode,
        flags,
        environment: Arc::new(Environment::new(std::env::vars_os())),
        objects: None,
    };
    let mut loaded = inputs.load();
    look_for_resources(&mut loaded);
    let mut objects = None;
    if let Some(cluster) = loaded.cluster() {
        match Objects::connect(cluster).await {
            Ok(found) => {
                let (config_map, secret) = (&found.config_map, &found.secret);
                inputs.objects = Some((Arc::clone(config_map), Arc::clone(secret)));
                loaded = inputs.load();
                look_for_resources(&mut loaded);
                loaded.notices.extend(found.out_of_reach());
                objects = Some(found);
            }
            Err(error) => loaded.refuse("kubeconfig", &error),
        }
    }
    look_for_certificate(&mut loaded, objects.as_ref());
    registries::look(&mut loaded, objects.as_ref());
    Configuration {
        inputs,
        loaded,
        objects,
    }
}

/// Finds what would stop the start although every value is one that is allowed.
fn look_for_resources(loaded: &mut Loaded) {
    let places = &loaded.places;
    let manifests = places.manifests.as_deref().map(reader::check);
    let kubeconfig = places.kubeconfig.clone();
    let has_manifests = places.manifests.is_some() || loaded.is_refused("manifests");
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
}

/// Finds what would stop the start about the certificate.
fn look_for_certificate(loaded: &mut Loaded, objects: Option<&Objects>) {
    let object = objects.map(|objects| Arc::clone(&objects.certificate));
    let tls = loaded.places.tls.clone();
    if let Some(Err(error)) = tls.map(|settings| tls::check(settings, object)) {
        loaded.refuse("tls.dir", &error);
    }
}

/// Loads the settings of a command from sources of the caller's choice.
pub(super) fn from(
    mode: Mode,
    flags: &Flags,
    environment: &Environment,
    folder: &dyn Fn(Mount<'_>) -> Box<dyn ConfigSource>,
    objects: Option<load::Objects<'_>>,
) -> Loaded {
    let build = Build {
        senders: &profiles(),
        tls: CAPABILITIES,
    };
    let sources = Sources {
        flags,
        environment,
        folder,
        objects,
    };
    load(mode, &build, &sources)
}

/// A mounted folder.
pub(super) fn folder(mount: Mount<'_>) -> Box<dyn ConfigSource> {
    Box::new(match mount.presence {
        Presence::Required => MountedFolder::required(mount.path, mount.keys),
        Presence::Optional => MountedFolder::optional(mount.path, mount.keys),
    })
}

/// `config`: prints the effective settings and what would stop a start.
pub(super) fn show(mode: Mode, flags: Flags) -> ExitCode {
    block_on(async move {
        let loaded = read(mode, flags).await.loaded;
        let stops = !loaded.problems.is_empty();
        print(loaded.report());
        if stops {
            ExitCode::from(EXIT_USAGE)
        } else {
            ExitCode::SUCCESS
        }
    })
}
