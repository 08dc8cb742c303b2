//! Condition operators and the conditions of a statement.
//!
//! Source: IAM user guide, "IAM JSON policy elements: Condition operators" and "Set operators for
//! multivalued context keys".

use std::fmt;

use super::Pattern;
use crate::json::Position;

/// What an operator compares, without its negation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Test {
    /// `StringEquals`
    StringEquals,
    /// `StringEqualsIgnoreCase`
    StringEqualsIgnoreCase,
    /// `StringLike`: with wildcards.
    StringLike,
    /// `Numeric…`
    Numeric(Comparison),
    /// `Date…`
    Date(Comparison),
    /// `Bool`
    Bool,
    /// `BinaryEquals`
    Binary,
    /// `IpAddress`
    IpAddress,
    /// `ArnEquals`, `ArnLike`: documented to be the same.
    Arn,
    /// `Null`: whether the key is missing.
    Null,
}

/// How two numbers or dates are compared: the request's value stands on the left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `Equals`
    Equal,
    /// `LessThan`
    Less,
    /// `LessThanEquals`
    LessOrEqual,
    /// `GreaterThan`
    Greater,
    /// `GreaterThanEquals`
    GreaterOrEqual,
}

/// How the values of a key with many are taken together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quantifier {
    /// `ForAllValues:`
    ForAllValues,
    /// `ForAnyValue:`
    ForAnyValue,
}

/// A condition operator, such as `ForAnyValue:StringNotLikeIfExists`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Operator {
    /// `ForAllValues:`, `ForAnyValue:` or neither.
    pub quantifier: Option<Quantifier>,
    /// What is compared.
    pub test: Test,
    /// Whether it is the form with `Not`.
    pub negated: bool,
    /// Whether it ends in `IfExists`: holds where the key is missing.
    pub if_exists: bool,
}

/// Each operator by its name; of two with one meaning, the first is how we write it.
const NAMES: [(&str, Test, bool); 27] = [
    ("StringEquals", Test::StringEquals, false),
    ("StringNotEquals", Test::StringEquals, true),
    (
        "StringEqualsIgnoreCase",
        Test::StringEqualsIgnoreCase,
        false,
    ),
    (
        "StringNotEqualsIgnoreCase",
        Test::StringEqualsIgnoreCase,
        true,
    ),
    ("StringLike", Test::StringLike, false),
    ("StringNotLike", Test::StringLike, true),
    ("NumericEquals", Test::Numeric(Comparison::Equal), false),
    ("NumericNotEquals", Test::Numeric(Comparison::Equal), true),
    ("NumericLessThan", Test::Numeric(Comparison::Less), false),
    (
        "NumericLessThanEquals",
        Test::Numeric(Comparison::LessOrEqual),
        false,
    ),
    (
        "NumericGreaterThan",
        Test::Numeric(Comparison::Greater),
        false,
    ),
    (
        "NumericGreaterThanEquals",
        Test::Numeric(Comparison::GreaterOrEqual),
        false,
    ),
    ("DateEquals", Test::Date(Comparison::Equal), false),
    ("DateNotEquals", Test::Date(Comparison::Equal), true),
    ("DateLessThan", Test::Date(Comparison::Less), false),
    (
        "DateLessThanEquals",
        Test::Date(Comparison::LessOrEqual),
        false,
    ),
    ("DateGreaterThan", Test::Date(Comparison::Greater), false),
    (
        "DateGreaterThanEquals",
        Test::Date(Comparison::GreaterOrEqual),
        false,
    ),
    ("Bool", Test::Bool, false),
    ("BinaryEquals", Test::Binary, false),
    ("IpAddress", Test::IpAddress, false),
    ("NotIpAddress", Test::IpAddress, true),
    ("ArnLike", Test::Arn, false),
    ("ArnNotLike", Test::Arn, true),
    ("ArnEquals", Test::Arn, false),
    ("ArnNotEquals", Test::Arn, true),
    ("Null", Test::Null, false),
];

impl Operator {
    /// Reads a name, whose case IAM's own pages vary. `None` where there is no such operator.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let lower = name.to_ascii_lowercase();
        let (quantifier, base) = match lower.split_once(':') {
            Some(("forallvalues", base)) => (Some(Quantifier::ForAllValues), base),
            Some(("foranyvalue", base)) => (Some(Quantifier::ForAnyValue), base),
            Some(_) => return None,
            None => (None, lower.as_str()),
        };
        let (base, if_exists) = match base.strip_suffix("ifexists") {
            Some(shorter) if shorter != "null" => (shorter, true),
            _ => (base, false),
        };
        let known = |(name, ..): &&(&str, Test, bool)| name.eq_ignore_ascii_case(base);
        let (_, test, negated) = NAMES.iter().find(known)?;
        Some(Self {
            quantifier,
            test: *test,
            negated: *negated,
            if_exists,
        })
    }
}

/// The name as AWS's pages write it.
impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let same = |(_, test, negated): &&(&str, Test, bool)| {
            (*test, *negated) == (self.test, self.negated)
        };
        let name = NAMES.iter().find(same).map_or("", |(name, ..)| name);
        f.write_str(match self.quantifier {
            Some(Quantifier::ForAllValues) => "ForAllValues:",
            Some(Quantifier::ForAnyValue) => "ForAnyValue:",
            None => "",
        })?;
        f.write_str(name)?;
        f.write_str(if self.if_exists { "IfExists" } else { "" })
    }
}

/// One operator, one key and the values beside it: several conditions of a statement must all hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The operator.
    pub operator: Operator,
    /// The operator's name as it is written.
    pub operator_text: String,
    /// The condition key as it is written; IAM ignores its case.
    pub key: String,
    /// Where the key stands.
    pub position: Position,
    /// The values, alternatives of each other; never empty.
    pub values: Vec<ConditionValue>,
}

impl Condition {
    /// Whether both hold for the same requests, as far as their texts tell: the same operator, key
    /// and values, wherever they stand.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        let mut values = self.values.iter().zip(&other.values);
        self.operator == other.operator
            && self.key.eq_ignore_ascii_case(&other.key)
            && self.values.len() == other.values.len()
            && values.all(|(a, b)| a.pattern.is_same_as(&b.pattern))
    }
}

/// A value of a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConditionValue {
    /// The value as a text; a number or boolean as it is written.
    pub pattern: Pattern,
    /// Whether it is a string in the document.
    pub is_string: bool,
}
