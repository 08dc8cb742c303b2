//! The project's evaluator against the double's, two programs of one meaning: wherever ours says
//! that it can tell, both say the same.

use super::cases::{Dice, policy, question};
use jumpgate_iam::PolicyDocument;
use jumpgate_iam::evaluate::{Context, Document, Layer, Policies, Request, Role, evaluate};
use jumpgate_tests::sts::Judge;

const PAIRS: usize = 3_000;
const REQUESTS: usize = 6;

#[test]
fn both_evaluators_decide_alike() {
    let mut dice = Dice::new(7);
    let (mut allowed, mut denied, mut doubtful) = (0, 0, 0);
    for _ in 0..PAIRS {
        let texts = [policy(&mut dice), policy(&mut dice)];
        let judge = Judge::of(texts.iter().map(String::as_str)).unwrap();
        let read = |text: &String| {
            let policy: PolicyDocument = text.parse().unwrap();
            Document::read("generated", &policy).unwrap()
        };
        let layer = Layer {
            role: Role::Identity,
            documents: texts.iter().map(read).collect(),
        };
        let policies = Policies {
            layers: vec![layer],
            resource: None,
        };
        for _ in 0..REQUESTS {
            let asked = question(&mut dice);
            let theirs = judge.allows(asked.action, asked.resource, &asked.context);
            let context = asked.context.iter();
            let context = context.fold(Context::complete(), |context, (key, values)| {
                context.with(key, values.iter().copied())
            });
            let request = Request::new(asked.action, asked.resource, context).unwrap();
            let verdict = evaluate(&policies, &request);
            match verdict.decision() {
                Some(ours) => assert_eq!(ours, theirs, "{texts:#?}\n{asked:?}\n{verdict:?}"),
                None => doubtful += 1,
            }
            *if theirs { &mut allowed } else { &mut denied } += 1;
        }
    }
    let all = PAIRS * REQUESTS;
    assert!(
        allowed > all / 10 && denied > all / 10,
        "{allowed} {denied}"
    );
    assert!(doubtful < all / 10, "{doubtful} of {all} could not be told");
}
