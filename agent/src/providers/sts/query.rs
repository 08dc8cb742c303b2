//! Signed calls of the Query protocol that the SDK has no operation for: the form, the signature (SigV4, by the
//! SDK's own crate), the attempts, and the words of the answer. Same connections, time-outs and errors as the SDK's
//! calls have, so that an operation of the SDK can take a call's place.
//!
//! Sources: STS API reference, "Making Query requests", "Common errors"; IAM user guide, "Create a signed AWS API
//! request".

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use aws_smithy_async::time::TimeSource;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use hyper::Response;
use zeroize::Zeroizing;

use super::connector::Connector;
use super::errors::{self, Hidden};
use super::{MAX_BACKOFF, Patience};
use crate::ports::{TokenError, TokenErrorKind};

const CONTENT_TYPE: &str = "application/x-www-form-urlencoded";
const REQUEST_ID: &str = "x-amzn-requestid";

/// One call.
pub(super) struct Query<'a> {
    /// `https://sts.eu-west-1.amazonaws.com`
    pub(super) url: String,
    /// The service's name in the signature.
    pub(super) service: &'a str,
    /// The region in the signature.
    pub(super) region: &'a str,
    /// `Action`, `Version` and the parameters.
    pub(super) form: Vec<(&'a str, String)>,
}

/// What a call brought.
pub(super) struct Answered {
    /// The body, wiped when dropped.
    pub(super) body: Zeroizing<String>,
    /// AWS's id of the call.
    pub(super) request_id: Option<String>,
}

impl Query<'_> {
    /// Sends the call, again where its failure may pass.
    ///
    /// # Errors
    /// No answer, an answer that cannot be read, or a refusal, in the words of the port.
    pub(super) async fn send(
        &self,
        connector: &Connector,
        signer: &Credentials,
        hidden: &Hidden<'_>,
        (patience, attempts): (Patience, u32),
    ) -> Result<Answered, TokenError> {
        let sending = async {
            let mut pause = patience.backoff;
            for _ in 1..attempts {
                match self
                    .attempt(connector, signer, hidden, patience.attempt)
                    .await
                {
                    Err(error) if may_pass(error.kind) => tokio::time::sleep(pause).await,
                    settled => return settled,
                }
                pause = (pause * 2).min(MAX_BACKOFF);
            }
            self.attempt(connector, signer, hidden, patience.attempt)
                .await
        };
        let sent = tokio::time::timeout(patience.operation, sending).await;
        sent.unwrap_or_else(|_| Err(errors::timed_out()))
    }

    async fn attempt(
        &self,
        connector: &Connector,
        signer: &Credentials,
        hidden: &Hidden<'_>,
        patience: Duration,
    ) -> Result<Answered, TokenError> {
        let now = connector.clock.now();
        let request = self.signed(signer, now).map_err(|_| errors::unbuilt())?;
        let exchange = tokio::time::timeout(patience, connector.fetch(request));
        match exchange.await {
            Err(_) => Err(errors::timed_out()),
            Ok(Err(fault)) => Err(errors::connection(&fault)),
            Ok(Ok(answer)) => answered(&answer, hidden),
        }
    }

    /// The request with its signature.
    fn signed(
        &self,
        signer: &Credentials,
        now: SystemTime,
    ) -> Result<HttpRequest, Box<dyn std::error::Error + Send + Sync>> {
        let body = encoded_form(&self.form);
        let identity = signer.clone().into();
        let params = SigningParams::builder()
            .identity(&identity)
            .region(self.region)
            .name(self.service)
            .time(now)
            .settings(SigningSettings::default())
            .build()?
            .into();
        let headers = [("content-type", CONTENT_TYPE)];
        let bytes = SignableBody::Bytes(body.as_bytes());
        let signable = SignableRequest::new("POST", &self.url, headers.into_iter(), bytes)?;
        let (instructions, _) = sign(signable, &params)?.into_parts();
        let mut request = HttpRequest::new(SdkBody::from(body.as_str()));
        request.set_method("POST")?;
        request.set_uri(self.url.as_str())?;
        let length = body.len().to_string();
        let own = [
            ("content-type", CONTENT_TYPE),
            ("content-length", &length),
            ("user-agent", "app/jumpgate"),
        ];
        for (name, value) in own.into_iter().chain(instructions.headers()) {
            request
                .headers_mut()
                .try_insert(name.to_owned(), value.to_owned())?;
        }
        Ok(request)
    }
}

/// As the SDK has it: what the other side or the way to it may do better the next time.
const fn may_pass(kind: TokenErrorKind) -> bool {
    matches!(
        kind,
        TokenErrorKind::Throttled | TokenErrorKind::Unavailable | TokenErrorKind::TimedOut
    )
}

pub(super) fn answered(
    answer: &Response<Bytes>,
    hidden: &Hidden<'_>,
) -> Result<Answered, TokenError> {
    let status = answer.status().as_u16();
    let request_id = answer.headers().get(REQUEST_ID);
    let request_id = request_id
        .and_then(|id| id.to_str().ok())
        .map(str::to_owned);
    let text = std::str::from_utf8(answer.body())
        .map_err(|_| errors::invalid("STS's answer cannot be read", request_id.as_deref()))?;
    if status == 200 {
        let body = Zeroizing::new(text.to_owned());
        return Ok(Answered { body, request_id });
    }
    let (code, message) = (element(text, "Code"), element(text, "Message"));
    let (code, message) = (code.as_deref(), message.as_deref().map(String::as_str));
    let refusal = errors::Refusal {
        status,
        code: code.map(String::as_str),
        message: message.unwrap_or_default(),
        request_id: request_id.as_deref(),
    };
    Err(errors::refused(&refusal, hidden))
}

/// The text of the first element of this name. AWS's answers repeat none of the names that are asked for here, and
/// have no attributes, comments or sections of text.
pub(super) fn element(body: &str, name: &str) -> Option<Zeroizing<String>> {
    let (_, rest) = body.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    unescaped(text)
}

/// XML 1.0, section 4.6: the predefined entities, and characters by number.
fn unescaped(text: &str) -> Option<Zeroizing<String>> {
    let mut out = Zeroizing::new(String::with_capacity(text.len()));
    let mut parts = text.split('&');
    out.push_str(parts.next()?);
    for part in parts {
        let (entity, rest) = part.split_once(';')?;
        out.push(match entity {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            number => character(number.strip_prefix('#')?)?,
        });
        out.push_str(rest);
    }
    (!text.contains('<')).then_some(out)
}

fn character(number: &str) -> Option<char> {
    let code = match number.strip_prefix('x') {
        Some(hex) => u32::from_str_radix(hex, 16),
        None => number.parse(),
    };
    char::from_u32(code.ok()?)
}

fn encoded_form(form: &[(&str, String)]) -> String {
    let pairs = form
        .iter()
        .map(|(name, value)| format!("{name}={}", encoded(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// RFC 3986, section 2.3: everything but the unreserved characters.
fn encoded(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut out, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            other => {
                let _ = write!(out, "%{other:02X}");
            }
        }
        out
    })
}

#[cfg(test)]
mod tests;
