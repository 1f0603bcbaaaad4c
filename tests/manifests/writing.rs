//! How a file is written.

use std::fs;
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::fs::symlink;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::SystemTime;

use image_updater::ports::resource_reader::ResourceReader;
use image_updater::ports::update_trigger::TriggerError;

use crate::Dir;
use crate::app;
use crate::apply;
use crate::change;
use crate::images;
use crate::pairs;

#[tokio::test]
async fn permissions_stay_and_nothing_is_left_behind() {
    let dir = Dir::new();
    let file = dir.write("a.yaml", &app("a", "nginx:1"));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    let before = fs::metadata(&file).unwrap();
    apply(&dir.open(), &change("a", "nginx:1", "nginx:2"))
        .await
        .unwrap();
    let after = fs::metadata(&file).unwrap();
    assert_eq!(after.mode(), before.mode());
    assert_eq!((after.uid(), after.gid()), (before.uid(), before.gid()));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn other_documents_of_the_file_are_not_touched() {
    let dir = Dir::new();
    let rest = "---\r\nkind: ConfigMap   # odd\r\ndata:   {a: [1,2 ]}\r\n...\r\n# tail";
    dir.write("a.yaml", &format!("{}{rest}", app("a", "nginx:1")));
    apply(&dir.open(), &change("a", "nginx:1", "nginx:2"))
        .await
        .unwrap();
    assert_eq!(dir.read("a.yaml"), format!("{}{rest}", app("a", "nginx:2")));
}

#[test]
fn no_reader_ever_sees_half_a_file() {
    let dir = Dir::new();
    // Long enough that a write is no single step.
    let tail = format!("---\n# {}\n", "x".repeat(100_000));
    let file = dir.write("a.yaml", &format!("{}{tail}", app("a", "nginx:0")));
    let manifests = dir.open();
    let done = AtomicBool::new(false);
    let reads = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut reads = 0_usize;
            while !done.load(Ordering::Relaxed) {
                let text = fs::read_to_string(&file).unwrap();
                assert!(
                    text.starts_with("apiVersion:") && text.ends_with(&tail),
                    "half a file"
                );
                reads += 1;
            }
            reads
        });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(async {
            for number in 0..20 {
                let change = change(
                    "a",
                    &format!("nginx:{number}"),
                    &format!("nginx:{}", number + 1),
                );
                apply(&manifests, &change).await.unwrap();
            }
        });
        done.store(true, Ordering::Relaxed);
        reader.join().unwrap()
    });
    assert!(reads > 0);
    assert_eq!(images(&manifests), pairs(&[("a", "nginx:20")]));
}

#[tokio::test]
async fn what_somebody_else_wrote_is_not_overwritten() {
    let dir = Dir::new();
    dir.write("a.yaml", &app("a", "nginx:1"));
    let manifests = dir.open();
    let theirs = format!("# by hand\n{}", app("a", "nginx:9"));
    dir.write("a.yaml", &theirs);
    let error = apply(&manifests, &change("a", "nginx:1", "nginx:2"))
        .await
        .unwrap_err();
    assert!(matches!(error, TriggerError::Moved { .. }), "{error}");
    assert_eq!(dir.read("a.yaml"), theirs);
    // The next decision is made on what stands there.
    assert_eq!(images(&manifests), pairs(&[("a", "nginx:9")]));
}

#[tokio::test]
async fn what_somebody_else_wrote_elsewhere_in_the_file_stays() {
    let dir = Dir::new();
    dir.write("a.yaml", &app("a", "nginx:1"));
    let manifests = dir.open();
    dir.write(
        "a.yaml",
        &format!(
            "# by hand\n{}---\n{}",
            app("a", "nginx:1"),
            app("b", "nginx:1")
        ),
    );
    apply(&manifests, &change("a", "nginx:1", "nginx:2"))
        .await
        .unwrap();
    assert_eq!(
        dir.read("a.yaml"),
        format!(
            "# by hand\n{}---\n{}",
            app("a", "nginx:2"),
            app("b", "nginx:1")
        )
    );
    assert_eq!(
        images(&manifests),
        pairs(&[("a", "nginx:2"), ("b", "nginx:1")])
    );
}

#[tokio::test]
async fn an_application_is_followed_into_another_file() {
    let dir = Dir::new();
    let file = dir.write("a.yaml", &app("a", "nginx:1"));
    let manifests = dir.open();
    fs::create_dir(dir.path().join("apps")).unwrap();
    fs::rename(&file, dir.path().join("apps/a.yaml")).unwrap();
    apply(&manifests, &change("a", "nginx:1", "nginx:2"))
        .await
        .unwrap();
    assert_eq!(dir.read("apps/a.yaml"), app("a", "nginx:2"));
}

#[tokio::test]
async fn an_application_that_went_is_gone() {
    let dir = Dir::new();
    dir.write("a.yaml", &app("a", "nginx:1"));
    let manifests = dir.open();
    dir.write("a.yaml", &app("b", "nginx:1"));
    let error = apply(&manifests, &change("a", "nginx:1", "nginx:2"))
        .await
        .unwrap_err();
    assert_eq!(error, TriggerError::Gone);
    assert_eq!(images(&manifests), pairs(&[("b", "nginx:1")]));
}

#[tokio::test]
async fn a_file_that_no_longer_parses_is_refused() {
    let dir = Dir::new();
    dir.write("a.yaml", &app("a", "nginx:1"));
    let manifests = dir.open();
    let broken = format!("{}    broken: [\n", app("a", "nginx:1"));
    dir.write("a.yaml", &broken);
    let error = apply(&manifests, &change("a", "nginx:1", "nginx:2"))
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("a.yaml: the file is no YAML at line"),
        "{error}"
    );
    assert!(matches!(error, TriggerError::Refused { .. }));
    assert_eq!(dir.read("a.yaml"), broken);
}

#[tokio::test]
async fn an_object_that_stands_twice_is_not_written() {
    let dir = Dir::new();
    dir.write("a.yaml", &app("a", "nginx:1"));
    dir.write("b.yaml", &app("a", "nginx:1"));
    let error = apply(&dir.open(), &change("a", "nginx:1", "nginx:2"))
        .await
        .unwrap_err();
    assert_eq!(error, TriggerError::Gone);
    assert_eq!(dir.read("a.yaml"), app("a", "nginx:1"));
}

#[tokio::test]
async fn a_directory_that_may_not_be_written_is_refused() {
    let dir = Dir::new();
    let file = dir.write("apps/a.yaml", &app("a", "nginx:1"));
    let folder = file.parent().unwrap();
    let manifests = dir.open();
    fs::set_permissions(folder, fs::Permissions::from_mode(0o555)).unwrap();
    let result = apply(&manifests, &change("a", "nginx:1", "nginx:2")).await;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    match result {
        Ok(()) => eprintln!("left out: this user may write everywhere"),
        Err(error) => assert!(matches!(error, TriggerError::Refused { .. }), "{error}"),
    }
}

#[tokio::test]
async fn a_change_is_known_before_it_is_done() {
    let dir = Dir::new();
    dir.write("a.yaml", &app("a", "nginx:1"));
    let manifests = dir.open();
    apply(&manifests, &change("a", "nginx:1", "nginx:2"))
        .await
        .unwrap();
    assert_eq!(images(&manifests), pairs(&[("a", "nginx:2")]));
    let known = manifests.current();
    manifests.refresh().await;
    assert!(std::sync::Arc::ptr_eq(&known, &manifests.current()));
}

#[test]
fn what_a_killed_process_left_behind_is_removed_and_nothing_else() {
    let outside = Dir::new();
    let dir = Dir::new();
    dir.write("apps/a.yaml", &app("a", "nginx:1"));
    dir.write(".store/b.yaml", &app("b", "nginx:1"));
    symlink("../.store/b.yaml", dir.path().join("apps/b.yaml")).unwrap();
    let left = [
        dir.write("apps/.image-updater-1.tmp", "x"),
        dir.write(".store/.image-updater-1.tmp", "x"),
    ];
    let new = dir.write("apps/.image-updater-2.tmp", "x");
    let future = SystemTime::now() + Duration::from_secs(60);
    File::options()
        .write(true)
        .open(&new)
        .unwrap()
        .set_modified(future)
        .unwrap();
    let held = dir.write("apps/.image-updater-3.tmp", "x");
    let holder = File::open(&held).unwrap();
    holder.try_lock().unwrap();
    let target = outside.write("target", "x");
    let link = dir.path().join("apps/.image-updater-4.tmp");
    symlink(&target, &link).unwrap();
    fs::create_dir(dir.path().join("apps/.image-updater-5.tmp")).unwrap();
    let others = [
        dir.write("apps/.image-updater-6.tmp.yaml.orig", "x"),
        dir.write("apps/image-updater-7.tmp", "x"),
        outside.write(".image-updater-8.tmp", "x"),
        dir.path().join("apps/.image-updater-5.tmp"),
    ];
    dir.open().remove_leftovers();
    for file in left {
        assert!(!file.exists(), "{}", file.display());
    }
    for file in others.iter().chain([&new, &held, &link, &target]) {
        assert!(file.exists(), "{}", file.display());
    }
}
