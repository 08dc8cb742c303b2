//! What went wrong, for programs and for people: one closed list of codes, each with its exit status.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The body of every reply that is not a 2xx.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// What kind of problem; programs decide by it.
    pub code: Code,
    /// One line for a person: what happened. Holds no secret and no unescaped byte from a peer.
    pub message: String,
    /// One line for a person: what to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The agent's id of this request, as in its log.
    pub request_id: String,
    /// Whether the same request may succeed later without a change.
    pub retryable: bool,
    /// With `interaction_required`: what a person has to supply, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<Need>,
    /// Further lines, such as all errors of a configuration file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
}

/// Something that only a person can supply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Need {
    /// The passphrase of a sealed identity.
    Passphrase {
        /// The identity that is sealed.
        identity: String,
    },
    /// A code of a multi-factor device.
    MfaCode {
        /// The identity that the device belongs to.
        identity: String,
        /// The device: its ARN or hardware serial.
        serial: String,
    },
    /// The seed of a multi-factor device, to be kept beside a key that is added.
    TotpSeed {
        /// The identity that the device belongs to.
        identity: String,
    },
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal, $http:literal, $exit:ident, $retryable:literal;)+) => {
        /// The closed list of problem codes. The text of each is part of the contract.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Code {
            $($(#[doc = $doc])+ #[serde(rename = $text)] $name,)+
        }

        impl Code {
            /// All codes, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The text on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// The HTTP status that goes with it.
            #[must_use]
            pub const fn http_status(self) -> u16 {
                match self { $(Self::$name => $http,)+ }
            }

            /// The exit status of a command that ends with this problem.
            #[must_use]
            pub const fn exit_status(self) -> ExitStatus {
                match self { $(Self::$name => ExitStatus::$exit,)+ }
            }

            /// Whether the same request may succeed later without a change.
            #[must_use]
            pub const fn retryable(self) -> bool {
                match self { $(Self::$name => $retryable,)+ }
            }
        }
    };
}

codes! {
    /// The request is malformed, or a value in it is out of bounds.
    InvalidRequest = "invalid_request", 400, Usage, false;
    /// The path names another version of this API.
    UnsupportedVersion = "unsupported_version", 404, Unavailable, false;
    /// There is no such route.
    NotFound = "not_found", 404, Usage, false;
    /// No such profile, or none that this peer may see.
    ProfileNotFound = "profile_not_found", 404, Usage, false;
    /// No such identity in the configuration, or nothing stored under its name.
    IdentityNotFound = "identity_not_found", 404, Usage, false;
    /// No such lease, or it has ended.
    LeaseNotFound = "lease_not_found", 404, Failed, false;
    /// The configuration file has errors; they are in `details`.
    InvalidConfiguration = "invalid_configuration", 422, Usage, false;
    /// The rules do not grant this.
    AccessDenied = "access_denied", 403, Denied, false;
    /// The agent was locked by its user and answers no request for credentials.
    Locked = "locked", 423, Denied, false;
    /// The identity is locked and could not be unlocked without a person.
    IdentityLocked = "identity_locked", 423, Denied, false;
    /// A person said no.
    UserDeclined = "user_declined", 403, Denied, false;
    /// A person has to supply what `needs` lists.
    InteractionRequired = "interaction_required", 409, Denied, false;
    /// The state of things does not allow it, such as a rotation that is not finished, or two keys already.
    Conflict = "conflict", 409, Failed, false;
    /// AWS refused the request for good.
    UpstreamDenied = "upstream_denied", 403, Denied, false;
    /// AWS could not be reached, or answered with a fault of its own.
    UpstreamUnavailable = "upstream_unavailable", 503, Temporary, true;
    /// AWS asked to slow down.
    UpstreamThrottled = "upstream_throttled", 503, Temporary, true;
    /// AWS did not answer in time.
    UpstreamTimedOut = "upstream_timed_out", 504, Temporary, true;
    /// AWS's answer is not what was asked for; it was thrown away.
    UpstreamInvalid = "upstream_invalid", 502, Failed, false;
    /// The journal cannot be written, so nothing is handed out.
    JournalUnavailable = "journal_unavailable", 503, Temporary, true;
    /// The keyring or the sealed file cannot be used.
    StoreUnavailable = "store_unavailable", 503, Temporary, true;
    /// A limit of the agent is reached.
    Busy = "busy", 503, Temporary, true;
    /// A fault of the agent.
    Internal = "internal", 500, Failed, false;
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The exit statuses of the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ExitStatus {
    /// Done.
    Success = 0,
    /// The command itself failed.
    Failed = 1,
    /// Wrong usage or configuration (`EX_USAGE` of sysexits).
    Usage = 64,
    /// The agent is not available (`EX_UNAVAILABLE`).
    Unavailable = 69,
    /// A temporary failure; trying again may help (`EX_TEMPFAIL`).
    Temporary = 75,
    /// Denied or locked (`EX_NOPERM`).
    Denied = 77,
}

impl From<ExitStatus> for std::process::ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status as u8)
    }
}

impl Problem {
    /// A problem with the standing of its code.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            hint: None,
            request_id: String::new(),
            retryable: code.retryable(),
            needs: Vec::new(),
            details: Vec::new(),
        }
    }

    /// The same with a line on what to do.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}
