//! The provider against an STS of recorded answers.
#![allow(clippy::unwrap_used)]

mod faults;
mod scoped;
mod server;
mod tls;
mod wire;

use std::time::Duration;

use jumpgate_api::Secret;
use jumpgate_iam::{
    ExternalId, MfaSerial, PolicyArn, PolicyArns, PolicyDocument, Region, RoleArn, RoleDuration,
    RoleSessionName, SessionTags, SourceIdentity, TagKey, TagValue, TransitiveTagKeys,
};

use self::server::{Reply, Server};
use super::{Options, Patience, SdkTokenService};
use crate::domain::assume_role::AssumeRoleRequest;
use crate::domain::identity::{AccessKeyId, BaseCredentials, Endpoint, EndpointUrl};
use crate::domain::name::{SAMPLE_SESSION_ID, SessionId};

const SECRET: &str = "canary-secret-access-key";
const TOKEN: &str = "canary-session-token";
const CODE: &str = "730141";

fn credentials() -> BaseCredentials {
    BaseCredentials {
        access_key_id: AccessKeyId::parse("ASIAIOSFODNN7EXAMPLE").unwrap(),
        secret_access_key: SECRET.into(),
        session_token: Some(TOKEN.into()),
        expires_at: None,
    }
}

fn key() -> BaseCredentials {
    BaseCredentials {
        access_key_id: AccessKeyId::parse("AKIAIOSFODNN7EXAMPLE").unwrap(),
        secret_access_key: SECRET.into(),
        session_token: None,
        expires_at: None,
    }
}

fn serial() -> MfaSerial {
    MfaSerial::parse("arn:aws:iam::111111111111:mfa/alice").unwrap()
}

fn code() -> Secret<String> {
    CODE.into()
}

fn endpoint(url: &str) -> Endpoint {
    Endpoint {
        region: Region::parse("eu-west-1").unwrap(),
        url: Some(EndpointUrl::parse(url).unwrap()),
        ca_bundle: None,
    }
}

fn endpoint_of(server: &Server) -> Endpoint {
    endpoint(&format!("http://{}", server.address))
}

/// The smallest request: what is absent here must be absent on the wire.
fn bare_request() -> AssumeRoleRequest {
    let tags = SessionTags::new(vec![]).unwrap();
    AssumeRoleRequest {
        session: SessionId::parse(SAMPLE_SESSION_ID).unwrap(),
        role: RoleArn::parse("arn:aws:iam::222222222222:role/Developer").unwrap(),
        duration: RoleDuration::new(3600).unwrap(),
        session_name: RoleSessionName::parse("alice-01KAN").unwrap(),
        external_id: None,
        source_identity: None,
        policy: None,
        policy_arns: PolicyArns::new(vec![]).unwrap(),
        transitive: TransitiveTagKeys::new(vec![], &tags).unwrap(),
        tags,
    }
}

/// Every field that there is.
fn full_request() -> AssumeRoleRequest {
    let key = |text| TagKey::parse(text).unwrap();
    let value = |text| TagValue::parse(text).unwrap();
    let tags = SessionTags::new(vec![
        (key("Team"), value("sre @ work")),
        (key("DoiTEnvironment"), value("")),
        (key("Ticket"), value("é=1/2+3")),
    ])
    .unwrap();
    let policy = r#"{ "Version": "2012-10-17",
        "Statement": [ { "Effect": "Allow", "Action": "s3:Get*", "Resource": "*" } ] }"#;
    let arns = [
        "arn:aws:iam::aws:policy/ReadOnlyAccess",
        "arn:aws:iam::222222222222:policy/Own",
    ];
    AssumeRoleRequest {
        duration: RoleDuration::new(43_200).unwrap(),
        external_id: Some(ExternalId::parse("external:id/1").unwrap()),
        source_identity: Some(SourceIdentity::parse("alice").unwrap()),
        policy: Some(PolicyDocument::parse(policy).unwrap()),
        policy_arns: PolicyArns::new(arns.map(|arn| PolicyArn::parse(arn).unwrap()).to_vec())
            .unwrap(),
        transitive: TransitiveTagKeys::new(vec![key("Ticket"), key("Team")], &tags).unwrap(),
        tags,
        ..bare_request()
    }
}

/// Time enough on a busy machine, and no waiting between attempts.
fn patient() -> SdkTokenService {
    SdkTokenService::new(Options {
        patience: Patience {
            backoff: Duration::from_millis(1),
            ..Patience::default()
        },
        ..Options::default()
    })
}

fn refusal(status: u16, code: &str, message: &str) -> Reply {
    Reply::Xml(
        status,
        format!(
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
             <Code>{code}</Code><Message>{message}</Message></Error>\
             <RequestId>request-of-a-refusal</RequestId></ErrorResponse>"
        ),
    )
}

fn answer(operation: &str, result: &str) -> Reply {
    Reply::Xml(
        200,
        format!(
            "<{operation}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
             <{operation}Result>{result}</{operation}Result><ResponseMetadata>\
             <RequestId>request-of-an-answer</RequestId></ResponseMetadata></{operation}Response>"
        ),
    )
}

const FRESH: &str = "<Credentials><AccessKeyId>ASIAFRESHFRESHFRESH1</AccessKeyId>\
    <SecretAccessKey>canary-fresh-secret</SecretAccessKey><SessionToken>canary-fresh-token</SessionToken>\
    <Expiration>2026-11-21T20:00:00Z</Expiration></Credentials>";

const ROLE_USER: &str = "<AssumedRoleUser><Arn>arn:aws:sts::222222222222:assumed-role/Developer/alice-01KAN</Arn>\
    <AssumedRoleId>AROAEXAMPLE:alice-01KAN</AssumedRoleId></AssumedRoleUser>";

fn session() -> Reply {
    answer("AssumeRole", &format!("{FRESH}{ROLE_USER}"))
}

fn caller() -> Reply {
    answer(
        "GetCallerIdentity",
        "<Arn>arn:aws:iam::111111111111:user/alice</Arn><UserId>AIDAEXAMPLE</UserId>\
         <Account>111111111111</Account>",
    )
}
