//! Tests of narrowing: the law, against this crate's evaluator; what is written and what is refused.
//! The law against an evaluator of other hands is a test of the double.
#![allow(clippy::unwrap_used)]

use super::cases::{Case, Dice, Question, case};
use super::{Inexact, NarrowError, complement, complement_unchecked};
use crate::evaluate::{Context, Document, Layer, Policies, Request, Role, evaluate};
use crate::policy::PolicyDocument;

type Complement =
    fn(Option<&PolicyDocument>, &PolicyDocument) -> Result<Option<PolicyDocument>, NarrowError>;

fn parsed(text: &str) -> PolicyDocument {
    PolicyDocument::parse(text).unwrap()
}

/// What session policies decide together. The role behind them allows everything.
fn decision(policies: &[PolicyDocument], request: &Request) -> Option<bool> {
    let documents = policies.iter().map(|policy| Document::read("", policy));
    let everything = parsed(r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#);
    let policies = Policies {
        layers: vec![
            Layer {
                role: Role::Identity,
                documents: vec![Document::read("", &everything).unwrap()],
            },
            Layer {
                role: Role::Session,
                documents: documents.collect::<Result<_, _>>().unwrap(),
            },
        ],
        resource: None,
    };
    evaluate(&policies, request).decision()
}

fn request(question: &Question) -> Request {
    let mut context = Context::complete();
    for (key, values) in &question.context {
        context = context.with(key, values.iter().copied());
    }
    Request::new(question.action, question.resource, context).unwrap()
}

/// How many requests were compared, and the first for which the law does not hold. `None`: refused.
fn check(case: &Case, complement: Complement) -> Option<(usize, Option<String>)> {
    let ask = parsed(&case.ask);
    let inline = case.inline.as_deref().map(parsed);
    let managed: Vec<PolicyDocument> = case.managed.iter().map(|text| parsed(text)).collect();
    let narrowed = complement(inline.as_ref(), &ask).ok()?;
    let with = |inline: &Option<PolicyDocument>| -> Vec<PolicyDocument> {
        inline.iter().chain(&managed).cloned().collect()
    };
    let (before, after) = (with(&inline), with(&narrowed));
    let mut compared = 0;
    for question in &case.requests {
        let request = request(question);
        let asked = decision(std::slice::from_ref(&ask), &request);
        let wanted = decision(&before, &request).zip(asked).map(|(a, b)| a && b);
        let Some((wanted, found)) = wanted.zip(decision(&after, &request)) else {
            continue;
        };
        compared += 1;
        if wanted != found {
            let narrowed = narrowed.map(|policy| policy.to_string());
            return Some((
                compared,
                Some(format!(
                    "inline {:?}\nmanaged {:?}\nask {}\nnarrowed {narrowed:?}\n{question:?}: {found}",
                    case.inline, case.managed, case.ask
                )),
            ));
        }
    }
    Some((compared, None))
}

/// The denies for an ask's statements, beside a profile that has ARNs only.
fn denies(statements: &str) -> Result<String, NarrowError> {
    let ask = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    let narrowed = complement(None, &parsed(&ask))?;
    let text = narrowed.map_or(String::new(), |policy| policy.to_string());
    let inside = text.strip_prefix(r#"{"Version":"2012-10-17","Statement":["#);
    let inside = inside.and_then(|text| text.strip_suffix("]}"));
    Ok(inside.unwrap_or(&text).to_owned())
}

fn allow(rest: &str) -> String {
    format!(r#"{{"Effect":"Allow",{rest}}}"#)
}

fn deny(rest: &str) -> String {
    format!(r#"{{"Effect":"Deny",{rest}}}"#)
}

#[test]
fn what_is_written() {
    let tag = |operator: &str, value: &str| {
        format!(r#""Condition":{{"{operator}":{{"aws:PrincipalTag/t":"{value}"}}}}"#)
    };
    let b = r#""arn:aws:s3:::b/*""#;
    let c = r#""arn:aws:s3:::c/*""#;
    for (asked, expected) in [
        (vec![allow(r#""Action":"*","Resource":"*""#)], vec![]),
        (
            vec![allow(r#""Action":["s3:Get*","sqs:*"],"Resource":"*""#)],
            vec![deny(r#""NotAction":["s3:Get*","sqs:*"],"Resource":"*""#)],
        ),
        (
            vec![allow(&format!(
                r#""Action":["s3:GetObject","s3:PutObject"],"Resource":{b}"#
            ))],
            vec![
                deny(r#""NotAction":["s3:GetObject","s3:PutObject"],"Resource":"*""#),
                deny(&format!(
                    r#""Action":["s3:GetObject","s3:PutObject"],"NotResource":{b}"#
                )),
            ],
        ),
        (
            // One action on two resources, in two statements, and one covered by another.
            vec![
                allow(&format!(r#""Action":"s3:GetObject","Resource":{b}"#)),
                allow(&format!(r#""Action":"S3:GetObject","Resource":{c}"#)),
                allow(r#""Action":"s3:GetObject","Resource":"arn:aws:s3:::b/x*""#),
            ],
            vec![
                deny(r#""NotAction":"s3:GetObject","Resource":"*""#),
                deny(&format!(
                    r#""Action":"s3:GetObject","NotResource":[{b},{c}]"#
                )),
            ],
        ),
        (
            vec![allow(&format!(r#""NotAction":"iam:*","NotResource":{b}"#))],
            vec![
                deny(r#""Action":"iam:*","Resource":"*""#),
                deny(&format!(r#""NotAction":"iam:*","Resource":{b}"#)),
            ],
        ),
        (
            vec![allow(&format!(
                r#""Action":"s3:*","Resource":{b},{}"#,
                tag("StringEquals", "x")
            ))],
            vec![
                deny(r#""NotAction":"s3:*","Resource":"*""#),
                deny(&format!(r#""Action":"s3:*","NotResource":{b}"#)),
                deny(&format!(
                    r#""Action":"s3:*","Resource":"*",{}"#,
                    tag("StringNotEquals", "x")
                )),
            ],
        ),
        (
            // On b always, elsewhere with a tag.
            vec![
                allow(&format!(r#""Action":"s3:*","Resource":{b}"#)),
                allow(&format!(
                    r#""Action":"s3:*","Resource":"*",{}"#,
                    tag("StringLike", "x*")
                )),
            ],
            vec![
                deny(r#""NotAction":"s3:*","Resource":"*""#),
                deny(&format!(
                    r#""Action":"s3:*","NotResource":{b},{}"#,
                    tag("StringNotLike", "x*")
                )),
            ],
        ),
        (
            vec![deny(
                r#""Sid":"Mine","Action":"s3:*","Resource":"arn:aws:s3:::${aws:username}""#,
            )],
            vec![
                deny(r#""Action":"*","Resource":"*""#),
                deny(r#""Action":"s3:*","Resource":"arn:aws:s3:::${aws:username}""#),
            ],
        ),
    ] {
        assert_eq!(
            denies(&asked.join(",")).unwrap(),
            expected.join(","),
            "{asked:?}"
        );
    }
}

#[test]
fn the_opposite_of_each_condition() {
    let cases = [
        (
            "StringEquals",
            "aws:username",
            r#"["a","b"]"#,
            r#"{"StringNotEquals":{"aws:username":["a","b"]}}"#,
        ),
        (
            "StringNotLike",
            "ec2:ResourceTag/x",
            r#""a*""#,
            r#"{"StringLike":{"ec2:ResourceTag/x":"a*"}}"#,
        ),
        (
            "StringNotEqualsIfExists",
            "aws:userid",
            r#""a""#,
            r#"{"StringEquals":{"aws:userid":"a"}}"#,
        ),
        (
            "StringEqualsIgnoreCase",
            "s3:prefix",
            r#""a""#,
            r#"{"StringNotEqualsIgnoreCase":{"s3:prefix":"a"}}"#,
        ),
        (
            "ArnEquals",
            "aws:PrincipalArn",
            r#""arn:aws:iam::1:role/a""#,
            r#"{"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::1:role/a"}}"#,
        ),
        (
            "Bool",
            "aws:SecureTransport",
            "true",
            r#"{"BoolIfExists":{"aws:SecureTransport":"false"}}"#,
        ),
        (
            "BoolIfExists",
            "aws:MultiFactorAuthPresent",
            r#""false""#,
            r#"{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#,
        ),
        (
            "NumericLessThan",
            "aws:MultiFactorAuthAge",
            "300",
            r#"{"NumericGreaterThanEqualsIfExists":{"aws:MultiFactorAuthAge":"300"}}"#,
        ),
        (
            "NumericGreaterThanEqualsIfExists",
            "aws:MultiFactorAuthAge",
            "300",
            r#"{"NumericLessThan":{"aws:MultiFactorAuthAge":"300"}}"#,
        ),
        (
            "NumericEquals",
            "s3:max-keys",
            "[1,2]",
            r#"{"NumericNotEquals":{"s3:max-keys":["1","2"]}}"#,
        ),
        (
            "NumericEqualsIfExists",
            "s3:max-keys",
            "1",
            r#"{"NumericNotEquals":{"s3:max-keys":"1"},"Null":{"s3:max-keys":"false"}}"#,
        ),
        (
            "DateLessThanEquals",
            "aws:CurrentTime",
            r#""2026-01-01T00:00:00Z""#,
            r#"{"DateGreaterThanIfExists":{"aws:CurrentTime":"2026-01-01T00:00:00Z"}}"#,
        ),
        (
            "IpAddress",
            "aws:SourceIp",
            r#""10.0.0.0/8""#,
            r#"{"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}}"#,
        ),
        (
            "NotIpAddress",
            "aws:SourceIp",
            r#""::1""#,
            r#"{"IpAddress":{"aws:SourceIp":"::1"}}"#,
        ),
        (
            "Null",
            "any:key",
            r#""true""#,
            r#"{"Null":{"any:key":"false"}}"#,
        ),
    ];
    for (operator, key, values, expected) in cases {
        let asked = allow(&format!(
            r#""Action":"*","Resource":"*","Condition":{{"{operator}":{{"{key}":{values}}}}}"#
        ));
        let expected = deny(&format!(
            r#""Action":"*","Resource":"*","Condition":{expected}"#
        ));
        assert_eq!(denies(&asked).unwrap(), expected, "{asked}");
    }
}

#[test]
fn conditions_without_an_exact_opposite_are_refused() {
    for (operator, key, values) in [
        ("ForAllValues:StringEquals", "aws:TagKeys", r#""a""#),
        ("ForAnyValue:StringLike", "aws:username", r#""a""#),
        ("StringEqualsIfExists", "aws:username", r#""a""#),
        ("StringLikeIfExists", "aws:PrincipalTag/t", r#""a""#),
        (
            "ArnLikeIfExists",
            "aws:PrincipalArn",
            r#""arn:aws:iam::1:role/a""#,
        ),
        ("BinaryEquals", "aws:username", r#""eA==""#),
        ("StringEquals", "aws:TagKeys", r#""a""#),
        ("StringEquals", "any:key", r#""a""#),
        ("StringEquals", "aws:SecureTransport", r#""true""#),
        ("Bool", "aws:PrincipalTag/t", "true"),
        ("NumericLessThan", "aws:PrincipalTag/t", "1"),
        ("NumericLessThan", "aws:MultiFactorAuthAge", "[1,2]"),
        ("NumericLessThan", "aws:MultiFactorAuthAge", r#""one""#),
        ("DateLessThan", "aws:CurrentTime", r#""2026-01-01""#),
        ("IpAddress", "aws:SourceIp", r#""10.0.0.0/64""#),
        ("ArnLike", "aws:PrincipalArn", r#""*""#),
        ("Bool", "aws:SecureTransport", r#"["true","false"]"#),
        ("Null", "any:key", r#"["true","false"]"#),
        ("StringEquals", "aws:username", r#""${aws:PrincipalTag/t}""#),
        (
            "ArnLike",
            "aws:PrincipalArn",
            r#""arn:aws:iam::${aws:PrincipalAccount}:role/a""#,
        ),
    ] {
        let asked = allow(&format!(
            r#""Sid":"S","Action":"*","Resource":"*","Condition":{{"{operator}":{{"{key}":{values}}}}}"#
        ));
        let error = denies(&asked).unwrap_err();
        assert!(
            matches!(error, NarrowError::Inexact { .. }),
            "{asked}: {error}"
        );
        let name = "statement 1 \"S\" (line 1, column 38) cannot be turned into denies: ";
        assert!(error.to_string().starts_with(name), "{error}");
    }
}

#[test]
fn what_is_refused_names_the_statement() {
    let b = r#""Resource":"arn:aws:s3:::b""#;
    let c = r#""Resource":"arn:aws:s3:::c""#;
    let why = |statements: &[String]| match denies(&statements.join(",")) {
        Err(NarrowError::Inexact { statement, why }) => (statement.number, why),
        other => panic!("{other:?}"),
    };
    let (number, reason) = why(&[
        allow(&format!(r#""Action":"s3:GetObject",{b}"#)),
        deny(&format!(r#""Action":"s3:PutObject",{b}"#)),
        allow(&format!(r#""Action":"s3:Get*",{c}"#)),
    ]);
    assert_eq!(number, 3);
    assert!(
        reason.to_string().starts_with(
            "its action \"s3:Get*\" overlaps with \"s3:GetObject\" of statement 1 (line 1, column 38)"
        ),
        "{reason}"
    );
    let (number, reason) = why(&[
        allow(&format!(r#""NotAction":"iam:*",{b}"#)),
        allow(&format!(r#""Action":"iam:GetUser",{c}"#)),
    ]);
    assert_eq!(number, 1);
    assert!(
        matches!(reason, Inexact::NotActionBeside { .. }),
        "{reason}"
    );
    let (number, reason) = why(&[
        allow(&format!(r#""Action":"s3:GetObject",{b}"#)),
        allow(r#""Action":"s3:GetObject","NotResource":["arn:aws:s3:::b","arn:aws:s3:::c"]"#),
    ]);
    assert_eq!(number, 2);
    assert!(matches!(reason, Inexact::MixedResources { .. }), "{reason}");
    let (_, reason) = why(&[allow(
        r#""Action":"s3:*","Resource":"arn:aws:s3:::${aws:username}/*""#,
    )]);
    assert!(matches!(reason, Inexact::Variable { .. }), "{reason}");
    let bool_and = |value: &str| {
        allow(&format!(
            r#""Action":"s3:*","Resource":"*","Condition":{{"StringNotEquals":{{"aws:username":"{value}"}}}}"#
        ))
    };
    let (_, reason) = why(&[bool_and("a"), bool_and("b")]);
    assert!(matches!(reason, Inexact::Combined { .. }), "{reason}");
}

#[test]
fn an_ask_that_needs_too_much_is_refused() {
    let many: Vec<String> = (0..600).map(|n| format!("\"s3:A{n}\"")).collect();
    let many = allow(&format!(r#""Action":[{}],"Resource":"*""#, many.join(",")));
    let each: Vec<String> = (0..70)
        .map(|n| {
            allow(&format!(
                r#""Action":"s3:A{n}","Resource":"arn:aws:s3:::{n}""#
            ))
        })
        .collect();
    for asked in [many, each.join(",")] {
        let error = denies(&asked).unwrap_err();
        let too_many = matches!(
            error,
            NarrowError::Inexact {
                why: Inexact::TooMany,
                ..
            }
        );
        assert!(too_many, "{error}");
    }
}

#[test]
fn the_profile_stays_as_it_is_and_versions_do_not_change_its_meaning() {
    let policy = |version: &str, resource: &str| {
        parsed(&format!(
            r#"{{{version}"Statement":{{"Sid":"Own","Effect":"Allow","Action":"s3:*","Resource":"{resource}"}}}}"#
        ))
    };
    let current = r#""Version":"2012-10-17","#;
    let (plain, variable) = ("arn:aws:s3:::b", "arn:aws:s3:::${aws:username}");
    let ask = policy(current, "arn:aws:s3:::a");
    let narrowed = complement(Some(&policy("", plain)), &ask).unwrap().unwrap();
    assert!(narrowed.as_str().starts_with(
        r#"{"Version":"2012-10-17","Statement":[{"Sid":"Own","Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b"},{"Effect":"Deny","NotAction":"s3:*","#
    ), "{narrowed}");
    assert_eq!(
        complement(Some(&policy("", variable)), &ask),
        Err(NarrowError::Versions)
    );
    assert!(complement(Some(&policy(current, variable)), &ask).is_ok());
    let old = complement(Some(&policy("", variable)), &policy("", plain))
        .unwrap()
        .unwrap();
    assert!(
        old.as_str().starts_with(r#"{"Version":"2008-10-17""#),
        "{old}"
    );
    let broken = complement(None, &policy(current, "arn:aws:s3:::${"));
    assert!(matches!(broken, Err(NarrowError::Ask(_))));
}

#[test]
fn what_is_narrowed_is_what_both_allow() {
    let mut dice = Dice::new(1);
    let (mut compared, mut exact) = (0, 0);
    for _ in 0..1_000 {
        if let Some((count, counterexample)) = check(&case(&mut dice, 10), complement) {
            assert_eq!(
                counterexample,
                None,
                "{}",
                counterexample.clone().unwrap_or_default()
            );
            compared += count;
            exact += 1;
        }
    }
    assert!(exact > 150, "only {exact} asks were exact");
    assert!(compared > 1_500, "only {compared} requests could be told");
}

#[test]
fn without_the_check_of_overlaps_the_law_is_soon_broken() {
    let mut dice = Dice::new(1);
    let broken = (0..1_000).find(|_| {
        let result = check(&case(&mut dice, 1), complement_unchecked);
        result.is_some_and(|(_, counterexample)| counterexample.is_some())
    });
    assert!(
        broken.is_some(),
        "the check of overlaps is not needed for 1,000 cases"
    );
}
