//! Rules on a document as a whole: its version, its size, and statements without effect.

use super::pattern::{covers, may_overlap};
use super::view::{Condition, Selection, Statement, View, named};
use super::{Findings, Kind, Rule};
use crate::json::{self, Position, Value};
use crate::policy::DOCUMENTED_POLICY_CHARACTERS;

/// Most pairs of patterns that are compared in one document; one with more is not searched for
/// statements without effect. What IAM accepts stays far below it.
pub(super) const MAX_COMPARISONS: usize = 4_000_000;

pub(super) fn check(kind: Kind, view: &View<'_>, findings: &mut Findings) {
    version(view, findings);
    if kind == Kind::Session {
        size(view, findings);
    }
    let principals = matches!(kind, Kind::Trust | Kind::Resource);
    if !principals && comparisons(view) <= MAX_COMPARISONS {
        shadowed(view, findings);
    }
}

fn version(view: &View<'_>, findings: &mut Findings) {
    // What is no object or has no statement is no policy at all.
    if view.statements.is_empty() {
        return;
    }
    let (at, what) = match named(&view.root.value, "Version").last() {
        None => (view.root.position, "there is no Version"),
        Some(member) if member.value.value.as_str() == Some("2012-10-17") => return,
        Some(member) => (member.value.position, "the Version is that of 2008"),
    };
    let what = match first_variable(&view.root.value, view.root.position) {
        None => what.to_owned(),
        Some(place) => format!("{what}, so the variable at {place} is plain text"),
    };
    findings.add(Rule::OldVersion, at, what);
}

/// Where the first text with a policy variable is.
fn first_variable(value: &Value, at: Position) -> Option<Position> {
    match value {
        Value::String(text) => text.contains("${").then_some(at),
        Value::Array(elements) => elements
            .iter()
            .find_map(|node| first_variable(&node.value, node.position)),
        Value::Object(members) => members
            .iter()
            .find_map(|member| first_variable(&member.value.value, member.value.position)),
        _ => None,
    }
}

fn size(view: &View<'_>, findings: &mut Findings) {
    let characters = json::minified(&view.root.value).chars().count();
    if characters > DOCUMENTED_POLICY_CHARACTERS {
        let what = format!(
            "the policy has {characters} characters when minified, and AWS may refuse more than {DOCUMENTED_POLICY_CHARACTERS}"
        );
        findings.add(Rule::TooLong, view.root.position, what);
    }
}

/// How many pairs of patterns [`shadowed`] would compare at most.
fn comparisons(view: &View<'_>) -> usize {
    let (mut actions, mut resources) = (0, 0);
    for deny in view.statements.iter().filter(|statement| statement.denies) {
        actions += deny.actions.texts().len();
        resources += deny.resources.texts().len();
    }
    let weight = |allow: &Statement<'_>| {
        let pairs = allow.resources.texts().len().saturating_mul(resources);
        allow
            .actions
            .texts()
            .len()
            .saturating_mul(pairs.saturating_add(actions))
    };
    view.allows().map(weight).fold(0, usize::saturating_add)
}

fn shadowed(view: &View<'_>, findings: &mut Findings) {
    let denies = view.statements.iter().filter(|statement| statement.denies);
    let shades: Vec<Shade<'_, '_>> = denies.map(Shade::of).collect();
    for allow in view.allows() {
        let Some(shadows) = shadows_of(allow, &shades) else {
            continue;
        };
        let names: Vec<String> = shadows.iter().map(|deny| deny.name.to_string()).collect();
        let what = format!(
            "nothing is left of this Allow: it is denied by {}",
            names.join(" and ")
        );
        let finding = findings.add_in(allow, Rule::Shadowed, allow.at, what);
        finding.other = shadows.first().map(|deny| (deny.at, "the Deny"));
    }
}

/// A Deny and what it covers.
struct Shade<'v, 'a> {
    deny: &'v Statement<'a>,
    actions: Cover,
    resources: Cover,
}

impl<'v, 'a> Shade<'v, 'a> {
    fn of(deny: &'v Statement<'a>) -> Self {
        Self {
            deny,
            actions: Cover::of(&deny.actions, Case::Ignored),
            resources: Cover::of(&deny.resources, Case::Kept),
        }
    }
}

/// Whether the Deny applies whenever the Allow does, as far as conditions go: each of its conditions
/// is one of the Allow's too.
fn applies_with(deny: &Statement<'_>, allow: &Statement<'_>) -> bool {
    let same = |one: &Condition<'_>, other: &Condition<'_>| {
        let texts = |condition: &Condition<'_>| -> Vec<String> {
            condition.values.iter().map(|v| v.text.to_owned()).collect()
        };
        one.written.eq_ignore_ascii_case(other.written)
            && one.is_key(other.key.text)
            && texts(one) == texts(other)
    };
    let mut conditions = deny.conditions.iter();
    conditions.all(|one| allow.conditions.iter().any(|other| same(one, other)))
}

/// The denies that together take back all of the Allow: for each of its actions with each of its
/// resources there is one that covers both.
fn shadows_of<'v, 'a>(
    allow: &Statement<'a>,
    shades: &[Shade<'v, 'a>],
) -> Option<Vec<&'v Statement<'a>>> {
    let actions = elements(&allow.actions, Case::Ignored);
    let resources = elements(&allow.resources, Case::Kept);
    if actions.is_empty() || resources.is_empty() {
        return None;
    }
    let applying: Vec<&Shade<'_, '_>> = shades
        .iter()
        .filter(|shade| applies_with(shade.deny, allow))
        .collect();
    let mut shadows: Vec<&Statement<'a>> = Vec::new();
    for action in &actions {
        let acting = applying.iter().filter(|shade| shade.actions.holds(action));
        let acting: Vec<_> = acting.collect();
        for resource in &resources {
            let covering = acting
                .iter()
                .filter(|shade| shade.resources.holds(resource));
            let covering: Vec<_> = covering.map(|shade| shade.deny).collect();
            if covering.is_empty() {
                return None;
            }
            shadows.extend(covering);
        }
    }
    shadows.sort_by_key(|deny| deny.name.number);
    shadows.dedup_by_key(|deny| deny.name.number);
    Some(shadows)
}

/// IAM compares actions without their case, resources with it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Case {
    Ignored,
    Kept,
}

fn spelled(selection: &Selection<'_>, case: Case) -> Vec<String> {
    let texts = selection.texts().iter();
    let spell = |text: &str| match case {
        Case::Ignored => text.to_ascii_lowercase(),
        Case::Kept => text.to_owned(),
    };
    texts.map(|text| spell(text.text)).collect()
}

/// What a selection is made of: patterns one by one, or everything but some.
enum Element {
    Pattern(String),
    AllBut(Vec<String>),
}

fn elements(selection: &Selection<'_>, case: Case) -> Vec<Element> {
    let patterns = spelled(selection, case);
    match selection {
        Selection::Listed(_) => patterns.into_iter().map(Element::Pattern).collect(),
        Selection::Excluded(_) => vec![Element::AllBut(patterns)],
    }
}

/// A whole selection of a Deny.
enum Cover {
    Patterns(Vec<String>),
    AllBut(Vec<String>),
}

impl Cover {
    fn of(selection: &Selection<'_>, case: Case) -> Self {
        let patterns = spelled(selection, case);
        match selection {
            Selection::Listed(_) => Self::Patterns(patterns),
            Selection::Excluded(_) => Self::AllBut(patterns),
        }
    }

    /// Whether it holds all of the element.
    fn holds(&self, element: &Element) -> bool {
        match (self, element) {
            (Self::Patterns(outer), Element::Pattern(inner)) => {
                outer.iter().any(|outer| covers(outer, inner))
            }
            (Self::Patterns(outer), Element::AllBut(_)) => outer.iter().any(|outer| outer == "*"),
            (Self::AllBut(spared), Element::Pattern(inner)) => {
                !spared.iter().any(|spared| may_overlap(spared, inner))
            }
            (Self::AllBut(spared), Element::AllBut(own)) => spared
                .iter()
                .all(|spared| own.iter().any(|own| covers(own, spared))),
        }
    }
}
