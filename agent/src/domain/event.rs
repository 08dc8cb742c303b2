//! What the journal records.

use jumpgate_api::{Interface, Timestamp};
use jumpgate_iam::{AccountId, PolicyArns, PolicyDocument};

use super::name::LeaseId;
use super::narrowing::Way;
use super::peer::Peer;

/// How safe a record is when what it tells of takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[must_use]
pub enum Durability {
    /// In the file: it outlives the agent, however that ends, but not a power cut within moments.
    Written,
    /// On the disk: it outlives a power cut.
    Flushed,
}

/// What happened. The texts are part of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Activity {
    /// A session was made and handed out.
    LeaseIssue,
    /// A session from the cache was handed out.
    LeaseServe,
    /// A lease was ended before its time.
    LeaseEnd,
    /// Nothing was handed out.
    Deny,
    /// A session was made anew behind its callers, or that failed.
    SessionRefresh,
    /// An identity became usable, or that failed.
    IdentityUnlock,
    /// Identities and sessions were dropped from memory.
    IdentityLock,
    /// A key was stored, or refused.
    IdentityAdd,
    /// A key was removed.
    IdentityRemove,
    /// A step of a key's rotation was made, or failed.
    IdentityRotate,
    /// The agent started.
    AgentStart,
    /// The agent ended in good order.
    AgentStop,
    /// An endpoint was opened; or one that stands by configuration could not be.
    EndpointOpen,
    /// The configuration was read anew, or refused.
    ConfigReload,
    /// The wall clock was set, or stood still.
    ClockJump,
    /// A new journal file began.
    LogRotate,
    /// Old journal files were removed.
    LogPrune,
    /// A torn last line was found and set aside.
    LogRecover,
}

impl Activity {
    /// The text in the journal.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LeaseIssue => "lease.issue",
            Self::LeaseServe => "lease.serve",
            Self::LeaseEnd => "lease.end",
            Self::Deny => "deny",
            Self::SessionRefresh => "session.refresh",
            Self::IdentityUnlock => "identity.unlock",
            Self::IdentityLock => "identity.lock",
            Self::IdentityAdd => "identity.add",
            Self::IdentityRemove => "identity.remove",
            Self::IdentityRotate => "identity.rotate",
            Self::AgentStart => "agent.start",
            Self::AgentStop => "agent.stop",
            Self::EndpointOpen => "endpoint.open",
            Self::ConfigReload => "config.reload",
            Self::ClockJump => "clock.jump",
            Self::LogRotate => "log.rotate",
            Self::LogPrune => "log.prune",
            Self::LogRecover => "log.recover",
        }
    }

    /// How safe its record is at least when it takes effect. Handing the same session out once more need not
    /// wait for the disk: the session, what it may do and who got it first are there already.
    pub const fn durability(self) -> Durability {
        match self {
            Self::LeaseServe | Self::EndpointOpen => Durability::Written,
            Self::LeaseIssue
            | Self::LeaseEnd
            | Self::Deny
            | Self::SessionRefresh
            | Self::IdentityUnlock
            | Self::IdentityLock
            | Self::IdentityAdd
            | Self::IdentityRemove
            | Self::IdentityRotate
            | Self::AgentStart
            | Self::AgentStop
            | Self::ConfigReload
            | Self::ClockJump
            | Self::LogRotate
            | Self::LogPrune
            | Self::LogRecover => Durability::Flushed,
        }
    }
}

/// One record to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What happened.
    pub activity: Activity,
    /// When.
    pub at: Timestamp,
    /// Why it failed; absent for a success.
    pub failure: Option<String>,
    /// What else a reader should know, such as the reason of a lock.
    pub detail: Option<String>,
    /// The process that asked; absent for the agent's own doing.
    pub peer: Option<Peer>,
    /// The lease.
    pub lease: Option<LeaseId>,
    /// When the lease's session ends.
    pub expires_at: Option<Timestamp>,
    /// The role's account.
    pub account: Option<AccountId>,
    /// Whether it is flushed whatever it tells of: the disk may hold nothing of its session yet.
    pub flushed: bool,
    /// The rest, under our own name in the record.
    pub facts: Facts,
}

impl Event {
    /// An event without particulars.
    #[must_use]
    pub fn new(activity: Activity, at: Timestamp) -> Self {
        Self {
            activity,
            at,
            failure: None,
            detail: None,
            peer: None,
            lease: None,
            expires_at: None,
            account: None,
            flushed: false,
            facts: Facts::default(),
        }
    }

    /// How safe its record is when it takes effect.
    pub const fn durability(&self) -> Durability {
        if self.flushed {
            Durability::Flushed
        } else {
            self.activity.durability()
        }
    }
}

/// What `unmapped.jumpgate` of a record holds. Never a secret: the types keep them out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// The identity.
    pub identity: Option<String>,
    /// The profile.
    pub profile: Option<String>,
    /// The rules of `peers` that decided.
    pub rule: Option<String>,
    /// The role.
    pub role_arn: Option<String>,
    /// Our session id.
    pub session: Option<String>,
    /// Through which interface.
    pub interface: Option<Interface>,
    /// The session's access key id.
    pub access_key_id: Option<String>,
    /// `aws:userid` of the session.
    pub assumed_role_id: Option<String>,
    /// The role session name as sent.
    pub session_name: Option<String>,
    /// The source identity as sent.
    pub source_identity: Option<String>,
    /// The session tags as sent, in order.
    pub tags: Vec<(String, String)>,
    /// The transitive tag keys as sent.
    pub transitive_tags: Vec<String>,
    /// The session policy as sent; the record keeps its SHA-256.
    pub policy: Option<PolicyDocument>,
    /// How an ask was narrowed.
    pub narrowed_by: Option<Way>,
    /// The ask's policy, or the scope-down's; the record keeps its SHA-256.
    pub asked_policy: Option<PolicyDocument>,
    /// The managed session policies as sent.
    pub policy_arns: Option<PolicyArns>,
    /// `PackedPolicySize`, percent.
    pub packed_policy_percent: Option<u32>,
    /// The session token's size, bytes.
    pub token_bytes: Option<usize>,
    /// `SessionTokenUtilization`, percent.
    pub token_percent: Option<u32>,
    /// The id of STS's answer.
    pub sts_request_id: Option<String>,
    /// The problem code of a refusal.
    pub code: Option<String>,
    /// The caller's ticket.
    pub ticket: Option<String>,
    /// The caller's reason.
    pub reason: Option<String>,
    /// How many like it this record stands for; of `log.prune`, the records that were removed.
    pub count: Option<u64>,
    /// The journal file that a `log.*` record is about.
    pub journal_file: Option<String>,
    /// The line in it, from 1.
    pub journal_line: Option<u64>,
    /// The hash of its last record.
    pub journal_head: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_session_served_once_more_does_not_wait_for_the_disk() {
        use Activity as A;
        use Durability::{Flushed, Written};
        for (activity, expected) in [
            (A::LeaseIssue, Flushed),
            (A::LeaseServe, Written),
            (A::LeaseEnd, Flushed),
            (A::Deny, Flushed),
            (A::SessionRefresh, Flushed),
            (A::IdentityUnlock, Flushed),
            (A::IdentityLock, Flushed),
            (A::IdentityAdd, Flushed),
            (A::IdentityRemove, Flushed),
            (A::IdentityRotate, Flushed),
            (A::AgentStart, Flushed),
            (A::AgentStop, Flushed),
            (A::ConfigReload, Flushed),
            (A::ClockJump, Flushed),
            (A::LogRotate, Flushed),
            (A::LogPrune, Flushed),
            (A::LogRecover, Flushed),
        ] {
            let mut event = Event::new(activity, Timestamp::default());
            assert_eq!(event.durability(), expected, "{}", activity.as_str());
            event.flushed = true;
            assert_eq!(event.durability(), Flushed, "{}", activity.as_str());
        }
        assert!(Flushed > Written, "a batch takes the most of its records");
    }
}
