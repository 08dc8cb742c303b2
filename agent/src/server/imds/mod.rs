//! IMDSv2, as EC2 serves it: a token by PUT, then data by GET with it. One listener for each endpoint, at its root.
//!
//! Every request for data without a valid token gets a 401, so that clients fall back to nothing. Where the configuration
//! allows IMDSv1, one without any token is served, and on record as such. There is no channel to
//! a person here: what went wrong is in the journal and in the agent's log.

pub(super) mod token;
mod tree;

use std::sync::Arc;

use hyper::body::{Bytes, Incoming};
use hyper::header::{HeaderMap, HeaderName};
use hyper::{Method, Request, StatusCode};
use jumpgate_api::Interface;

use self::token::{TokenKey, Validity};
use self::tree::{Found, Instance, find};
use super::credentials::{self, Outgoing, may_pass};
use super::holder::Caller;
use super::listener::{Refusal, Site};
use super::reply::{Kind, More, Reply, TTL};
use super::stand::Stand;
use crate::broker::Broker;
use crate::domain::lease::WITHOUT_TOKEN;
use crate::domain::peer::Peer;
use crate::ports::Answer;

/// Where tokens are had.
const TOKEN_PATH: &str = "/latest/api/token";
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

/// What keeps a request out.
#[derive(Debug, Clone, Copy)]
enum Shut {
    /// An expired token, or a look whether tokens are needed: no refusal, since its client asks for another.
    AsUsual,
    /// What is on record.
    For(&'static str),
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
        text(token.into()).with(More::Ttl(ttl))
    }

    /// What lets the request in.
    fn entry(&self, headers: &HeaderMap) -> Result<Entry, Shut> {
        let mut given = headers.get_all(TOKEN).iter();
        let (token, more) = (given.next(), given.next());
        let validity = match (token, more) {
            (Some(token), None) => {
                let (endpoint, now) = (self.stand.token_name(), self.broker.running());
                self.key.validity(endpoint, now, token.as_bytes())
            }
            _ => Validity::Invalid,
        };
        match (validity, token) {
            (Validity::Valid, _) => Ok(Entry::Token),
            (Validity::Expired, _) => Err(Shut::AsUsual),
            (Validity::Invalid, Some(token)) if token.as_bytes() == PROBE => Err(Shut::AsUsual),
            (Validity::Invalid, Some(_)) => Err(Shut::For("the token does not open this endpoint")),
            (Validity::Invalid, None) if self.stand.allows_v1() => Ok(Entry::V1),
            (Validity::Invalid, None) => Err(Shut::For("the request has no token")),
        }
    }

    async fn data(&self, caller: &Caller, request: &Request<Incoming>) -> Reply {
        let entry = match self.entry(request.headers()) {
            Ok(entry) => entry,
            Err(shut) => {
                if let Shut::For(why) = shut {
                    self.turned_away(caller, why).await;
                }
                return page(StatusCode::UNAUTHORIZED);
            }
        };
        match self.found(request.uri().path()) {
            Found::Text(found) => text(found.into()),
            Found::Credentials => self.credentials(caller, entry).await,
            Found::Nothing => page(StatusCode::NOT_FOUND),
        }
    }

    fn found(&self, path: &str) -> Found {
        let profile = self.broker.profile_now(&self.stand.open);
        let instance = Instance::new(&profile, &self.stand.open.lease);
        find(path, &instance, || self.broker.now())
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
            (&(Method::GET | Method::HEAD), false) => self.data(caller, request).await,
            (_, for_token) => {
                let why = "the method is not answered here";
                self.turned_away(caller, why).await;
                let methods = if for_token { "PUT" } else { "GET, HEAD" };
                page(StatusCode::METHOD_NOT_ALLOWED).with(More::Allow(methods))
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

fn text(body: Bytes) -> Reply {
    Reply::new(StatusCode::OK, Kind::Text, body)
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
    Reply::new(status, Kind::Page, body.into())
}
