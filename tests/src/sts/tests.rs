//! Tables for the pure parts: patterns, conditions, the grammar of policies, signatures as AWS
//! published them, checksums.
#![allow(clippy::unwrap_used)]

use super::checksum::{crc, holds};
use super::chunked::{ChunkFault, unchunked};
use super::condition::{Condition, Operator};
use super::context::Context;
use super::http::Request;
use super::packed::{packed_bytes, percent};
use super::pattern::{action_matches, glob, matches, plain};
use super::policy::{Policy, Purpose, Question};
use super::principal::SessionPolicies;
use super::rules::Rules;
use super::sigv4::{Scope, Signed};
use super::{clock, query};

fn context() -> Context {
    let mut context = Context::default();
    context.set("aws:username", "alice");
    context.set("aws:SourceIp", "203.0.113.77");
    context.set(
        "aws:PrincipalArn",
        "arn:aws:iam::111111111111:role/team/Dev",
    );
    context.set("aws:CurrentTime", "2026-11-22T10:00:00Z");
    context.set("aws:SecureTransport", "false");
    context.set("aws:MultiFactorAuthAge", "300");
    context.set("aws:PrincipalTag/Star", "a*");
    context.set_all("aws:TagKeys", ["Team".to_owned(), "Cost".to_owned()]);
    context
}

/// Operator, key, values, whether it holds: reference_policies_elements_condition_operators and
/// reference_policies_condition-single-vs-multi-valued-context-keys.
const CONDITIONS: &[(&str, &str, &[&str], bool)] = &[
    ("StringEquals", "aws:username", &["bob", "alice"], true),
    ("StringEquals", "AWS:UserName", &["alice"], true),
    ("StringEquals", "aws:username", &["Alice"], false),
    ("StringEquals", "aws:username", &["al*"], false),
    ("StringEqualsIgnoreCase", "aws:username", &["ALICE"], true),
    (
        "StringNotEqualsIgnoreCase",
        "aws:username",
        &["ALICE"],
        false,
    ),
    ("StringNotEquals", "aws:username", &["bob"], true),
    ("StringNotEquals", "aws:username", &["bob", "alice"], false),
    ("StringLike", "aws:username", &["a?i*"], true),
    ("StringNotLike", "aws:username", &["a?i*"], false),
    ("StringEquals", "missing", &["x"], false),
    ("StringNotEquals", "missing", &["x"], true),
    ("StringNotLike", "missing", &["*"], true),
    ("StringLike", "missing", &["*"], false),
    ("StringEqualsIfExists", "missing", &["x"], true),
    ("StringEqualsIfExists", "aws:username", &["x"], false),
    ("StringEquals", "aws:username", &["${aws:username}"], true),
    (
        "StringEquals",
        "aws:username",
        &["${missing, 'alice'}"],
        true,
    ),
    ("StringEquals", "aws:username", &["${missing}"], false),
    (
        "StringLike",
        "aws:username",
        &["${aws:PrincipalTag/Star}"],
        false,
    ),
    (
        "ArnLike",
        "aws:PrincipalArn",
        &["arn:aws:iam::111111111111:role/*"],
        true,
    ),
    (
        "ArnEquals",
        "aws:PrincipalArn",
        &["arn:aws:iam::*:role/*/Dev"],
        true,
    ),
    ("ArnLike", "aws:PrincipalArn", &["arn:aws:*:role/*"], false),
    (
        "ArnNotLike",
        "aws:PrincipalArn",
        &["arn:aws:iam::2*:role/*"],
        true,
    ),
    ("ArnNotEquals", "missing", &["arn:aws:iam::*:role/*"], true),
    ("Bool", "aws:SecureTransport", &["False"], true),
    ("Bool", "aws:SecureTransport", &["true"], false),
    ("Bool", "missing", &["false"], false),
    ("BoolIfExists", "missing", &["false"], true),
    ("Null", "missing", &["true"], true),
    ("Null", "missing", &["false"], false),
    ("Null", "aws:username", &["false"], true),
    ("NumericEquals", "aws:MultiFactorAuthAge", &["300.0"], true),
    (
        "NumericNotEquals",
        "aws:MultiFactorAuthAge",
        &["300"],
        false,
    ),
    ("NumericLessThan", "aws:MultiFactorAuthAge", &["300"], false),
    (
        "NumericLessThanEquals",
        "aws:MultiFactorAuthAge",
        &["300"],
        true,
    ),
    (
        "NumericGreaterThan",
        "aws:MultiFactorAuthAge",
        &["299"],
        true,
    ),
    (
        "NumericGreaterThanEquals",
        "aws:MultiFactorAuthAge",
        &["301"],
        false,
    ),
    ("NumericEquals", "aws:username", &["0"], false),
    ("NumericLessThanIfExists", "missing", &["1"], true),
    (
        "DateLessThan",
        "aws:CurrentTime",
        &["2026-11-22T10:00:01Z"],
        true,
    ),
    ("DateLessThan", "aws:CurrentTime", &["2026-11-22"], false),
    (
        "DateLessThanEquals",
        "aws:CurrentTime",
        &["2026-11-22T10:00:00Z"],
        true,
    ),
    (
        "DateGreaterThan",
        "aws:CurrentTime",
        &["2026-11-22T11:00:00+02:00"],
        true,
    ),
    (
        "DateGreaterThanEquals",
        "aws:CurrentTime",
        &["1795341600"],
        true,
    ),
    (
        "DateEquals",
        "aws:CurrentTime",
        &["2026-11-22T10:00:00Z"],
        true,
    ),
    (
        "DateNotEquals",
        "aws:CurrentTime",
        &["2026-11-22T10:00:00Z"],
        false,
    ),
    (
        "IpAddress",
        "aws:SourceIp",
        &["198.51.100.0/24", "203.0.113.0/24"],
        true,
    ),
    ("IpAddress", "aws:SourceIp", &["203.0.113.77"], true),
    ("IpAddress", "aws:SourceIp", &["203.0.113.76"], false),
    ("IpAddress", "aws:SourceIp", &["203.0.113.64/28"], true),
    ("IpAddress", "aws:SourceIp", &["203.0.113.80/28"], false),
    ("IpAddress", "aws:SourceIp", &["0.0.0.0/0"], true),
    ("IpAddress", "aws:SourceIp", &["::/0"], false),
    ("NotIpAddress", "aws:SourceIp", &["203.0.113.0/24"], false),
    (
        "ForAllValues:StringEquals",
        "aws:TagKeys",
        &["Team", "Cost", "More"],
        true,
    ),
    ("ForAllValues:StringEquals", "aws:TagKeys", &["Team"], false),
    ("ForAllValues:StringEquals", "missing", &["Team"], true),
    (
        "ForAllValues:StringNotEquals",
        "aws:TagKeys",
        &["Other"],
        true,
    ),
    (
        "ForAllValues:StringNotEquals",
        "aws:TagKeys",
        &["Team"],
        false,
    ),
    ("ForAnyValue:StringEquals", "aws:TagKeys", &["Team"], true),
    ("ForAnyValue:StringEquals", "aws:TagKeys", &["Other"], false),
    ("ForAnyValue:StringEquals", "missing", &["Team"], false),
    (
        "ForAnyValue:StringNotEquals",
        "aws:TagKeys",
        &["Team"],
        true,
    ),
    ("ForAnyValue:StringNotEquals", "missing", &["Team"], false),
    ("ForAnyValue:StringLike", "aws:TagKeys", &["C?st"], true),
];

#[test]
fn conditions_hold_as_iam_documents() {
    for (name, key, values, holds) in CONDITIONS {
        let condition = Condition {
            operator: Operator::parse(name).unwrap(),
            key: (*key).to_owned(),
            values: values.iter().map(|value| (*value).to_owned()).collect(),
        };
        let found = condition.holds(&context(), &Rules::default(), true);
        assert_eq!(found, *holds, "{name} {key} {values:?}");
    }
}

#[test]
fn operators_that_do_not_exist_are_refused() {
    let names = [
        "stringEquals",
        "NullIfExists",
        "ForAllValues:Null",
        "ForEach:Bool",
        "Binary",
        "",
    ];
    for name in names {
        assert_eq!(Operator::parse(name), None, "{name}");
    }
}

#[test]
fn patterns_match_whole_texts() {
    let table = [
        ("", "", true),
        ("*", "", true),
        ("?", "", false),
        ("a*c", "abbbc", true),
        ("a*c", "abbbcd", false),
        ("*b*", "abc", true),
        ("a?c", "abc", true),
        ("a?c", "ac", false),
        ("a**?", "ab", true),
        ("arn:aws:s3:::demo/*", "arn:aws:s3:::demo/a/b", true),
        ("arn:aws:s3:::demo/*", "arn:aws:s3:::demo", false),
    ];
    for (pattern, text, hit) in table {
        assert_eq!(
            matches(&glob(pattern, None).unwrap(), text),
            hit,
            "{pattern} {text}"
        );
    }
    assert!(action_matches("S3:get*", "s3:GetObject"));
    assert!(!action_matches("s3:Get", "s3:GetObject"));
}

/// `${*}`, `${?}`, `${$}` are the characters themselves, and what a variable brings in is no pattern.
#[test]
fn variables_bring_in_literal_text() {
    let context = context();
    assert_eq!(plain("${*}${?}${$}", Some(&context)).unwrap(), "*?$");
    assert_eq!(
        plain("x${aws:username}y", Some(&context)).unwrap(),
        "xalicey"
    );
    assert_eq!(plain("${aws:username}", None).unwrap(), "${aws:username}");
    assert_eq!(
        plain("${aws:TagKeys}", Some(&context)),
        None,
        "a key of several values"
    );
    let star = glob("${aws:PrincipalTag/Star}b*", Some(&context)).unwrap();
    assert!(matches(&star, "a*bc") && !matches(&star, "axbc"));
}

#[test]
fn policies_that_are_none_are_refused() {
    let statement = |rest: &str| format!(r#"{{"Statement":{{{rest}}}}}"#);
    let wrong = [
        "".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        r#"{"Statement":[]}"#.to_owned(),
        r#"{"Version":"2012-10-18","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#
            .into(),
        r#"{"Colour":1,"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#.into(),
        statement(r#""Effect":"allow","Action":"*","Resource":"*""#),
        statement(r#""Effect":"Allow","Resource":"*""#),
        statement(r#""Effect":"Allow","Action":"*""#),
        statement(r#""Effect":"Allow","Action":[],"Resource":"*""#),
        statement(r#""Effect":"Allow","Action":"s3","Resource":"*""#),
        statement(r#""Effect":"Allow","Action":"*","NotAction":"*","Resource":"*""#),
        statement(r#""Effect":"Allow","Action":"*","Resource":"demo""#),
        statement(r#""Effect":"Allow","Action":"*","Resource":"*","Principal":"*""#),
        statement(r#""Effect":"Allow","Action":"*","Resource":"*","Sid":"a b""#),
        statement(r#""Effect":"Allow","Action":"*","Resource":"*","Condition":{"Like":{"a":"b"}}"#),
        statement(r#""Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"a":{}}}"#),
        statement(
            r#""Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"a":"1","a":"2"}}"#,
        ),
        r#"{"Statement":[{"Sid":"A","Effect":"Allow","Action":"*","Resource":"*"},{"Sid":"A","Effect":"Deny","Action":"*","Resource":"*"}]}"#.into(),
    ];
    for text in wrong {
        let parsed = Policy::parse(&text, Purpose::Identity, &Rules::default());
        assert!(parsed.is_err(), "{text}");
    }
    let right = statement(r#""Effect":"Allow","Action":"*","Resource":"*""#);
    assert!(Policy::parse(&right, Purpose::Identity, &Rules::default()).is_ok());
    assert!(
        Policy::parse(&right, Purpose::Trust, &Rules::default()).is_err(),
        "no principal"
    );
}

/// reference_policies_elements_notaction, _notresource, _version.
#[test]
fn statements_speak_about_what_they_name() {
    let context = context();
    let rules = Rules::default();
    let denies = |text: &str, action, resource| {
        let policy = Policy::parse(text, Purpose::Identity, &rules).unwrap();
        policy.denies(Question {
            action,
            resource,
            context: &context,
            rules: &rules,
        })
    };
    let but_get = r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","NotAction":["s3:Get*"],"NotResource":"arn:aws:s3:::demo/*"}}"#;
    assert!(denies(but_get, "s3:PutObject", "arn:aws:s3:::other/x"));
    assert!(!denies(but_get, "s3:GetObject", "arn:aws:s3:::other/x"));
    assert!(!denies(but_get, "s3:PutObject", "arn:aws:s3:::demo/x"));
    let home = r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"arn:aws:s3:::home/${aws:username}/*"}}"#;
    assert!(denies(home, "s3:GetObject", "arn:aws:s3:::home/alice/x"));
    assert!(!denies(home, "s3:GetObject", "arn:aws:s3:::home/bob/x"));
    let old = home.replace("2012-10-17", "2008-10-17");
    assert!(
        !denies(&old, "s3:GetObject", "arn:aws:s3:::home/alice/x"),
        "text, in old versions"
    );
}

fn signed(key_id: &str, region: &str, service: &str, date: &str, headers: &[&str]) -> Signed {
    let scope = Scope {
        key_id: key_id.into(),
        day: date[..8].into(),
        region: region.into(),
        service: service.into(),
        terminator: "aws4_request".into(),
    };
    let headers = headers.iter().map(|name| (*name).to_owned()).collect();
    let (date, signature) = (date.into(), String::new());
    Signed {
        scope,
        headers,
        signature,
        date,
        token: None,
        presigned: None,
    }
}

fn request(method: &str, path: &str, query: &str, headers: &[(&str, &str)]) -> Request {
    let headers = headers
        .iter()
        .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
        .collect();
    let (path, query) = (path.into(), query.into());
    Request {
        method: method.into(),
        path,
        query,
        headers,
        ..Request::default()
    }
}

const SUITE_SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const S3_SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

/// Signature Version 4 test suite: get-vanilla and get-vanilla-query-order-key-case.
#[test]
fn the_expected_signatures_are_those_of_the_test_suite() {
    let date = "20150830T123600Z";
    let headers = [("host", "example.amazonaws.com"), ("x-amz-date", date)];
    let signed = signed(
        "AKIDEXAMPLE",
        "us-east-1",
        "service",
        date,
        &["host", "x-amz-date"],
    );
    let vanilla = request("GET", "/", "", &headers);
    assert_eq!(
        signed.expected(&vanilla, SUITE_SECRET),
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
    );
    let ordered = request("GET", "/", "Param2=value2&Param1=value1", &headers);
    assert_eq!(
        signed.expected(&ordered, SUITE_SECRET),
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"
    );
    let dotted = request("GET", "/./example/..//", "", &headers);
    assert_eq!(
        signed.expected(&dotted, SUITE_SECRET),
        signed.expected(&vanilla, SUITE_SECRET)
    );
}

/// sigv4-streaming: "Chunked upload" of 66,560 letters a, in three chunks.
#[test]
fn the_chunked_upload_of_the_s3_reference_is_verified() {
    let date = "20130524T000000Z";
    let declared = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
    let pairs = [
        ("content-encoding", "aws-chunked"),
        ("content-length", "66824"),
        ("host", "s3.amazonaws.com"),
        ("x-amz-content-sha256", declared),
        ("x-amz-date", date),
        ("x-amz-decoded-content-length", "66560"),
        ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
    ];
    let names: Vec<&str> = pairs.iter().map(|(name, _)| *name).collect();
    let mut signed = signed("AKIAIOSFODNN7EXAMPLE", "us-east-1", "s3", date, &names);
    let put = request("PUT", "/examplebucket/chunkObject.txt", "", &pairs);
    signed.signature = signed.expected(&put, S3_SECRET);
    assert_eq!(
        signed.signature,
        "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
    );
    let chunks = [
        (
            65536,
            "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
        ),
        (
            1024,
            "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
        ),
        (
            0,
            "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
        ),
    ];
    let body: String = chunks
        .iter()
        .map(|(size, s)| format!("{size:x};chunk-signature={s}\r\n{}\r\n", "a".repeat(*size)))
        .collect();
    assert_eq!(body.len(), 66824);
    let out = unchunked(body.as_bytes(), declared, &signed, S3_SECRET).unwrap();
    assert_eq!(out.body, vec![b'a'; 66560]);
    let changed = body.replacen("aaaa", "aaab", 1);
    let refused = unchunked(changed.as_bytes(), declared, &signed, S3_SECRET);
    assert_eq!(refused, Err(ChunkFault::Signature));
    let cut = unchunked(&body.as_bytes()[..60_000], declared, &signed, S3_SECRET);
    assert_eq!(cut, Err(ChunkFault::Form));
}

/// The check values of the catalogue of CRCs, over "123456789".
#[test]
fn checksums_are_those_of_their_definitions() {
    let digits = b"123456789";
    assert_eq!(crc(digits, 0xEDB8_8320, 32), 0xCBF4_3926);
    assert_eq!(crc(digits, 0x82F6_3B78, 32), 0xE306_9283);
    assert_eq!(
        crc(digits, 0x9A6C_9329_AC4B_C9B5, 64),
        0xAE8B_1486_0A79_9888
    );
    assert_eq!(holds("crc32", "y/Q5Jg==", digits), Some(true));
    assert_eq!(
        holds("sha1", "98O8HYCOBHMqOGe8ucZeB1GCCQ4=", digits),
        Some(false)
    );
    assert_eq!(holds("md5", "", digits), None);
}

#[test]
fn packed_sizes_grow_with_everything_but_blanks() {
    let size = |inline: &str, arns: &[&str], tags: &[(&str, &str)]| {
        let arns = arns.iter().map(|arn| (*arn).to_owned()).collect();
        let inline = (!inline.is_empty()).then(|| inline.to_owned());
        let tags: Vec<_> = tags
            .iter()
            .map(|(k, v)| ((*k).into(), (*v).into()))
            .collect();
        packed_bytes(&SessionPolicies { inline, arns }, &tags)
    };
    assert_eq!(size("", &[], &[]), 0);
    assert_eq!(
        size(r#"{"a": "b c"}"#, &[], &[]),
        size(r#"{"a":"b c"}"#, &[], &[])
    );
    assert!(size(r#"{"a":"b  c"}"#, &[], &[]) >= size(r#"{"a":"b c"}"#, &[], &[]));
    let aws = "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess";
    assert!(size("", &[aws], &[]) < size("", &["arn:aws:iam::222222222222:policy/Mine"], &[]));
    assert!(size("", &[], &[("k", "v")]) < size("", &[], &[("k", "vv")]));
    assert_eq!(
        (percent(1, 2048), percent(2048, 2048), percent(2049, 2048)),
        (1, 100, 101)
    );
}

#[test]
fn dates_are_read_and_written_in_three_forms() {
    assert_eq!(clock::rfc3339(1_440_938_160), "2015-08-30T12:36:00Z");
    assert_eq!(clock::basic(1_440_938_160), "20150830T123600Z");
    assert_eq!(clock::from_basic("20150830T123600Z"), Some(1_440_938_160));
    assert_eq!(clock::from_basic("20150830T1236"), None);
    assert_eq!(
        clock::http_date(1_440_938_160),
        "Sun, 30 Aug 2015 12:36:00 GMT"
    );
}

#[test]
fn percent_encoding_goes_both_ways() {
    assert_eq!(query::decoded("a%20b+c%2B%zz%C3%BC%", true), "a b c+%zzü%");
    assert_eq!(query::decoded("a+b", false), "a+b");
    assert_eq!(query::encoded("a b/ü~", true), "a%20b/%C3%BC~");
    assert_eq!(query::encoded("/", false), "%2F");
}
