//! Secrets of flags, environment and a mounted Secret.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::time::MissedTickBehavior;
use tracing::{debug, error, info, warn};

use super::secret_file;
use crate::domain::secret_policy::{SecretPolicy, Secrets};
use crate::ports::secret_source::SecretSource;

/// How often the folder is looked at. A changed file has to count within two seconds, and counts when it is seen for the second time.
const INTERVAL: Duration = Duration::from_millis(500);

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

/// Fixed secrets, and for types that have none of those, what a stronger source has, or else the files of a mounted Secret as they are now.
///
/// The folder is polled rather than watched: the kubelet swaps a link, of which a watch on a file learns nothing, and network file
/// systems tell no watch anything.
///
/// A change counts when two looks running have seen it. An editor that empties a file before it writes it would else take the secret
/// away for a moment, or leave half of one.
pub struct MountedSecrets {
    folder: PathBuf,
    policy: SecretPolicy,
    fixed: HashMap<String, (Arc<Secrets>, String)>,
    /// Between the fixed ones and the folder, and its place.
    stronger: Option<(Arc<dyn SecretSource>, String)>,
    /// Of every type that the folder may have a file for.
    mounted: ArcSwap<HashMap<String, Arc<Secrets>>>,
    /// The types whose file could not be read the last time, so that each failure is logged once.
    unreadable: Mutex<BTreeSet<String>>,
    /// What the last look saw of types where that is not what counts.
    pending: Mutex<HashMap<String, Secrets>>,
}

impl MountedSecrets {
    /// Reads the folder once. It may be missing. `secret_names` are those of all types that are known; what a type without a secret
    /// means for its senders is said in the log as the policy has it.
    #[must_use]
    pub fn new<'a>(
        secret_names: impl IntoIterator<Item = &'a str>,
        fixed: impl IntoIterator<Item = FixedSecrets>,
        folder: PathBuf,
        policy: SecretPolicy,
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
            policy,
            fixed: fixed.collect(),
            stronger: None,
            mounted: ArcSwap::from_pointee(mounted.collect()),
            unreadable: Mutex::default(),
            pending: Mutex::default(),
        };
        secrets.start();
        secrets
    }

    /// Puts another source above the folder and below the fixed secrets. `place` names it for people.
    #[must_use]
    pub fn below(self, source: Arc<dyn SecretSource>, place: &str) -> Self {
        let stronger = Some((source, place.to_owned()));
        Self { stronger, ..self }
    }

    /// Takes up changes of the folder, for ever.
    pub async fn watch(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let secrets = Arc::clone(&self);
            let look = tokio::task::spawn_blocking(move || secrets.take_up());
            if let Err(cause) = look.await {
                error!(%cause, "failed to look for changed secrets; trying again");
            }
        }
    }

    /// Takes what is there. There is no older secret that could count until the next look.
    fn start(&self) {
        let mut now = HashMap::clone(&self.mounted.load());
        for (name, secrets) in &mut now {
            if let Some(read) = self.read(name) {
                *secrets = Arc::new(read);
            }
        }
        self.mounted.store(Arc::new(now));
    }

    /// Looks at the folder, and takes up what it holds for the second time.
    fn take_up(&self) {
        let known = self.mounted.load_full();
        let mut now = HashMap::clone(&known);
        for (name, last) in known.iter() {
            let read = self.read(name).filter(|secrets| **last != *secrets);
            if let Some(secrets) = self.seen_twice(name, read) {
                self.log_change(name, &self.path(name), &secrets);
                now.insert(name.clone(), Arc::new(secrets));
            }
        }
        self.mounted.store(Arc::new(now));
    }

    /// The change of a type, if the look before saw the same one.
    fn seen_twice(&self, name: &str, change: Option<Secrets>) -> Option<Secrets> {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let before = pending.remove(name);
        if change == before {
            return change;
        }
        if let Some(first) = change {
            pending.insert(name.to_owned(), first);
        }
        None
    }

    /// The secrets in the file of a type; `None` where it cannot be read.
    fn read(&self, name: &str) -> Option<Secrets> {
        let path = self.path(name);
        let read = secret_file::read(&path);
        self.note_failure(name, &path, read.as_ref().err());
        read.ok()
    }

    fn path(&self, secret_name: &str) -> PathBuf {
        self.folder.join(format!("webhook.{secret_name}-secret"))
    }

    /// What counts rather than the folder's secrets of a type, and its place.
    fn hiding(&self, name: &str) -> Option<(Arc<Secrets>, &str)> {
        if let Some((secrets, place)) = self.fixed.get(name) {
            return Some((Arc::clone(secrets), place));
        }
        let (stronger, place) = self.stronger.as_ref()?;
        let secrets = stronger.secrets(name);
        (!secrets.is_empty()).then_some((secrets, place))
    }

    fn log_change(&self, name: &str, path: &Path, secrets: &Secrets) {
        let file = path.display();
        let count = secrets.len();
        match self.hiding(name) {
            // The kubelet writes later what the API has told before.
            Some((used, _)) if *used == *secrets => {
                debug!(%file, "the secret changed to what counts already");
            }
            Some((_, place)) => warn!(
                %file,
                "the secret changed, but {place} hides it; take that away for the file to count"
            ),
            None if count == 0 && self.policy.require_secret => warn!(
                %file,
                "the secret is gone: its type is closed, and its deliveries are refused from now on"
            ),
            None if count == 0 => warn!(
                %file,
                "the secret is gone: deliveries of its type are taken from anybody from now on"
            ),
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

/// Shows no secret.
impl fmt::Debug for MountedSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MountedSecrets")
            .field("folder", &self.folder)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

impl SecretSource for MountedSecrets {
    fn secrets(&self, secret_name: &str) -> Arc<Secrets> {
        if let Some((secrets, _)) = self.hiding(secret_name) {
            return secrets;
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
    use crate::adapters::secrets::memory::MemorySecrets;
    use crate::ports::secret_source::contract;

    const CLOSED: SecretPolicy = SecretPolicy {
        require_secret: true,
    };
    const FILE: &str = "webhook.docker-secret";

    fn over(folder: &Path) -> MountedSecrets {
        MountedSecrets::new(["docker", "ghcr"], [], folder.to_owned(), CLOSED)
    }

    fn look_twice(source: &MountedSecrets) {
        source.take_up();
        source.take_up();
    }

    #[test]
    fn a_file_that_is_just_being_written_takes_no_secret_away() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE);
        fs::write(&file, "old").unwrap();
        let source = over(folder.path());
        for half in ["", "ne", "new"] {
            fs::write(&file, half).unwrap();
            source.take_up();
            assert_eq!(*source.secrets("docker"), Secrets::parse("old"), "{half}");
        }
        source.take_up();
        assert_eq!(*source.secrets("docker"), Secrets::parse("new"));

        // Seen twice, but not running.
        for text in ["half", "new", "half"] {
            fs::write(&file, text).unwrap();
            source.take_up();
            assert_eq!(*source.secrets("docker"), Secrets::parse("new"), "{text}");
        }
    }

    #[test]
    fn it_keeps_the_contract() {
        let folder = tempfile::tempdir().unwrap();
        let source = over(folder.path());
        let put = |name: &str, text: &str| {
            fs::write(source.path(name), text).unwrap();
            look_twice(&source);
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
        look_twice(&source);
        assert_eq!(source.secrets("docker").len(), 2);

        fs::remove_file(root.join(FILE)).unwrap();
        look_twice(&source);
        assert!(source.secrets("docker").is_empty());
    }

    #[test]
    fn what_cannot_be_read_leaves_the_last_secret() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE);
        fs::write(&file, "last").unwrap();
        let source = over(folder.path());

        fs::write(&file, b"\xff").unwrap();
        look_twice(&source);
        assert_eq!(*source.secrets("docker"), Secrets::parse("last"));
        assert!(source.unreadable.lock().unwrap().contains("docker"));

        fs::remove_file(&file).unwrap();
        fs::create_dir(&file).unwrap();
        look_twice(&source);
        assert_eq!(*source.secrets("docker"), Secrets::parse("last"));

        fs::remove_dir(&file).unwrap();
        fs::write(&file, "next").unwrap();
        look_twice(&source);
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
            CLOSED,
        );
        assert_eq!(*source.secrets("docker"), Secrets::parse("fixed"));
        assert_eq!(*source.secrets("ghcr"), Secrets::parse("hunter2"));
        assert!(!format!("{source:?}").contains("hunter2"), "{source:?}");
    }

    #[test]
    fn a_stronger_source_hides_the_folder_where_it_has_a_secret() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), "file").unwrap();
        let stronger = Arc::new(MemorySecrets::default());
        let fixed = FixedSecrets {
            secret_name: "ghcr".to_owned(),
            secrets: Secrets::parse("fixed"),
            place: "--flag".to_owned(),
        };
        let names = ["docker", "ghcr"];
        let source = MountedSecrets::new(names, [fixed], folder.path().to_owned(), CLOSED)
            .below(Arc::clone(&stronger) as _, "secret/ours");
        let valid = |name: &str| (*source.secrets(name)).clone();
        assert_eq!(valid("docker"), Secrets::parse("file"));
        stronger.set("docker", Secrets::parse("object"));
        stronger.set("ghcr", Secrets::parse("object"));
        assert_eq!(valid("docker"), Secrets::parse("object"));
        assert_eq!(valid("ghcr"), Secrets::parse("fixed"));
        stronger.set("docker", Secrets::default());
        assert_eq!(valid("docker"), Secrets::parse("file"));
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
