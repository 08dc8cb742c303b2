//! The hash chain: how a record becomes a line, and what a line says of itself.
//!
//! A line is canonical JSON: no white space, members in the order of their names' bytes, texts escaped as JSON
//! demands and no further, integers only. `attestation_list[0]` holds `chain_uid` (which journal), `prev` (the
//! hash of the record before; absent in the very first) and `hash`: SHA-256 of the same line without the member
//! `hash`.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::MAX_RECORD;
use super::fit::fit;

/// What the chain adds to a record at most: `"attestation_list":[{"chain_uid":"…","hash":"…","prev":"…"}],`
/// with 26, 64 and 64 characters.
const ATTESTATION: usize = 212;

/// The end of the line: `\n`.
const NEWLINE: usize = 1;

/// Where a journal's chain stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chain {
    /// Which journal: a ULID made with it.
    pub(super) uid: String,
    /// The last record's hash.
    pub(super) head: Option<String>,
}

impl Chain {
    /// The record as the chain's next line, without its newline.
    pub(super) fn seal(&mut self, record: Map<String, Value>) -> String {
        let mut record = fit(record, MAX_RECORD - NEWLINE - ATTESTATION);
        let mut link = Map::new();
        link.insert("chain_uid".to_owned(), Value::from(self.uid.clone()));
        if let Some(head) = &self.head {
            link.insert("prev".to_owned(), Value::from(head.clone()));
        }
        record.insert(
            "attestation_list".to_owned(),
            Value::from(vec![link.clone()]),
        );
        let hash = sha256_hex(canonical(&record).as_bytes());
        link.insert("hash".to_owned(), Value::from(hash.clone()));
        record.insert("attestation_list".to_owned(), Value::from(vec![link]));
        self.head = Some(hash);
        canonical(&record)
    }
}

/// What a line says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Link {
    /// Which journal.
    pub(super) chain_uid: String,
    /// The hash of the record before.
    pub(super) prev: Option<String>,
    /// Its own hash, as stated.
    pub(super) hash: String,
    /// Whether the stated hash fits the line.
    pub(super) fits: bool,
    /// When, in ms since 1970.
    pub(super) time: i64,
    /// Of `log.prune`: the last hash of the file that was removed.
    pub(super) pruned_head: Option<String>,
}

/// Why a line is no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoRecord {
    #[error("it is not JSON")]
    Malformed,
    #[error("it is not in canonical form")]
    OtherForm,
    #[error("it has no attestation_list[0] with chain_uid and hash, or no time")]
    Unchained,
}

/// Reads a line without its newline.
pub(super) fn read_link(line: &[u8]) -> Result<Link, NoRecord> {
    let mut record: Map<String, Value> =
        serde_json::from_slice(line).map_err(|_| NoRecord::Malformed)?;
    if canonical(&record).as_bytes() != line {
        return Err(NoRecord::OtherForm);
    }
    link_of(&mut record).ok_or(NoRecord::Unchained)
}

fn link_of(record: &mut Map<String, Value>) -> Option<Link> {
    let link = record
        .get_mut("attestation_list")?
        .get_mut(0)?
        .as_object_mut()?;
    let hash = text(&link.remove("hash")?).filter(|hash| hash.len() == 64)?;
    let chain_uid = text(link.get("chain_uid")?).filter(|uid| uid.len() == 26)?;
    let prev = link.get("prev").and_then(text);
    Some(Link {
        chain_uid,
        prev,
        fits: sha256_hex(canonical(record).as_bytes()) == hash,
        hash,
        time: record.get("time")?.as_i64()?,
        pruned_head: pruned_head(record),
    })
}

fn pruned_head(record: &Map<String, Value>) -> Option<String> {
    if record.get("activity_name")? != "log.prune" {
        return None;
    }
    text(record.get("unmapped")?.get("jumpgate")?.get("head")?)
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn canonical(record: &Map<String, Value>) -> String {
    serde_json::to_string(record).expect("a map of texts and numbers has a JSON text")
}

/// Lower-case hex.
pub(super) fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
