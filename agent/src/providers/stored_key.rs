//! What a store keeps of an identity: a small versioned JSON text, the same in every store.
//!
//! ```json
//! {"version":2,"access_key_id":"AKIA…","secret_access_key":"…","since":"2026-11-22T06:00:00Z"}
//! ```
//!
//! While a rotation is under way there is also a `rotation`, with the other key beside the current one. Version 3 has
//! the `totp_seed` of an identity whose codes the agent makes itself; what has none is written as version 2. Version 1,
//! which had neither `since` nor `rotation`, is read and never written.

#[cfg(any(test, feature = "fuzzed"))]
pub(crate) mod fuzzed;

use std::time::Duration;

use jumpgate_api::{Secret, Timestamp};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::domain::identity::{AccessKeyId, LongTermKey};
use crate::domain::rotation::{DatedKey, Phase, Rotation, StoredKey};
use crate::domain::totp::TotpSeed;
use crate::ports::StoreError;

/// The largest text, in bytes. A longer one was not written by us.
pub(super) const MAX_BYTES: usize = 7168;

/// The longest secret access key, in bytes. AWS's have 40; each byte may become six in JSON.
const MAX_SECRET: usize = 512;

/// The most ids that a rotation remembers; AWS's limit is two.
const MAX_KNOWN: usize = 2;

/// Without a seed, and with one: who knows no seeds must not take it for a key without.
const VERSIONS: (u32, u32) = (2, 3);

/// Borrows the secrets on their way into a store: with the wire, the one place where they are written out.
#[derive(Serialize)]
struct Written<'a> {
    version: u32,
    access_key_id: &'a str,
    secret_access_key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    totp_seed: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rotation: Option<WrittenRotation<'a>>,
}

#[derive(Serialize)]
struct WrittenRotation<'a> {
    phase: &'a str,
    grace_seconds: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_key_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_access_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    known: Vec<&'a str>,
}

#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    #[serde(rename = "version")]
    _version: u32,
    access_key_id: String,
    secret_access_key: Secret<String>,
    since: Option<Timestamp>,
    totp_seed: Option<Secret<String>>,
    rotation: Option<ReadRotation>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReadRotation {
    phase: String,
    grace_seconds: u64,
    access_key_id: Option<String>,
    secret_access_key: Option<Secret<String>>,
    since: Option<Timestamp>,
    at: Option<Timestamp>,
    #[serde(default)]
    known: Vec<String>,
}

/// The text to keep.
///
/// # Errors
/// A secret that is empty or longer than any of AWS's could be.
pub(super) fn encode(stored: &StoredKey) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    let key = &stored.current.key;
    let rotation = stored.rotation.as_ref();
    let other = rotation.and_then(|rotation| key_beside(&rotation.phase));
    check_length(key)?;
    other.map_or(Ok(()), |other| check_length(&other.key))?;
    let seed = stored.totp_seed.as_ref();
    let written = Written {
        version: if seed.is_some() {
            VERSIONS.1
        } else {
            VERSIONS.0
        },
        access_key_id: key.access_key_id.as_str(),
        secret_access_key: key.secret_access_key.expose(),
        since: stored.current.since,
        totp_seed: seed.map(TotpSeed::expose),
        rotation: rotation.map(|rotation| written_rotation(rotation, other)),
    };
    // Never grows, so that no copy is left behind in freed memory.
    let mut text = Zeroizing::new(Vec::with_capacity(MAX_BYTES));
    serde_json::to_writer(&mut *text, &written).expect("strings and a number, into memory");
    Ok(text)
}

fn check_length(key: &LongTermKey) -> Result<(), StoreError> {
    let length = key.secret_access_key.expose().len();
    if (1..=MAX_SECRET).contains(&length) {
        return Ok(());
    }
    Err(StoreError::Unavailable {
        what: format!("the secret access key has {length} bytes"),
        remedy: format!("give one of 1 to {MAX_SECRET} bytes; AWS's have 40"),
    })
}

/// The other key that is stored with its secret.
const fn key_beside(phase: &Phase) -> Option<&DatedKey> {
    match phase {
        Phase::Created { next } => Some(next),
        Phase::Switched { former } | Phase::Retiring { former, .. } => Some(former),
        Phase::Creating { .. } | Phase::Withdrawing { .. } => None,
    }
}

fn written_rotation<'a>(
    rotation: &'a Rotation,
    other: Option<&'a DatedKey>,
) -> WrittenRotation<'a> {
    let phase = &rotation.phase;
    let (at, known) = match phase {
        Phase::Creating { known, at } => {
            (Some(*at), known.iter().map(AccessKeyId::as_str).collect())
        }
        Phase::Retiring { delete_at, .. } => (Some(*delete_at), Vec::new()),
        Phase::Created { .. } | Phase::Switched { .. } | Phase::Withdrawing { .. } => {
            (None, Vec::new())
        }
    };
    WrittenRotation {
        phase: phase.as_str(),
        grace_seconds: rotation.grace.as_secs(),
        access_key_id: phase.other().map(AccessKeyId::as_str),
        secret_access_key: other.map(|other| other.key.secret_access_key.expose().as_str()),
        since: other.and_then(|other| other.since),
        at,
        known,
    }
}

/// The key of a kept text.
///
/// # Errors
/// [`StoreError::Malformed`] for what [`encode`] did not write. Says nothing of the text itself: the messages
/// of a JSON parser quote what they stumble over.
pub(super) fn decode(text: &[u8]) -> Result<StoredKey, StoreError> {
    if text.len() > MAX_BYTES {
        return Err(malformed(format!("more than {MAX_BYTES} bytes")));
    }
    let Ok(Versioned { version }) = serde_json::from_slice(text) else {
        return Err(malformed("not JSON with a version"));
    };
    if !(1..=VERSIONS.1).contains(&version) {
        let newest = VERSIONS.1;
        let what = format!("it has version {version}, and this program knows 1 to {newest}");
        return Err(malformed(what));
    }
    let read: Read = serde_json::from_slice(text)
        .map_err(|_| malformed("not an access key id and a secret access key"))?;
    Ok(StoredKey {
        current: DatedKey {
            key: long_term(&read.access_key_id, read.secret_access_key)?,
            since: read.since,
        },
        totp_seed: read.totp_seed.map(seed).transpose()?,
        rotation: read.rotation.map(rotation).transpose()?,
    })
}

fn long_term(id: &str, secret: Secret<String>) -> Result<LongTermKey, StoreError> {
    let access_key_id = id_of(id)?;
    let length = secret.expose().len();
    if length == 0 || length > MAX_SECRET {
        return Err(malformed(format!(
            "the secret access key has {length} bytes"
        )));
    }
    Ok(LongTermKey {
        access_key_id,
        secret_access_key: secret,
    })
}

fn seed(text: Secret<String>) -> Result<TotpSeed, StoreError> {
    TotpSeed::parse(text.expose()).map_err(|_| malformed("the TOTP seed is not one"))
}

fn id_of(text: &str) -> Result<AccessKeyId, StoreError> {
    AccessKeyId::parse(text).map_err(|_| malformed("the access key id is not one"))
}

fn rotation(read: ReadRotation) -> Result<Rotation, StoreError> {
    let id = read.access_key_id.as_deref();
    let other = match (id, read.secret_access_key) {
        (Some(id), Some(secret)) => Some(DatedKey {
            key: long_term(id, secret)?,
            since: read.since,
        }),
        _ => None,
    };
    let phase = match (read.phase.as_str(), other, id, read.at) {
        ("creating", None, None, Some(at)) if read.known.len() <= MAX_KNOWN => Phase::Creating {
            known: read
                .known
                .iter()
                .map(|id| id_of(id))
                .collect::<Result<_, _>>()?,
            at,
        },
        ("created", Some(next), _, None) => Phase::Created { next },
        ("switched", Some(former), _, None) => Phase::Switched { former },
        ("retiring", Some(former), _, Some(delete_at)) => Phase::Retiring { former, delete_at },
        ("withdrawing", None, Some(id), None) => Phase::Withdrawing { doomed: id_of(id)? },
        _ => return Err(malformed("its rotation is none")),
    };
    let grace = Duration::from_secs(read.grace_seconds);
    Ok(Rotation { phase, grace })
}

fn malformed(what: impl Into<String>) -> StoreError {
    StoreError::Malformed { what: what.into() }
}

#[cfg(test)]
mod tests;
