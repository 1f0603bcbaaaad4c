//! The blocks of an ImageUpdater that stand at several of its levels.

use crate::adapters::wire::field::Field;
use crate::adapters::wire::findings::Findings;
use crate::domain::resources::image_updater::SecretKeyRef;
use crate::domain::resources::image_updater::UpdateSettings;
use crate::domain::resources::image_updater::VerificationSettings;
use crate::domain::resources::image_updater::WriteBackSettings;

/// The most labels that a pull request takes.
const MAX_LABELS: usize = 100;
/// The longest label of a pull request, in characters.
const MAX_LABEL: usize = 255;

/// `commonUpdateSettings` of a level.
pub(super) fn settings(level: &Field<'_>, findings: &mut Findings) -> UpdateSettings {
    let Some(block) = level.object("commonUpdateSettings", findings) else {
        return UpdateSettings::default();
    };
    block.only(
        &[
            "updateStrategy",
            "forceUpdate",
            "allowTags",
            "ignoreTags",
            "pullSecret",
            "platforms",
        ],
        findings,
    );
    UpdateSettings {
        strategy: block.text("updateStrategy", findings),
        force_update: block.flag("forceUpdate", findings),
        allow_tags: block.text("allowTags", findings),
        ignore_tags: block.texts("ignoreTags", findings),
        pull_secret: block.text("pullSecret", findings),
        platforms: block.texts("platforms", findings),
    }
}

/// `imagesVerification` of a level.
pub(super) fn verification(
    level: &Field<'_>,
    findings: &mut Findings,
) -> Option<VerificationSettings> {
    let block = level.object("imagesVerification", findings)?;
    block.only(&["enabled", "cosignKey"], findings);
    let enabled = block.flag("enabled", findings).unwrap_or(true);
    let cosign_key = block.object("cosignKey", findings).map(|key| {
        key.only(&["secretName", "key"], findings);
        SecretKeyRef {
            secret_name: key.required_text("secretName", findings),
            key: key.required_text("key", findings),
        }
    });
    if enabled && block.get("cosignKey").is_none() {
        findings.error(
            block.path(),
            "has no verification method: set cosignKey, or enabled to false",
        );
    }
    Some(VerificationSettings {
        enabled: Some(enabled),
        cosign_key,
    })
}

/// `writeBackConfig` of a level.
pub(super) fn write_back(level: &Field<'_>, findings: &mut Findings) -> WriteBackSettings {
    let Some(block) = level.object("writeBackConfig", findings) else {
        return WriteBackSettings::default();
    };
    block.only(&["method", "gitConfig"], findings);
    let method = block.text("method", findings);
    if method.as_deref().is_some_and(|method| !is_method(method)) {
        findings.error(
            &block.path().key("method"),
            "must be \"argocd\", \"git\" or \"git:<credentials>\"",
        );
    }
    let target = block.object("gitConfig", findings).and_then(|git| {
        git.only(
            &["repository", "branch", "writeBackTarget", "pullRequest"],
            findings,
        );
        git.text("repository", findings);
        git.text("branch", findings);
        pull_request(&git, findings);
        git.text("writeBackTarget", findings)
    });
    WriteBackSettings { method, target }
}

/// `^(argocd|git|git:[a-zA-Z0-9][a-zA-Z0-9-._/:]*)$`
fn is_method(method: &str) -> bool {
    if method == "argocd" || method == "git" {
        return true;
    }
    let Some(credentials) = method.strip_prefix("git:") else {
        return false;
    };
    credentials.starts_with(|first: char| first.is_ascii_alphanumeric())
        && credentials
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._/:".contains(&byte))
}

fn pull_request(git: &Field<'_>, findings: &mut Findings) {
    let Some(block) = git.object("pullRequest", findings) else {
        return;
    };
    block.only(&["github", "gitlab", "labels"], findings);
    let providers = ["github", "gitlab"].map(|provider| block.object(provider, findings).is_some());
    if providers.iter().filter(|there| **there).count() != 1 {
        findings.error(block.path(), "must have exactly one of github and gitlab");
    }
    let labels = block.texts("labels", findings).unwrap_or_default();
    let fits = |label: &String| (1..=MAX_LABEL).contains(&label.chars().count());
    if labels.len() > MAX_LABELS || !labels.iter().all(fits) {
        findings.error(
            &block.path().key("labels"),
            "must be at most 100 labels of 1 to 255 characters each",
        );
    }
}
