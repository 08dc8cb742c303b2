//! Bad days of STS and of the network.

use std::io::Write;
use std::sync::{Arc, Mutex};

use jumpgate_iam::MfaSessionDuration;
use tracing_subscriber::fmt::MakeWriter;

use super::*;
use crate::ports::{MfaProof, TokenError, TokenErrorKind, TokenService};
use crate::providers::sts::MAX_BODY_BYTES;

/// Plays a script to AssumeRole without a code; the error, and how often it was asked.
async fn assume(service: &SdkTokenService, script: Vec<Reply>) -> (TokenError, usize) {
    let server = Server::plain(script);
    let error = service
        .assume_role(&endpoint_of(&server), &credentials(), &bare_request(), None)
        .await
        .unwrap_err();
    assert_eq!(service.counts().1, 1);
    (error, server.seen().len())
}

/// A good answer with spaces behind it, of so many bytes in all.
fn padded_session(size: usize) -> String {
    let Reply::Xml(_, body) = session() else {
        unreachable!()
    };
    format!("{body}{}", " ".repeat(size - body.len()))
}

fn raw(text: &str) -> Reply {
    Reply::Raw(text.as_bytes().to_vec())
}

#[tokio::test]
async fn refusals_keep_code_message_and_request_id() {
    let message = "User: arn:aws:iam::111111111111:user/alice is not authorized\u{9b}";
    let (error, calls) = assume(&patient(), vec![refusal(403, "AccessDenied", message); 3]).await;
    assert_eq!(
        error,
        TokenError {
            kind: TokenErrorKind::Denied,
            code: Some("AccessDenied".to_owned()),
            message: "User: arn:aws:iam::111111111111:user/alice is not authorized\\u{9b}"
                .to_owned(),
            request_id: Some("request-id-of-the-head".to_owned()),
        }
    );
    assert_eq!(calls, 1);
}

#[tokio::test]
async fn a_refusal_that_repeats_a_secret_does_not_pass_it_on() {
    let message = format!("key {SECRET} token {TOKEN} do not match");
    let (error, _) = assume(&patient(), vec![refusal(400, "ValidationError", &message)]).await;
    assert_eq!(
        error.message,
        "key (redacted) token (redacted) do not match"
    );
}

#[tokio::test]
async fn what_may_pass_is_tried_three_times_and_no_more() {
    for (script, kind) in [
        (
            vec![refusal(400, "Throttling", "Rate exceeded"); 4],
            TokenErrorKind::Throttled,
        ),
        (
            vec![refusal(503, "ServiceUnavailable", "later"); 4],
            TokenErrorKind::Unavailable,
        ),
        (
            vec![raw("HTTP/1.1 502 Bad\r\nContent-Length: 4\r\n\r\noops"); 4],
            TokenErrorKind::Unavailable,
        ),
        (vec![Reply::Reset; 4], TokenErrorKind::Unavailable),
        (vec![raw(""); 4], TokenErrorKind::Unavailable),
        (
            vec![raw("HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n<Assu"); 4],
            TokenErrorKind::Unavailable,
        ),
    ] {
        let shown = format!("{:?}", script[0]);
        let (error, calls) = assume(&patient(), script).await;
        assert_eq!((error.kind, calls), (kind, 3), "{shown} {error}");
    }
}

#[tokio::test]
async fn a_throttled_call_succeeds_in_the_end() {
    let throttled = refusal(400, "Throttling", "Rate exceeded");
    let server = Server::plain(vec![throttled, Reply::Reset, session()]);
    let service = patient();
    service
        .assume_role(&endpoint_of(&server), &key(), &bare_request(), None)
        .await
        .unwrap();
    assert_eq!(server.seen().len(), 3);
    assert_eq!(service.counts(), (1, 0));
}

#[tokio::test]
async fn a_call_with_a_code_is_made_once() {
    let (serial, code) = (serial(), code());
    let mfa = MfaProof {
        serial: &serial,
        code: &code,
    };
    for trouble in [
        refusal(400, "Throttling", "Rate exceeded"),
        refusal(503, "ServiceUnavailable", "later"),
        Reply::Reset,
    ] {
        let server = Server::plain(vec![trouble.clone(), session()]);
        let endpoint = endpoint_of(&server);
        let service = patient();
        let (base, request) = (key(), bare_request());
        let role = service.assume_role(&endpoint, &base, &request, Some(mfa));
        assert!(role.await.is_err());
        assert_eq!(server.seen().len(), 1, "{trouble:?}");

        let server = Server::plain(vec![trouble.clone(), answer("GetSessionToken", FRESH)]);
        let endpoint = endpoint_of(&server);
        let duration = MfaSessionDuration::new(3600).unwrap();
        let session = service.session_token(&endpoint, &base, mfa, duration);
        assert!(session.await.is_err());
        assert_eq!(server.seen().len(), 1, "{trouble:?}");
        assert_eq!(service.counts(), (2, 2));
    }
}

#[tokio::test]
async fn a_wrong_code_is_told_from_a_denial() {
    let (serial, code) = (serial(), code());
    let mfa = MfaProof {
        serial: &serial,
        code: &code,
    };
    let message =
        format!("MultiFactorAuthentication failed with invalid MFA one time pass code {CODE}");
    let server = Server::plain(vec![refusal(403, "AccessDenied", &message)]);
    let error = patient()
        .assume_role(&endpoint_of(&server), &key(), &bare_request(), Some(mfa))
        .await
        .unwrap_err();
    assert_eq!(error.kind, TokenErrorKind::MfaRejected);
    assert!(!error.message.contains(CODE), "{error}");
}

#[tokio::test]
async fn answers_that_nobody_can_read_are_not_asked_for_again() {
    let elsewhere = Server::plain(vec![session()]);
    // Legal but for its size.
    let announced = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}",
        MAX_BODY_BYTES + 1,
        padded_session(MAX_BODY_BYTES + 1)
    );
    let chunked = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{}\r\n0\r\n\r\n",
        1 << 20,
        padded_session(1 << 20)
    );
    let redirect = format!(
        "HTTP/1.1 307 Elsewhere\r\nLocation: http://{}/\r\nContent-Length: 0\r\n\r\n",
        elsewhere.address
    );
    let endless = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(1 << 20));
    for reply in [
        Reply::Xml(200, "no XML at all".to_owned()),
        Reply::Xml(200, "<AssumeRoleResponse><AssumeRoleResult>".to_owned()),
        Reply::Xml(200, String::new()),
        Reply::Xml(404, "<html>not here</html>".to_owned()),
        raw(&announced),
        raw(&chunked),
        raw(&redirect),
        raw(&endless),
        raw("SSH-2.0-OpenSSH\r\n\r\n"),
        Reply::Raw(b"HTTP/1.1 200 OK\r\nX: \xff\r\nContent-Length: 0\r\n\r\n".to_vec()),
    ] {
        let shown = format!("{reply:?}").chars().take(60).collect::<String>();
        let (error, calls) = assume(&patient(), vec![reply; 3]).await;
        assert_eq!(
            (error.kind, calls),
            (TokenErrorKind::Invalid, 1),
            "{shown} {error}"
        );
        assert!(error.message.chars().count() <= 300, "{error}");
    }
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn the_largest_body_is_taken() {
    let padded = padded_session(MAX_BODY_BYTES);
    let server = Server::plain(vec![Reply::Xml(200, padded)]);
    let role = patient()
        .assume_role(&endpoint_of(&server), &key(), &bare_request(), None)
        .await;
    assert!(role.is_ok(), "{role:?}");
}

#[tokio::test]
async fn silence_is_a_time_out() {
    let service = SdkTokenService::new(Options {
        patience: Patience {
            attempt: Duration::from_millis(50),
            backoff: Duration::from_millis(1),
            ..Patience::default()
        },
        ..Options::default()
    });
    let (error, calls) = assume(&service, vec![Reply::Hang; 4]).await;
    assert_eq!(error.kind, TokenErrorKind::TimedOut, "{error}");
    assert!((1..=3).contains(&calls), "{calls}");
}

#[tokio::test]
async fn nobody_there_is_unavailable_and_says_where() {
    let vacated = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let error = patient()
        .caller_identity(&endpoint(&format!("http://{vacated}")), &key())
        .await
        .unwrap_err();
    assert_eq!(error.kind, TokenErrorKind::Unavailable);
    assert!(error.message.contains(&vacated.to_string()), "{error}");
    assert!(error.message.contains("refused"), "{error}");
}

/// All that is logged, in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

async fn log_of_a_call() -> String {
    // With one subscriber alone, a callsite that a parallel test meets first would stay silent: tracing asks
    // that test's thread then, which has none.
    let _second = tracing::Dispatch::new(tracing_subscriber::fmt().finish());
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    let logging = tracing::subscriber::set_default(subscriber);
    let server = Server::plain(vec![session()]);
    let (serial, code) = (serial(), code());
    let mfa = Some(MfaProof {
        serial: &serial,
        code: &code,
    });
    patient()
        .assume_role(&endpoint_of(&server), &credentials(), &full_request(), mfa)
        .await
        .unwrap();
    drop(logging);
    String::from_utf8(log.0.lock().unwrap().clone()).unwrap()
}

#[tokio::test]
async fn no_level_of_logging_shows_a_secret() {
    let log = log_of_a_call().await;
    assert!(log.contains("received response from service"));
    for secret in ["canary", CODE] {
        let found = log.lines().find(|line| line.contains(secret));
        assert_eq!(found, None, "{secret}");
    }
}
