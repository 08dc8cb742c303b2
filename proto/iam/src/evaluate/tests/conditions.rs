//! Each operator with values, without the key, with an unknown key.

use super::{Context, evaluate, identity, request};

/// Whether a condition of an allow holds.
fn holds(condition: &str, context: Context) -> Option<bool> {
    let allow =
        format!(r#"{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{condition}}}"#);
    let request = request("s3:GetObject", "arn:aws:s3:::b", context);
    evaluate(&identity(&allow), &request).decision()
}

fn with(values: &[&str]) -> Context {
    Context::complete().with("a:k", values.iter().copied())
}

#[test]
fn operators_on_one_value() {
    for (operator, wanted, value, expected) in [
        ("StringEquals", r#""x""#, "x", Some(true)),
        ("StringEquals", r#""x""#, "X", Some(false)),
        ("StringEquals", r#"["y","x"]"#, "x", Some(true)),
        ("StringEquals", r#""x*""#, "xy", Some(false)),
        ("StringEquals", r#""${*}""#, "*", Some(true)),
        ("StringNotEquals", r#"["y","x"]"#, "x", Some(false)),
        ("StringNotEquals", r#"["y","x"]"#, "z", Some(true)),
        ("StringEqualsIgnoreCase", r#""x""#, "X", Some(true)),
        ("StringEqualsIgnoreCase", r#""é""#, "É", None),
        ("StringNotEqualsIgnoreCase", r#""x""#, "X", Some(false)),
        ("StringLike", r#""x*y?""#, "x:yz", Some(true)),
        ("StringLike", r#""x${*}""#, "xy", Some(false)),
        ("StringNotLike", r#""x*""#, "xy", Some(false)),
        ("Bool", "true", "True", Some(true)),
        ("Bool", r#""false""#, "true", Some(false)),
        ("Bool", r#""true""#, "yes", None),
        ("NumericEquals", "10", "10.0", Some(true)),
        ("NumericNotEquals", "10", "9", Some(true)),
        ("NumericLessThan", "10", "9", Some(true)),
        ("NumericLessThan", "10", "10", Some(false)),
        ("NumericLessThanEquals", r#""10""#, "10", Some(true)),
        ("NumericGreaterThan", "-1", "0", Some(true)),
        ("NumericGreaterThanEquals", "10", "9.5", Some(false)),
        ("NumericLessThan", "10", "nine", None),
        ("NumericEquals", r#""1e1""#, "10", None),
        (
            "DateEquals",
            r#""2026-01-01T00:00:00Z""#,
            "2026-01-01T02:00:00+02:00",
            Some(true),
        ),
        (
            "DateNotEquals",
            r#""2026-01-01T00:00:00Z""#,
            "2026-01-01T00:00:01Z",
            Some(true),
        ),
        (
            "DateLessThan",
            r#""2026-01-01T00:00:00Z""#,
            "2025-12-31T23:59:59Z",
            Some(true),
        ),
        (
            "DateLessThanEquals",
            r#""1970-01-02T00:00:00Z""#,
            "86400",
            Some(true),
        ),
        (
            "DateGreaterThan",
            r#""1970-01-02T00:00:00Z""#,
            "86400",
            Some(false),
        ),
        (
            "DateGreaterThanEquals",
            r#""2024-03-01T00:00:00Z""#,
            "1709251200",
            Some(true),
        ),
        (
            "DateLessThan",
            r#""2026-01-01""#,
            "2025-12-31T23:59:59Z",
            None,
        ),
        (
            "DateLessThan",
            r#""2026-02-30T00:00:00Z""#,
            "2025-12-31T23:59:59Z",
            None,
        ),
        (
            "IpAddress",
            r#""203.0.113.0/24""#,
            "203.0.113.9",
            Some(true),
        ),
        (
            "IpAddress",
            r#"["10.0.0.0/8","203.0.113.9"]"#,
            "203.0.113.9",
            Some(true),
        ),
        ("IpAddress", r#""0.0.0.0/0""#, "::1", Some(false)),
        ("IpAddress", r#""::/0""#, "::1", Some(true)),
        (
            "NotIpAddress",
            r#""203.0.113.0/24""#,
            "203.0.113.9",
            Some(false),
        ),
        ("IpAddress", r#""203.0.113.0/33""#, "203.0.113.9", None),
        (
            "ArnLike",
            r#""arn:aws:iam::*:role/a*""#,
            "arn:aws:iam::1:role/a/b",
            Some(true),
        ),
        (
            "ArnEquals",
            r#""arn:aws:iam::1:role/?""#,
            "arn:aws:iam::1:role/a",
            Some(true),
        ),
        (
            "ArnLike",
            r#""arn:aws:iam::*:x""#,
            "arn:aws:iam::1:2:x",
            Some(false),
        ),
        (
            "ArnNotLike",
            r#""arn:aws:iam::1:role/a""#,
            "arn:aws:iam::1:role/b",
            Some(true),
        ),
        ("ArnLike", r#""arn:*""#, "arn:aws:iam::1:role/b", None),
        ("BinaryEquals", r#""eA==""#, "eA==", None),
        ("Null", "true", "x", Some(false)),
        ("Null", r#""false""#, "x", Some(true)),
        ("Null", r#""false""#, "", None),
        ("Null", r#""maybe""#, "x", None),
    ] {
        let condition = format!(r#"{{"{operator}":{{"A:K":{wanted}}}}}"#);
        assert_eq!(
            holds(&condition, with(&[value])),
            expected,
            "{condition} {value}"
        );
    }
}

#[test]
fn a_missing_key_and_an_unknown_one() {
    for (operator, wanted, missing) in [
        ("StringEquals", r#""x""#, false),
        ("StringNotEquals", r#""x""#, true),
        ("StringEqualsIfExists", r#""x""#, true),
        ("StringNotEqualsIfExists", r#""x""#, true),
        ("StringNotLike", r#""x""#, true),
        ("ArnNotLike", r#""arn:aws:iam::1:x""#, true),
        ("NumericNotEquals", "1", true),
        ("NumericLessThan", "1", false),
        ("NumericLessThanIfExists", "1", true),
        ("NotIpAddress", r#""10.0.0.0/8""#, true),
        ("IpAddress", r#""10.0.0.0/8""#, false),
        ("Bool", r#""false""#, false),
        ("BoolIfExists", r#""false""#, true),
        ("Null", "true", true),
        ("Null", "false", false),
        ("ForAllValues:StringEquals", r#""x""#, true),
        ("ForAnyValue:StringEquals", r#""x""#, false),
        ("ForAnyValue:StringNotEquals", r#""x""#, false),
        ("ForAnyValue:StringEqualsIfExists", r#""x""#, true),
    ] {
        let condition = format!(r#"{{"{operator}":{{"a:k":{wanted}}}}}"#);
        assert_eq!(
            holds(&condition, Context::complete()),
            Some(missing),
            "{condition}"
        );
        assert_eq!(holds(&condition, with(&[])), Some(missing), "{condition}");
        assert_eq!(holds(&condition, Context::partial()), None, "{condition}");
    }
}

#[test]
fn keys_with_several_values() {
    for (operator, values, expected) in [
        ("ForAllValues:StringEquals", &["x", "y"][..], Some(true)),
        ("ForAllValues:StringEquals", &["x", "z"], Some(false)),
        ("ForAllValues:StringNotEquals", &["v", "z"], Some(true)),
        ("ForAllValues:StringNotEquals", &["v", "x"], Some(false)),
        ("ForAnyValue:StringEquals", &["z", "y"], Some(true)),
        ("ForAnyValue:StringEquals", &["z"], Some(false)),
        ("ForAnyValue:StringNotEquals", &["x", "z"], Some(true)),
        ("ForAnyValue:StringNotEquals", &["x", "y"], Some(false)),
        // An empty text may count as no value at all.
        ("ForAllValues:StringEquals", &[""], None),
        ("ForAnyValue:StringNotEquals", &[""], None),
        // Without a set operator, several values are not documented.
        ("StringEquals", &["x", "y"], None),
        ("StringNotEquals", &["z", "v"], None),
        ("ForAnyValue:Null", &["x"], None),
    ] {
        let condition = format!(r#"{{"{operator}":{{"a:k":["x","y"]}}}}"#);
        assert_eq!(
            holds(&condition, with(values)),
            expected,
            "{condition} {values:?}"
        );
    }
}

#[test]
fn all_conditions_must_hold_and_a_sure_no_wins() {
    let both = r#"{"StringEquals":{"a:k":"x","a:l":"y"},"Bool":{"a:m":true}}"#;
    let context = |k: &str| Context::partial().with("a:k", [k]).with("a:l", ["y"]);
    assert_eq!(holds(both, context("x")), None);
    assert_eq!(holds(both, context("z")), Some(false));
    assert_eq!(holds(both, context("x").with("a:m", ["true"])), Some(true));
}

#[test]
fn variables_in_values() {
    let equal = r#"{"StringEquals":{"a:k":"${a:v}"}}"#;
    let not = r#"{"StringNotEquals":{"a:k":["${a:v}","z"]}}"#;
    let like = r#"{"StringLike":{"a:k":"${a:v}*"}}"#;
    let known = |value: &str| with(&["x*"]).with("a:v", [value]);
    assert_eq!(holds(equal, known("x*")), Some(true));
    assert_eq!(holds(equal, known("y")), Some(false));
    assert_eq!(holds(like, known("x*")), Some(true));
    assert_eq!(holds(like, known("?")), Some(false));
    assert_eq!(holds(not, known("x*")), Some(false));
    assert_eq!(holds(not, with(&["z"])), Some(false));
    assert_eq!(holds(equal, with(&["x"])), Some(false));
    assert_eq!(holds(not, with(&["x"])), None);
    assert_eq!(holds(equal, Context::partial().with("a:k", ["x"])), None);
}
