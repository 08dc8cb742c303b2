//! `peers` of a profile: whom each rule is for, and what it leaves of the profile.
//!
//! Both policies are known here, so what a rule takes away is worked out once, and one that cannot be put to AWS exactly
//! is a mistake of the file and no surprise at the first use.

use std::sync::Arc;

use jumpgate_iam::narrow::complement;
use jumpgate_iam::{Excerpt, RoleDuration};

use super::faults::{Fault, Faults, Written};
use super::policy::PolicyReader;
use super::raw::{MAX_WORD, RawPeer};
use super::section::Entry;
use super::terms::absolute_path;
use crate::domain::preset::SessionPolicies;
use crate::domain::profile::Profile;
use crate::domain::rule::{Criteria, PeerRule};

/// Understands the rules of a profile that is understood apart from them.
pub(super) fn rules(
    faults: &Faults,
    policies: &PolicyReader<'_>,
    raw: &[RawPeer<'_>],
    profile: &Profile,
) -> Vec<PeerRule> {
    let mut rules: Vec<PeerRule> = Vec::with_capacity(raw.len());
    for raw in raw {
        let bounded = bounded(faults, policies, raw, profile);
        let Some(criteria) = criteria(faults, raw) else {
            continue;
        };
        if let Some(same) = rules.iter().find(|rule| rule.criteria == criteria) {
            let message = format!("peers[{}] is for the same processes", same.index);
            faults.error(Fault::wrong(&raw.place, message).expected("each rule once"));
        }
        rules.push(PeerRule {
            index: raw.index,
            criteria,
            bounded,
        });
    }
    rules
}

/// All processes only where that is said: a rule without a criterion is a slip.
fn criteria(faults: &Faults, raw: &RawPeer<'_>) -> Option<Criteria> {
    let named = [&raw.exe, &raw.parent, &raw.ancestor, &raw.unit, &raw.cgroup];
    let none = named.iter().all(|entry| entry.is_absent());
    match &raw.any {
        Entry::Absent if none => {
            let expected = "exe, parent, ancestor, unit or cgroup; or any = true";
            let fault = Fault::absent(&raw.place, "it is said of no process whom this rule is for");
            faults.error(fault.expected(expected));
            return None;
        }
        Entry::Here(any) if !any.value || !none => {
            let fault = Fault::wrong(&any.place, "any = true stands for all processes of yours");
            faults.error(fault.expected("any = true alone, or none"));
            return None;
        }
        Entry::Broken => return None,
        Entry::Absent | Entry::Here(_) => {}
    }
    let path = |entry: &Entry<&str>| {
        let written = entry.here()?;
        absolute_path(faults, written)?;
        Some(written.value.to_owned())
    };
    let criteria = Criteria {
        exe: path(&raw.exe),
        parent: path(&raw.parent),
        ancestor: path(&raw.ancestor),
        unit: raw.unit.here().and_then(|written| unit(faults, written)),
        cgroup: raw
            .cgroup
            .here()
            .and_then(|written| cgroup(faults, written)),
    };
    // One that is wrong would leave a rule for more processes than meant.
    let understood = [
        criteria.exe.is_some(),
        criteria.parent.is_some(),
        criteria.ancestor.is_some(),
        criteria.unit.is_some(),
        criteria.cgroup.is_some(),
    ];
    let whole = named
        .iter()
        .zip(understood)
        .all(|(entry, is)| is != entry.is_absent());
    whole.then_some(criteria)
}

/// Only services and scopes hold processes (systemd.unit(5): at most 255 characters).
fn unit(faults: &Faults, written: &Written<&str>) -> Option<String> {
    let name = written.value;
    let known = name.ends_with(".service") || name.ends_with(".scope");
    if known && name.len() <= 255 && !name.contains('/') {
        return Some(name.to_owned());
    }
    let message = format!("{} is no unit that has processes", Excerpt::of(name));
    let fault = Fault::wrong(&written.place, message);
    faults.error(fault.expected("a name that ends with .service or .scope"));
    None
}

fn cgroup(faults: &Faults, written: &Written<&str>) -> Option<String> {
    let path = written.value;
    let plain = path.starts_with('/') && path.len() > 1 && path.len() <= MAX_WORD;
    if plain && !path.ends_with('/') {
        return Some(path.to_owned());
    }
    let message = format!("{} is no cgroup's path", Excerpt::of(path));
    let fault = Fault::wrong(&written.place, message);
    faults.error(fault.expected("as in /proc/PID/cgroup, such as \"/system.slice/ci.service\""));
    None
}

/// The profile as the rule leaves it, without its rules; absent where the rule takes nothing away.
fn bounded(
    faults: &Faults,
    policies: &PolicyReader<'_>,
    raw: &RawPeer<'_>,
    profile: &Profile,
) -> Option<Arc<Profile>> {
    let mut bounded = profile.clone();
    if let Some(written) = raw.policy.here() {
        let own = policies.policies(&raw.policy, Some(profile.role.partition()));
        let left = narrowed(faults, written, profile, own).unwrap_or_default();
        (bounded.policy, bounded.policy_arns) = (left.inline, left.arns);
        bounded.preset = left.preset;
    }
    if let Some(written) = raw.duration.here() {
        bounded.duration = duration(faults, written, profile);
    }
    bounded.require.confirm |= raw.confirm.here().is_some_and(|confirm| confirm.value);
    (bounded != *profile).then(|| Arc::new(bounded))
}

/// AWS adds session policies up, so beside one of the profile's a rule's would widen it: it becomes denies within it.
fn narrowed<T>(
    faults: &Faults,
    written: &Written<T>,
    profile: &Profile,
    own: SessionPolicies,
) -> Option<SessionPolicies> {
    if !profile.is_scoped() {
        return Some(own);
    }
    let refused = |why: &dyn std::fmt::Display, expected: &str| {
        let message = format!("the profile has session policies of its own, and {why}");
        faults.error(Fault::wrong(&written.place, message).expected(expected));
        None
    };
    if !own.arns.is_empty() {
        let why = "the preset's managed policies beside them would widen it";
        return refused(&why, "a preset without managed policies");
    }
    match complement(profile.policy.as_ref(), &own.inline?) {
        Ok(inline) => Some(SessionPolicies {
            inline,
            arns: profile.policy_arns.clone(),
            // What is sent is neither of the two.
            preset: None,
        }),
        Err(why) => {
            let why = format!("this one cannot be put as denies within them: {why}");
            refused(
                &why,
                "simpler statements, or another profile for these processes",
            )
        }
    }
}

fn duration(faults: &Faults, written: &Written<&str>, profile: &Profile) -> RoleDuration {
    let Ok(duration) = RoleDuration::parse(written.value) else {
        let message = format!("{} is no duration of a role", Excerpt::of(written.value));
        faults.error(Fault::wrong(&written.place, message).expected("15m to 12h"));
        return profile.duration;
    };
    if duration > profile.duration {
        let message = format!(
            "the profile allows {}, and a rule only shortens",
            profile.duration
        );
        let fault = Fault::wrong(&written.place, message);
        faults.error(fault.expected(format!("at most {}", profile.duration)));
        return profile.duration;
    }
    duration
}
