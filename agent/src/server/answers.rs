//! From the domain to the wire.

use std::sync::Arc;

use jumpgate_api::{
    CredentialsReply, IdentityReply, IdentityStatus, IdentitySummary, KeyStatus, LeaseStatus,
    PresetUse, ProfileDetail, ProfileSummary, SessionStatus, Timestamp, UnlockReply,
};
use jumpgate_iam::CallerArn;

use crate::broker::{Leased, Standing};
use crate::domain::identity::{AccessKeyId, Identity};
use crate::domain::lease::Lease;
use crate::domain::name::ProfileName;
use crate::domain::preset::Chosen;
use crate::domain::profile::Profile;
use crate::domain::rotation::KeyHistory;
use crate::domain::rule::{PeerRule, RuleName};
use crate::domain::session::Session;
use crate::domain::settings::AgentSettings;

/// The only kind of identity so far.
const KIND: &str = "iam-user";

pub(super) fn credentials(leased: &Leased) -> CredentialsReply {
    let session = leased.session();
    CredentialsReply {
        access_key_id: session.access_key_id.as_str().to_owned(),
        secret_access_key: session.secret_access_key.clone(),
        session_token: session.session_token.clone(),
        expires_at: session.expires_at,
        account_id: session.role.account().to_string(),
        role_arn: session.role.to_string(),
        region: leased.profile.region.as_ref().map(ToString::to_string),
        session: session.id.to_string(),
        lease: leased.lease.id.to_string(),
        warnings: leased.warning.iter().cloned().collect(),
    }
}

pub(super) fn unlocked(
    identity: &Identity,
    standing: Standing,
    agent: &AgentSettings,
) -> UnlockReply {
    UnlockReply {
        identity: identity.name.to_string(),
        unlocked_until: unlocked_until(&standing, agent),
        mfa_until: standing.mfa_until,
    }
}

fn unlocked_until(standing: &Standing, agent: &AgentSettings) -> Option<Timestamp> {
    standing
        .since
        .zip(agent.max_unlock)
        .map(|(since, limit)| since.plus(limit))
}

pub(super) fn identity_status(
    identity: &Identity,
    standing: Standing,
    agent: &AgentSettings,
) -> IdentityStatus {
    IdentityStatus {
        name: identity.name.to_string(),
        kind: KIND.to_owned(),
        state: standing.state,
        unlocked_until: unlocked_until(&standing, agent),
        mfa_until: standing.mfa_until,
        key: standing.history.as_ref().map(key),
    }
}

/// What may be told of a stored key.
pub(super) fn key(history: &KeyHistory) -> KeyStatus {
    let text = |id: &AccessKeyId| id.as_str().to_owned();
    KeyStatus {
        access_key_id: text(&history.current),
        since: history.since,
        phase: history.phase.map(str::to_owned),
        other_access_key_id: history.other.as_ref().map(text),
        delete_at: history.delete_at,
    }
}

/// What a reader of `status` should know of an identity's key.
pub(super) fn key_notes(
    identity: &Identity,
    history: &KeyHistory,
    now: Timestamp,
) -> Option<String> {
    let name = &identity.name;
    if let Some(phase) = history.phase {
        let due = history.delete_at.is_none_or(|at| at <= now);
        return due.then(|| {
            format!("identity {name}: its rotation is not finished ({phase}); run: jumpgate identity rotate {name} --resume")
        });
    }
    let age = now.since(history.since?);
    let old = identity.rotate_after.is_some_and(|limit| age >= limit);
    let days = age.as_secs() / 86_400;
    old.then(|| {
        format!("identity {name}: its key is {days} days old; run: jumpgate identity rotate {name}")
    })
}

pub(super) fn identity_summary(identity: &Identity, standing: Standing) -> IdentitySummary {
    IdentitySummary {
        name: identity.name.to_string(),
        kind: KIND.to_owned(),
        account_id: identity.account.to_string(),
        store: identity.store.as_str().to_owned(),
        mfa_serial: identity.mfa.as_ref().map(|mfa| mfa.serial.to_string()),
        state: standing.state,
        key: standing.history.as_ref().map(key),
    }
}

pub(super) fn identity(identity: &Identity, caller: &CallerArn) -> IdentityReply {
    IdentityReply {
        name: identity.name.to_string(),
        arn: caller.to_string(),
        account_id: caller.account().to_string(),
        store: identity.store.as_str().to_owned(),
    }
}

pub(super) fn session((profile, session): &(ProfileName, Session)) -> SessionStatus {
    SessionStatus {
        profile: profile.to_string(),
        role_arn: session.role.to_string(),
        expires_at: session.expires_at,
        session: session.id.to_string(),
        chained: session.chained,
        packed_policy_percent: session.packed_policy_percent,
        token_bytes: session.session_token.expose().len(),
        token_percent: session.token_percent,
    }
}

pub(super) fn lease(lease: &Lease) -> LeaseStatus {
    LeaseStatus {
        id: lease.id.to_string(),
        profile: lease.profile.to_string(),
        role_arn: lease.role.to_string(),
        session: lease.session.to_string(),
        interface: lease.interface,
        pid: lease.peer.pid,
        executable: lease.peer.executable.clone(),
        rule: lease.rule.as_ref().map(ToString::to_string),
        issued_at: lease.issued_at,
        expires_at: lease.expires_at,
    }
}

pub(super) fn profile_summary(profile: &Arc<Profile>) -> ProfileSummary {
    ProfileSummary {
        name: profile.name.to_string(),
        identity: profile.identity.to_string(),
        role_arn: profile.role.to_string(),
        duration_seconds: profile.effective_duration().seconds(),
        via: profile.via.as_ref().map(ToString::to_string),
        scoped: profile.is_scoped(),
    }
}

/// With the rule that decides for whoever looks at it.
pub(super) fn profile_detail(profile: &Arc<Profile>, rule: Option<&RuleName>) -> ProfileDetail {
    let rule = rule.map(|rule| format!("for this caller decides {rule}"));
    let policy = profile.policy.as_ref();
    let tag = |(key, value): &(_, _)| (ToString::to_string(key), ToString::to_string(value));
    ProfileDetail {
        summary: profile_summary(profile),
        region: profile.region.as_ref().map(ToString::to_string),
        external_id: profile.external_id.as_ref().map(ToString::to_string),
        session_name: profile.session_name.to_string(),
        source_identity: profile.source_identity.as_ref().map(ToString::to_string),
        preset: profile.preset.as_ref().map(preset),
        policy: policy.map(|policy| policy.minified().to_owned()),
        policy_characters: policy.map(jumpgate_iam::PolicyDocument::characters),
        policy_arns: profile
            .policy_arns
            .iter()
            .map(ToString::to_string)
            .collect(),
        tags: profile
            .tags
            .iter()
            .map(|(key, value)| tag(&(key, value)))
            .collect(),
        transitive_tags: profile.transitive.iter().map(ToString::to_string).collect(),
        require: required(profile),
        narrow: narrowing(profile),
        scope_down: profile.scope_down.then(|| "sts".to_owned()),
        peers: profile
            .peers
            .iter()
            .map(|rule| only_for(rule, profile))
            .collect(),
        notes: profile.duration_note().into_iter().chain(rule).collect(),
    }
}

/// Whom a rule is for, and what it takes away. One for an executable alone is its path.
fn only_for(rule: &PeerRule, profile: &Profile) -> String {
    let exe = rule.criteria.exe.clone();
    let mut text = exe
        .filter(|_| !rule.criteria.is_more_than_exe())
        .unwrap_or_else(|| rule.criteria.to_string());
    let Some(left) = rule.bounded.as_ref() else {
        return text;
    };
    text.push(':');
    if (&left.policy, &left.policy_arns) != (&profile.policy, &profile.policy_arns) {
        match &left.preset {
            Some(preset) => text.extend([" preset ", preset.name]),
            None => text.push_str(" a policy of its own"),
        }
        text.push(',');
    }
    if left.duration != profile.duration {
        text.push_str(" at most ");
        text.push_str(&left.duration.to_string());
        text.push(',');
    }
    if left.require.confirm && !profile.require.confirm {
        text.push_str(" a person's yes,");
    }
    text.pop();
    text
}

fn preset(chosen: &Chosen) -> PresetUse {
    PresetUse {
        name: chosen.name.to_owned(),
        parameters: chosen.parameters.clone(),
    }
}

fn required(profile: &Profile) -> Vec<String> {
    let all = [
        ("reason", profile.require.reason),
        ("ticket", profile.require.ticket),
        ("confirm", profile.require.confirm),
    ];
    all.into_iter()
        .filter(|(_, on)| *on)
        .map(|(word, _)| word.to_owned())
        .collect()
}

fn narrowing(profile: &Profile) -> Vec<String> {
    let bounds = &profile.narrow;
    let words = [("policy", bounds.policy), ("duration", bounds.duration)];
    let words = words
        .into_iter()
        .filter(|(_, on)| *on)
        .map(|(word, _)| word.to_owned());
    words
        .chain(bounds.tags.iter().map(|key| format!("tag:{key}")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::rule::Criteria;
    use crate::domain::samples::{duration, policy, profile, rule_for_exe};

    #[test]
    fn a_rule_is_shown_with_what_it_takes_away() {
        let whole = profile("dev");
        let left = |change: &dyn Fn(&mut Profile)| {
            let mut bounded = whole.clone();
            change(&mut bounded);
            Some(Arc::new(bounded))
        };
        for (bounded, expected) in [
            (None, "/a"),
            (
                left(&|left| left.policy = Some(policy("s3:Get*"))),
                "/a: a policy of its own",
            ),
            (
                left(&|left| left.duration = duration(900)),
                "/a: at most 15m",
            ),
            (
                left(&|left| left.require.confirm = true),
                "/a: a person's yes",
            ),
            (
                left(&|left| {
                    left.policy = Some(policy("s3:Get*"));
                    left.duration = duration(900);
                    left.require.confirm = true;
                }),
                "/a: a policy of its own, at most 15m, a person's yes",
            ),
        ] {
            let rule = PeerRule {
                bounded,
                ..rule_for_exe("/a")
            };
            assert_eq!(only_for(&rule, &whole), expected);
        }
        let any = PeerRule {
            criteria: Criteria::default(),
            ..rule_for_exe("/a")
        };
        assert_eq!(only_for(&any, &whole), "any");
    }

    #[test]
    fn an_old_key_and_an_unfinished_rotation_are_noted() {
        use crate::domain::rotation::StoredKey;
        use crate::domain::samples::{identity, long_term_key};
        let at = |day: i64| Timestamp::from_unix_seconds(1_800_000_000 + 86_400 * day);
        let mut identity = identity();
        let mut history = KeyHistory::of(&StoredKey::new(long_term_key(), Some(at(0))));
        let note = |identity: &Identity, history: &KeyHistory, day| {
            key_notes(identity, history, at(day)).unwrap_or_default()
        };
        assert_eq!(note(&identity, &history, 1000), "", "nobody asked for it");
        identity.rotate_after = Some(std::time::Duration::from_secs(90 * 86_400));
        assert_eq!(note(&identity, &history, 89), "");
        assert_eq!(
            note(&identity, &history, 91),
            "identity jump: its key is 91 days old; run: jumpgate identity rotate jump"
        );
        history.since = None;
        assert_eq!(note(&identity, &history, 91), "", "nobody knows");
        (history.phase, history.delete_at) = (Some("retiring"), Some(at(1)));
        assert_eq!(note(&identity, &history, 0), "", "its grace is not over");
        let unfinished = note(&identity, &history, 1);
        assert!(
            unfinished.ends_with("(retiring); run: jumpgate identity rotate jump --resume"),
            "{unfinished}"
        );
    }
}
