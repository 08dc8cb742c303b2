//! Whether a condition holds.
//!
//! Source: IAM user guide, "IAM JSON policy elements: Condition operators" (missing keys, IfExists,
//! Null), "Conditions with multiple context keys or values" (alternatives, NOR beside a negated
//! operator), "Set operators for multivalued context keys".

use super::answer::{Answer, Doubt};
use super::compare;
use super::context::{Context, Fact};
use super::text::{Filled, Hit, Reading};
use crate::statement::{Condition, ConditionValue, Piece, Quantifier, Test};

/// Whether the condition holds for a request with that context.
pub(super) fn holds(condition: &Condition, context: &Context) -> Answer {
    let operator = condition.operator;
    let unknown_operator = || {
        Answer::Unknown(Doubt::Operator {
            operator: operator.to_string(),
        })
    };
    let fact = context.fact(&condition.key);
    match (operator.test, operator.quantifier) {
        (Test::Binary, _) | (Test::Null, Some(_)) => return unknown_operator(),
        (Test::Null, None) => return is_null(condition, fact),
        _ => {}
    }
    match fact {
        Fact::Unknown => Answer::Unknown(Doubt::Key {
            key: condition.key.clone(),
        }),
        Fact::Absent => Answer::of(holds_without_key(condition)),
        Fact::Values(values) => holds_for(condition, values, context),
    }
}

fn holds_without_key(condition: &Condition) -> bool {
    let operator = condition.operator;
    operator.if_exists
        || match operator.quantifier {
            Some(Quantifier::ForAllValues) => true,
            Some(Quantifier::ForAnyValue) => false,
            None => operator.negated,
        }
}

fn holds_for(condition: &Condition, values: &[String], context: &Context) -> Answer {
    let one = |value: &String| value_holds(condition, value, context);
    match condition.operator.quantifier {
        Some(Quantifier::ForAllValues) => {
            let answer = Answer::all(values.iter().map(one));
            // "A null dataset, such as an empty string" holds, whatever the operator says.
            let null = values.iter().any(String::is_empty);
            if null && answer == Answer::No {
                return cannot_compare(condition);
            }
            answer
        }
        Some(Quantifier::ForAnyValue) => {
            let answer = Answer::any(values.iter().map(one));
            let null = values.iter().any(String::is_empty);
            if null && answer == Answer::Yes {
                return cannot_compare(condition);
            }
            answer
        }
        None => match values {
            [value] => one(value),
            _ => Answer::Unknown(Doubt::SeveralValues {
                key: condition.key.clone(),
            }),
        },
    }
}

fn cannot_compare(condition: &Condition) -> Answer {
    Answer::Unknown(incomparable(condition))
}

fn incomparable(condition: &Condition) -> Doubt {
    Doubt::Value {
        key: condition.key.clone(),
        operator: condition.operator.to_string(),
    }
}

fn is_null(condition: &Condition, fact: Fact<'_>) -> Answer {
    let absent = match fact {
        Fact::Unknown => {
            let key = condition.key.clone();
            return Answer::Unknown(Doubt::Key { key });
        }
        // Whether an empty text counts as null is not said for Null itself.
        Fact::Values(values) if values.iter().any(String::is_empty) => {
            return cannot_compare(condition);
        }
        Fact::Values(_) => false,
        Fact::Absent => true,
    };
    let wanted =
        condition
            .values
            .iter()
            .map(|value| match compare::boolean(value.pattern.as_str()) {
                Some(wanted) => Answer::of(wanted == absent),
                None => cannot_compare(condition),
            });
    Answer::any(wanted)
}

/// Alternatives; beside a negated operator none of them may match.
fn value_holds(condition: &Condition, value: &str, context: &Context) -> Answer {
    let hits: Vec<Hit> = condition
        .values
        .iter()
        .map(|wanted| hit(condition, wanted, value, context))
        .collect();
    Hit::together(&hits, condition.operator.negated)
}

fn hit(condition: &Condition, wanted: &ConditionValue, value: &str, context: &Context) -> Hit {
    let known = |hit: Option<bool>| match hit {
        Some(hit) => Hit::of(hit),
        None => Hit::Unknown(incomparable(condition)),
    };
    let text = wanted.pattern.as_str();
    match condition.operator.test {
        Test::StringEquals | Test::StringLike => {
            Filled::of(&wanted.pattern, context).hit_text(value)
        }
        Test::StringEqualsIgnoreCase => {
            let filled = Filled::of(&wanted.pattern, context);
            filled.trouble().unwrap_or_else(|| {
                known(
                    filled
                        .literal()
                        .and_then(|text| same_without_case(&text, value)),
                )
            })
        }
        Test::Arn => {
            let filled = Filled::of(&wanted.pattern, context);
            let trouble = filled.trouble();
            trouble.unwrap_or_else(|| known(arn_matches(&filled.pieces, value)))
        }
        Test::Bool => {
            let filled = Filled::of(&wanted.pattern, context);
            filled.trouble().unwrap_or_else(|| {
                let wanted = filled.literal().and_then(|text| compare::boolean(&text));
                known(wanted.zip(compare::boolean(value)).map(|(a, b)| a == b))
            })
        }
        Test::Numeric(comparison) => known(compare::numbers(value, text, comparison)),
        Test::Date(comparison) => known(compare::dates(value, text, comparison)),
        Test::IpAddress => known(compare::in_network(value, text)),
        Test::Binary | Test::Null => known(None),
    }
}

/// `None` where it depends on what case is beyond ASCII, which AWS does not say.
fn same_without_case(one: &str, other: &str) -> Option<bool> {
    let ascii = one.eq_ignore_ascii_case(other);
    (ascii || one.to_lowercase() != other.to_lowercase()).then_some(ascii)
}

/// Each of the six parts on its own. `None` where one of the two is no ARN.
fn arn_matches(pieces: &[Piece], value: &str) -> Option<bool> {
    let parts: Vec<&[Piece]> = pieces
        .splitn(6, |piece| *piece == Piece::Exactly(':'))
        .collect();
    let names: Vec<&str> = value.splitn(6, ':').collect();
    if parts.len() != 6 || names.len() != 6 {
        return None;
    }
    let mut both = parts.iter().zip(names);
    Some(both.all(|(part, name)| Reading::WIDEST.matches(part, name)))
}
