//! Why a call of the API failed, in words.

use std::error::Error;

/// What the API server said, or what kept it from being asked.
pub(super) fn reason(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) if !status.message.is_empty() => status.message.clone(),
        kube::Error::Api(status) => format!("{} (HTTP status {})", status.reason, status.code),
        other => chain(other),
    }
}

/// An error and its causes. Many say no more than "there was an error", or what their cause says too.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let said = cause.to_string();
        if !text.ends_with(&said) {
            text = format!("{text}: {said}");
        }
        next = cause.source();
    }
    text
}

/// Whether the API server refused because of a missing permission.
pub(super) fn is_forbidden(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.is_forbidden())
}

#[cfg(test)]
mod tests {
    use std::io;

    use kube::core::Status;

    use super::*;

    #[test]
    fn an_answer_of_the_server_is_told_as_it_is() {
        let status = Status {
            message: "no such thing".to_owned(),
            code: 404,
            ..Status::default()
        };
        assert_eq!(reason(&kube::Error::Api(status.boxed())), "no such thing");
        let status = Status {
            reason: "Forbidden".to_owned(),
            code: 403,
            ..Status::default()
        };
        let error = kube::Error::Api(status.boxed());
        assert_eq!(reason(&error), "Forbidden (HTTP status 403)");
        assert!(is_forbidden(&error));
    }

    #[test]
    fn causes_are_told_once() {
        let cause = io::Error::other("connection refused");
        let error = kube::Error::ReadEvents(cause);
        assert_eq!(
            reason(&error),
            "Error reading events stream: connection refused"
        );
        assert!(!is_forbidden(&error));
    }
}
