//! GetFederationToken (API_GetFederationToken, id_credentials_temp_control-access_getfederationtoken).

use super::authorize::Target;
use super::call::{Call, name_character, with_token_size};
use super::packed::token_bytes;
use super::principal::{FederatedSession, Who};
use super::refusal::Refusal;
use super::rules::Rule;
use super::state::Order;
use super::xml::Xml;
use super::{session_policy, tags};

const DEFAULT_DURATION: i64 = 43_200;
const ROOT_MAX: i64 = 3600;
const POLICY_MAX: usize = 2048;

pub(super) fn federation_token(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    call.required("Name")?;
    let name = call.form("Name", 2..=32, name_character, Rule::FederationName)?;
    let name = name.unwrap_or_default();
    let asked = call.duration(900..=129_600, Rule::FederationDuration)?;
    let tags = tags::tags(call.params, &call.state.world.without)?;
    permit(call, &name, &tags)?;
    let account = call.caller.who.account();
    let policies = session_policy::passed(call, &account, Some(POLICY_MAX))?;
    let packed = session_policy::packed(call, &policies, &tags)?;
    let token_bytes = session_policy::token_size(call, token_bytes(packed, &[], None))?;
    let percent_packed = session_policy::packed_percent(call, packed);
    let mut seconds = asked.unwrap_or(DEFAULT_DURATION);
    if call.caller.who.is_root(&call.state.world) && call.enforces(Rule::SessionTokenRootHour) {
        seconds = seconds.min(ROOT_MAX);
    }
    let user_arn = call.caller.who.arn();
    let who = Who::Federated(FederatedSession {
        user_arn,
        name,
        tags,
        policies,
    });
    let user = Xml::new()
        .leaf("FederatedUserId", who.user_id())
        .leaf("Arn", who.arn());
    let expires = call.now + seconds;
    let credentials = call.issue(
        Order {
            who,
            scopes: Vec::new(),
            expires,
            token_bytes,
        },
        percent_packed,
    );
    let answer = Xml::new()
        .node("Credentials", credentials)
        .node("FederatedUser", user)
        .leaf_if("PackedPolicySize", percent_packed.map(|p| p.to_string()));
    Ok(with_token_size(answer, token_bytes))
}

/// The user needs sts:GetFederationToken on the federated user, and sts:TagSession to pass tags.
fn permit(call: &Call<'_>, name: &str, tags: &[(String, String)]) -> Result<(), Refusal> {
    let arn = format!(
        "arn:aws:sts::{}:federated-user/{name}",
        call.caller.who.account()
    );
    let target = Target {
        arn: &arn,
        account: None,
        policy: None,
    };
    let mut context = call.context();
    for (key, value) in tags {
        context.set(&format!("aws:RequestTag/{key}"), value);
    }
    context.set_all("aws:TagKeys", tags.iter().map(|(key, _)| key.clone()));
    if call.enforces(Rule::FederationPermission) {
        call.permit("sts:GetFederationToken", target, &context)?;
    }
    if !tags.is_empty() && call.enforces(Rule::TagSessionPermission) {
        call.permit("sts:TagSession", target, &context)?;
    }
    Ok(())
}
