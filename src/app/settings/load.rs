//! Loads the settings of a command from all their sources.

use std::path::{Path, PathBuf};

use super::assemble;
use super::build::Build;
use super::layer::{Layer, Origin};
use super::mode::Mode;
use super::notice::Notice;
use super::problem::{Problem, Problems};
use super::read::Reader;
use super::rules;
use super::table::Table;
use super::values::Values;
use super::{ClusterSettings, Places, Settings};
use crate::ports::config_source::{ConfigSource, ConfigSourceError, ConfigValue};

/// Where settings come from.
pub struct Sources<'a> {
    /// The command line; keys are flags with their dashes.
    pub flags: &'a dyn ConfigSource,
    /// The environment; keys are the names of variables. Variables that are no settings do no harm.
    pub environment: &'a dyn ConfigSource,
    /// Opens a mounted folder with one file for each key.
    pub folder: &'a dyn Fn(Mount<'_>) -> Box<dyn ConfigSource>,
    /// The objects of the cluster; `None` where no cluster is talked to.
    pub objects: Option<Objects<'a>>,
}

/// The program's own objects, as the API tells them. One that is not there has no values.
#[derive(Clone, Copy)]
pub struct Objects<'a> {
    /// The ConfigMap [`CONFIG_MAP`].
    pub config_map: &'a dyn ConfigSource,
    /// The Secret [`SECRET`].
    pub secret: &'a dyn ConfigSource,
}

/// The name of the ConfigMap with settings.
pub const CONFIG_MAP: &str = "argocd-image-updater-config";
/// The name of the Secret with webhook secrets.
pub const SECRET: &str = "argocd-image-updater-secret";
/// The name of the Secret with the server's certificate.
pub const TLS_SECRET: &str = "argocd-image-updater-tls";

/// A mounted folder that is to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount<'a> {
    /// Where it is.
    pub path: &'a Path,
    /// Whether it must be there.
    pub presence: Presence,
    /// The files whose text is asked for. Of any other the name is enough.
    pub keys: Vec<String>,
}

/// The environment as it was read.
type Surroundings = Result<Vec<ConfigValue>, ConfigSourceError>;

/// Whether a folder must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Somebody named it, so it is an error if it is not there.
    Required,
    /// It is where it usually is; without it there is nothing to read.
    Optional,
}

/// The outcome of loading: the settings, or why there are none, and how it came to be.
#[derive(Debug)]
pub struct Loaded {
    pub(super) mode: Mode,
    pub(super) table: Table,
    pub(super) values: Values,
    pub(super) settings: Option<Settings>,
    /// The folders that a start would read.
    pub places: Places,
    /// Everything that stops the start.
    pub problems: Vec<Problem>,
    /// Everything else that is worth saying.
    pub notices: Vec<Notice>,
}

impl Loaded {
    /// Adds a problem with the place that a setting names.
    pub fn refuse(&mut self, key: &str, reason: &dyn std::fmt::Display) {
        let value = self.values.get::<String>(key).unwrap_or_default();
        let place = self.values.place(key).unwrap_or_default();
        let setting = self.table.iter().find(|setting| setting.key == key);
        self.problems.push(match setting {
            Some(setting) => Problem::with_value(setting, &place, &value, reason.to_string()),
            None => Problem::of(key, reason.to_string()),
        });
    }

    /// The cluster that a start would talk to; `None` where it would not start, or works on a folder.
    #[must_use]
    pub fn cluster(&self) -> Option<&ClusterSettings> {
        let settings = self.settings.as_ref()?;
        let is_used = settings.manifests.is_none() && self.problems.is_empty();
        is_used.then_some(&settings.cluster)
    }

    /// Whether there is a problem with a setting.
    #[must_use]
    pub fn is_refused(&self, key: &str) -> bool {
        self.problems.iter().any(|known| known.subject == key)
    }

    /// The settings.
    ///
    /// # Errors
    /// [`Problems`], all at once; the program ends with [`EXIT_USAGE`](super::problem::EXIT_USAGE).
    pub fn into_settings(self) -> Result<Settings, Problems> {
        match self.settings {
            Some(settings) if self.problems.is_empty() => Ok(settings),
            _ => Err(Problems(self.problems)),
        }
    }
}

/// Loads the settings of a command. Nothing is started or changed.
#[must_use]
pub fn load(mode: Mode, build: &Build<'_>, sources: &Sources<'_>) -> Loaded {
    let table = Table::new(build.senders);
    let mut reader = Reader {
        table: &table,
        mode,
        problems: Vec::new(),
        notices: Vec::new(),
    };
    let surroundings = sources.environment.values();
    let values = layers(&mut reader, sources, &surroundings);
    let (mut problems, mut notices) = (reader.problems, reader.notices);
    let mut findings = rules::check(mode, &table, &values, build);
    // In place of a value that cannot be read stands a weaker one, of which nobody has to hear.
    findings
        .problems
        .retain(|found| !problems.iter().any(|known| known.subject == found.subject));
    problems.extend(findings.problems);
    notices.extend(findings.notices);
    // ConfigMap and Secret may be mounted into one folder.
    notices.retain(|notice| !matches!(notice, Notice::SecretInConfigMap { place } if values.has_secret_at(place)));
    let settings = assemble::settings(mode, &values, build).map(|mut settings| {
        settings.log.colors &= !is_set(&surroundings, "NO_COLOR");
        settings
    });
    if let Err(problem) = &settings
        && problems
            .iter()
            .all(|known| known.subject != problem.subject)
    {
        problems.push(problem.clone());
    }
    Loaded {
        mode,
        table,
        places: assemble::places(mode, &values, build.tls),
        values,
        settings: settings.ok(),
        problems,
        notices,
    }
}

/// Reads all sources. Where the folders are is itself a setting, which stronger sources have to tell first.
fn layers(reader: &mut Reader<'_>, sources: &Sources<'_>, surroundings: &Surroundings) -> Values {
    let in_pod = is_set(surroundings, "KUBERNETES_SERVICE_HOST");
    let defaults = reader.defaults(in_pod);
    let environment = reader.source(Origin::Environment, surroundings);
    let flags = reader.source(Origin::Flags, &sources.flags.values());

    let known = Values::merge(vec![defaults, environment, flags]);
    let config_map = folder(reader, sources, &known, "config.dir", Origin::ConfigMap);
    let mut layers = known.into_layers();
    let mut weak = vec![config_map];
    if let Some(objects) = sources.objects {
        let origin = Origin::ConfigMapObject(format!("configmap/{CONFIG_MAP}"));
        weak.push(reader.source(origin, &objects.config_map.values()));
    }
    layers.splice(1..1, weak);

    let known = Values::merge(layers);
    let secrets = folder(reader, sources, &known, "secrets.dir", Origin::SecretFolder);
    let mut weak = vec![secrets];
    if let Some(objects) = sources.objects {
        let origin = Origin::SecretObject(format!("secret/{SECRET}"));
        weak.push(reader.source(origin, &objects.secret.values()));
    }
    let mut layers = known.into_layers();
    // Under the environment and the flags.
    let at = layers.len().saturating_sub(2);
    layers.splice(at..at, weak);
    Values::merge(layers)
}

fn folder(
    reader: &mut Reader<'_>,
    sources: &Sources<'_>,
    known: &Values,
    key: &str,
    origin: fn(PathBuf) -> Origin,
) -> Layer {
    let path: PathBuf = match known.get(key) {
        Ok(path) => path,
        Err(problem) => {
            reader.problems.push(problem);
            return Layer::new(origin(PathBuf::new()));
        }
    };
    let presence = if known.is_given(key) {
        Presence::Required
    } else {
        Presence::Optional
    };
    let origin = origin(path.clone());
    let mount = Mount {
        path: &path,
        presence,
        keys: reader
            .table
            .iter()
            .filter_map(|setting| origin.spelling(setting))
            .collect(),
    };
    let values = (sources.folder)(mount).values();
    reader.source(origin, &values)
}

/// Whether a variable that is no setting is there and not empty.
fn is_set(surroundings: &Surroundings, variable: &str) -> bool {
    let values = surroundings.as_deref().unwrap_or_default();
    let mut found = values.iter().filter(|value| value.key == variable);
    found.any(|value| !value.value.is_empty())
}
