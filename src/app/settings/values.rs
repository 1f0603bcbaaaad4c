//! All layers together, merged by figment.

use figment::{Figment, Profile};
use serde::de::DeserializeOwned;

use super::layer::{Layer, Origin};
use super::problem::Problem;
use crate::domain::secret_policy::Secrets;

/// The effective values and where each comes from.
#[derive(Debug)]
pub struct Values {
    figment: Figment,
    /// Weakest first.
    layers: Vec<Layer>,
}

impl Values {
    /// Merges layers, the weakest first.
    pub(super) fn merge(layers: Vec<Layer>) -> Self {
        let figment = layers.iter().fold(Figment::new(), Figment::merge);
        Self { figment, layers }
    }

    /// Takes the layers apart again.
    pub(super) fn into_layers(self) -> Vec<Layer> {
        self.layers
    }

    /// The origins, weakest first.
    pub(super) fn origins(&self) -> impl Iterator<Item = &Origin> {
        self.layers.iter().map(Layer::origin)
    }

    /// A value in its type.
    ///
    /// # Errors
    /// [`Problem`] where there is none, or the table gives the setting a kind of which no such type can be made.
    pub(super) fn get<T: DeserializeOwned>(&self, key: &str) -> Result<T, Problem> {
        let value = self.figment.extract_inner(key);
        value.map_err(|error| Problem::of(key, error.to_string()))
    }

    /// A value in its type, or nothing where it is not set.
    pub(super) fn optional<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Problem> {
        let is_set = self.figment.contains(key);
        is_set.then(|| self.get(key)).transpose()
    }

    /// The value as figment has it, for showing it.
    pub(super) fn raw(&self, key: &str) -> Option<figment::value::Value> {
        self.figment.find_value(key).ok()
    }

    /// Where the value stands; `None` where it is not set.
    #[must_use]
    pub fn place(&self, key: &str) -> Option<String> {
        let path: Vec<&str> = key.split('.').collect();
        let metadata = self.figment.find_metadata(key)?;
        Some(metadata.interpolate(&Profile::Default, &path))
    }

    /// Whether somebody set it.
    pub(super) fn is_given(&self, key: &str) -> bool {
        let weak = |layer: &&Layer| *layer.origin() == Origin::Defaults;
        let given = self.layers.iter().filter(|layer| !weak(layer));
        given.into_iter().any(|layer| layer.place(key).is_some())
    }

    /// The secrets under a key, those of the strongest source alone, and their place.
    pub(super) fn secrets(&self, key: &str) -> Option<(&Secrets, &str)> {
        let mut strongest_first = self.layers.iter().rev();
        strongest_first.find_map(|layer| layer.secrets(key).zip(layer.place(key)))
    }

    /// Whether the secrets folder has a secret in that place.
    pub(super) fn has_secret_at(&self, place: &str) -> bool {
        let mut folders = self.layers.iter().filter(|layer| is_folder(layer));
        folders.any(|layer| layer.places().any(|known| known == place))
    }

    /// Where a Secret, mounted or not, has secrets that are not used, and what hides them. The same ones in two places hide nothing.
    pub(super) fn hidden_secrets(&self, key: &str) -> Vec<(&str, &str)> {
        let Some((used, by)) = self.secrets(key) else {
            return Vec::new();
        };
        let weak = self.layers.iter().filter(|layer| is_of_secret(layer));
        let hidden = weak.filter(|layer| layer.secrets(key).is_some_and(|has| has != used));
        let places = hidden.filter_map(|layer| layer.place(key));
        places.map(|place| (place, by)).collect()
    }

    /// The layers that can change while the program runs and are no secrets: ConfigMaps.
    pub(super) fn config_maps(&self) -> impl Iterator<Item = &Layer> {
        let is_one = |layer: &&Layer| {
            matches!(
                layer.origin(),
                Origin::ConfigMap(_) | Origin::ConfigMapObject(_)
            )
        };
        self.layers.iter().filter(is_one)
    }

    /// The secrets under a key that cannot change while the program runs, and their place.
    pub(super) fn fixed_secrets(&self, key: &str) -> Option<(&Secrets, &str)> {
        let mut fixed = self
            .layers
            .iter()
            .rev()
            .filter(|layer| !is_of_secret(layer));
        fixed.find_map(|layer| layer.secrets(key).zip(layer.place(key)))
    }
}

fn is_folder(layer: &Layer) -> bool {
    matches!(layer.origin(), Origin::SecretFolder(_))
}

fn is_of_secret(layer: &Layer) -> bool {
    is_folder(layer) || matches!(layer.origin(), Origin::SecretObject(_))
}
