//! What AWS said of the size of sessions, from the journal of an agent that may be running or not.

use std::path::Path;

use serde_json::{Map, Value};

use super::read::{Begin, raw_lines};
use super::record::policy_sha256;
use crate::domain::weight::{LastSize, Sent};

/// So many of the newest records are looked at.
const LOOKED_AT: usize = 10_000;

/// The size of the last session that was sent the same policies for the same profile. Tags may have differed.
#[must_use]
pub fn last_size(directory: &Path, sent: &Sent<'_>) -> Option<LastSize> {
    let wanted = [
        ("profile", Some(Value::from(sent.profile))),
        (
            "policy_sha256",
            sent.policy.map(|policy| policy_sha256(policy).into()),
        ),
        ("narrowed_by", sent.way.map(|way| way.as_str().into())),
    ];
    let arns: Vec<String> = sent.arns.iter().map(ToString::to_string).collect();
    let is_same = |facts: &Map<String, Value>| {
        let same = |(key, value): &(&str, Option<Value>)| facts.get(*key) == value.as_ref();
        let listed = facts.get("policy_arns").and_then(Value::as_array);
        wanted.iter().all(same) && listed.map_or(&[][..], Vec::as_slice) == arns.as_slice()
    };
    let lines = raw_lines(directory, Begin::Last(LOOKED_AT), None).ok()?;
    let last = lines
        .flatten()
        .filter(|line| line.contains("\"token_bytes\""))
        .filter_map(|line| serde_json::from_str::<Value>(&line).ok())
        .filter(|record| facts(record).is_some_and(is_same))
        .last()?;
    let facts = facts(&last)?;
    let number = |key: &str| facts.get(key).and_then(Value::as_u64);
    Some(LastSize {
        at: last.get("time_dt")?.as_str()?.to_owned(),
        packed_policy_percent: number("packed_policy_percent"),
        token_bytes: number("token_bytes")?,
        token_percent: number("token_percent"),
    })
}

fn facts(record: &Value) -> Option<&Map<String, Value>> {
    record.get("unmapped")?.get("jumpgate")?.as_object()
}
