//! One policy within another: an ask's policy turned into denies, for a session whose policies AWS
//! would add up.
//!
//! AWS adds up the session policies of a call, inline and ARNs, before it intersects them with the
//! role. An ask's policy beside the profile's would therefore widen the session. Denies never do:
//! [`complement`] writes what the ask does *not* allow as `Deny` statements, so that
//!
//! > decision(profile's session policies + result) = decision(profile's) ∧ decision(ask)
//!
//! for every request. Where that cannot be written exactly, it is refused with the statement.
//!
//! **How.** An allow is a set of actions, a set of resources and conditions. First, what another
//! allow of the ask covers is left out. Then allows with the same action pattern are taken together;
//! patterns that overlap in part must be allowed under the same terms, else refused: IAM has no
//! "these but not those". What is left:
//!
//! - `Deny NotAction` [every allowed action]
//! - for each action with its alternatives R₁∧C₁ ∨ R₂∧C₂ …: `Deny` ¬(R₁∧C₁) ∧ ¬(R₂∧C₂) …, multiplied
//!   out, each term one statement: `NotResource` [R₁, R₂], or the negation of a condition
//! - the ask's own denies as they are
//!
//! **Conditions** are negated where AWS's operators have an exact opposite: see `negate`. Policy
//! variables are refused in what is negated, but for keys that every signed request has (such as
//! `${aws:userid}`): one without a value "might" make a statement invalid, which narrows an allow but
//! would widen as a deny.
//!
//! **One difference is left.** A resource policy that names the session's ARN is not limited by what
//! a session policy leaves out, but by what it denies. There, the result denies what the ask's policy,
//! intersected by AWS, would let through: narrower, never wider.
//!
//! Sources: IAM user guide, "Policies and permissions" (session policies), "Policy evaluation logic",
//! "IAM JSON policy elements: NotAction, NotResource, Condition operators".

mod grants;
mod negate;
mod terms;
mod write;

use crate::excerpt::Excerpt;
use crate::policy::{PolicyDocument, PolicyError};
use crate::statement::{Effect, Statement, StatementName, statements};
use grants::Overlap;

/// Most statements that a complement may need; session policies have some 2,048 characters.
pub const MAX_DENIES: usize = 64;

/// Why an ask's policy has no complement that is exact.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NarrowError {
    /// The ask's policy cannot be read.
    #[error("the policy asked for cannot be read")]
    Ask(#[source] PolicyError),
    /// The profile's policy cannot be read.
    #[error("the profile's policy cannot be read")]
    Profile(#[source] PolicyError),
    /// One of the two has `${` and another version, so that in one document it would mean
    /// something else.
    #[error(
        "the policy asked for and the profile's are of different versions, and one of them has \
         ${{: give both the Version 2012-10-17"
    )]
    Versions,
    /// A statement of the ask whose opposite cannot be written.
    #[error("{statement} cannot be turned into denies: {why}")]
    Inexact {
        /// Which statement of the ask.
        statement: StatementName,
        /// Why.
        why: Inexact,
    },
}

/// Why the opposite of an allow cannot be written as denies.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Inexact {
    /// Two action patterns overlap in part, or wholly, and are allowed under different terms.
    #[error(
        "its action {action} overlaps with {other_action} of {other}, which is allowed on other \
         resources or conditions; name the actions one by one"
    )]
    ActionsOverlap {
        /// The pattern.
        action: Excerpt,
        /// The other.
        other_action: Excerpt,
        /// The statement that has the other.
        other: StatementName,
    },
    /// A `NotAction` beside another allow that gives back a part of what it leaves out.
    #[error("its NotAction and the actions of {other} leave out what no list names; use Action")]
    NotActionBeside {
        /// The other statement.
        other: StatementName,
    },
    /// `NotResource` and `Resource` for one action.
    #[error("its NotResource and the resources of {other} are for the same action; use Resource")]
    MixedResources {
        /// The other statement.
        other: StatementName,
    },
    /// A policy variable that not every request has a value for.
    #[error("a variable in {text} may be without a value; write the value")]
    Variable {
        /// The text that has it.
        text: Excerpt,
    },
    /// A condition operator without an exact opposite.
    #[error("{operator} on {key} has no exact opposite")]
    Operator {
        /// The operator.
        operator: String,
        /// The key.
        key: Excerpt,
    },
    /// A condition key that is not documented to have one value of the operator's type.
    #[error("{key} is not known to have one value that {operator} can compare")]
    Key {
        /// The key.
        key: Excerpt,
        /// The operator.
        operator: String,
    },
    /// A value that the operator cannot compare, or several where only one has an opposite.
    #[error("the values of {operator} on {key} have no exact opposite")]
    Values {
        /// The key.
        key: Excerpt,
        /// The operator.
        operator: String,
    },
    /// Two opposites that do not fit into one statement.
    #[error("its conditions on {key} and those of another allow do not fit into one statement")]
    Combined {
        /// The key.
        key: Excerpt,
    },
    /// More than [`MAX_DENIES`] statements, or far more actions than a session policy can hold.
    #[error("it needs too many statements, or has too many actions")]
    TooMany,
}

/// The inline session policy that, in the place of `profile`, allows exactly what the profile's
/// session policies and `ask` both allow. `profile` is the profile's inline session policy; its
/// managed policies (ARNs) stay beside the result.
///
/// The profile must have a session policy, inline or ARNs: where it has none, AWS would take the
/// result for the whole, and the ask's policy is to be passed itself. `None`: there is no inline
/// policy, and nothing to deny.
///
/// # Errors
/// Where it would not be exact.
pub fn complement(
    profile: Option<&PolicyDocument>,
    ask: &PolicyDocument,
) -> Result<Option<PolicyDocument>, NarrowError> {
    complement_by(profile, ask, Overlap::Refused)
}

/// The same without the check that overlapping actions have the same terms: the tests show that it
/// is needed.
#[cfg(test)]
fn complement_unchecked(
    profile: Option<&PolicyDocument>,
    ask: &PolicyDocument,
) -> Result<Option<PolicyDocument>, NarrowError> {
    complement_by(profile, ask, Overlap::Ignored)
}

fn complement_by(
    profile: Option<&PolicyDocument>,
    ask: &PolicyDocument,
    overlap: Overlap,
) -> Result<Option<PolicyDocument>, NarrowError> {
    let version = write::version(profile, ask)?;
    let all = statements(ask).map_err(NarrowError::Ask)?;
    let allows: Vec<&Statement> = all.iter().filter(|s| s.effect == Effect::Allow).collect();
    let denies = grants::denies(&allows, overlap)?;
    write::document(version, profile, &denies, ask).map_err(NarrowError::Profile)
}

fn inexact(statement: &Statement, why: Inexact) -> NarrowError {
    NarrowError::Inexact {
        statement: statement.name(),
        why,
    }
}

#[cfg(test)]
mod cases;
#[cfg(test)]
mod tests;
