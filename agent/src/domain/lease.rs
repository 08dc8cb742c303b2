//! A lease: the record that a peer was handed a session until a time. AWS cannot revoke one session, so a
//! lease is ended or expires.

use jumpgate_api::{Interface, Timestamp};
use jumpgate_iam::RoleArn;

use super::name::{LeaseId, ProfileName, SessionId};
use super::peer::Peer;
use super::rule::RuleName;

/// Most leases that are remembered; beyond it the oldest is forgotten (the journal keeps it).
pub const MAX_LEASES: usize = 10_000;

/// The note of a hand-out by IMDSv1.
pub const WITHOUT_TOKEN: &str = "IMDSv1, no token";

/// Who was handed what, until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Its id.
    pub id: LeaseId,
    /// The profile.
    pub profile: ProfileName,
    /// The role.
    pub role: RoleArn,
    /// The session.
    pub session: SessionId,
    /// Through which interface.
    pub interface: Interface,
    /// To whom.
    pub peer: Peer,
    /// The rules of `peers` that decided.
    pub rule: Option<RuleName>,
    /// When.
    pub issued_at: Timestamp,
    /// Until when AWS accepts the session.
    pub expires_at: Timestamp,
    /// What a reader of the journal should know of it, such as [`WITHOUT_TOKEN`].
    pub note: Option<&'static str>,
}
