//! Whose sessions are explained: those of a profile as it is written, or as a rule of its `peers` leaves it.

use super::ExplainError;
use super::arguments::usage;
use crate::config::{self, Config};
use crate::domain::profile::Profile;
use crate::domain::rule::RuleName;

/// The profile as this rule leaves it.
pub(super) fn profile(whole: &Profile, rule: Option<usize>) -> Result<&Profile, ExplainError> {
    let Some(number) = rule else {
        return Ok(whole);
    };
    let missing = || usage(&format!("profile {} has no peers[{number}]", whole.name));
    let rule = whole.peers.get(number).ok_or_else(missing)?;
    Ok(rule.bounded.as_deref().unwrap_or(whole))
}

/// What the inline session policy is called.
pub(super) fn policy_name(
    config: &Config,
    whole: &Profile,
    left: &Profile,
    rule: Option<usize>,
) -> String {
    if let Some(number) = rule.filter(|_| whole.policy != left.policy) {
        return format!("what peers[{number}] leaves of profile {}", whole.name);
    }
    if let Some(preset) = &left.preset {
        return format!("preset {}", preset.name);
    }
    config::policy_file(&config.path, whole.name.as_str())
        .unwrap_or_else(|| format!("policy of profile {}", whole.name))
}

/// Whom the answers are for, or for whom there are others.
pub(super) fn notes(whole: &Profile, chosen: Option<usize>) -> Vec<String> {
    let rules = whole.peers.iter().enumerate();
    let notes = rules.filter_map(|(number, rule)| {
        let name = RuleName::of(whole, rule);
        match chosen {
            Some(chosen) => {
                (chosen == number).then(|| format!("for callers for whom {name} decides"))
            }
            None => {
                let left = rule.bounded.as_ref()?;
                let same = (&left.policy, &left.policy_arns) == (&whole.policy, &whole.policy_arns);
                (!same).then(|| format!("{name} leaves less: --peer {number}"))
            }
        }
    });
    notes.collect()
}
