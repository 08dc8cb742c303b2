//! One identity or profile as lines of our configuration.

use std::fmt::Write;

use jumpgate_iam::Excerpt;
use jumpgate_iam::nearest::nearest;

use super::Remark;
use super::chains::Base;
use super::found::Profile;

/// Settings that mean something here. What is none of them is for the SDKs and stays where it is.
const UNDERSTOOD: [&str; 12] = [
    "role_arn",
    "source_profile",
    "mfa_serial",
    "external_id",
    "duration_seconds",
    "region",
    "role_session_name",
    "include_profile",
    "session_tags",
    "transitive_session_tags",
    "mfa_process",
    "source_identity",
];

/// `[identity.NAME]`
pub(super) fn identity(base: &Base<'_>) -> String {
    let mut text = header("identity", base.name);
    put(&mut text, "kind", "iam-user");
    put(&mut text, "account", base.account.as_ref());
    if let Some(region) = base.region {
        put(&mut text, "region", region);
    }
    if let Some(device) = base.device {
        put(&mut text, "mfa_serial", device);
    }
    // aws-vault gives it to a shell.
    if let (Some(process), Some(_)) = (base.mfa_process, base.device) {
        put(&mut text, "mfa", "command");
        let words = ["/bin/sh", "-c", process].map(quoted).join(", ");
        let _never_fails = writeln!(text, "mfa_command = [{words}]");
    }
    text
}

/// A profile with a role, and where its credentials begin.
pub(super) struct Role<'p, 'a> {
    pub(super) profile: &'p Profile<'a>,
    pub(super) identity: &'a str,
    pub(super) via: Option<&'a str>,
}

impl Role<'_, '_> {
    /// `[profile.NAME]`; what is left out is remarked.
    pub(super) fn text(
        &self,
        base: Option<&Base<'_>>,
        notes: &mut Vec<Remark>,
    ) -> Result<String, String> {
        let profile = self.profile;
        self.check_device(base, notes)?;
        let mut text = header("profile", profile.name);
        put(&mut text, "identity", self.identity);
        if let Some(via) = self.via {
            put(&mut text, "via", via);
        }
        for (theirs, ours) in [
            ("role_arn", "role_arn"),
            ("region", "region"),
            ("external_id", "external_id"),
            ("role_session_name", "session_name"),
            ("source_identity", "source_identity"),
        ] {
            if let Some(value) = profile.get(theirs) {
                put(&mut text, ours, value);
            }
        }
        if let Some(duration) = self.duration()? {
            put(&mut text, "duration", &duration);
        }
        self.put_tags(&mut text)?;
        self.doubt_settings(notes);
        Ok(text)
    }

    /// There is one device for each identity.
    fn check_device(&self, base: Option<&Base<'_>>, notes: &mut Vec<Remark>) -> Result<(), String> {
        let theirs = self.profile.get("mfa_serial");
        let Some(theirs) = theirs.filter(|_| base.is_some_and(|base| base.device != theirs)) else {
            return Ok(());
        };
        if self.via.is_some() {
            let what =
                "mfa_serial is left out: a role's session has no device, the identity's own counts";
            notes.push(self.profile.remark(what));
            return Ok(());
        }
        let (theirs, identity) = (Excerpt::of(theirs), Excerpt::of(self.identity));
        Err(format!(
            "its MFA device {theirs} is another one than that of identity {identity}"
        ))
    }

    fn duration(&self) -> Result<Option<String>, String> {
        let Some(text) = self.profile.get("duration_seconds") else {
            return Ok(None);
        };
        let seconds = text
            .parse::<u32>()
            .map_err(|_| format!("duration_seconds {} is no number", Excerpt::of(text)))?;
        Ok(Some(match (seconds % 3_600, seconds % 60) {
            (0, _) => format!("{}h", seconds / 3_600),
            (_, 0) => format!("{}m", seconds / 60),
            _ => format!("{seconds}s"),
        }))
    }

    /// aws-vault's `session_tags = KEY=VALUE,…` and `transitive_session_tags = KEY,…`.
    fn put_tags(&self, text: &mut String) -> Result<(), String> {
        if let Some(list) = self.profile.get("session_tags") {
            let tags = list.split(',').map(|tag| {
                let (key, value) = tag
                    .split_once('=')
                    .ok_or("session_tags is not KEY=VALUE,…")?;
                Ok(format!("{} = {}", quoted(key.trim()), quoted(value.trim())))
            });
            let tags = tags.collect::<Result<Vec<String>, String>>()?.join(", ");
            let _never_fails = writeln!(text, "tags = {{ {tags} }}");
        }
        if let Some(list) = self.profile.get("transitive_session_tags") {
            let keys = list.split(',').map(str::trim).filter(|key| !key.is_empty());
            let keys = keys.map(quoted).collect::<Vec<String>>().join(", ");
            let _never_fails = writeln!(text, "transitive_tags = [{keys}]");
        }
        Ok(())
    }

    /// A setting that looks like one that would mean something.
    fn doubt_settings(&self, notes: &mut Vec<Remark>) {
        for key in self.profile.settings.keys() {
            if UNDERSTOOD.contains(&key.as_str()) {
                continue;
            }
            if let Some(meant) = nearest(key, &UNDERSTOOD) {
                let key = Excerpt::of(key);
                let what = format!("{key} is not understood and left out; did you mean {meant}?");
                notes.push(self.profile.remark(what));
            }
        }
    }
}

/// `[SORT.NAME]`, behind an empty line.
fn header(sort: &str, name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let name = match name.chars().all(bare) && !name.is_empty() {
        true => name.to_owned(),
        false => quoted(name),
    };
    format!("\n[{sort}.{name}]\n")
}

fn put(text: &mut String, key: &str, value: &str) {
    let _never_fails = writeln!(text, "{key} = {}", quoted(value));
}

/// A basic string of TOML 1.0.
pub(super) fn quoted(value: &str) -> String {
    let mut quoted = String::from("\"");
    for character in value.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            other if other.is_control() => {
                let _never_fails = write!(quoted, "\\u{:04X}", u32::from(other));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}
