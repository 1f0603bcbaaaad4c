//! Commits. Nothing is committed yet; the flags are taken so that a Deployment that has them starts.

use crate::app::settings::kind::Kind;
use crate::app::settings::setting::Setting;
use crate::app::settings::topic::Topic;

pub(super) fn rows() -> Vec<Setting> {
    let setting = |key, flag, kind| Setting::new(Topic::Git, key, flag, kind).not_yet();
    vec![
        setting("git.user", "git-commit-user", Kind::Text)
            .env("GIT_COMMIT_USER")
            .default("argocd-image-updater")
            .help("Author of commits."),
        setting("git.email", "git-commit-email", Kind::Text)
            .env("GIT_COMMIT_EMAIL")
            .default("noreply@argoproj.io")
            .help("The author's address."),
        setting("git.commit-signing-key", "git-commit-signing-key", Kind::Text)
            .env("GIT_COMMIT_SIGNING_KEY")
            .default("")
            .help("Key with which commits are signed: an id of GnuPG or the path of an SSH key; empty: none."),
        setting("git.commit-signing-method", "git-commit-signing-method", Kind::Choice(&["openpgp", "ssh"]))
            .env("GIT_COMMIT_SIGNING_METHOD")
            .default("openpgp")
            .help("How commits are signed."),
        setting("git.commit-sign-off", "git-commit-sign-off", Kind::Bool)
            .env("GIT_COMMIT_SIGN_OFF")
            .default("false")
            .help("Adds a Signed-off-by line."),
        setting("git.commit-message-path", "git-commit-message-path", Kind::Text)
            .not_in_config_map()
            .default("/app/config/commit.template")
            .help("File with the template of commit messages."),
        setting("git.commit-method", "git-commit-method", Kind::Choice(&["git", "api"]))
            .env("GIT_COMMIT_METHOD")
            .default("git")
            .help("git: by git itself. api: by the API of the host."),
    ]
}
