//! What went wrong at STS, in the words of the port.
//!
//! Sources: "Common error types" of the STS API reference, the errors of each operation there, and the SDK's
//! list of throttling codes.

use std::error::Error;

use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sts::operation::RequestId;
use aws_smithy_runtime_api::client::result::ConnectorError;

use super::connector::Fault;
use crate::ports::{TokenError, TokenErrorKind};

/// The longest message, in characters.
const MAX_MESSAGE_CHARACTERS: usize = 300;

/// The longest code or request id, in characters.
const MAX_CODE_CHARACTERS: usize = 128;

/// What may be in no message, should the other side repeat it.
pub(super) struct Hidden<'a>(pub(super) Vec<&'a str>);

impl Hidden<'_> {
    fn cut_from(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in self.0.iter().filter(|secret| !secret.is_empty()) {
            text = text.replace(secret, "(redacted)");
        }
        text
    }
}

/// A refusal of our own making, about an answer that cannot be used.
pub(super) fn invalid(what: &str, request_id: Option<&str>) -> TokenError {
    TokenError {
        kind: TokenErrorKind::Invalid,
        code: None,
        message: one_line(what, MAX_MESSAGE_CHARACTERS),
        request_id: request_id.map(|id| one_line(id, MAX_CODE_CHARACTERS)),
    }
}

/// A fault on our side of the connection.
pub(super) fn unavailable(error: &dyn Error) -> TokenError {
    plain(TokenErrorKind::Unavailable, &chain(error))
}

/// The SDK's error as the port's.
pub(super) fn translate<E>(error: &SdkError<E>, hidden: &Hidden<'_>) -> TokenError
where
    E: ProvideErrorMetadata + Error + 'static,
    SdkError<E>: RequestId,
{
    match error {
        SdkError::TimeoutError(_) => timed_out(),
        SdkError::DispatchFailure(failure) => failure.as_connector_error().map_or_else(
            || plain(TokenErrorKind::Unavailable, "no connection"),
            dispatch,
        ),
        SdkError::ServiceError(refusal) => {
            let refusal = Refusal {
                status: refusal.raw().status().as_u16(),
                code: error.code(),
                message: error.message().unwrap_or_default(),
                request_id: error.request_id(),
            };
            refused(&refusal, hidden)
        }
        SdkError::ResponseError(_) => invalid("STS's answer cannot be read", error.request_id()),
        _ => unbuilt(),
    }
}

/// No answer in time.
pub(super) fn timed_out() -> TokenError {
    plain(TokenErrorKind::TimedOut, "STS did not answer in time")
}

/// A request that cannot be sent as it is.
pub(super) fn unbuilt() -> TokenError {
    plain(
        TokenErrorKind::RequestRejected,
        "the request cannot be built",
    )
}

fn plain(kind: TokenErrorKind, message: &str) -> TokenError {
    TokenError {
        kind,
        code: None,
        message: one_line(message, MAX_MESSAGE_CHARACTERS),
        request_id: None,
    }
}

fn dispatch(error: &ConnectorError) -> TokenError {
    let Some(fault) = error
        .source()
        .and_then(|source| source.downcast_ref::<Fault>())
    else {
        return plain(TokenErrorKind::Unavailable, "no connection");
    };
    connection(fault)
}

/// A connection that brought no answer.
pub(super) fn connection(fault: &Fault) -> TokenError {
    let kind = match fault {
        _ if fault.is_unreadable() => TokenErrorKind::Invalid,
        Fault::ConnectTimedOut(_) => TokenErrorKind::TimedOut,
        _ => TokenErrorKind::Unavailable,
    };
    plain(kind, &chain(fault))
}

/// AWS's refusal, before any of it is believed.
pub(super) struct Refusal<'a> {
    pub(super) status: u16,
    pub(super) code: Option<&'a str>,
    pub(super) message: &'a str,
    pub(super) request_id: Option<&'a str>,
}

/// A refusal as the port's error.
pub(super) fn refused(refusal: &Refusal<'_>, hidden: &Hidden<'_>) -> TokenError {
    let status = refusal.status;
    let message = first_line(refusal.message);
    let kind = classify(refusal.code, message, status);
    let shown = match (message, kind) {
        ("", TokenErrorKind::Invalid) => format!("STS's answer (status {status}) cannot be read"),
        ("", _) => format!("STS answered with status {status} and no message"),
        (message, _) => hidden.cut_from(message),
    };
    let short = |text: &str| one_line(&hidden.cut_from(text), MAX_CODE_CHARACTERS);
    TokenError {
        kind,
        code: refusal.code.map(short),
        message: one_line(&shown, MAX_MESSAGE_CHARACTERS),
        request_id: refusal.request_id.map(short),
    }
}

/// AWS's code, message and status as a kind of trouble. An unknown code is taken by its status.
fn classify(code: Option<&str>, message: &str, status: u16) -> TokenErrorKind {
    use TokenErrorKind as Kind;
    match code.unwrap_or_default() {
        "AccessDenied" | "AccessDeniedException"
            if message.contains("MultiFactorAuthentication failed") =>
        {
            Kind::MfaRejected
        }
        "SignatureDoesNotMatch" | "InvalidSignatureException" if speaks_of_time(message) => {
            Kind::ClockSkewed
        }
        "AccessDenied" | "AccessDeniedException" => Kind::Denied,
        "RequestExpired" | "RequestTimeTooSkewed" => Kind::ClockSkewed,
        "ExpiredToken"
        | "ExpiredTokenException"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "MissingAuthenticationToken"
        | "SignatureDoesNotMatch"
        | "UnrecognizedClientException" => Kind::CredentialsRejected,
        "InvalidParameterValue"
        | "LimitExceeded"
        | "MalformedPolicyDocument"
        | "NoSuchEntity"
        | "PackedPolicyTooLarge"
        | "ValidationError" => Kind::RequestRejected,
        "RegionDisabledException" => Kind::RegionDisabled,
        "RequestLimitExceeded" | "SlowDown" | "TooManyRequestsException" => Kind::Throttled,
        code if code.starts_with("Throttl") || code.starts_with("RequestThrottl") => {
            Kind::Throttled
        }
        _ => by_status(status),
    }
}

fn speaks_of_time(message: &str) -> bool {
    message.contains("Signature expired") || message.contains("not yet current")
}

const fn by_status(status: u16) -> TokenErrorKind {
    match status {
        403 => TokenErrorKind::Denied,
        429 => TokenErrorKind::Throttled,
        400 => TokenErrorKind::RequestRejected,
        500.. => TokenErrorKind::Unavailable,
        _ => TokenErrorKind::Invalid,
    }
}

/// An error with its causes. Hyper and rustls keep requests and keys out of what they say.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let further = error.to_string();
        if !text.ends_with(&further) {
            text.push_str(": ");
            text.push_str(&further);
        }
        cause = error.source();
    }
    text
}

/// STS's message about a signature goes on with the whole request that it signed, the token included.
fn first_line(text: &str) -> &str {
    let text = text.trim_start();
    text.lines().next().unwrap_or_default().trim_end()
}

/// At most `limit` characters, with control characters and marks of direction escaped.
fn one_line(text: &str, limit: usize) -> String {
    let mut line = String::new();
    let mut length = 0;
    for character in text.chars() {
        let shown: String = match character {
            '"' | '\'' | '\\' => character.into(),
            other => other.escape_debug().collect(),
        };
        length += shown.chars().count();
        if length >= limit {
            line.push('…');
            break;
        }
        line.push_str(&shown);
    }
    line
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn codes() {
        use TokenErrorKind as Kind;
        let skew = "Signature expired: 20261121T000000Z is now earlier than 20261121T000500Z";
        let early = "Signature not yet current: 20261121T001000Z is still later than …";
        let mfa = "MultiFactorAuthentication failed with invalid MFA one time pass code";
        for (code, message, status, kind) in [
            (
                "AccessDenied",
                "User: … is not authorized",
                403,
                Kind::Denied,
            ),
            ("AccessDenied", mfa, 403, Kind::MfaRejected),
            ("ValidationError", mfa, 400, Kind::RequestRejected),
            ("InvalidClientTokenId", "", 403, Kind::CredentialsRejected),
            ("ExpiredToken", "", 403, Kind::CredentialsRejected),
            ("ExpiredTokenException", "", 400, Kind::CredentialsRejected),
            (
                "UnrecognizedClientException",
                "",
                403,
                Kind::CredentialsRejected,
            ),
            ("MalformedPolicyDocument", "", 400, Kind::RequestRejected),
            ("PackedPolicyTooLarge", "", 400, Kind::RequestRejected),
            ("ValidationError", "", 400, Kind::RequestRejected),
            ("InvalidParameterValue", "", 400, Kind::RequestRejected),
            ("SignatureDoesNotMatch", "", 403, Kind::CredentialsRejected),
            ("SignatureDoesNotMatch", skew, 403, Kind::ClockSkewed),
            ("SignatureDoesNotMatch", early, 403, Kind::ClockSkewed),
            ("RequestExpired", "", 400, Kind::ClockSkewed),
            ("RegionDisabledException", "", 403, Kind::RegionDisabled),
            ("Throttling", "Rate exceeded", 400, Kind::Throttled),
            ("ThrottlingException", "", 400, Kind::Throttled),
            ("RequestLimitExceeded", "", 503, Kind::Throttled),
            ("", "", 429, Kind::Throttled),
            ("InternalFailure", "", 500, Kind::Unavailable),
            ("ServiceUnavailable", "", 503, Kind::Unavailable),
            ("", "", 502, Kind::Unavailable),
            ("NobodyKnowsThis", "", 403, Kind::Denied),
            ("NobodyKnowsThis", "", 400, Kind::RequestRejected),
            ("", "", 200, Kind::Invalid),
            ("", "", 302, Kind::Invalid),
            ("", "", 404, Kind::Invalid),
        ] {
            let code = Some(code).filter(|code| !code.is_empty());
            assert_eq!(
                classify(code, message, status),
                kind,
                "{code:?} {message} {status}"
            );
        }
    }

    #[test]
    fn messages_are_one_short_line() {
        assert_eq!(
            one_line("it's \"so\"\t\u{1b}[31m\u{202e}\0", 300),
            "it's \"so\"\\t\\u{1b}[31m\\u{202e}\\0"
        );
        assert_eq!(one_line(&"é".repeat(299), 300), "é".repeat(299));
        let cut = one_line(&"é".repeat(301), 300);
        assert_eq!(cut.chars().count(), 300);
        assert!(cut.ends_with('…'));
        let escaped = one_line(&"\u{1b}".repeat(301), 300);
        assert!(escaped.chars().count() <= 300, "{escaped}");
    }

    #[test]
    fn the_signed_request_behind_a_message_is_dropped() {
        let message = "\nThe signature does not match.\r\n\nThe Canonical String was\n'POST\n/\n'";
        assert_eq!(first_line(message), "The signature does not match.");
        assert_eq!(first_line(""), "");
    }

    #[test]
    fn what_is_hidden_stays_hidden() {
        let hidden = Hidden(vec!["canary", "", "123456"]);
        assert_eq!(
            hidden.cut_from("code 123456 of canary-key"),
            "code (redacted) of (redacted)-key"
        );
    }
}
