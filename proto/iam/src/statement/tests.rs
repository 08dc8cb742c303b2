//! Tests of statements, patterns and operators.
#![allow(clippy::unwrap_used)]

use super::{Effect, Operator, Pattern, Piece, PrincipalKind, Selector, Statement, statements};
use crate::json::Position;
use crate::policy::{PolicyDocument, PolicyError, PolicyKind};

fn read(text: &str) -> Result<Vec<Statement>, PolicyError> {
    statements(&PolicyDocument::parse(text).unwrap())
}

fn resource(text: &str) -> Result<Pattern, PolicyError> {
    let text = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Deny","NotAction":"s3:*","Resource":"{text}"}}}}"#
    );
    let mut statement = read(&text)?.remove(0);
    match statement.resources.take() {
        Some(Selector::Only(mut patterns)) => Ok(patterns.remove(0)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_document_is_read_with_the_place_of_each_part() {
    let text = r#"{
  "Version": "2012-10-17",
  "Statement": [
    { "Sid": "One", "Effect": "Allow", "Action": ["s3:Get*", "SQS:*"], "Resource": "*",
      "Condition": { "stringlike": { "aws:PrincipalTag/a": ["x*", "${aws:username}"] },
                     "Bool": { "aws:SecureTransport": true } } },
    { "Sid": "", "Effect": "Deny", "NotAction": "iam:*", "NotResource": ["arn:aws:s3:::a"] }
  ]
}"#;
    let all = read(text).unwrap();
    assert_eq!(all.len(), 2);
    let one = &all[0];
    assert_eq!((one.number, one.effect), (1, Effect::Allow));
    assert_eq!(
        one.name().to_string(),
        "statement 1 \"One\" (line 4, column 5)"
    );
    assert_eq!(one.actions.items()[1].as_str(), "SQS:*");
    assert_eq!(
        one.actions.items()[1].position(),
        Position {
            line: 4,
            column: 62
        }
    );
    let [like, boolean] = one.conditions.as_slice() else {
        panic!("{:?}", one.conditions)
    };
    assert_eq!(like.operator.to_string(), "StringLike");
    assert_eq!(like.operator_text, "stringlike");
    assert_eq!(like.values[1].pattern.variables().count(), 1);
    assert_eq!(boolean.values[0].pattern.as_str(), "true");
    assert!(!boolean.values[0].is_string);
    let two = &all[1];
    assert_eq!(two.name().to_string(), "statement 2 (line 7, column 5)");
    assert!(two.actions.is_all_but());
    assert!(two.resources.as_ref().unwrap().is_all_but());
}

#[test]
fn principals_are_read_by_kind() {
    let text = r#"{"Statement":{"Effect":"Allow","Action":"sts:AssumeRole",
        "Principal":{"AWS":["111111111111","*"],"Service":"ec2.amazonaws.com"}}}"#;
    let document = PolicyDocument::parse_as(PolicyKind::Trust, text).unwrap();
    let statement = statements(&document).unwrap().remove(0);
    assert_eq!(statement.resources, None);
    let Some(Selector::Only(names)) = statement.principals else {
        panic!()
    };
    assert_eq!(names[1].name, "*");
    assert_eq!(names[2].kind, PrincipalKind::Service);
    let bare = text.replace(
        r#"{"AWS":["111111111111","*"],"Service":"ec2.amazonaws.com"}"#,
        "\"*\"",
    );
    let document = PolicyDocument::parse_as(PolicyKind::Trust, &bare).unwrap();
    let statement = statements(&document).unwrap().remove(0);
    assert_eq!(
        statement.principals.unwrap().items()[0].kind,
        PrincipalKind::Aws
    );
}

#[test]
fn escapes_are_characters_and_variables_are_not() {
    let pattern = resource("arn:aws:s3:::${*}${?}${$}*?").unwrap();
    let tail = &pattern.pieces()[13..];
    assert_eq!(
        tail,
        [
            Piece::Exactly('*'),
            Piece::Exactly('?'),
            Piece::Exactly('$'),
            Piece::Many {
                ends_segment: false
            },
            Piece::One
        ]
    );
    let pattern = resource("arn:aws:s3:::${ aws:username , 'no one' }").unwrap();
    let variable = pattern.variables().next().unwrap();
    assert_eq!(variable.key, "aws:username");
    assert_eq!(variable.default.as_deref(), Some("no one"));
    assert!(!pattern.has_wildcard());
}

#[test]
fn a_broken_variable_is_an_error_with_its_place() {
    for bad in [
        "${aws:username",
        "${}",
        "${ }",
        "${a:b,c}",
        "${a:b,'c}",
        "${name}",
        "${a:b,'c'd'}",
    ] {
        let error = resource(&format!("arn:aws:s3:::{bad}")).unwrap_err();
        assert!(
            matches!(error, PolicyError::WrongText { .. }),
            "{bad}: {error}"
        );
        assert!(error.to_string().contains("a policy variable"), "{error}");
        assert!(error.column() > 60, "{error}");
    }
}

#[test]
fn variables_are_plain_text_in_old_documents() {
    let text =
        r#"{"Statement":{"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::${aws:x"}}"#;
    let statement = read(text).unwrap().remove(0);
    let pattern = &statement.resources.unwrap().items()[0].clone();
    assert_eq!(pattern.variables().count(), 0);
    assert_eq!(pattern.pieces().len(), pattern.as_str().len());
}

#[test]
fn a_star_knows_whether_it_ends_its_segment() {
    let ends = |text: &str| -> Vec<bool> {
        let pattern = resource(text).unwrap();
        let pieces = pattern.pieces().iter();
        pieces
            .filter_map(|piece| match piece {
                Piece::Many { ends_segment } => Some(*ends_segment),
                _ => None,
            })
            .collect()
    };
    assert_eq!(ends("arn:aws:ec2:*:*:instance/*"), [true, true, true]);
    assert_eq!(ends("arn:aws:s3:::a*/b"), [false]);
    assert!(resource("*").unwrap().is_everything());
    assert!(resource("arn:*").unwrap().has_wildcard());
}

#[test]
fn actions_have_no_case_and_resources_do() {
    let text = |action: &str, resource: &str| {
        read(&format!(
            r#"{{"Statement":{{"Effect":"Deny","Action":"{action}","Resource":"{resource}"}}}}"#
        ))
        .unwrap()
        .remove(0)
    };
    let (one, two) = (text("s3:GET*", "arn:A"), text("S3:get*", "arn:a"));
    assert!(one.actions.items()[0].is_same_as(&two.actions.items()[0]));
    let resource = |statement: Statement| statement.resources.unwrap().items()[0].clone();
    assert!(!resource(one).is_same_as(&resource(two)));
}

#[test]
fn operators_are_read_in_any_case_and_written_in_one() {
    for (name, written) in [
        ("stringequals", "StringEquals"),
        (
            "ForAllValues:StringNotLikeIfExists",
            "ForAllValues:StringNotLikeIfExists",
        ),
        ("foranyvalue:ArnEquals", "ForAnyValue:ArnLike"),
        (
            "DateGreaterThanEqualsIfExists",
            "DateGreaterThanEqualsIfExists",
        ),
        ("NotIpAddress", "NotIpAddress"),
        ("Null", "Null"),
    ] {
        assert_eq!(Operator::parse(name).unwrap().to_string(), written);
    }
    for bad in [
        "NullIfExists",
        "ForSome:StringLike",
        "StringNot",
        "NotBool",
        "",
    ] {
        assert_eq!(Operator::parse(bad), None, "{bad}");
    }
}

#[test]
fn every_operator_of_the_grammar_has_a_meaning() {
    for name in crate::policy::OPERATORS {
        let operator = Operator::parse(name).unwrap();
        let same = name
            .replace("ArnEquals", "ArnLike")
            .replace("ArnNotEquals", "ArnNotLike");
        assert_eq!(operator.to_string(), same);
    }
}
