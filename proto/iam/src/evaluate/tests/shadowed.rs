//! Allow statements that never apply.

use super::{Layer, Role, document, layer, shadows};

/// After the public support role: of a deny meant in one of two forms, both are there.
const SUPPORT_ROLE: &str = r#"
  { "Sid": "ReadAll", "Effect": "Allow", "Action": ["ssm:Get*", "ssm:List*"], "Resource": "*" },
  { "Sid": "DenyParametersButOurs", "Effect": "Deny",
    "Action": ["ssm:GetDocument", "ssm:GetParameter*"],
    "NotResource": [
      "arn:aws:ssm:*::document/AWSPremiumSupport-TroubleshootEKSCluster",
      "arn:aws:ssm:*::document/AWSSupport-TroubleshootEKSWorkerNode" ] },
  { "Sid": "DenyParameters", "Effect": "Deny",
    "Action": ["ssm:GetDocument", "ssm:GetParameter*"], "Resource": "*" },
  { "Sid": "EKSTroubleshooting", "Effect": "Allow",
    "Action": ["ssm:GetDocument", "ssm:GetParameter*", "ssm:StartAutomationExecution"],
    "Resource": [
      "arn:aws:ssm:*::document/AWSPremiumSupport-TroubleshootEKSCluster",
      "arn:aws:ssm:*::document/AWSSupport-TroubleshootEKSWorkerNode",
      "arn:aws:ssm:*::automation-definition/AWSPremiumSupport-TroubleshootEKSCluster:*" ] }"#;

fn role(statements: &str) -> Vec<Layer> {
    vec![layer(Role::Identity, statements)]
}

#[test]
fn the_support_role_names_the_two_denies_that_shadow_its_allow() {
    let found = shadows(&role(SUPPORT_ROLE));
    assert_eq!(found.len(), 1, "{found:?}");
    let shadow = &found[0];
    assert_eq!(
        shadow.allow.statement.sid.as_deref(),
        Some("EKSTroubleshooting")
    );
    assert_eq!(shadow.actions, ["ssm:GetDocument", "ssm:GetParameter*"]);
    // The third action is not denied.
    assert!(!shadow.wholly);
    let denies = shadow
        .denies
        .iter()
        .map(|deny| deny.statement.sid.as_deref().unwrap());
    assert_eq!(
        denies.collect::<Vec<_>>(),
        ["DenyParametersButOurs", "DenyParameters"]
    );
}

#[test]
fn without_the_deny_of_everything_the_allow_applies() {
    let (before, rest) = SUPPORT_ROLE
        .split_once(r#"{ "Sid": "DenyParameters","#)
        .unwrap();
    let (_, after) = rest.split_once("},").unwrap();
    let found = shadows(&role(&format!("{before}{after}")));
    assert_eq!(found, []);
}

#[test]
fn shadow_table() {
    let deny = |rest: &str| format!(r#"{{"Effect":"Deny",{rest}}}"#);
    let everywhere = |actions: &str| deny(&format!(r#""Action":[{actions}],"Resource":"*""#));
    let mfa = r#""Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#;
    let mfa_too = mfa.replace("aws:M", "AWS:m");
    for (allow, denies, wholly) in [
        (
            r#""Action":"s3:Get*","Resource":"*""#,
            everywhere(r#""s3:*""#),
            true,
        ),
        (
            r#""Action":"s3:*","Resource":"*""#,
            everywhere(r#""s3:Get*""#),
            false,
        ),
        (
            r#""Action":"s3:Get*","Resource":"arn:aws:s3:::a""#,
            deny(r#""NotAction":"iam:*","NotResource":"arn:aws:s3:::b""#),
            true,
        ),
        (
            r#""Action":"s3:Get*","Resource":"*""#,
            deny(r#""Action":"s3:*","NotResource":"arn:aws:s3:::b""#),
            false,
        ),
        (
            r#""NotAction":["s3:*","iam:*"],"Resource":"*""#,
            deny(r#""NotAction":"s3:*","Resource":"*""#),
            true,
        ),
        // Only together.
        (
            r#""Action":"s3:Get*","Resource":"*""#,
            format!(
                "{},{}",
                deny(r#""Action":"s3:*","NotResource":"arn:aws:s3:::b""#),
                deny(r#""Action":"*","Resource":"arn:aws:s3:::b""#)
            ),
            true,
        ),
        // A condition counts only where the allow has it too.
        (
            r#""Action":"s3:*","Resource":"*""#,
            deny(&format!(r#""Action":"s3:*","Resource":"*",{mfa}"#)),
            false,
        ),
        (
            &format!(r#""Action":"s3:*","Resource":"*",{mfa_too}"#),
            deny(&format!(r#""Action":"s3:*","Resource":"*",{mfa}"#)),
            true,
        ),
        // A variable has one value in one request.
        (
            r#""Action":"s3:*","Resource":"arn:aws:s3:::${aws:username}""#,
            deny(r#""Action":"s3:*","Resource":"arn:aws:s3:::${aws:username}""#),
            true,
        ),
        (
            r#""Action":"s3:*","Resource":"arn:aws:s3:::a""#,
            deny(r#""Action":"s3:*","Resource":"arn:aws:s3:::${aws:username}""#),
            false,
        ),
    ] {
        let allow = format!(r#"{{"Effect":"Allow",{allow}}}"#);
        let layers = vec![layer(Role::Identity, &allow), layer(Role::Session, &denies)];
        let found = shadows(&layers);
        assert_eq!(
            found.iter().any(|shadow| shadow.wholly),
            wholly,
            "{allow} {denies}"
        );
        assert_eq!(found.len(), usize::from(wholly), "{allow} {denies}");
    }
}

#[test]
fn denies_of_other_documents_count_and_are_named() {
    let mut layers = role(r#"{"Effect":"Allow","Action":["s3:GetObject","sqs:*"],"Resource":"*"}"#);
    let deny = r#"{"Sid":"No","Effect":"Deny","Action":"s3:*","Resource":"*"}"#;
    layers[0].documents.push(document("second", deny));
    let found = shadows(&layers);
    assert_eq!(found[0].actions, ["s3:GetObject"]);
    assert!(!found[0].wholly);
    assert_eq!(found[0].denies[0].document, "second");
}
