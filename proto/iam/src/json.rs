//! A small strict JSON reader (RFC 8259) that keeps order and places.
//!
//! Policies decide who may do what, so nothing may depend on how a reader treats what JSON leaves
//! open: repeated keys are refused with both places, and so are lone surrogates and deep nesting.

mod read;
mod write;

pub use read::{parse, parse_with_repeats};
pub(crate) use write::minified;

use std::fmt;

use crate::excerpt::Excerpt;

/// Most bytes of a text that [`parse`] takes.
pub const MAX_JSON_BYTES: usize = 128 * 1024;

/// Most arrays and objects around each other.
pub const MAX_DEPTH: usize = 32;

/// A place in a text. Line and column count from 1, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The character within the line.
    pub column: usize,
}

impl Position {
    /// Where every text begins.
    pub const START: Self = Self { line: 1, column: 1 };
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// A value and where it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// The place of its first character.
    pub position: Position,
}

/// A JSON value. Objects keep their order; numbers keep their spelling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number as it was written.
    Number(String),
    /// A string without its escapes.
    String(String),
    /// A list.
    Array(Vec<Node>),
    /// An object; no key occurs twice, unless it was read by [`parse_with_repeats`].
    Object(Vec<Member>),
}

/// One key of an object and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The key without its escapes.
    pub key: String,
    /// The place of the key's opening quote.
    pub key_position: Position,
    /// The value.
    pub value: Node,
}

impl Value {
    /// The text of a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The elements of a list.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Node]> {
        match self {
            Self::Array(elements) => Some(elements),
            _ => None,
        }
    }

    /// The members of an object in order.
    #[must_use]
    pub fn as_object(&self) -> Option<&[Member]> {
        match self {
            Self::Object(members) => Some(members),
            _ => None,
        }
    }

    /// The value of an object's key; the key's case matters.
    #[must_use]
    pub fn member(&self, key: &str) -> Option<&Node> {
        let members = self.as_object()?;
        members
            .iter()
            .find(|member| member.key == key)
            .map(|member| &member.value)
    }

    /// The kind of value in words, such as "a list".
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::Array(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

/// Why a text is no JSON that we take.
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
pub enum JsonError {
    /// More than [`MAX_JSON_BYTES`].
    #[error("at most {MAX_JSON_BYTES} bytes are expected, there are {found}")]
    TooLong {
        /// How many.
        found: usize,
    },
    /// More than [`MAX_DEPTH`] values around each other.
    #[error("{at}: at most {MAX_DEPTH} levels of nesting are expected")]
    TooDeep {
        /// Where the level begins that is one too many.
        at: Position,
    },
    /// Another character than the grammar allows here.
    #[error("{at}: {expected} is expected, not {found:?}")]
    Unexpected {
        /// Where.
        at: Position,
        /// What would be legal.
        expected: &'static str,
        /// What is there.
        found: char,
    },
    /// The text ends too early.
    #[error("{at}: {expected} is expected, but the text ends")]
    Ended {
        /// The place after the last character.
        at: Position,
        /// What would be legal.
        expected: &'static str,
    },
    /// A key occurs twice in one object.
    #[error(
        "{at}: key {key} is there already at {first}; keep one of the two, with a list \
         of values if both are meant"
    )]
    DuplicateKey {
        /// Where the second one is.
        at: Position,
        /// Where the first one is.
        first: Position,
        /// The key.
        key: Excerpt,
    },
    /// Half of a surrogate pair.
    #[error("{at}: a surrogate escape is expected to be one of a pair")]
    LoneSurrogate {
        /// Where the escape begins.
        at: Position,
    },
}

impl JsonError {
    /// Where the fault is.
    #[must_use]
    pub fn position(&self) -> Position {
        match self {
            Self::TooLong { .. } => Position::START,
            Self::TooDeep { at }
            | Self::Unexpected { at, .. }
            | Self::Ended { at, .. }
            | Self::DuplicateKey { at, .. }
            | Self::LoneSurrogate { at } => *at,
        }
    }
}

#[cfg(test)]
mod tests;
