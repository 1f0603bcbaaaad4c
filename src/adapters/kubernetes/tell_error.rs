//! Why a write failed that only tells what happened.

use crate::adapters::kubernetes::client::CallError;
use crate::adapters::kubernetes::reason::is_forbidden;
use crate::ports::tell_error::TellError;

/// What was to be written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Write {
    /// The verb of the permission that it takes.
    pub(super) verb: &'static str,
    /// The resource, with its group.
    pub(super) resource: &'static str,
}

impl Write {
    /// Why it failed.
    pub(super) fn error(self, namespace: &str, error: &CallError) -> TellError {
        let reason = error.to_string();
        let CallError::Api(error) = error else {
            return TellError::Unavailable { reason };
        };
        if is_forbidden(error) {
            return TellError::Forbidden {
                verb: self.verb,
                resource: self.resource,
                namespace: namespace.to_owned(),
                reason,
            };
        }
        match error {
            kube::Error::Api(status) if status.is_not_found() => TellError::Gone,
            // A conflict is one with another write, which a repetition comes after.
            kube::Error::Api(status)
                if (400..500).contains(&status.code) && !matches!(status.code, 401 | 409 | 429) =>
            {
                TellError::Refused { reason }
            }
            _ => TellError::Unavailable { reason },
        }
    }
}

#[cfg(test)]
mod tests {
    use kube::core::Status;

    use super::*;

    fn error(code: u16, reason: &str) -> TellError {
        let status = Status {
            code,
            reason: reason.to_owned(),
            message: "no".to_owned(),
            ..Status::default()
        };
        let write = Write {
            verb: "create",
            resource: "events",
        };
        write.error("shop", &CallError::Api(kube::Error::Api(status.boxed())))
    }

    #[test]
    fn a_missing_permission_is_named() {
        let told = error(403, "Forbidden").to_string();
        assert!(
            told.contains("permission to create events in namespace shop is missing"),
            "{told}"
        );
    }

    #[test]
    fn what_may_work_later_is_told_from_what_never_will() {
        assert_eq!(error(404, "NotFound"), TellError::Gone);
        let refused = |code| matches!(error(code, "X"), TellError::Refused { .. });
        let unavailable = |code| matches!(error(code, "X"), TellError::Unavailable { .. });
        assert!(refused(400) && refused(422));
        assert!(unavailable(409) && unavailable(429) && unavailable(500) && unavailable(401));
    }
}
