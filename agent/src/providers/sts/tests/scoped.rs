//! GetScopedCredentials: the call that is signed here, held to what the SDK's calls do.

use jumpgate_api::Timestamp;
use jumpgate_iam::ScopedDuration;

use super::wire::pairs;
use super::*;
use crate::domain::assume_role::ScopeDown;
use crate::domain::session::AssumedRole;
use crate::ports::{TokenError, TokenErrorKind, TokenService};

const POLICY: &str = r#"{ "Version": "2012-10-17",
    "Statement": { "Effect": "Allow", "Action": "s3:Get*", "Resource": "*" } }"#;
const SESSION: &str = "<ScopedSession><Arn>arn:aws:sts::222222222222:assumed-role/Developer/alice-01KAN</Arn>\
    <ScopedSessionId>AROAEXAMPLE:alice-01KAN</ScopedSessionId></ScopedSession>";

fn taken() -> ScopeDown {
    ScopeDown {
        policy: Some(PolicyDocument::parse(POLICY).unwrap()),
        duration: Some(ScopedDuration::new(60).unwrap()),
    }
}

fn good() -> Reply {
    let size = "<SessionTokenUtilization>25</SessionTokenUtilization>";
    answer("GetScopedCredentials", &format!("{FRESH}{SESSION}{size}"))
}

async fn ask(server: &Server, taken: &ScopeDown) -> Result<AssumedRole, TokenError> {
    let (endpoint, service) = (endpoint_of(server), patient());
    service
        .scoped_credentials(&endpoint, &credentials(), taken)
        .await
}

#[tokio::test]
async fn it_is_signed_and_sent_like_the_calls_of_the_sdk() {
    let server = Server::plain(vec![good(), good()]);
    ask(&server, &taken()).await.unwrap();
    let bare = ScopeDown {
        policy: None,
        duration: None,
    };
    ask(&server, &bare).await.unwrap();
    let [full, bare] = &server.seen()[..] else {
        panic!("two calls")
    };
    let policy = "{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"s3:Get*\",\"Resource\":\"*\"}}";
    assert_eq!(
        pairs(&full.form),
        [
            ("Action", "GetScopedCredentials"),
            ("DurationSeconds", "60"),
            ("Policy", policy),
            ("Version", "2011-06-15"),
        ]
    );
    assert_eq!(bare.form.len(), 2);
    assert_eq!(full.line, "POST / HTTP/1.1");
    assert_eq!(full.header("x-amz-security-token"), Some(TOKEN));
    let authorization = full.header("authorization").unwrap();
    assert!(authorization.starts_with("AWS4-HMAC-SHA256 Credential=ASIAIOSFODNN7EXAMPLE/"));
    assert!(authorization.contains("/eu-west-1/sts/aws4_request"));
    assert_eq!(full.header("user-agent"), Some("app/jumpgate"));
}

#[tokio::test]
async fn every_field_of_the_answer_is_taken() {
    let server = Server::plain(vec![good()]);
    let session = ask(&server, &taken()).await.unwrap();
    assert_eq!(session.access_key_id.as_str(), "ASIAFRESHFRESHFRESH1");
    assert_eq!(session.secret_access_key.expose(), "canary-fresh-secret");
    assert_eq!(session.session_token.expose(), "canary-fresh-token");
    let end: Timestamp = "2026-11-21T20:00:00Z".parse().unwrap();
    assert_eq!(session.expires_at, end);
    let arn = "arn:aws:sts::222222222222:assumed-role/Developer/alice-01KAN";
    assert_eq!(session.arn, arn);
    assert_eq!(session.assumed_role_id, "AROAEXAMPLE:alice-01KAN");
    assert_eq!(session.token_percent, Some(25));
    assert_eq!(
        session.request_id.as_deref(),
        Some("request-id-of-the-head")
    );
}

#[tokio::test]
async fn answers_that_lack_something_are_invalid() {
    let whole = format!("{FRESH}{SESSION}");
    for (name, instead) in [
        ("AccessKeyId", "Other"),
        ("SecretAccessKey", "Other"),
        ("SessionToken", "Other"),
        ("Expiration", "Other"),
        ("Arn", "Other"),
        ("ScopedSessionId", "Other"),
    ] {
        let body = whole.replace(&format!("{name}>"), &format!("{instead}>"));
        let server = Server::plain(vec![answer("GetScopedCredentials", &body); 3]);
        let error = ask(&server, &taken()).await.unwrap_err();
        assert_eq!(error.kind, TokenErrorKind::Invalid, "{name}");
        assert!(error.message.contains(name), "{}", error.message);
        assert!(!error.message.contains("canary"), "{}", error.message);
        assert_eq!(server.seen().len(), 1);
    }
    let late = whole.replace("2026-11-21T20:00:00Z", "tomorrow");
    let large = whole.replace("canary-fresh-token", &"t".repeat(4_097));
    for body in [late, large] {
        let server = Server::plain(vec![answer("GetScopedCredentials", &body)]);
        let error = ask(&server, &taken()).await.unwrap_err();
        assert_eq!(error.kind, TokenErrorKind::Invalid);
    }
}

#[tokio::test]
async fn refusals_are_mapped_as_those_of_the_other_calls() {
    let mismatch = format!("they do not match: {SECRET}\nThe Canonical String was POST");
    for (status, code, message, kind, calls) in [
        (403, "AccessDenied", "no", TokenErrorKind::Denied, 1),
        (
            403,
            "ExpiredToken",
            "over",
            TokenErrorKind::CredentialsRejected,
            1,
        ),
        (
            403,
            "SignatureDoesNotMatch",
            &mismatch,
            TokenErrorKind::CredentialsRejected,
            1,
        ),
        (
            400,
            "ValidationError",
            "too long",
            TokenErrorKind::RequestRejected,
            1,
        ),
        (
            400,
            "Throttling",
            "Rate exceeded",
            TokenErrorKind::Throttled,
            3,
        ),
        (
            503,
            "ServiceUnavailable",
            "later",
            TokenErrorKind::Unavailable,
            3,
        ),
    ] {
        let server = Server::plain(vec![refusal(status, code, message); 4]);
        let error = ask(&server, &taken()).await.unwrap_err();
        assert_eq!((error.kind, error.code.as_deref()), (kind, Some(code)));
        assert_eq!(server.seen().len(), calls, "{code}");
        assert_eq!(error.request_id.as_deref(), Some("request-id-of-the-head"));
        assert!(!error.message.contains(SECRET) && !error.message.contains("Canonical"));
    }
}

#[tokio::test]
async fn trouble_with_the_connection_is_told_apart() {
    for (reply, kind, calls) in [
        (Reply::Reset, TokenErrorKind::Unavailable, 3),
        (
            Reply::Raw(b"nonsense\r\n\r\n".to_vec()),
            TokenErrorKind::Invalid,
            1,
        ),
        (
            Reply::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n<Get".to_vec()),
            TokenErrorKind::Unavailable,
            3,
        ),
    ] {
        let server = Server::plain(vec![reply; 4]);
        let error = ask(&server, &taken()).await.unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
        assert_eq!(server.seen().len(), calls, "{error}");
    }
    let server = Server::plain(vec![Reply::Hang; 4]);
    let service = SdkTokenService::new(Options {
        patience: Patience {
            attempt: Duration::from_millis(50),
            operation: Duration::from_millis(200),
            ..Patience::default()
        },
        ..Options::default()
    });
    let endpoint = endpoint_of(&server);
    let base = credentials();
    let taken = taken();
    let error = service.scoped_credentials(&endpoint, &base, &taken).await;
    assert_eq!(error.unwrap_err().kind, TokenErrorKind::TimedOut);
    assert_eq!(service.counts(), (1, 1));
}

#[tokio::test]
async fn something_passing_passes() {
    let throttled = refusal(400, "Throttling", "Rate exceeded");
    let server = Server::plain(vec![throttled, Reply::Reset, good()]);
    ask(&server, &taken()).await.unwrap();
    assert_eq!(server.seen().len(), 3);
}

#[test]
fn without_an_endpoint_of_its_own_the_region_has_one() {
    for (region, expected) in [
        ("eu-west-1", "https://sts.eu-west-1.amazonaws.com"),
        ("cn-north-1", "https://sts.cn-north-1.amazonaws.com.cn"),
        ("us-east-1", "https://sts.us-east-1.amazonaws.com"),
    ] {
        let endpoint = Endpoint {
            region: Region::parse(region).unwrap(),
            url: None,
            ca_bundle: None,
        };
        assert_eq!(crate::providers::sts::url_of(&endpoint), expected);
    }
}
