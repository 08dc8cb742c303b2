//! Session tags as they are passed: forms and numbers (id_session-tags, API_Tag).

use super::query::Params;
use super::refusal::Refusal;
use super::rules::{Rule, Rules};
use std::collections::BTreeSet;

const TAGS_MAX: usize = 50;
const KEY_MAX: usize = 128;
const VALUE_MAX: usize = 256;
/// reference_iam-quotas: characters of tag keys and values, as AWS writes them.
const CHARACTERS: &str = "[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*";

/// Reads `Tags.member.N`; every rule about their form is checked.
pub(super) fn tags(params: &Params, rules: &Rules) -> Result<Vec<(String, String)>, Refusal> {
    let members = params.members("Tags");
    if members.len() > TAGS_MAX && rules.enforces(Rule::TagCount) {
        let rule = format!("Member must have length less than or equal to {TAGS_MAX}");
        return Err(Refusal::constraint("tags", "[…]", &rule));
    }
    let mut tags = Vec::new();
    let mut seen = BTreeSet::new();
    for (index, mut fields) in members {
        let key = fields.remove("Key").unwrap_or_default();
        let value = fields.remove("Value").unwrap_or_default();
        check_key(index, &key, rules)?;
        if (value.chars().count() > VALUE_MAX || !value.chars().all(legal))
            && rules.enforces(Rule::TagValueForm)
        {
            return Err(malformed(
                &format!("tags.{index}.member.value"),
                &value,
                0,
                VALUE_MAX,
            ));
        }
        if !seen.insert(key.to_lowercase()) && rules.enforces(Rule::TagKeysUnique) {
            // undocumented: the code; the message is AWS's.
            return Err(Refusal::invalid_value(
                "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
            ));
        }
        tags.push((key, value));
    }
    Ok(tags)
}

fn check_key(index: u32, key: &str, rules: &Rules) -> Result<(), Refusal> {
    let length = key.chars().count();
    if !((1..=KEY_MAX).contains(&length) && key.chars().all(legal))
        && rules.enforces(Rule::TagKeyForm)
    {
        return Err(malformed(
            &format!("tags.{index}.member.key"),
            key,
            1,
            KEY_MAX,
        ));
    }
    if key.to_ascii_lowercase().starts_with("aws:") && rules.enforces(Rule::TagReservedPrefix) {
        // undocumented: code and message.
        return Err(Refusal::invalid_value(
            "System tags cannot be added or modified (aws:).",
        ));
    }
    Ok(())
}

fn malformed(member: &str, value: &str, min: usize, max: usize) -> Refusal {
    let rule = format!("Member must have {min} to {max} characters of {CHARACTERS}");
    Refusal::constraint(member, value, &rule)
}

/// Letters, numbers, blanks of any script, and `_.:/=+-@`. Line breaks other than U+2028 and U+2029
/// are control characters, hence not in \p{Z}.
fn legal(c: char) -> bool {
    c.is_alphabetic()
        || c.is_numeric()
        || (c.is_whitespace() && !c.is_control())
        || "_.:/=+-@".contains(c)
}

/// Reads `TransitiveTagKeys.member.N`: each must be one of the tags (id_session-tags).
pub(super) fn transitive_keys(
    params: &Params,
    tags: &[(String, String)],
    rules: &Rules,
) -> Result<Vec<String>, Refusal> {
    let keys = params.strings("TransitiveTagKeys");
    let given = |key: &String| {
        tags.iter()
            .any(|(k, _)| k.to_lowercase() == key.to_lowercase())
    };
    match keys.iter().find(|key| !given(key)) {
        // undocumented: the code; the message is AWS's.
        Some(_) if rules.enforces(Rule::TransitiveKeyGiven) => Err(Refusal::invalid_value(
            "The specified transitive tag key must be included in the requested tags.",
        )),
        _ => Ok(keys),
    }
}
