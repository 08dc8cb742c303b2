//! Yes, no, or the reason why neither is certain.

use std::fmt;

use crate::excerpt::Excerpt;

/// What is not known about whether a statement applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt {
    /// The value of a condition key is not known.
    Key {
        /// The key.
        key: String,
    },
    /// The value of a policy variable is not known.
    Variable {
        /// Its key.
        key: String,
    },
    /// A policy variable has no value here. That makes a statement invalid, says AWS, but only
    /// that it "might".
    VariableWithoutValue {
        /// Its key.
        key: String,
    },
    /// A key has several values, and the operator does not say how to take them together; AWS
    /// documents that for operators with `ForAllValues` and `ForAnyValue` only.
    SeveralValues {
        /// The key.
        key: String,
    },
    /// A value that the operator cannot compare: no number, no full date, no boolean, no address,
    /// no ARN, or an empty text where AWS speaks of a null value.
    Value {
        /// The key.
        key: String,
        /// The operator.
        operator: String,
    },
    /// An operator that is not evaluated here.
    Operator {
        /// The operator.
        operator: String,
    },
    /// It matches if a `*` within a segment reaches beyond a colon; AWS documents that for a `*`
    /// at the end of a segment only.
    StarAcrossColon {
        /// The pattern.
        pattern: String,
    },
    /// It is not documented whom a principal of this kind means here.
    Principal {
        /// The principal.
        name: String,
    },
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key { key } => write!(f, "the value of {} is not known", Excerpt::of(key)),
            Self::Variable { key } => {
                write!(
                    f,
                    "the value of the variable {} is not known",
                    Excerpt::of(key)
                )
            }
            Self::VariableWithoutValue { key } => {
                let key = Excerpt::of(key);
                write!(
                    f,
                    "the variable {key} has no value, which AWS says might make the statement invalid"
                )
            }
            Self::SeveralValues { key } => {
                let key = Excerpt::of(key);
                write!(
                    f,
                    "{key} has several values, and the operator has no ForAllValues or ForAnyValue"
                )
            }
            Self::Value { key, operator } => {
                write!(
                    f,
                    "{operator} cannot compare the values of {}",
                    Excerpt::of(key)
                )
            }
            Self::Operator { operator } => write!(f, "{operator} is not evaluated"),
            Self::StarAcrossColon { pattern } => {
                let pattern = Excerpt::of(pattern);
                write!(
                    f,
                    "{pattern} matches only if a * within a segment reaches beyond a colon"
                )
            }
            Self::Principal { name } => {
                let name = Excerpt::of(name);
                write!(
                    f,
                    "it is not documented how session policies limit what {name} is granted"
                )
            }
        }
    }
}

/// Whether something holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    Yes,
    No,
    Unknown(Doubt),
}

impl Answer {
    pub(super) fn of(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }

    pub(super) fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            unknown => unknown,
        }
    }

    /// Whether all hold: a sure no wins, then the first doubt.
    pub(super) fn all(answers: impl IntoIterator<Item = Self>) -> Self {
        let mut result = Self::Yes;
        for answer in answers {
            match answer {
                Self::No => return Self::No,
                Self::Unknown(_) if result == Self::Yes => result = answer,
                _ => {}
            }
        }
        result
    }

    /// Whether one holds: a sure yes wins, then the first doubt.
    pub(super) fn any(answers: impl IntoIterator<Item = Self>) -> Self {
        Self::all(answers.into_iter().map(Self::not)).not()
    }
}
