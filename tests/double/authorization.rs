//! Who may what, beyond the one scenario of each rule: the ways in which a resource's policy names a
//! caller, MFA that grows old, tags and deny statements in a bucket policy.

use crate::lab::{Bench, Lab, MFA, NEXT, OPEN, TEAM, allow, deny, trust};
use jumpgate_tests::sts::Role;
use std::time::Duration;

const LAB: Lab = Lab { without: None };
const DENIED: &str = "403 AccessDenied";

/// reference_policies_elements_principal and reference_policies_evaluation-logic: alice has a policy
/// of her own, bob has none.
#[test]
fn a_trust_policy_names_the_caller_in_several_ways() {
    let table = [
        ("arn:aws:iam::111111111111:user/alice", "200", DENIED),
        ("111111111111", "200", DENIED),
        ("arn:aws:iam::111111111111:root", "200", DENIED),
        ("*", "200", DENIED),
        ("arn:aws:iam::111111111111:user/bob", DENIED, DENIED),
        ("arn:aws:iam::111111111111:user/*", DENIED, DENIED),
        ("arn:aws:iam::222222222222:root", DENIED, DENIED),
    ];
    for (principal, alice, bob) in table {
        let bench = LAB.trusting(&trust(principal, ""));
        assert_eq!(bench.opens(&[]), alice, "{principal}");
        assert_eq!(
            bench.assume(&bench.bob(), OPEN, &[]).outcome(),
            bob,
            "{principal}"
        );
    }
}

/// In one account, being named is enough; the account's name passes the question on.
#[test]
fn at_home_a_named_user_needs_no_policy() {
    let role = "arn:aws:iam::111111111111:role/Home";
    let named = [
        ("arn:aws:iam::111111111111:user/bob", "200"),
        ("111111111111", DENIED),
    ];
    for (principal, outcome) in named {
        let bench = LAB.start(|w| {
            w.roles
                .push(Role::new("111111111111", "Home", &trust(principal, "")))
        });
        assert_eq!(
            bench.assume(&bench.bob(), role, &[]).outcome(),
            outcome,
            "{principal}"
        );
    }
}

/// The administrator's own policy does not open a role that does not trust them.
#[test]
fn a_trust_policy_is_never_replaced() {
    let closed = trust("arn:aws:iam::111111111111:user/alice", "");
    let bench = LAB.start(|w| w.roles.push(Role::new("111111111111", "Home", &closed)));
    let role = "arn:aws:iam::111111111111:role/Home";
    assert_eq!(bench.assume(&bench.carol(), role, &[]).outcome(), DENIED);
    assert_eq!(
        bench
            .assume(&bench.carol(), &role.replace("Home", "None"), &[])
            .outcome(),
        DENIED
    );
}

/// One GetSessionToken with MFA serves until its age is too great; without MFA it says so.
#[test]
fn mfa_of_a_session_grows_old() {
    let condition = r#"{"Bool":{"aws:MultiFactorAuthPresent":"true"},"NumericLessThan":{"aws:MultiFactorAuthAge":"600"}}"#;
    let bench = LAB.trusting_if(condition);
    let code = bench.double.totp_code(MFA);
    let mfa = [("SerialNumber", MFA), ("TokenCode", code.as_str())];
    let with = bench.call(&bench.alice(), "GetSessionToken", &mfa).keys();
    let without = bench.call(&bench.alice(), "GetSessionToken", &[]).keys();
    assert_eq!(bench.assume(&with, OPEN, &[]).outcome(), "200");
    assert_eq!(bench.assume(&without, OPEN, &[]).outcome(), DENIED);
    assert_eq!(bench.opens(&[]), DENIED, "long-term keys");
    bench.double.advance(Duration::from_secs(290));
    assert_eq!(bench.assume(&with, OPEN, &[]).outcome(), "200");
    bench.double.set_clock_offset(601);
    let params = [("RoleArn", OPEN), ("RoleSessionName", "alice")];
    let mut draft = bench.draft("AssumeRole", &params);
    draft.time = bench.double.now();
    assert_eq!(bench.send(&draft, Some(&with)).outcome(), DENIED);
}

/// A deny by `Bool … false` stops sessions without MFA and lets long-term keys pass: they have no such
/// key in their context (reference_policies_condition-keys warns of it).
#[test]
fn a_missing_mfa_key_is_not_false() {
    let denial = deny(
        r#""Action":"sts:AssumeRole","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"false"}}"#,
    );
    let bench = LAB.start(|w| w.users[0].policies.push(denial));
    assert_eq!(
        bench.opens(&[]),
        "200",
        "long-term keys: the key is missing, not false"
    );
    let session = bench.call(&bench.alice(), "GetSessionToken", &[]).keys();
    assert_eq!(bench.assume(&session, OPEN, &[]).outcome(), DENIED);
}

#[test]
fn a_code_serves_for_assume_role_once() {
    let bench = LAB.trusting_if(r#"{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#);
    let code = bench.double.totp_code(MFA);
    let mfa = [("SerialNumber", MFA), ("TokenCode", code.as_str())];
    assert_eq!(bench.opens(&mfa), "200");
    assert_eq!(bench.opens(&mfa), DENIED);
    let next = bench.double.totp_code(MFA);
    assert_ne!(next, code);
    assert_eq!(
        bench.opens(&[("SerialNumber", MFA), ("TokenCode", &next)]),
        "200"
    );
}

/// A role session has no MFA device, hence no code.
#[test]
fn a_role_session_cannot_pass_a_code() {
    let bench = LAB.plain();
    let open = bench.session(&[]);
    let code = bench.double.totp_code(MFA);
    let mfa = [("SerialNumber", MFA), ("TokenCode", code.as_str())];
    assert_eq!(bench.assume(&open, NEXT, &mfa).outcome(), DENIED);
}

fn with_bucket_policy(policy: &str) -> Bench {
    let policy = policy.replace(
        "PRINCIPAL",
        r#""Principal":{"AWS":"arn:aws:iam::222222222222:role/Open"}"#,
    );
    LAB.start(|w| w.buckets[0].policy = Some(policy))
}

#[test]
fn a_bucket_policy_sees_the_tags_of_the_session() {
    let bench = with_bucket_policy(&deny(
        r#"PRINCIPAL,"Action":"s3:*","Resource":"arn:aws:s3:::demo/*","Condition":{"StringNotEquals":{"aws:PrincipalTag/Team":"sre"}}"#,
    ));
    assert_eq!(bench.reads(&bench.session(&TEAM)), "200");
    assert_eq!(bench.reads(&bench.session(&[])), DENIED);
    let dev = [
        ("Tags.member.1.Key", "Team"),
        ("Tags.member.1.Value", "dev"),
    ];
    assert_eq!(bench.reads(&bench.session(&dev)), DENIED);
}

/// A session tag wins over the role's tag of the same key, in whatever case.
#[test]
fn session_tags_win_over_the_tags_of_the_role() {
    let tagged = allow(
        r#""Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/team":"sre"}}"#,
    );
    let bench = LAB.start(|w| {
        w.roles[0] = w.roles[0].clone().tag("TEAM", "dev");
        w.roles[0].policies = vec![tagged];
    });
    assert_eq!(bench.reads(&bench.session(&[])), DENIED);
    assert_eq!(bench.reads(&bench.session(&TEAM)), "200");
}

/// A role's session policy may come from managed policies, which add up among themselves.
#[test]
fn managed_session_policies_add_up_and_still_only_narrow() {
    let bench = LAB.start(|w| {
        let list = allow(r#""Action":"s3:PutObject","Resource":"*""#);
        let arn = "arn:aws:iam::222222222222:policy/Write".to_owned();
        w.managed_policies.push(jumpgate_tests::sts::ManagedPolicy {
            arn,
            document: list,
        });
    });
    let read = (
        "PolicyArns.member.1.arn",
        "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess",
    );
    let write = (
        "PolicyArns.member.2.arn",
        "arn:aws:iam::222222222222:policy/Write",
    );
    let narrow = bench.session(&[read]);
    assert_eq!(
        (bench.reads(&narrow), bench.writes(&narrow)),
        ("200".into(), DENIED.into())
    );
    let both = bench.session(&[read, write]);
    assert_eq!(
        (bench.reads(&both), bench.writes(&both)),
        ("200".into(), "200".into())
    );
    let admin = (
        "PolicyArns.member.1.arn",
        "arn:aws:iam::aws:policy/AdministratorAccess",
    );
    let wide = bench.session(&[admin]);
    let elsewhere = bench.assume(&wide, "arn:aws:iam::222222222222:role/Nobody", &[]);
    assert_eq!(elsewhere.outcome(), DENIED, "not more than the role");
    let foreign = (
        "PolicyArns.member.1.arn",
        "arn:aws:iam::111111111111:policy/Write",
    );
    assert_eq!(
        bench.opens(&[foreign]),
        "400 ValidationError",
        "of another account"
    );
}

/// A session policy of a chained role narrows the chain too.
#[test]
fn a_session_without_assume_role_cannot_go_on() {
    let bench = LAB.plain();
    let policy = allow(r#""Action":"s3:*","Resource":"*""#);
    let narrow = bench.session(&[("Policy", &policy)]);
    assert_eq!(bench.assume(&narrow, NEXT, &[]).outcome(), DENIED);
    assert_eq!(
        bench.assume(&bench.session(&[]), NEXT, &[]).outcome(),
        "200"
    );
}

/// A user's own bucket, and the federated user within it.
#[test]
fn federated_users_have_what_user_and_policy_both_allow() {
    let bench = LAB.plain();
    let policy = allow(r#""Action":"s3:GetObject","Resource":"arn:aws:s3:::home/*""#);
    let reply = bench.federated(&bench.carol(), &[("Policy", &policy)]);
    assert_eq!(
        reply.field("FederatedUserId").as_deref(),
        Some("111111111111:fred")
    );
    let keys = reply.keys();
    assert_eq!(
        bench.s3(&keys, "GET", "/home/hello.txt", b"").outcome(),
        "200"
    );
    assert_eq!(bench.s3(&keys, "PUT", "/home/x", b"").outcome(), DENIED);
    let arn = "arn:aws:sts::111111111111:federated-user/fred";
    let who = bench.call(&keys, "GetCallerIdentity", &[]).field("Arn");
    assert_eq!(who.as_deref(), Some(arn));
}

/// The edges of the limits are inside.
#[test]
fn the_edges_of_the_limits_are_allowed() {
    let bench = LAB.plain();
    let long = "x".repeat(64);
    let key = "k".repeat(128);
    let value = "v".repeat(256);
    let external = "e".repeat(1224);
    let edges: [&[(&str, &str)]; 7] = [
        &[("RoleSessionName", &long)],
        &[("RoleSessionName", "ab")],
        &[("SourceIdentity", &long)],
        &[("ExternalId", &external)],
        &[("Tags.member.1.Key", &key), ("Tags.member.1.Value", &value)],
        &[("DurationSeconds", "900")],
        &[("DurationSeconds", "3600")],
    ];
    for edge in edges {
        assert_eq!(bench.opens(edge), "200", "{edge:?}");
    }
    let over: [&[(&str, &str)]; 4] = [
        &[("RoleSessionName", &format!("{long}x"))],
        &[("RoleSessionName", "a")],
        &[("ExternalId", &format!("{external}x"))],
        &[("DurationSeconds", "43201")],
    ];
    for beyond in over {
        assert_eq!(bench.opens(beyond), "400 ValidationError", "{beyond:?}");
    }
}
