//! Requests that given policies speak of: made of their own actions, resources and condition values, so that a law about
//! decisions is tried where decisions differ.

use std::collections::BTreeSet;

use jumpgate_iam::PolicyDocument;
use jumpgate_iam::evaluate::{Context, Document, Layer, Policies, Request, Role, evaluate};
use jumpgate_iam::statement::{Condition, Statement, statements};

/// Most words of a kind that are tried.
const MOST: usize = 4;

/// Keys that every signed request has.
const ALWAYS_THERE: [(&str, &str); 4] = [
    ("aws:PrincipalAccount", "222222222222"),
    ("aws:PrincipalArn", "arn:aws:iam::222222222222:role/dev"),
    ("aws:PrincipalType", "AssumedRole"),
    ("aws:userid", "AROAIOSFODNN7EXAMPLE:s"),
];

/// Keys whose value has a type of its own, with two values.
const TYPED: [(&str, [&str; 2]); 5] = [
    (
        "aws:currenttime",
        ["2026-01-01T00:00:00Z", "2026-06-01T00:00:00Z"],
    ),
    ("aws:multifactorauthage", ["5", "5000"]),
    ("aws:securetransport", ["true", "false"]),
    ("aws:sourceip", ["10.0.0.1", "192.168.0.1"]),
    ("aws:viaawsservice", ["true", "false"]),
];

/// Requests on what the policies name, under conditions that hold, that do not, and that nothing is known to decide.
pub(super) fn spoken_of(policies: &[&PolicyDocument]) -> Vec<Request> {
    let statements = policies
        .iter()
        .flat_map(|policy| statements(policy).unwrap_or_default());
    let statements: Vec<Statement> = statements.collect();
    let mut actions = vec!["s3:GetObject".to_owned(), "iam:GetUser".to_owned()];
    let mut resources = vec!["*".to_owned(), "arn:aws:s3:::a/x".to_owned()];
    for statement in &statements {
        let named = statement.actions.items().iter();
        actions.extend(named.map(|pattern| concrete(pattern.as_str())));
        let named = statement
            .resources
            .iter()
            .flat_map(|resources| resources.items());
        resources.extend(named.map(|pattern| concrete(pattern.as_str())));
    }
    let conditions: Vec<&Condition> = statements.iter().flat_map(|s| &s.conditions).collect();
    let contexts = [0, 1, 2].map(|way| context(&conditions, way));
    let mut requests = Vec::new();
    for action in different(&actions) {
        for resource in different(&resources) {
            let made = contexts
                .clone()
                .map(|context| Request::new(action, resource, context));
            requests.extend(made.into_iter().flatten());
        }
    }
    requests
}

/// Some of them, none twice.
fn different(words: &[String]) -> impl Iterator<Item = &String> {
    let words: BTreeSet<&String> = words.iter().collect();
    words.into_iter().take(MOST)
}

/// A text that the pattern matches.
fn concrete(pattern: &str) -> String {
    pattern.replace('*', "x").replace('?', "y")
}

/// With the conditions' first values, with others, with none.
fn context(conditions: &[&Condition], way: usize) -> Context {
    let there = ALWAYS_THERE.into_iter();
    let mut context = there.fold(Context::complete(), |context, (key, value)| {
        context.with(key, [value])
    });
    for condition in conditions.iter().filter(|_| way < 2) {
        let key = condition.key.to_ascii_lowercase();
        let typed = TYPED.iter().find(|(known, _)| *known == key);
        let value = match (typed, way) {
            (Some((_, values)), way) => values[way].to_owned(),
            (None, _) if is_of_a_type(&key) => continue,
            (None, 0) => condition
                .values
                .first()
                .map_or_else(String::new, |value| concrete(value.pattern.as_str())),
            (None, _) => "another".to_owned(),
        };
        context = context.with(&key, [value]);
    }
    context
}

/// Keys whose values we do not make up, those above included.
fn is_of_a_type(key: &str) -> bool {
    let words = [
        "time",
        "age",
        "present",
        "ip",
        "arn",
        "isaws",
        "transport",
        "via",
        "max-keys",
    ];
    ALWAYS_THERE
        .iter()
        .any(|(known, _)| known.eq_ignore_ascii_case(key))
        || words.iter().any(|word| key.contains(word))
}

/// What a session policy decides of a role that may do everything, for each request; `None` for a policy whose statements
/// cannot be read.
pub(super) fn decisions(
    policy: &PolicyDocument,
    requests: &[Request],
) -> Option<Vec<Option<bool>>> {
    let everything = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    let everything = PolicyDocument::parse(everything).unwrap();
    let layer = |role, policy| {
        let documents = vec![Document::read("", policy).ok()?];
        Some(Layer { role, documents })
    };
    let policies = Policies {
        layers: vec![
            layer(Role::Identity, &everything)?,
            layer(Role::Session, policy)?,
        ],
        resource: None,
    };
    let decided = requests
        .iter()
        .map(|request| evaluate(&policies, request).decision());
    Some(decided.collect())
}
