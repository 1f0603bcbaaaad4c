use std::fs;
use std::path::Path;
use std::sync::Arc;

use image_updater::adapters::manifests::reader::Manifests;
use tempfile::TempDir;

use crate::resources::holds_for;

/// What the suite asks for, in files.
fn write_files(dir: &Path) {
    let head = |name: &str| {
        format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: {name}\n  labels: {{tier: web}}\nspec:\n"
        )
    };
    let web =
        "  source:\n    kustomize:\n      images:\n      - nginx:1.26 # web\n      - redis:7\n";
    let twice = "  source: {kustomize: {images: [nginx:1, nginx:1]}}\n";
    let multi = "  sources:\n  - repoURL: a\n  - helm:\n      parameters:\n      - {name: image.tag, value: '1.2'}\n";
    let dry = "  sourceHydrator:\n    drySource:\n      path: dry\n      plugin:\n        env:\n        - name: TAG\n          value: v1\n";
    let updater = "apiVersion: argocd-image-updater.argoproj.io/v1alpha1\nkind: ImageUpdater\nmetadata: {name: images}\n\
                   spec: {applicationRefs: [{namePattern: '*', useAnnotations: true}]}\n";
    fs::create_dir(dir.join("apps")).unwrap();
    fs::write(dir.join("updater.yml"), updater).unwrap();
    fs::write(
        dir.join("apps/web.yaml"),
        format!("{}{web}---\n{}{multi}", head("web"), head("multi")),
    )
    .unwrap();
    fs::write(
        dir.join("apps/more.yaml"),
        format!("{}{twice}---\n{}{dry}", head("twice"), head("dry")),
    )
    .unwrap();
}

#[tokio::test]
async fn the_contract_holds() {
    holds_for(async || {
        let dir = TempDir::new().unwrap();
        write_files(dir.path());
        let manifests = Manifests::open(dir.path().to_owned(), "argocd".into()).unwrap();
        assert_eq!(manifests.problems(), []);
        (Arc::new(manifests), dir)
    })
    .await;
}
