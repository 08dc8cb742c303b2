//! Texts of policies: wildcards and policy variables (reference_policies_variables,
//! reference_policies_elements_resource).

use super::context::Context;

/// One piece of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// This very character; characters that a variable brought in are always literal.
    Exactly(char),
    /// `?`: any one character.
    One,
    /// `*`: any characters.
    Any,
}

/// A text in which `*` and `?` are wildcards. `None`: a variable has no value, so nothing matches.
pub(super) fn glob(text: &str, context: Option<&Context>) -> Option<Vec<Piece>> {
    pieces(text, context, |c| match c {
        '*' => Piece::Any,
        '?' => Piece::One,
        other => Piece::Exactly(other),
    })
}

/// A text without wildcards, its variables filled in.
pub(super) fn plain(text: &str, context: Option<&Context>) -> Option<String> {
    let pieces = pieces(text, context, Piece::Exactly)?;
    let letters = pieces.iter().filter_map(|piece| match piece {
        Piece::Exactly(c) => Some(*c),
        Piece::One | Piece::Any => None,
    });
    Some(letters.collect())
}

fn pieces(text: &str, context: Option<&Context>, of: impl Fn(char) -> Piece) -> Option<Vec<Piece>> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let variable = context.zip(rest.strip_prefix("${").and_then(|r| r.split_once('}')));
        match variable {
            Some((context, (name, after))) => {
                out.extend(variable_value(name, context)?.chars().map(Piece::Exactly));
                rest = after;
            }
            None => {
                out.push(of(c));
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    Some(out)
}

/// `${*}`, `${?}`, `${$}` stand for themselves; `${key, 'default'}` has a default.
fn variable_value(name: &str, context: &Context) -> Option<String> {
    if matches!(name, "*" | "?" | "$") {
        return Some(name.to_owned());
    }
    let (key, default) = match name.split_once(',') {
        Some((key, default)) => (key, Some(default.trim().trim_matches('\''))),
        None => (name, None),
    };
    // A key with several values cannot be a variable (reference_policies_variables).
    match context.values(key.trim()) {
        Some([one]) => Some(one.clone()),
        _ => default.map(str::to_owned),
    }
}

/// Whether the whole text matches.
pub(super) fn matches(pattern: &[Piece], text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    // reached[i]: the pattern so far matches text[..i].
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    for piece in pattern {
        let mut next = vec![false; text.len() + 1];
        for at in 0..=text.len() {
            next[at] = match piece {
                Piece::Any => reached[at] || (at > 0 && next[at - 1]),
                Piece::One => at > 0 && reached[at - 1],
                Piece::Exactly(c) => at > 0 && reached[at - 1] && text[at - 1] == *c,
            };
        }
        reached = next;
    }
    reached[text.len()]
}

/// A glob without variables, ignoring case: how actions are matched.
pub(super) fn action_matches(pattern: &str, action: &str) -> bool {
    glob(&pattern.to_ascii_lowercase(), None)
        .is_some_and(|pieces| matches(&pieces, &action.to_ascii_lowercase()))
}

/// ARN against ARN pattern: each of the six parts on its own (ArnLike).
pub(super) fn arn_matches(pattern: &[Piece], arn: &str) -> bool {
    let parts: Vec<&[Piece]> = pattern
        .splitn(6, |piece| *piece == Piece::Exactly(':'))
        .collect();
    let names: Vec<&str> = arn.splitn(6, ':').collect();
    parts.len() == names.len() && parts.iter().zip(names).all(|(p, name)| matches(p, name))
}
