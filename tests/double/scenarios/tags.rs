//! Session tags.

use crate::lab::{ALL_OF_STS, Lab, NEXT, TEAM, allow, trust};

fn key(key: &str) -> [(&str, &str); 2] {
    [("Tags.member.1.Key", key), ("Tags.member.1.Value", "v")]
}

pub(crate) fn fifty_one(lab: Lab) -> String {
    let tags: Vec<(String, String)> = (1..=51)
        .flat_map(|n| {
            let tag = format!("Tags.member.{n}");
            [
                (format!("{tag}.Key"), format!("k{n}")),
                (format!("{tag}.Value"), String::new()),
            ]
        })
        .collect();
    let tags: Vec<(&str, &str)> = tags.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    lab.plain().opens(&tags)
}

pub(crate) fn long_key(lab: Lab) -> String {
    lab.plain().opens(&key(&"k".repeat(129)))
}

pub(crate) fn bad_value(lab: Lab) -> String {
    lab.plain().opens(&[
        ("Tags.member.1.Key", "Team"),
        ("Tags.member.1.Value", "a<b"),
    ])
}

pub(crate) fn reserved_key(lab: Lab) -> String {
    lab.plain().opens(&key("aws:team"))
}

const CASES: [(&str, &str); 4] = [
    ("Tags.member.1.Key", "Team"),
    ("Tags.member.1.Value", "a"),
    ("Tags.member.2.Key", "team"),
    ("Tags.member.2.Value", "b"),
];

pub(crate) fn keys_that_differ_in_case(lab: Lab) -> String {
    lab.plain().opens(&CASES)
}

pub(crate) fn transitive_key_without_tag(lab: Lab) -> String {
    lab.plain()
        .opens(&[&TEAM[..], &[("TransitiveTagKeys.member.1", "Project")]].concat())
}

pub(crate) fn without_permission(lab: Lab) -> String {
    let untagged = trust("arn:aws:iam::111111111111:user/alice", "")
        .replace(ALL_OF_STS, r#"["sts:AssumeRole","sts:SetSourceIdentity"]"#);
    lab.trusting(&untagged).opens(&TEAM)
}

pub(crate) fn request_tag_is_asked_for(lab: Lab) -> String {
    lab.trusting_if(r#"{"StringEquals":{"aws:RequestTag/team":"sre"}}"#)
        .opens(&TEAM)
}

pub(crate) fn tag_keys_are_asked_for(lab: Lab) -> String {
    lab.trusting_if(r#"{"ForAnyValue:StringEquals":{"aws:TagKeys":"Team"}}"#)
        .opens(&TEAM)
}

pub(crate) fn transitive_keys_are_asked_for(lab: Lab) -> String {
    lab.trusting_if(r#"{"ForAnyValue:StringEquals":{"sts:TransitiveTagKeys":"Team"}}"#)
        .opens(&[&TEAM[..], &[("TransitiveTagKeys.member.1", "Team")]].concat())
}

pub(crate) fn principal_tag_is_asked_for(lab: Lab) -> String {
    let tagged = r#""Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/Team":"sre"}}"#;
    let bench = lab.start(|world| world.roles[0].policies = vec![allow(tagged)]);
    bench.reads(&bench.session(&TEAM))
}

const TRANSITIVE: [(&str, &str); 5] = [
    ("Tags.member.1.Key", "Team"),
    ("Tags.member.1.Value", "sre"),
    ("Tags.member.2.Key", "Local"),
    ("Tags.member.2.Value", "x"),
    ("TransitiveTagKeys.member.1", "Team"),
];

/// At the second hop only the transitive tag is left.
pub(crate) fn second_hop(lab: Lab) -> String {
    let tagged = r#""Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/Team":"sre"},"Null":{"aws:PrincipalTag/Local":"true"}}"#;
    let bench = lab.start(|world| world.roles[1].policies = vec![allow(tagged)]);
    let open = bench.session(&TRANSITIVE);
    bench.reads(&bench.assume(&open, NEXT, &[]).keys())
}

pub(crate) fn transitive_tag_again(lab: Lab) -> String {
    let bench = lab.plain();
    let open = bench.session(&TRANSITIVE);
    bench.assume(&open, NEXT, &key("team")).outcome()
}
