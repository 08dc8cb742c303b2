//! Whatever is changed in a journal is found.

use super::super::files::list;
use super::super::verify::MAX_FINDINGS;
use super::*;

/// The files and their lines, newlines included.
fn lines_of(place: &Place) -> Vec<(String, Vec<String>)> {
    let lines = |name: &String| {
        place
            .text(name)
            .split_inclusive('\n')
            .map(str::to_owned)
            .collect()
    };
    place
        .names()
        .into_iter()
        .map(|name| (name.clone(), lines(&name)))
        .collect()
}

/// Two files of three records each.
fn sample() -> (Place, Vec<(String, Vec<String>)>) {
    let place = Place::new();
    place.record([0, 1, 2, DAY, DAY + 1].map(event));
    let files = lines_of(&place);
    assert!(files.len() == 2 && files.iter().all(|(_, lines)| lines.len() == 3));
    assert_eq!(place.damage(), Vec::<String>::new());
    (place, files)
}

#[test]
fn any_changed_byte_is_found() {
    let place = Place::new();
    place.record([0, DAY].map(event));
    let files = lines_of(&place);
    for (name, lines) in &files {
        let whole = lines.concat().into_bytes();
        for (offset, flip) in (0..whole.len()).flat_map(|at| [1, 0x20, 0x80].map(|f| (at, f))) {
            let mut changed = whole.clone();
            changed[offset] ^= flip;
            std::fs::write(place.file(name), &changed).unwrap();
            assert!(
                !place.damage().is_empty(),
                "{name}, byte {offset}, flipped by {flip:#x}"
            );
        }
        std::fs::write(place.file(name), &whole).unwrap();
    }
    assert_eq!(place.damage(), Vec::<String>::new());
}

#[test]
fn any_removed_doubled_or_swapped_line_is_found() {
    let (place, files) = sample();
    for (name, lines) in &files {
        let newest = name == &files[1].0;
        for first in 0..lines.len() {
            let mut removed = lines.clone();
            removed.remove(first);
            // Nothing behind it refers to the newest record.
            let seen = expect_damage(&place, name, &removed);
            assert_eq!(
                seen,
                !(newest && first == lines.len() - 1),
                "{name}: {first} removed"
            );
            let mut doubled = lines.clone();
            doubled.insert(first, lines[first].clone());
            assert!(
                expect_damage(&place, name, &doubled),
                "{name}: {first} doubled"
            );
            for second in first + 1..lines.len() {
                let mut swapped = lines.clone();
                swapped.swap(first, second);
                assert!(
                    expect_damage(&place, name, &swapped),
                    "{name}: {first} and {second}"
                );
            }
        }
        std::fs::write(place.file(name), lines.concat()).unwrap();
    }
    let oldest = &files[0].0;
    std::fs::remove_file(place.file(oldest)).unwrap();
    assert_eq!(
        place.damage(),
        ["audit-20261123-1.jsonl:1: what came before it is missing, and no log.prune names it"]
    );
}

fn expect_damage(place: &Place, name: &str, lines: &[String]) -> bool {
    std::fs::write(place.file(name), lines.concat()).unwrap();
    !place.damage().is_empty()
}

#[test]
fn one_fault_is_reported_once_and_in_its_place() {
    let (place, files) = sample();
    let (name, lines) = &files[0];
    let with = |line: &str| lines[0].clone() + line + "\n" + &lines[2];
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(9000));
    let spaced = lines[1].trim_end().replacen(':', ": ", 1);
    let forged = lines[1].trim_end().replace("Success", "Failure");
    let floating = lines[1]
        .trim_end()
        .replacen("\"severity_id\":1", "\"severity_id\":1.5", 1);
    for (line, what) in [
        ("rubbish", "it is not JSON"),
        ("", "it is not JSON"),
        ("{\"a\":\"\\ud800\"}", "it is not JSON"),
        (&spaced, "it is not in canonical form"),
        (
            "{}",
            "it has no attestation_list[0] with chain_uid and hash, or no time",
        ),
        (&forged, "the hash does not fit the record"),
        (&floating, "the hash does not fit the record"),
        (&long, "it is too long"),
    ] {
        std::fs::write(place.file(name), with(line)).unwrap();
        assert_eq!(place.damage(), [format!("{name}:2: {what}")]);
    }
}

#[test]
fn a_record_of_another_journal_is_found() {
    let (place, files) = sample();
    let other = Place::new();
    let mut options = options(0);
    options.entropy = Arc::new(Counting(AtomicU64::new(1000)));
    drop(write(
        &FileJournal::open(&other.path(), options).unwrap(),
        event(0),
    ));
    let foreign = other.text(&other.names()[0]);
    std::fs::write(place.file("audit-20261124-1.jsonl"), foreign).unwrap();
    assert_eq!(place.names().len(), files.len() + 1);
    let damage = place.damage();
    assert!(
        damage[0].starts_with("audit-20261124-1.jsonl:1: it does not follow"),
        "{damage:?}"
    );
    assert_eq!(
        damage[1],
        "audit-20261124-1.jsonl:1: it belongs to another journal"
    );
}

#[test]
fn a_rubbish_journal_makes_a_bounded_report() {
    let place = Place::new();
    std::fs::create_dir_all(place.path()).unwrap();
    let rubbish = "x\n".repeat(MAX_FINDINGS + 1);
    std::fs::write(place.file("audit-20261122-1.jsonl"), rubbish).unwrap();
    assert_eq!(place.damage().len(), MAX_FINDINGS);
}

#[test]
fn a_clock_that_was_set_back_is_a_note() {
    let place = Place::new();
    place.record([1000, 701, 1001, 700].map(event));
    let report = verify(&place.path());
    assert_eq!(report.damage, []);
    let notes: Vec<_> = report
        .notes
        .iter()
        .map(|note| (note.line, note.what.as_str()))
        .collect();
    assert_eq!(notes, [(4, "the clock went back by 301 s")]);
}

#[test]
fn a_running_agent_finds_that_its_newest_records_were_removed() {
    let place = Place::new();
    let journal = place.open(0);
    write(&journal, event(0)).unwrap();
    let length = place.text("audit-20261122-1.jsonl").len() as u64;
    write(&journal, event(1)).unwrap();
    assert_eq!(block_on(journal.report()).unwrap().damage, []);
    let file = std::fs::File::options()
        .write(true)
        .open(place.file("audit-20261122-1.jsonl"));
    file.unwrap().set_len(length).unwrap();
    let damage = block_on(journal.report()).unwrap().damage;
    assert_eq!(
        damage[0].what,
        "the newest record is not the last one that this agent wrote"
    );
    assert_eq!(list(&place.path()).unwrap().len(), 1);
}

#[test]
fn a_directory_that_cannot_be_read_is_damage() {
    let report = verify(Path::new("/nonexistent/journal"));
    assert_eq!(report.damage.len(), 1);
}

/// Not even a link to a good one.
#[test]
fn a_file_that_cannot_be_read_is_damage_and_the_others_are_read() {
    let (place, files) = sample();
    let (path, target) = (place.file(&files[0].0), place.0.path().join("elsewhere"));
    std::fs::rename(&path, &target).unwrap();
    std::os::unix::fs::symlink(&target, &path).unwrap();
    let report = verify(&place.path());
    assert_eq!((report.files.len(), report.records), (2, 3));
    let damage = place.damage();
    assert_eq!(damage.len(), 1, "{damage:?}");
    assert!(damage[0].starts_with(&format!("{}:0: the file cannot be read", files[0].0)));
}
