//! Starting: whose directory it is, and what is done about what lies in it.

use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o7777
}

fn open_error(place: &Place) -> String {
    FileJournal::open(&place.path(), options(0))
        .err()
        .unwrap()
        .to_string()
}

const FILE: &str = "audit-20261122-1.jsonl";

#[test]
fn everything_is_for_us_alone() {
    let place = Place::new();
    place.record([event(0)]);
    assert_eq!(mode(&place.path()), 0o700);
    assert_eq!(mode(place.path().parent().unwrap()), 0o700);
    assert_eq!(mode(&place.file(FILE)), 0o600);
    assert_eq!(mode(&place.file(".lock")), 0o600);
    std::fs::set_permissions(place.file(FILE), PermissionsExt::from_mode(0o644)).unwrap();
    place.record([event(1)]);
    assert_eq!(mode(&place.file(FILE)), 0o600);
}

#[test]
fn a_directory_that_others_may_enter_is_refused() {
    for bad in [0o701, 0o710, 0o750, 0o777] {
        let place = Place::new();
        std::fs::create_dir_all(place.path()).unwrap();
        std::fs::set_permissions(place.path(), PermissionsExt::from_mode(bad)).unwrap();
        let error = open_error(&place);
        assert!(
            error.ends_with(&format!("(mode {bad:03o}); chmod 700 it")),
            "{error}"
        );
    }
}

#[test]
fn a_directory_of_another_user_is_refused() {
    if !rustix::process::geteuid().is_root() {
        let error = super::super::files::prepare(Path::new("/"))
            .unwrap_err()
            .to_string();
        assert!(error.contains("it belongs to uid 0"), "{error}");
        return;
    }
    let place = Place::new();
    std::fs::create_dir_all(place.path()).unwrap();
    std::os::unix::fs::chown(place.path(), Some(12_345), None).unwrap();
    assert!(open_error(&place).ends_with("it belongs to uid 12345, not to us"));
}

#[test]
fn a_link_is_not_followed() {
    let place = Place::new();
    std::fs::create_dir_all(place.path().parent().unwrap()).unwrap();
    symlink("/tmp", place.path()).unwrap();
    assert!(open_error(&place).ends_with("it is not a directory"));

    let place = Place::new();
    place.record([]);
    let target = place.0.path().join("target");
    std::fs::write(&target, "").unwrap();
    symlink(&target, place.file(FILE)).unwrap();
    assert!(FileJournal::open(&place.path(), options(0)).is_err());
    assert_eq!(std::fs::read(&target).unwrap(), b"");
}

#[test]
fn one_agent_at_a_time() {
    let place = Place::new();
    let first = place.open(0);
    let error = open_error(&place);
    assert!(
        error.ends_with("journal/.lock: another agent writes it"),
        "{error}"
    );
    drop(first);
    place.record([event(0)]);
}

#[test]
fn a_second_start_goes_on_in_the_same_chain_and_file() {
    let place = Place::new();
    place.record([event(0)]);
    place.record([event(1)]);
    assert_eq!(place.names(), [FILE]);
    let uids = place.fields("/attestation_list/0/chain_uid");
    assert_eq!(uids[0], uids[1]);
    assert_eq!(place.damage(), Vec::<String>::new());
}

/// Behind an empty file, left by a crash just after it was made, the chain goes on where it stood.
#[test]
fn an_empty_newest_file_is_used() {
    let place = Place::new();
    place.record([event(0)]);
    std::fs::write(place.file("audit-20261123-1.jsonl"), "").unwrap();
    place.record([event(DAY)]);
    assert_eq!(place.names(), [FILE, "audit-20261123-1.jsonl"]);
    assert_eq!(
        place.activities(),
        ["lease.serve", "log.rotate", "lease.serve"]
    );
    assert_eq!(place.damage(), Vec::<String>::new());
}

#[test]
fn files_with_other_names_are_left_alone() {
    let place = Place::new();
    place.record([event(0)]);
    for name in [
        "audit-20261122-01.jsonl",
        "audit-20261399-1.jsonl",
        "audit-x-1.jsonl",
        "notes",
    ] {
        std::fs::write(place.file(name), "rubbish").unwrap();
    }
    place.record([event(1)]);
    assert_eq!(place.names(), [FILE]);
}

#[test]
fn a_damaged_file_is_left_as_it_is_and_the_journal_goes_on_behind_it() {
    for (from, to, what) in [
        ("Success", "Failure", "the hash does not fit the record"),
        ("{", "[", "it is not JSON"),
    ] {
        let place = Place::new();
        place.record([0, 1, 2].map(event));
        let damaged = place.text(FILE).replacen(from, to, 1) + "and a torn li";
        std::fs::write(place.file(FILE), &damaged).unwrap();

        let journal = place.open(3);
        assert!(!journal.health().healthy, "somebody has to look at it");
        write(&journal, event(4)).unwrap();
        assert!(!journal.health().healthy);
        drop(journal);

        assert_eq!(place.text(FILE), damaged, "the evidence stays");
        let second = place.text("audit-20261122-2.jsonl");
        assert!(
            second.contains(&format!("\"status_detail\":\"{FILE}:1: {what}\"")),
            "{second}"
        );
        let damage = place.damage();
        assert_eq!(damage.len(), 2, "{damage:?}");
        assert_eq!(damage[0], format!("{FILE}:1: {what}"));
        assert!(damage[1].starts_with(&format!("{FILE}:4: it is not complete")));
    }
}

#[test]
fn a_journal_without_a_single_record_is_begun_anew_behind_the_rubbish() {
    let place = Place::new();
    std::fs::create_dir_all(place.path()).unwrap();
    std::fs::set_permissions(place.path(), PermissionsExt::from_mode(0o700)).unwrap();
    std::fs::write(place.file(FILE), "rub\nbish\n").unwrap();
    place.record([event(0)]);
    assert_eq!(place.damage().len(), 2);
    let second = place.text("audit-20261122-2.jsonl");
    assert_eq!(
        second.lines().count(),
        2,
        "log.recover and the record: {second}"
    );
}
