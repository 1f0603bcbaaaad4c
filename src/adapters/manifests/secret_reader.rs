//! Secrets that resources name, read from the same directory.

use std::path::Path;
use std::path::PathBuf;

use async_trait::async_trait;
use tokio::task;

use crate::adapters::manifests::known_file;
use crate::adapters::manifests::secret_document;
use crate::adapters::manifests::secret_document::Field;
use crate::adapters::manifests::secret_document::SecretDocument;
use crate::adapters::manifests::tree::Tree;
use crate::ports::secret_reader::SecretReadError;
use crate::ports::secret_reader::SecretReader;

/// The Secrets in the YAML files of a directory. They are looked for whenever one is asked for, and none is kept.
#[derive(Debug, Clone)]
pub struct ManifestSecrets {
    dir: PathBuf,
    default_namespace: String,
}

/// Which field is asked for.
#[derive(Debug, Clone)]
struct Wanted {
    namespace: String,
    name: String,
    field: String,
}

/// A Secret that was asked for, and where it stands.
struct Located {
    secret: SecretDocument,
    place: String,
}

impl ManifestSecrets {
    /// Reads a directory. Secrets without a namespace are taken to be in the default one.
    #[must_use]
    pub fn new(dir: PathBuf, default_namespace: String) -> Self {
        Self {
            dir,
            default_namespace,
        }
    }

    fn read(&self, wanted: Wanted) -> Result<Vec<u8>, SecretReadError> {
        let tree = Tree::of(&self.dir).map_err(|error| {
            wanted.unavailable(format!("{} cannot be read: {error}", self.dir.display()))
        })?;
        let mut found = Vec::new();
        let mut unread = tree.unreadable;
        for file in tree.files {
            match self.in_file(&file.path, &file.shown, &wanted) {
                Some(secrets) => found.extend(secrets),
                None => unread.push(file.shown),
            }
        }
        match found.as_slice() {
            [one] => wanted.field_of(one),
            [] => Err(wanted.missing(&unread)),
            // Which of them counts would be a guess.
            several => {
                let places: Vec<_> = several.iter().map(|one| one.place.as_str()).collect();
                let places = places.join(" and ");
                Err(wanted.unavailable(format!("it stands in {places}; keep one of them")))
            }
        }
    }

    /// The Secrets of this name in a file; `None` where it cannot be read.
    fn in_file(&self, path: &Path, shown: &Path, wanted: &Wanted) -> Option<Vec<Located>> {
        let bytes = known_file::read(path).ok()??.bytes;
        let text = String::from_utf8_lossy(&bytes);
        let secrets = secret_document::read(&text, &self.default_namespace);
        let wanted = secrets
            .into_iter()
            .filter(|secret| secret.is(&wanted.namespace, &wanted.name));
        let located = wanted.map(|secret| Located {
            place: format!("{}:{}", shown.display(), secret.line),
            secret,
        });
        Some(located.collect())
    }
}

impl Wanted {
    fn field_of(self, found: &Located) -> Result<Vec<u8>, SecretReadError> {
        match found.secret.field(&self.field) {
            Field::Value(value) => Ok(value),
            Field::Absent => Err(SecretReadError::NoField {
                namespace: self.namespace,
                name: self.name,
                field: self.field,
            }),
            Field::Broken => {
                let reason = format!("{}: data.{} is no Base64", found.place, self.field);
                Err(self.unavailable(reason))
            }
        }
    }

    /// It may stand in what cannot be read.
    fn missing(self, unread: &[PathBuf]) -> SecretReadError {
        let Some(first) = unread.first() else {
            return SecretReadError::Absent {
                namespace: self.namespace,
                name: self.name,
            };
        };
        let place = first.display();
        self.unavailable(format!(
            "it is not in what can be read, and {place} cannot be"
        ))
    }

    fn unavailable(&self, reason: String) -> SecretReadError {
        SecretReadError::Unavailable {
            namespace: self.namespace.clone(),
            name: self.name.clone(),
            reason,
        }
    }
}

#[async_trait]
impl SecretReader for ManifestSecrets {
    async fn field(
        &self,
        namespace: &str,
        name: &str,
        field: &str,
    ) -> Result<Vec<u8>, SecretReadError> {
        let wanted = Wanted {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            field: field.to_owned(),
        };
        let (secrets, asked) = (self.clone(), wanted.clone());
        let read = task::spawn_blocking(move || secrets.read(asked)).await;
        read.unwrap_or_else(|error| Err(wanted.unavailable(error.to_string())))
    }
}
