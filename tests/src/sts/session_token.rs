//! GetSessionToken (API_GetSessionToken). No permission is asked for: policies cannot control it
//! (id_credentials_temp_control-access_getsessiontoken).

use super::call::{Call, with_token_size};
use super::packed::token_bytes;
use super::principal::Who;
use super::refusal::Refusal;
use super::rules::Rule;
use super::state::Order;
use super::xml::Xml;
use super::{mfa, session_policy};

const DEFAULT_DURATION: i64 = 43_200;
const ROOT_MAX: i64 = 3600;

pub(super) fn session_token(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let asked = call.duration(900..=129_600, Rule::SessionTokenDuration)?;
    let mfa_at = mfa::verified(call)?;
    let mut seconds = asked.unwrap_or(DEFAULT_DURATION);
    if call.caller.who.is_root(&call.state.world) && call.enforces(Rule::SessionTokenRootHour) {
        seconds = seconds.min(ROOT_MAX);
    }
    let token_bytes = session_policy::token_size(call, token_bytes(0, &[], None))?;
    let who = Who::UserSession {
        arn: call.caller.who.arn(),
        mfa_at,
    };
    let expires = call.now + seconds;
    let credentials = call.issue(
        Order {
            who,
            scopes: Vec::new(),
            expires,
            token_bytes,
        },
        None,
    );
    Ok(with_token_size(
        Xml::new().node("Credentials", credentials),
        token_bytes,
    ))
}
