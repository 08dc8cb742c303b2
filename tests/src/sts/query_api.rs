//! STS's Query API: which action, may this kind of credentials call it, are the parameters known.

use super::assume_role::assume_role;
use super::call::Call;
use super::federation_token::federation_token;
use super::http::Request;
use super::identity::{access_key_info, caller_identity};
use super::principal::Who;
use super::query::{Params, pairs};
use super::refusal::Refusal;
use super::rules::Rule;
use super::scoped_credentials::scoped_credentials;
use super::services;
use super::session_token::session_token;
use super::xml::Xml;

const VERSION: &str = "2011-06-15";
const POLICIES: &[&str] = &["Policy", "PolicyArns", "Tags", "MinimumSessionTokenSize"];

/// Whether a request is for STS: signed for it, or without a hint of S3.
pub(super) fn is_sts(request: &Request, signed_for: Option<&str>) -> bool {
    match signed_for {
        Some(service) => service != "s3" && services::known(service).is_none(),
        None => request.path == "/" && (request.method == "POST" || has_action(request)),
    }
}

fn has_action(request: &Request) -> bool {
    pairs(&request.query, true)
        .iter()
        .any(|(name, _)| name == "Action")
}

/// Parameters of the form, or of the query string of a GET.
pub(super) fn params(request: &Request) -> Params {
    let body = String::from_utf8_lossy(&request.body);
    let mut all = pairs(&request.query, true);
    all.extend(pairs(&body, true));
    Params::from_pairs(all)
}

/// Answers the call.
pub(super) fn answered(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let action = call.params.text("Action");
    let action = action.ok_or_else(|| Refusal::new(400, "MissingAction", "No Action was given"))?;
    check_version(call, action, VERSION)?;
    type Handler = fn(&mut Call<'_>) -> Result<Xml, Refusal>;
    let (handler, known): (Handler, Vec<&str>) = match action {
        "AssumeRole" => (assume_role, [ASSUME_ROLE, POLICIES].concat()),
        "GetSessionToken" => (session_token, SESSION_TOKEN.to_vec()),
        "GetFederationToken" => (
            federation_token,
            [&["Name", "DurationSeconds"], POLICIES].concat(),
        ),
        "GetScopedCredentials" => (scoped_credentials, SCOPED_CREDENTIALS.to_vec()),
        "GetCallerIdentity" => (caller_identity, Vec::new()),
        "GetAccessKeyInfo" => (access_key_info, vec!["AccessKeyId"]),
        other => return Err(unknown_action(other, VERSION)),
    };
    check_reach(call, action)?;
    if call.enforces(Rule::KnownParameters) {
        check_known(call.params, &known)?;
    }
    handler(call)
}

const ASSUME_ROLE: &[&str] = &[
    "RoleArn",
    "RoleSessionName",
    "DurationSeconds",
    "TransitiveTagKeys",
    "ExternalId",
    "SerialNumber",
    "TokenCode",
    "SourceIdentity",
];

const SESSION_TOKEN: &[&str] = &[
    "DurationSeconds",
    "SerialNumber",
    "TokenCode",
    "MinimumSessionTokenSize",
];

const SCOPED_CREDENTIALS: &[&str] = &["DurationSeconds", "Policy", "MinimumSessionTokenSize"];

pub(super) fn check_version(call: &Call<'_>, action: &str, wanted: &str) -> Result<(), Refusal> {
    let version = call.params.text("Version");
    if version != Some(wanted) && call.enforces(Rule::ApiVersion) {
        let version = version.unwrap_or("NO_VERSION_SPECIFIED");
        return Err(unknown_action(action, version));
    }
    Ok(())
}

pub(super) fn unknown_action(action: &str, version: &str) -> Refusal {
    let message = format!("Could not find operation {action} for version {version}");
    Refusal::new(400, "InvalidAction", message)
}

/// What each kind of credentials may call in STS: id_credentials_temp_request, table "Comparing your
/// API options".
fn check_reach(call: &Call<'_>, action: &str) -> Result<(), Refusal> {
    let who = &call.caller.who;
    let rule = match (who, action) {
        (_, "GetCallerIdentity" | "GetScopedCredentials") | (Who::Nobody | Who::User { .. }, _) => {
            return Ok(());
        }
        (Who::UserSession { .. }, "AssumeRole") => return Ok(()),
        (Who::UserSession { .. }, "GetSessionToken") => Rule::SessionTokenCaller,
        (Who::UserSession { .. }, "GetFederationToken") => Rule::FederationCaller,
        (Who::UserSession { .. }, _) => Rule::SessionTokenReach,
        (Who::RoleSession(_), "GetSessionToken" | "GetFederationToken") => Rule::RoleSessionReach,
        (Who::RoleSession(_), _) => return Ok(()),
        (Who::Federated(_), _) => Rule::FederationReach,
    };
    match call.enforces(rule) {
        true => Err(Refusal::access_denied(format!(
            "Cannot call {action} with session credentials ({})",
            who.arn()
        ))),
        false => Ok(()),
    }
}

pub(super) fn check_known(params: &Params, known: &[&str]) -> Result<(), Refusal> {
    let own = |name: &str| matches!(name, "Action" | "Version") || name.starts_with("X-Amz-");
    let listed = |name: &str| {
        known.iter().any(|k| {
            name.strip_prefix(k)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(".member."))
        })
    };
    let unknown = params.all().keys().find(|name| !own(name) && !listed(name));
    match params.repeated().or(unknown.map(String::as_str)) {
        Some(name) => Err(Refusal::new(
            400,
            "InvalidQueryParameter",
            format!("The parameter {name} is unknown to this action or given twice"),
        )),
        None => Ok(()),
    }
}
