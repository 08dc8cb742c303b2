//! Torn lines and killed agents.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use super::*;

const FILE: &str = "audit-20261122-1.jsonl";

/// Where a crash could have cut the last of three records.
#[test]
fn a_line_torn_anywhere_is_set_aside() {
    let place = Place::new();
    place.record([0, 1, 2].map(event));
    let whole = place.text(FILE);
    let last = whole.trim_end().rfind('\n').unwrap() + 1;
    for end in last + 1..whole.len() {
        recovers(&whole.as_bytes()[..end], &whole.as_bytes()[last..end]);
    }
}

/// What file systems put in place of blocks that were never written, and what an editor leaves.
#[test]
fn a_last_line_that_cannot_be_read_is_set_aside() {
    let place = Place::new();
    place.record([event(0)]);
    let whole = place.text(FILE);
    for rubbish in [
        "\0".repeat(5000),
        "{\"a\n".to_owned(),
        "x".repeat(50_000),
        "\n".to_owned(),
    ] {
        recovers((whole.clone() + &rubbish).as_bytes(), rubbish.as_bytes());
    }
}

#[test]
fn a_line_torn_in_the_very_first_record_is_set_aside() {
    recovers(b"{\"activity", b"{\"activity");
}

fn recovers(found: &[u8], torn: &[u8]) {
    let place = Place::new();
    place.record([]);
    std::fs::write(place.file(FILE), found).unwrap();
    let before = verify(&place.path()).records;
    let journal = place.open(3);
    assert!(journal.health().healthy, "a crash is no damage");
    write(&journal, event(4)).unwrap();
    drop(journal);
    assert_eq!(place.damage(), Vec::<String>::new(), "{found:?}");
    let after = &place.activities()[usize::try_from(before).unwrap()..];
    assert_eq!(after, ["log.recover", "lease.serve"]);
    let kept: Vec<_> = std::fs::read_dir(place.file("torn")).unwrap().collect();
    assert_eq!(kept.len(), 1);
    assert_eq!(
        std::fs::read(kept[0].as_ref().unwrap().path()).unwrap(),
        torn
    );
}

/// Not a test of its own: what the one below starts and kills. Writes in the journal beside it and says so, for
/// as long as it lives; in turns what is flushed first and what is not.
#[test]
#[ignore = "started by an_agent_killed_while_it_writes_loses_nothing"]
fn endless_writer() {
    let journal = FileJournal::open(Path::new("journal"), options(0)).unwrap();
    let mut out = std::io::stdout();
    block_on(async {
        for round in 0.. {
            let kind = if round % 2 == 0 { event } else { issuing };
            let records: Vec<_> = (0..8).map(|_| journal.record(kind(round))).collect();
            for record in records {
                record.await.unwrap();
                writeln!(out, "written").unwrap();
            }
            out.flush().unwrap();
        }
    });
}

/// In 50 rounds on one journal, after another number of records each.
#[test]
fn an_agent_killed_while_it_writes_loses_nothing() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("journal");
    let mut acknowledged = 0;
    for round in 0..50_usize {
        acknowledged += kill_after(home.path(), 1 + round * 7 % 23);
        drop(FileJournal::open(&path, options(0)).unwrap());
        let report = verify(&path);
        assert_eq!(report.damage, [], "round {round}");
        assert!(
            report.records >= acknowledged,
            "round {round}: a record was lost"
        );
    }
}

/// Starts a writer, kills it after so many records, returns how many it said it wrote.
fn kill_after(home: &Path, records: usize) -> u64 {
    let name = "providers::journal::tests::crash::endless_writer";
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--ignored", "--nocapture"])
        .current_dir(home)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap);
    let mut said = lines.by_ref().filter(|line| line.ends_with("written"));
    let before = said.by_ref().take(records).count();
    child.kill().unwrap();
    let after = said.count();
    child.wait().unwrap();
    assert_eq!(before, records, "the writer ended by itself");
    (before + after) as u64
}
