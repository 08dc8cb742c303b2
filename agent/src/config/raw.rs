//! The configuration as it is written: known keys, right types, right counts, every value with its place.
//! Nothing is understood yet.

mod keys;

use toml::de::DeTable;

use super::faults::{Fault, Faults, Place, Written};
use super::section::{Entry, Section, Value, as_text};
pub(super) use keys::{
    AGENT_KEYS, IDENTITY_KEYS, NARROW_KEYS, PEER_KEYS, PROFILE_KEYS, SERVE_KEYS, TOP_KEYS,
};

/// Most accounts with a name.
pub const MAX_ACCOUNTS: usize = 1_000;
/// Most identities.
pub const MAX_IDENTITIES: usize = 64;
/// Most profiles.
pub const MAX_PROFILES: usize = 10_000;
/// Most endpoints that stand by configuration; each takes a port.
pub const MAX_SERVES: usize = 64;
/// Most session tags of a profile, most transitive ones and most that an ask may add (API_AssumeRole: 50).
pub const MAX_TAGS: usize = 50;
/// Most managed policies of a profile (API_AssumeRole: 10).
pub const MAX_POLICY_ARNS: usize = 10;
/// Most rules of a profile's `peers`.
pub const MAX_PEERS: usize = 64;
/// Most words of a command.
pub const MAX_ARGV: usize = 64;
/// Most bytes of a command's word or of an executable's path.
pub const MAX_WORD: usize = 4_096;
/// Most words of a list of words of ours, such as `require`; every word twice is more than enough.
const MAX_WORDS: usize = 8;

const A_STRING: &str = "a string";
const AN_ARGV: &str = "a list of strings: the program and its arguments";

/// The file as it is written.
pub(super) struct RawConfig<'a> {
    pub(super) agent: Option<RawAgent<'a>>,
    pub(super) accounts: Vec<Written<(&'a str, &'a str)>>,
    pub(super) identities: Vec<RawIdentity<'a>>,
    pub(super) profiles: Vec<RawProfile<'a>>,
    pub(super) serves: Vec<RawServe<'a>>,
}

/// `[agent]`
pub(super) struct RawAgent<'a> {
    pub(super) idle_lock: Entry<&'a str>,
    pub(super) max_unlock: Entry<&'a str>,
    pub(super) lock_on: Entry<Vec<Written<&'a str>>>,
    pub(super) prompt_wait: Entry<&'a str>,
    pub(super) prompter: Entry<&'a str>,
    pub(super) journal_keep: Entry<&'a str>,
}

/// `[identity.NAME]`
pub(super) struct RawIdentity<'a> {
    pub(super) name: Written<&'a str>,
    pub(super) kind: Entry<&'a str>,
    pub(super) account: Entry<&'a str>,
    pub(super) region: Entry<&'a str>,
    pub(super) mfa_serial: Entry<&'a str>,
    pub(super) mfa: Entry<&'a str>,
    pub(super) mfa_command: Entry<Vec<Written<&'a str>>>,
    pub(super) mfa_session: Entry<&'a str>,
    pub(super) store: Entry<&'a str>,
    pub(super) passphrase_command: Entry<Vec<Written<&'a str>>>,
    pub(super) sts_endpoint: Entry<&'a str>,
    pub(super) iam_endpoint: Entry<&'a str>,
    pub(super) rotate_after: Entry<&'a str>,
    pub(super) ca_bundle: Entry<&'a str>,
}

/// `[profile.NAME]`
pub(super) struct RawProfile<'a> {
    pub(super) name: Written<&'a str>,
    pub(super) identity: Entry<&'a str>,
    pub(super) role_arn: Entry<&'a str>,
    pub(super) account: Entry<&'a str>,
    pub(super) role: Entry<&'a str>,
    pub(super) via: Entry<&'a str>,
    pub(super) region: Entry<&'a str>,
    pub(super) duration: Entry<&'a str>,
    pub(super) external_id: Entry<&'a str>,
    pub(super) session_name: Entry<&'a str>,
    pub(super) source_identity: Entry<&'a str>,
    pub(super) policy: Entry<Value<'a>>,
    pub(super) policy_arns: Entry<Vec<Written<&'a str>>>,
    pub(super) tags: Vec<Written<(&'a str, Written<&'a str>)>>,
    pub(super) transitive_tags: Entry<Vec<Written<&'a str>>>,
    pub(super) require: Entry<Vec<Written<&'a str>>>,
    pub(super) narrow: Option<RawNarrow<'a>>,
    pub(super) scope_down: Entry<&'a str>,
    pub(super) notify: Entry<bool>,
    pub(super) peers: Vec<RawPeer<'a>>,
}

/// `narrow` of a profile.
pub(super) struct RawNarrow<'a> {
    pub(super) policy: Entry<bool>,
    pub(super) duration: Entry<bool>,
    pub(super) tags: Entry<Vec<Written<&'a str>>>,
}

/// A rule of a profile's `peers`.
pub(super) struct RawPeer<'a> {
    pub(super) index: usize,
    pub(super) place: Place,
    pub(super) exe: Entry<&'a str>,
    pub(super) parent: Entry<&'a str>,
    pub(super) ancestor: Entry<&'a str>,
    pub(super) unit: Entry<&'a str>,
    pub(super) cgroup: Entry<&'a str>,
    pub(super) any: Entry<bool>,
    pub(super) policy: Entry<Value<'a>>,
    pub(super) duration: Entry<&'a str>,
    pub(super) confirm: Entry<bool>,
}

/// `[serve.NAME]`
pub(super) struct RawServe<'a> {
    pub(super) name: Written<&'a str>,
    pub(super) profile: Entry<&'a str>,
    pub(super) kind: Entry<&'a str>,
    pub(super) port: Entry<i64>,
    pub(super) imds_v1: Entry<bool>,
}

impl<'a> RawConfig<'a> {
    /// Reads the document's shape.
    pub(super) fn read(table: &'a DeTable<'a>, faults: &'a Faults) -> Self {
        let document = Section::document(table, TOP_KEYS, faults);
        check_version(&document);
        let agent = document.table("agent", AGENT_KEYS);
        Self {
            agent: agent.map(|section| RawAgent::read(&section)),
            accounts: accounts(&document),
            identities: named(
                &document,
                "identity",
                (MAX_IDENTITIES, "identities"),
                IDENTITY_KEYS,
            )
            .iter()
            .map(|(name, section)| RawIdentity::read(name.clone(), section))
            .collect(),
            profiles: named(
                &document,
                "profile",
                (MAX_PROFILES, "profiles"),
                PROFILE_KEYS,
            )
            .iter()
            .map(|(name, section)| RawProfile::read(name.clone(), section))
            .collect(),
            serves: named(
                &document,
                "serve",
                (MAX_SERVES, "standing endpoints"),
                SERVE_KEYS,
            )
            .iter()
            .map(|(name, section)| RawServe::read(name.clone(), section))
            .collect(),
        }
    }
}

/// The layout's version, so that a later agent can tell an old file from a mistaken one.
fn check_version(document: &Section<'_>) {
    const EXPECTED: &str = "version = 1";
    match document.integer("version", EXPECTED) {
        Entry::Absent => document.missing("version", EXPECTED),
        Entry::Here(version) if version.value != 1 => {
            let message = format!("version {} is not known", version.value);
            let fault = Fault::wrong(&version.place, message).expected("1");
            document.faults.error(fault);
        }
        Entry::Here(_) | Entry::Broken => {}
    }
}

fn accounts<'a>(document: &Section<'a>) -> Vec<Written<(&'a str, &'a str)>> {
    let Some(section) = document.names("accounts") else {
        return Vec::new();
    };
    let entries = section.counted_entries(MAX_ACCOUNTS, "accounts");
    let texts = entries.iter().filter_map(|entry| {
        let (name, value) = entry.value;
        const EXPECTED: &str = "12 digits in quotes";
        let text = as_text(document.faults, &entry.with(value), EXPECTED)?;
        Some(entry.with((name, text.value)))
    });
    texts.collect()
}

/// The tables of a table whose keys are the user's names.
fn named<'a>(
    document: &Section<'a>,
    key: &'static str,
    (most, what): (usize, &str),
    known: &'static [&'static str],
) -> Vec<(Written<&'a str>, Section<'a>)> {
    let Some(names) = document.names(key) else {
        return Vec::new();
    };
    let entries = names.counted_entries(most, what);
    let sections = entries.iter().filter_map(|entry| {
        let (name, value) = entry.value;
        let section = Section::of(&entry.with(value), known, document.faults)?;
        Some((entry.with(name), section))
    });
    sections.collect()
}

impl<'a> RawAgent<'a> {
    fn read(section: &Section<'a>) -> Self {
        const DURATION: &str = "a duration in quotes, such as \"15m\"";
        Self {
            idle_lock: section.text("idle_lock", DURATION),
            max_unlock: section.text("max_unlock", DURATION),
            lock_on: section.texts("lock_on", MAX_WORDS, "a list such as [\"suspend\"]"),
            prompt_wait: section.text("prompt_wait", DURATION),
            prompter: section.text("prompter", A_STRING),
            journal_keep: section.text("journal_keep", DURATION),
        }
    }
}

impl<'a> RawIdentity<'a> {
    fn read(name: Written<&'a str>, section: &Section<'a>) -> Self {
        Self {
            name,
            kind: section.needed_text("kind", "kind = \"iam-user\""),
            account: section.needed_text("account", "a name of [accounts] or 12 digits in quotes"),
            region: section.text("region", A_STRING),
            mfa_serial: section.text("mfa_serial", A_STRING),
            mfa: section.text("mfa", "\"prompt\" or \"command\""),
            mfa_command: section.texts("mfa_command", MAX_ARGV, AN_ARGV),
            mfa_session: section.text("mfa_session", "a duration in quotes, or \"off\""),
            store: section.text("store", "\"keyring\" or \"file\""),
            passphrase_command: section.texts("passphrase_command", MAX_ARGV, AN_ARGV),
            sts_endpoint: section.text("sts_endpoint", A_STRING),
            iam_endpoint: section.text("iam_endpoint", A_STRING),
            rotate_after: section.text("rotate_after", "a duration in quotes, such as \"90d\""),
            ca_bundle: section.text("ca_bundle", A_STRING),
        }
    }
}

impl<'a> RawProfile<'a> {
    fn read(name: Written<&'a str>, section: &Section<'a>) -> Self {
        let narrow = section.table("narrow", NARROW_KEYS);
        Self {
            name,
            identity: section.text("identity", A_STRING),
            role_arn: section.text("role_arn", A_STRING),
            account: section.text("account", "a name of [accounts] or 12 digits in quotes"),
            role: section.text("role", A_STRING),
            via: section.text("via", A_STRING),
            region: section.text("region", A_STRING),
            duration: section.text("duration", "a duration in quotes, such as \"1h\""),
            external_id: section.text("external_id", A_STRING),
            session_name: section.text("session_name", A_STRING),
            source_identity: section.text("source_identity", A_STRING),
            policy: section.any("policy"),
            policy_arns: section.texts("policy_arns", MAX_POLICY_ARNS, "a list of strings"),
            tags: tags(section),
            transitive_tags: section.texts("transitive_tags", MAX_TAGS, "a list of strings"),
            require: section.texts("require", MAX_WORDS, "a list such as [\"reason\"]"),
            narrow: narrow.map(|narrow| RawNarrow::read(&narrow)),
            scope_down: section.text("scope_down", "\"sts\""),
            notify: section.boolean("notify"),
            peers: peers(section),
        }
    }

    /// Where the profile begins.
    pub(super) fn place(&self) -> &Place {
        &self.name.place
    }
}

impl<'a> RawNarrow<'a> {
    fn read(section: &Section<'a>) -> Self {
        Self {
            policy: section.boolean("policy"),
            duration: section.boolean("duration"),
            tags: section.texts("tags", MAX_TAGS, "a list of tag keys"),
        }
    }
}

impl<'a> RawServe<'a> {
    fn read(name: Written<&'a str>, section: &Section<'a>) -> Self {
        Self {
            name,
            profile: section.needed_text("profile", "the NAME of a [profile.NAME]"),
            kind: section.needed_text("kind", "\"container\" or \"imds\""),
            port: section.needed_integer("port", "a port from 1024 to 65535"),
            imds_v1: section.boolean("imds_v1"),
        }
    }
}

fn tags<'a>(section: &Section<'a>) -> Vec<Written<(&'a str, Written<&'a str>)>> {
    let Some(tags) = section.names("tags") else {
        return Vec::new();
    };
    let entries = tags.counted_entries(MAX_TAGS, "session tags");
    let texts = entries.iter().filter_map(|entry| {
        let (key, value) = entry.value;
        let text = as_text(section.faults, &entry.with(value), A_STRING)?;
        Some(entry.with((key, text)))
    });
    texts.collect()
}

fn peers<'a>(section: &Section<'a>) -> Vec<RawPeer<'a>> {
    const EXPECTED: &str = "a list such as [{ exe = \"/usr/bin/terraform\" }]";
    let list = section.list("peers", MAX_PEERS, EXPECTED);
    let Some(rules) = list.into_here() else {
        return Vec::new();
    };
    if rules.value.is_empty() {
        let fault = Fault::wrong(&rules.place, "an empty list would let any process in");
        section
            .faults
            .error(fault.expected("an executable, or no peers at all"));
    }
    let rules = rules.value.iter().enumerate();
    let rules = rules.filter_map(|(index, rule)| {
        let section = Section::of(rule, PEER_KEYS, section.faults)?;
        Some(RawPeer::read(index, &section))
    });
    rules.collect()
}

impl<'a> RawPeer<'a> {
    fn read(index: usize, section: &Section<'a>) -> Self {
        const PATH: &str = "an absolute path";
        Self {
            index,
            place: section.place.clone(),
            exe: section.text("exe", PATH),
            parent: section.text("parent", PATH),
            ancestor: section.text("ancestor", PATH),
            unit: section.text("unit", "a systemd unit such as \"ci.service\""),
            cgroup: section.text("cgroup", "a path such as \"/system.slice/ci.service\""),
            any: section.boolean("any"),
            policy: section.any("policy"),
            duration: section.text("duration", "a duration in quotes, such as \"15m\""),
            confirm: section.boolean("confirm"),
        }
    }
}
