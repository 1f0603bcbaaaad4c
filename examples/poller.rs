//! A poller of its own, on nothing but the library's core.
//!
//! It depends on the package without default features: no server, no runtime, no Kubernetes. The decision is the library's; the adapters are this
//! program's. Tags come from a listing, one reference a line, that some job exports from a registry; Applications live in memory, and a
//! change is printed.
//!
//! ```console
//! $ cargo run --no-default-features --example poller             # with a listing that is built in
//! $ cargo run --no-default-features --example poller listing.txt
//! ```

use std::collections::BTreeMap;
use std::error::Error;
use std::pin::pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;

use async_trait::async_trait;
use image_updater::domain::change::ApplicationChange;
use image_updater::domain::change::ChangeConflict;
use image_updater::domain::event::ImageEvent;
use image_updater::domain::judgement::Opinion;
use image_updater::domain::judgement::judge;
use image_updater::domain::reference::ImageName;
use image_updater::domain::reference::Reference;
use image_updater::domain::reference::ReferenceError;
use image_updater::domain::resources::Resources;
use image_updater::domain::resources::application::Application;
use image_updater::domain::resources::application::Source;
use image_updater::domain::resources::application::Sources;
use image_updater::domain::resources::image_updater::ApplicationRef;
use image_updater::domain::resources::image_updater::ImageConfig;
use image_updater::domain::resources::image_updater::ImageUpdater;
use image_updater::domain::resources::image_updater::UpdateSettings;
use image_updater::domain::resources::image_updater::WriteBackSettings;
use image_updater::domain::resources::image_updater_status::ImageUpdaterStatus;
use image_updater::domain::resources::labels::Labels;
use image_updater::domain::resources::resource::ResourceId;
use image_updater::domain::tracking::index::Index;
use image_updater::ports::resource_reader::ResourceReader;
use image_updater::ports::update_trigger::TriggerError;
use image_updater::ports::update_trigger::UpdateTrigger;

/// What a registry holds, as its export says.
const LISTING: &str = "\
ghcr.io/acme/web:1.4.2
ghcr.io/acme/web:1.5.0
ghcr.io/acme/web:1.5.1
ghcr.io/acme/web:2.0.0-rc.1
docker.io/library/redis:7.4.1
";

fn main() -> Result<(), Box<dyn Error>> {
    let listing = match std::env::args().nth(1) {
        Some(file) => std::fs::read_to_string(file)?,
        None => LISTING.to_owned(),
    };
    let tags = read_listing(&listing)?;
    let cluster = Cluster::with_one_application();
    for round in 1..=2 {
        println!("round {round}");
        let changes = block_on(poll(&tags, &cluster, &cluster))?;
        println!("{changes} changed\n");
    }
    Ok(())
}

/// Looks at every image of the listing once, and gives the number of Applications that changed.
async fn poll(
    tags: &BTreeMap<ImageName, Vec<ImageEvent>>,
    reader: &dyn ResourceReader,
    trigger: &dyn UpdateTrigger,
) -> Result<usize, TriggerError> {
    let mut index = Index::new();
    for problem in index.refresh(&reader.current()) {
        println!("  {problem:?}");
    }
    let mut changed = 0;
    for (image, events) in tags {
        let judgement = judge(&index, image, events);
        for verdict in judgement.verdicts {
            match verdict.opinion {
                Opinion::Change { old, new } => {
                    println!("  {}: {image} {old} -> {new}", verdict.application);
                }
                Opinion::Unchanged(reason) => {
                    println!("  {}: {image} unchanged, {reason}", verdict.application);
                }
                Opinion::Undecided(reason) => {
                    println!("  {}: {image} undecided, {reason}", verdict.application);
                }
                // Only who asks registries gets these, and this one trusts its listing.
                Opinion::Open | Opinion::Failed(_) => {}
            }
        }
        for result in trigger.apply(&judgement.changes).await {
            result?;
            changed += 1;
        }
    }
    Ok(changed)
}

fn read_listing(text: &str) -> Result<BTreeMap<ImageName, Vec<ImageEvent>>, ReferenceError> {
    let mut tags: BTreeMap<ImageName, Vec<ImageEvent>> = BTreeMap::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let reference = Reference::parse(line)?;
        let Some(tag) = reference.tag().cloned() else {
            continue;
        };
        let (image, digest) = (reference.name().clone(), reference.digest().cloned());
        tags.entry(image.clone())
            .or_default()
            .push(ImageEvent { image, tag, digest });
    }
    Ok(tags)
}

/// Applications in memory: this program's adapter for reading and writing them.
struct Cluster(Mutex<Arc<Resources>>);

impl Cluster {
    /// One kustomize Application, and an ImageUpdater that lets it follow 1.x.
    fn with_one_application() -> Self {
        let id = |name: &str| ResourceId {
            namespace: "argocd".to_owned(),
            name: name.to_owned(),
        };
        let images = vec![
            "ghcr.io/acme/web:1.4.2".to_owned(),
            "redis:7.4.0".to_owned(),
        ];
        let source = Source {
            kustomize: Some(images),
            ..Source::default()
        };
        let application = Application {
            id: id("web"),
            labels: Labels::default(),
            annotations: Labels::default(),
            sources: Sources::Single(source),
            status: None,
        };
        let follows = |alias: &str, image_name: &str| ImageConfig {
            alias: alias.to_owned(),
            image_name: image_name.to_owned(),
            ..ImageConfig::default()
        };
        let updater = ImageUpdater {
            id: id("updater"),
            created: None,
            generation: None,
            applications: vec![ApplicationRef {
                name_pattern: "web".to_owned(),
                images: vec![
                    follows("web", "ghcr.io/acme/web:^1"),
                    follows("cache", "redis:7.4.0"),
                ],
                ..ApplicationRef::default()
            }],
            settings: UpdateSettings::default(),
            write_back: WriteBackSettings::default(),
            verification: None,
            status: ImageUpdaterStatus::default(),
        };
        let resources = Resources {
            updaters: vec![Arc::new(updater)],
            applications: vec![Arc::new(application)],
        };
        Self(Mutex::new(Arc::new(resources)))
    }
}

#[async_trait]
impl ResourceReader for Cluster {
    fn current(&self) -> Arc<Resources> {
        Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn is_current(&self) -> bool {
        true
    }

    async fn changed(&self) {
        // Nobody but the trigger changes anything here.
        std::future::pending::<()>().await;
    }
}

#[async_trait]
impl UpdateTrigger for Cluster {
    async fn apply(&self, changes: &[ApplicationChange]) -> Vec<Result<(), TriggerError>> {
        changes.iter().map(|change| self.make(change)).collect()
    }
}

impl Cluster {
    fn make(&self, change: &ApplicationChange) -> Result<(), TriggerError> {
        let mut resources = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut applications = resources.applications.clone();
        let found = applications
            .iter_mut()
            .find(|known| known.id == change.application);
        let application = found.ok_or(TriggerError::Gone)?;
        println!("  writing {:?}", change.edits);
        let changed = change
            .applied_to(application)
            .map_err(|conflict| not_made(&conflict))?;
        *application = Arc::new(changed);
        *resources = Arc::new(Resources {
            applications,
            updaters: resources.updaters.clone(),
        });
        Ok(())
    }
}

fn not_made(conflict: &ChangeConflict) -> TriggerError {
    let reason = conflict.to_string();
    match conflict {
        ChangeConflict::Moved(_) => TriggerError::Moved { reason },
        ChangeConflict::Ambiguous(_) => TriggerError::Refused { reason },
    }
}

/// Nothing here ever waits, so this needs no runtime.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(value) = future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            return value;
        }
        std::thread::yield_now();
    }
}
