//! Journal files. Law: any bytes are read and verified, and what is no whole record is reported; records of any texts become
//! a journal that verifies; the same with one byte changed never does, and every line of it can still be read.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use jumpgate_api::Timestamp;

use super::MAX_RECORD;
use super::chain::{Chain, read_link};
use super::read::{Begin, raw_lines};
use super::record::compose;
use super::verify::verify;
use crate::domain::event::{Activity, Event};
use crate::domain::peer::Peer;
use crate::fuzzed::{line_and_rest, text};

const FILE: &str = "audit-20261122-1.jsonl";

/// Any bytes as a journal file.
pub(crate) fn file(data: &[u8]) {
    RAW.with(|place| is_read(place.write(data), data));
}

fn is_read(place: &Path, data: &[u8]) {
    let report = verify(place, None).unwrap();
    let lines = raw_lines(place, Begin::Oldest, None).unwrap();
    let lines: Vec<String> = lines.map(Result::unwrap).collect();
    let written = data.split_inclusive(|byte| *byte == b'\n').count();
    assert_eq!(lines.len(), written);
    assert!(lines.iter().all(|line| line.len() <= 3 * MAX_RECORD));
    let damaged = report.damage.iter().filter(|place| place.line > 0).count();
    let sound = usize::try_from(report.records).unwrap();
    assert!(sound <= written && (sound + damaged >= written || damaged >= 1_000));
    for wanted in [0, 1, written, usize::MAX] {
        let last = raw_lines(place, Begin::Last(wanted), None).unwrap();
        let last: Vec<String> = last.map(Result::unwrap).collect();
        assert_eq!(last, lines[written - wanted.min(written)..]);
    }
}

/// Where a byte is changed and by what, as `4000 32`; then texts for records, one a line.
pub(crate) fn chain(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let (change, texts) = line_and_rest(text);
    let mut chain = Chain {
        uid: "01KAN000000000000000000000".to_owned(),
        head: None,
    };
    let mut journal = String::new();
    for (number, text) in texts.split('\n').take(8).enumerate() {
        let line = chain.seal(compose(&event(number, text), "01KAN0".to_owned(), "0.1.0"));
        assert!(line.len() < MAX_RECORD && !line.contains('\n'), "{line}");
        assert!(read_link(line.as_bytes()).unwrap().fits, "{line}");
        journal.push_str(&line);
        journal.push('\n');
    }
    let mut bytes = journal.into_bytes();
    let damage =
        |bytes: &[u8]| CHAINED.with(|place| verify(place.write(bytes), None).unwrap().damage);
    assert_eq!(damage(&bytes), []);
    let mut change = change.split(' ').map(|number| number.parse::<usize>());
    if let (Some(Ok(at)), Some(Ok(by))) = (change.next(), change.next()) {
        let at = at % bytes.len();
        bytes[at] ^= u8::try_from(by & 0xff).unwrap().max(1);
        assert_ne!(
            damage(&bytes),
            [],
            "byte {at}: {}",
            String::from_utf8_lossy(&bytes)
        );
    }
}

/// An event whose texts are the caller's.
fn event(number: usize, text: &str) -> Event {
    let (activity, free) = match text.split_at_checked(1) {
        Some(("d", rest)) => (Activity::Deny, rest),
        Some(("p", rest)) => (Activity::LogPrune, rest),
        _ => (Activity::LeaseIssue, text),
    };
    let mut words = free.split('\t').map(str::to_owned);
    let at = Timestamp::from_unix_seconds(1_795_305_600 + i64::try_from(number).unwrap());
    let mut event = Event::new(activity, at);
    event.failure = words.next();
    event.detail = words.next();
    event.peer = Some(Peer {
        pid: 1,
        uid: 1000,
        executable: words.next(),
        origin: None,
    });
    event.facts.reason = words.next();
    event.facts.ticket = words.next();
    event.facts.profile = words.next();
    event.facts.session_name = words.next();
    event.facts.tags = words.map(|word| (word.clone(), word)).collect();
    event
}

/// A directory in memory where there is one: a target writes thousands of files a second.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let shared = Path::new("/dev/shm");
        let memory = match shared.is_dir() {
            true => shared.to_owned(),
            false => std::env::temp_dir(),
        };
        let place = memory.join(format!("jumpgate-fuzzed-{}-{name}", std::process::id()));
        fs::create_dir_all(&place).unwrap();
        Self(place)
    }

    fn write(&self, bytes: &[u8]) -> &Path {
        fs::write(self.0.join(FILE), bytes).unwrap();
        &self.0
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _gone_already = fs::remove_dir_all(&self.0);
    }
}

thread_local! {
    static RAW: Place = Place::new("raw");
    static CHAINED: Place = Place::new("chained");
}
