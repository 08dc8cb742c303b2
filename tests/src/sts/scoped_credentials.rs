//! GetScopedCredentials (API_GetScopedCredentials,
//! id_credentials_temp_control-access_getscopedcredentials): from temporary credentials others of the
//! same session, which may less or end sooner.
//!
//! undocumented: whether the caller needs a permission for the call. None is asked for, as with
//! GetSessionToken; a deny of `sts:GetScopedCredentials` in one of the caller's policies counts.

use super::authorize::{self, Target};
use super::call::{Call, with_token_size};
use super::packed::{packed_bytes, token_bytes};
use super::principal::{Caller, SessionPolicies, Who};
use super::refusal::Refusal;
use super::rules::Rule;
use super::session_policy;
use super::state::{Order, role_session};
use super::xml::Xml;

/// The global endpoint's name; its signatures name us-east-1, as those of that region's own do.
const GLOBAL: &str = "sts.amazonaws.com";

pub(super) fn scoped_credentials(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    check_caller(call)?;
    let asked = call.duration(1..=129_600, Rule::ScopedDuration)?;
    let expires = ends_at(call, asked)?;
    let policies = policy(call)?;
    let packed = session_policy::packed(call, &policies, &[])?;
    let scopes = scopes(call, policies);
    let carried = scopes.iter().map(|text| packed_bytes(&only(text), &[]));
    let needed = token_bytes(carried.sum(), &[], role_session(&call.caller.who));
    let token_bytes = session_policy::token_size(call, needed)?;
    let who = call.caller.who.clone();
    let session = Xml::new()
        .leaf("Arn", who.arn())
        // undocumented: its form; that it "identifies the same principal" (API_ScopedSession).
        .leaf("ScopedSessionId", who.user_id());
    let order = Order {
        who,
        scopes,
        expires,
        token_bytes,
    };
    let percent = session_policy::packed_percent(call, packed);
    let credentials = call.issue(order, percent);
    let answer = Xml::new()
        .node("Credentials", credentials)
        .node("ScopedSession", session);
    Ok(with_token_size(answer, token_bytes))
}

fn check_caller(call: &Call<'_>) -> Result<(), Refusal> {
    if call.origin.host == GLOBAL && call.enforces(Rule::ScopedRegional) {
        // undocumented: the code.
        let what = "GetScopedCredentials is not available on the global endpoint";
        return Err(Refusal::new(400, "InvalidAction", what));
    }
    let long_term = matches!(call.caller.who, Who::User { .. } | Who::Nobody);
    if long_term && call.enforces(Rule::ScopedCaller) {
        // undocumented: the code.
        return Err(Refusal::access_denied(
            "Cannot call GetScopedCredentials with long-term credentials",
        ));
    }
    let target = Target {
        arn: "*",
        account: None,
        policy: None,
    };
    let action = "sts:GetScopedCredentials";
    let (world, caller) = (&call.state.world, call.caller);
    let denied = authorize::denied(world, caller, action, target, &call.context());
    match denied && call.enforces(Rule::ScopedDeny) {
        true => Err(Refusal::not_authorized(&caller.who.arn(), action, "*")),
        false => Ok(()),
    }
}

/// The calling session's end, or sooner.
fn ends_at(call: &Call<'_>, asked: Option<i64>) -> Result<i64, Refusal> {
    let Some(end) = call.caller.expires else {
        return Ok(call.now + asked.unwrap_or(3600));
    };
    match asked.map(|seconds| call.now + seconds) {
        // undocumented: the code.
        Some(wanted) if wanted > end && call.enforces(Rule::ScopedRemainder) => {
            Err(Refusal::validation(
                "The requested DurationSeconds exceeds the remaining duration of the calling session.",
            ))
        }
        wanted => Ok(wanted.unwrap_or(end)),
    }
}

fn policy(call: &Call<'_>) -> Result<SessionPolicies, Refusal> {
    // undocumented: a length of its own.
    session_policy::passed(call, &call.caller.who.account(), None)
}

/// The policies of all calls so far: each narrows what the ones before left.
fn scopes(call: &Call<'_>, policies: SessionPolicies) -> Vec<String> {
    let Caller { scopes, .. } = call.caller;
    let earlier = match call.enforces(Rule::ScopedNested) {
        true => scopes.as_slice(),
        false => &[],
    };
    earlier.iter().cloned().chain(policies.inline).collect()
}

fn only(text: &str) -> SessionPolicies {
    SessionPolicies {
        inline: Some(text.to_owned()),
        arns: Vec::new(),
    }
}
