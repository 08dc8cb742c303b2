//! Tests of narrowing: the law, against this crate's evaluator; what is written and what is refused.
//! The law against an evaluator of other hands is a test of the double.
#![allow(clippy::unwrap_used)]

use super::cases::{Case, Dice, Question, case};
use super::{NarrowError, complement, complement_unchecked};
use crate::evaluate::{Context, Document, Layer, Policies, Request, Role, evaluate};
use crate::policy::PolicyDocument;

type Complement =
    fn(Option<&PolicyDocument>, &PolicyDocument) -> Result<Option<PolicyDocument>, NarrowError>;

fn parsed(text: &str) -> PolicyDocument {
    PolicyDocument::parse(text).unwrap()
}

/// What session policies decide together. The role behind them allows everything.
fn decision(policies: &[PolicyDocument], request: &Request) -> Option<bool> {
    let documents = policies.iter().map(|policy| Document::read("", policy));
    let everything = parsed(r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#);
    let policies = Policies {
        layers: vec![
            Layer {
                role: Role::Identity,
                documents: vec![Document::read("", &everything).unwrap()],
            },
            Layer {
                role: Role::Session,
                documents: documents.collect::<Result<_, _>>().unwrap(),
            },
        ],
        resource: None,
    };
    evaluate(&policies, request).decision()
}

fn request(question: &Question) -> Request {
    let mut context = Context::complete();
    for (key, values) in &question.context {
        context = context.with(key, values.iter().copied());
    }
    Request::new(question.action, question.resource, context).unwrap()
}

/// How many requests were compared, and the first for which the law does not hold. `None`: refused.
fn check(case: &Case, complement: Complement) -> Option<(usize, Option<String>)> {
    let ask = parsed(&case.ask);
    let inline = case.inline.as_deref().map(parsed);
    let managed: Vec<PolicyDocument> = case.managed.iter().map(|text| parsed(text)).collect();
    let narrowed = complement(inline.as_ref(), &ask).ok()?;
    let with = |inline: &Option<PolicyDocument>| -> Vec<PolicyDocument> {
        inline.iter().chain(&managed).cloned().collect()
    };
    let (before, after) = (with(&inline), with(&narrowed));
    let mut compared = 0;
    for question in &case.requests {
        let request = request(question);
        let asked = decision(std::slice::from_ref(&ask), &request);
        let wanted = decision(&before, &request).zip(asked).map(|(a, b)| a && b);
        let Some((wanted, found)) = wanted.zip(decision(&after, &request)) else {
            continue;
        };
        compared += 1;
        if wanted != found {
            let narrowed = narrowed.map(|policy| policy.to_string());
            return Some((
                compared,
                Some(format!(
                    "inline {:?}\nmanaged {:?}\nask {}\nnarrowed {narrowed:?}\n{question:?}: {found}",
                    case.inline, case.managed, case.ask
                )),
            ));
        }
    }
    Some((compared, None))
}

#[test]
fn what_is_narrowed_is_what_both_allow() {
    let mut dice = Dice::new(1);
    let (mut compared, mut exact) = (0, 0);
    for _ in 0..2_000 {
        if let Some((count, counterexample)) = check(&case(&mut dice, 10), complement) {
            assert_eq!(
                counterexample,
                None,
                "{}",
                counterexample.clone().unwrap_or_default()
            );
            compared += count;
            exact += 1;
        }
    }
    assert!(exact > 300, "only {exact} asks were exact");
    assert!(compared > 3_000, "only {compared} requests could be told");
}

#[test]
fn without_the_check_of_overlaps_the_law_is_soon_broken() {
    let mut dice = Dice::new(1);
    let broken = (0..1_000).find(|_| {
        let result = check(&case(&mut dice, 1), complement_unchecked);
        result.is_some_and(|(_, counterexample)| counterexample.is_some())
    });
    assert!(
        broken.is_some(),
        "the check of overlaps is not needed for 1,000 cases"
    );
}
