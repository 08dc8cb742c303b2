//! What goes over the wire, field by field, and what is made of what comes back.

use jumpgate_api::Timestamp;
use jumpgate_iam::MfaSessionDuration;

use super::*;
use crate::ports::{MfaProof, TokenErrorKind, TokenService};

pub(super) fn pairs(form: &[(String, String)]) -> Vec<(&str, &str)> {
    let mut pairs: Vec<_> = form
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    pairs.sort_unstable();
    pairs
}

#[tokio::test]
async fn assume_role_sends_every_field() {
    let server = Server::plain(vec![session()]);
    let (serial, code) = (serial(), code());
    let mfa = Some(MfaProof {
        serial: &serial,
        code: &code,
    });
    let service = patient();
    service
        .assume_role(&endpoint_of(&server), &credentials(), &full_request(), mfa)
        .await
        .unwrap();
    let seen = server.only();
    let policy = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"s3:Get*\",\"Resource\":\"*\"}]}";
    assert_eq!(
        pairs(&seen.form),
        [
            ("Action", "AssumeRole"),
            ("DurationSeconds", "43200"),
            ("ExternalId", "external:id/1"),
            ("Policy", policy),
            (
                "PolicyArns.member.1.arn",
                "arn:aws:iam::aws:policy/ReadOnlyAccess"
            ),
            (
                "PolicyArns.member.2.arn",
                "arn:aws:iam::222222222222:policy/Own"
            ),
            ("RoleArn", "arn:aws:iam::222222222222:role/Developer"),
            ("RoleSessionName", "alice-01KAN"),
            ("SerialNumber", "arn:aws:iam::111111111111:mfa/alice"),
            ("SourceIdentity", "alice"),
            ("Tags.member.1.Key", "Team"),
            ("Tags.member.1.Value", "sre @ work"),
            ("Tags.member.2.Key", "DoiTEnvironment"),
            ("Tags.member.2.Value", ""),
            ("Tags.member.3.Key", "Ticket"),
            ("Tags.member.3.Value", "é=1/2+3"),
            ("TokenCode", CODE),
            ("TransitiveTagKeys.member.1", "Ticket"),
            ("TransitiveTagKeys.member.2", "Team"),
            ("Version", "2011-06-15"),
        ]
    );
    assert_eq!(service.counts(), (1, 0));
}

#[tokio::test]
async fn what_is_absent_is_not_sent() {
    let server = Server::plain(vec![session()]);
    patient()
        .assume_role(&endpoint_of(&server), &key(), &bare_request(), None)
        .await
        .unwrap();
    let seen = server.only();
    assert_eq!(
        pairs(&seen.form),
        [
            ("Action", "AssumeRole"),
            ("DurationSeconds", "3600"),
            ("RoleArn", "arn:aws:iam::222222222222:role/Developer"),
            ("RoleSessionName", "alice-01KAN"),
            ("Version", "2011-06-15"),
        ]
    );
    assert_eq!(seen.header("x-amz-security-token"), None);
}

#[tokio::test]
async fn the_head_is_signed_for_the_region_and_names_us_and_nothing_of_the_machine() {
    let server = Server::plain(vec![caller()]);
    patient()
        .caller_identity(&endpoint_of(&server), &credentials())
        .await
        .unwrap();
    let seen = server.only();
    assert_eq!(seen.line, "POST / HTTP/1.1");
    assert_eq!(
        seen.header("host"),
        Some(server.address.to_string().as_str())
    );
    assert_eq!(
        seen.header("content-type"),
        Some("application/x-www-form-urlencoded")
    );
    assert_eq!(seen.header("x-amz-security-token"), Some(TOKEN));
    let authorization = seen.header("authorization").unwrap();
    assert!(authorization.starts_with("AWS4-HMAC-SHA256 Credential=ASIAIOSFODNN7EXAMPLE/"));
    assert!(
        authorization.contains("/eu-west-1/sts/aws4_request"),
        "{authorization}"
    );
    assert!(authorization.contains(";host;"), "{authorization}");
    let agent = seen.header("user-agent").unwrap();
    assert!(agent.contains("app/jumpgate"), "{agent}");
    let known = [
        "aws-sdk-rust/",
        "ua/",
        "api/",
        "os/",
        "lang/",
        "app/",
        "m/",
        "exec-env/",
    ];
    let is_known = |part: &str| known.iter().any(|prefix| part.starts_with(prefix));
    assert!(agent.split(' ').all(is_known), "{agent}");
}

#[tokio::test]
async fn assume_role_takes_every_field_of_the_answer() {
    let extra = "<PackedPolicySize>12</PackedPolicySize><SessionTokenSize>1024</SessionTokenSize>\
        <SessionTokenUtilization>25</SessionTokenUtilization>";
    let reply = answer("AssumeRole", &format!("{FRESH}{ROLE_USER}{extra}"));
    let server = Server::plain(vec![reply]);
    let role = patient()
        .assume_role(&endpoint_of(&server), &key(), &bare_request(), None)
        .await
        .unwrap();
    assert_eq!(role.access_key_id.as_str(), "ASIAFRESHFRESHFRESH1");
    assert_eq!(role.secret_access_key.expose(), "canary-fresh-secret");
    assert_eq!(role.session_token.expose(), "canary-fresh-token");
    assert_eq!(
        role.expires_at,
        "2026-11-21T20:00:00Z".parse::<Timestamp>().unwrap()
    );
    assert_eq!(
        role.arn,
        "arn:aws:sts::222222222222:assumed-role/Developer/alice-01KAN"
    );
    assert_eq!(role.assumed_role_id, "AROAEXAMPLE:alice-01KAN");
    assert_eq!(role.packed_policy_percent, Some(12));
    assert_eq!(role.token_percent, Some(25));
    assert_eq!(role.request_id.as_deref(), Some("request-id-of-the-head"));
}

#[tokio::test]
async fn session_token_carries_the_code() {
    let server = Server::plain(vec![answer("GetSessionToken", FRESH)]);
    let (serial, code) = (serial(), code());
    let mfa = MfaProof {
        serial: &serial,
        code: &code,
    };
    let duration = MfaSessionDuration::new(28_800).unwrap();
    let base = patient()
        .session_token(&endpoint_of(&server), &key(), mfa, duration)
        .await
        .unwrap();
    assert_eq!(
        pairs(&server.only().form),
        [
            ("Action", "GetSessionToken"),
            ("DurationSeconds", "28800"),
            ("SerialNumber", "arn:aws:iam::111111111111:mfa/alice"),
            ("TokenCode", CODE),
            ("Version", "2011-06-15"),
        ]
    );
    assert_eq!(base.access_key_id.as_str(), "ASIAFRESHFRESHFRESH1");
    assert_eq!(base.session_token, Some("canary-fresh-token".into()));
    assert_eq!(
        base.expires_at,
        Some("2026-11-21T20:00:00Z".parse().unwrap())
    );
}

#[tokio::test]
async fn caller_identity_is_an_arn() {
    let server = Server::plain(vec![caller()]);
    let service = patient();
    let arn = service
        .caller_identity(&endpoint_of(&server), &key())
        .await
        .unwrap();
    assert_eq!(arn.to_string(), "arn:aws:iam::111111111111:user/alice");
    let seen = server.only();
    assert_eq!(
        pairs(&seen.form),
        [("Action", "GetCallerIdentity"), ("Version", "2011-06-15")]
    );
}

#[tokio::test]
async fn answers_that_lack_something_are_invalid() {
    let without = |what: &str| {
        let start = FRESH.find(&format!("<{what}>")).unwrap();
        let closing = format!("</{what}>");
        let end = FRESH.find(&closing).unwrap() + closing.len();
        format!("{}{}{ROLE_USER}", &FRESH[..start], &FRESH[end..])
    };
    let long_token = FRESH.replace("canary-fresh-token", &"t".repeat(4_097));
    for result in [
        without("AccessKeyId"),
        without("SecretAccessKey"),
        without("SessionToken"),
        without("Expiration"),
        FRESH.to_owned(),
        ROLE_USER.to_owned(),
        String::new(),
        format!(
            "{}{ROLE_USER}",
            FRESH.replace("2026-11-21T20:00:00Z", "tomorrow")
        ),
        format!(
            "{}{ROLE_USER}",
            FRESH.replace("ASIAFRESHFRESHFRESH1", "a b")
        ),
        format!("{long_token}{ROLE_USER}"),
    ] {
        let server = Server::plain(vec![answer("AssumeRole", &result); 3]);
        let error = patient()
            .assume_role(&endpoint_of(&server), &key(), &bare_request(), None)
            .await
            .unwrap_err();
        assert_eq!(error.kind, TokenErrorKind::Invalid, "{result}");
        assert!(!error.message.contains("canary"), "{}", error.message);
        assert_eq!(server.seen().len(), 1, "{result}");
    }
    let server = Server::plain(vec![answer("GetCallerIdentity", "<Arn>nobody</Arn>")]);
    let error = patient()
        .caller_identity(&endpoint_of(&server), &key())
        .await
        .unwrap_err();
    assert_eq!(error.kind, TokenErrorKind::Invalid);
}
