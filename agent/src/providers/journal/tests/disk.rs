//! A disk that fails, and how often it is flushed.

use std::io;
use std::sync::mpsc::channel;

use super::planned::{Failure, Plan, open, open_gated};
use super::*;

const FILE: &str = "audit-20261122-1.jsonl";

/// For each way to fail: nothing is acknowledged or left behind, and it goes on when the disk does.
#[test]
fn a_failing_disk_refuses_until_it_works_again() {
    let ways: [(&str, Failure, &str); 5] = [
        (
            "full",
            |plan| plan.room = Some(0),
            "No space left on device",
        ),
        (
            "full in the middle of a record",
            |plan| plan.room = Some(100),
            "No space left on device",
        ),
        (
            "not flushed",
            |plan| plan.flush_fails = true,
            "Input/output error",
        ),
        (
            "full, and the rest cannot be cut off",
            |plan| (plan.room, plan.cut_fails) = (Some(100), true),
            "error (os error 5)",
        ),
        (
            "not flushed, and the rest cannot be cut off",
            |plan| (plan.flush_fails, plan.cut_fails) = (true, true),
            "error (os error 5)",
        ),
    ];
    for (what, fail, said) in ways {
        let place = Place::new();
        let plan = Plan::new();
        let journal = open(&place, &plan, FLUSH_WITHIN);
        write(&journal, issuing(0)).unwrap();
        fail(&mut plan.lock().unwrap());
        write(&journal, issuing(1)).unwrap_err();
        let error = write(&journal, issuing(2)).unwrap_err().to_string();
        assert!(
            error.contains(said) && error.contains(FILE),
            "{what}: {error}"
        );
        assert!(!journal.health().healthy, "{what}");
        assert_eq!(journal.health().records, 1, "{what}");

        *plan.lock().unwrap() = Plan::default();
        write(&journal, issuing(3)).unwrap();
        assert!(journal.health().healthy, "{what}");
        assert_eq!(block_on(journal.report()).unwrap().damage, [], "{what}");
        drop(journal);
        assert_eq!(
            place.fields("/time_dt"),
            ["2026-11-22T00:00:00.000Z", "2026-11-22T00:00:03.000Z"]
        );
    }
}

#[test]
fn a_full_disk_at_a_new_day_leaves_no_gap() {
    let place = Place::new();
    let plan = Plan::new();
    let journal = open(&place, &plan, FLUSH_WITHIN);
    write(&journal, issuing(0)).unwrap();
    plan.lock().unwrap().create_fails = true;
    let error = write(&journal, issuing(DAY)).unwrap_err().to_string();
    assert!(error.contains("Read-only file system"), "{error}");
    *plan.lock().unwrap() = Plan {
        room: Some(10),
        ..Plan::default()
    };
    write(&journal, issuing(DAY)).unwrap_err();
    *plan.lock().unwrap() = Plan::default();
    write(&journal, issuing(DAY)).unwrap();
    drop(journal);
    assert_eq!(place.names(), [FILE, "audit-20261123-1.jsonl"]);
    assert_eq!(
        place.activities(),
        ["lease.issue", "log.rotate", "lease.issue"]
    );
    assert_eq!(place.damage(), Vec::<String>::new());
}

#[test]
fn a_torn_line_on_a_full_disk_waits_for_room() {
    let place = Place::new();
    place.record([issuing(0)]);
    let torn = place.text(FILE) + "{\"torn";
    std::fs::write(place.file(FILE), &torn).unwrap();
    let plan = Plan::new();
    plan.lock().unwrap().room = Some(0);
    let journal = open(&place, &plan, FLUSH_WITHIN);
    assert!(!journal.health().healthy);
    write(&journal, issuing(1)).unwrap_err();
    assert_eq!(place.text(FILE), torn);
    plan.lock().unwrap().room = None;
    write(&journal, issuing(2)).unwrap();
    assert!(journal.health().healthy);
    assert_eq!(
        place.activities(),
        ["lease.issue", "log.recover", "lease.issue"]
    );
    assert_eq!(place.damage(), Vec::<String>::new());
}

/// While the first record is flushed, all others gather; one flush serves them all.
#[test]
fn records_that_wait_share_a_flush() {
    let place = Place::new();
    let plan = Plan::new();
    let (reached, at_flush) = channel();
    let (let_go, go_on) = channel();
    let journal = open_gated(&place, &plan, FLUSH_WITHIN, (reached, go_on));
    block_on(async {
        let first = journal.record(issuing(0));
        at_flush.recv().unwrap();
        let others: Vec<_> = (1..200)
            .map(|second| journal.record(issuing(second)))
            .collect();
        (0..2).for_each(|_| let_go.send(()).unwrap());
        first.await.unwrap();
        for other in others {
            other.await.unwrap();
        }
    });
    assert_eq!(journal.health().records, 200);
    drop(journal);
    assert_eq!(plan.lock().unwrap().flushes, 2);
    assert_eq!(verify(&place.path()).records, 200);
    assert_eq!(place.damage(), Vec::<String>::new());
}

#[test]
fn a_caller_who_goes_away_does_not_lose_the_record() {
    let place = Place::new();
    let journal = place.open(0);
    drop(journal.record(issuing(0)));
    drop(journal);
    assert_eq!(place.activities(), ["lease.issue"]);
}

/// More callers than the queue has places: they wait, none is refused.
#[test]
fn a_full_queue_makes_callers_wait() {
    let place = Place::new();
    let journal = place.open(0);
    let many = super::super::MAX_WAITING + super::super::MAX_BATCH + 10;
    block_on(async {
        let records: Vec<_> = (0..many).map(|_| journal.record(issuing(0))).collect();
        for record in records {
            record.await.unwrap();
        }
    });
    drop(journal);
    assert_eq!(verify(&place.path()).records, many as u64);
}

#[test]
fn a_file_changed_or_removed_under_the_agent_is_left_for_a_new_one() {
    let harm: [fn(&Path); 3] = [
        |path| std::fs::remove_file(path).unwrap(),
        |path| {
            std::fs::File::options()
                .write(true)
                .open(path)
                .unwrap()
                .set_len(5)
                .unwrap()
        },
        |path| {
            let mut file = std::fs::File::options().append(true).open(path).unwrap();
            io::Write::write_all(&mut file, b"forged\n").unwrap();
        },
    ];
    for harm in harm {
        let place = Place::new();
        let journal = place.open(0);
        write(&journal, issuing(0)).unwrap();
        harm(&place.file(FILE));
        write(&journal, issuing(1)).unwrap();
        assert!(!journal.health().healthy);
        let second = place.text("audit-20261122-2.jsonl");
        assert_eq!(second.lines().count(), 3, "{second}");
        assert!(second.contains("log.rotate") && second.contains("log.recover"));
        assert!(!place.damage().is_empty());
    }
}
