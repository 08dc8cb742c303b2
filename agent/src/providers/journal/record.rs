//! An event as the object that a journal line holds, in the shape of OCSF (Open Cybersecurity Schema
//! Framework, schema 1.9.0-dev: classes Authorize Session 3003, Authentication 3002, Application Lifecycle 6002).

use std::collections::BTreeMap;

use jumpgate_api::{Interface, Timestamp};
use jumpgate_iam::PolicyDocument;
use serde_json::{Map, Value};

use crate::domain::event::{Activity, Event, Facts};
use crate::domain::narrowing::Way;
use crate::domain::peer::Peer;

use super::chain::sha256_hex;

/// The version of OCSF whose names are used.
const OCSF_VERSION: &str = "1.9.0-dev";

/// `activity_id` "Other": OCSF has no numbers for our activities, their names are in `activity_name`.
const OTHER: u64 = 99;

/// The record without its chain. `uid` is the record's own id, `version` the agent's.
pub(super) fn compose(event: &Event, uid: String, version: &str) -> Map<String, Value> {
    let (class, category) = class_of(event.activity);
    let failed = event.failure.is_some() || event.activity == Activity::Deny;
    let (status, status_id, severity_id) = if failed {
        ("Failure", 2, 3)
    } else {
        ("Success", 1, 1)
    };
    Members::default()
        .with("activity_id", OTHER)
        .with("activity_name", event.activity.as_str())
        .with("category_uid", category)
        .with("class_uid", class)
        .with("type_uid", class * 100 + OTHER)
        .with("severity_id", severity_id)
        .with("status", status)
        .with("status_id", status_id)
        .maybe(
            "status_detail",
            event.failure.as_ref().or(event.detail.as_ref()).cloned(),
        )
        .maybe("message", event.detail.clone())
        .maybe("count", alike(event))
        .with("time", event.at.unix_millis())
        .with("time_dt", event.at.with_millis())
        .nested("metadata", metadata(uid, version))
        .nested("actor", actor(event.peer.as_ref()))
        .nested("session", session(event))
        .nested("cloud", cloud(event))
        .nested(
            "unmapped",
            Members::default().nested("jumpgate", facts(&event.facts)),
        )
        .0
}

/// OCSF's own place for it; the count of `log.prune` is of another kind.
fn alike(event: &Event) -> Option<u64> {
    event
        .facts
        .count
        .filter(|_| event.activity != Activity::LogPrune)
}

/// Leases and refusals are about sessions, identities about who signs in; the rest is the agent's own life.
const fn class_of(activity: Activity) -> (u64, u64) {
    match activity {
        Activity::LeaseIssue
        | Activity::LeaseServe
        | Activity::LeaseEnd
        | Activity::Deny
        | Activity::SessionRefresh => (3003, 3),
        Activity::IdentityUnlock
        | Activity::IdentityLock
        | Activity::IdentityAdd
        | Activity::IdentityRemove
        | Activity::IdentityRotate => (3002, 3),
        Activity::AgentStart
        | Activity::AgentStop
        | Activity::EndpointOpen
        | Activity::ConfigReload
        | Activity::ClockJump
        | Activity::LogRotate
        | Activity::LogPrune
        | Activity::LogRecover => (6002, 6),
    }
}

fn metadata(uid: String, version: &str) -> Members {
    let product = Members::default()
        .with("name", "Jumpgate")
        .with("version", version);
    Members::default()
        .with("uid", uid)
        .with("version", OCSF_VERSION)
        .nested("product", product)
}

fn actor(peer: Option<&Peer>) -> Members {
    let Some(peer) = peer else {
        return Members::default();
    };
    let process = Members::default()
        .with("pid", peer.pid)
        .nested(
            "file",
            Members::default().maybe("path", peer.executable.clone()),
        )
        .nested("user", Members::default().with("uid", peer.uid.to_string()));
    Members::default().nested("process", process)
}

fn session(event: &Event) -> Members {
    Members::default()
        .maybe("uid", event.lease.as_ref().map(|lease| lease.as_str()))
        .maybe(
            "expiration_time",
            event.expires_at.map(Timestamp::unix_millis),
        )
        .maybe(
            "expiration_time_dt",
            event.expires_at.map(Timestamp::with_millis),
        )
}

fn cloud(event: &Event) -> Members {
    let Some(account) = &event.account else {
        return Members::default();
    };
    Members::default()
        .with("provider", "AWS")
        .nested("account", Members::default().with("uid", account.as_str()))
}

fn facts(facts: &Facts) -> Members {
    Members::default()
        .maybe("access_key_id", facts.access_key_id.clone())
        .maybe(
            "asked_policy_sha256",
            facts.asked_policy.as_ref().map(policy_sha256),
        )
        .maybe("assumed_role_id", facts.assumed_role_id.clone())
        .maybe("code", facts.code.clone())
        .maybe("count", facts.count)
        .maybe("file", facts.journal_file.clone())
        .maybe("head", facts.journal_head.clone())
        .maybe("identity", facts.identity.clone())
        .maybe("interface", facts.interface.map(Interface::as_str))
        .maybe("line", facts.journal_line)
        .maybe("narrowed_by", facts.narrowed_by.map(Way::as_str))
        .maybe("packed_policy_percent", facts.packed_policy_percent)
        .maybe("policy_arns", policy_arns(facts))
        .maybe("policy_sha256", facts.policy.as_ref().map(policy_sha256))
        .maybe("profile", facts.profile.clone())
        .maybe("reason", facts.reason.clone())
        .maybe("role_arn", facts.role_arn.clone())
        .maybe("rule", facts.rule.clone())
        .maybe("session", facts.session.clone())
        .maybe("session_name", facts.session_name.clone())
        .maybe("source_identity", facts.source_identity.clone())
        .maybe("sts_request_id", facts.sts_request_id.clone())
        .maybe("tags", tags(facts))
        .maybe("ticket", facts.ticket.clone())
        .maybe("token_bytes", facts.token_bytes)
        .maybe("token_percent", facts.token_percent)
        .maybe("transitive_tags", present(facts.transitive_tags.clone()))
}

fn present<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

/// The hash of the bytes that STS was sent.
pub(super) fn policy_sha256(policy: &PolicyDocument) -> String {
    sha256_hex(policy.minified().as_bytes())
}

fn policy_arns(facts: &Facts) -> Option<Vec<String>> {
    present(
        facts
            .policy_arns
            .iter()
            .flat_map(|arns| arns.iter())
            .map(ToString::to_string)
            .collect(),
    )
}

/// Tags as an object, for `.tags.Team`: STS allows no key twice.
fn tags(facts: &Facts) -> Option<Map<String, Value>> {
    let tags: BTreeMap<_, _> = facts.tags.iter().cloned().collect();
    let tags: Map<_, _> = tags
        .into_iter()
        .map(|(key, value)| (key, Value::from(value)))
        .collect();
    (!tags.is_empty()).then_some(tags)
}

/// An object under construction. What is absent or empty is left out.
#[derive(Default)]
struct Members(Map<String, Value>);

impl Members {
    fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.0.insert(key.to_owned(), value.into());
        self
    }

    fn maybe(self, key: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    fn nested(self, key: &str, members: Self) -> Self {
        if members.0.is_empty() {
            self
        } else {
            self.with(key, members.0)
        }
    }
}
