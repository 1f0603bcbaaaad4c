//! The contract of [`SecretReader`], on a directory of manifests, and what is of manifests alone.

use std::fs;

use image_updater::adapters::manifests::secret_reader::ManifestSecrets;
use image_updater::ports::secret_reader::SecretReadError;
use image_updater::ports::secret_reader::SecretReader;
use tempfile::TempDir;

use crate::secret_reader;

fn directory(files: &[(&str, &str)]) -> (TempDir, ManifestSecrets) {
    let dir = TempDir::new().unwrap();
    for (file, text) in files {
        let path = dir.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let secrets = ManifestSecrets::new(dir.path().to_owned(), "argocd".to_owned());
    (dir, secrets)
}

fn secret(name: &str, fields: &str) -> String {
    format!("apiVersion: v1\nkind: Secret\nmetadata:\n  name: {name}\n{fields}")
}

#[tokio::test]
async fn the_contract_holds() {
    let fields = "data: {login: eHh4, bytes: AP8=}\nstringData: {login: \"bob:hunter2\\n\"}\n";
    let list = "---\nkind: List\napiVersion: v1\nitems:\n- {apiVersion: v1, kind: Secret, metadata: {name: elsewhere, namespace: shop}, stringData: {login: x}}\n";
    let all = format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\n---\n{}{list}",
        secret("pull", fields)
    );
    let (_dir, secrets) = directory(&[("a/b.yaml", &all), ("broken.yaml", "kind: Secret\n: [")]);
    secret_reader::holds_for(&secrets, "argocd").await;
    let elsewhere = secrets.field("shop", "elsewhere", "login").await;
    assert_eq!(elsewhere, Ok(b"x".to_vec()));
}

#[tokio::test]
async fn what_changes_counts_at_the_next_question() {
    let (dir, secrets) = directory(&[("a.yaml", &secret("pull", "data: {login: b25l}\n"))]);
    assert_eq!(
        secrets.field("argocd", "pull", "login").await,
        Ok(b"one".to_vec())
    );
    let folded = "data:\n  login: |\n    dH\n    dv\n";
    fs::write(dir.path().join("a.yaml"), secret("pull", folded)).unwrap();
    assert_eq!(
        secrets.field("argocd", "pull", "login").await,
        Ok(b"two".to_vec())
    );
}

#[tokio::test]
async fn what_cannot_be_told_is_no_absence() {
    let text = secret("pull", "data: {login: '*hunter2*'}\n");
    let (dir, secrets) = directory(&[("a.yaml", &text)]);
    let error = async || secrets.field("argocd", "pull", "login").await.unwrap_err();
    let told = async || {
        let error = error().await;
        assert!(
            matches!(error, SecretReadError::Unavailable { .. }),
            "{error}"
        );
        assert!(!error.to_string().contains("hunter2"), "{error}");
        error.to_string()
    };
    assert!(told().await.contains("a.yaml:1: data.login is no Base64"));
    fs::write(dir.path().join("b.yaml"), &text).unwrap();
    assert!(told().await.contains("b.yaml:1; keep one of them"));
    fs::remove_file(dir.path().join("a.yaml")).unwrap();
    fs::write(dir.path().join("b.yaml"), vec![b' '; (4 << 20) + 1]).unwrap();
    assert!(told().await.contains("b.yaml cannot be"));
    drop(dir);
    assert!(told().await.contains("cannot be read"));
}
