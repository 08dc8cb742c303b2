//! The control API of the Jumpgate agent: what a client says on the Unix socket and what it gets back.
//!
//! HTTP/1.1 with JSON bodies, so that `curl --unix-socket` is a debugger. This crate holds values only:
//! no socket, no clock, no file. `golden/*.json` fixes every message to the byte.
//!
//! | method and path | request | reply |
//! |---|---|---|
//! | `POST /v1/credentials` | [`CredentialsRequest`] | [`CredentialsReply`] |
//! | `POST /v1/endpoints` | [`EndpointRequest`] | [`EndpointReply`] |
//! | `GET /v1/status` | – | [`Status`] |
//! | `POST /v1/unlock` | [`UnlockRequest`] | [`UnlockReply`] |
//! | `POST /v1/lock` | – | [`LockReply`] |
//! | `GET /v1/profiles`, `GET /v1/profiles/NAME` | – | [`ProfileList`], [`ProfileDetail`] |
//! | `GET /v1/leases`, `DELETE /v1/leases/ID` | – | [`LeaseList`], [`LeaseEnded`] |
//! | `GET /v1/identities` | – | [`IdentityList`] |
//! | `PUT /v1/identities/NAME` | [`IdentityAddRequest`] | [`IdentityReply`] |
//! | `DELETE /v1/identities/NAME` | – | [`IdentityRemoved`] |
//! | `POST /v1/identities/NAME/check` | – | [`IdentityReply`] |
//! | `POST /v1/identities/NAME/rotate` | [`RotateRequest`] | [`RotateReply`] |
//! | `GET /v1/journal?last=N&follow=BOOL` | – | the records, one JSON object a line |
//! | `GET /v1/journal/verify` | – | [`JournalReport`] |
//! | `POST /v1/reload` | – | [`ReloadReply`] |
//! | `POST /v1/stop` | – | [`StopReply`] |
//!
//! Everything that is not a 2xx carries a [`Problem`]. A profile's name may hold `/`; in a path it is
//! percent-encoded ([`path_segment`]).

mod messages;
mod problem;
mod secret;
mod timestamp;

pub use messages::*;
pub use problem::{Code, ExitStatus, Need, Problem};
pub use secret::{Secret, leaving_no_trace, on_the_wire, optional_on_the_wire, wipe_stack};
pub use timestamp::{Timestamp, TimestampError};

/// The version of this API, the first segment of every path. A request for another one is answered with
/// `unsupported_version`.
pub const VERSION: &str = "v1";

/// The header in which the agent states its own version in every reply.
pub const AGENT_VERSION_HEADER: &str = "jumpgate-agent-version";

/// The largest request head that the agent reads, in bytes.
pub const MAX_HEAD_BYTES: usize = 16 * 1024;

/// The largest request body that the agent reads, in bytes: a policy document of 128 KiB and its escapes.
pub const MAX_BODY_BYTES: usize = 256 * 1024;

/// The largest reply body that a client has to expect, in bytes (`status` with 10,000 profiles).
pub const MAX_REPLY_BYTES: usize = 16 * 1024 * 1024;

/// One path segment, percent-encoded by RFC 3986: everything but unreserved characters.
#[must_use]
pub fn path_segment(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// The text of one percent-encoded path segment; `None` for a broken escape or for bytes that are not UTF-8.
#[must_use]
pub fn from_path_segment(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        if first != b'%' {
            bytes.push(first);
            rest = tail;
            continue;
        }
        let digits = std::str::from_utf8(tail.get(..2)?).ok()?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &tail[2..];
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests;
