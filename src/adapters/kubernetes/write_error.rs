//! What the failure of a write means.

use kube::core::Status;

use crate::adapters::kubernetes::client::CallError;
use crate::ports::update_trigger::TriggerError;

/// Why a patch made no change, or may have made none.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum WriteError {
    /// A test in the patch failed: something else stands there. What the server said.
    TestFailed(String),
    /// There is no answer, or one that does not tell whether the patch was made. Why.
    Lost(String),
    /// It was not made.
    Final(TriggerError),
}

impl WriteError {
    pub(super) fn of(error: CallError) -> Self {
        let reason = error.to_string();
        match error {
            CallError::Api(kube::Error::Api(status)) => answered(&status, reason),
            CallError::Api(_) | CallError::TimedOut => Self::Lost(reason),
        }
    }
}

fn answered(status: &Status, reason: String) -> WriteError {
    WriteError::Final(match status.code {
        404 => TriggerError::Gone,
        // What it may not do, and to what, is in the words of the server. It may be allowed in a moment: a server that has just started has
        // not read its Roles yet, and a Role may be on its way.
        403 => TriggerError::Unavailable {
            reason: format!("{reason}; give its Role that verb"),
        },
        422 if !names_fields(status) => return WriteError::TestFailed(reason),
        // The token may be a new one next time.
        401 | 408 | 409 | 429 => TriggerError::Unavailable { reason },
        500.. => return WriteError::Lost(reason),
        _ => TriggerError::Refused { reason },
    })
}

/// Whether the object was found to be invalid. The server uses the same code for a patch that cannot be applied.
fn names_fields(status: &Status) -> bool {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    let mut fields = causes.map(|cause| &cause.field);
    fields.any(|field| !field.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(status: serde_json::Value) -> WriteError {
        let status: Status = serde_json::from_value(status).unwrap();
        WriteError::of(CallError::Api(kube::Error::Api(status.boxed())))
    }

    #[test]
    fn each_failure_says_what_to_do() {
        let message = || "said".to_owned();
        let code = |code: u16| of(json!({"code": code, "message": "said"}));
        assert_eq!(code(404), WriteError::Final(TriggerError::Gone));
        for unavailable in [401, 408, 409, 429] {
            let expected = TriggerError::Unavailable { reason: message() };
            assert_eq!(code(unavailable), WriteError::Final(expected));
        }
        for lost in [500, 502, 503, 504] {
            assert_eq!(code(lost), WriteError::Lost(message()));
        }
        for refused in [400, 405, 413] {
            let expected = TriggerError::Refused { reason: message() };
            assert_eq!(code(refused), WriteError::Final(expected));
        }
        let reason = "said; give its Role that verb".to_owned();
        let forbidden = WriteError::Final(TriggerError::Unavailable { reason });
        assert_eq!(code(403), forbidden);
        assert_eq!(
            WriteError::of(CallError::TimedOut),
            WriteError::Lost("no answer within 10 s".to_owned())
        );
    }

    #[test]
    fn an_invalid_object_is_told_from_a_test_that_failed() {
        assert_eq!(
            of(json!({"code": 422, "message": "said", "reason": "Invalid"})),
            WriteError::TestFailed("said".to_owned())
        );
        let causes = json!([{"reason": "FieldValueInvalid", "message": "x", "field": "spec.x"}]);
        let invalid = of(json!({"code": 422, "message": "said", "details": {"causes": causes}}));
        let reason = "said".to_owned();
        assert_eq!(invalid, WriteError::Final(TriggerError::Refused { reason }));
    }
}
