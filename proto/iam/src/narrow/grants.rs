//! The allows of an ask, action by action: what covers what, what overlaps, what is left to deny.

use super::terms::{self, Term};
use super::{Inexact, MAX_DENIES, NarrowError, inexact};
use crate::excerpt::Excerpt;
use crate::statement::region::Search;
use crate::statement::{Condition, Pattern, Selector, Statement};

/// Most action patterns of the ask's allows: each is held against each other.
const MAX_GRANTS: usize = 500;

/// What becomes of actions that overlap under different terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overlap {
    /// They are refused.
    Refused,
    /// They pass, which is wrong.
    #[cfg(test)]
    Ignored,
}

/// A statement to write: these actions under that term.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Deny {
    pub(super) actions: Selector<Pattern>,
    pub(super) term: Term,
}

/// One action pattern of an allow, or its whole `NotAction`.
#[derive(Debug, Clone)]
pub(super) struct Grant<'a> {
    pub(super) from: &'a Statement,
    actions: Selector<Pattern>,
    pub(super) resources: &'a Selector<Pattern>,
    pub(super) conditions: &'a [Condition],
}

/// All grants of one action pattern, and when that action is to be denied.
struct Group<'a> {
    grants: Vec<Grant<'a>>,
    terms: Vec<Term>,
}

impl Group<'_> {
    fn actions(&self) -> &Selector<Pattern> {
        &self.grants[0].actions
    }

    fn from(&self) -> &Statement {
        self.grants[0].from
    }
}

/// The denies that take away whatever `allows` does not allow.
pub(super) fn denies(allows: &[&Statement], overlap: Overlap) -> Result<Vec<Deny>, NarrowError> {
    let search = Search::new();
    let grants: Vec<Grant<'_>> = allows.iter().flat_map(|allow| grants(allow)).collect();
    if let Some(beyond) = grants.get(MAX_GRANTS) {
        return Err(inexact(beyond.from, Inexact::TooMany));
    }
    let grants = without_covered(&search, grants);
    refuse_variables(&grants)?;
    let groups = grouped(grants)?;
    if overlap == Overlap::Refused {
        refuse_overlaps(&search, &groups)?;
    }
    let mut denies: Vec<Deny> = elsewhere(&search, &groups, overlap)?.into_iter().collect();
    for group in &groups {
        for term in &group.terms {
            add(&mut denies, group.actions(), term);
        }
    }
    match groups.first() {
        Some(group) if denies.len() > MAX_DENIES => Err(inexact(group.from(), Inexact::TooMany)),
        _ => Ok(denies),
    }
}

/// One more deny; actions with the same term share a statement.
fn add(denies: &mut Vec<Deny>, actions: &Selector<Pattern>, term: &Term) {
    if let Selector::Only(more) = actions {
        for deny in denies.iter_mut().filter(|deny| deny.term == *term) {
            if let Selector::Only(list) = &mut deny.actions {
                list.extend(more.iter().cloned());
                return;
            }
        }
    }
    denies.push(Deny {
        actions: actions.clone(),
        term: term.clone(),
    });
}

fn grants(allow: &Statement) -> Vec<Grant<'_>> {
    let Some(resources) = &allow.resources else {
        return Vec::new();
    };
    let grant = |actions| Grant {
        from: allow,
        actions,
        resources,
        conditions: &allow.conditions,
    };
    match &allow.actions {
        Selector::Only(items) => items
            .iter()
            .map(|item| grant(Selector::Only(vec![item.clone()])))
            .collect(),
        all_but @ Selector::AllBut(_) => vec![grant(all_but.clone())],
    }
}

/// Without those that another one covers: the ask means the same. Of two that cover each other the
/// first stays.
fn without_covered<'a>(search: &Search, all: Vec<Grant<'a>>) -> Vec<Grant<'a>> {
    let mut kept: Vec<Grant<'a>> = Vec::new();
    for grant in all {
        if kept.iter().any(|other| covers(search, other, &grant)) {
            continue;
        }
        kept.retain(|other| !covers(search, &grant, other));
        kept.push(grant);
    }
    kept
}

fn covers(search: &Search, wide: &Grant<'_>, narrow: &Grant<'_>) -> bool {
    let stricter = |wide: &Condition| narrow.conditions.iter().any(|one| one.is_same_as(wide));
    wide.conditions.iter().all(stricter)
        && !search.may_exist(&[(&narrow.actions, true), (&wide.actions, false)])
        && !search.may_exist(&[(narrow.resources, true), (wide.resources, false)])
}

fn refuse_variables(grants: &[Grant<'_>]) -> Result<(), NarrowError> {
    for grant in grants {
        if let Some(pattern) = grant.resources.items().iter().find(|p| may_lack_value(p)) {
            let text = Excerpt::of(pattern.as_str());
            return Err(inexact(grant.from, Inexact::Variable { text }));
        }
    }
    Ok(())
}

/// Keys that every signed request has, with one value each (IAM user guide, "AWS global condition
/// context keys"): as variables they void no statement. Who has session credentials signs.
const ALWAYS_THERE: [&str; 4] = [
    "aws:PrincipalAccount",
    "aws:PrincipalArn",
    "aws:PrincipalType",
    "aws:userid",
];

/// Whether a variable of the pattern may be without a value.
pub(super) fn may_lack_value(pattern: &Pattern) -> bool {
    let there = |key: &str| {
        ALWAYS_THERE
            .iter()
            .any(|known| known.eq_ignore_ascii_case(key))
    };
    pattern.variables().any(|variable| !there(&variable.key))
}

fn grouped(grants: Vec<Grant<'_>>) -> Result<Vec<Group<'_>>, NarrowError> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for grant in grants {
        let same = |group: &&mut Group<'_>| same_items(group.actions(), &grant.actions);
        match groups.iter_mut().find(same) {
            Some(group) => group.grants.push(grant),
            None => groups.push(Group {
                grants: vec![grant],
                terms: Vec::new(),
            }),
        }
    }
    for group in &mut groups {
        group.terms = terms::denied(&group.grants)?;
    }
    Ok(groups)
}

/// Whether both name the same in the same order, in the same form.
pub(super) fn same_items(one: &Selector<Pattern>, other: &Selector<Pattern>) -> bool {
    let mut items = one.items().iter().zip(other.items());
    one.is_all_but() == other.is_all_but()
        && one.items().len() == other.items().len()
        && items.all(|(a, b)| a.is_same_as(b))
}

fn refuse_overlaps(search: &Search, groups: &[Group<'_>]) -> Result<(), NarrowError> {
    for (index, group) in groups.iter().enumerate() {
        for other in &groups[..index] {
            let apart = !search.may_exist(&[(group.actions(), true), (other.actions(), true)]);
            if apart || group.terms == other.terms {
                continue;
            }
            let first = |group: &Group<'_>| Excerpt::of(group.actions().items()[0].as_str());
            let why = Inexact::ActionsOverlap {
                action: first(group),
                other_action: first(other),
                other: other.from().name(),
            };
            return Err(inexact(group.from(), why));
        }
    }
    Ok(())
}

/// The deny of every action that no group is about.
fn elsewhere(
    search: &Search,
    groups: &[Group<'_>],
    overlap: Overlap,
) -> Result<Option<Deny>, NarrowError> {
    let deny = |actions| {
        Some(Deny {
            actions,
            term: Term::ALWAYS,
        })
    };
    let all_but = groups.iter().find(|group| group.actions().is_all_but());
    let Some(all_but) = all_but else {
        let all: Vec<Pattern> = groups
            .iter()
            .flat_map(|group| group.actions().items().iter().cloned())
            .collect();
        let everything = all.iter().any(Pattern::is_everything);
        return Ok(if everything {
            None
        } else if all.is_empty() {
            deny(Selector::Only(vec![terms::everything()]))
        } else {
            deny(Selector::AllBut(all))
        });
    };
    let left: Vec<_> = groups
        .iter()
        .map(|group| (group.actions(), false))
        .collect();
    let others = groups.iter().find(|group| !std::ptr::eq(*group, all_but));
    match others {
        _ if !search.may_exist(&left) => Ok(None),
        Some(other) if overlap == Overlap::Refused => {
            let other = other.from().name();
            Err(inexact(all_but.from(), Inexact::NotActionBeside { other }))
        }
        _ => Ok(deny(Selector::Only(all_but.actions().items().to_vec()))),
    }
}
