//! Where `registries.conf` stands: in a file, or in the program's own ConfigMap.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use crate::adapters::mounted_file;
use crate::adapters::registries_conf::mistake::Mistake;
use crate::adapters::registries_conf::parse::parse;
use crate::domain::registry::endpoint::Registries;
use crate::ports::config_source::ConfigSource;
use crate::ports::registries_source::Description;
use crate::ports::registries_source::Reading;
use crate::ports::registries_source::RegistriesSource;

/// The key in a ConfigMap.
pub const KEY: &str = "registries.conf";

/// The key of a ConfigMap where that has it, and else a file where there is one.
pub struct RegistriesConf {
    object: Option<(Arc<dyn ConfigSource>, String)>,
    file: Option<PathBuf>,
    /// What was read last. It is looked at far more often than it changes.
    last: Mutex<Option<(Found, Reading)>>,
}

/// A description before it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Found {
    place: String,
    text: Result<String, String>,
}

impl RegistriesConf {
    /// A file, which may be missing; `None`: nothing at all.
    #[must_use]
    pub fn new(file: Option<PathBuf>) -> Self {
        Self {
            object: None,
            file,
            last: Mutex::default(),
        }
    }

    /// Puts a ConfigMap above the file. `place` names it for people.
    #[must_use]
    pub fn below(self, config_map: Arc<dyn ConfigSource>, place: &str) -> Self {
        let object = Some((config_map, place.to_owned()));
        Self { object, ..self }
    }

    fn find(&self) -> Option<Found> {
        self.in_object().or_else(|| self.in_file())
    }

    /// A key without a text is as good as none, as with settings.
    fn in_object(&self) -> Option<Found> {
        let (object, place) = self.object.as_ref()?;
        let values = match object.values() {
            Ok(values) => values,
            Err(error) => {
                return Some(Found {
                    place: error.place,
                    text: Err(error.reason),
                });
            }
        };
        let value = values.into_iter().find(|value| value.key == KEY)?;
        let is_given = !value.value.trim().is_empty();
        is_given.then(|| Found {
            place: format!("{place}:{KEY}"),
            text: Ok(value.value),
        })
    }

    fn in_file(&self) -> Option<Found> {
        let file = self.file.as_ref()?;
        let text = match mounted_file::read(file) {
            Ok(bytes) => String::from_utf8(bytes).map_err(|_| "it is no UTF-8".to_owned()),
            Err(error) if is_missing(&error) => return None,
            Err(error) => Err(format!("cannot be read: {error}")),
        };
        Some(Found {
            place: file.display().to_string(),
            text,
        })
    }
}

/// The folder may be missing too, or be none.
fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

impl RegistriesSource for RegistriesConf {
    fn read(&self) -> Reading {
        let Some(found) = self.find() else {
            return Reading::of_nothing();
        };
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some((known, reading)) if *known == found => reading.clone(),
            Some(_) | None => {
                let reading = read(&found);
                *last = Some((found, reading.clone()));
                reading
            }
        }
    }
}

fn read(found: &Found) -> Reading {
    let all = |told: &[Mistake]| told.iter().map(Mistake::to_string).collect();
    let outcome = match &found.text {
        Err(reason) => Err(vec![reason.clone()]),
        Ok(text) => match parse(text) {
            Err(mistakes) => Err(all(&mistakes)),
            Ok(described) => Ok(Description {
                warnings: all(&described.warnings),
                registries: Registries::of(described.endpoints),
            }),
        },
    };
    Reading {
        place: Some(found.place.clone()),
        outcome,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use super::*;
    use crate::ports::config_source::ConfigSourceError;
    use crate::ports::config_source::ConfigValue;
    use crate::ports::config_source::MockConfigSource;

    fn described(name: &str) -> String {
        format!(
            "registries:\n- {{name: {name}, api_url: 'https://a.example', prefix: a.example}}\n"
        )
    }

    fn object(values: Result<Vec<(&str, String)>, ConfigSourceError>) -> Arc<dyn ConfigSource> {
        let values = values.map(|values| {
            let value = |(key, value): (&str, String)| ConfigValue {
                key: key.to_owned(),
                value,
            };
            values.into_iter().map(value).collect()
        });
        let mut source = MockConfigSource::new();
        source.expect_values().returning(move || values.clone());
        Arc::new(source)
    }

    /// The place, and the first registry or all mistakes.
    fn told(source: &RegistriesConf) -> (Option<String>, String) {
        let reading = source.read();
        let told = match reading.outcome {
            Ok(description) => description.registries.all()[0].name.clone(),
            Err(mistakes) => mistakes.join("; "),
        };
        (reading.place, told)
    }

    fn place(path: &Path) -> String {
        path.display().to_string()
    }

    #[test]
    fn a_missing_file_or_folder_describes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        for file in ["registries.conf", "none/registries.conf"] {
            let source = RegistriesConf::new(Some(folder.path().join(file)));
            assert_eq!(source.read(), Reading::of_nothing());
        }
    }

    #[test]
    fn a_swap_by_the_kubelet_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for version in ["..old", "..new"] {
            fs::create_dir(root.join(version)).unwrap();
            fs::write(root.join(version).join(KEY), described(&version[2..])).unwrap();
        }
        symlink("..old", root.join("..data")).unwrap();
        let file = root.join(KEY);
        symlink(format!("..data/{KEY}"), &file).unwrap();
        let source = RegistriesConf::new(Some(file.clone()));
        assert_eq!(told(&source), (Some(place(&file)), "old".to_owned()));
        assert_eq!(told(&source), (Some(place(&file)), "old".to_owned()));
        symlink("..new", root.join("..data_tmp")).unwrap();
        fs::rename(root.join("..data_tmp"), root.join("..data")).unwrap();
        assert_eq!(told(&source), (Some(place(&file)), "new".to_owned()));
    }

    #[test]
    fn what_cannot_be_read_is_a_problem_and_not_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(KEY);
        fs::create_dir(&file).unwrap();
        let source = RegistriesConf::new(Some(file.clone()));
        let wrong = |told: &str| (Some(place(&file)), told.to_owned());
        assert_eq!(told(&source), wrong("cannot be read: it is no file"));
        fs::remove_dir(&file).unwrap();
        fs::write(&file, b"\xff").unwrap();
        assert_eq!(told(&source), wrong("it is no UTF-8"));
        fs::write(&file, "registries:\n- prefix: a.example\n").unwrap();
        let (_, mistakes) = told(&source);
        assert_eq!(
            mistakes.matches("registry number 1").count(),
            2,
            "{mistakes}"
        );
    }

    #[test]
    fn the_config_map_is_stronger_where_it_has_the_key() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(KEY);
        fs::write(&file, described("file")).unwrap();
        let with = |values| {
            let object = object(values);
            told(&RegistriesConf::new(Some(file.clone())).below(object, "configmap/ours"))
        };
        let of_file = (Some(place(&file)), "file".to_owned());
        assert_eq!(with(Ok(vec![])), of_file);
        assert_eq!(with(Ok(vec![("log.level", "debug".to_owned())])), of_file);
        assert_eq!(with(Ok(vec![(KEY, " \n".to_owned())])), of_file);
        let place = Some("configmap/ours:registries.conf".to_owned());
        assert_eq!(
            with(Ok(vec![(KEY, described("object"))])),
            (place, "object".to_owned())
        );
        let error = ConfigSourceError {
            place: "configmap/ours".to_owned(),
            reason: "no answer".to_owned(),
        };
        let unread = (Some("configmap/ours".to_owned()), "no answer".to_owned());
        assert_eq!(with(Err(error)), unread);
    }
}
