//! Bodies of the control API: JSON in, JSON or lines out.
//!
//! They may hold secrets, so what is ours of their memory is wiped and never grows. (hyper's own buffers are not
//! ours.)

use std::convert::Infallible;
use std::io::{self, Write};
use std::time::Duration;

use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::{Request, Response, StatusCode};
use jumpgate_api::{AGENT_VERSION_HEADER, Code, MAX_BODY_BYTES, Problem};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::OwnedSemaphorePermit;
use zeroize::Zeroizing;

use crate::ports::Lines;

/// How long a peer may take for its head, and again for its body.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// What the server answers with.
pub(super) type Body = BoxBody<Bytes, Infallible>;

/// The value that a request's body is.
pub(super) async fn read<T: DeserializeOwned>(request: Request<Incoming>) -> Result<T, Problem> {
    let invalid = |what: &str| Problem::new(Code::InvalidRequest, what);
    let collected = tokio::time::timeout(PATIENCE, collect(request.into_body()))
        .await
        .map_err(|_| invalid("the body did not arrive in time"))?
        .ok_or_else(|| invalid("the body is incomplete or over 256 KiB"))?;
    // serde's message may quote the body, which may hold a secret: its place has to do.
    serde_json::from_slice(&collected).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        invalid(&format!(
            "the body is not what this path takes (line {line}, column {column})"
        ))
    })
}

async fn collect(mut body: Incoming) -> Option<Zeroizing<Vec<u8>>> {
    let announced = body.size_hint().upper();
    let announced = announced.and_then(|size| usize::try_from(size).ok());
    let room = announced.unwrap_or(MAX_BODY_BYTES).min(MAX_BODY_BYTES);
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.ok()?.into_data() else {
            continue;
        };
        if data.len() > MAX_BODY_BYTES - bytes.len() {
            return None;
        }
        bytes.extend_from_slice(&data);
    }
    Some(bytes)
}

/// A reply.
pub(super) fn ok<T: Serialize>(reply: &T) -> Response<Body> {
    json(StatusCode::OK, reply)
}

/// A reply with another status.
pub(super) fn json<T: Serialize>(status: StatusCode, reply: &T) -> Response<Body> {
    let bytes = Bytes::from_owner(written(reply));
    let mut response = Response::new(Full::new(bytes).boxed());
    *response.status_mut() = status;
    set_headers(&mut response, "application/json");
    response
}

/// The reply is measured before it is written: one that grows would leave its old bytes behind, and one with room for all
/// would take longer to wipe than to write.
fn written<T: Serialize>(reply: &T) -> Zeroizing<Vec<u8>> {
    let write = |target: &mut dyn Write| {
        serde_json::to_writer(target, reply).expect("replies have no maps whose keys are no texts");
    };
    let mut size = Size(0);
    write(&mut size);
    let mut bytes = Zeroizing::new(Vec::with_capacity(size.0));
    write(&mut *bytes);
    bytes
}

/// Counts what is written.
struct Size(usize);

impl Write for Size {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Lines as they come, until there are no more or the peer leaves. Its place is held so long.
pub(super) fn stream(mut lines: Lines, place: Option<OwnedSemaphorePermit>) -> Response<Body> {
    let (mut sender, body) = http_body_util::channel::Channel::<Bytes, Infallible>::new(16);
    tokio::spawn(async move {
        let _place = place;
        while let Some(mut line) = lines.recv().await {
            line.push('\n');
            if sender.send_data(Bytes::from(line)).await.is_err() {
                return;
            }
        }
    });
    let mut response = Response::new(body.boxed());
    set_headers(&mut response, "application/jsonl");
    response
}

fn set_headers(response: &mut Response<Body>, kind: &'static str) {
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let version = HeaderValue::from_static(env!("CARGO_PKG_VERSION"));
    headers.insert(AGENT_VERSION_HEADER, version);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use jumpgate_api::CredentialsReply;

    use super::*;
    use crate::domain::session::MAX_TOKEN_BYTES;

    #[test]
    fn a_reply_with_a_secret_never_grows() {
        let golden = include_str!("../../../proto/api/golden/credentials_reply.json");
        let mut reply: CredentialsReply = serde_json::from_str(golden).unwrap();
        reply.session_token = "t".repeat(MAX_TOKEN_BYTES).as_str().into();
        reply.role_arn = "r".repeat(2_048);
        let bytes = written(&reply);
        assert_eq!(bytes.capacity(), bytes.len());
    }
}
