//! When the disk has what was acknowledged, and what becomes of it when the disk does not take it.

use std::sync::Mutex;
use std::sync::mpsc::channel;

use super::planned::{Plan, open, open_gated};
use super::*;

const FILE: &str = "audit-20261122-1.jsonl";

/// So long that nothing is due while a test runs.
const NEVER: Duration = Duration::from_secs(86_400);

fn flushes(plan: &Mutex<Plan>) -> usize {
    plan.lock().unwrap().flushes
}

fn lines(place: &Place) -> usize {
    place.text(FILE).lines().count()
}

#[test]
fn a_serve_is_in_the_file_before_it_is_acknowledged_and_is_flushed_with_the_next_issue() {
    let (place, plan) = (Place::new(), Plan::new());
    let journal = open(&place, &plan, NEVER);
    write(&journal, issuing(0)).unwrap();
    assert_eq!((lines(&place), flushes(&plan)), (1, 1));
    for serves in 1..=3_usize {
        write(&journal, event(0)).unwrap();
        assert_eq!(lines(&place), 1 + serves);
    }
    assert_eq!(flushes(&plan), 1);
    assert_eq!(block_on(journal.report()).unwrap().records, 4);
    write(&journal, issuing(4)).unwrap();
    assert_eq!((lines(&place), flushes(&plan)), (5, 2));
    drop(journal);
    assert_eq!(flushes(&plan), 2, "nothing was left to flush");
}

#[test]
fn one_record_that_asks_for_it_flushes_the_batch() {
    let (place, plan) = (Place::new(), Plan::new());
    let journal = open(&place, &plan, NEVER);
    let mut first_of_its_session = event(0);
    first_of_its_session.flushed = true;
    write(&journal, first_of_its_session).unwrap();
    assert_eq!(flushes(&plan), 1);
}

#[test]
fn a_serve_is_flushed_when_it_is_due_without_another_record() {
    let (place, plan) = (Place::new(), Plan::new());
    let ((reached, at_flush), (let_go, go_on)) = (channel(), channel());
    let journal = open_gated(&place, &plan, Duration::ZERO, (reached, go_on));
    write(&journal, event(0)).unwrap();
    at_flush.recv().unwrap();
    let_go.send(()).unwrap();
    drop(journal);
    assert_eq!(flushes(&plan), 1);
}

#[test]
fn the_end_of_the_agent_and_of_a_file_flush_what_waits() {
    let (place, plan) = (Place::new(), Plan::new());
    let journal = open(&place, &plan, NEVER);
    write(&journal, event(0)).unwrap();
    assert_eq!(flushes(&plan), 0);
    plan.lock().unwrap().flush_fails = true;
    write(&journal, event(DAY)).unwrap_err();
    assert_eq!(
        place.names(),
        [FILE],
        "no new file before the old one is on disk"
    );
    plan.lock().unwrap().flush_fails = false;
    write(&journal, event(DAY)).unwrap();
    // The failed one, the old file's, and the new file's for its log.rotate.
    assert_eq!(flushes(&plan), 3);
    write(&journal, event(DAY + 1)).unwrap();
    drop(journal);
    assert_eq!(flushes(&plan), 4);
    assert_eq!(place.damage(), Vec::<String>::new());
}

/// Many serves do not put the flush off by their mass, nor take memory without end.
#[test]
fn a_storm_of_serves_is_flushed_when_too_much_waits() {
    let (place, plan) = (Place::new(), Plan::new());
    let journal = open(&place, &plan, NEVER);
    while flushes(&plan) == 0 {
        write(&journal, event(0)).unwrap();
    }
    let written = place.file(FILE).metadata().unwrap().len();
    let most = super::super::MAX_UNFLUSHED as u64;
    assert!((most..most + 1_000).contains(&written), "{written}");
}

/// What was acknowledged stays in the file and is written once more; nothing else is acknowledged until a flush has
/// succeeded, not even what needs none.
#[test]
fn behind_a_failed_flush_everything_waits_for_one_that_succeeds() {
    let (place, plan) = (Place::new(), Plan::new());
    let journal = open(&place, &plan, NEVER);
    write(&journal, event(0)).unwrap();
    let acknowledged = place.text(FILE);
    plan.lock().unwrap().flush_fails = true;
    for refused in [issuing(1), event(2), event(3)] {
        let error = write(&journal, refused).unwrap_err().to_string();
        assert!(
            error.contains(FILE) && error.contains("Input/output"),
            "{error}"
        );
        assert!(!journal.health().healthy);
        assert_eq!(place.text(FILE), acknowledged);
    }
    plan.lock().unwrap().flush_fails = false;
    write(&journal, event(4)).unwrap();
    assert!(journal.health().healthy);
    let rewritten = std::mem::take(&mut plan.lock().unwrap().rewritten);
    let once_more = (0, acknowledged.clone().into_bytes());
    assert_eq!(rewritten, vec![once_more; 3], "behind each failure");
    assert!(place.text(FILE).starts_with(&acknowledged));
    let before = flushes(&plan);
    write(&journal, event(5)).unwrap();
    assert_eq!(flushes(&plan), before, "a serve is only written again");
    drop(journal);
    assert_eq!(place.damage(), Vec::<String>::new());
    assert_eq!(verify(&place.path()).records, 3);
}

/// The flush that nobody waits for: it is tried again by itself, and nothing is acknowledged meanwhile.
#[test]
fn a_late_flush_that_fails_is_in_the_status_and_tried_again() {
    let (place, plan) = (Place::new(), Plan::new());
    let ((reached, at_flush), (let_go, go_on)) = (channel(), channel());
    plan.lock().unwrap().flush_fails = true;
    let journal = open_gated(&place, &plan, Duration::ZERO, (reached, go_on));
    write(&journal, event(0)).unwrap();
    let acknowledged = place.text(FILE);
    at_flush.recv().unwrap();
    assert!(journal.health().healthy);
    let next = journal.record(event(1));
    for _ in 0..3 {
        let_go.send(()).unwrap();
        at_flush.recv().unwrap();
        assert!(!journal.health().healthy);
        assert_eq!(place.text(FILE), acknowledged);
    }
    plan.lock().unwrap().flush_fails = false;
    // For this flush and for those of the record that waits.
    (0..2).for_each(|_| let_go.send(()).unwrap());
    block_on(next).unwrap();
    assert!(journal.health().healthy);
    drop(journal);
    assert_eq!(verify(&place.path()).records, 2);
    assert_eq!(plan.lock().unwrap().rewritten.len(), 3);
}
