//! Whether a statement is about a request.

use super::answer::Answer;
use super::condition;
use super::context::Request;
use super::text::{Filled, Hit, Reading};
use crate::statement::{Pattern, Selector, Statement};

/// Whether the statement applies, whoever asks.
pub(super) fn applies(statement: &Statement, request: &Request) -> Answer {
    if !action_matches(&statement.actions, request.action()) {
        return Answer::No;
    }
    let resource = match &statement.resources {
        Some(resources) => resource_matches(resources, request),
        None => Answer::Yes,
    };
    if resource == Answer::No {
        return Answer::No;
    }
    let conditions = statement.conditions.iter();
    let conditions = conditions.map(|one| condition::holds(one, request.context()));
    Answer::all(std::iter::once(resource).chain(conditions))
}

/// Actions have no variables, and no colon beyond the first: that is always certain.
fn action_matches(actions: &Selector<Pattern>, action: &str) -> bool {
    let hit = |pattern: &Pattern| Reading::WIDEST.matches(pattern.pieces(), action);
    actions.items().iter().any(hit) != actions.is_all_but()
}

fn resource_matches(resources: &Selector<Pattern>, request: &Request) -> Answer {
    let hits: Vec<Hit> = resources
        .items()
        .iter()
        .map(|pattern| Filled::of(pattern, request.context()).hit(request.resource()))
        .collect();
    Hit::together(&hits, resources.is_all_but())
}
