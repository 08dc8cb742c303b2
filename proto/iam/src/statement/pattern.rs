//! Texts of policies that stand for many texts: wildcards and policy variables.
//!
//! Source: IAM user guide, "IAM policy elements: Variables and tags" and "IAM JSON policy elements:
//! Resource".

use std::fmt;

use crate::json::Position;

/// A part of a [`Pattern`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Piece {
    /// This very character.
    Exactly(char),
    /// `?`: any one character.
    One,
    /// `*`: any characters, also none.
    Many {
        /// Whether it is the last character of its segment (of what stands between two colons).
        /// Only such a `*` is documented to reach beyond the colon. Always so in an action.
        ends_segment: bool,
    },
    /// `${…}`: the value of a condition key.
    Variable(Variable),
}

/// `${key}` or `${key, 'default'}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Variable {
    /// The condition key as it is written; IAM ignores its case.
    pub key: String,
    /// What it stands for where the request has no such key.
    pub default: Option<String>,
}

/// A text with wildcards and variables, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    pieces: Vec<Piece>,
    position: Position,
}

/// What a text of a policy may hold beside characters that stand for themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Syntax {
    pub(super) wildcards: bool,
    /// Off in documents of a version before 2012-10-17, where `${` is plain text.
    pub(super) variables: bool,
}

/// What is wrong with a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NoVariable;

impl Pattern {
    /// An action: wildcards, no variables, and IAM ignores its case. It has one colon, so that how
    /// far a `*` reaches is no question.
    pub(crate) fn action(text: &str, position: Position) -> Self {
        let lower = text.to_ascii_lowercase();
        let pieces = lower.chars().map(|character| match wildcard(character) {
            Piece::Many { .. } => Piece::Many { ends_segment: true },
            other => other,
        });
        Self {
            text: text.to_owned(),
            pieces: pieces.collect(),
            position,
        }
    }

    pub(super) fn read(text: &str, syntax: Syntax, position: Position) -> Result<Self, NoVariable> {
        Ok(Self::new(text, pieces(text, syntax)?, position))
    }

    fn new(text: &str, mut pieces: Vec<Piece>, position: Position) -> Self {
        for at in 0..pieces.len() {
            let last = matches!(pieces.get(at + 1), None | Some(Piece::Exactly(':')));
            if let Piece::Many { ends_segment } = &mut pieces[at] {
                *ends_segment = last;
            }
        }
        Self {
            text: text.to_owned(),
            pieces,
            position,
        }
    }

    /// The text as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its parts in order. Those of an action are in lower case.
    #[must_use]
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Where it stands.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// Its variables in order; `${*}`, `${?}` and `${$}` are none.
    pub fn variables(&self) -> impl Iterator<Item = &Variable> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Variable(variable) => Some(variable),
            _ => None,
        })
    }

    /// Whether it has a `*` or `?` that stands for other characters.
    #[must_use]
    pub fn has_wildcard(&self) -> bool {
        let wild = |piece: &Piece| matches!(piece, Piece::One | Piece::Many { .. });
        self.pieces.iter().any(wild)
    }

    /// Whether it matches every text: nothing but `*`.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        let many = |piece: &Piece| matches!(piece, Piece::Many { .. });
        !self.pieces.is_empty() && self.pieces.iter().all(many)
    }

    /// Whether both mean the same whatever the request: equal parts, wherever they stand.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.pieces == other.pieces
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.text.chars() {
            write!(f, "{}", character.escape_debug())?;
        }
        Ok(())
    }
}

fn wildcard(character: char) -> Piece {
    match character {
        '*' => Piece::Many {
            ends_segment: false,
        },
        '?' => Piece::One,
        other => Piece::Exactly(other),
    }
}

fn pieces(text: &str, syntax: Syntax) -> Result<Vec<Piece>, NoVariable> {
    let mut pieces = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let inside = rest.strip_prefix("${").filter(|_| syntax.variables);
        if let Some(inside) = inside {
            let (name, behind) = inside.split_once('}').ok_or(NoVariable)?;
            pieces.push(variable(name)?);
            rest = behind;
            continue;
        }
        pieces.push(if syntax.wildcards {
            wildcard(character)
        } else {
            Piece::Exactly(character)
        });
        rest = &rest[character.len_utf8()..];
    }
    Ok(pieces)
}

/// What stands between `${` and `}`. `*`, `?` and `$` stand for themselves.
fn variable(name: &str) -> Result<Piece, NoVariable> {
    if let "*" | "?" | "$" = name {
        return Ok(Piece::Exactly(name.chars().next().ok_or(NoVariable)?));
    }
    let (key, default) = match name.split_once(',') {
        None => (name, None),
        Some((key, default)) => (key, Some(quoted(default.trim()).ok_or(NoVariable)?)),
    };
    let key = key.trim();
    if key.is_empty() || !key.contains(':') {
        return Err(NoVariable);
    }
    Ok(Piece::Variable(Variable {
        key: key.to_owned(),
        default: default.map(str::to_owned),
    }))
}

fn quoted(text: &str) -> Option<&str> {
    let inside = text.strip_prefix('\'')?.strip_suffix('\'')?;
    (!inside.contains('\'')).then_some(inside)
}
