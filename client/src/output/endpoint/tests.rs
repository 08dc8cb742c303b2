//! What an endpoint does to an environment, name by name.

#![allow(clippy::unwrap_used)]

use super::*;

fn golden() -> EndpointReply {
    let text = include_str!("../../../../proto/api/golden/endpoint_reply.json");
    serde_json::from_str(text).unwrap()
}

fn imds_endpoint() -> EndpointReply {
    EndpointReply {
        kind: EndpointKind::Imds,
        url: "http://127.0.0.1:41235".to_owned(),
        token: None,
        token_file: None,
        region: None,
        ..golden()
    }
}

fn set(reply: &EndpointReply) -> Vec<String> {
    let pairs = Changes::towards(reply, &[None, None]).set.into_iter();
    pairs
        .map(|(name, value)| format!("{name}={}", value.as_str()))
        .collect()
}

const PROXY: [&str; 2] = [
    "NO_PROXY=127.0.0.1,localhost",
    "no_proxy=127.0.0.1,localhost",
];

#[test]
fn a_container_endpoint_is_these_variables() {
    let expected = [
        "AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1:41234/v1/01KAN0000000000000000000L1",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN=token",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=/run/user/1000/jumpgate/tokens/01KAN0000000000000000000L1",
        "AWS_REGION=ap-northeast-1",
        "AWS_DEFAULT_REGION=ap-northeast-1",
        PROXY[0],
        PROXY[1],
    ];
    assert_eq!(set(&golden()), expected);
}

#[test]
fn an_imds_endpoint_is_these_variables() {
    let expected = [
        "AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.0.0.1:41235/",
        "AWS_EC2_METADATA_V1_DISABLED=true",
        PROXY[0],
        PROXY[1],
    ];
    assert_eq!(set(&imds_endpoint()), expected);
}

#[test]
fn every_other_source_is_taken_out() {
    let container = Changes::towards(&golden(), &[None, None]);
    let imds = Changes::towards(&imds_endpoint(), &[None, None]);
    let common = &CREDENTIALS[..11];
    for changes in [&container, &imds] {
        assert_eq!(&changes.unset[..11], common);
    }
    assert_eq!(
        container.unset[11..],
        [
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
            "AWS_EC2_METADATA_SERVICE_ENDPOINT",
            "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
        ]
    );
    assert_eq!(
        imds.unset[11..],
        [
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
            "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
            "AWS_EC2_METADATA_DISABLED",
        ]
    );
}

#[test]
fn no_proxy_keeps_what_it_had_and_names_us_once() {
    let cases = [
        (None, "127.0.0.1,localhost"),
        (Some(""), "127.0.0.1,localhost"),
        (Some("a.example"), "a.example,127.0.0.1,localhost"),
        (Some("a.example,"), "a.example,127.0.0.1,localhost"),
        (Some("a, localhost ,b"), "a, localhost ,b,127.0.0.1"),
        (Some("localhost,127.0.0.1"), "localhost,127.0.0.1"),
        (Some("127.0.0.11"), "127.0.0.11,127.0.0.1,localhost"),
        (Some("*"), "*"),
    ];
    for (list, expected) in cases {
        let list = list.map(str::to_owned);
        assert_eq!(extended(list.as_ref()).as_str(), expected, "{list:?}");
    }
}

#[test]
fn neither_spelling_of_no_proxy_hides_the_other() {
    let list = |text: &str| Some(text.to_owned());
    let cases = [
        ([list("A"), None], ["A", "A"]),
        ([None, list("b")], ["b", "b"]),
        ([list("A"), list("b")], ["A", "b"]),
    ];
    for (before, after) in cases {
        let changes = Changes::towards(&golden(), &before);
        let value = |name| {
            let mut set = changes.set.iter();
            set.find(|(set, _)| *set == name).unwrap().1.to_string()
        };
        let expected = after.map(|list| format!("{list},127.0.0.1,localhost"));
        assert_eq!([value("NO_PROXY"), value("no_proxy")], expected);
    }
}
