//! The exact opposite of a condition.
//!
//! IAM user guide, "Condition operators": where the key is missing, an operator does not hold, one
//! with `Not` holds, and one with `IfExists` holds. "Conditions with multiple context keys or
//! values": several values are alternatives, and beside an operator with `Not` none may match. So,
//! for a key that has one value if any:
//!
//! | condition | its opposite | where the key is missing |
//! |---|---|---|
//! | `StringEquals` (`Like`, `IgnoreCase`, `Arn…`, `IpAddress`, `NumericEquals`, `DateEquals`) | the same with `Not` | no ↔ yes |
//! | `StringNotEquals` (and so on), also with `IfExists` | the same without `Not` | yes ↔ no |
//! | `NumericLessThan`, `Date…`: one value | `NumericGreaterThanEqualsIfExists` | no ↔ yes |
//! | the same with `IfExists` | `NumericGreaterThanEquals` | yes ↔ no |
//! | `Bool`: one value | `BoolIfExists` of the other value | no ↔ yes |
//! | `BoolIfExists` | `Bool` of the other value | yes ↔ no |
//! | `IpAddressIfExists`, `NumericEqualsIfExists`, `DateEqualsIfExists` | with `Not`, and `Null` false | yes ↔ no |
//! | `Null`: one value | `Null` of the other value | |
//!
//! Both sides compare the value in the same way only if it is of the operator's type: a tag that
//! holds no number is neither less than 5 nor at least 5. So the key must be one that AWS documents
//! with one value of that type ("AWS global condition context keys" and the services' own pages).
//! Refused: `ForAllValues` and `ForAnyValue` (an empty text may count as no value), string
//! operators with `IfExists` (for `Null`, too), `BinaryEquals`, policy variables that may
//! be without a value, any other key.

use super::Inexact;
use super::grants::may_lack_value;
use crate::evaluate::compare;
use crate::excerpt::Excerpt;
use crate::statement::{Comparison, Condition, Operator, Pattern, Test};

/// A condition that is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Opposite {
    pub(super) operator: Operator,
    pub(super) key: String,
    pub(super) values: Vec<String>,
}

/// What becomes of two conditions in one statement.
pub(super) enum Joined {
    /// They are both there.
    Fits,
    /// They exclude each other.
    Never,
    /// They would be read in another way.
    Inexact,
}

impl Opposite {
    /// Adds it to conditions that must all hold. Under one operator a key is there once, so two
    /// lists of values become one, which is right only where none of the values may match.
    pub(super) fn joined(&self, all: &mut Vec<Self>) -> Joined {
        let same = |other: &&mut Self| {
            other.operator == self.operator && other.key.eq_ignore_ascii_case(&self.key)
        };
        let Some(other) = all.iter_mut().find(same) else {
            all.push(self.clone());
            return Joined::Fits;
        };
        if other.values == self.values {
            return Joined::Fits;
        }
        if self.operator.test == Test::Null {
            return Joined::Never;
        }
        if !self.operator.negated {
            return Joined::Inexact;
        }
        let new = self.values.iter().filter(|new| !other.values.contains(new));
        let new: Vec<String> = new.cloned().collect();
        other.values.extend(new);
        Joined::Fits
    }
}

/// What type the one value of a key has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Text,
    Arn,
    Bool,
    Number,
    Date,
    Address,
}

/// Keys with one value.
const KEYS: [(&str, Type); 37] = [
    ("aws:CurrentTime", Type::Date),
    ("aws:EpochTime", Type::Date),
    ("aws:FederatedProvider", Type::Text),
    ("aws:MultiFactorAuthAge", Type::Number),
    ("aws:MultiFactorAuthPresent", Type::Bool),
    ("aws:PrincipalAccount", Type::Text),
    ("aws:PrincipalArn", Type::Arn),
    ("aws:PrincipalIsAWSService", Type::Bool),
    ("aws:PrincipalOrgID", Type::Text),
    ("aws:PrincipalServiceName", Type::Text),
    ("aws:PrincipalType", Type::Text),
    ("aws:referer", Type::Text),
    ("aws:RequestedRegion", Type::Text),
    ("aws:ResourceAccount", Type::Text),
    ("aws:ResourceOrgID", Type::Text),
    ("aws:SecureTransport", Type::Bool),
    ("aws:SourceAccount", Type::Text),
    ("aws:SourceArn", Type::Arn),
    ("aws:SourceIdentity", Type::Text),
    ("aws:SourceIp", Type::Address),
    ("aws:SourceOrgID", Type::Text),
    ("aws:SourceVpc", Type::Text),
    ("aws:SourceVpce", Type::Text),
    ("aws:TokenIssueTime", Type::Date),
    ("aws:UserAgent", Type::Text),
    ("aws:userid", Type::Text),
    ("aws:username", Type::Text),
    ("aws:ViaAWSService", Type::Bool),
    ("aws:VpcSourceIp", Type::Address),
    ("iam:AWSServiceName", Type::Text),
    ("iam:PassedToService", Type::Text),
    ("kms:ViaService", Type::Text),
    ("s3:max-keys", Type::Number),
    ("s3:prefix", Type::Text),
    ("sts:ExternalId", Type::Text),
    ("sts:RoleSessionName", Type::Text),
    ("sts:SourceIdentity", Type::Text),
];

/// Beginnings of keys of tags: one value, a text.
const TAGS: [&str; 3] = ["aws:PrincipalTag/", "aws:RequestTag/", "aws:ResourceTag/"];

fn type_of(key: &str) -> Option<Type> {
    let known = KEYS.iter().find(|(name, _)| name.eq_ignore_ascii_case(key));
    if let Some((_, kind)) = known {
        return Some(*kind);
    }
    let begins = |prefix: &str| {
        let head = key.get(..prefix.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(prefix))
    };
    // Services have their own spelling: ec2:ResourceTag/Name, ssm:resourceTag/Name.
    let of_service = key.split_once(':').and_then(|(_, name)| name.get(..12));
    let tag = of_service.is_some_and(|head| head.eq_ignore_ascii_case("ResourceTag/"));
    (tag || TAGS.iter().any(|prefix| begins(prefix))).then_some(Type::Text)
}

/// The opposite: all of the result together hold exactly where the condition does not.
pub(super) fn opposite(condition: &Condition) -> Result<Vec<Opposite>, Inexact> {
    let operator = condition.operator;
    let key = || Excerpt::of(&condition.key);
    let refused = || Inexact::Operator {
        operator: operator.to_string(),
        key: key(),
    };
    if operator.quantifier.is_some() {
        return Err(refused());
    }
    // Where a value has colons, which part of an ARN is which is not documented.
    let unsettled = |pattern: &Pattern| match operator.test {
        Test::Arn => pattern.variables().next().is_some(),
        _ => may_lack_value(pattern),
    };
    let mut patterns = condition.values.iter().map(|value| &value.pattern);
    if let Some(pattern) = patterns.find(|pattern| unsettled(pattern)) {
        let text = Excerpt::of(pattern.as_str());
        return Err(Inexact::Variable { text });
    }
    check_key(condition)?;
    check_values(condition)?;
    let if_exists = operator.if_exists;
    let opposite = match operator.test {
        Test::Numeric(comparison) | Test::Date(comparison) if comparison != Comparison::Equal => {
            let comparison = beyond(comparison);
            let test = match operator.test {
                Test::Date(_) => Test::Date(comparison),
                _ => Test::Numeric(comparison),
            };
            vec![written(condition, test, false, !if_exists)]
        }
        Test::Bool => vec![flipped(written(condition, Test::Bool, false, !if_exists))],
        Test::Null => vec![flipped(written(condition, Test::Null, false, false))],
        Test::Binary => return Err(refused()),
        test if operator.negated => vec![written(condition, test, false, false)],
        test if !if_exists => vec![written(condition, test, true, false)],
        Test::StringEquals | Test::StringEqualsIgnoreCase | Test::StringLike | Test::Arn => {
            return Err(refused());
        }
        test => vec![written(condition, test, true, false), there(&condition.key)],
    };
    Ok(opposite)
}

fn written(condition: &Condition, test: Test, negated: bool, if_exists: bool) -> Opposite {
    let values = condition.values.iter();
    Opposite {
        operator: Operator {
            quantifier: None,
            test,
            negated,
            if_exists,
        },
        key: condition.key.clone(),
        values: values
            .map(|value| value.pattern.as_str().to_owned())
            .collect(),
    }
}

/// The other of `true` and `false`; there is one value.
fn flipped(opposite: Opposite) -> Opposite {
    let truth = opposite
        .values
        .first()
        .and_then(|text| compare::boolean(text));
    Opposite {
        values: vec![(truth == Some(false)).to_string()],
        ..opposite
    }
}

/// The key is there.
fn there(key: &str) -> Opposite {
    Opposite {
        operator: Operator {
            quantifier: None,
            test: Test::Null,
            negated: false,
            if_exists: false,
        },
        key: key.to_owned(),
        values: vec!["false".to_owned()],
    }
}

/// What holds of two values exactly where the comparison does not.
fn beyond(comparison: Comparison) -> Comparison {
    match comparison {
        Comparison::Less => Comparison::GreaterOrEqual,
        Comparison::LessOrEqual => Comparison::Greater,
        Comparison::Greater => Comparison::LessOrEqual,
        Comparison::GreaterOrEqual => Comparison::Less,
        Comparison::Equal => Comparison::Equal,
    }
}

fn check_key(condition: &Condition) -> Result<(), Inexact> {
    let kind = type_of(&condition.key);
    let fits = match condition.operator.test {
        Test::StringEquals | Test::StringEqualsIgnoreCase | Test::StringLike => {
            matches!(kind, Some(Type::Text | Type::Arn))
        }
        Test::Arn => kind == Some(Type::Arn),
        Test::Bool => kind == Some(Type::Bool),
        Test::Numeric(_) => kind == Some(Type::Number),
        Test::Date(_) => kind == Some(Type::Date),
        Test::IpAddress => kind == Some(Type::Address),
        // Whether a key is there does not depend on its type.
        Test::Null | Test::Binary => true,
    };
    if fits {
        return Ok(());
    }
    Err(Inexact::Key {
        key: Excerpt::of(&condition.key),
        operator: condition.operator.to_string(),
    })
}

fn check_values(condition: &Condition) -> Result<(), Inexact> {
    let test = condition.operator.test;
    let single = match test {
        Test::Bool | Test::Null => true,
        Test::Numeric(comparison) | Test::Date(comparison) => comparison != Comparison::Equal,
        _ => false,
    };
    let legal = |text: &str| match test {
        Test::Bool | Test::Null => compare::boolean(text).is_some(),
        Test::Numeric(_) => compare::number(text).is_some(),
        Test::Date(_) => compare::date(text).is_some(),
        Test::IpAddress => compare::network(text).is_some(),
        Test::Arn => text.starts_with("arn:") && text.splitn(6, ':').count() == 6,
        _ => true,
    };
    let mut texts = condition.values.iter().map(|value| value.pattern.as_str());
    if (!single || condition.values.len() == 1) && texts.all(legal) {
        return Ok(());
    }
    Err(Inexact::Values {
        key: Excerpt::of(&condition.key),
        operator: condition.operator.to_string(),
    })
}
