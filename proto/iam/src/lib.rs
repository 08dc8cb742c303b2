//! AWS's documents as values: ARNs, names, durations, session tags, policy documents and the limits
//! that STS puts on them.
//!
//! Everything here is pure: text comes in, a value that is legal by construction or an error that
//! says what was expected comes out. No I/O, no clock, no environment. Who holds a [`RoleArn`] or a
//! [`SessionTags`] need not check it again.
//!
//! | module | holds |
//! |---|---|
//! | [`arn`] | partitions, regions, account ids and every kind of ARN that the broker meets |
//! | [`names`] | role session name, source identity, external id |
//! | [`duration`] | how long a session may live |
//! | [`tags`] | session tags and transitive tag keys |
//! | [`policy`] | policy documents and lists of managed policies |
//! | [`statement`] | the statements of a policy document: patterns, variables, conditions |
//! | [`evaluate`] | what policies say about a request, and which statements never apply |
//! | [`narrow`] | one policy as denies within another: an intersection where AWS would add up |
//! | [`json`] | the strict JSON reader beneath policy documents |
//! | [`lint`] | what is legal in a policy and probably not what was meant |
//! | [`nearest`] | the known word that was probably meant |
//! | [`shared_file`] | `~/.aws/config` and `~/.aws/credentials`: read, and changed in single lines |
//!
//! Sources of the limits: the STS API reference (AssumeRole, GetSessionToken), the IAM user guide
//! (names and quotas, policy grammar, session tags) and the API models that AWS publishes.

pub mod arn;
pub mod duration;
pub mod evaluate;
mod excerpt;
pub mod json;
pub mod lint;
pub mod names;
pub mod narrow;
pub mod nearest;
pub mod policy;
pub mod shared_file;
pub mod statement;
mod string_form;
pub mod tags;
mod text_rule;

pub use arn::{
    AccountId, Arn, ArnError, CallerArn, MfaSerial, Partition, PolicyArn, Region, RoleArn, UserArn,
};
pub use duration::{DurationError, MfaSessionDuration, RoleDuration, ScopedDuration};
pub use excerpt::Excerpt;
pub use names::{ExternalId, NameError, RoleSessionName, SourceIdentity};
pub use policy::{PolicyArns, PolicyArnsError, PolicyDocument, PolicyError, PolicyKind};
pub use tags::{SessionTags, TagError, TagKey, TagValue, TransitiveTagKeys};
pub use text_rule::TextFault;
