//! Policy documents. Law: a policy's minified text is read as the same policy, has the same meaning and is no longer; linting
//! answers for any text, with places that the text has; what a policy is read as, the linter has no grammar fault for; what
//! is shown of it is plain.

use jumpgate_iam::json::{self, Position};
use jumpgate_iam::lint::{Class, Kind, Options, Rule, lint};
use jumpgate_iam::statement::statements;
use jumpgate_iam::{PolicyDocument, PolicyKind};

use super::requests::{decisions, spoken_of};
use super::{assert_plain, text};

const KINDS: [PolicyKind; 3] = [PolicyKind::Session, PolicyKind::Identity, PolicyKind::Trust];

/// A document.
pub(super) fn target(data: &[u8]) {
    let Some(text) = text(data) else { return };
    if let Err(error) = json::parse(text) {
        assert_plain(&error.to_string());
        assert_is_place(text, error.position());
    }
    for kind in KINDS {
        match PolicyDocument::parse_as(kind, text) {
            Ok(policy) => minified(text, kind, &policy),
            Err(error) => {
                assert_plain(&error.to_string());
                assert_is_place(text, error.position());
            }
        }
    }
    linted(text);
}

fn minified(text: &str, kind: PolicyKind, policy: &PolicyDocument) {
    let short = policy.minified();
    assert!(short.len() <= text.len(), "{short}");
    let again = PolicyDocument::parse_as(kind, short).unwrap();
    assert_eq!(again.minified(), short);
    let (before, after) = (statements(policy), statements(&again));
    match (&before, &after) {
        (Ok(before), Ok(after)) => assert_eq!(before.len(), after.len()),
        (Err(before), Err(_)) => assert_plain(&before.to_string()),
        _ => panic!("{before:?} became {after:?}"),
    }
    if kind == PolicyKind::Session {
        let requests = spoken_of(&[policy]);
        assert_eq!(decisions(policy, &requests), decisions(&again, &requests));
    }
}

fn linted(text: &str) {
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    let kinds = [
        None,
        Some(Kind::Session),
        Some(Kind::Identity),
        Some(Kind::Trust),
        Some(Kind::Jump),
        Some(Kind::Scp),
        Some(Kind::Resource),
    ];
    for kind in kinds {
        let linted = lint(
            text,
            &Options {
                kind,
                class: Some(Class::ReadOnly),
                needs: None,
            },
        );
        let mut last = None;
        for finding in &linted.findings {
            assert_is_place(body, finding.at);
            assert!(last <= Some(finding.at), "out of order");
            last = Some(finding.at);
            assert_plain(&finding.what);
            assert_plain(finding.fix());
            if let Some((place, _)) = finding.other {
                assert_is_place(body, place);
            }
        }
        let grammar = |finding: &jumpgate_iam::lint::Finding| {
            matches!(finding.rule, Rule::NotPolicy | Rule::NotJson)
        };
        if kind == Some(Kind::Session) && PolicyDocument::parse(body).is_ok() {
            assert!(
                !linted.findings.iter().any(grammar),
                "{:?}",
                linted.findings
            );
        }
    }
}

/// A line of the text, and a column of it or the one behind its end.
fn assert_is_place(text: &str, at: Position) {
    let line = text.split('\n').nth(at.line - 1);
    let columns = line.map(|line| line.chars().count());
    let is = columns.is_some_and(|columns| (1..=columns + 1).contains(&at.column));
    assert!(is, "{at} is no place");
}
