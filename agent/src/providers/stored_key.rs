//! What a store keeps of an identity: a small versioned JSON text, the same in every store.
//!
//! ```json
//! {"version":1,"access_key_id":"AKIA…","secret_access_key":"…"}
//! ```

use jumpgate_api::Secret;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::domain::identity::{AccessKeyId, LongTermKey};
use crate::ports::StoreError;

/// The largest text, in bytes. A longer one was not written by us.
pub(super) const MAX_BYTES: usize = 4096;

/// The longest secret access key, in bytes. AWS's have 40; each byte may become six in JSON.
const MAX_SECRET: usize = 512;

const VERSION: u32 = 1;

/// Borrows the secret on its way into a store: with the wire, the one place where it is written out.
#[derive(Serialize)]
struct Written<'a> {
    version: u32,
    access_key_id: &'a str,
    secret_access_key: &'a str,
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
}

/// The text to keep.
///
/// # Errors
/// A secret that is empty or longer than any of AWS's could be.
pub(super) fn encode(key: &LongTermKey) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    let secret = key.secret_access_key.expose();
    if secret.is_empty() || secret.len() > MAX_SECRET {
        return Err(StoreError::Unavailable {
            what: format!("the secret access key has {} bytes", secret.len()),
            remedy: format!("give one of 1 to {MAX_SECRET} bytes; AWS's have 40"),
        });
    }
    let written = Written {
        version: VERSION,
        access_key_id: key.access_key_id.as_str(),
        secret_access_key: secret,
    };
    // Never grows, so that no copy is left behind in freed memory.
    let mut text = Zeroizing::new(Vec::with_capacity(MAX_BYTES));
    serde_json::to_writer(&mut *text, &written).expect("strings and a number, into memory");
    Ok(text)
}

/// The key of a kept text.
///
/// # Errors
/// [`StoreError::Malformed`] for what [`encode`] did not write. Says nothing of the text itself: the messages
/// of a JSON parser quote what they stumble over.
pub(super) fn decode(text: &[u8]) -> Result<LongTermKey, StoreError> {
    if text.len() > MAX_BYTES {
        return Err(malformed(format!("more than {MAX_BYTES} bytes")));
    }
    let Ok(Versioned { version }) = serde_json::from_slice(text) else {
        return Err(malformed("not JSON with a version"));
    };
    if version != VERSION {
        let what = format!("it has version {version}, and this program knows {VERSION}");
        return Err(malformed(what));
    }
    let read: Read = serde_json::from_slice(text)
        .map_err(|_| malformed("not an access key id and a secret access key"))?;
    let access_key_id = AccessKeyId::parse(&read.access_key_id)
        .map_err(|_| malformed("the access key id is not one"))?;
    let length = read.secret_access_key.expose().len();
    if length == 0 || length > MAX_SECRET {
        return Err(malformed(format!(
            "the secret access key has {length} bytes"
        )));
    }
    Ok(LongTermKey {
        access_key_id,
        secret_access_key: read.secret_access_key,
    })
}

fn malformed(what: impl Into<String>) -> StoreError {
    StoreError::Malformed { what: what.into() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;
    use crate::providers::samples::key;

    #[test]
    fn the_text_is_fixed() {
        assert_eq!(
            encode(&key("a/b+c")).unwrap().as_slice(),
            br#"{"version":1,"access_key_id":"AKIAIOSFODNN7EXAMPLE","secret_access_key":"a/b+c"}"#
        );
    }

    proptest! {
        #[test]
        fn what_was_kept_is_read(secret in "\\PC{1,128}|[\\x00-\\x1f\"\\\\]{1,512}") {
            let text = encode(&key(&secret)).unwrap();
            prop_assert_eq!(text.capacity(), MAX_BYTES, "grew, and left a copy behind");
            prop_assert_eq!(decode(&text).unwrap(), key(&secret));
        }
    }

    #[test]
    fn secrets_of_no_legal_length_are_not_kept() {
        for secret in ["", &"x".repeat(513)] {
            assert!(matches!(
                encode(&key(secret)),
                Err(StoreError::Unavailable { .. })
            ));
        }
    }

    #[test]
    fn damaged_texts_are_named_and_not_quoted() {
        let id = r#""access_key_id":"AKIAIOSFODNN7EXAMPLE""#;
        let table = [
            (String::new(), "not JSON with a version"),
            ("CANARY".into(), "not JSON with a version"),
            (r#"{"version":"CANARY"}"#.into(), "not JSON with a version"),
            (
                format!(r#"{{"version":2,{id},"secret_access_key":"CANARY"}}"#),
                "it has version 2, and this program knows 1",
            ),
            (
                format!(r#"{{"version":1,{id},"secret_access_key":["CANARY"]}}"#),
                "not an access key id and a secret access key",
            ),
            (
                format!(r#"{{"version":1,{id},"secret_access_key":"s","CANARY":1}}"#),
                "not an access key id and a secret access key",
            ),
            (
                format!(r#"{{"version":1,{id}}}"#),
                "not an access key id and a secret access key",
            ),
            (
                r#"{"version":1,"access_key_id":"CANARY","secret_access_key":"CANARY"}"#.into(),
                "the access key id is not one",
            ),
            (
                format!(r#"{{"version":1,{id},"secret_access_key":""}}"#),
                "the secret access key has 0 bytes",
            ),
            (
                format!(r#"{{"version":1,{id},"secret_access_key":"CANARY"}}"#)
                    + &" ".repeat(MAX_BYTES),
                "more than 4096 bytes",
            ),
        ];
        for (text, what) in table {
            let error = decode(text.as_bytes()).unwrap_err();
            assert_eq!(error, malformed(what), "{text}");
            assert!(!format!("{error} {error:?}").contains("CANARY"), "{text}");
        }
    }
}
