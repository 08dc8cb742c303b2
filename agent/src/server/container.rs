//! Container credentials, as the ECS agent serves them: `GET /v1/LEASE` with the lease's token.
//!
//! One listener serves all leases; the path says which, the token opens it. A standing endpoint has a listener and a path
//! of its own, `/v1/NAME`, which stay when the lease changes. A lease that is unknown and a token that is
//! wrong get the same answer, so that nobody learns which leases there are.

use std::sync::Arc;

use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, HeaderMap};
use hyper::{Method, Request, StatusCode};
use jumpgate_api::{Code, Interface, Problem};
use serde::Serialize;

use super::credentials::{self, Outgoing, may_pass};
use super::guard::is_token;
use super::holder::Caller;
use super::listener::{Refusal, Site};
use super::problem::problem;
use super::reply::{Kind, More, Reply};
use super::stand::{Stand, Stands};
use crate::broker::Broker;
use crate::domain::name::LeaseId;
use crate::domain::peer::Peer;
use crate::ports::Answer;

/// The path before the lease.
pub(super) const PREFIX: &str = "/v1/";

/// The listener's site.
pub(super) struct Container {
    pub(super) broker: Arc<Broker>,
    pub(super) paths: Paths,
}

/// Which path leads to which endpoint.
pub(super) enum Paths {
    /// Each lease's id to its own.
    Leases(Arc<Stands>),
    /// One name to one.
    One(String, Arc<Stand>),
}

impl Paths {
    fn find(&self, last: &str) -> Option<Arc<Stand>> {
        match self {
            Self::Leases(stands) => stands.find(&LeaseId::parse(last).ok()?),
            Self::One(name, stand) => (name == last).then(|| Arc::clone(stand)),
        }
    }
}

/// An error in both spellings that SDKs read: Go and Java the small one, JS and .NET the other.
#[derive(Serialize)]
struct Body<'a> {
    code: &'a str,
    message: &'a str,
    #[serde(rename = "Code")]
    code_again: &'a str,
    #[serde(rename = "Message")]
    message_again: &'a str,
}

impl Site for Container {
    const AT_AWS: &'static str = "169.254.170.2";

    fn answer<'a>(
        &'a self,
        caller: &'a Caller,
        request: &'a Request<Incoming>,
    ) -> Answer<'a, Reply> {
        Box::pin(async move {
            let lease = request.uri().path().strip_prefix(PREFIX);
            let Some(lease) = lease.filter(|lease| !lease.is_empty() && !lease.contains('/'))
            else {
                let why = "nothing is served here";
                self.turned_away(caller, why).await;
                return refusal(StatusCode::NOT_FOUND, Code::NotFound, why);
            };
            if !matches!(*request.method(), Method::GET | Method::HEAD) {
                let why = "only GET and HEAD are answered here";
                self.turned_away(caller, why).await;
                let refused = refusal(StatusCode::METHOD_NOT_ALLOWED, Code::InvalidRequest, why);
                return refused.with(More::Allow("GET, HEAD"));
            }
            let stand = self.paths.find(lease);
            match &stand {
                Some(stand) if opens(stand, request.headers()) => self.serve(stand, caller).await,
                _ => {
                    let given = request.headers().contains_key(AUTHORIZATION);
                    Box::pin(self.shut_out(stand.as_deref(), caller, given)).await
                }
            }
        })
    }

    fn refuse(&self, refused: &Refusal) -> Reply {
        let (status, code) = match refused {
            Refusal::Foreign(_) | Refusal::Stranger(_) => {
                (StatusCode::FORBIDDEN, Code::AccessDenied)
            }
            Refusal::Body => (StatusCode::PAYLOAD_TOO_LARGE, Code::InvalidRequest),
            Refusal::Malformed => (StatusCode::BAD_REQUEST, Code::InvalidRequest),
            Refusal::Crowd => (StatusCode::SERVICE_UNAVAILABLE, Code::Busy),
            Refusal::Late => (StatusCode::SERVICE_UNAVAILABLE, Code::UpstreamTimedOut),
        };
        refusal(status, code, &refused.to_string())
    }

    fn note(&self, peer: Peer, why: String) -> Answer<'_, ()> {
        let noted = self
            .broker
            .note_refused(Interface::Container, None, peer, why);
        Box::pin(noted)
    }
}

impl Container {
    async fn serve(&self, stand: &Stand, caller: &Caller) -> Reply {
        let handed = stand.hand_out(&self.broker, caller, None, credentials::container);
        match handed.await {
            Ok(body) => Reply::new(StatusCode::OK, Kind::Json, Outgoing(body).into()),
            Err(failure) => unserved(&problem(&failure)),
        }
    }

    /// No token or a wrong one. JS asks once more without one after a refusal: that is no second refusal.
    async fn shut_out(&self, stand: Option<&Stand>, caller: &Caller, given: bool) -> Reply {
        let peer = caller.peer().await;
        let again = stand.filter(|_| !given);
        let again = again.and_then(|stand| Some((stand, stand.refused_lately(peer.pid)?)));
        if let Some((stand, failure)) = again {
            self.broker.note_again(&stand.open, peer, &failure).await;
        } else {
            let why = match given {
                true => "the token does not open this endpoint",
                false => "the request has no token",
            };
            let endpoint = stand.map(|stand| stand.open.as_ref());
            let (peer, why) = (peer.clone(), why.to_owned());
            self.broker
                .note_refused(Interface::Container, endpoint, peer, why)
                .await;
            caller.refused().await;
        }
        refusal(
            StatusCode::FORBIDDEN,
            Code::AccessDenied,
            "no token or a wrong one, or the endpoint was closed; open it again: jumpgate exec, or jumpgate endpoint",
        )
    }
}

/// Whether the head has one token, and the right one.
fn opens(stand: &Stand, headers: &HeaderMap) -> bool {
    let mut given = headers.get_all(AUTHORIZATION).iter();
    let (Some(first), None, Some(token)) = (given.next(), given.next(), &stand.token) else {
        return false;
    };
    is_token(first.as_bytes(), token.expose().as_bytes())
}

/// What a person should read: botocore prints it.
fn unserved(problem: &Problem) -> Reply {
    let status = if may_pass(problem.code) {
        StatusCode::SERVICE_UNAVAILABLE
    } else {
        StatusCode::FORBIDDEN
    };
    let message = match &problem.hint {
        Some(hint) => format!("jumpgate: {}; {hint}", problem.message),
        None => format!("jumpgate: {}", problem.message),
    };
    refusal(status, problem.code, &message)
}

fn refusal(status: StatusCode, code: Code, message: &str) -> Reply {
    let body = Body {
        code: code.as_str(),
        message,
        code_again: code.as_str(),
        message_again: message,
    };
    let body = serde_json::to_vec(&body).unwrap_or_default();
    Reply::new(status, Kind::Json, body.into())
}
