//! Allow statements that never apply, since Deny statements cover what they allow.

use super::{Cited, Document, Layer, Role};
use crate::statement::region::{Search, Wanted};
use crate::statement::{Condition, Effect, Pattern, Selector, Statement};

/// Most denies whose union is looked at; more are looked at one by one.
const MAX_UNION: usize = 6;

/// An Allow, of which all or some actions are always denied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shadow {
    /// The Allow.
    pub allow: Cited,
    /// The actions of it that are always denied, as they are written. Of a `NotAction`: all, which
    /// is said by an empty list.
    pub actions: Vec<String>,
    /// Whether these are all that it allows: the statement never applies.
    pub wholly: bool,
    /// Every Deny that takes a part of these actions, in the order of the documents.
    pub denies: Vec<Cited>,
}

/// One statement and where it comes from.
struct Placed<'a> {
    role: &'a Role,
    document: &'a Document,
    statement: &'a Statement,
}

impl Placed<'_> {
    fn cited(&self) -> Cited {
        Cited {
            role: self.role.clone(),
            document: self.document.name.clone(),
            statement: self.statement.name(),
        }
    }
}

/// All Allow statements of the layers that a Deny of any layer shadows, for whole actions. Only what
/// is certain is named: a Deny with conditions counts where the Allow has the same ones.
#[must_use]
pub fn shadows(layers: &[Layer]) -> Vec<Shadow> {
    let placed: Vec<Placed<'_>> = layers
        .iter()
        .flat_map(|layer| {
            layer
                .documents
                .iter()
                .map(|document| (&layer.role, document))
        })
        .flat_map(|(role, document)| {
            document.statements.iter().map(move |statement| Placed {
                role,
                document,
                statement,
            })
        })
        .collect();
    let allows = placed
        .iter()
        .filter(|placed| placed.statement.effect == Effect::Allow);
    let search = Search::new();
    allows
        .filter_map(|allow| shadow(&search, allow, &placed))
        .collect()
}

fn shadow(search: &Search, allow: &Placed<'_>, all: &[Placed<'_>]) -> Option<Shadow> {
    let resources = allow.statement.resources.as_ref()?;
    let denies: Vec<&Placed<'_>> = all
        .iter()
        .filter(|deny| deny.statement.effect == Effect::Deny)
        .filter(|deny| always_with(&deny.statement.conditions, &allow.statement.conditions))
        .collect();
    let (mut actions, mut by) = (Vec::new(), Vec::new());
    let parts = parts(&allow.statement.actions);
    let mut left = parts.len();
    for part in &parts {
        let overlapping: Vec<usize> = (0..denies.len())
            .filter(|index| overlaps(search, part, resources, denies[*index].statement))
            .collect();
        let statements: Vec<&Statement> =
            overlapping.iter().map(|i| denies[*i].statement).collect();
        if !covered(search, part, resources, &statements) {
            continue;
        }
        left -= 1;
        by.extend(overlapping);
        if !part.is_all_but() {
            actions.extend(
                part.items()
                    .iter()
                    .map(|pattern| pattern.as_str().to_owned()),
            );
        }
    }
    by.sort_unstable();
    by.dedup();
    (left < parts.len()).then(|| Shadow {
        allow: allow.cited(),
        actions,
        wholly: left == 0,
        denies: by.iter().map(|index| denies[*index].cited()).collect(),
    })
}

/// Each action of a list on its own.
fn parts(actions: &Selector<Pattern>) -> Vec<Selector<Pattern>> {
    match actions {
        Selector::Only(items) => items
            .iter()
            .map(|item| Selector::Only(vec![item.clone()]))
            .collect(),
        all_but @ Selector::AllBut(_) => vec![all_but.clone()],
    }
}

/// Whether the deny's conditions hold whenever the allow's do: they are among them.
fn always_with(deny: &[Condition], allow: &[Condition]) -> bool {
    deny.iter()
        .all(|one| allow.iter().any(|other| one.is_same_as(other)))
}

fn overlaps(
    search: &Search,
    part: &Selector<Pattern>,
    resources: &Selector<Pattern>,
    deny: &Statement,
) -> bool {
    let Some(denied) = &deny.resources else {
        return false;
    };
    search.may_exist(&[(part, true), (&deny.actions, true)])
        && search.may_exist(&[(resources, true), (denied, true)])
}

/// Whether the denies together cover every action of `part` on every resource: for each group of
/// them that some action meets exactly, their resources must cover all.
fn covered(
    search: &Search,
    part: &Selector<Pattern>,
    resources: &Selector<Pattern>,
    denies: &[&Statement],
) -> bool {
    if denies.len() > MAX_UNION {
        return denies
            .iter()
            .any(|deny| covered(search, part, resources, &[*deny]));
    }
    (0..1_usize << denies.len()).all(|group| {
        let is_met = |index: usize| group & (1 << index) != 0;
        let mut actions: Vec<Wanted<'_>> = vec![(part, true)];
        let mut places: Vec<Wanted<'_>> = vec![(resources, true)];
        for (index, deny) in denies.iter().enumerate() {
            actions.push((&deny.actions, is_met(index)));
            if let Some(denied) = deny.resources.as_ref().filter(|_| is_met(index)) {
                places.push((denied, false));
            }
        }
        !search.may_exist(&actions) || !search.may_exist(&places)
    })
}
