//! Session policies as they are passed: `Policy` and `PolicyArns` (API_AssumeRole,
//! API_GetFederationToken), and what they and the tags add up to.

use super::call::Call;
use super::packed::{PACKED_MAX, TOKEN_MAX, packed_bytes, percent};
use super::policy::{Policy, Purpose};
use super::principal::{SessionPolicies, account_of};
use super::refusal::Refusal;
use super::rules::Rule;

const ARNS_MAX: usize = 10;

/// Reads both parameters. `longest`: characters that `Policy` may have, where the API's model sets a
/// maximum (AssumeRole's no longer does). `account`: whose managed policies may be named.
pub(super) fn passed(
    call: &Call<'_>,
    account: &str,
    longest: Option<usize>,
) -> Result<SessionPolicies, Refusal> {
    let inline = call.params.text("Policy").filter(|text| !text.is_empty());
    if let Some(text) = inline {
        check_inline(call, text, longest)?;
    }
    let members = call.params.members("PolicyArns");
    let arns: Vec<String> = members
        .into_values()
        .filter_map(|mut f| f.remove("arn"))
        .collect();
    if arns.len() > ARNS_MAX && call.enforces(Rule::PolicyArnCount) {
        let rule = format!("Member must have length less than or equal to {ARNS_MAX}");
        return Err(Refusal::constraint("policyArns", "[…]", &rule));
    }
    let missing = |arn: &&String| !exists(call, account, arn);
    if let Some(arn) = arns.iter().find(missing)
        && call.enforces(Rule::PolicyArnExists)
    {
        // undocumented: code and message.
        return Err(Refusal::validation(format!(
            "Policy {arn} does not exist or is not attachable."
        )));
    }
    Ok(SessionPolicies {
        inline: inline.map(str::to_owned),
        arns,
    })
}

fn check_inline(call: &Call<'_>, text: &str, longest: Option<usize>) -> Result<(), Refusal> {
    let count = text.chars().count();
    if longest.is_some_and(|max| count > max) && call.enforces(Rule::PolicyLength) {
        let rule = "Member must have length less than or equal to 2048";
        return Err(Refusal::constraint("policy", "…", rule));
    }
    let legal = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{ff}');
    if !text.chars().all(legal) && call.enforces(Rule::PolicyCharacters) {
        let rule = "Member must satisfy regular expression pattern: [\\u0009\\u000A\\u000D\\u0020-\\u00FF]+";
        return Err(Refusal::constraint("policy", "…", rule));
    }
    match Policy::parse(text, Purpose::Identity, &call.state.world.without) {
        Err(what) if call.enforces(Rule::PolicyGrammar) || what.starts_with("duplicate key") => {
            Err(Refusal::new(
                400,
                "MalformedPolicyDocument",
                format!("Syntax errors in policy. ({what})"),
            ))
        }
        _ => Ok(()),
    }
}

fn exists(call: &Call<'_>, account: &str, arn: &str) -> bool {
    let ours = account_of(arn) == "aws" || account_of(arn) == account;
    ours && call.state.world.managed_text(arn).is_some()
}

/// Packed bytes of policies and tags; refused above the limit.
pub(super) fn packed(
    call: &Call<'_>,
    policies: &SessionPolicies,
    tags: &[(String, String)],
) -> Result<usize, Refusal> {
    let bytes = packed_bytes(policies, tags);
    if bytes > PACKED_MAX && call.enforces(Rule::PackedPolicyTooLarge) {
        return Err(too_large(percent(bytes, PACKED_MAX)));
    }
    Ok(bytes)
}

/// PackedPolicySize of the answer: there where policies or tags were passed.
pub(super) fn packed_percent(call: &Call<'_>, bytes: usize) -> Option<usize> {
    (bytes > 0 && call.enforces(Rule::PackedPolicySize)).then(|| percent(bytes, PACKED_MAX))
}

/// Bytes of the token: what must be in it, padded to MinimumSessionTokenSize.
pub(super) fn token_size(call: &Call<'_>, needed: usize) -> Result<usize, Refusal> {
    if needed > TOKEN_MAX && call.enforces(Rule::SessionTokenMaximum) {
        // undocumented: the code.
        return Err(too_large(percent(needed, TOKEN_MAX)));
    }
    let Some(text) = call.params.text("MinimumSessionTokenSize") else {
        return Ok(needed);
    };
    if !call.enforces(Rule::MinimumSessionTokenSize) {
        return Ok(needed);
    }
    match text.parse::<usize>() {
        Ok(minimum) if minimum <= TOKEN_MAX => Ok(needed.max(minimum)),
        _ => {
            let rule = "Member must have value less than or equal to 4096";
            Err(Refusal::constraint("minimumSessionTokenSize", text, rule))
        }
    }
}

fn too_large(percent: usize) -> Refusal {
    Refusal::new(
        400,
        "PackedPolicyTooLarge",
        format!("Packed policy consumes {percent}% of allotted space, please use smaller policy."),
    )
}
