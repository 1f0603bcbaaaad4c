//! The directory of manifests, through its public surface.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where something is missing"
)]

mod batch;
mod directory;
mod splice_fixtures;
mod splice_properties;
mod symlinks;
mod writing;

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use image_updater::adapters::manifests::reader::Manifests;
use image_updater::domain::change::ApplicationChange;
use image_updater::domain::change::Edit;
use image_updater::domain::resources::application::Application;
use image_updater::domain::resources::application::SourcePlace;
use image_updater::domain::resources::resource::ResourceId;
use image_updater::ports::resource_reader::ResourceReader;
use image_updater::ports::update_trigger::TriggerError;
use image_updater::ports::update_trigger::UpdateTrigger;
use tempfile::TempDir;

/// A directory of manifests for one test.
struct Dir(TempDir);

impl Dir {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, file: &str, text: &str) -> PathBuf {
        let path = self.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.path().join(file)).unwrap()
    }

    fn open(&self) -> Manifests {
        Manifests::open(self.path().to_owned(), "argocd".to_owned()).unwrap()
    }
}

/// An Application with one kustomize image.
fn app(name: &str, image: &str) -> String {
    format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: {name}\nspec:\n  source:\n    kustomize:\n      images:\n      - {image}\n"
    )
}

fn change(name: &str, expected: &str, value: &str) -> ApplicationChange {
    ApplicationChange {
        application: ResourceId {
            namespace: "argocd".to_owned(),
            name: name.to_owned(),
        },
        source: SourcePlace::Single,
        edits: vec![Edit::KustomizeImage {
            expected: Some(expected.to_owned()),
            value: value.to_owned(),
        }],
        images: Vec::new(),
    }
}

/// Makes one change.
async fn apply(manifests: &Manifests, change: &ApplicationChange) -> Result<(), TriggerError> {
    let mut results = manifests.apply(std::slice::from_ref(change)).await;
    assert_eq!(results.len(), 1);
    results.remove(0)
}

fn image_of(application: &Application) -> String {
    let source = application.sources.at(SourcePlace::Single).unwrap();
    source.kustomize.as_ref().unwrap()[0].clone()
}

/// Names and images of all Applications, by name.
fn images(manifests: &Manifests) -> Vec<(String, String)> {
    let current = manifests.current();
    let all = current.applications.iter();
    let mut images: Vec<_> = all
        .map(|one| (one.id.name.clone(), image_of(one)))
        .collect();
    images.sort();
    images
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(name, image): &(&str, &str)| ((*name).to_owned(), (*image).to_owned());
    expected.iter().map(owned).collect()
}

fn find(manifests: &Manifests, name: &str) -> Arc<Application> {
    let current = manifests.current();
    let mut all = current.applications.iter();
    Arc::clone(all.find(|one| one.id.name == name).unwrap())
}

/// What is wrong, each as `file:line: message` with the file's path within the directory.
fn problems(dir: &Dir, manifests: &Manifests) -> Vec<String> {
    let all = manifests.problems();
    let prefix = format!("{}/", dir.path().display());
    all.iter()
        .map(|one| one.to_string().replace(&prefix, ""))
        .collect()
}
