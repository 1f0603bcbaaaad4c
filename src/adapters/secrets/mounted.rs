//! Secrets of flags, environment and a mounted Secret.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::time::MissedTickBehavior;
use tracing::{error, info, warn};

use super::secret_file;
use crate::domain::secret_policy::Secrets;
use crate::ports::secret_source::SecretSource;

/// How often the folder is looked at. A changed file has to count within two seconds.
const INTERVAL: Duration = Duration::from_secs(1);

/// Secrets that cannot change while the program runs. They are stronger than the folder's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FixedSecrets {
    /// The sender's `secret_name`.
    pub secret_name: String,
    /// The secrets.
    pub secrets: Secrets,
    /// Where they stand, such as `$GHCR_WEBHOOK_SECRET`.
    pub place: String,
}

/// Fixed secrets, and for types that have none of those, the files of a mounted Secret as they are now.
///
/// The folder is polled rather than watched: the kubelet swaps a link, of which a watch on a file learns nothing, and network file
/// systems tell no watch anything.
#[derive(Debug)]
pub struct MountedSecrets {
    folder: PathBuf,
    fixed: HashMap<String, (Arc<Secrets>, String)>,
    /// Of every type that the folder may have a file for.
    mounted: ArcSwap<HashMap<String, Arc<Secrets>>>,
    /// The types whose file could not be read the last time, so that each failure is logged once.
    unreadable: Mutex<BTreeSet<String>>,
}

impl MountedSecrets {
    /// Reads the folder once. It may be missing. `secret_names` are those of all types that are known.
    #[must_use]
    pub fn new<'a>(
        secret_names: impl IntoIterator<Item = &'a str>,
        fixed: impl IntoIterator<Item = FixedSecrets>,
        folder: PathBuf,
    ) -> Self {
        let fixed = fixed
            .into_iter()
            .filter(|fixed| !fixed.secrets.is_empty())
            .map(|fixed| (fixed.secret_name, (Arc::new(fixed.secrets), fixed.place)));
        let mounted = secret_names
            .into_iter()
            .map(|name| (name.to_owned(), Arc::default()));
        let secrets = Self {
            folder,
            fixed: fixed.collect(),
            mounted: ArcSwap::from_pointee(mounted.collect()),
            unreadable: Mutex::default(),
        };
        secrets.take_up(Log::Failures);
        secrets
    }

    /// Takes up changes of the folder, for ever.
    pub async fn watch(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let secrets = Arc::clone(&self);
            let look = tokio::task::spawn_blocking(move || secrets.take_up(Log::Everything));
            if let Err(cause) = look.await {
                error!(%cause, "failed to look for changed secrets; trying again");
            }
        }
    }

    fn take_up(&self, log: Log) {
        let known = self.mounted.load_full();
        let mut now = HashMap::clone(&known);
        for (name, last) in known.iter() {
            let path = self.path(name);
            let read = secret_file::read(&path);
            self.note_failure(name, &path, read.as_ref().err());
            let Some(secrets) = read.ok().filter(|secrets| **last != *secrets) else {
                continue;
            };
            if log == Log::Everything {
                self.log_change(name, &path, secrets.len());
            }
            now.insert(name.clone(), Arc::new(secrets));
        }
        self.mounted.store(Arc::new(now));
    }

    fn path(&self, secret_name: &str) -> PathBuf {
        self.folder.join(format!("webhook.{secret_name}-secret"))
    }

    fn log_change(&self, name: &str, path: &Path, count: usize) {
        let file = path.display();
        match self.fixed.get(name) {
            Some((_, place)) => warn!(
                %file,
                "the secret changed, but {place} hides it; take that away for the file to count"
            ),
            None if count == 0 => warn!(%file, "the secret is gone, its type is without one now"),
            None => info!(%file, secrets = count, "the secret changed and counts from now on"),
        }
    }

    fn note_failure(&self, name: &str, path: &Path, failure: Option<&io::Error>) {
        let mut unreadable = self
            .unreadable
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match failure {
            Some(cause) => {
                if unreadable.insert(name.to_owned()) {
                    let file = path.display();
                    error!(%file, %cause, "failed to read a secret; what it was before still counts");
                }
            }
            None => {
                unreadable.remove(name);
            }
        }
    }
}

/// What is logged of a look at the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Log {
    /// That files cannot be read.
    Failures,
    /// Changes too.
    Everything,
}

impl SecretSource for MountedSecrets {
    fn secrets(&self, secret_name: &str) -> Arc<Secrets> {
        if let Some((secrets, _)) = self.fixed.get(secret_name) {
            return Arc::clone(secrets);
        }
        let mounted = self.mounted.load();
        mounted.get(secret_name).map(Arc::clone).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::adapters::secrets::contract;

    const FILE: &str = "webhook.docker-secret";

    fn over(folder: &Path) -> MountedSecrets {
        MountedSecrets::new(["docker", "ghcr"], [], folder.to_owned())
    }

    #[test]
    fn it_keeps_the_contract() {
        let folder = tempfile::tempdir().unwrap();
        let source = over(folder.path());
        let put = |name: &str, text: &str| {
            fs::write(source.path(name), text).unwrap();
            source.take_up(Log::Everything);
        };
        contract::is_kept(&source, &put);
    }

    #[test]
    fn a_swap_by_the_kubelet_is_taken_up() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for (version, secret) in [("..1", "old"), ("..2", "old\nnew")] {
            fs::create_dir(root.join(version)).unwrap();
            fs::write(root.join(version).join(FILE), secret).unwrap();
        }
        symlink("..1", root.join("..data")).unwrap();
        symlink(format!("..data/{FILE}"), root.join(FILE)).unwrap();
        let source = over(root);
        assert_eq!(source.secrets("docker").len(), 1);

        symlink("..2", root.join("..data_tmp")).unwrap();
        fs::rename(root.join("..data_tmp"), root.join("..data")).unwrap();
        fs::remove_dir_all(root.join("..1")).unwrap();
        source.take_up(Log::Everything);
        assert_eq!(source.secrets("docker").len(), 2);

        fs::remove_file(root.join(FILE)).unwrap();
        source.take_up(Log::Everything);
        assert!(source.secrets("docker").is_empty());
    }

    #[test]
    fn what_cannot_be_read_leaves_the_last_secret() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE);
        fs::write(&file, "last").unwrap();
        let source = over(folder.path());

        fs::write(&file, b"\xff").unwrap();
        source.take_up(Log::Everything);
        assert_eq!(*source.secrets("docker"), Secrets::parse("last"));
        assert!(source.unreadable.lock().unwrap().contains("docker"));

        fs::remove_file(&file).unwrap();
        fs::create_dir(&file).unwrap();
        source.take_up(Log::Everything);
        assert_eq!(*source.secrets("docker"), Secrets::parse("last"));

        fs::remove_dir(&file).unwrap();
        fs::write(&file, "next").unwrap();
        source.take_up(Log::Everything);
        assert_eq!(*source.secrets("docker"), Secrets::parse("next"));
        assert!(source.unreadable.lock().unwrap().is_empty());
    }

    #[test]
    fn fixed_secrets_hide_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), "hunter2").unwrap();
        fs::write(folder.path().join("webhook.ghcr-secret"), "hunter2").unwrap();
        let fixed = |name: &str, secrets: &str| FixedSecrets {
            secret_name: name.to_owned(),
            secrets: Secrets::parse(secrets),
            place: "--flag".to_owned(),
        };
        let source = MountedSecrets::new(
            ["docker", "ghcr"],
            [fixed("docker", "fixed"), fixed("ghcr", "")],
            folder.path().to_owned(),
        );
        assert_eq!(*source.secrets("docker"), Secrets::parse("fixed"));
        assert_eq!(*source.secrets("ghcr"), Secrets::parse("hunter2"));
        assert!(!format!("{source:?}").contains("hunter2"), "{source:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_changed_file_counts_within_two_seconds() {
        let folder = tempfile::tempdir().unwrap();
        let source = Arc::new(over(folder.path()));
        let watch = tokio::spawn(Arc::clone(&source).watch());
        tokio::time::sleep(INTERVAL / 2).await;

        fs::write(folder.path().join(FILE), "new").unwrap();
        let taken_up = async {
            while source.secrets("docker").is_empty() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let in_time = tokio::time::timeout(Duration::from_secs(2), taken_up).await;
        assert!(in_time.is_ok());
        watch.abort();
    }
}
