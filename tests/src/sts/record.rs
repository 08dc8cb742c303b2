//! The record of calls, like CloudTrail's (cloudtrail-integration): who, what, with which
//! parameters, and how it ended. No secret is in it.

use super::query::Params;
use super::rules::{Rule, Rules};
use serde::Serialize;
use std::collections::BTreeMap;

/// What stands in the record for a value that must not be there, as in CloudTrail.
pub const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";

/// One call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Event {
    /// Unix seconds by the double's clock.
    pub time: i64,
    /// `sts`, `iam`, `s3`, `support`, `servicequotas` or `ssm`.
    pub service: String,
    /// `AssumeRole`, `GetObject`, …
    pub action: String,
    /// Region of the signature.
    pub region: String,
    /// The caller's ARN, where the call was authenticated.
    pub caller_arn: Option<String>,
    /// The access key id, where the call named one.
    pub access_key_id: Option<String>,
    /// All parameters as they were sent, `Tags.member.1.Key` and so on; for S3 `bucketName`, `key`; for
    /// services in JSON the members of the input that are texts or numbers.
    pub parameters: BTreeMap<String, String>,
    /// HTTP status of the answer; 0 where none was sent.
    pub status: u16,
    /// The error's code, where the call was refused.
    pub error_code: Option<String>,
    /// The error's message.
    pub error_message: Option<String>,
    /// The fault that was played, if any.
    pub fault: Option<String>,
    /// The id that the answer carries.
    pub request_id: String,
    /// The client's User-Agent.
    pub user_agent: String,
    /// Credentials that the call made.
    pub issued: Option<Issued>,
}

/// Credentials that a call made, without their secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Issued {
    /// `ASIA…`
    pub access_key_id: String,
    /// ARN of the session.
    pub arn: String,
    /// Unix seconds.
    pub expires: i64,
    /// Bytes of the session token.
    pub session_token_size: usize,
    /// Percent of the packed limit, where policies or tags were passed.
    pub packed_policy_size: Option<usize>,
}

impl Event {
    /// A parameter by name.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    /// The session tags that were passed.
    pub fn tags(&self) -> BTreeMap<String, String> {
        let tag = |name: &String| {
            let index = name.strip_prefix("Tags.member.")?.strip_suffix(".Key")?;
            let value = self.parameter(&format!("Tags.member.{index}.Value"))?;
            Some((self.parameters[name].clone(), value.to_owned()))
        };
        self.parameters.keys().filter_map(tag).collect()
    }

    /// The transitive tag keys that were passed.
    pub fn transitive_tag_keys(&self) -> Vec<String> {
        self.params().strings("TransitiveTagKeys")
    }

    /// The managed session policies that were passed.
    pub fn policy_arns(&self) -> Vec<String> {
        let members = self.params().members("PolicyArns");
        members
            .into_values()
            .filter_map(|mut fields| fields.remove("arn"))
            .collect()
    }

    fn params(&self) -> Params {
        Params::from_pairs(self.parameters.clone().into_iter().collect())
    }
}

/// The parameters as the record keeps them: without the protocol's own, and no token code.
pub(super) fn recorded(params: &Params, rules: &Rules) -> BTreeMap<String, String> {
    let own = |name: &str| name == "Action" || name == "Version" || name.starts_with("X-Amz-");
    let hide = |name: &str| name == "TokenCode" && rules.enforces(Rule::RecordHidesSecrets);
    let kept = params.all().iter().filter(|(name, _)| !own(name));
    kept.map(|(name, value)| {
        let value = if hide(name) {
            HIDDEN.to_owned()
        } else {
            value.clone()
        };
        (name.clone(), value)
    })
    .collect()
}
