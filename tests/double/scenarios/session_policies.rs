//! Session policies, their sizes, the size of the token.

use crate::client::Reply;
use crate::lab::{Bench, Lab, NEXT, OPEN, allow};

fn with_policy(lab: Lab, policy: &str) -> String {
    lab.plain().opens(&[("Policy", policy)])
}

pub(crate) fn no_policy_at_all(lab: Lab) -> String {
    with_policy(lab, r#"{"Version":"2012-10-17"}"#)
}

pub(crate) fn key_twice(lab: Lab) -> String {
    with_policy(
        lab,
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Effect":"Allow","Action":"*","Resource":"*"}}"#,
    )
}

pub(crate) fn letter_beyond_latin_1(lab: Lab) -> String {
    with_policy(
        lab,
        &allow(r#""Action":"s3:*","Resource":"arn:aws:s3:::demo/Ā""#),
    )
}

/// A policy of exactly so many characters, blanks not counted by any model.
fn policy_of(characters: usize) -> String {
    let policy = allow(r#""Action":"s3:*","Resource":"arn:aws:s3:::demo/*""#);
    format!("{policy}{}", " ".repeat(characters - policy.len()))
}

pub(crate) fn federation_policy_of_2049(lab: Lab) -> String {
    let bench = lab.plain();
    assert_eq!(
        bench
            .federated(&bench.carol(), &[("Policy", &policy_of(2048))])
            .outcome(),
        "200"
    );
    bench
        .federated(&bench.carol(), &[("Policy", &policy_of(2049))])
        .outcome()
}

pub(crate) fn eleven_arns(lab: Lab) -> String {
    let names: Vec<String> = (1..=11)
        .map(|n| format!("PolicyArns.member.{n}.arn"))
        .collect();
    let arn = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    let arns: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), arn)).collect();
    lab.plain().opens(&arns)
}

pub(crate) fn unknown_arn(lab: Lab) -> String {
    lab.plain().opens(&[(
        "PolicyArns.member.1.arn",
        "arn:aws:iam::aws:policy/NoSuchAccess",
    )])
}

pub(crate) fn session_policy_narrows(lab: Lab) -> String {
    let bench = lab.plain();
    let policy = allow(r#""Action":"s3:GetObject","Resource":"*""#);
    let keys = bench.session(&[("Policy", &policy)]);
    assert_eq!(bench.reads(&keys), "200");
    bench.writes(&keys)
}

pub(crate) fn packed_size_is_told(lab: Lab) -> String {
    let bench = lab.plain();
    let reply = bench.assume(&bench.alice(), OPEN, &[("Policy", &policy_of(200))]);
    reply.field("PackedPolicySize").is_some().to_string()
}

/// `count` tags with values of 200 characters, all of them transitive.
fn assume_with_tags(bench: &Bench, first: &str, count: usize, next: bool) -> Reply {
    let value = "v".repeat(200);
    let names: Vec<[String; 4]> = (1..=count)
        .map(|n| {
            let tag = format!("Tags.member.{n}");
            let transitive = format!("TransitiveTagKeys.member.{n}");
            [
                format!("{tag}.Key"),
                format!("{tag}.Value"),
                transitive,
                format!("{first}{n}"),
            ]
        })
        .collect();
    let params: Vec<(&str, &str)> = names
        .iter()
        .flat_map(|[name, value_name, transitive, key]| {
            [
                (name.as_str(), key.as_str()),
                (value_name, &value),
                (transitive, key),
            ]
        })
        .collect();
    if !next {
        return bench.assume(&bench.alice(), OPEN, &params);
    }
    let open = assume_with_tags(bench, "open", count, false).keys();
    bench.assume(&open, NEXT, &params)
}

pub(crate) fn too_many_bytes_of_tags(lab: Lab) -> String {
    assume_with_tags(&lab.plain(), "open", 11, false).outcome()
}

/// Two hops, each within the packed limit; together they do not fit into one token.
pub(crate) fn too_large_a_token(lab: Lab) -> String {
    assume_with_tags(&lab.plain(), "next", 8, true).outcome()
}

pub(crate) fn token_size_is_true(lab: Lab) -> String {
    let bench = lab.plain();
    let reply = assume_with_tags(&bench, "open", 9, false);
    let told = reply.field("SessionTokenSize").unwrap();
    (reply.keys().token.unwrap().len().to_string() == told).to_string()
}

pub(crate) fn token_of_4000(lab: Lab) -> String {
    let keys = lab.plain().session(&[("MinimumSessionTokenSize", "4000")]);
    keys.token.unwrap().len().to_string()
}
