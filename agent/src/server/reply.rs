//! What an endpoint says to an SDK. It is HTTP at the very last only: what it is until then is small, since it goes through
//! many hands.

use std::fmt;
use std::sync::LazyLock;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, SERVER,
};
use hyper::{Response, StatusCode};

/// How long an IMDS token shall live, in seconds; in the answer, how long it does (Go, Ruby and Rust read it).
pub(super) const TTL: HeaderName = HeaderName::from_static("x-aws-ec2-metadata-token-ttl-seconds");

/// What is said. The body may be credentials.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) kind: Kind,
    pub(super) body: Bytes,
    pub(super) more: More,
}

/// Who says it, and in which form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Container credentials.
    Json,
    /// IMDS, to programs.
    Text,
    /// IMDS, to nobody who reads it.
    Page,
}

/// What few replies have beside that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum More {
    Nothing,
    /// The methods that are answered.
    Allow(&'static str),
    /// Seconds that a token lives.
    Ttl(u32),
    /// It is the last on its connection.
    Close,
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (status, kind, bytes) = (self.status, self.kind, self.body.len());
        write!(f, "Reply({status}, {kind:?}, {bytes} bytes)")
    }
}

impl Reply {
    pub(super) const fn new(status: StatusCode, kind: Kind, body: Bytes) -> Self {
        Self {
            status,
            kind,
            body,
            more: More::Nothing,
        }
    }

    pub(super) fn with(self, more: More) -> Self {
        Self { more, ..self }
    }
}

impl Kind {
    /// Made once: to put header by header into each reply takes four times as long.
    fn headers(self) -> &'static HeaderMap {
        static JSON: LazyLock<HeaderMap> = LazyLock::new(|| headers("application/json", None));
        static TEXT: LazyLock<HeaderMap> = LazyLock::new(|| headers("text/plain", Some("EC2ws")));
        static PAGE: LazyLock<HeaderMap> = LazyLock::new(|| headers("text/html", Some("EC2ws")));
        match self {
            Self::Json => &JSON,
            Self::Text => &TEXT,
            Self::Page => &PAGE,
        }
    }
}

/// Nothing that is said here may be kept by a cache.
fn headers(content: &'static str, server: Option<&'static str>) -> HeaderMap {
    let named = [(CONTENT_TYPE, content), (CACHE_CONTROL, "no-store")];
    let server = server.map(|server| (SERVER, server));
    let named = named.into_iter().chain(server);
    named
        .map(|(name, value)| (name, HeaderValue::from_static(value)))
        .collect()
}

impl From<Reply> for Response<Full<Bytes>> {
    fn from(reply: Reply) -> Self {
        let mut response = Self::new(Full::new(reply.body));
        *response.status_mut() = reply.status;
        *response.headers_mut() = reply.kind.headers().clone();
        let headers = response.headers_mut();
        match reply.more {
            More::Nothing => None,
            More::Allow(methods) => headers.insert(ALLOW, HeaderValue::from_static(methods)),
            More::Ttl(seconds) => headers.insert(TTL, HeaderValue::from(seconds)),
            More::Close => headers.insert(CONNECTION, HeaderValue::from_static("close")),
        };
        response
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_a_reply_hands_out_is_not_shown() {
        let body = Bytes::from_static(b"canary-secret");
        let shown = format!("{:?}", Reply::new(StatusCode::OK, Kind::Json, body));
        assert_eq!(shown, "Reply(200 OK, Json, 13 bytes)");
    }

    #[test]
    fn no_reply_is_kept_by_a_cache() {
        let more = [
            More::Nothing,
            More::Allow("PUT"),
            More::Ttl(60),
            More::Close,
        ];
        for kind in [Kind::Json, Kind::Text, Kind::Page] {
            for more in more {
                let reply = Reply::new(StatusCode::OK, kind, Bytes::new()).with(more);
                let response = Response::from(reply);
                assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
                assert!(response.headers().contains_key(CONTENT_TYPE));
            }
        }
    }
}
