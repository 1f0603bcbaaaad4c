//! Which version this is.

use super::PROGRAM;

/// The commit, where the build was told it.
pub(in crate::app) const COMMIT: &str = match option_env!("IMAGE_UPDATER_GIT_COMMIT") {
    Some(commit) => commit,
    None => "unknown",
};

/// When it was built, where the build was told it.
const DATE: &str = match option_env!("IMAGE_UPDATER_BUILD_DATE") {
    Some(date) => date,
    None => "1970-01-01T00:00:00Z",
};

/// What it can do beside the usual.
pub(in crate::app) const FEATURES: &str = match (cfg!(feature = "tls11"), cfg!(feature = "otlp")) {
    (true, true) => "tls11,otlp",
    (true, false) => "tls11",
    (false, true) => "otlp",
    (false, false) => "none",
};

/// The version and the start of the commit.
pub(super) fn short() -> String {
    let commit: String = COMMIT.chars().take(7).collect();
    format!("v{}+{commit}\n", env!("CARGO_PKG_VERSION"))
}

/// The version and what it was built of.
pub(super) fn long() -> String {
    format!(
        "{PROGRAM}: {}  BuildDate: {DATE}\n  GitCommit: {COMMIT}\n  Features: {FEATURES}\n  Platform: {}/{}\n",
        short(),
        std::env::consts::OS,
        architecture(),
    )
}

/// The machine, by the name that container platforms give it.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_long_form_starts_with_the_short_one() {
        let start = format!("argocd-image-updater: {}", short());
        assert!(long().starts_with(&start), "{}", long());
        assert!(short().starts_with('v') && short().lines().count() == 1);
        assert_eq!(long().lines().count(), 5);
    }
}
