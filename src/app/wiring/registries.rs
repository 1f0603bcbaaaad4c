//! From settings to the registries that are described.

use std::path::Path;
use std::sync::Arc;

use crate::adapters::registries_conf::source::RegistriesConf;
use crate::app::registries::live::LiveRegistries;
use crate::app::registries::live::problems;
use crate::app::settings::RegistriesFile;
use crate::app::settings::Settings;
use crate::app::settings::load::Loaded;
use crate::app::settings::notice::Notice;
use crate::app::settings::problem::Problem;
use crate::app::wiring::objects::Objects;
use crate::app::wiring::server::StartError;
use crate::ports::announcer::Announcer;
use crate::ports::config_source::ConfigSource;
use crate::ports::registries_source::Reading;
use crate::ports::registries_source::RegistriesSource;

/// What problems are about.
const SUBJECT: &str = "registries.conf";

/// Where registries are described. What somebody named is stronger than the cluster's ConfigMap, as flags are with settings.
fn source(file: &RegistriesFile, objects: Option<&Objects>) -> RegistriesConf {
    match (file, objects) {
        (RegistriesFile::Skipped, _) => RegistriesConf::new(None),
        (RegistriesFile::Named(path), _) | (RegistriesFile::Customary(path), None) => {
            RegistriesConf::new(Some(path.clone()))
        }
        (RegistriesFile::Customary(path), Some(objects)) => {
            let config_map = Arc::clone(&objects.config_map);
            let place = config_map.place().to_owned();
            let config_map = config_map as Arc<dyn ConfigSource>;
            RegistriesConf::new(Some(path.clone())).below(config_map, &place)
        }
    }
}

/// The registries that are described now, to be followed.
///
/// # Errors
/// [`StartError::Registries`].
pub(super) fn open(
    settings: &Settings,
    objects: Option<&Objects>,
    announcer: Option<Arc<dyn Announcer>>,
) -> Result<LiveRegistries, StartError> {
    let source = Arc::new(source(&settings.registries, objects));
    let teller = announcer.zip(objects.map(Objects::config_map_id));
    LiveRegistries::start(source, teller)
        .map_err(|reading| StartError::Registries(problems(&reading).join("; ")))
}

/// Finds what would stop the start about the description of registries, and what people should know of it.
pub(super) fn look(loaded: &mut Loaded, objects: Option<&Objects>) {
    let file = loaded.places.registries.clone();
    let reading = source(&file, objects).read();
    let wrong = problems(&reading);
    let wrong = wrong.into_iter().map(|text| Problem::of(SUBJECT, text));
    loaded.problems.extend(wrong);
    loaded.notices.extend(notices(&file, reading));
}

fn notices(file: &RegistriesFile, reading: Reading) -> Vec<Notice> {
    let missing = |path: &Path| Notice::NoRegistries {
        file: path.display().to_string(),
    };
    let Some(place) = reading.place else {
        return match file {
            RegistriesFile::Skipped => Vec::new(),
            RegistriesFile::Named(path) | RegistriesFile::Customary(path) => vec![missing(path)],
        };
    };
    let warnings = reading.outcome.map(|description| description.warnings);
    let warnings = warnings.unwrap_or_default().into_iter();
    warnings
        .map(|warning| Notice::Registry {
            place: place.clone(),
            warning,
        })
        .collect()
}
