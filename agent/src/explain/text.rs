//! The explanation for people.

use super::report::{Answer, Explanation, Place, Size};
use crate::config::report::printable;

/// Answers one by one, or in a table; then what they rest on.
pub(super) fn render(explanation: &Explanation, table: bool) -> String {
    let mut text = format!(
        "profile {}, {}\n",
        explanation.profile, explanation.role_arn
    );
    match table {
        true => text.push_str(&rows(&explanation.answers)),
        false => {
            for answer in &explanation.answers {
                text.push_str(&alone(answer, explanation.at_most));
            }
        }
    }
    text.push_str("layers, which must all allow:\n");
    for layer in &explanation.layers {
        let names = layer.documents.iter().map(|document| match document.known {
            true => printable(&document.name).to_string(),
            false => format!("{} (not known)", printable(&document.name)),
        });
        text.push_str(&line(&layer.layer, &names.collect::<Vec<_>>().join(", ")));
    }
    text.push_str(&shadowed(explanation));
    if let Some(narrowing) = &explanation.narrowing {
        text.push_str(&format!(
            "narrowing: {}: {}\n",
            narrowing.way, narrowing.what
        ));
    }
    text.push_str(&sizes(&explanation.size));
    for note in &explanation.notes {
        text.push_str(&format!("note: {}\n", printable(note)));
    }
    text
}

fn sizes(size: &Size) -> String {
    let mut text = format!(
        "size: {} of {} characters of inline policy, {} of {} managed policies, {} of {} tags\n",
        size.characters,
        size.documented_characters,
        size.policy_arns,
        size.most_policy_arns,
        size.tags,
        size.most_tags
    );
    if let Some(last) = &size.last_session {
        let packed = match last.packed_policy_percent {
            Some(percent) => format!("{percent} % of what AWS takes of policies and tags, packed"),
            None => "no policies or tags".to_owned(),
        };
        let part = last
            .token_percent
            .map(|percent| format!(", {percent} % of the most"));
        text.push_str(&format!(
            "last session: {}: {packed}; a token of {} bytes{}\n",
            printable(&last.time_dt),
            last.token_bytes,
            part.unwrap_or_default()
        ));
    }
    text
}

fn line(name: &str, rest: &str) -> String {
    format!("  {name}: {rest}\n")
}

fn alone(answer: &Answer, at_most: bool) -> String {
    let decision = match (answer.decision, at_most) {
        ("allowed", true) => "allowed, if the role's own policies allow it",
        ("cannot_tell", _) => "cannot tell",
        (decision, _) => decision,
    };
    let (action, resource) = (&answer.action, printable(&answer.resource));
    let mut text = format!("{action} on {resource}: {decision}\n");
    for why in whys(answer) {
        text.push_str(&format!("  {why}\n"));
    }
    text
}

fn whys(answer: &Answer) -> Vec<String> {
    let by = answer.by.iter().map(|by| format!("by {}", with_layer(by)));
    let missing = answer
        .missing
        .iter()
        .map(|layer| format!("no statement of the {layer} allows it"));
    let doubts = answer.doubts.iter().map(|doubt| match &doubt.statement {
        Some(place) => format!("{}: {}", with_layer(place), doubt.why),
        None => printable(&doubt.why).to_string(),
    });
    by.chain(missing).chain(doubts).collect()
}

/// Columns of action, resource, decision and the first reason.
fn rows(answers: &[Answer]) -> String {
    let cells: Vec<[String; 4]> = answers
        .iter()
        .map(|answer| {
            [
                answer.action.clone(),
                printable(&answer.resource).to_string(),
                answer.decision.replace('_', " "),
                whys(answer).first().cloned().unwrap_or_default(),
            ]
        })
        .collect();
    let header = ["ACTION", "RESOURCE", "ANSWER", "WHY"].map(str::to_owned);
    let all = || std::iter::once(&header).chain(&cells);
    let width = |column: usize| {
        all()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let (action, resource, decision) = (width(0), width(1), width(2));
    let rows = all().map(|row| {
        let text = format!(
            "{:action$}  {:resource$}  {:decision$}  {}",
            row[0], row[1], row[2], row[3]
        );
        format!("{}\n", text.trim_end())
    });
    rows.collect()
}

fn shadowed(explanation: &Explanation) -> String {
    let mut text = String::new();
    for shadow in &explanation.shadowed {
        let what = match (shadow.wholly, shadow.actions.is_empty()) {
            (true, _) => "has no effect".to_owned(),
            (false, true) => "is always denied".to_owned(),
            (false, false) => format!("{} always denied", are(&shadow.actions)),
        };
        text.push_str(&format!("shadowed: {}: {what}\n", place(&shadow.allow)));
        for deny in &shadow.denies {
            text.push_str(&format!("  by {}\n", place(deny)));
        }
    }
    text
}

fn are(actions: &[String]) -> String {
    let verb = if actions.len() == 1 { "is" } else { "are" };
    format!("{} {verb}", printable(&actions.join(", ")))
}

/// `dev.json:9:5: statement 2 "Logs"`.
fn place(place: &Place) -> String {
    let sid = place.sid.as_ref();
    let sid = sid.map_or_else(String::new, |sid| format!(" \"{}\"", printable(sid)));
    let Place {
        line,
        column,
        number,
        ..
    } = place;
    let document = printable(&place.document);
    format!("{document}:{line}:{column}: statement {number}{sid}")
}

fn with_layer(at: &Place) -> String {
    format!("{} ({})", place(at), at.layer)
}
