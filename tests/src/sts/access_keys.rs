//! IAM's calls about a user's access keys (API_CreateAccessKey, API_ListAccessKeys, API_UpdateAccessKey,
//! API_DeleteAccessKey, API_GetAccessKeyLastUsed). One endpoint for all regions; its signatures are for us-east-1.

use super::authorize::Target;
use super::bytes::{BASE32, random_text};
use super::call::{Call, name_character};
use super::clock;
use super::entities::{AccessKey, KEYS_MAX, User};
use super::principal::Who;
use super::query_api::{check_known, check_version, unknown_action};
use super::refusal::Refusal;
use super::rules::Rule;
use super::xml::Xml;

const VERSION: &str = "2010-05-08";

/// The region that IAM's signatures are for (AWS general reference, endpoints of IAM).
const REGION: &str = "us-east-1";

/// Answers the call.
pub(super) fn answered(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let action = call.params.text("Action").unwrap_or_default().to_owned();
    check_version(call, &action, VERSION)?;
    type Handler = fn(&mut Call<'_>) -> Result<Xml, Refusal>;
    let (handler, known): (Handler, &[&str]) = match action.as_str() {
        "CreateAccessKey" => (create, &["UserName"]),
        "ListAccessKeys" => (list, &["UserName", "Marker", "MaxItems"]),
        "UpdateAccessKey" => (update, &["UserName", "AccessKeyId", "Status"]),
        "DeleteAccessKey" => (delete, &["UserName", "AccessKeyId"]),
        "GetAccessKeyLastUsed" => (last_used, &["AccessKeyId"]),
        other => return Err(unknown_action(other, VERSION)),
    };
    if call.origin.region != REGION && call.enforces(Rule::IamRegion) {
        let message = format!(
            "Credential should be scoped to a valid region, not '{}'.",
            call.origin.region
        );
        return Err(Refusal::new(403, "SignatureDoesNotMatch", message));
    }
    check_reach(call)?;
    if call.enforces(Rule::KnownParameters) {
        check_known(call.params, known)?;
    }
    handler(call)
}

/// API_GetSessionToken: no IAM call without MFA; API_GetFederationToken: none at all.
fn check_reach(call: &Call<'_>) -> Result<(), Refusal> {
    let barred = matches!(
        call.caller.who,
        Who::UserSession { mfa_at: None, .. } | Who::Federated(_)
    );
    if barred && call.enforces(Rule::IamReach) {
        // undocumented: the code; it is what AWS answers.
        let message = "The security token included in the request is invalid";
        return Err(Refusal::new(403, "InvalidClientTokenId", message));
    }
    Ok(())
}

/// The ARN of the user that the call names, or that signs it.
fn user_named(call: &Call<'_>) -> Result<String, Refusal> {
    let name = call.form("UserName", 1..=128, name_character, Rule::IamUserName)?;
    let who = &call.caller.who;
    let Some(name) = name else {
        let long_term = matches!(who, Who::User { .. });
        return match long_term || !call.enforces(Rule::IamUserNamed) {
            true => Ok(who.arn()),
            false => Err(Refusal::validation(
                "Must specify userName when calling with non-User credentials",
            )),
        };
    };
    let users = call.state.world.users.iter();
    let account = who.account();
    let found = users
        .filter(|user| user.account == account && !user.root)
        .find(|user| user.name == name);
    found
        .map(User::arn)
        .ok_or_else(|| no_such_entity(format!("The user with name {name} cannot be found.")))
}

/// The user, if the caller may do this to it.
fn permitted(call: &Call<'_>) -> Result<String, Refusal> {
    let arn = user_named(call)?;
    permit(call, &arn)?;
    Ok(arn)
}

/// Service authorization reference, list_awsidentityandaccessmanagementiam: the resource is the user.
fn permit(call: &Call<'_>, arn: &str) -> Result<(), Refusal> {
    if !call.enforces(Rule::IamPermission) {
        return Ok(());
    }
    let action = format!("iam:{}", call.params.text("Action").unwrap_or_default());
    let target = Target {
        arn,
        account: None,
        policy: None,
    };
    call.permit(&action, target, &call.context())
}

fn keys<'c>(call: &'c mut Call<'_>, arn: &str) -> &'c mut Vec<AccessKey> {
    let mut users = call.state.world.users.iter_mut();
    &mut users
        .find(|user| user.arn() == arn)
        .expect("found before")
        .keys
}

/// API_CreateAccessKey: a new key is active; errors 409 LimitExceeded, 404 NoSuchEntity.
fn create(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let arn = permitted(call)?;
    let quota = call.enforces(Rule::AccessKeyQuota);
    if keys(call, &arn).len() >= KEYS_MAX && quota {
        let message = format!("Cannot exceed quota for AccessKeysPerUser: {KEYS_MAX}");
        return Err(Refusal::new(409, "LimitExceeded", message));
    }
    let key = AccessKey {
        id: format!("AKIA{}", random_text(BASE32, 16)),
        secret: call.state.marked(40),
        active: true,
        created: call.now,
    };
    let delay = call.state.propagation;
    call.state.unknown_yet.insert(key.id.clone(), delay);
    let xml = metadata(&key, &arn).leaf("SecretAccessKey", &key.secret);
    keys(call, &arn).push(key);
    Ok(Xml::new().node("AccessKey", xml))
}

fn metadata(key: &AccessKey, arn: &str) -> Xml {
    let status = if key.active { "Active" } else { "Inactive" };
    Xml::new()
        .leaf("UserName", arn.rsplit('/').next().unwrap_or_default())
        .leaf("AccessKeyId", &key.id)
        .leaf("Status", status)
        .leaf("CreateDate", clock::rfc3339(key.created))
}

fn list(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let arn = permitted(call)?;
    let members = keys(call, &arn).iter().fold(Xml::new(), |list, key| {
        list.node("member", metadata(key, &arn))
    });
    Ok(Xml::new()
        .leaf("IsTruncated", "false")
        .node("AccessKeyMetadata", members))
}

fn update(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    call.required("AccessKeyId")?;
    call.required("Status")?;
    let arn = permitted(call)?;
    let id = key_id(call);
    let active = match call.params.text("Status") {
        Some("Active") => true,
        Some("Inactive") => false,
        other if call.enforces(Rule::AccessKeyStatus) => {
            let wanted = "Member must satisfy enum value set: [Active, Inactive]";
            return Err(Refusal::constraint(
                "status",
                other.unwrap_or_default(),
                wanted,
            ));
        }
        _ => true,
    };
    let mut all = keys(call, &arn).iter_mut();
    let key = all
        .find(|key| key.id == id)
        .ok_or_else(|| no_such_key(&id))?;
    key.active = active;
    Ok(Xml::new())
}

fn delete(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    call.required("AccessKeyId")?;
    let arn = permitted(call)?;
    let id = key_id(call);
    let all = keys(call, &arn);
    let at = all.iter().position(|key| key.id == id);
    let key = all.remove(at.ok_or_else(|| no_such_key(&id))?);
    call.state.deleted.push(key.secret);
    Ok(Xml::new())
}

/// API_AccessKeyLastUsed: no date for a key that was never used.
fn last_used(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    call.required("AccessKeyId")?;
    let id = key_id(call);
    let users = &call.state.world.users;
    let owner = users
        .iter()
        .find(|user| user.keys.iter().any(|key| key.id == id));
    let owner = owner.ok_or_else(|| no_such_key(&id))?;
    permit(call, &owner.arn())?;
    let used = call.state.last_used.get(&id);
    let facts = Xml::new()
        .leaf_if("LastUsedDate", used.map(|at| clock::rfc3339(*at)))
        .leaf("ServiceName", used.map_or("N/A", |_| "sts"))
        .leaf("Region", used.map_or("N/A", |_| REGION));
    Ok(Xml::new()
        .leaf("UserName", &owner.name)
        .node("AccessKeyLastUsed", facts))
}

fn key_id(call: &Call<'_>) -> String {
    call.params
        .text("AccessKeyId")
        .unwrap_or_default()
        .to_owned()
}

fn no_such_key(id: &str) -> Refusal {
    no_such_entity(format!("The Access Key with id {id} cannot be found."))
}

fn no_such_entity(message: String) -> Refusal {
    Refusal::new(404, "NoSuchEntity", message)
}
