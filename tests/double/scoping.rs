//! Scoped credentials and the other services, beyond the one scenario of each rule.

use crate::lab::{Lab, OPEN, TEAM, allow};
use crate::scenarios::scoped::scoped;
use crate::scenarios::services::json;
use jumpgate_tests::sts::Account;

const LAB: Lab = Lab { without: None };
const DENIED: &str = "403 AccessDenied";
const SESSION: &str = "arn:aws:sts::222222222222:assumed-role/Open/alice";

#[test]
fn scoped_credentials_are_the_same_session_for_as_long_as_it_lasts() {
    let bench = LAB.plain();
    let session = bench.assume(&bench.alice(), OPEN, &TEAM);
    let id = session.field("AssumedRoleId");
    let reply = scoped(&bench, &session.keys(), &[]);
    assert_eq!(reply.field("Arn").as_deref(), Some(SESSION));
    assert_eq!(reply.field("ScopedSessionId"), id);
    assert_eq!(reply.field("Expiration"), session.field("Expiration"));
    let who = bench.call(&reply.keys(), "GetCallerIdentity", &[]);
    assert_eq!(who.field("Arn").as_deref(), Some(SESSION));
    let short = scoped(&bench, &reply.keys(), &[("DurationSeconds", "60")]);
    assert_eq!(short.outcome(), "200");
    let event = bench.double.events().pop().unwrap();
    assert_eq!(event.issued.unwrap().expires - event.time, 60);
    let longer = scoped(&bench, &short.keys(), &[("DurationSeconds", "61")]);
    assert_eq!(longer.outcome(), "400 ValidationError");
    let tags = [("Tags.member.1.Key", "Team"), TEAM[1]];
    let tagged = scoped(&bench, &session.keys(), &tags);
    assert_eq!(tagged.outcome(), "400 InvalidQueryParameter");
}

/// What a bucket gives to the session itself, past its session policies, a scope-down still takes.
#[test]
fn a_bucket_that_names_the_session_does_not_reach_past_a_scope_down() {
    let bench = LAB.plain();
    let listing = allow(r#""Action":"s3:ListBucket","Resource":"*""#);
    let named = allow(&format!(
        r#""Principal":{{"AWS":"{SESSION}"}},"Action":"s3:GetObject","Resource":"arn:aws:s3:::demo/*""#
    ));
    bench
        .double
        .change_bucket("demo", |bucket| bucket.policy = Some(named));
    let session = bench.session(&[("Policy", &listing)]);
    assert_eq!(bench.reads(&session), "200");
    let keys = scoped(&bench, &session, &[("Policy", &listing)]).keys();
    assert_eq!(bench.reads(&keys), DENIED);
}

#[test]
fn a_bucket_lets_sessions_in_by_their_tag() {
    let policy = allow(
        r#""Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::demo/*","Condition":{"StringEquals":{"aws:PrincipalTag/DoiTEnvironment":"222222222222"}}"#,
    );
    let bench = LAB.start(|world| {
        world.buckets[0].policy = Some(policy);
        let onwards = r#""Action":["sts:AssumeRole","sts:TagSession"],"Resource":"*""#;
        world.roles[0].policies = vec![allow(onwards)];
    });
    let tagged = |value| {
        bench.session(&[
            ("Tags.member.1.Key", "DoiTEnvironment"),
            ("Tags.member.1.Value", value),
        ])
    };
    assert_eq!(bench.reads(&bench.session(&[])), DENIED);
    assert_eq!(bench.reads(&tagged("333333333333")), DENIED);
    assert_eq!(bench.reads(&tagged("222222222222")), "200");
    let all = allow(r#""Action":"*","Resource":"*""#);
    let keys = scoped(&bench, &tagged("222222222222"), &[("Policy", &all)]).keys();
    assert_eq!(bench.reads(&keys), "200", "tags are kept");
}

#[test]
fn services_ask_every_layer() {
    let all = allow(r#""Action":"*","Resource":"*""#);
    let cases = allow(r#""Action":"support:*","Resource":"*""#);
    let storage = allow(r#""Action":"s3:*","Resource":"*""#);
    for (role, session, scope, control, expected) in [
        (&all, &all, &all, &all, "200"),
        (&cases, &cases, &cases, &cases, "200"),
        (&storage, &all, &all, &all, "400 AccessDeniedException"),
        (&all, &storage, &all, &all, "400 AccessDeniedException"),
        (&all, &all, &storage, &all, "400 AccessDeniedException"),
        (&all, &all, &all, &storage, "400 AccessDeniedException"),
    ] {
        let bench = LAB.start(|world| {
            world.roles[0].policies = vec![role.clone()];
            let account = Account::new("222222222222");
            world.accounts.push(account.level(&[control]));
        });
        let keys = bench.session(&[("Policy", session)]);
        let keys = scoped(&bench, &keys, &[("Policy", scope)]).keys();
        let target = "AWSSupport_20130415.CreateCase";
        let body = r#"{"subject":"help"}"#;
        let reply = json(&bench, &keys, "support", target, body);
        assert_eq!(
            reply.outcome(),
            expected,
            "{role} {session} {scope} {control}"
        );
        let event = bench.double.events_of("CreateCase").pop().unwrap();
        assert_eq!(event.parameter("subject"), Some("help"));
        assert_eq!(event.caller_arn.as_deref(), Some(SESSION));
    }
}
