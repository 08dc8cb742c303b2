//! The running agent, by what it says of itself to the client.

use std::time::Duration;

use jumpgate_api::Timestamp;
use serde_json::Value;

use super::unless_faulty;
use crate::doctor::check::Check;
use crate::doctor::facts::Facts;
use crate::doctor::finding::Finding;

/// The version of the agent's program on the disk: ours.
const OURS: &str = env!("CARGO_PKG_VERSION");

/// What to do about an agent that is not what the disk has.
const RESTART: &str = "jumpgate agent stop; the next command starts the new one";

/// Seconds of a day.
const DAY: u64 = 86_400;

/// The age from which a key is old whose identity has no `rotate_after`.
const OLD: Duration = Duration::from_secs(365 * DAY);

const NOT_ASKED: &str = "no agent was asked";

pub(super) fn running(facts: &Facts) -> Vec<Finding> {
    let check = Check::Agent;
    if let Some(trouble) = &facts.told.trouble {
        return vec![Finding::failed(check, &trouble.what, &trouble.hint)];
    }
    let Some(pid) = facts.said("/pid").and_then(|pid| pid.as_u64()) else {
        let none = "none runs; it is started when it is needed";
        return vec![match facts.nobody_listens() {
            true => Finding::ok(check, none),
            false => Finding::skipped(check, NOT_ASKED),
        }];
    };
    let refused = facts.said("/config_error").and_then(|error| error.as_str());
    let fault = refused.map(|error| {
        let what = format!("it goes on with the earlier configuration: {error}");
        Finding::failed(check, &what, "correct the file, then: jumpgate reload")
    });
    let what = format!("it runs as process {pid}");
    unless_faulty(fault.into_iter().collect(), check, &what)
}

pub(super) fn version(facts: &Facts) -> Vec<Finding> {
    let check = Check::AgentVersion;
    let Some(client) = facts.told.version.as_deref() else {
        return vec![Finding::skipped(check, NOT_ASKED)];
    };
    let running = facts.said("/version").and_then(|version| version.as_str());
    let mut faults = Vec::new();
    if client != OURS {
        let what = format!("jumpgate is version {client}, and jumpgate-agent beside it {OURS}");
        let hint = "install both from one release";
        faults.push(Finding::failed(check, &what, hint));
    }
    match running {
        Some(running) if running != OURS => {
            let what =
                format!("the agent that runs is version {running}, the one on the disk {OURS}");
            faults.push(Finding::failed(check, &what, RESTART));
        }
        Some(_) if written_since(facts) => {
            let what = "the agent's program was replaced since it was started";
            faults.push(Finding::warning(check, what, RESTART));
        }
        _ => {}
    }
    unless_faulty(faults, check, OURS)
}

fn written_since(facts: &Facts) -> bool {
    let written = facts.files.as_ref().and_then(|files| files.agent_written);
    let up = facts.said("/uptime_seconds").and_then(|up| up.as_i64());
    let (Some(written), Some(up)) = (written, up) else {
        return false;
    };
    let started = facts.now.unix_seconds() - up;
    // Both are cut to whole seconds.
    written > Timestamp::from_unix_seconds(started + 1)
}

/// An unlocked identity knows the age of its key.
pub(super) fn key_age(facts: &Facts) -> Vec<Finding> {
    let check = Check::KeyAge;
    let said = facts.said("/identities").and_then(|list| list.as_array());
    let findings = said.into_iter().flatten().filter_map(|identity| {
        let key = identity.get("key")?;
        let name = identity["name"].as_str()?;
        Some(aged(facts, name, key))
    });
    let findings: Vec<Finding> = findings.collect();
    match findings.is_empty() {
        true => vec![Finding::skipped(check, "no unlocked identity tells")],
        false => findings,
    }
}

fn aged(facts: &Facts, name: &str, key: &Value) -> Finding {
    let check = Check::KeyAge;
    let time = |name: &str| -> Option<Timestamp> { key.get(name)?.as_str()?.parse().ok() };
    let in_grace = time("delete_at").is_some_and(|at| at > facts.now);
    if let Some(phase) = key["phase"].as_str().filter(|_| !in_grace) {
        let what = format!("identity {name}: a rotation of its key is under way ({phase})");
        let hint = format!("jumpgate identity rotate {name} --resume");
        return Finding::warning(check, &what, &hint);
    }
    let Some(since) = time("since") else {
        let what = format!("identity {name}: how old its key is, was not kept yet");
        return Finding::ok(check, &what);
    };
    let config = facts.configured.valid().into_iter();
    let mut identities = config.flat_map(|config| config.settings.identities.values());
    let identity = identities.find(|identity| identity.name.as_str() == name);
    let limit = identity.and_then(|identity| identity.rotate_after);
    let age = facts.now.since(since);
    let days = age.as_secs() / DAY;
    let what = format!("identity {name}: its key is {days} days old");
    match age > limit.unwrap_or(OLD) {
        true => Finding::warning(check, &what, &format!("jumpgate identity rotate {name}")),
        false => Finding::ok(check, &what),
    }
}

pub(super) fn profiles(facts: &Facts) -> Vec<Finding> {
    let check = Check::Profile;
    let Some(asked) = &facts.told.profiles else {
        let why = "no session was asked for: jumpgate doctor --deep does";
        return vec![Finding::skipped(check, why)];
    };
    let findings = asked.iter().map(|asked| match &asked.trouble {
        None => Finding::ok(check, &format!("{}: a session was given", asked.profile)),
        Some(trouble) if asked.profile.is_empty() => {
            Finding::failed(check, &trouble.what, &trouble.hint)
        }
        Some(trouble) => {
            let what = format!("{}: {}", asked.profile, trouble.what);
            Finding::failed(check, &what, &trouble.hint)
        }
    });
    unless_faulty(findings.collect(), check, "there is no profile")
}
