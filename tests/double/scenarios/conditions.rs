//! Condition operators, tried in a trust policy.

use crate::lab::{Lab, TEAM};

pub(crate) fn string(lab: Lab) -> String {
    lab.trusting_if(r#"{"StringEquals":{"sts:RoleSessionName":"bob"}}"#)
        .opens(&[])
}

pub(crate) fn arn(lab: Lab) -> String {
    lab.trusting_if(r#"{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111111111111:user/b*"}}"#)
        .opens(&[])
}

pub(crate) fn boolean(lab: Lab) -> String {
    lab.trusting_if(r#"{"Bool":{"aws:SecureTransport":"true"}}"#)
        .opens(&[])
}

pub(crate) fn null(lab: Lab) -> String {
    lab.trusting_if(r#"{"Null":{"sts:ExternalId":"false"}}"#)
        .opens(&[])
}

pub(crate) fn numeric(lab: Lab) -> String {
    lab.trusting_if(r#"{"NumericGreaterThan":{"aws:EpochTime":99999999999}}"#)
        .opens(&[])
}

pub(crate) fn date(lab: Lab) -> String {
    lab.trusting_if(r#"{"DateGreaterThan":{"aws:CurrentTime":"2999-01-01T00:00:00Z"}}"#)
        .opens(&[])
}

pub(crate) fn ip(lab: Lab) -> String {
    lab.trusting_if(r#"{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}"#)
        .opens(&[])
}

pub(crate) fn if_exists(lab: Lab) -> String {
    lab.trusting_if(r#"{"StringEqualsIfExists":{"sts:ExternalId":"e-17"}}"#)
        .opens(&[])
}

const TWO_TAGS: [(&str, &str); 4] = [
    ("Tags.member.1.Key", "Team"),
    ("Tags.member.1.Value", "sre"),
    ("Tags.member.2.Key", "Local"),
    ("Tags.member.2.Value", "x"),
];

pub(crate) fn for_all_values(lab: Lab) -> String {
    let bench = lab.trusting_if(r#"{"ForAllValues:StringEquals":{"aws:TagKeys":["Team"]}}"#);
    assert_eq!(bench.opens(&TEAM), "200");
    bench.opens(&TWO_TAGS)
}

pub(crate) fn for_any_value(lab: Lab) -> String {
    lab.trusting_if(r#"{"ForAnyValue:StringNotEquals":{"aws:TagKeys":["Team"]}}"#)
        .opens(&TWO_TAGS)
}

pub(crate) fn missing_key(lab: Lab) -> String {
    lab.trusting_if(r#"{"StringEquals":{"sts:ExternalId":"e-17"}}"#)
        .opens(&[])
}

pub(crate) fn variable(lab: Lab) -> String {
    lab.trusting_if(r#"{"StringEquals":{"sts:RoleSessionName":"${aws:username}"}}"#)
        .opens(&[])
}
