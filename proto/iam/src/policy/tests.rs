//! Tests of policy documents.
#![allow(clippy::unwrap_used)]

use std::collections::HashSet;

use proptest::prelude::*;

use super::{
    DOCUMENTED_POLICY_CHARACTERS, PolicyArns, PolicyArnsError, PolicyDocument, PolicyError,
    PolicyKind,
};
use crate::json::{JsonError, Position};

/// The policy of the slide that repeats a condition key.
const SLIDE: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": "ssm:StartSession",
      "Resource": "arn:aws:ec2:*:*:instance/*",
      "Condition": {
        "StringEquals": {
          "ssm:resourceTag/Name": "Production",
          "ssm:resourceTag/Name": "Develop"
        }
      }
    }
  ]
}"#;

/// A statement that is legal in a session policy, with more at its end.
fn statement(more: &str) -> String {
    format!(r#"{{"Statement":{{"Effect":"Allow","Action":"s3:*","Resource":"*"{more}}}}}"#)
}

fn with_condition(condition: &str) -> String {
    statement(&format!(r#","Condition":{condition}"#))
}

fn refused(kind: PolicyKind, text: &str) -> PolicyError {
    match PolicyDocument::parse_as(kind, text) {
        Ok(_) => panic!("this should be refused: {text}"),
        Err(error) => error,
    }
}

/// The message for a session policy.
fn message(text: &str) -> String {
    refused(PolicyKind::Session, text).to_string()
}

#[test]
fn the_slides_repeated_condition_key_is_refused_with_both_places() {
    let error = PolicyDocument::parse(SLIDE).unwrap_err();
    assert_eq!((error.line(), error.column()), (11, 11));
    let PolicyError::Json(JsonError::DuplicateKey { first, .. }) = &error else {
        panic!("{error}");
    };
    assert_eq!(
        *first,
        Position {
            line: 10,
            column: 11
        }
    );
    assert_eq!(
        error.to_string(),
        "line 11, column 11: key \"ssm:resourceTag/Name\" is there already at line 10, column 11; \
         keep one of the two, with a list of values if both are meant"
    );
}

#[test]
fn the_slides_policy_with_one_list_is_taken() {
    let merged = SLIDE
        .replace("\"Production\",\n", "[\"Production\",")
        .replace("\"ssm:resourceTag/Name\": \"Develop\"", "\"Develop\"]");
    let policy = PolicyDocument::parse(&merged).unwrap();
    assert!(
        policy
            .minified()
            .contains(r#"{"ssm:resourceTag/Name":["Production","Develop"]}"#)
    );
}

#[test]
fn condition_keys_that_differ_in_case_only_are_one_key_twice() {
    let text = SLIDE.replace("Name\": \"Develop", "name\": \"Develop");
    let error = PolicyDocument::parse(&text).unwrap_err();
    assert!(matches!(error, PolicyError::ConditionKeyCase { .. }));
    assert_eq!(
        error.to_string(),
        "line 11, column 11: \"ssm:resourceTag/name\" repeats \"ssm:resourceTag/Name\" at line 10, \
         column 11; IAM ignores the case of condition keys"
    );
    for condition in [
        r#"{"Bool":{"aws:SecureTransport":true},"bool":{"aws:ViaAWSService":false}}"#,
        r#"{"StringLike":{"AWS:userid":"a","aws:UserId":"b"}}"#,
    ] {
        let error = refused(PolicyKind::Session, &with_condition(condition));
        assert!(
            matches!(error, PolicyError::ConditionKeyCase { .. }),
            "{error}"
        );
    }
    // The same key under two operators is two conditions.
    let two = r#"{"StringLike":{"aws:userid":"a*"},"StringNotLike":{"aws:userid":"ab"}}"#;
    assert!(PolicyDocument::parse(&with_condition(two)).is_ok());
}

#[test]
fn whole_documents_that_are_taken() {
    for text in [
        r#"{"Version":"2012-10-17","Id":"x","Statement":[{"Sid":"A1","Effect":"Deny","NotAction":["s3:Get*","*"],"NotResource":["arn:aws:s3:::b","*"]}]}"#,
        r#"{"Statement":{"Resource":"*","Action":"*","Effect":"Allow"},"Version":"2008-10-17"}"#,
        r#"{"Statement":[{"Sid":"","Effect":"Allow","Action":"*:*","Resource":"arn:aws:s3"},{"Sid":"","Effect":"Deny","Action":"*","Resource":"*"}]}"#,
        &with_condition("{}"),
        &with_condition(r#"{"StringEquals":{}}"#),
        &with_condition(
            r#"{"NumericLessThan":{"aws:MultiFactorAuthAge":300,"s3:max-keys":["1",2]},"Bool":{"aws:SecureTransport":true}}"#,
        ),
        &with_condition(
            r#"{"ForAllValues:StringEqualsIfExists":{"aws:TagKeys":["a"]},"ForAnyValue:ArnLike":{"aws:SourceArn":"*"},"Null":{"aws:TagKeys":"false"},"arnlikeifexists":{"a:b":"*"}}"#,
        ),
        &with_condition(
            r#"{"StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com"}}"#,
        ),
    ] {
        let policy = PolicyDocument::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(policy.minified(), text);
    }
}

#[test]
fn what_is_not_the_grammar_is_refused_with_place_and_remedy() {
    for (text, expected) in [
        (
            "[]",
            "line 1, column 1: the policy document is expected to be an object, not a list",
        ),
        (
            "{}",
            "line 1, column 1: Statement is expected in the policy document",
        ),
        (
            r#"{"Statement":[]}"#,
            "line 1, column 14: Statement is an empty list; one element or more is expected",
        ),
        (
            r#"{"Statement":"x"}"#,
            "line 1, column 14: a statement is expected to be an object, not a string",
        ),
        (
            r#"{"statement":[]}"#,
            "line 1, column 2: \"statement\" is no key of the policy document; did you mean Statement?",
        ),
        (
            r#"{"Extra":1}"#,
            "line 1, column 2: \"Extra\" is no key of the policy document",
        ),
        (
            r#"{"Version":"2012-10-7"}"#,
            "line 1, column 12: Version is expected to be 2012-10-17 or 2008-10-17, not \"2012-10-7\"; did you mean 2012-10-17?",
        ),
        (
            r#"{"Version":2012}"#,
            "line 1, column 12: Version is expected to be a string, not a number",
        ),
        (
            r#"{"Id":null}"#,
            "line 1, column 7: Id is expected to be a string, not null",
        ),
        (
            r#"{"Statement":{}}"#,
            "line 1, column 14: Effect is expected in a statement",
        ),
        (
            r#"{"Statement":{"Effect":"allow"}}"#,
            "line 1, column 24: Effect is expected to be Allow or Deny, not \"allow\"; did you mean Allow?",
        ),
        (
            r#"{"Statement":{"Effect":"Allow","Resource":"*"}}"#,
            "line 1, column 14: Action or NotAction is expected in a statement",
        ),
        (
            r#"{"Statement":{"Effect":"Allow","Action":"*"}}"#,
            "line 1, column 14: Resource or NotResource is expected in a statement",
        ),
        (
            r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},7]}"#,
            "line 1, column 62: a statement is expected to be an object, not a number",
        ),
        (
            &statement(r#","NotAction":"a:b""#),
            "line 1, column 63: NotAction is here and Action at line 1, column 32; one of the two is expected",
        ),
        (
            &statement(r#","NotResource":"*""#),
            "line 1, column 63: NotResource is here and Resource at line 1, column 48; one of the two is expected",
        ),
        (
            &statement(r#","Resources":"*""#),
            "line 1, column 63: \"Resources\" is no key of a statement; did you mean Resource?",
        ),
        (
            &statement(r#","Principal":"*""#),
            "line 1, column 63: a session policy has no Principal",
        ),
        (
            &statement(r#","NotPrincipal":7"#),
            "line 1, column 63: a session policy has no NotPrincipal",
        ),
        (
            &statement(r#","Sid":1"#),
            "line 1, column 69: Sid is expected to be a string, not a number",
        ),
        (
            &with_condition("[]"),
            "line 1, column 75: Condition is expected to be an object, not a list",
        ),
        (
            &with_condition(r#"{"StringEqual":{"a:b":"c"}}"#),
            "line 1, column 76: \"StringEqual\" is no key of Condition, which has condition operators such as StringEquals; did you mean StringEquals?",
        ),
        (
            &with_condition(r#"{"Bool":"x"}"#),
            "line 1, column 83: a condition operator's value is expected to be an object, not a string",
        ),
        (
            &with_condition(r#"{"Bool":{"x":"y"}}"#),
            "line 1, column 84: a condition key is expected to be service:name, such as aws:SourceIp, not \"x\"",
        ),
        (
            &with_condition(r#"{"Bool":{"a:b":null}}"#),
            "line 1, column 90: a condition key's value is expected to be a string, a boolean, a number or a list of them, not null",
        ),
        (
            &with_condition(r#"{"Bool":{"a:b":[]}}"#),
            "line 1, column 90: a condition key's value is an empty list; one element or more is expected",
        ),
    ] {
        assert_eq!(message(text), expected, "{text}");
    }
}

#[test]
fn actions_and_resources_have_their_form() {
    let action = |json: &str| {
        PolicyDocument::parse(&format!(
            r#"{{"Statement":{{"Effect":"Allow","Action":{json},"Resource":"*"}}}}"#
        ))
    };
    for good in [
        r#""*""#,
        r#""s3:*""#,
        r#""s3:Get?bject""#,
        r#"["a-b:C","*"]"#,
        r#""*:*""#,
    ] {
        assert!(action(good).is_ok(), "{good}");
    }
    for bad in [
        "[]",
        "7",
        "null",
        "{}",
        "[[]]",
        "[\"*\",1]",
        "\"\"",
        "\"s3\"",
        "\"s3:\"",
        "\":Get\"",
        "\"s3:Get Object\"",
        "\"s3:a:b\"",
        "\"**\"",
    ] {
        assert!(action(bad).is_err(), "{bad}");
    }
    let resource = |json: &str| {
        PolicyDocument::parse(&format!(
            r#"{{"Statement":{{"Effect":"Allow","Action":"*","Resource":{json}}}}}"#
        ))
    };
    for good in [
        r#""*""#,
        r#""arn:aws:s3:::${aws:username}/*""#,
        r#"["arn:*:s3:::a","*"]"#,
    ] {
        assert!(resource(good).is_ok(), "{good}");
    }
    for bad in [
        "[]",
        "7",
        "[null]",
        "\"\"",
        "\"bucket\"",
        "\"*a\"",
        "\"ARN:aws:s3:::b\"",
    ] {
        assert!(resource(bad).is_err(), "{bad}");
    }
}

#[test]
fn condition_operators_are_the_documented_ones() {
    let is_taken = |operator: &str| {
        PolicyDocument::parse(&with_condition(&format!(
            r#"{{"{operator}":{{"a:b":"c"}}}}"#
        )))
        .is_ok()
    };
    for operator in super::condition::OPERATORS {
        assert!(is_taken(operator), "{operator}");
        assert!(is_taken(&format!("ForAnyValue:{operator}")), "{operator}");
        assert_eq!(
            is_taken(&format!("{operator}IfExists")),
            operator != "Null",
            "{operator}"
        );
    }
    for operator in [
        "",
        "IfExists",
        "ForAnyValue:",
        "ForSomeValue:Bool",
        "BoolIfExistsIfExists",
        "NotBool",
    ] {
        assert!(!is_taken(operator), "{operator}");
    }
}

#[test]
fn sids_are_unique() {
    let text = r#"{"Statement":[
{"Sid":"A","Effect":"Allow","Action":"*","Resource":"*"},
{"Sid":"A","Effect":"Deny","Action":"*","Resource":"*"}]}"#;
    assert_eq!(
        message(text),
        "line 3, column 8: Sid \"A\" is there already at line 2, column 8; a Sid is expected to be \
         unique"
    );
}

#[test]
fn a_trust_policy_has_a_principal_and_no_resource() {
    let trust = |principal: &str, more: &str| {
        format!(
            r#"{{"Statement":[{{"Effect":"Allow","Principal":{principal},"Action":["sts:AssumeRole","sts:TagSession"]{more}}}]}}"#
        )
    };
    for principal in [
        r#""*""#,
        r#"{"AWS":"*"}"#,
        r#"{"AWS":["arn:aws:iam::012345678901:root","012345678901"]}"#,
        r#"{"Service":"ec2.amazonaws.com","Federated":"accounts.google.com","CanonicalUser":"x"}"#,
    ] {
        let text = trust(principal, "");
        assert!(
            PolicyDocument::parse_as(PolicyKind::Trust, &text).is_ok(),
            "{principal}"
        );
        let resource = trust(principal, r#","Resource":"*""#);
        assert!(
            PolicyDocument::parse_as(PolicyKind::Resource, &resource).is_ok(),
            "{principal}"
        );
        for kind in [PolicyKind::Session, PolicyKind::Identity] {
            let error = refused(kind, &resource);
            assert!(
                matches!(
                    error,
                    PolicyError::ForbiddenKey {
                        key: "Principal",
                        ..
                    }
                ),
                "{error}"
            );
        }
        let error = refused(PolicyKind::Trust, &resource);
        assert!(
            matches!(
                error,
                PolicyError::ForbiddenKey {
                    key: "Resource",
                    ..
                }
            ),
            "{error}"
        );
        let error = refused(PolicyKind::Resource, &text);
        assert!(matches!(error, PolicyError::MissingKey { .. }), "{error}");
    }
    for principal in [
        r#""x""#,
        "{}",
        "[]",
        "7",
        r#"{"Aws":"*"}"#,
        r#"{"AWS":[]}"#,
        r#"{"AWS":{}}"#,
    ] {
        assert!(
            PolicyDocument::parse_as(PolicyKind::Trust, &trust(principal, "")).is_err(),
            "{principal}"
        );
    }
    assert!(
        refused(PolicyKind::Trust, &trust(r#"{"Aws":"*"}"#, ""))
            .to_string()
            .contains("did you mean AWS?")
    );
    let error = refused(
        PolicyKind::Trust,
        &statement("").replace(r#","Resource":"*""#, ""),
    );
    assert!(
        error
            .to_string()
            .ends_with("Principal or NotPrincipal is expected in a statement")
    );
    assert!(PolicyDocument::parse_as(PolicyKind::Identity, &statement("")).is_ok());
}

#[test]
fn only_the_characters_of_sts_are_legal_unless_escaped() {
    for good in ["\u{7f}", "\u{80}", "é", "ÿ", "\\u0100", "\\ud83d\\ude00"] {
        assert!(
            PolicyDocument::parse(&statement(&format!(r#","Sid":"{good}""#))).is_ok(),
            "{good}"
        );
    }
    for (bad, column) in [("ab\u{100}", 72), ("😀", 70), ("é\u{2028}", 71)] {
        let error = refused(
            PolicyKind::Session,
            &statement(&format!(r#","Sid":"{bad}""#)),
        );
        assert!(matches!(error, PolicyError::Character { .. }), "{error}");
        assert_eq!((error.line(), error.column()), (1, column), "{error}");
    }
    let text = statement("").replace('{', "{\r\n\t");
    assert!(PolicyDocument::parse(&text).is_ok());
}

#[test]
fn characters_are_counted_in_the_minified_form() {
    let filled = |count: usize| {
        let base = statement(r#","Sid":"""#).chars().count();
        statement(&format!(r#","Sid":"{}""#, "é".repeat(count - base)))
    };
    for (count, exceeds) in [(2_047, false), (2_048, false), (2_049, true), (4_096, true)] {
        let spaced = filled(count).replace(',', " ,\n    ");
        let policy = PolicyDocument::parse(&spaced).unwrap();
        assert_eq!(
            (policy.characters(), policy.exceeds_documented_limit()),
            (count, exceeds)
        );
    }
    assert_eq!(DOCUMENTED_POLICY_CHARACTERS, 2_048);
    let escaped = PolicyDocument::parse(&statement(r#","Sid":"\u00e9\u0100\/""#)).unwrap();
    assert!(escaped.minified().contains(r#""Sid":"é\u0100/""#));
}

#[test]
fn equality_and_hash_go_by_the_minified_text() {
    let one = PolicyDocument::parse(&statement("")).unwrap();
    let spaced = PolicyDocument::parse(&statement("").replace("\":", "\" : ")).unwrap();
    let other = PolicyDocument::parse(&statement(r#","Sid":"A""#)).unwrap();
    assert_eq!(one, spaced);
    assert_ne!(one, other);
    assert_eq!(HashSet::from([one.clone(), spaced, other]).len(), 2);
    assert_eq!(one.to_string().parse(), Ok(one.clone()));
    let json = serde_json::to_string(&one).unwrap();
    assert_eq!(serde_json::from_str::<PolicyDocument>(&json).unwrap(), one);
}

#[test]
fn the_parsed_document_can_be_walked() {
    let text = statement(r#","Condition":{"Bool":{"a:b":true}}"#);
    let policy = PolicyDocument::parse(&text).unwrap();
    assert_eq!(policy.kind(), PolicyKind::Session);
    let statements = policy.statements();
    assert_eq!(statements.len(), 1);
    assert_eq!(
        statements[0].member("Effect").unwrap().value.as_str(),
        Some("Allow")
    );
    assert!(std::ptr::eq(
        statements[0],
        &policy.root().member("Statement").unwrap().value
    ));
    let listed = text
        .replace("{\"Statement\":{", "{\"Statement\":[{")
        .replace("}}}}", "}}}]}");
    let listed = PolicyDocument::parse(&listed).unwrap();
    assert_eq!(listed.statements().len(), 1);
    assert_eq!(
        listed.statements()[0]
            .member("Condition")
            .unwrap()
            .value
            .kind(),
        "an object"
    );
}

#[test]
fn ten_managed_policies_and_no_more() {
    let arns = |count: usize| -> Vec<_> {
        (0..count)
            .map(|number| {
                format!("arn:aws:iam::aws:policy/P{number}")
                    .parse()
                    .unwrap()
            })
            .collect()
    };
    assert_eq!(PolicyArns::new(arns(10)).unwrap().len(), 10);
    assert_eq!(
        PolicyArns::new(arns(11)),
        Err(PolicyArnsError::TooMany { found: 11 })
    );
    let mut twice = arns(3);
    twice.push(twice[1].clone());
    let error = PolicyArns::new(twice).unwrap_err();
    assert_eq!(
        error.to_string(),
        "managed policy arn:aws:iam::aws:policy/P1 is named twice"
    );
    let list = PolicyArns::new(arns(2)).unwrap();
    let json = serde_json::to_string(&list).unwrap();
    assert_eq!(
        json,
        r#"["arn:aws:iam::aws:policy/P0","arn:aws:iam::aws:policy/P1"]"#
    );
    assert_eq!(serde_json::from_str::<PolicyArns>(&json).unwrap(), list);
    assert!(serde_json::from_str::<PolicyArns>(&json.replace("P1", "P0")).is_err());
    assert!(PolicyArns::default().is_empty());
}

#[test]
fn errors_show_no_control_characters_of_the_text() {
    for text in [
        r#"{"\u001b[2J":1}"#.to_owned(),
        r#"{"Version":"\u001b\u202e"}"#.to_owned(),
        r#"{"\u0007":1,"\u0007":2}"#.to_owned(),
        "{\u{1b}}".to_owned(),
        "{\u{202e}}".to_owned(),
        with_condition(r#"{"\u001b":{}}"#),
    ] {
        let message = message(&text);
        assert!(
            message.chars().all(|c| !c.is_control() && c != '\u{202e}'),
            "{message:?}"
        );
    }
}

/// Policies of all shapes that the grammar of a session policy has.
fn any_policy() -> impl Strategy<Value = serde_json::Value> {
    let text = "[ -~é\t\n]{0,12}";
    let action = prop_oneof![Just("*".to_owned()), "[a-z]{1,6}:[A-Za-z*?]{1,8}"];
    let actions = prop_oneof![
        action.clone().prop_map(serde_json::Value::from),
        prop::collection::vec(action, 1..4).prop_map(serde_json::Value::from),
    ];
    let resources = prop::collection::vec("arn:aws:s3:::[ -~é]{0,8}", 1..3);
    let values = prop_oneof![
        text.prop_map(serde_json::Value::from),
        any::<i32>().prop_map(serde_json::Value::from),
        prop::collection::vec(text, 1..4).prop_map(serde_json::Value::from),
    ];
    let condition = prop::option::of(prop::collection::hash_map(
        "[a-z]{2}:[a-z]{2}",
        values,
        0..3,
    ));
    let statement = (prop::bool::ANY, actions, resources, condition).prop_map(
        |(allow, actions, resources, condition)| {
            let mut statement = serde_json::json!({
                "Effect": if allow { "Allow" } else { "Deny" },
                "Action": actions,
                "Resource": resources,
            });
            if let Some(condition) = condition {
                statement["Condition"] = serde_json::json!({ "StringLike": condition });
            }
            statement
        },
    );
    prop::collection::vec(statement, 1..4).prop_map(
        |statements| serde_json::json!({ "Version": "2012-10-17", "Statement": statements }),
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn minifying_keeps_the_policy_and_is_done_after_once(json in any_policy()) {
        let pretty = serde_json::to_string_pretty(&json).unwrap();
        let policy = PolicyDocument::parse(&pretty).unwrap();
        let again = PolicyDocument::parse(policy.minified()).unwrap();
        prop_assert_eq!(again.minified(), policy.minified());
        let theirs: serde_json::Value = serde_json::from_str(policy.minified()).unwrap();
        prop_assert_eq!(theirs, json);
    }

    #[test]
    fn no_text_panics(any in any::<String>(), cut in 0..200_usize) {
        for kind in [PolicyKind::Session, PolicyKind::Identity, PolicyKind::Trust, PolicyKind::Resource] {
            let _ = PolicyDocument::parse_as(kind, &any);
            let _ = PolicyDocument::parse_as(kind, SLIDE.get(..cut).unwrap_or_default());
        }
    }

    #[test]
    fn one_changed_character_never_panics(at in 0..SLIDE.len(), with in any::<char>()) {
        let changed = format!("{}{with}{}", &SLIDE[..at], &SLIDE[at + 1..]);
        if let Err(error) = PolicyDocument::parse(&changed) {
            prop_assert!(error.line() >= 1 && error.column() >= 1);
            prop_assert!(error.to_string().starts_with("line "));
        }
    }
}
