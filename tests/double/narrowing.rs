//! A policy turned into denies, judged by the double's own evaluation: decision(narrowed) is
//! decision(profile) ∧ decision(ask). The project's evaluator takes no part.

use super::cases::{Case, Dice, case};
use jumpgate_iam::PolicyDocument;
use jumpgate_iam::narrow::complement;
use jumpgate_tests::sts::Judge;

/// Requests whose decisions are compared.
const CASES: usize = 100_000;
/// Requests for each pair of policies.
const REQUESTS: usize = 25;

fn judge<'a>(inline: Option<&'a str>, managed: &'a [String]) -> Judge {
    let managed = managed.iter().map(String::as_str);
    Judge::of(inline.into_iter().chain(managed)).unwrap()
}

/// Compares all requests of a case; `false` where the narrowing is refused.
fn holds(case: &Case) -> bool {
    let ask: PolicyDocument = case.ask.parse().unwrap();
    let inline = case.inline.as_ref().map(|text| text.parse().unwrap());
    let Ok(narrowed) = complement(inline.as_ref(), &ask) else {
        return false;
    };
    let profile = judge(case.inline.as_deref(), &case.managed);
    let asked = judge(Some(&case.ask), &[]);
    let both = judge(narrowed.as_ref().map(PolicyDocument::as_str), &case.managed);
    for request in &case.requests {
        let allows =
            |judge: &Judge| judge.allows(request.action, request.resource, &request.context);
        assert_eq!(
            allows(&both),
            allows(&profile) && allows(&asked),
            "inline {:?}\nmanaged {:?}\nask {}\nnarrowed {narrowed:?}\n{request:?}",
            case.inline,
            case.managed,
            case.ask
        );
    }
    true
}

#[test]
fn what_is_narrowed_is_what_profile_and_ask_both_allow() {
    let mut dice = Dice::new(0x6a75_6d70);
    let (mut compared, mut allowed_to_try) = (0, 50 * CASES / REQUESTS);
    while compared < CASES {
        allowed_to_try -= 1;
        assert!(
            allowed_to_try > 0,
            "only {compared} requests of asks that are exact"
        );
        if holds(&case(&mut dice, REQUESTS)) {
            compared += REQUESTS;
        }
    }
}
