//! The hash chain: how a record becomes a line, and what a line says of itself.
//!
//! A line is canonical JSON: no white space, members in the order of their names' bytes, texts escaped as JSON
//! demands and no further, integers only. `attestation_list[0]` holds `chain_uid` (which journal), `prev` (the
//! hash of the record before; absent in the very first) and `hash`: SHA-256 of the same line without the member
//! `hash`.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::MAX_RECORD;
use super::fit::{cut_to, printable};

/// What the chain adds to a record at most: `"attestation_list":[{"chain_uid":"…","hash":"…","prev":"…"}],`
/// with 26, 64 and 64 characters.
const ATTESTATION: usize = 212;

/// What of it the hash is.
const HASH: usize = 74;

/// The member of a record that holds its link.
const LINKS: &str = "attestation_list";

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
    pub(super) fn seal(&mut self, mut record: Map<String, Value>) -> String {
        printable(&mut record);
        let mut line = self.unhashed(&mut record);
        if line.len() + HASH + NEWLINE > MAX_RECORD {
            record.remove(LINKS);
            cut_to(&mut record, MAX_RECORD - NEWLINE - ATTESTATION);
            line = self.unhashed(&mut record);
        }
        let hash = sha256_hex(line.as_bytes());
        self.put_in(&hash, &mut line);
        self.head = Some(hash);
        line
    }

    /// The line as it is hashed.
    fn unhashed(&self, record: &mut Map<String, Value>) -> String {
        let mut link = Map::new();
        link.insert("chain_uid".to_owned(), Value::from(self.uid.clone()));
        if let Some(head) = &self.head {
            link.insert("prev".to_owned(), Value::from(head.clone()));
        }
        record.insert(LINKS.to_owned(), Value::from(vec![link]));
        canonical(record)
    }

    /// Puts the hash into its line, behind `chain_uid`, instead of writing all of it once more. No text within the line can
    /// look like that place: its quotes are escaped.
    fn put_in(&self, hash: &str, line: &mut String) {
        let place = format!(r#""{LINKS}":[{{"chain_uid":"{}""#, self.uid);
        let start = line.find(&place).expect("every record is linked");
        line.insert_str(start + place.len(), &format!(r#","hash":"{hash}""#));
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
    let link = record.get_mut(LINKS)?.get_mut(0)?.as_object_mut()?;
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
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        text.push(DIGITS[usize::from(byte >> 4)]);
        text.push(DIGITS[usize::from(byte & 15)]);
    }
    text
}
