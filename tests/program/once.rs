//! One look at registries, and the exit code that it ends with.

use std::fs;
use std::process::Output;

use crate::folder::Folder;
use crate::scene::Scene;
use crate::server::run;

fn log(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn ends_with(output: &Output, code: i32) {
    assert_eq!(output.status.code(), Some(code), "{}", log(output));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_outdated_is_changed_and_each_repository_listed_once() {
    let Some(scene) = Scene::new().await else {
        return;
    };
    scene.push("shop", &["1.0.0", "1.4.0", "2.0.0"]).await;
    scene.push("web", &["1.0.0"]).await;
    scene.add("shop", "1.0.0", "^1", "");
    scene.add("web", "1.0.0", "^1", "");
    ends_with(&scene.once(&[]), 0);
    assert!(scene.runs("shop", "1.4.0"));
    assert!(scene.runs("web", "1.0.0"));
    let mut asked = scene.proxy.asked();
    asked.sort();
    assert_eq!(asked, ["GET shop/tags/list", "GET web/tags/list"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_fails_ends_it_with_an_error_only_where_that_is_wanted() {
    let Some(scene) = Scene::new().await else {
        return;
    };
    scene.push("shop", &["1.0.0", "1.4.0"]).await;
    scene.add("shop", "1.0.0", "^1", "");
    scene.add("unknown", "1.0.0", "^1", "");
    let output = scene.once(&[]);
    ends_with(&output, 0);
    let told = log(&output);
    assert!(told.contains("outcome=failed"), "{told}");
    assert!(scene.runs("shop", "1.4.0"));
    ends_with(&scene.once(&["--fail-on-error"]), 1);
    fs::remove_file(scene.folder.application("unknown")).unwrap();
    ends_with(&scene.once(&["--fail-on-error"]), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_writes_nothing() {
    let Some(scene) = Scene::new().await else {
        return;
    };
    scene.push("shop", &["1.0.0", "1.4.0"]).await;
    scene.add("shop", "1.0.0", "^1", "");
    let file = scene.folder.application("shop");
    let before = (
        fs::read(&file).unwrap(),
        fs::metadata(&file).unwrap().modified().unwrap(),
    );
    let output = scene.once(&["--dry-run"]);
    ends_with(&output, 0);
    let told = log(&output);
    assert!(told.contains("outcome=dry-run"), "{told}");
    assert!(told.contains("new=1.4.0"), "{told}");
    let after = (
        fs::read(&file).unwrap(),
        fs::metadata(&file).unwrap().modified().unwrap(),
    );
    assert_eq!(before, after);
}

/// Both are problems of the settings, of which all are told before anything starts.
#[test]
fn without_manifests_or_a_cluster_it_does_not_start() {
    let folder = Folder::new("s");
    let nowhere = folder.manifests().join("nowhere");
    let kubeconfig = folder.secrets().join("kubeconfig");
    for (flag, path) in [("--manifests", nowhere), ("--kubeconfig", kubeconfig)] {
        let path = path.to_str().unwrap();
        ends_with(&run(&["run", "--once", flag, path]), 64);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_is_lowered_only_where_the_registry_no_longer_has_it() {
    let Some(scene) = Scene::new().await else {
        return;
    };
    // The list lags: the registry has 1.9.0, and 1.5.0 it never had.
    scene.push("lagging", &["1.0.0", "1.2.0", "1.9.0"]).await;
    scene.push("gone", &["1.0.0", "1.2.0"]).await;
    scene.add("lagging", "1.9.0", "^1", "");
    scene.add("gone", "1.5.0", "^1", "");
    scene.proxy.instead(|line| {
        let list = r#"{"name":"lagging","tags":["1.0.0","1.2.0"]}"#;
        line.contains("lagging/tags/list")
            .then(|| (200, list.to_owned()))
    });
    ends_with(&scene.once(&["--never-downgrade"]), 0);
    assert!(scene.runs("gone", "1.5.0"));
    assert!(scene.runs("lagging", "1.9.0"));
    ends_with(&scene.once(&[]), 0);
    assert!(scene.runs("gone", "1.2.0"));
    assert!(scene.runs("lagging", "1.9.0"));
    // Neither does a registry that fails say that it no longer has a tag.
    scene.add("gone", "1.5.0", "^1", "");
    scene.proxy.instead(|line| {
        line.contains("/manifests/")
            .then(|| (403, r#"{"errors":[{"code":"DENIED"}]}"#.to_owned()))
    });
    let output = scene.once(&["--fail-on-error"]);
    ends_with(&output, 1);
    assert!(scene.runs("gone", "1.5.0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_excludes_the_version_in_use_lowers_it_unless_that_is_forbidden() {
    let Some(scene) = Scene::new().await else {
        return;
    };
    scene.push("shop", &["1.2.0", "2.0.0"]).await;
    scene.add("shop", "2.0.0", "^1", "");
    ends_with(&scene.once(&["--never-downgrade"]), 0);
    assert!(scene.runs("shop", "2.0.0"));
    ends_with(&scene.once(&[]), 0);
    assert!(scene.runs("shop", "1.2.0"));
}
