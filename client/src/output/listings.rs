//! Replies as text for people. Every function takes the time from outside and escapes nothing: [`table`] and
//! [`fields`] do it for all values.

use jumpgate_api::{
    IdentityList, IdentityState, Interface, JournalDamage, JournalReport, KeyStatus, LeaseList,
    PresetDetail, PresetList, PresetUse, ProfileDetail, ProfileList, Status, Timestamp,
};

use super::{fields, mark, remaining, table, until};

/// `identity list`.
pub(crate) fn identities(list: &IdentityList, now: Timestamp) -> String {
    let rows = list.identities.iter().map(|identity| {
        [
            identity.name.clone(),
            identity.kind.clone(),
            identity.account_id.clone(),
            identity.store.clone(),
            mark(identity.mfa_serial.clone()),
            state(identity.state).to_owned(),
            age(identity.key.as_ref(), now),
        ]
    });
    let columns = [
        "NAME",
        "KIND",
        "ACCOUNT",
        "STORE",
        "MFA DEVICE",
        "STATE",
        "KEY AGE",
    ];
    table(columns, rows)
}

/// How old a key is, and how far its rotation is.
fn age(key: Option<&KeyStatus>, now: Timestamp) -> String {
    let since = key.and_then(|key| key.since);
    let age = mark(since.map(|since| remaining(now.since(since).as_secs())));
    match key.and_then(|key| key.phase.as_deref()) {
        Some(phase) => format!("{age} ({phase})"),
        None => age,
    }
}

/// `profile list`.
pub(crate) fn profiles(list: &ProfileList) -> String {
    let rows = list.profiles.iter().map(|profile| {
        [
            profile.name.clone(),
            profile.identity.clone(),
            mark(profile.via.clone()),
            duration(profile.duration_seconds),
            if profile.scoped { "yes" } else { "no" }.to_owned(),
            profile.role_arn.clone(),
        ]
    });
    table(
        ["NAME", "IDENTITY", "VIA", "DURATION", "SCOPED", "ROLE"],
        rows,
    )
}

/// `profile show NAME`; what is not set is left out.
pub(crate) fn profile(detail: &ProfileDetail) -> String {
    let summary = &detail.summary;
    let mut lines = vec![
        ("profile", summary.name.clone()),
        ("identity", summary.identity.clone()),
        ("role", summary.role_arn.clone()),
        ("duration", duration(summary.duration_seconds)),
        ("session name", detail.session_name.clone()),
    ];
    let optional = [
        ("via", &summary.via),
        ("region", &detail.region),
        ("external id", &detail.external_id),
        ("source identity", &detail.source_identity),
        ("scope down", &detail.scope_down),
        ("preset", &detail.preset.as_ref().map(preset_use)),
        ("policy", &detail.policy),
    ];
    lines.extend(
        optional
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.clone()?))),
    );
    if let Some(count) = detail.policy_characters {
        lines.push(("policy size", format!("{count} characters")));
    }
    lines.extend(
        detail
            .policy_arns
            .iter()
            .map(|arn| ("policy arn", arn.clone())),
    );
    lines.extend(
        detail
            .tags
            .iter()
            .map(|(key, value)| ("tag", format!("{key} = {value}"))),
    );
    let lists = [
        ("transitive tags", &detail.transitive_tags),
        ("requires", &detail.require),
        ("may be narrowed by", &detail.narrow),
    ];
    let set = lists.into_iter().filter(|(_, values)| !values.is_empty());
    lines.extend(set.map(|(name, values)| (name, values.join(", "))));
    lines.extend(detail.peers.iter().map(|rule| ("only for", rule.clone())));
    lines.extend(detail.notes.iter().map(|note| ("note", note.clone())));
    fields(lines)
}

/// `ssm (tag_key = Name; tag_values = develop, test)`.
fn preset_use(preset: &PresetUse) -> String {
    let parameters = preset.parameters.iter();
    let parameters = parameters.map(|(name, values)| format!("{name} = {}", values.join(", ")));
    match parameters.collect::<Vec<_>>().join("; ") {
        none if none.is_empty() => preset.name.clone(),
        all => format!("{} ({all})", preset.name),
    }
}

/// `policy preset list`.
pub(crate) fn presets(list: &PresetList) -> String {
    let rows = list.presets.iter().map(|preset| {
        let size = preset.policy_characters.map(|count| count.to_string());
        [
            preset.name.clone(),
            mark(size),
            preset.policy_arns.len().to_string(),
            preset.allows.clone(),
        ]
    });
    table(["NAME", "CHARACTERS", "ARNS", "ALLOWS"], rows)
}

/// `policy preset show NAME`; the inline policy stands below, as it is in its file.
pub(crate) fn preset(preset: &PresetDetail) -> String {
    let mut lines = vec![
        ("preset", preset.name.clone()),
        ("allows", preset.allows.clone()),
    ];
    if let Some(count) = preset.policy_characters {
        lines.push(("policy size", format!("{count} characters")));
    }
    lines.extend(
        preset
            .policy_arns
            .iter()
            .map(|arn| ("policy arn", arn.clone())),
    );
    lines.extend(preset.parameters.iter().map(|parameter| {
        let default = parameter.default.iter();
        let default: String = default.map(|text| format!("; else {text}")).collect();
        let (name, about, expected) = (&parameter.name, &parameter.about, &parameter.expected);
        ("parameter", format!("{name}: {about}: {expected}{default}"))
    }));
    format!("{}\n{}", fields(lines), preset.policy)
}

/// `leases`.
pub(crate) fn leases(list: &LeaseList, now: Timestamp) -> String {
    let rows = list.leases.iter().map(|lease| {
        [
            lease.id.clone(),
            lease.profile.clone(),
            interface(lease.interface).to_owned(),
            lease.pid.to_string(),
            mark(lease.executable.clone()),
            lease.issued_at.to_string(),
            until(now, lease.expires_at),
        ]
    });
    table(
        [
            "LEASE",
            "PROFILE",
            "INTERFACE",
            "PID",
            "PROGRAM",
            "ISSUED",
            "EXPIRES",
        ],
        rows,
    )
}

/// A clock that is off by seconds is nobody's concern.
fn skewed(seconds: Option<i64>) -> String {
    match seconds.unwrap_or(0) {
        skew if skew.unsigned_abs() < 30 => String::new(),
        skew => format!("; this machine's clock is off by {} s", -skew),
    }
}

/// `status`.
pub(crate) fn status(status: &Status, now: Timestamp) -> String {
    let mut lines = vec![
        ("agent", agent(status)),
        ("configuration", status.config_path.clone()),
        ("journal", journal(status)),
        (
            "sts",
            format!(
                "{}, {} failed{}",
                counted(status.sts.calls, "call"),
                status.sts.failures,
                skewed(status.sts.skew_seconds)
            ),
        ),
        ("leases", status.leases.to_string()),
    ];
    lines.extend(
        status
            .config_error
            .clone()
            .map(|error| ("last reload", error)),
    );
    lines.extend(status.notes.iter().map(|note| ("note", note.clone())));
    let mut text = fields(lines);
    for part in [
        identity_states(status, now),
        sessions(status, now),
        endpoints(status),
    ] {
        if !part.is_empty() {
            text.push('\n');
            text.push_str(&part);
        }
    }
    text
}

fn agent(status: &Status) -> String {
    let locked = if status.locked { ", locked" } else { "" };
    let memory = if status.memory_locked {
        ""
    } else {
        ", memory may be swapped"
    };
    let up = remaining(status.uptime_seconds);
    format!(
        "version {}, pid {}, up {up}{locked}{memory}",
        status.version, status.pid
    )
}

fn journal(status: &Status) -> String {
    let journal = &status.journal;
    let health = if journal.healthy {
        "healthy"
    } else {
        "CANNOT BE WRITTEN: nothing is handed out"
    };
    format!(
        "{}, {} since the start, {health}",
        journal.path,
        counted(journal.records, "record")
    )
}

fn identity_states(status: &Status, now: Timestamp) -> String {
    let rows = status.identities.iter().map(|identity| {
        [
            identity.name.clone(),
            identity.kind.clone(),
            state(identity.state).to_owned(),
            mark(identity.unlocked_until.map(|at| until(now, at))),
            mark(identity.mfa_until.map(|at| until(now, at))),
            age(identity.key.as_ref(), now),
        ]
    });
    let columns = [
        "IDENTITY",
        "KIND",
        "STATE",
        "UNLOCKED UNTIL",
        "MFA UNTIL",
        "KEY AGE",
    ];
    table(columns, rows)
}

fn sessions(status: &Status, now: Timestamp) -> String {
    let percent = |part: Option<u32>| mark(part.map(|percent| format!("{percent} %")));
    let rows = status.sessions.iter().map(|session| {
        let chained = if session.chained { " (chained)" } else { "" };
        [
            session.session.clone(),
            session.profile.clone(),
            until(now, session.expires_at),
            percent(session.packed_policy_percent),
            format!("{} bytes", session.token_bytes),
            format!("{}{chained}", session.role_arn),
        ]
    });
    table(
        [
            "SESSION",
            "PROFILE",
            "EXPIRES",
            "POLICY SIZE",
            "TOKEN SIZE",
            "ROLE",
        ],
        rows,
    )
}

fn endpoints(status: &Status) -> String {
    let rows = status.endpoints.iter().map(|endpoint| {
        [
            endpoint.profile.clone(),
            endpoint.kind.clone(),
            endpoint.url.clone(),
            mark(endpoint.serve.clone()),
            match &endpoint.failure {
                None => "open".to_owned(),
                Some(why) => format!("NOT OPEN: {why}"),
            },
        ]
    });
    table(["ENDPOINT OF", "KIND", "ADDRESS", "SERVE", "STATE"], rows)
}

/// `journal verify`: one line for an intact journal, else one for each damage.
pub(crate) fn report(report: &JournalReport) -> String {
    let place = |at: &JournalDamage| {
        let (file, what) = (super::escape(&at.file), super::escape(&at.what));
        format!("{file}:{}: {what}\n", at.line)
    };
    let mut text: String = report.damage.iter().map(place).collect();
    if report.damage.is_empty() {
        let records = counted(report.records, "record");
        let files = counted(report.files.len() as u64, "file");
        let head = report
            .head
            .as_deref()
            .map_or_else(|| "none".to_owned(), super::escape);
        text = format!("{records} in {files}, head {head}: intact\n");
    }
    text.extend(
        report
            .notes
            .iter()
            .map(|note| format!("note: {}", place(note))),
    );
    text
}

fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

fn duration(seconds: u32) -> String {
    match seconds {
        _ if seconds.is_multiple_of(3600) => format!("{}h", seconds / 3600),
        _ if seconds.is_multiple_of(60) => format!("{}m", seconds / 60),
        _ => format!("{seconds}s"),
    }
}

fn interface(interface: Interface) -> &'static str {
    interface.as_str()
}

fn state(state: IdentityState) -> &'static str {
    match state {
        IdentityState::Locked => "locked",
        IdentityState::Unlocked => "unlocked",
        IdentityState::Prompting => "prompting",
    }
}

#[cfg(test)]
mod tests;
