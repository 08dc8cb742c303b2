//! GetScopedCredentials: who may call it, how long its credentials live, what they may.

use crate::client::{Keys, Reply};
use crate::lab::{Bench, Lab, allow, deny};

const READING: &str = r#""Action":"s3:GetObject","Resource":"*""#;
const WRITING: &str = r#""Action":"s3:PutObject","Resource":"*""#;

pub(crate) fn scoped(bench: &Bench, keys: &Keys, params: &[(&str, &str)]) -> Reply {
    bench.call(keys, "GetScopedCredentials", params)
}

fn of_a_session(lab: Lab, params: &[(&str, &str)]) -> String {
    let bench = lab.plain();
    scoped(&bench, &bench.session(&[]), params).outcome()
}

pub(crate) fn from_long_term_keys(lab: Lab) -> String {
    let bench = lab.plain();
    scoped(&bench, &bench.carol(), &[]).outcome()
}

pub(crate) fn at_the_global_endpoint(lab: Lab) -> String {
    let bench = lab.plain();
    let session = bench.session(&[]);
    let draft = bench.draft("GetScopedCredentials", &[]);
    let regional = draft.clone().header("host", "sts.us-east-1.amazonaws.com");
    assert_eq!(bench.send(&regional, Some(&session)).outcome(), "200");
    let global = draft.header("host", "sts.amazonaws.com");
    bench.send(&global, Some(&session)).outcome()
}

pub(crate) fn of_no_second(lab: Lab) -> String {
    assert_eq!(of_a_session(lab, &[("DurationSeconds", "1")]), "200");
    of_a_session(lab, &[("DurationSeconds", "0")])
}

pub(crate) fn beyond_the_session(lab: Lab) -> String {
    of_a_session(lab, &[("DurationSeconds", "3700")])
}

/// The session may all of S3; the policy of the call leaves reading.
pub(crate) fn policy_intersects(lab: Lab) -> String {
    let bench = lab.plain();
    let policy = allow(READING);
    let keys = scoped(&bench, &bench.session(&[]), &[("Policy", &policy)]).keys();
    assert_eq!(bench.reads(&keys), "200");
    bench.writes(&keys)
}

/// Reading, then writing: nothing is left.
pub(crate) fn nested_policies_intersect(lab: Lab) -> String {
    let bench = lab.plain();
    let (reading, writing) = (allow(READING), allow(WRITING));
    let first = scoped(&bench, &bench.session(&[]), &[("Policy", &reading)]).keys();
    let second = scoped(&bench, &first, &[("Policy", &writing)]).keys();
    assert_eq!(bench.reads(&second), "403 AccessDenied");
    bench.writes(&second)
}

pub(crate) fn denied_by_the_session_policy(lab: Lab) -> String {
    let bench = lab.plain();
    let policy = deny(r#""Action":"sts:GetScopedCredentials","Resource":"*""#);
    scoped(&bench, &bench.session(&[("Policy", &policy)]), &[]).outcome()
}
