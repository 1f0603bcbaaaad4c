//! How changes of an Application are to be kept.

use thiserror::Error;

/// The method of a `writeBackConfig`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WriteBackMethod {
    /// `argocd`: in the Application itself.
    Application,
    /// `git`: in the repository of its manifests, with whatever credentials.
    Git,
}

/// A method that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("unknown write-back method {0:?}: give \"argocd\", \"git\" or \"git:<credentials>\"")]
pub struct WriteBackError(String);

impl WriteBackMethod {
    /// Reads a method; absent is `argocd`.
    ///
    /// # Errors
    /// [`WriteBackError`].
    pub fn parse(method: Option<&str>) -> Result<Self, WriteBackError> {
        let method = method.unwrap_or("argocd").trim();
        match method.split_once(':').map_or(method, |(kind, _)| kind) {
            "argocd" if method == "argocd" => Ok(Self::Application),
            "git" => Ok(Self::Git),
            unknown => Err(WriteBackError(unknown.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods() {
        for (method, expected) in [
            (None, WriteBackMethod::Application),
            (Some("argocd"), WriteBackMethod::Application),
            (Some("git"), WriteBackMethod::Git),
            (Some("git:secret:argocd/creds"), WriteBackMethod::Git),
        ] {
            assert_eq!(WriteBackMethod::parse(method), Ok(expected), "{method:?}");
        }
        for method in ["", "argocd:x", "svn", "github"] {
            assert!(WriteBackMethod::parse(Some(method)).is_err(), "{method:?}");
        }
    }
}
