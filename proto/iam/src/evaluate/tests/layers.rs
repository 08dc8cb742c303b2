//! Layers of policies, and the policy of the resource.

use super::{
    Caller, Context, Document, Doubt, Layer, Policies, PolicyDocument, PolicyKind, Request,
    ResourcePolicy, Role, Verdict, document, evaluate, layer, request,
};

const ALL: &str = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
const S3: &str = r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#;
const SQS: &str = r#"{"Effect":"Allow","Action":"sqs:*","Resource":"*"}"#;
const NO_S3: &str = r#"{"Sid":"NoS3","Effect":"Deny","Action":"s3:*","Resource":"*"}"#;
const UNKNOWN_ALLOW: &str =
    r#"{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"a:k":true}}}"#;
const UNKNOWN_DENY: &str =
    r#"{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Bool":{"a:k":true}}}"#;

fn get() -> Request {
    request("s3:GetObject", "arn:aws:s3:::b/k", Context::partial())
}

fn organisation() -> Role {
    Role::ServiceControl {
        level: "root".to_owned(),
    }
}

fn verdict(layers: Vec<Layer>) -> Verdict {
    let policies = Policies {
        layers,
        resource: None,
    };
    evaluate(&policies, &get())
}

#[test]
fn every_layer_must_allow_and_the_verdict_says_by_what() {
    let unlimited = vec![layer(Role::Identity, ALL)];
    let Verdict::Allowed { by } = verdict(unlimited) else {
        panic!()
    };
    assert_eq!(
        by[0].to_string(),
        "statement 1 (line 1, column 38) of \"policy\", identity policies"
    );
    for role in [Role::Session, Role::Boundary, organisation()] {
        let with = |statements| vec![layer(Role::Identity, ALL), layer(role.clone(), statements)];
        assert_eq!(verdict(with(S3)).decision(), Some(true), "{role}");
        let denied = verdict(with(SQS));
        assert_eq!(
            denied,
            Verdict::ImplicitlyDenied {
                by: vec![role.clone()]
            }
        );
        let Verdict::ExplicitlyDenied { by } = verdict(with(NO_S3)) else {
            panic!("{role}")
        };
        assert_eq!(by[0].statement.sid.as_deref(), Some("NoS3"));
        assert_eq!(by[0].role, role);
    }
}

#[test]
fn what_service_control_policies_and_the_role_both_allow() {
    let ec2 = SQS.replace("sqs", "ec2");
    let policies = Policies {
        layers: vec![
            layer(Role::Identity, &format!("{S3},{SQS}")),
            layer(organisation(), &format!("{S3},{ec2}")),
        ],
        resource: None,
    };
    for (action, by) in [
        ("s3:ListAllMyBuckets", None),
        ("ec2:DescribeInstances", Some(Role::Identity)),
        ("sqs:ListQueues", Some(organisation())),
    ] {
        let verdict = evaluate(&policies, &request(action, "*", Context::complete()));
        match by {
            None => assert_eq!(verdict.decision(), Some(true), "{action}"),
            Some(role) => assert_eq!(verdict, Verdict::ImplicitlyDenied { by: vec![role] }),
        }
    }
}

#[test]
fn a_session_on_an_instance_by_its_tag() {
    let session = r#"{"Effect":"Allow","Action":"ssm:StartSession","Resource":"arn:aws:ec2:*:*:instance/*",
        "Condition":{"StringEquals":{"ssm:resourceTag/Name":["Develop","Staging"]}}},
        {"Effect":"Allow","Action":["ssm:ResumeSession","ssm:TerminateSession"],
        "Resource":"arn:aws:ssm:*:*:session/${aws:userid}-*"}"#;
    let policies = Policies {
        layers: vec![layer(Role::Identity, ALL), layer(Role::Session, session)],
        resource: None,
    };
    let instance = "arn:aws:ec2:eu-west-1:111111111111:instance/i-1";
    let tagged = |name| Context::complete().with("ssm:resourceTag/Name", [name]);
    let own = "arn:aws:ssm:eu-west-1:111111111111:session/AROA:me-0f";
    let me = Context::partial().with("aws:userid", ["AROA:me"]);
    for (action, resource, context, expected) in [
        ("ssm:StartSession", instance, tagged("Develop"), Some(true)),
        (
            "ssm:StartSession",
            instance,
            tagged("Production"),
            Some(false),
        ),
        (
            "ssm:StartSession",
            instance,
            Context::complete(),
            Some(false),
        ),
        ("ssm:StartSession", instance, Context::partial(), None),
        ("ssm:ResumeSession", own, me.clone(), Some(true)),
        (
            "ssm:ResumeSession",
            &own.replace("me", "you"),
            me,
            Some(false),
        ),
    ] {
        let request = request(action, resource, context);
        let verdict = evaluate(&policies, &request);
        assert_eq!(verdict.decision(), expected, "{request:?}");
    }
}

#[test]
fn session_policies_add_up_and_an_empty_layer_allows_nothing() {
    let session = Layer {
        role: Role::Session,
        documents: vec![document("inline", SQS), document("arn", S3)],
    };
    assert_eq!(
        verdict(vec![layer(Role::Identity, ALL), session]).decision(),
        Some(true)
    );
    let empty = Layer {
        role: Role::Session,
        documents: Vec::new(),
    };
    assert_eq!(
        verdict(vec![layer(Role::Identity, ALL), empty]).decision(),
        Some(false)
    );
    let scoped = vec![
        layer(Role::Identity, ALL),
        layer(Role::Session, S3),
        layer(Role::Session, SQS),
    ];
    assert_eq!(verdict(scoped).decision(), Some(false));
    assert_eq!(
        verdict(vec![layer(Role::Session, ALL)]).decision(),
        Some(false)
    );
}

#[test]
fn what_is_certain_wins_over_what_is_not() {
    let two = |one: &str, other: &str| format!("{one},{other}");
    for (identity, session, expected) in [
        (UNKNOWN_ALLOW.to_owned(), S3.to_owned(), None),
        (two(UNKNOWN_ALLOW, ALL), S3.to_owned(), Some(true)),
        (UNKNOWN_ALLOW.to_owned(), SQS.to_owned(), Some(false)),
        (UNKNOWN_ALLOW.to_owned(), two(S3, NO_S3), Some(false)),
        (ALL.to_owned(), two(S3, UNKNOWN_DENY), None),
        (ALL.to_owned(), two(SQS, UNKNOWN_DENY), Some(false)),
        (two(ALL, UNKNOWN_DENY), two(S3, NO_S3), Some(false)),
    ] {
        let verdict = verdict(vec![
            layer(Role::Identity, &identity),
            layer(Role::Session, &session),
        ]);
        assert_eq!(verdict.decision(), expected, "{identity} {session}");
    }
    let Verdict::CannotTell { doubts } = verdict(vec![layer(Role::Identity, UNKNOWN_ALLOW)]) else {
        panic!()
    };
    assert_eq!(
        doubts[0].why,
        Doubt::Key {
            key: "a:k".to_owned()
        }
    );
    assert_eq!(
        doubts[0].why.to_string(),
        "the value of \"a:k\" is not known"
    );
}

const SESSION: &str = "arn:aws:sts::111111111111:assumed-role/R/s";
const ROLE: &str = "arn:aws:iam::111111111111:role/R";

/// A bucket's statement for one principal, met by a session of the role.
fn bucket(statement: &str, owner: &str, layers: Vec<Layer>) -> Option<bool> {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#);
    let policy = PolicyDocument::parse_as(PolicyKind::Resource, &text).unwrap();
    let policies = Policies {
        layers,
        resource: Some(ResourcePolicy {
            document: Document::read("bucket", &policy).unwrap(),
            caller: Caller {
                account: "111111111111".to_owned(),
                arn: SESSION.to_owned(),
                role_arn: Some(ROLE.to_owned()),
            },
            owner: owner.to_owned(),
        }),
    };
    evaluate(&policies, &get()).decision()
}

fn grant(effect: &str, principal: &str) -> String {
    format!(
        r#"{{"Effect":"{effect}","Principal":{{"AWS":"{principal}"}},"Action":"s3:*","Resource":"*"}}"#
    )
}

#[test]
fn a_session_that_is_named_escapes_its_session_policies() {
    let home = "111111111111";
    let account = "arn:aws:iam::111111111111:root";
    let limited = || vec![layer(Role::Identity, SQS), layer(Role::Session, SQS)];
    let open = || vec![layer(Role::Identity, SQS), layer(Role::Session, S3)];
    for (principal, when_limited, when_open) in [
        (SESSION, Some(true), Some(true)),
        (ROLE, Some(false), Some(true)),
        ("*", None, Some(true)),
        (account, Some(false), Some(false)),
        (
            "arn:aws:iam::111111111111:role/Other",
            Some(false),
            Some(false),
        ),
    ] {
        let allow = grant("Allow", principal);
        assert_eq!(bucket(&allow, home, limited()), when_limited, "{principal}");
        assert_eq!(bucket(&allow, home, open()), when_open, "{principal}");
        let allowed = vec![layer(Role::Identity, S3)];
        let deny = grant("Deny", principal);
        let hit = !principal.ends_with("Other");
        assert_eq!(bucket(&deny, home, allowed), Some(!hit), "{principal}");
    }
    // A deny and a service control policy limit even the session that is named.
    let denied = vec![layer(Role::Session, NO_S3)];
    assert_eq!(bucket(&grant("Allow", SESSION), home, denied), Some(false));
    let organised = vec![layer(organisation(), SQS)];
    assert_eq!(
        bucket(&grant("Allow", SESSION), home, organised),
        Some(false)
    );
}

#[test]
fn across_accounts_both_sides_must_allow() {
    let away = "222222222222";
    for principal in [SESSION, ROLE, "*", "111111111111"] {
        let allow = grant("Allow", principal);
        let both = vec![layer(Role::Identity, S3)];
        assert_eq!(bucket(&allow, away, both), Some(true), "{principal}");
        let one = vec![layer(Role::Identity, SQS)];
        assert_eq!(bucket(&allow, away, one), Some(false), "{principal}");
    }
    let both = vec![layer(Role::Identity, S3)];
    assert_eq!(
        bucket(&grant("Allow", "333333333333"), away, both),
        Some(false)
    );
}
