//! GetCallerIdentity and GetAccessKeyInfo.

use super::authorize::Target;
use super::call::Call;
use super::refusal::Refusal;
use super::rules::Rule;
use super::xml::Xml;

/// API_GetCallerIdentity: no permission is needed, and a deny changes nothing.
pub(super) fn caller_identity(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    if !call.enforces(Rule::CallerIdentityFree) {
        let target = Target {
            arn: "*",
            account: None,
            policy: None,
        };
        call.permit("sts:GetCallerIdentity", target, &call.context())?;
    }
    let who = &call.caller.who;
    Ok(Xml::new()
        .leaf("Arn", who.arn())
        .leaf("UserId", who.user_id())
        .leaf("Account", who.account()))
}

/// API_GetAccessKeyInfo: the account of a key, whatever the key's state.
pub(super) fn access_key_info(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    call.required("AccessKeyId")?;
    if call.enforces(Rule::AccessKeyInfoPermission) {
        let target = Target {
            arn: "*",
            account: None,
            policy: None,
        };
        call.permit("sts:GetAccessKeyInfo", target, &call.context())?;
    }
    let id = call.params.text("AccessKeyId").unwrap_or_default();
    match call.state.key(id) {
        Some(key) => Ok(Xml::new().leaf("Account", key.caller.who.account())),
        // undocumented: code and message ("might return an error that the key doesn't exist").
        None if call.enforces(Rule::AccessKeyInfoKnown) => Err(Refusal::validation(format!(
            "The access key {id} does not exist."
        ))),
        None => Ok(Xml::new().leaf("Account", "000000000000")),
    }
}
