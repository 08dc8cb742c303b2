//! The statements of a policy document as values: what each is about, and where it stands.
//!
//! [`statements`] reads them from a [`PolicyDocument`], whose grammar is checked already. What is
//! added here is the meaning of the texts: wildcards, policy variables, condition operators.
//!
//! Source: IAM user guide, "IAM JSON policy element reference" and its pages on each element.

mod condition;
mod pattern;
mod read;
pub(crate) mod region;

pub use condition::{Comparison, Condition, ConditionValue, Operator, Quantifier, Test};
pub use pattern::{Pattern, Piece, Variable};
pub use read::statements;

use std::fmt;

use crate::excerpt::Excerpt;
use crate::json::Position;
#[cfg(doc)]
use crate::policy::PolicyDocument;

/// What a statement does to the requests that it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Effect {
    /// Grants them, unless something denies them.
    Allow,
    /// Denies them, whatever grants them.
    Deny,
}

/// One element of a pair such as `Action` and `NotAction`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector<T> {
    /// What one of these names; never empty.
    Only(Vec<T>),
    /// Everything that none of these names; never empty.
    AllBut(Vec<T>),
}

impl<T> Selector<T> {
    /// Whatever is named, in the order of the text.
    #[must_use]
    pub fn items(&self) -> &[T] {
        match self {
            Self::Only(items) | Self::AllBut(items) => items,
        }
    }

    /// Whether it is the form that begins with `Not`.
    #[must_use]
    pub fn is_all_but(&self) -> bool {
        matches!(self, Self::AllBut(_))
    }
}

/// A principal that a resource or trust policy names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// What kind of name it is.
    pub kind: PrincipalKind,
    /// The name; `*` is everyone.
    pub name: String,
    /// Where it stands.
    pub position: Position,
}

/// What kind of principal is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PrincipalKind {
    /// `AWS`, or the bare `"*"`: accounts, users, roles and sessions.
    Aws,
    /// `Federated`: identity providers.
    Federated,
    /// `Service`: services of AWS.
    Service,
    /// `CanonicalUser`: the old name of an account in S3.
    CanonicalUser,
}

/// One statement of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Its number within the document, from 1.
    pub number: usize,
    /// Where it begins.
    pub position: Position,
    /// Its Sid, if it has one that is not empty.
    pub sid: Option<String>,
    /// Allow or Deny.
    pub effect: Effect,
    /// Whom it is about; `None` in policies that are attached to the principal itself.
    pub principals: Option<Selector<Principal>>,
    /// The actions, without their case.
    pub actions: Selector<Pattern>,
    /// The resources, with their case; `None` in a trust policy.
    pub resources: Option<Selector<Pattern>>,
    /// All of them must hold.
    pub conditions: Vec<Condition>,
}

impl Statement {
    /// The statement as an error or an explanation names it.
    #[must_use]
    pub fn name(&self) -> StatementName {
        StatementName {
            number: self.number,
            sid: self.sid.clone(),
            position: self.position,
        }
    }
}

/// Which statement of a document, without the statement.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StatementName {
    /// Its number within the document, from 1.
    pub number: usize,
    /// Its Sid, as the document has it; use [`fmt::Display`] to show it.
    pub sid: Option<String>,
    /// Where it begins.
    pub position: Position,
}

/// `statement 2 "ReadLogs" (line 9, column 5)`.
impl fmt::Display for StatementName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "statement {}", self.number)?;
        if let Some(sid) = &self.sid {
            write!(f, " {}", Excerpt::of(sid))?;
        }
        write!(f, " ({})", self.position)
    }
}

#[cfg(test)]
mod tests;
