//! Symbolic links: followed inside the directory, never out of it.

use std::fs;
use std::os::unix::fs::symlink;

use image_updater::adapters::manifests::reader::Manifests;
use image_updater::ports::update_trigger::TriggerError;

use crate::Dir;
use crate::app;
use crate::apply;
use crate::change;
use crate::images;
use crate::pairs;
use crate::problems;

#[test]
fn links_out_of_the_directory_are_left_out() {
    let outside = Dir::new();
    let secret = outside.write("secret.yaml", &app("secret", "nginx:1"));
    let dir = Dir::new();
    dir.write("a.yaml", &app("a", "nginx:1"));
    symlink(&secret, dir.path().join("file.yaml")).unwrap();
    symlink(outside.path(), dir.path().join("folder")).unwrap();
    symlink("/nowhere", dir.path().join("dangling.yaml")).unwrap();
    let manifests = dir.open();
    assert_eq!(images(&manifests), pairs(&[("a", "nginx:1")]));
    let reason = "it is left out: the symbolic link leads out of the directory";
    assert_eq!(
        problems(&dir, &manifests),
        [format!("file.yaml: {reason}"), format!("folder: {reason}")]
    );
}

#[test]
fn links_inside_are_followed_and_every_file_counts_once() {
    let dir = Dir::new();
    dir.write("apps/a.yaml", &app("a", "nginx:1"));
    dir.write(".store/b.yaml", &app("b", "nginx:1"));
    symlink("apps/a.yaml", dir.path().join("again.yaml")).unwrap();
    symlink("apps", dir.path().join("linked")).unwrap();
    symlink("..", dir.path().join("apps/loop")).unwrap();
    symlink(".store", dir.path().join("store")).unwrap();
    let manifests = dir.open();
    assert_eq!(
        images(&manifests),
        pairs(&[("a", "nginx:1"), ("b", "nginx:1")])
    );
    assert_eq!(manifests.problems(), []);
}

#[test]
fn folders_full_of_links_to_each_other_are_walked_once() {
    const LEVELS: usize = 40;
    let dir = Dir::new();
    for level in 0..LEVELS {
        let folder = dir.path().join(format!("d{level}"));
        fs::create_dir(&folder).unwrap();
        for link in ["a", "b"] {
            symlink(format!("../d{}", level + 1), folder.join(link)).unwrap();
        }
    }
    dir.write(&format!("d{LEVELS}/a.yaml"), &app("a", "nginx:1"));
    assert_eq!(images(&dir.open()), pairs(&[("a", "nginx:1")]));
}

#[tokio::test]
async fn a_mounted_config_map_is_swapped_as_a_whole() {
    let dir = Dir::new();
    dir.write("..2026_01/a.yaml", &app("a", "nginx:1"));
    symlink("..2026_01", dir.path().join("..data")).unwrap();
    symlink("..data/a.yaml", dir.path().join("a.yaml")).unwrap();
    let manifests = dir.open();
    assert_eq!(images(&manifests), pairs(&[("a", "nginx:1")]));

    dir.write("..2026_02/a.yaml", &app("a", "nginx:2"));
    symlink("..2026_02", dir.path().join("..data_tmp")).unwrap();
    fs::rename(dir.path().join("..data_tmp"), dir.path().join("..data")).unwrap();
    fs::remove_dir_all(dir.path().join("..2026_01")).unwrap();
    manifests.refresh().await;
    assert_eq!(images(&manifests), pairs(&[("a", "nginx:2")]));
}

#[tokio::test]
async fn the_directory_may_be_a_link_that_is_swapped() {
    let parent = Dir::new();
    parent.write("one/a.yaml", &app("a", "nginx:1"));
    parent.write("two/a.yaml", &app("a", "nginx:2"));
    let link = parent.path().join("current");
    symlink("one", &link).unwrap();
    let manifests = Manifests::open(link.clone(), "argocd".to_owned()).unwrap();
    assert_eq!(images(&manifests), pairs(&[("a", "nginx:1")]));
    apply(&manifests, &change("a", "nginx:1", "nginx:1.5"))
        .await
        .unwrap();
    assert_eq!(parent.read("one/a.yaml"), app("a", "nginx:1.5"));

    fs::remove_file(&link).unwrap();
    symlink("two", &link).unwrap();
    // The change was decided on what stood in the old place.
    let error = apply(&manifests, &change("a", "nginx:1.5", "nginx:1.6"))
        .await
        .unwrap_err();
    assert!(matches!(error, TriggerError::Moved { .. }), "{error}");
    assert_eq!(images(&manifests), pairs(&[("a", "nginx:2")]));
    apply(&manifests, &change("a", "nginx:2", "nginx:3"))
        .await
        .unwrap();
    assert_eq!(parent.read("two/a.yaml"), app("a", "nginx:3"));
    assert_eq!(parent.read("one/a.yaml"), app("a", "nginx:1.5"));
}

#[tokio::test]
async fn a_file_that_became_a_link_out_is_not_written() {
    let outside = Dir::new();
    let target = outside.write("a.yaml", &app("a", "nginx:1"));
    let dir = Dir::new();
    let file = dir.write("a.yaml", &app("a", "nginx:1"));
    let manifests = dir.open();
    fs::remove_file(&file).unwrap();
    symlink(&target, &file).unwrap();
    let error = apply(&manifests, &change("a", "nginx:1", "nginx:2"))
        .await
        .unwrap_err();
    assert_eq!(error, TriggerError::Gone);
    assert_eq!(outside.read("a.yaml"), app("a", "nginx:1"));
}

#[tokio::test]
async fn a_folder_that_became_a_link_out_is_not_written_into() {
    let outside = Dir::new();
    outside.write("a.yaml", &app("a", "nginx:1"));
    let dir = Dir::new();
    let file = dir.write("apps/a.yaml", &app("a", "nginx:1"));
    let manifests = dir.open();
    fs::remove_dir_all(file.parent().unwrap()).unwrap();
    symlink(outside.path(), dir.path().join("apps")).unwrap();
    let error = apply(&manifests, &change("a", "nginx:1", "nginx:2"))
        .await
        .unwrap_err();
    assert_eq!(error, TriggerError::Gone);
    assert_eq!(outside.read("a.yaml"), app("a", "nginx:1"));
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn a_link_inside_stays_a_link_when_its_file_is_written() {
    let dir = Dir::new();
    dir.write(".store/a.yaml", &app("a", "nginx:1"));
    symlink(".store/a.yaml", dir.path().join("a.yaml")).unwrap();
    let manifests = dir.open();
    apply(&manifests, &change("a", "nginx:1", "nginx:2"))
        .await
        .unwrap();
    assert_eq!(dir.read(".store/a.yaml"), app("a", "nginx:2"));
    assert!(
        fs::symlink_metadata(dir.path().join("a.yaml"))
            .unwrap()
            .is_symlink()
    );
}
