//! Answers of AWS. Law: any answer is a value within our limits or an error in one plain line of bounded length, without a
//! secret that the answer repeats; a text survives the escapes of XML.
#![allow(clippy::unwrap_used)]

use aws_sdk_sts::config::retry::RetryConfig;
use aws_sdk_sts::config::{BehaviorVersion, Config, Region, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use hyper::body::Bytes;

use super::errors::{self, Hidden};
use super::query::{answered, element};
use super::{access_keys, answers};
use crate::domain::identity::BaseCredentials;
use crate::domain::session::{AssumedRole, MAX_TOKEN_BYTES};
use crate::fuzzed::{assert_plain, line_and_rest, text};
use crate::ports::TokenError;

/// What an answer may repeat of the request, and no error may.
const CANARY: &str = "canary";

/// The operation, the status and the request id on the first line; then the body.
struct Given<'a> {
    operation: &'a str,
    status: u16,
    request_id: &'a str,
    body: &'a str,
}

impl<'a> Given<'a> {
    fn of(data: &'a [u8]) -> Option<Self> {
        let (first, body) = line_and_rest(text(data)?);
        let mut words = first.split(' ');
        let operation = words.next()?;
        let status = words.next()?.parse().ok()?;
        let request_id = words.next().unwrap_or_default();
        Some(Self {
            operation,
            status,
            request_id,
            body,
        })
    }

    fn answer(&self) -> Option<hyper::Response<Bytes>> {
        let answer = hyper::Response::builder().status(self.status);
        let answer = answer.header("x-amzn-requestid", self.request_id);
        answer.body(Bytes::from(self.body.to_owned())).ok()
    }
}

/// Answers that our own code reads.
pub(crate) fn query(data: &[u8]) {
    let Some(given) = Given::of(data) else { return };
    let Some(answer) = given.answer() else { return };
    let hidden = Hidden(vec![CANARY]);
    let text = element(given.body, "SecretAccessKey");
    let answered = match answered(&answer, &hidden) {
        Ok(answered) => answered,
        Err(error) => return check_error(&error, true),
    };
    match given.operation {
        "list" => match access_keys::listed(&answered) {
            Ok(keys) => assert!(keys.len() <= 8),
            Err(error) => check_error(&error, false),
        },
        "create" => match access_keys::created(&answered) {
            Ok(key) => assert_eq!(key.secret_access_key.expose(), text.unwrap().as_str()),
            Err(error) => check_error(&error, false),
        },
        "scoped" => check(answers::scoped_credentials(answered)),
        _ => escaped(given.body),
    }
}

/// What is escaped as XML has it is read as it was.
fn escaped(text: &str) {
    let escaped = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&#62;");
    let body = format!("<a><Arn>{escaped}</Arn></a>");
    assert_eq!(element(&body, "Arn").unwrap().as_str(), text);
}

/// Answers that the SDK reads for us.
pub(crate) fn sdk(data: &[u8]) {
    let Some(given) = Given::of(data) else { return };
    let Some(answer) = given.answer() else { return };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let client = aws_sdk_sts::Client::from_conf(config(Fixed(answer)));
        let hidden = Hidden(vec![CANARY]);
        match given.operation {
            "caller" => {
                let sent = client.get_caller_identity().send().await;
                let sent = sent.map_err(|error| errors::translate(&error, &hidden));
                match sent.and_then(answers::caller) {
                    Ok(caller) => assert_eq!(caller.account().as_str().len(), 12),
                    Err(error) => check_error(&error, false),
                }
            }
            "session" => {
                let sent = client.get_session_token().send().await;
                let sent = sent.map_err(|error| errors::translate(&error, &hidden));
                check_base(sent.and_then(answers::base_credentials));
            }
            _ => {
                let call = client.assume_role().role_arn("r").role_session_name("s");
                let sent = call.send().await;
                let sent = sent.map_err(|error| errors::translate(&error, &hidden));
                check(sent.and_then(answers::assumed_role));
            }
        }
    });
}

fn check_base(base: Result<BaseCredentials, TokenError>) {
    match base {
        Ok(base) => {
            assert!(!base.secret_access_key.expose().is_empty());
            let token = base.session_token.unwrap();
            assert!((1..=MAX_TOKEN_BYTES).contains(&token.expose().len()));
            assert!(base.expires_at.is_some());
        }
        Err(error) => check_error(&error, false),
    }
}

fn check(role: Result<AssumedRole, TokenError>) {
    match role {
        Ok(role) => {
            assert!(!role.secret_access_key.expose().is_empty());
            assert!((1..=MAX_TOKEN_BYTES).contains(&role.session_token.expose().len()));
            assert!(role.arn.len() <= 2_048 && role.assumed_role_id.len() <= 2_048);
            assert!(role.expires_at.unix_millis() > 0);
        }
        Err(error) => check_error(&error, false),
    }
}

/// A refusal repeats what AWS says of it, so that is looked through; of an answer that cannot be read nothing is repeated.
fn check_error(error: &TokenError, refused: bool) {
    let id = error.request_id.as_deref().unwrap_or_default();
    let code = error.code.as_deref().unwrap_or_default();
    for (shown, most) in [(error.message.as_str(), 300), (code, 128), (id, 128)] {
        assert_plain(shown);
        assert!(
            !shown.contains('\n') && shown.chars().count() <= most,
            "{shown:?}"
        );
        assert!(!refused || !shown.contains(CANARY), "{shown:?}");
    }
    assert_plain(&error.to_string());
}

fn config(fixed: Fixed) -> Config {
    let connector = SharedHttpConnector::new(fixed);
    let signer =
        aws_credential_types::Credentials::new("AKIAIOSFODNN7EXAMPLE", CANARY, None, None, "f");
    Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(signer))
        .retry_config(RetryConfig::disabled())
        .http_client(http_client_fn(move |_, _| connector.clone()))
        .build()
}

/// Answers everything with the same.
#[derive(Debug)]
struct Fixed(hyper::Response<Bytes>);

impl HttpConnector for Fixed {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        let mut answer = hyper::Response::builder().status(self.0.status());
        for (name, value) in self.0.headers() {
            answer = answer.header(name, value);
        }
        let answer = answer.body(SdkBody::from(self.0.body().to_vec())).unwrap();
        HttpConnectorFuture::ready(Ok(HttpResponse::try_from(answer).unwrap()))
    }
}
