//! Tests of the evaluator: what statements, conditions and layers mean, and what cannot be told.
#![allow(clippy::unwrap_used)]

use super::{
    Caller, Context, Document, Doubt, Layer, Policies, Request, RequestError, ResourcePolicy, Role,
    Verdict, evaluate, shadows,
};
use crate::policy::{PolicyDocument, PolicyKind};

mod conditions;
mod layers;
mod shadowed;

fn document(name: &str, statements: &str) -> Document {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    Document::read(name, &PolicyDocument::parse(&text).unwrap()).unwrap()
}

fn layer(role: Role, statements: &str) -> Layer {
    Layer {
        role,
        documents: vec![document("policy", statements)],
    }
}

fn identity(statements: &str) -> Policies {
    Policies {
        layers: vec![layer(Role::Identity, statements)],
        resource: None,
    }
}

fn request(action: &str, resource: &str, context: Context) -> Request {
    Request::new(action, resource, context).unwrap()
}

/// What one statement decides about one request.
fn decision(statement: &str, action: &str, resource: &str) -> Option<bool> {
    let request = request(action, resource, Context::complete());
    evaluate(&identity(statement), &request).decision()
}

#[test]
fn actions_and_resources() {
    let object = "arn:aws:s3:::b/k";
    for (statement, action, resource, allowed) in [
        (
            r#""Action":"s3:GetObject","Resource":"*""#,
            "s3:GetObject",
            object,
            true,
        ),
        (
            r#""Action":"S3:getobject","Resource":"*""#,
            "s3:GetObject",
            object,
            true,
        ),
        (
            r#""Action":"s3:Get*","Resource":"*""#,
            "s3:GetObject",
            object,
            true,
        ),
        (
            r#""Action":"s3:?etObject","Resource":"*""#,
            "s3:SetObject",
            object,
            true,
        ),
        (
            r#""Action":"s3:Get","Resource":"*""#,
            "s3:GetObject",
            object,
            false,
        ),
        (
            r#""Action":"*","Resource":"*""#,
            "sqs:SendMessage",
            "*",
            true,
        ),
        (
            r#""Action":["s3:Put*","s3:Get*"],"Resource":"*""#,
            "s3:GetObject",
            object,
            true,
        ),
        (
            r#""NotAction":"iam:*","Resource":"*""#,
            "s3:GetObject",
            object,
            true,
        ),
        (
            r#""NotAction":["iam:*","s3:*"],"Resource":"*""#,
            "s3:GetObject",
            object,
            false,
        ),
        (
            r#""Action":"*","Resource":"arn:aws:s3:::b/*""#,
            "s3:GetObject",
            object,
            true,
        ),
        (
            r#""Action":"*","Resource":"arn:aws:s3:::B/*""#,
            "s3:GetObject",
            object,
            false,
        ),
        (
            r#""Action":"*","Resource":"arn:aws:s3:::b/?""#,
            "s3:GetObject",
            object,
            true,
        ),
        (
            r#""Action":"*","Resource":"arn:aws:s3:::b/${?}""#,
            "s3:GetObject",
            object,
            false,
        ),
        (
            r#""Action":"*","Resource":"arn:aws:s3:::b/${*}""#,
            "s3:GetObject",
            "arn:aws:s3:::b/*",
            true,
        ),
        (
            r#""Action":"*","Resource":"arn:aws:s3:::b""#,
            "s3:GetObject",
            object,
            false,
        ),
        (
            r#""Action":"*","Resource":"arn:aws:s3:::*""#,
            "s3:ListAllMyBuckets",
            "*",
            false,
        ),
        (
            r#""Action":"*","NotResource":"arn:aws:s3:::c/*""#,
            "s3:GetObject",
            object,
            true,
        ),
        (
            r#""Action":"*","NotResource":["arn:aws:s3:::c/*","arn:aws:s3:::b/*"]"#,
            "s3:GetObject",
            object,
            false,
        ),
        (
            r#""Action":"*","Resource":"arn:aws:*:b/k""#,
            "s3:GetObject",
            object,
            true,
        ),
    ] {
        let allow = format!(r#"{{"Effect":"Allow",{statement}}}"#);
        assert_eq!(decision(&allow, action, resource), Some(allowed), "{allow}");
        let deny = format!(
            r#"{{"Effect":"Allow","Action":"*","Resource":"*"}},{{"Effect":"Deny",{statement}}}"#
        );
        assert_eq!(decision(&deny, action, resource), Some(!allowed), "{deny}");
    }
}

#[test]
fn a_star_within_a_segment_reaches_beyond_a_colon_or_not() {
    let allow = r#"{"Effect":"Allow","Action":"*","Resource":"arn:aws:sns:*:*:a*z"}"#;
    assert_eq!(
        decision(allow, "sns:Publish", "arn:aws:sns:r:1:abz"),
        Some(true)
    );
    assert_eq!(decision(allow, "sns:Publish", "arn:aws:sns:r:1:a:z"), None);
    assert_eq!(
        decision(allow, "sns:Publish", "arn:aws:sns:r:1:a:y"),
        Some(false)
    );
    let end = allow.replace("a*z", "a*");
    assert_eq!(
        decision(&end, "sns:Publish", "arn:aws:sns:r:1:a:z"),
        Some(true)
    );
}

#[test]
fn variables() {
    let allow =
        |resource: &str| format!(r#"{{"Effect":"Allow","Action":"s3:*","Resource":[{resource}]}}"#);
    let own = r#""arn:aws:s3:::b/${aws:username}/*""#;
    let known = Context::complete().with("AWS:UserName", ["al*ce"]);
    let several = Context::complete().with("aws:username", ["alice", "bob"]);
    for (resource, key, context, expected) in [
        (own, "b/al*ce/x", known.clone(), Some(true)),
        // What a variable brings in is no wildcard.
        (own, "b/alice/x", known, Some(false)),
        (own, "b/alice/x", Context::partial(), None),
        (own, "c/alice/x", Context::partial(), Some(false)),
        (own, "b/alice/x", several, None),
        // A variable without a value "might" void the statement: no hit, or not certain.
        (own, "b/alice/x", Context::complete(), Some(false)),
        (
            r#""*","arn:aws:s3:::${aws:username}""#,
            "b",
            Context::complete(),
            None,
        ),
        (
            r#""arn:aws:s3:::${aws:username, 'b'}""#,
            "b",
            Context::complete(),
            Some(true),
        ),
    ] {
        let request = request("s3:GetObject", &format!("arn:aws:s3:::{key}"), context);
        let policies = identity(&allow(resource));
        assert_eq!(
            evaluate(&policies, &request).decision(),
            expected,
            "{resource} {key}"
        );
    }
    let old = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${aws:username}"}}"#;
    let old = Document::read("old", &PolicyDocument::parse(old).unwrap()).unwrap();
    let policies = Policies {
        layers: vec![Layer {
            role: Role::Identity,
            documents: vec![old],
        }],
        resource: None,
    };
    let text = request(
        "s3:GetObject",
        "arn:aws:s3:::${aws:username}",
        Context::partial(),
    );
    assert_eq!(evaluate(&policies, &text).decision(), Some(true));
}

#[test]
fn what_is_no_request_is_refused() {
    let new = |action: &str, resource: &str| Request::new(action, resource, Context::partial());
    for bad in ["s3", "s3:", "s3:Get*", "*", "s3:Get Object", ""] {
        assert!(
            matches!(new(bad, "*"), Err(RequestError::Action { .. })),
            "{bad}"
        );
    }
    for bad in ["", "bucket", "arn:aws:s3", "arn"] {
        let error = new("s3:GetObject", bad).unwrap_err();
        assert!(matches!(error, RequestError::Resource { .. }), "{bad}");
    }
    let request = new("S3:GetObject", "arn:aws:s3:::b/*").unwrap();
    assert_eq!(request.action(), "s3:getobject");
    assert_eq!(request.resource(), "arn:aws:s3:::b/*");
}
