//! What the parts of a request weigh, for the explanation when AWS finds all of it too large.
//!
//! AWS packs policies and tags into a form of its own and tells a percentage of the whole (API_AssumeRole,
//! PackedPolicySize), so these are the characters of what was sent: what is large here is large there.

use super::assume_role::AssumeRoleRequest;

/// The parts of a request, each with its characters: `an inline policy of 2731 characters; …`.
#[must_use]
pub fn weights(request: &AssumeRoleRequest) -> String {
    let inline = request.policy.iter();
    let inline =
        inline.map(|policy| format!("an inline policy of {} characters", policy.characters()));
    let arns = request.policy_arns.iter().map(|arn| {
        let arn = arn.to_string();
        format!("{arn} of {} characters", arn.len())
    });
    let tags = request.tags.iter();
    let characters: usize = tags
        .map(|(key, value)| length(key.as_str()) + length(value.as_str()))
        .sum();
    let count = request.tags.len();
    let tags = (count > 0).then(|| format!("{count} tags of {characters} characters together"));
    inline
        .chain(arns)
        .chain(tags)
        .collect::<Vec<_>>()
        .join("; ")
}

fn length(text: &str) -> usize {
    text.chars().count()
}
