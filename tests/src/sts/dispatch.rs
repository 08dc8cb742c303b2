//! From a request to what goes over the wire: service, fault, answer, record.

use super::authenticate::{AuthFault, Passport, passport};
use super::bytes::request_id;
use super::call::{Call, Origin, Twist};
use super::clock;
use super::faults::Fault;
use super::http::{Reply, Request};
use super::query::Params;
use super::record::{Event, recorded};
use super::refusal::Refusal;
use super::s3::Operation;
use super::sigv4::Signed;
use super::state::State;
use super::xml::{self, Xml};
use super::{access_keys, query_api, s3, services};

/// A request, and what can be said of it before it is authenticated.
pub(super) struct Incoming {
    pub(super) request: Request,
    service: &'static str,
    /// The action, by which faults and counts know it.
    pub(super) action: String,
    params: Params,
    operation: Operation,
    origin: Origin,
    access_key_id: Option<String>,
}

impl Incoming {
    pub(super) fn of(request: Request) -> Incoming {
        let scope = Signed::of(&request)
            .ok()
            .flatten()
            .map(|signed| signed.scope);
        let iam = scope.as_ref().is_some_and(|s| s.service == "iam");
        let sts = query_api::is_sts(&request, scope.as_ref().map(|s| s.service.as_str()));
        let operation = Operation::of(&request);
        let params = if sts {
            query_api::params(&request)
        } else {
            Params::default()
        };
        let json = scope.as_ref().and_then(|s| services::known(&s.service));
        let service = json.unwrap_or(match (iam, sts) {
            (true, _) => "iam",
            (false, true) => "sts",
            (false, false) => "s3",
        });
        let action = match service {
            "sts" | "iam" => params.text("Action").unwrap_or("").to_owned(),
            "s3" => operation.name.to_owned(),
            _ => services::operation(&request),
        };
        let origin = Origin {
            source_ip: request.source_ip.clone(),
            user_agent: request.header("user-agent").unwrap_or("").to_owned(),
            region: scope.as_ref().map(|s| s.region.clone()).unwrap_or_default(),
            host: host_name(&request),
        };
        let access_key_id = scope.map(|s| s.key_id);
        Incoming {
            request,
            service,
            action,
            params,
            operation,
            origin,
            access_key_id,
        }
    }

    fn event(&self, state: &State, now: i64) -> Event {
        let mut parameters = recorded(&self.params, &state.world.without);
        if services::known(self.service).is_some() {
            parameters = services::recorded(&self.request).into_iter().collect();
        }
        if self.service == "s3" {
            parameters = recorded(&self.operation.params, &state.world.without);
            parameters.insert("bucketName".to_owned(), self.operation.bucket.clone());
            parameters.insert("key".to_owned(), self.operation.key.clone());
        }
        Event {
            time: now,
            service: self.service.to_owned(),
            action: self.action.clone(),
            region: self.origin.region.clone(),
            access_key_id: self.access_key_id.clone(),
            parameters,
            request_id: request_id(),
            user_agent: self.origin.user_agent.clone(),
            ..Event::default()
        }
    }
}

fn host_name(request: &Request) -> String {
    let host = request.header("host").unwrap_or("");
    host.split(':').next().unwrap_or("").to_owned()
}

/// Records a call that gets no answer at all.
pub(super) fn unanswered(state: &mut State, incoming: &Incoming, fault: &Fault) {
    let now = state.now();
    let fault = Some(fault.name());
    let event = Event {
        fault,
        ..incoming.event(state, now)
    };
    state.events.push(event);
}

/// Answers a call under a fault, and records it.
pub(super) fn answered(state: &mut State, incoming: &Incoming, fault: Option<&Fault>) -> Reply {
    let skew = match fault {
        Some(Fault::WrongClock(seconds)) => *seconds,
        _ => 0,
    };
    let now = state.now() + skew;
    let mut event = incoming.event(state, now);
    event.fault = fault.map(Fault::name);
    let result = match fault.and_then(Fault::refusal) {
        Some(refusal) => Err(refusal),
        None => carried_out(state, incoming, fault, now, &mut event),
    };
    if let Err(refusal) = &result {
        event.error_code = Some(refusal.code.clone());
        event.error_message = Some(refusal.message.clone());
    }
    let reply = result.unwrap_or_else(|refusal| refused(incoming, &refusal, &event.request_id));
    let reply = spoiled(reply, fault)
        .with("x-amzn-RequestId", &event.request_id)
        .with("Date", clock::http_date(now));
    let reply = match incoming.service {
        "s3" => reply.with("x-amz-request-id", &event.request_id),
        _ => reply,
    };
    event.status = reply.status;
    state.events.push(event);
    reply
}

fn carried_out(
    state: &mut State,
    incoming: &Incoming,
    fault: Option<&Fault>,
    now: i64,
    event: &mut Event,
) -> Result<Reply, Refusal> {
    let request = &incoming.request;
    let key = incoming.access_key_id.as_deref();
    if incoming.service == "sts" && key.is_some_and(|key| state.is_unknown_yet(key)) {
        return Err(AuthFault::UnknownKey.for_sts());
    }
    let passport =
        passport(state, request, incoming.service, now).map_err(|fault| {
            match incoming.service {
                "s3" => fault.for_s3(),
                _ => fault.for_sts(),
            }
        })?;
    event.caller_arn = Some(passport.caller.who.arn());
    let signer = &passport.caller.access_key_id;
    state.last_used.insert(signer.clone(), now);
    match incoming.service {
        "sts" | "iam" => query_answer(state, incoming, &passport, fault, now, event),
        "s3" => {
            let (operation, origin) = (&incoming.operation, &incoming.origin);
            s3::answered(state, &passport, operation, request, origin, now)
        }
        service => {
            let ask = services::Ask {
                service,
                operation: &incoming.action,
                request,
                origin: &incoming.origin,
                now,
            };
            services::answered(state, &passport, &ask)
        }
    }
}

fn query_answer(
    state: &mut State,
    incoming: &Incoming,
    passport: &Passport,
    fault: Option<&Fault>,
    now: i64,
    event: &mut Event,
) -> Result<Reply, Refusal> {
    let twist = Twist {
        already_expired: fault == Some(&Fault::AlreadyExpired),
        other_role: fault == Some(&Fault::OtherRole),
    };
    let mut call = Call {
        state,
        caller: &passport.caller,
        params: &incoming.params,
        origin: &incoming.origin,
        now,
        twist,
        issued: None,
    };
    let result: Xml = match incoming.service {
        "iam" => access_keys::answered(&mut call)?,
        _ => query_api::answered(&mut call)?,
    };
    event.issued = call.issued;
    let body = xml::query_response(
        incoming.service,
        &incoming.action,
        result,
        &event.request_id,
    );
    Ok(Reply::new(200, "text/xml", body))
}

fn refused(incoming: &Incoming, refusal: &Refusal, request_id: &str) -> Reply {
    match incoming.service {
        "s3" => {}
        "sts" | "iam" => {
            let body = xml::query_error(incoming.service, refusal, request_id);
            return Reply::new(refusal.status, "text/xml", body);
        }
        _ => return services::refused(refusal),
    }
    let body = match &*incoming.request.method {
        "HEAD" => String::new(),
        _ => xml::s3_error(refusal, &incoming.request.path, request_id),
    };
    Reply::new(refusal.status, "application/xml", body)
}

/// The reply with its body spoiled, where the fault says so.
fn spoiled(mut reply: Reply, fault: Option<&Fault>) -> Reply {
    match fault {
        Some(Fault::MalformedXml) => {
            let half = reply.body.len() / 2;
            reply.body.truncate(half);
            reply.body.extend_from_slice(b"<<&");
        }
        Some(Fault::TruncatedBody) => {
            let whole = reply.body.len();
            reply.body.truncate(whole / 2);
            reply = reply.with("Content-Length", whole.to_string());
        }
        Some(Fault::Oversized(bytes)) => {
            reply.body.extend_from_slice(b"<!--");
            reply.body.extend(std::iter::repeat_n(b'x', *bytes));
            reply.body.extend_from_slice(b"-->");
        }
        _ => {}
    }
    reply
}
