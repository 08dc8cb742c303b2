//! Every contact with the world, as a trait. `providers` implements them, `app` puts them together.

mod people;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use jumpgate_api::{JournalReport, Secret, Timestamp};
use jumpgate_iam::{CallerArn, MfaSerial, MfaSessionDuration};

use crate::domain::assume_role::{AssumeRoleRequest, ScopeDown};
use crate::domain::event::Event;
use crate::domain::identity::{AccessKeyId, BaseCredentials, Endpoint, Identity, LongTermKey};
use crate::domain::notice::Notice;
use crate::domain::peer::Peer;
use crate::domain::rotation::{LastUse, ListedKey, StoredKey};
use crate::domain::session::AssumedRole;
use crate::domain::settings::AgentSettings;

pub use people::{Asking, Errand, Kin, Processes, PromptError, Prompter, Wish};

/// The future of a port's answer. Dropping it is safe; what must finish is spawned by the provider.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The clocks.
pub trait Clock: Send + Sync {
    /// Now, by the wall clock: what AWS's times are compared with. It can be set, and jumps then.
    fn now(&self) -> Timestamp;

    /// Time since some point in the past. Goes on while the machine sleeps; nobody can set it.
    fn running(&self) -> Duration;
}

/// What holds on to the process that asks, from its first byte to the answer.
pub trait Witness: Send + Sync {
    /// Whether it still runs, and still runs the program that it was admitted with.
    fn is_still(&self, peer: &Peer) -> bool;
}

/// The operating system's randomness.
pub trait Entropy: Send + Sync {
    /// A new ULID: 26 characters, 80 random bits.
    fn ulid(&self) -> String;

    /// One random byte, for jitter.
    fn byte(&self) -> u8;

    /// 32 random bytes as 43 characters of base64url (RFC 4648), which may stand in a header as they are.
    fn secret(&self) -> Secret<String>;
}

/// Where long-term keys are kept.
pub trait IdentityStore: Send + Sync {
    /// Reads the identity's key. May ask a person, by the keyring's own prompt.
    fn load<'a>(
        &'a self,
        identity: &'a Identity,
        passphrase: Option<&'a Secret<String>>,
    ) -> Answer<'a, Result<StoredKey, StoreError>>;

    /// Keeps a key, in place of an earlier one.
    fn save<'a>(
        &'a self,
        identity: &'a Identity,
        key: &'a StoredKey,
        passphrase: Option<&'a Secret<String>>,
    ) -> Answer<'a, Result<(), StoreError>>;

    /// Removes the identity's key.
    fn remove<'a>(&'a self, identity: &'a Identity) -> Answer<'a, Result<(), StoreError>>;

    /// Whether a passphrase is needed to read or to keep a key.
    fn wants_passphrase(&self) -> bool;
}

/// Why a store did not do its work. Holds nothing of what is stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Nothing is kept under this name.
    #[error("no key is stored for it")]
    NothingStored,
    /// A passphrase is needed.
    #[error("a passphrase is needed")]
    PassphraseMissing,
    /// The passphrase does not open it.
    #[error("the passphrase does not open it")]
    WrongPassphrase,
    /// A person refused to unlock the keyring.
    #[error("unlocking the keyring was declined")]
    Declined,
    /// The store itself cannot be used.
    #[error("{what}")]
    Unavailable {
        /// What is wrong with it.
        what: String,
        /// What to do about it.
        remedy: String,
    },
    /// What is stored is not what we stored.
    #[error("what is stored there is damaged: {what}")]
    Malformed {
        /// What is wrong with it, without any of it.
        what: String,
    },
}

/// A device and its current code.
#[derive(Debug, Clone, Copy)]
pub struct MfaProof<'a> {
    /// The device.
    pub serial: &'a MfaSerial,
    /// Six digits.
    pub code: &'a Secret<String>,
}

/// STS.
pub trait TokenService: Send + Sync {
    /// GetCallerIdentity: whose credentials are these?
    fn caller_identity<'a>(
        &'a self,
        endpoint: &'a Endpoint,
        credentials: &'a BaseCredentials,
    ) -> Answer<'a, Result<CallerArn, TokenError>>;

    /// GetSessionToken with MFA: base credentials that carry the second factor.
    fn session_token<'a>(
        &'a self,
        endpoint: &'a Endpoint,
        key: &'a BaseCredentials,
        mfa: MfaProof<'a>,
        duration: MfaSessionDuration,
    ) -> Answer<'a, Result<BaseCredentials, TokenError>>;

    /// AssumeRole.
    fn assume_role<'a>(
        &'a self,
        endpoint: &'a Endpoint,
        credentials: &'a BaseCredentials,
        request: &'a AssumeRoleRequest,
        mfa: Option<MfaProof<'a>>,
    ) -> Answer<'a, Result<AssumedRole, TokenError>>;

    /// GetScopedCredentials: the session that `credentials` are of, with less.
    fn scoped_credentials<'a>(
        &'a self,
        endpoint: &'a Endpoint,
        credentials: &'a BaseCredentials,
        taken: &'a ScopeDown,
    ) -> Answer<'a, Result<AssumedRole, TokenError>>;

    /// All calls and those that failed, since the start.
    fn counts(&self) -> (u64, u64);

    /// Seconds that AWS's clock is ahead of ours, as last measured. Expiries are told by ours.
    fn skew(&self) -> Option<i64> {
        None
    }

    /// Our clock was set: what was measured says nothing any more.
    fn forget_skew(&self) {}
}

/// Whose keys a call to IAM is about, and who signs it.
#[derive(Debug, Clone, Copy)]
pub struct KeyCall<'a> {
    /// Where IAM is.
    pub endpoint: &'a Endpoint,
    /// A key of the user, or a session of GetSessionToken with MFA: one without may not call IAM.
    pub signer: &'a BaseCredentials,
    /// The user's name.
    pub user: &'a str,
}

/// IAM, as far as an IAM user's access keys go.
pub trait KeyService: Send + Sync {
    /// ListAccessKeys. The last use of each is unknown yet.
    fn keys<'a>(&'a self, call: KeyCall<'a>) -> Answer<'a, Result<Vec<ListedKey>, TokenError>>;

    /// GetAccessKeyLastUsed.
    fn last_use<'a>(
        &'a self,
        call: KeyCall<'a>,
        id: &'a AccessKeyId,
    ) -> Answer<'a, Result<LastUse, TokenError>>;

    /// CreateAccessKey. Sent once: a second one would make a second key.
    fn create_key<'a>(&'a self, call: KeyCall<'a>) -> Answer<'a, Result<LongTermKey, TokenError>>;

    /// UpdateAccessKey.
    fn set_active<'a>(
        &'a self,
        call: KeyCall<'a>,
        id: &'a AccessKeyId,
        active: bool,
    ) -> Answer<'a, Result<(), TokenError>>;

    /// DeleteAccessKey.
    fn delete_key<'a>(
        &'a self,
        call: KeyCall<'a>,
        id: &'a AccessKeyId,
    ) -> Answer<'a, Result<(), TokenError>>;
}

/// What kind of trouble STS made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenErrorKind {
    /// Not allowed.
    Denied,
    /// The MFA code was wrong or used before.
    MfaRejected,
    /// The credentials that signed are wrong, inactive, deleted or expired.
    CredentialsRejected,
    /// Something in the request is refused for good: a duration, a policy, its packed size.
    RequestRejected,
    /// Our clock is too far from AWS's.
    ClockSkewed,
    /// The region's endpoint is not active in the account.
    RegionDisabled,
    /// Slow down.
    Throttled,
    /// No connection, or a fault on the other side.
    Unavailable,
    /// No answer in time.
    TimedOut,
    /// An answer that cannot be understood.
    Invalid,
}

/// Why STS gave nothing. Keeps AWS's code and request id, never the request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", .code.as_ref().map(|code| format!("{code}: ")).unwrap_or_default())]
pub struct TokenError {
    /// What kind of trouble.
    pub kind: TokenErrorKind,
    /// AWS's error code.
    pub code: Option<String>,
    /// AWS's message, or ours; one line, at most 300 characters, control characters escaped.
    pub message: String,
    /// AWS's request id.
    pub request_id: Option<String>,
}

/// What the machine around us tells.
#[derive(Debug)]
pub enum Sign {
    /// It is about to sleep, and waits some seconds for the hold to be dropped.
    Sleeping(Hold),
    /// It has woken, or was awake all along.
    Awake,
    /// The screen was locked.
    ScreenLocked,
    /// The screen was unlocked.
    ScreenUnlocked,
}

/// Keeps the machine from sleeping until it is dropped; the default keeps nothing.
#[derive(Default)]
pub struct Hold(Option<Box<dyn Send + Sync>>);

impl Hold {
    /// Ends when `held` is dropped.
    #[must_use]
    pub fn new(held: impl Send + Sync + 'static) -> Self {
        Self(Some(Box::new(held)))
    }
}

impl std::fmt::Debug for Hold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "Hold" } else { "no Hold" })
    }
}

/// The machine's sleep and the screen's lock.
pub trait Signs: Send + Sync {
    /// Listens to what these settings name from now on, and to nothing else. Called in the runtime.
    fn listen(&self, agent: &AgentSettings);

    /// The next sign. Dropping the wait loses none.
    fn next(&self) -> Answer<'_, Sign>;
}

/// A person's desktop.
pub trait Notifier: Send + Sync {
    /// Shows a notice, soon; not at all where there is no desktop, or it has too many to show.
    fn show(&self, notice: Notice);
}

/// Lines of text, as they come. Dropping it ends them.
pub type Lines = tokio::sync::mpsc::Receiver<String>;

/// The audit record.
pub trait Journal: Send + Sync {
    /// Writes one record; returns when it is as safe as [`Event::durability`] asks. One that is only written is
    /// flushed soon after; when that fails, nothing more is acknowledged until a flush has succeeded.
    fn record(&self, event: Event) -> Answer<'_, Result<(), JournalError>>;

    /// Where it is, how many records were written, and whether the last write and the last flush succeeded.
    fn health(&self) -> JournalHealth;

    /// Reads everything that is kept and checks the chain.
    fn report(&self) -> Answer<'_, Result<JournalReport, JournalError>>;

    /// The last so many records or all, as they were written; then the new ones as they come, if wanted.
    fn lines(&self, last: Option<usize>, follow: bool) -> Lines;
}

/// How the journal does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalHealth {
    /// Its directory.
    pub path: String,
    /// Records written since the start.
    pub records: u64,
    /// Whether the last write and the last flush succeeded.
    pub healthy: bool,
}

/// The journal cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the journal cannot be written: {what}")]
pub struct JournalError {
    /// What the operating system said.
    pub what: String,
}
