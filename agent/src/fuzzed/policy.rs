//! Policy documents. Law: a policy's minified text is read as the same policy, has the same meaning and is no longer; linting
//! answers for any text, with places that the text has; what a policy is read as, the linter has no grammar fault for; what
//! is shown of it is plain.

use std::sync::LazyLock;

use jumpgate_iam::evaluate::{Context, Document, Layer, Policies, Request, Role, evaluate};
use jumpgate_iam::json::{self, Position};
use jumpgate_iam::lint::{Class, Kind, Options, Rule, lint};
use jumpgate_iam::statement::statements;
use jumpgate_iam::{PolicyDocument, PolicyKind};

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
        assert_eq!(decisions(policy), decisions(&again));
    }
}

/// Requests that the corpus's policies speak of.
pub(super) static REQUESTS: LazyLock<[Request; 5]> = LazyLock::new(|| {
    let complete = |user: &str| {
        let context = Context::complete().with("aws:userid", [user]);
        context.with("aws:PrincipalTag/t", ["a"])
    };
    let connected = complete("b").with("aws:SecureTransport", ["true"]);
    let request = |action, resource, context| Request::new(action, resource, context).unwrap();
    let role = "arn:aws:iam::222222222222:role/Dev";
    let instance = "arn:aws:ec2:eu-west-1:222222222222:instance/i-1";
    [
        request("s3:GetObject", "arn:aws:s3:::a/x", complete("a")),
        request("s3:PutObject", "arn:aws:s3:::b", complete("*")),
        request("iam:GetUser", "*", Context::complete()),
        request("sts:AssumeRole", role, Context::partial()),
        request(
            "ec2:RunInstances",
            instance,
            connected.with("aws:SourceIp", ["10.0.0.1"]),
        ),
    ]
});

/// A role that may do everything.
static EVERYTHING: LazyLock<Layer> = LazyLock::new(|| {
    let everything = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    let everything = PolicyDocument::parse(everything).unwrap();
    Layer {
        role: Role::Identity,
        documents: vec![Document::read("", &everything).unwrap()],
    }
});

/// What a session policy decides of that role, for each of the [`REQUESTS`]; `None` for a policy without statements that
/// can be read.
pub(super) fn decisions(policy: &PolicyDocument) -> Option<[Option<bool>; 5]> {
    let layer = Layer {
        role: Role::Session,
        documents: vec![Document::read("", policy).ok()?],
    };
    let policies = Policies {
        layers: vec![EVERYTHING.clone(), layer],
        resource: None,
    };
    let decided = |request| evaluate(&policies, request).decision();
    Some(REQUESTS.each_ref().map(decided))
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
