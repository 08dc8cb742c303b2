//! AssumeRole: who may, for how long, with which names; and MFA.

use crate::lab::{ALL_OF_STS, BOB_MFA, Bench, Lab, MFA, NEXT, OPEN, allow, deny, trust};

pub(crate) fn no_role_arn(lab: Lab) -> String {
    let bench = lab.plain();
    bench
        .assume(&bench.alice(), "arn:aws:iam::222222222222:user/Open", &[])
        .outcome()
}

pub(crate) fn not_trusted(lab: Lab) -> String {
    lab.trusting(&trust("arn:aws:iam::111111111111:user/carol", ""))
        .opens(&[])
}

/// Trust in the whole account is not enough for a user without a policy.
pub(crate) fn no_identity_policy(lab: Lab) -> String {
    let bench = lab.trusting(&trust("111111111111", ""));
    bench.assume(&bench.bob(), OPEN, &[]).outcome()
}

pub(crate) fn denied_by_identity(lab: Lab) -> String {
    let denial = deny(r#""Action":"sts:AssumeRole","Resource":"*""#);
    lab.start(|world| world.users[0].policies.push(denial))
        .opens(&[])
}

pub(crate) fn too_short(lab: Lab) -> String {
    lab.plain().opens(&[("DurationSeconds", "899")])
}

pub(crate) fn longer_than_the_role(lab: Lab) -> String {
    lab.plain().opens(&[("DurationSeconds", "3601")])
}

pub(crate) fn longer_than_a_chain(lab: Lab) -> String {
    let bench = lab.plain();
    let open = bench.session(&[]);
    bench
        .assume(&open, NEXT, &[("DurationSeconds", "3601")])
        .outcome()
}

pub(crate) fn root_user(lab: Lab) -> String {
    let bench = lab.trusting(&trust("arn:aws:iam::111111111111:root", ""));
    bench.assume(&bench.root(), OPEN, &[]).outcome()
}

pub(crate) fn bad_session_name(lab: Lab) -> String {
    lab.plain().opens(&[("RoleSessionName", "alice!")])
}

pub(crate) fn short_external_id(lab: Lab) -> String {
    lab.plain().opens(&[("ExternalId", "x")])
}

pub(crate) fn bad_source_identity(lab: Lab) -> String {
    lab.plain().opens(&[("SourceIdentity", "alice!")])
}

pub(crate) fn external_id_is_asked_for(lab: Lab) -> String {
    lab.trusting_if(r#"{"StringEquals":{"sts:ExternalId":"e-17"}}"#)
        .opens(&[("ExternalId", "e-17")])
}

// MFA

fn session_token(bench: &Bench, serial: &str, code: &str) -> String {
    let params = [("SerialNumber", serial), ("TokenCode", code)];
    bench
        .call(&bench.alice(), "GetSessionToken", &params)
        .outcome()
}

pub(crate) fn serial_without_code(lab: Lab) -> String {
    lab.plain().opens(&[("SerialNumber", MFA)])
}

pub(crate) fn foreign_device(lab: Lab) -> String {
    let bench = lab.plain();
    session_token(&bench, BOB_MFA, &bench.double.totp_code(BOB_MFA))
}

pub(crate) fn wrong_code(lab: Lab) -> String {
    let bench = lab.plain();
    let near: Vec<String> = (-12..=12)
        .map(|at| bench.double.totp_code_at(MFA, at))
        .collect();
    let wrong = (0..)
        .map(|n| format!("{n:06}"))
        .find(|code| !near.contains(code))
        .unwrap();
    session_token(&bench, MFA, &wrong)
}

pub(crate) fn old_code(lab: Lab) -> String {
    let bench = lab.plain();
    session_token(&bench, MFA, &bench.double.totp_code_at(MFA, -3))
}

pub(crate) fn code_twice(lab: Lab) -> String {
    let bench = lab.plain();
    let code = bench.double.totp_code(MFA);
    assert_eq!(session_token(&bench, MFA, &code), "200");
    session_token(&bench, MFA, &code)
}

pub(crate) fn mfa_is_asked_for(lab: Lab) -> String {
    let bench = lab.trusting_if(r#"{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#);
    let code = bench.double.totp_code(MFA);
    bench.opens(&[("SerialNumber", MFA), ("TokenCode", &code)])
}

pub(crate) fn mfa_age_is_asked_for(lab: Lab) -> String {
    let bench = lab.trusting_if(r#"{"NumericLessThan":{"aws:MultiFactorAuthAge":"300"}}"#);
    let code = bench.double.totp_code(MFA);
    bench.opens(&[("SerialNumber", MFA), ("TokenCode", &code)])
}

/// A role that wants MFA for reading: its sessions never have it.
pub(crate) fn mfa_in_a_role_session(lab: Lab) -> String {
    let with_mfa = r#""Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#;
    let bench = lab.start(|world| world.roles[0].policies = vec![allow(with_mfa)]);
    let code = bench.double.totp_code(MFA);
    bench.reads(&bench.session(&[("SerialNumber", MFA), ("TokenCode", &code)]))
}

// Source identity

pub(crate) fn source_identity_without_permission(lab: Lab) -> String {
    let assume_only = trust("arn:aws:iam::111111111111:user/alice", "")
        .replace(ALL_OF_STS, r#"["sts:AssumeRole","sts:TagSession"]"#);
    lab.trusting(&assume_only)
        .opens(&[("SourceIdentity", "alice")])
}

pub(crate) fn source_identity_is_asked_for(lab: Lab) -> String {
    lab.trusting_if(r#"{"StringLike":{"sts:SourceIdentity":"al*"}}"#)
        .opens(&[("SourceIdentity", "alice")])
}

pub(crate) fn source_identity_at_the_next_hop(lab: Lab) -> String {
    let bench = lab.plain();
    let open = bench.session(&[("SourceIdentity", "alice")]);
    format!(
        "{:?}",
        bench.assume(&open, NEXT, &[]).field("SourceIdentity")
    )
}

pub(crate) fn another_source_identity(lab: Lab) -> String {
    let bench = lab.plain();
    let open = bench.session(&[("SourceIdentity", "alice")]);
    bench
        .assume(&open, NEXT, &[("SourceIdentity", "mallory")])
        .outcome()
}
