//! One source of settings, read against the table: a layer of figment.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use figment::value::{Dict, Map, Value};
use figment::{Metadata, Profile, Provider};

use super::setting::Setting;
use crate::domain::secret_policy::Secrets;

/// A source of settings, weakest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The table.
    Defaults,
    /// A mounted ConfigMap.
    ConfigMap(PathBuf),
    /// The same ConfigMap as the API tells it, such as `configmap/argocd-image-updater-config`.
    ConfigMapObject(String),
    /// A mounted Secret.
    SecretFolder(PathBuf),
    /// The same Secret as the API tells it.
    SecretObject(String),
    /// The environment.
    Environment,
    /// The command line.
    Flags,
}

impl Origin {
    /// How this source spells a setting; `None` where it cannot hold it.
    #[must_use]
    pub fn spelling(&self, setting: &Setting) -> Option<String> {
        match self {
            Self::Defaults => Some(setting.key.clone()),
            Self::ConfigMap(_) => setting.in_config_map.then(|| setting.key.clone()),
            // What says whether there is a cluster cannot come from there.
            Self::ConfigMapObject(_) => {
                (setting.in_config_map && setting.key != "manifests").then(|| setting.key.clone())
            }
            Self::SecretFolder(_) | Self::SecretObject(_) => {
                setting.is_secret().then(|| setting.key.clone())
            }
            Self::Environment => setting.env.clone(),
            Self::Flags => Some(format!("--{}", setting.flag)),
        }
    }

    /// Where a key of this source is found, for people.
    #[must_use]
    pub fn place(&self, spelling: &str) -> String {
        match self {
            Self::Defaults => "default".to_owned(),
            Self::ConfigMap(folder) | Self::SecretFolder(folder) => {
                folder.join(spelling).display().to_string()
            }
            Self::ConfigMapObject(object) | Self::SecretObject(object) => {
                format!("{object}:{spelling}")
            }
            Self::Environment => format!("${spelling}"),
            Self::Flags => spelling.to_owned(),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Defaults => f.write_str("defaults"),
            Self::ConfigMap(folder) | Self::SecretFolder(folder) => {
                write!(f, "{}", folder.display())
            }
            Self::ConfigMapObject(object) | Self::SecretObject(object) => f.write_str(object),
            Self::Environment => f.write_str("environment"),
            Self::Flags => f.write_str("flags"),
        }
    }
}

/// What one source says.
#[derive(Debug, Clone)]
pub struct Layer {
    origin: Origin,
    values: Dict,
    places: BTreeMap<String, String>,
    secrets: BTreeMap<String, Secrets>,
}

impl Layer {
    pub(super) fn new(origin: Origin) -> Self {
        Self {
            origin,
            values: Dict::new(),
            places: BTreeMap::new(),
            secrets: BTreeMap::new(),
        }
    }

    pub(super) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Adds a value. The first part of a dotted key is a group, as figment has it.
    pub(super) fn insert(&mut self, key: &str, place: String, value: Value) {
        self.places.insert(key.to_owned(), place);
        match key.split_once('.') {
            None => {
                self.values.insert(key.to_owned(), value);
            }
            Some((group, leaf)) => {
                let group = self.values.entry(group.to_owned());
                if let Value::Dict(_, members) = group.or_insert_with(|| Dict::new().into()) {
                    members.insert(leaf.to_owned(), value);
                }
            }
        }
    }

    /// Keeps a secret beside the values, so that no secret gets into figment.
    pub(super) fn insert_secrets(&mut self, key: &str, secrets: Secrets) {
        self.secrets.insert(key.to_owned(), secrets);
    }

    /// What this source has for a key.
    pub(super) fn value(&self, key: &str) -> Option<&Value> {
        match key.split_once('.') {
            None => self.values.get(key),
            Some((group, leaf)) => self.values.get(group)?.as_dict()?.get(leaf),
        }
    }

    /// The secrets that this source has for a key.
    pub(super) fn secrets(&self, key: &str) -> Option<&Secrets> {
        self.secrets.get(key)
    }

    /// Where this source has values.
    pub(super) fn places(&self) -> impl Iterator<Item = &str> {
        self.places.values().map(String::as_str)
    }

    /// Where this source has a value for a key.
    pub(super) fn place(&self, key: &str) -> Option<&str> {
        self.places.get(key).map(String::as_str)
    }
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        let places = self.places.clone();
        Metadata::named(self.origin.to_string()).interpolater(move |_, path| {
            let key = path.join(".");
            places.get(&key).cloned().unwrap_or(key)
        })
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Profile::Default.collect(self.values.clone()))
    }
}
