//! What the agent's presets allow and deny, row by row of their tables, by two evaluators: the project's and the
//! double's. Their managed policies are those that the double knows, whose contents are abridged: see
//! `sts::managed`.

use jumpgate_agent::domain::preset::{Given, Preset, SessionPolicies};
use jumpgate_iam::evaluate::{Context, Document, Layer, Policies, Request, Role, evaluate};
use jumpgate_iam::{Partition, PolicyDocument};
use jumpgate_tests::sts::{Judge, managed_policy};

/// A row of `cases.txt`.
struct Case<'t> {
    allowed: bool,
    action: &'t str,
    resource: &'t str,
    keys: Vec<(&'t str, Vec<&'t str>)>,
}

fn read(text: &str) -> (Given, Vec<Case<'_>>) {
    let (mut given, mut cases) = (Given::new(), Vec::new());
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["given", word] => {
                let (name, value) = word.split_once('=').unwrap();
                given
                    .entry(name.to_owned())
                    .or_default()
                    .push(value.to_owned());
            }
            [effect @ ("allow" | "deny"), action, resource, keys @ ..] => cases.push(Case {
                allowed: *effect == "allow",
                action,
                resource,
                keys: keys.iter().map(|word| key(word)).collect(),
            }),
            _ => panic!("{line}"),
        }
    }
    (given, cases)
}

fn key(word: &str) -> (&str, Vec<&str>) {
    let (key, value) = word.split_once('=').unwrap();
    (key, vec![value])
}

fn texts(policies: &SessionPolicies) -> Vec<String> {
    let managed = policies.arns.iter().map(|arn| {
        let text = managed_policy(arn.as_ref());
        text.unwrap_or_else(|| panic!("the double does not know {arn}"))
            .to_owned()
    });
    let inline = policies.inline.iter().map(ToString::to_string);
    inline.chain(managed).collect()
}

/// The project's evaluator: the session policies as a layer, the role's as one that allows all.
fn decided(texts: &[String], case: &Case<'_>) -> Option<bool> {
    let document = |text: &String| {
        let policy: PolicyDocument = text.parse().unwrap();
        Document::read("preset", &policy).unwrap()
    };
    let anything =
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    let layer = |role, documents| Layer { role, documents };
    let policies = Policies {
        layers: vec![
            layer(Role::Identity, vec![document(&anything.to_owned())]),
            layer(Role::Session, texts.iter().map(document).collect()),
        ],
        resource: None,
    };
    let context = case
        .keys
        .iter()
        .fold(Context::complete(), |context, (key, values)| {
            context.with(key, values.iter().copied())
        });
    let request = Request::new(case.action, case.resource, context).unwrap();
    evaluate(&policies, &request).decision()
}

fn table(name: &str) -> String {
    let place = concat!(env!("CARGO_MANIFEST_DIR"), "/../agent/presets");
    std::fs::read_to_string(format!("{place}/{name}/cases.txt")).unwrap()
}

#[test]
fn every_preset_allows_and_denies_what_its_table_says() {
    for preset in Preset::all() {
        let text = table(preset.name);
        let (given, cases) = read(&text);
        let texts = texts(&preset.policies(Partition::Aws, &given).unwrap());
        let judge = Judge::of(texts.iter().map(String::as_str)).unwrap();
        for case in &cases {
            let row = format!("{}: {} {}", preset.name, case.action, case.resource);
            let theirs = judge.allows(case.action, case.resource, &case.keys);
            assert_eq!(theirs, case.allowed, "by the double, {row}");
            assert_eq!(decided(&texts, case), Some(case.allowed), "{row}");
        }
        let (allowed, denied): (Vec<_>, Vec<_>) = cases.iter().partition(|case| case.allowed);
        assert!(allowed.len() >= 5 && denied.len() >= 5, "{}", preset.name);
    }
}

/// What a preset denies, it denies by a statement where data and other roles are concerned: what a policy of a
/// resource gives the session by name is denied too (access_policies, session policies).
#[test]
fn data_and_other_roles_are_denied_by_a_statement() {
    for name in [
        "support",
        "support+runbooks",
        "support+diagnostics",
        "support-read",
        "deny-data",
    ] {
        let policies = Preset::named(name)
            .unwrap()
            .policies(Partition::Aws, &Given::new());
        let inline = policies.unwrap().inline.unwrap().to_string();
        let anything = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
        let judge = Judge::of([inline.as_str(), anything]).unwrap();
        assert!(judge.allows("s3:PutObject", "arn:aws:s3:::b/k", &[]));
        for action in [
            "s3:GetObject",
            "dynamodb:Query",
            "ssm:GetParameter",
            "sts:AssumeRole",
        ] {
            assert!(!judge.allows(action, "*", &[]), "{name} {action}");
        }
    }
}
