//! Condition operators (reference_policies_elements_condition_operators) and set operators
//! (reference_policies_condition-single-vs-multi-valued-context-keys).

use super::context::Context;
use super::pattern::{arn_matches, glob, matches, plain};
use super::rules::{Rule, Rules};
use std::cmp::Ordering;
use std::net::IpAddr;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    StringEquals,
    StringIgnoreCase,
    StringLike,
    Arn,
    Bool,
    Null,
    Numeric(Compare),
    Date(Compare),
    Ip,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compare {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Compare {
    fn holds(self, order: Ordering) -> bool {
        match self {
            Compare::Equal => order.is_eq(),
            Compare::Less => order.is_lt(),
            Compare::LessOrEqual => order.is_le(),
            Compare::Greater => order.is_gt(),
            Compare::GreaterOrEqual => order.is_ge(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quantifier {
    ForAllValues,
    ForAnyValue,
}

/// An operator as a policy names it: `ForAnyValue:StringNotLikeIfExists`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Operator {
    quantifier: Option<Quantifier>,
    kind: Kind,
    negated: bool,
    if_exists: bool,
}

impl Operator {
    pub(super) fn parse(name: &str) -> Option<Operator> {
        let (quantifier, name) = match name.split_once(':') {
            Some(("ForAllValues", rest)) => (Some(Quantifier::ForAllValues), rest),
            Some(("ForAnyValue", rest)) => (Some(Quantifier::ForAnyValue), rest),
            Some(_) => return None,
            None => (None, name),
        };
        let (name, if_exists) = match name.strip_suffix("IfExists") {
            Some(base) => (base, true),
            None => (name, false),
        };
        let (kind, negated) = base(name)?;
        // Null has neither: it asks for existence itself.
        let bare = kind != Kind::Null || (quantifier.is_none() && !if_exists);
        bare.then_some(Operator {
            quantifier,
            kind,
            negated,
            if_exists,
        })
    }

    fn rule(self) -> Rule {
        match self.kind {
            Kind::StringEquals | Kind::StringIgnoreCase | Kind::StringLike => Rule::ConditionString,
            Kind::Arn => Rule::ConditionArn,
            Kind::Bool => Rule::ConditionBool,
            Kind::Null => Rule::ConditionNull,
            Kind::Numeric(_) => Rule::ConditionNumeric,
            Kind::Date(_) => Rule::ConditionDate,
            Kind::Ip => Rule::ConditionIp,
        }
    }
}

fn base(name: &str) -> Option<(Kind, bool)> {
    use Compare::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual};
    Some(match name {
        "StringEquals" => (Kind::StringEquals, false),
        "StringNotEquals" => (Kind::StringEquals, true),
        "StringEqualsIgnoreCase" => (Kind::StringIgnoreCase, false),
        "StringNotEqualsIgnoreCase" => (Kind::StringIgnoreCase, true),
        "StringLike" => (Kind::StringLike, false),
        "StringNotLike" => (Kind::StringLike, true),
        "ArnEquals" | "ArnLike" => (Kind::Arn, false),
        "ArnNotEquals" | "ArnNotLike" => (Kind::Arn, true),
        "Bool" => (Kind::Bool, false),
        "Null" => (Kind::Null, false),
        "NumericEquals" => (Kind::Numeric(Equal), false),
        "NumericNotEquals" => (Kind::Numeric(Equal), true),
        "NumericLessThan" => (Kind::Numeric(Less), false),
        "NumericLessThanEquals" => (Kind::Numeric(LessOrEqual), false),
        "NumericGreaterThan" => (Kind::Numeric(Greater), false),
        "NumericGreaterThanEquals" => (Kind::Numeric(GreaterOrEqual), false),
        "DateEquals" => (Kind::Date(Equal), false),
        "DateNotEquals" => (Kind::Date(Equal), true),
        "DateLessThan" => (Kind::Date(Less), false),
        "DateLessThanEquals" => (Kind::Date(LessOrEqual), false),
        "DateGreaterThan" => (Kind::Date(Greater), false),
        "DateGreaterThanEquals" => (Kind::Date(GreaterOrEqual), false),
        "IpAddress" => (Kind::Ip, false),
        "NotIpAddress" => (Kind::Ip, true),
        _ => return None,
    })
}

/// One operator, one key, the values beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Condition {
    pub(super) operator: Operator,
    pub(super) key: String,
    pub(super) values: Vec<String>,
}

impl Condition {
    /// Whether the condition holds; `variables`: whether `${…}` is filled in.
    pub(super) fn holds(&self, context: &Context, rules: &Rules, variables: bool) -> bool {
        let operator = self.operator;
        if !rules.enforces(operator.rule()) {
            return true;
        }
        let found = context.values(&self.key);
        if operator.kind == Kind::Null {
            let absent = if found.is_none() { "true" } else { "false" };
            return self.values.iter().any(|v| v.eq_ignore_ascii_case(absent));
        }
        let if_exists = operator.if_exists && rules.enforces(Rule::ConditionIfExists);
        let Some(found) = found else {
            return if_exists || self.holds_without_key(rules);
        };
        let one = |value: &String| self.value_holds(value, context, variables);
        match self.quantifier(rules) {
            Some(Quantifier::ForAllValues) => found.iter().all(one),
            Some(Quantifier::ForAnyValue) => found.iter().any(one),
            None if operator.negated => found.iter().all(one),
            None => found.iter().any(one),
        }
    }

    fn quantifier(&self, rules: &Rules) -> Option<Quantifier> {
        let rule = match self.operator.quantifier? {
            Quantifier::ForAllValues => Rule::ConditionForAllValues,
            Quantifier::ForAnyValue => Rule::ConditionForAnyValue,
        };
        self.operator.quantifier.filter(|_| rules.enforces(rule))
    }

    fn holds_without_key(&self, rules: &Rules) -> bool {
        match self.quantifier(rules) {
            Some(Quantifier::ForAllValues) => true,
            Some(Quantifier::ForAnyValue) => false,
            None => self.operator.negated || !rules.enforces(Rule::ConditionMissingKey),
        }
    }

    /// Several values beside one key are alternatives; beside a negated operator, none may match.
    fn value_holds(&self, value: &str, context: &Context, variables: bool) -> bool {
        let context = variables.then_some(context);
        let hit = self
            .values
            .iter()
            .any(|wanted| self.alternative(wanted, value, context));
        hit != self.operator.negated
    }

    fn alternative(&self, wanted: &str, value: &str, context: Option<&Context>) -> bool {
        let text = || plain(wanted, context);
        match self.operator.kind {
            Kind::StringEquals => text().is_some_and(|w| w == value),
            Kind::StringIgnoreCase => text().is_some_and(|w| w.eq_ignore_ascii_case(value)),
            Kind::StringLike => glob(wanted, context).is_some_and(|p| matches(&p, value)),
            Kind::Arn => glob(wanted, context).is_some_and(|p| arn_matches(&p, value)),
            Kind::Bool => wanted.eq_ignore_ascii_case(value),
            Kind::Numeric(compare) => numbers(value, wanted).is_some_and(|o| compare.holds(o)),
            Kind::Date(compare) => dates(value, wanted).is_some_and(|o| compare.holds(o)),
            Kind::Ip => in_network(value, wanted).unwrap_or(false),
            Kind::Null => false, // answered before
        }
    }
}

fn numbers(left: &str, right: &str) -> Option<Ordering> {
    left.parse::<f64>()
        .ok()?
        .partial_cmp(&right.parse::<f64>().ok()?)
}

fn dates(left: &str, right: &str) -> Option<Ordering> {
    Some(unix(left)?.cmp(&unix(right)?))
}

/// A W3C date or epoch seconds.
fn unix(text: &str) -> Option<i64> {
    if let Ok(seconds) = text.parse() {
        return Some(seconds);
    }
    let whole = if text.contains('T') {
        text.to_owned()
    } else {
        format!("{text}T00:00:00Z")
    };
    OffsetDateTime::parse(&whole, &Rfc3339)
        .ok()
        .map(OffsetDateTime::unix_timestamp)
}

/// Whether an address is in a network (RFC 4632): `203.0.113.0/24`, `::1`.
fn in_network(address: &str, network: &str) -> Option<bool> {
    let (base, length) = match network.split_once('/') {
        Some((base, length)) => (base, Some(length.parse::<u32>().ok()?)),
        None => (network, None),
    };
    let (address, width) = bits(address.parse().ok()?);
    let (base, base_width) = bits(base.parse().ok()?);
    let length = length.unwrap_or(width);
    if width != base_width || length > width {
        return Some(false);
    }
    let shift = width - length;
    Some(shift == 128 || address >> shift == base >> shift)
}

fn bits(address: IpAddr) -> (u128, u32) {
    match address {
        IpAddr::V4(v4) => (u128::from(v4.to_bits()), 32),
        IpAddr::V6(v6) => (v6.to_bits(), 128),
    }
}
