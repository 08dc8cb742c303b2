//! Policy documents as STS and IAM take them, and lists of managed policies.
//!
//! Sources: IAM user guide, "Grammar of the IAM JSON policy language" and "IAM and AWS STS quotas";
//! STS API reference, `Policy` and `PolicyArns`.

mod arns;
mod condition;
pub(crate) mod grammar;
mod statement;

pub use arns::{MAX_POLICY_ARNS, PolicyArns, PolicyArnsError};
#[cfg(test)]
pub(crate) use condition::OPERATORS;

use std::hash::{Hash, Hasher};

use crate::excerpt::Excerpt;
use crate::json::{self, JsonError, Node, Position, Value};
use crate::string_form::string_form;

/// Most characters of a minified session policy that the documentation of AssumeRole allows. STS
/// moved to one limit on the session token in September 2026, so being over it is a warning.
pub const DOCUMENTED_POLICY_CHARACTERS: usize = 2_048;

/// What a policy is for, which decides the elements that it may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PolicyKind {
    /// Passed to AssumeRole; no principal.
    Session,
    /// Attached to a user, group or role; no principal. The same grammar as a session policy.
    Identity,
    /// A role's trust policy: a principal, no resource.
    Trust,
    /// Attached to a resource such as a bucket: a principal and a resource.
    Resource,
}

impl PolicyKind {
    /// In words, for errors.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Session => "a session policy",
            Self::Identity => "an identity policy",
            Self::Trust => "a trust policy",
            Self::Resource => "a resource policy",
        }
    }

    const fn has_principal(self) -> bool {
        matches!(self, Self::Trust | Self::Resource)
    }

    const fn has_resource(self) -> bool {
        !matches!(self, Self::Trust)
    }
}

/// Why a text is no policy. Every error knows its place.
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
pub enum PolicyError {
    /// No JSON that we take, a repeated key among it.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A character outside of U+0009, U+000A, U+000D, U+0020 to U+00FF.
    #[error(
        "{at}: character {character:?} is beyond what STS takes in a policy (U+0009, U+000A, \
             U+000D, U+0020 to U+00FF)"
    )]
    Character {
        /// Where.
        at: Position,
        /// The character.
        character: char,
    },
    /// A key that the grammar does not know.
    #[error("{at}: {key} is no key of {place}{}", did_you_mean(.nearest))]
    UnknownKey {
        /// Where the key is.
        at: Position,
        /// The key.
        key: Excerpt,
        /// What has the key.
        place: &'static str,
        /// The known key that was probably meant.
        nearest: Option<&'static str>,
    },
    /// A key that this kind of policy must not have.
    #[error("{at}: {kind} has no {key}")]
    ForbiddenKey {
        /// Where the key is.
        at: Position,
        /// The key.
        key: &'static str,
        /// The kind of policy, in words.
        kind: &'static str,
    },
    /// A key that must be there is not.
    #[error("{at}: {expected} is expected in {place}")]
    MissingKey {
        /// Where the object begins that lacks it.
        at: Position,
        /// The missing key or keys.
        expected: &'static str,
        /// What lacks the key.
        place: &'static str,
    },
    /// Two keys that exclude each other.
    #[error("{at}: {key} is here and {other} at {first}; one of the two is expected")]
    ExclusiveKeys {
        /// Where the second one is.
        at: Position,
        /// The second one.
        key: &'static str,
        /// Where the first one is.
        first: Position,
        /// The first one.
        other: &'static str,
    },
    /// A value of another type.
    #[error("{at}: {what} is expected to be {expected}, not {found}")]
    WrongType {
        /// Where the value is.
        at: Position,
        /// What the value is for.
        what: &'static str,
        /// The types that would be legal.
        expected: &'static str,
        /// The type that is there.
        found: &'static str,
    },
    /// A text that the grammar does not allow here.
    #[error("{at}: {what} is expected to be {expected}, not {found}{}", did_you_mean(.nearest))]
    WrongText {
        /// Where the value is.
        at: Position,
        /// What the value is for.
        what: &'static str,
        /// What would be legal.
        expected: &'static str,
        /// The beginning of what is there.
        found: Excerpt,
        /// What was probably meant.
        nearest: Option<&'static str>,
    },
    /// A list without elements, where that would make the statement meaningless.
    #[error("{at}: {what} is an empty list; one element or more is expected")]
    EmptyList {
        /// Where the list is.
        at: Position,
        /// What the list is for.
        what: &'static str,
    },
    /// Two condition operators or keys that differ in case only; IAM ignores their case.
    #[error("{at}: {key} repeats {other} at {first}; IAM ignores the case of condition keys")]
    ConditionKeyCase {
        /// Where the second one is.
        at: Position,
        /// The second one.
        key: Excerpt,
        /// Where the first one is.
        first: Position,
        /// The first one.
        other: Excerpt,
    },
    /// Two statements with one Sid.
    #[error("{at}: Sid {sid} is there already at {first}; a Sid is expected to be unique")]
    RepeatedSid {
        /// Where the second one is.
        at: Position,
        /// Where the first one is.
        first: Position,
        /// The Sid.
        sid: Excerpt,
    },
}

fn did_you_mean(nearest: &Option<&'static str>) -> String {
    nearest.map_or_else(String::new, |word| format!("; did you mean {word}?"))
}

impl PolicyError {
    /// Where the fault is.
    #[must_use]
    pub fn position(&self) -> Position {
        match self {
            Self::Json(error) => error.position(),
            Self::Character { at, .. }
            | Self::UnknownKey { at, .. }
            | Self::ForbiddenKey { at, .. }
            | Self::MissingKey { at, .. }
            | Self::ExclusiveKeys { at, .. }
            | Self::WrongType { at, .. }
            | Self::WrongText { at, .. }
            | Self::EmptyList { at, .. }
            | Self::ConditionKeyCase { at, .. }
            | Self::RepeatedSid { at, .. } => *at,
        }
    }

    /// The line of the fault, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.position().line
    }

    /// The column of the fault in characters, from 1.
    #[must_use]
    pub fn column(&self) -> usize {
        self.position().column
    }
}

/// A policy document whose grammar is checked. Equality, order and hash go by the minified text, so
/// layout does not matter; the string form and serde's are the minified text too, and read as a
/// session policy.
#[derive(Clone)]
pub struct PolicyDocument {
    kind: PolicyKind,
    minified: String,
    root: Value,
}

impl PolicyDocument {
    /// Reads a session policy.
    ///
    /// # Errors
    /// When STS would call it malformed, or its meaning is not certain (repeated keys).
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        Self::parse_as(PolicyKind::Session, text)
    }

    /// Reads a policy of some kind.
    ///
    /// # Errors
    /// As [`PolicyDocument::parse`], by the rules of that kind.
    pub fn parse_as(kind: PolicyKind, text: &str) -> Result<Self, PolicyError> {
        let root = json::parse(text)?;
        check(kind, text, &root)?;
        let minified = json::minified(&root.value);
        Ok(Self {
            kind,
            minified,
            root: root.value,
        })
    }

    /// What it was read as.
    #[must_use]
    pub fn kind(&self) -> PolicyKind {
        self.kind
    }

    /// The document in its own order without whitespace and with the shortest strings, as it goes
    /// to STS.
    #[must_use]
    pub fn minified(&self) -> &str {
        &self.minified
    }

    /// The same as [`PolicyDocument::minified`].
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.minified
    }

    /// The length of the minified text in characters, as STS counts.
    #[must_use]
    pub fn characters(&self) -> usize {
        self.minified.chars().count()
    }

    /// Whether it is over [`DOCUMENTED_POLICY_CHARACTERS`].
    #[must_use]
    pub fn exceeds_documented_limit(&self) -> bool {
        self.characters() > DOCUMENTED_POLICY_CHARACTERS
    }

    /// The whole document with the places of everything in the text that was read.
    #[must_use]
    pub fn root(&self) -> &Value {
        &self.root
    }

    /// The statements in order, also when the document has just one and no list.
    #[must_use]
    pub fn statements(&self) -> Vec<&Value> {
        match self.root.member("Statement").map(|node| &node.value) {
            Some(Value::Array(statements)) => statements.iter().map(|node| &node.value).collect(),
            single => single.into_iter().collect(),
        }
    }
}

string_form!(PolicyDocument, PolicyError);

impl PartialEq for PolicyDocument {
    fn eq(&self, other: &Self) -> bool {
        self.minified == other.minified
    }
}

impl Eq for PolicyDocument {}

impl Hash for PolicyDocument {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.minified.hash(state);
    }
}

impl PartialOrd for PolicyDocument {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for PolicyDocument {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.minified.cmp(&other.minified)
    }
}

/// Whether a text, which says this document, is a policy of that kind.
pub(crate) fn check(kind: PolicyKind, text: &str, root: &Node) -> Result<(), PolicyError> {
    check_characters(text)?;
    grammar::check(kind, root)
}

/// The character set of STS's `Policy`, on the text as it was written.
fn check_characters(text: &str) -> Result<(), PolicyError> {
    let mut at = Position::START;
    for character in text.chars() {
        match character {
            '\n' => {
                at = Position {
                    line: at.line + 1,
                    column: 1,
                }
            }
            '\t' | '\r' | '\u{20}'..='\u{ff}' => at.column += 1,
            _ => return Err(PolicyError::Character { at, character }),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
