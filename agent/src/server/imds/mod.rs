//! IMDSv2, as EC2 serves it: a token by PUT, then data by GET with it. One listener for each endpoint, at its root.
//!
//! Every request for data without a valid token gets a 401, so that clients fall back to nothing. Where the configuration
//! allows IMDSv1, one without any token is served, and on record as such. There is no channel to
//! a person here: what went wrong is in the journal and in the agent's log.

pub(super) mod token;
mod tree;

use std::sync::Arc;

use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, SERVER};
use hyper::{Method, Request, Response, StatusCode};
use jumpgate_api::Interface;

use self::token::{TokenKey, Validity};
use self::tree::{Found, Instance, find};
use super::credentials::{self, Outgoing, may_pass};
use super::holder::Caller;
use super::listener::{Refusal, Reply, Site};
use super::stand::Stand;
use crate::broker::Broker;
use crate::domain::lease::WITHOUT_TOKEN;
use crate::domain::peer::Peer;
use crate::ports::Answer;

/// Where tokens are had.
const TOKEN_PATH: &str = "/latest/api/token";
/// How long a token shall live, in seconds; in the answer, how long it does (Go, Ruby and Rust read it).
const TTL: HeaderName = HeaderName::from_static("x-aws-ec2-metadata-token-ttl-seconds");
/// The token.
const TOKEN: HeaderName = HeaderName::from_static("x-aws-ec2-metadata-token");
/// What fluent-bit asks with to see whether tokens are needed here.
const PROBE: &[u8] = b"INVALID";

/// What lets a request in.
#[derive(Debug, Clone, Copy)]
enum Entry {
    /// A valid token.
    Token,
    /// The configuration: IMDSv1 asks for none.
    V1,
}

impl Entry {
    /// What the journal says of it.
    const fn note(self) -> Option<&'static str> {
        match self {
            Self::Token => None,
            Self::V1 => Some(WITHOUT_TOKEN),
        }
    }
}

/// The site of one endpoint.
pub(super) struct Imds {
    broker: Arc<Broker>,
    key: Arc<TokenKey>,
    stand: Arc<Stand>,
}

impl Imds {
    pub(super) const fn new(broker: Arc<Broker>, key: Arc<TokenKey>, stand: Arc<Stand>) -> Self {
        Self { broker, key, stand }
    }

    async fn token(&self, caller: &Caller, headers: &HeaderMap) -> Reply {
        let Some(ttl) = ttl(headers) else {
            let why = "a token's life is 1 to 21600 seconds";
            self.turned_away(caller, why).await;
            return page(StatusCode::BAD_REQUEST);
        };
        let token = self
            .key
            .issue(self.stand.token_name(), self.broker.running(), ttl);
        let mut reply = text(token.into());
        reply.headers_mut().insert(TTL, HeaderValue::from(ttl));
        reply
    }

    /// What lets the request in. What an expired token gets is no refusal: its client asks for another.
    async fn entry(&self, caller: &Caller, headers: &HeaderMap) -> Option<Entry> {
        let mut given = headers.get_all(TOKEN).iter();
        let (token, more) = (given.next(), given.next());
        let validity = match (token, more) {
            (Some(token), None) => {
                let (endpoint, now) = (self.stand.token_name(), self.broker.running());
                self.key.validity(endpoint, now, token.as_bytes())
            }
            _ => Validity::Invalid,
        };
        let why = match (validity, token) {
            (Validity::Valid, _) => return Some(Entry::Token),
            (Validity::Expired, _) => return None,
            (Validity::Invalid, Some(token)) if token.as_bytes() == PROBE => return None,
            (Validity::Invalid, Some(_)) => "the token does not open this endpoint",
            (Validity::Invalid, None) if self.stand.allows_v1() => return Some(Entry::V1),
            (Validity::Invalid, None) => "the request has no token",
        };
        self.turned_away(caller, why).await;
        None
    }

    async fn data(&self, caller: &Caller, path: &str, entry: Entry) -> Reply {
        let profile = self.broker.profile_now(&self.stand.open);
        let instance = Instance::new(&profile, &self.stand.open.lease);
        match find(path, &instance, || self.broker.now()) {
            Found::Text(found) => text(found.into()),
            Found::Credentials => self.credentials(caller, entry).await,
            Found::Nothing => page(StatusCode::NOT_FOUND),
        }
    }

    async fn credentials(&self, caller: &Caller, entry: Entry) -> Reply {
        let handed = self
            .stand
            .hand_out(&self.broker, caller, entry.note(), credentials::imds)
            .await;
        match handed {
            Ok(body) => text(Outgoing(body).into()),
            Err(failure) => {
                let profile = &self.stand.open.ask.profile;
                tracing::warn!(%profile, code = %failure.code(), "{failure}");
                page(match may_pass(failure.code()) {
                    true => StatusCode::SERVICE_UNAVAILABLE,
                    false => StatusCode::NOT_FOUND,
                })
            }
        }
    }

    async fn respond(&self, caller: &Caller, request: &Request<Incoming>) -> Reply {
        let path = request.uri().path();
        let for_token = path.trim_end_matches('/') == TOKEN_PATH;
        match (request.method(), for_token) {
            (&Method::PUT, true) => self.token(caller, request.headers()).await,
            (&(Method::GET | Method::HEAD), false) => {
                match self.entry(caller, request.headers()).await {
                    Some(entry) => self.data(caller, path, entry).await,
                    None => page(StatusCode::UNAUTHORIZED),
                }
            }
            (_, for_token) => {
                let why = "the method is not answered here";
                self.turned_away(caller, why).await;
                not_allowed(if for_token { "PUT" } else { "GET, HEAD" })
            }
        }
    }
}

impl Site for Imds {
    const AT_AWS: &'static str = "169.254.169.254";

    fn answer<'a>(
        &'a self,
        caller: &'a Caller,
        request: &'a Request<Incoming>,
    ) -> Answer<'a, Reply> {
        Box::pin(self.respond(caller, request))
    }

    fn refuse(&self, refused: &Refusal) -> Reply {
        page(match refused {
            Refusal::Foreign(_) | Refusal::Stranger(_) => StatusCode::FORBIDDEN,
            Refusal::Body => StatusCode::PAYLOAD_TOO_LARGE,
            Refusal::Malformed => StatusCode::BAD_REQUEST,
            Refusal::Late | Refusal::Crowd => StatusCode::SERVICE_UNAVAILABLE,
        })
    }

    fn note(&self, peer: Peer, why: String) -> Answer<'_, ()> {
        let endpoint = Some(self.stand.open.as_ref());
        let noted = self
            .broker
            .note_refused(Interface::Imds, endpoint, peer, why);
        Box::pin(noted)
    }
}

/// 1 to 21,600 seconds, in digits, once (EC2 user guide, "Use IMDSv2").
fn ttl(headers: &HeaderMap) -> Option<u32> {
    let mut given = headers.get_all(TTL).iter();
    let (Some(ttl), None) = (given.next(), given.next()) else {
        return None;
    };
    let ttl = ttl.to_str().ok()?;
    let digits = ttl.bytes().all(|byte| byte.is_ascii_digit());
    let ttl: u32 = ttl.parse().ok().filter(|_| digits)?;
    (1..=token::MAX_TTL).contains(&ttl).then_some(ttl)
}

fn not_allowed(methods: &'static str) -> Reply {
    let mut reply = page(StatusCode::METHOD_NOT_ALLOWED);
    let methods = HeaderValue::from_static(methods);
    reply.headers_mut().insert(ALLOW, methods);
    reply
}

fn text(body: Bytes) -> Reply {
    let mut reply = Response::new(body.into());
    set_headers(&mut reply, "text/plain");
    reply
}

/// A page that no client reads.
fn page(status: StatusCode) -> Reply {
    let (code, name) = (
        status.as_u16(),
        status.canonical_reason().unwrap_or_default(),
    );
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <html xmlns=\"http://www.w3.org/1999/xhtml\"><head><title>{code} - {name}</title></head>\
         <body><h1>{code} - {name}</h1></body></html>\n"
    );
    let mut reply = Response::new(Bytes::from(body).into());
    *reply.status_mut() = status;
    set_headers(&mut reply, "text/html");
    reply
}

fn set_headers(reply: &mut Reply, kind: &'static str) {
    let headers = reply.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(SERVER, HeaderValue::from_static("EC2ws"));
}
