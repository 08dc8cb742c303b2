//! Percent-encoding, and the parameters of the Query protocol.

use std::collections::{BTreeMap, BTreeSet};

/// Decodes %XX, and `+` as a blank where `form` says so; a broken escape stays as it is.
pub(super) fn decoded(text: &str, form: bool) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escape = (bytes[at] == b'%')
            .then(|| text.get(at + 1..at + 3))
            .flatten();
        match (
            bytes[at],
            escape.and_then(|hex| u8::from_str_radix(hex, 16).ok()),
        ) {
            (_, Some(byte)) => {
                out.push(byte);
                at += 2;
            }
            (b'+', None) if form => out.push(b' '),
            (byte, None) => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// SigV4's URI encoding: everything but the unreserved characters, and `/` where `slash` says so.
pub(super) fn encoded(text: &str, slash: bool) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            b'/' if slash => out.push('/'),
            other => out.push_str(&format!("%{other:02X}")),
        }
        out
    })
}

/// Name-value pairs of a query string or a form.
pub(super) fn pairs(text: &str, form: bool) -> Vec<(String, String)> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decoded(name, form), decoded(value, form)))
        .collect()
}

/// The parameters of one Query call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Params {
    values: BTreeMap<String, String>,
    twice: BTreeSet<String>,
}

impl Params {
    pub(super) fn from_pairs(pairs: Vec<(String, String)>) -> Params {
        let mut params = Params::default();
        for (name, value) in pairs {
            if params.values.contains_key(&name) {
                params.twice.insert(name.clone());
            }
            params.values.insert(name, value);
        }
        params
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    pub(super) fn all(&self) -> &BTreeMap<String, String> {
        &self.values
    }

    /// A parameter that was given twice, if any.
    pub(super) fn repeated(&self) -> Option<&str> {
        self.twice.iter().next().map(String::as_str)
    }

    /// The members of a list of strings: `Name.member.N`.
    pub(super) fn strings(&self, list: &str) -> Vec<String> {
        self.members(list)
            .into_values()
            .filter_map(|mut fields| fields.remove(""))
            .collect()
    }

    /// The members of a list of structures: `Name.member.N.Field`, in the order of N.
    pub(super) fn members(&self, list: &str) -> BTreeMap<u32, BTreeMap<String, String>> {
        let mut members: BTreeMap<u32, BTreeMap<String, String>> = BTreeMap::new();
        let prefix = format!("{list}.member.");
        for (name, value) in &self.values {
            let Some(rest) = name.strip_prefix(&prefix) else {
                continue;
            };
            let (index, field) = rest.split_once('.').unwrap_or((rest, ""));
            if let Ok(index) = index.parse() {
                members
                    .entry(index)
                    .or_default()
                    .insert(field.to_owned(), value.clone());
            }
        }
        members
    }
}
