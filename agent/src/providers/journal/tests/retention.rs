//! New files, and old ones that go.

use super::super::ROTATE_AT;
use super::*;

#[test]
fn each_day_has_its_file_and_the_chain_goes_on() {
    let place = Place::new();
    place.record([0, DAY - 1, DAY, DAY - 1, DAY + 1, 2 * DAY].map(event));
    let names = [
        "audit-20261122-1.jsonl",
        "audit-20261123-1.jsonl",
        "audit-20261124-1.jsonl",
    ];
    assert_eq!(place.names(), names);
    let text = place.text(names[1]);
    assert_eq!(
        text.lines().count(),
        4,
        "a second back over midnight starts no file"
    );
    assert!(
        text.lines()
            .next()
            .unwrap()
            .contains("\"activity_name\":\"log.rotate\"")
    );
    assert_eq!(place.damage(), Vec::<String>::new());
}

#[test]
fn a_clock_set_back_by_days_counts_on_under_the_newest_name() {
    let place = Place::new();
    place.record([10 * DAY, 0, 1].map(event));
    assert_eq!(
        place.names(),
        ["audit-20261202-1.jsonl", "audit-20261202-2.jsonl"]
    );
    assert_eq!(place.damage(), Vec::<String>::new());
}

#[test]
fn a_full_file_is_followed_by_another() {
    let place = Place::new();
    let mut long = event(0);
    long.facts.reason = Some("r".repeat(7400));
    let journal = place.open(0);
    block_on(async {
        let records: Vec<_> = (0..2500).map(|_| journal.record(long.clone())).collect();
        for record in records {
            record.await.unwrap();
        }
    });
    drop(journal);
    assert_eq!(
        place.names(),
        ["audit-20261122-1.jsonl", "audit-20261122-2.jsonl"]
    );
    let length = place
        .file("audit-20261122-1.jsonl")
        .metadata()
        .unwrap()
        .len();
    let batch = (super::super::MAX_BATCH * super::super::MAX_RECORD) as u64;
    assert!((ROTATE_AT..ROTATE_AT + batch).contains(&length), "{length}");
    assert_eq!(place.damage(), Vec::<String>::new());
}

/// Kept while its last record is 30 days old, gone when it is older; the rest verifies from `log.prune`.
#[test]
fn day_29_is_kept_and_day_31_is_not() {
    let place = Place::new();
    let journal = place.open(0);
    let days = |journal: &FileJournal, seconds: i64| {
        write(journal, event(seconds)).unwrap();
        place
            .names()
            .iter()
            .map(|name| name[12..14].to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(days(&journal, 0), ["22"]);
    assert_eq!(days(&journal, DAY), ["22", "23"]);
    assert_eq!(days(&journal, 29 * DAY), ["22", "23", "21"], "day 29");
    assert_eq!(
        days(&journal, 30 * DAY),
        ["22", "23", "21", "22"],
        "day 30, to the second"
    );
    let oldest = place.fields("/attestation_list/0/hash")[0].clone();
    assert_eq!(
        days(&journal, 31 * DAY - 1),
        ["22", "23", "21", "22"],
        "no new file, no look"
    );
    assert_eq!(days(&journal, 31 * DAY), ["23", "21", "22", "23"], "day 31");
    assert_eq!(block_on(journal.report()).unwrap().damage, []);
    drop(journal);
    let pruned = place
        .fields("/unmapped/jumpgate/head")
        .into_iter()
        .find(|head| !head.is_empty());
    assert_eq!(pruned, Some(oldest));
    assert_eq!(place.damage(), Vec::<String>::new());
}

/// The anchor is what makes it verify: without the record, what is missing shows.
#[test]
fn a_file_removed_by_somebody_else_is_missed() {
    let place = Place::new();
    place.record([0, DAY, 2 * DAY].map(event));
    std::fs::remove_file(place.file("audit-20261122-1.jsonl")).unwrap();
    assert_eq!(place.damage().len(), 1);
    place.record([event(40 * DAY)]);
    assert_eq!(place.names(), ["audit-20270101-1.jsonl"]);
    assert_eq!(
        place.damage(),
        Vec::<String>::new(),
        "what is left follows from log.prune"
    );
}

#[test]
fn a_start_after_months_prunes_all_but_the_new_file() {
    let place = Place::new();
    place.record([0, DAY].map(event));
    place.record([event(90 * DAY)]);
    assert_eq!(place.names().len(), 1);
    assert_eq!(
        place.activities(),
        ["log.rotate", "log.prune", "log.prune", "lease.serve"]
    );
    assert_eq!(place.fields("/unmapped/jumpgate/count")[1..3], ["1", "2"]);
    assert_eq!(place.damage(), Vec::<String>::new());
}

#[test]
fn a_shorter_retention_holds_from_the_next_record_on() {
    let place = Place::new();
    let journal = place.open(0);
    for day in 0..4 {
        write(&journal, event(day * DAY)).unwrap();
    }
    journal.set_keep(Duration::from_secs(86_400));
    write(&journal, event(3 * DAY + 1)).unwrap();
    assert_eq!(place.names(), ["audit-20261125-1.jsonl"]);
    assert_eq!(block_on(journal.report()).unwrap().damage, []);
}

#[test]
fn damage_keeps_no_file_for_ever() {
    for rubbish in ["{}\n", "rubbish\n"] {
        let place = Place::new();
        place.record([0, DAY].map(event));
        let first = place.file("audit-20261122-1.jsonl");
        let kept = place.text("audit-20261122-1.jsonl");
        std::fs::write(&first, kept + rubbish).unwrap();
        std::fs::write(place.file("audit-20261121-1.jsonl"), rubbish).unwrap();
        place.record([event(40 * DAY)]);
        assert_eq!(place.names(), ["audit-20270101-1.jsonl"]);
    }
}
