//! IAM's calls about access keys: who may call them, about whom, and how many keys there are.

use crate::client::{Draft, Keys, Reply, form};
use crate::lab::{Bench, Lab, MFA, allow};

const VERSION: &str = "2010-05-08";
const OF_ALICE: [(&str, &str); 1] = [("UserName", "alice")];

fn draft(action: &str, params: &[(&str, &str)]) -> Draft {
    let own = [("Action", action), ("Version", VERSION)];
    let all: Vec<_> = own.iter().chain(params).copied().collect();
    let mut draft = Draft::new("POST", "/", "iam")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form(&all).as_bytes());
    draft.region = "us-east-1".into();
    draft
}

fn call(bench: &Bench, keys: &Keys, action: &str, params: &[(&str, &str)]) -> Reply {
    bench.send(&draft(action, params), Some(keys))
}

/// The lab, where alice may do everything with her own keys.
fn own_keys(lab: Lab) -> Bench {
    let own = r#""Action":"iam:*","Resource":"arn:aws:iam::111111111111:user/alice""#;
    lab.start(|world| world.users[0].policies.push(allow(own)))
}

fn session(bench: &Bench, params: &[(&str, &str)]) -> Keys {
    bench.call(&bench.alice(), "GetSessionToken", params).keys()
}

fn session_with_mfa(bench: &Bench) -> Keys {
    let code = bench.double.totp_code(MFA);
    session(bench, &[("SerialNumber", MFA), ("TokenCode", &code)])
}

pub(crate) fn other_region(lab: Lab) -> String {
    let bench = own_keys(lab);
    let mut draft = draft("ListAccessKeys", &[]);
    draft.region = "eu-west-1".into();
    bench.send(&draft, Some(&bench.alice())).outcome()
}

pub(crate) fn session_without_mfa(lab: Lab) -> String {
    let bench = own_keys(lab);
    let with = session_with_mfa(&bench);
    assert_eq!(
        call(&bench, &with, "ListAccessKeys", &OF_ALICE).outcome(),
        "200"
    );
    let without = session(&bench, &[]);
    call(&bench, &without, "ListAccessKeys", &OF_ALICE).outcome()
}

pub(crate) fn bad_user_name(lab: Lab) -> String {
    let bench = own_keys(lab);
    let user = [("UserName", "al/ice")];
    call(&bench, &bench.alice(), "ListAccessKeys", &user).outcome()
}

pub(crate) fn session_names_nobody(lab: Lab) -> String {
    let bench = own_keys(lab);
    assert_eq!(
        call(&bench, &bench.alice(), "ListAccessKeys", &[]).outcome(),
        "200"
    );
    let with = session_with_mfa(&bench);
    call(&bench, &with, "ListAccessKeys", &[]).outcome()
}

pub(crate) fn keys_of_another_user(lab: Lab) -> String {
    let bench = own_keys(lab);
    let user = [("UserName", "bob")];
    call(&bench, &bench.alice(), "CreateAccessKey", &user).outcome()
}

pub(crate) fn third_key(lab: Lab) -> String {
    let bench = own_keys(lab);
    let create = || call(&bench, &bench.alice(), "CreateAccessKey", &[]).outcome();
    assert_eq!(create(), "200");
    create()
}

pub(crate) fn bad_status(lab: Lab) -> String {
    let bench = own_keys(lab);
    let id = bench.alice().id;
    let params = [("AccessKeyId", id.as_str()), ("Status", "Retired")];
    call(&bench, &bench.alice(), "UpdateAccessKey", &params).outcome()
}

/// From its making to its end: unknown to STS at first, then active, inactive, gone.
#[test]
fn the_life_of_a_key() {
    let bench = own_keys(Lab { without: None });
    let alice = bench.alice();
    bench.double.delay_new_keys(2);
    let made = call(&bench, &alice, "CreateAccessKey", &[]);
    let new = Keys {
        id: made.field("AccessKeyId").unwrap(),
        secret: made.field("SecretAccessKey").unwrap(),
        token: None,
    };
    let used = |id: &str| {
        let reply = call(
            &bench,
            &alice,
            "GetAccessKeyLastUsed",
            &[("AccessKeyId", id)],
        );
        reply.field("LastUsedDate").is_some()
    };
    assert!(used(&alice.id) && !used(&new.id));
    for expected in [
        "403 InvalidClientTokenId",
        "403 InvalidClientTokenId",
        "200",
    ] {
        assert_eq!(bench.identity(&new), expected);
    }
    assert!(used(&new.id));
    let id = [("AccessKeyId", new.id.as_str())];
    let set = |status: &str| {
        let params = [id[0], ("Status", status)];
        call(&bench, &alice, "UpdateAccessKey", &params).outcome()
    };
    assert_eq!(
        (set("Inactive"), bench.identity(&new)),
        ("200".into(), "403 InvalidClientTokenId".into())
    );
    assert_eq!(
        (set("Active"), bench.identity(&new)),
        ("200".into(), "200".into())
    );
    assert_eq!(
        call(&bench, &alice, "DeleteAccessKey", &id).outcome(),
        "200"
    );
    assert_eq!(
        call(&bench, &alice, "DeleteAccessKey", &id).outcome(),
        "404 NoSuchEntity"
    );
    assert_eq!(bench.identity(&new), "403 InvalidClientTokenId");
    let user = "arn:aws:iam::111111111111:user/alice";
    assert_eq!(bench.double.access_keys(user), [(alice.id.clone(), true)]);
}
