//! When an action is denied: the negation of its alternatives, multiplied out into statements.

use super::grants::{Grant, same_items};
use super::negate::{self, Opposite};
use super::{Inexact, MAX_DENIES, NarrowError, inexact};
use crate::excerpt::Excerpt;
use crate::json::Position;
use crate::statement::{Pattern, Selector};

/// One statement's resources and conditions: all of it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Term {
    /// `None` is every resource.
    pub(super) resources: Option<Selector<Pattern>>,
    pub(super) conditions: Vec<Opposite>,
}

impl Term {
    pub(super) const ALWAYS: Self = Self {
        resources: None,
        conditions: Vec::new(),
    };
}

/// One way in which one alternative does not hold.
#[derive(Debug, Clone)]
enum Literal<'a> {
    /// The resource is none of those.
    Elsewhere(&'a Grant<'a>),
    /// A condition does not hold.
    Not(&'a Grant<'a>, Vec<Opposite>),
}

impl Literal<'_> {
    fn is_same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Elsewhere(a), Self::Elsewhere(b)) => same_items(a.resources, b.resources),
            (Self::Not(_, a), Self::Not(_, b)) => a == b,
            _ => false,
        }
    }
}

/// `*`
pub(super) fn everything() -> Pattern {
    Pattern::action("*", Position::START)
}

/// The terms under which an action with these grants is denied; none where it never is.
pub(super) fn denied(grants: &[Grant<'_>]) -> Result<Vec<Term>, NarrowError> {
    let mut products: Vec<Vec<Literal<'_>>> = vec![Vec::new()];
    for grant in grants {
        let literals = literals(grant)?;
        let mut next: Vec<Vec<Literal<'_>>> = Vec::new();
        for product in &products {
            for literal in &literals {
                let mut longer = product.clone();
                if !longer.iter().any(|known| known.is_same_as(literal)) {
                    longer.push(literal.clone());
                }
                absorb(&mut next, longer);
                if next.len() > MAX_DENIES {
                    return Err(inexact(grant.from, Inexact::TooMany));
                }
            }
        }
        products = next;
    }
    let terms: Result<Vec<Option<Term>>, NarrowError> =
        products.iter().map(|product| term(product)).collect();
    Ok(terms?.into_iter().flatten().collect())
}

/// Adds a product, unless a shorter one is there that holds whenever it does, and takes out those
/// for which it is the shorter one.
fn absorb<'a>(products: &mut Vec<Vec<Literal<'a>>>, new: Vec<Literal<'a>>) {
    let within = |short: &[Literal<'a>], long: &[Literal<'a>]| {
        short
            .iter()
            .all(|literal| long.iter().any(|other| other.is_same_as(literal)))
    };
    if !products.iter().any(|known| within(known, &new)) {
        products.retain(|known| !within(&new, known));
        products.push(new);
    }
}

/// The ways in which a grant does not hold; none where it always does.
fn literals<'a>(grant: &'a Grant<'a>) -> Result<Vec<Literal<'a>>, NarrowError> {
    let mut literals = Vec::new();
    let everywhere = |selector: &Selector<Pattern>| {
        !selector.is_all_but() && selector.items().iter().any(Pattern::is_everything)
    };
    if !everywhere(grant.resources) {
        literals.push(Literal::Elsewhere(grant));
    }
    for condition in grant.conditions {
        let opposite = negate::opposite(condition).map_err(|why| inexact(grant.from, why))?;
        literals.push(Literal::Not(grant, opposite));
    }
    Ok(literals)
}

/// One statement of all literals; `None` where they exclude each other.
fn term(product: &[Literal<'_>]) -> Result<Option<Term>, NarrowError> {
    let mut term = Term::ALWAYS;
    let mut first = None;
    for literal in product {
        match literal {
            Literal::Elsewhere(grant) => {
                let other = *first.get_or_insert(*grant);
                outside(&mut term, grant.resources).map_err(|Mixed| {
                    let other = other.from.name();
                    inexact(grant.from, Inexact::MixedResources { other })
                })?;
            }
            Literal::Not(grant, opposites) => {
                for opposite in opposites {
                    match opposite.joined(&mut term.conditions) {
                        negate::Joined::Fits => {}
                        negate::Joined::Never => return Ok(None),
                        negate::Joined::Inexact => {
                            let key = Excerpt::of(&opposite.key);
                            return Err(inexact(grant.from, Inexact::Combined { key }));
                        }
                    }
                }
            }
        }
    }
    Ok(Some(term))
}

/// `Resource` and `NotResource` exclude each other.
struct Mixed;

/// Makes the term hold outside of `resources` only.
fn outside(term: &mut Term, resources: &Selector<Pattern>) -> Result<(), Mixed> {
    match (&mut term.resources, resources) {
        (Some(Selector::AllBut(list)), Selector::Only(more)) => {
            let new = more
                .iter()
                .filter(|new| !list.iter().any(|old| old.is_same_as(new)));
            let new: Vec<Pattern> = new.cloned().collect();
            list.extend(new);
        }
        (Some(_), _) => return Err(Mixed),
        (none, Selector::Only(list)) => *none = Some(Selector::AllBut(list.clone())),
        (none, Selector::AllBut(list)) => *none = Some(Selector::Only(list.clone())),
    }
    Ok(())
}
