//! GetSessionToken, GetFederationToken, GetCallerIdentity, GetAccessKeyInfo: who may call them, and
//! what their credentials may.

use crate::client::Keys;
use crate::lab::{Bench, Lab, MFA, allow};
use jumpgate_tests::sts::HIDDEN;

fn session_of(bench: &Bench, keys: &Keys) -> Keys {
    bench.call(keys, "GetSessionToken", &[]).keys()
}

pub(crate) fn session_token_from_session(lab: Lab) -> String {
    let bench = lab.plain();
    let keys = session_of(&bench, &bench.alice());
    bench.call(&keys, "GetSessionToken", &[]).outcome()
}

pub(crate) fn short_session_token(lab: Lab) -> String {
    let bench = lab.plain();
    bench
        .call(
            &bench.alice(),
            "GetSessionToken",
            &[("DurationSeconds", "899")],
        )
        .outcome()
}

pub(crate) fn session_token_of_root(lab: Lab) -> String {
    let bench = lab.plain();
    let reply = bench.call(
        &bench.root(),
        "GetSessionToken",
        &[("DurationSeconds", "7200")],
    );
    assert_eq!(reply.outcome(), "200");
    let event = bench.double.events().pop().unwrap();
    (event.issued.unwrap().expires - event.time).to_string()
}

const SOME_KEY: [(&str, &str); 1] = [("AccessKeyId", "AKIAALICEALICEALICE2")];

pub(crate) fn key_info_from_session(lab: Lab) -> String {
    let bench = lab.plain();
    let keys = session_of(&bench, &bench.carol());
    bench.call(&keys, "GetAccessKeyInfo", &SOME_KEY).outcome()
}

pub(crate) fn federation_from_session(lab: Lab) -> String {
    let bench = lab.plain();
    bench
        .federated(&session_of(&bench, &bench.carol()), &[])
        .outcome()
}

pub(crate) fn federation_without_permission(lab: Lab) -> String {
    let bench = lab.plain();
    bench.federated(&bench.alice(), &[]).outcome()
}

pub(crate) fn bad_federation_name(lab: Lab) -> String {
    let bench = lab.plain();
    bench
        .call(&bench.carol(), "GetFederationToken", &[("Name", "fred!")])
        .outcome()
}

pub(crate) fn short_federation(lab: Lab) -> String {
    let bench = lab.plain();
    bench
        .federated(&bench.carol(), &[("DurationSeconds", "899")])
        .outcome()
}

/// An administrator's federated user, without any policy, in the administrator's own account.
pub(crate) fn federation_without_policy(lab: Lab) -> String {
    let bench = lab.plain();
    let keys = bench.federated(&bench.carol(), &[]).keys();
    bench.s3(&keys, "GET", "/home/hello.txt", b"").outcome()
}

pub(crate) fn key_info_from_federation(lab: Lab) -> String {
    let bench = lab.plain();
    let all = allow(r#""Action":"*","Resource":"*""#);
    let keys = bench.federated(&bench.carol(), &[("Policy", &all)]).keys();
    bench.call(&keys, "GetAccessKeyInfo", &SOME_KEY).outcome()
}

pub(crate) fn session_token_from_role(lab: Lab) -> String {
    let bench = lab.plain();
    bench
        .call(&bench.session(&[]), "GetSessionToken", &[])
        .outcome()
}

pub(crate) fn identity_in_spite_of_a_deny(lab: Lab) -> String {
    let deny_all = "arn:aws:iam::aws:policy/AWSDenyAll".to_owned();
    let bench = lab.start(|world| world.users[0].managed.push(deny_all));
    bench.identity(&bench.alice())
}

pub(crate) fn key_info_without_permission(lab: Lab) -> String {
    let bench = lab.plain();
    bench
        .call(&bench.alice(), "GetAccessKeyInfo", &SOME_KEY)
        .outcome()
}

pub(crate) fn key_info_of_no_key(lab: Lab) -> String {
    let bench = lab.plain();
    let params = [("AccessKeyId", "AKIANOBODYNOBODYNOB2")];
    bench
        .call(&bench.carol(), "GetAccessKeyInfo", &params)
        .outcome()
}

/// What the record keeps of a token code.
pub(crate) fn recorded_code(lab: Lab) -> String {
    let bench = lab.plain();
    let code = bench.double.totp_code(MFA);
    bench.call(
        &bench.alice(),
        "GetSessionToken",
        &[("SerialNumber", MFA), ("TokenCode", &code)],
    );
    let event = bench.double.events().pop().unwrap();
    assert_eq!(event.parameter("SerialNumber"), Some(MFA));
    let kept = event.parameter("TokenCode").unwrap();
    if kept == HIDDEN {
        "hidden".into()
    } else {
        kept.into()
    }
}
