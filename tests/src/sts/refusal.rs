//! What the double says when it refuses: status, code and message as AWS words them.

/// A refused call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: String,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(status: u16, code: &str, message: impl Into<String>) -> Refusal {
        Refusal {
            status,
            code: code.to_owned(),
            message: message.into(),
        }
    }

    /// CommonErrors: AccessDenied, 403 in STS and S3.
    pub(super) fn access_denied(message: impl Into<String>) -> Refusal {
        Refusal::new(403, "AccessDenied", message)
    }

    /// The sentence that STS and S3 use when a policy does not allow an action.
    pub(super) fn not_authorized(caller: &str, action: &str, resource: &str) -> Refusal {
        Refusal::access_denied(format!(
            "User: {caller} is not authorized to perform: {action} on resource: {resource}"
        ))
    }

    /// CommonErrors: ValidationError, 400.
    pub(super) fn validation(message: impl Into<String>) -> Refusal {
        Refusal::new(400, "ValidationError", message)
    }

    /// A value outside the model's constraints, in the words of AWS's request validation.
    pub(super) fn constraint(member: &str, value: &str, constraint: &str) -> Refusal {
        Refusal::validation(format!(
            "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {constraint}"
        ))
    }

    /// undocumented: the code that STS answers for tags that contradict one another.
    pub(super) fn invalid_value(message: impl Into<String>) -> Refusal {
        Refusal::new(400, "InvalidParameterValue", message)
    }
}
