//! A disk that fails, and how often it is flushed.

use std::io;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use super::super::files::{Directory, Disk, FileName};
use super::*;

/// What the disk does.
#[derive(Default)]
struct Plan {
    /// Bytes that still fit; absent for a disk without end.
    room: Option<usize>,
    flush_fails: bool,
    cut_fails: bool,
    create_fails: bool,
    flushes: usize,
}

/// A way to fail.
type Failure = fn(&mut Plan);

/// The real directory behind a plan. The gate, if there is one, is asked before each flush.
struct Planned {
    inner: Directory,
    plan: Arc<Mutex<Plan>>,
    gate: Option<(Sender<()>, Receiver<()>)>,
}

fn full() -> io::Error {
    rustix::io::Errno::NOSPC.into()
}

impl Disk for Planned {
    fn create(&mut self, name: FileName) -> io::Result<()> {
        if self.plan.lock().unwrap().create_fails {
            return Err(rustix::io::Errno::ROFS.into());
        }
        self.inner.create(name)
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let room = self.plan.lock().unwrap().room.unwrap_or(usize::MAX);
        let fits = &bytes[..bytes.len().min(room)];
        self.inner.append(fits)?;
        if fits.len() < bytes.len() {
            Err(full())
        } else {
            Ok(())
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        if let Some((reached, go_on)) = &self.gate {
            reached.send(()).unwrap();
            go_on.recv().unwrap();
        }
        self.plan.lock().unwrap().flushes += 1;
        if self.plan.lock().unwrap().flush_fails {
            return Err(rustix::io::Errno::IO.into());
        }
        self.inner.flush()
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        if self.plan.lock().unwrap().cut_fails {
            return Err(rustix::io::Errno::IO.into());
        }
        self.inner.cut(length)
    }

    fn length(&self) -> io::Result<Option<u64>> {
        self.inner.length()
    }

    fn remove(&mut self, name: FileName) -> io::Result<()> {
        self.inner.remove(name)
    }

    fn set_aside(&mut self, name: FileName, offset: u64) -> io::Result<String> {
        if self.plan.lock().unwrap().room == Some(0) {
            return Err(full());
        }
        self.inner.set_aside(name, offset)
    }
}

fn open(place: &Place, plan: &Arc<Mutex<Plan>>) -> FileJournal {
    let plan = Arc::clone(plan);
    let wrap = |inner| {
        Box::new(Planned {
            inner,
            plan,
            gate: None,
        })
    };
    FileJournal::open_with(&place.path(), options(0), wrap).unwrap()
}

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
        let plan = Arc::new(Mutex::new(Plan::default()));
        let journal = open(&place, &plan);
        write(&journal, event(0)).unwrap();
        fail(&mut plan.lock().unwrap());
        write(&journal, event(1)).unwrap_err();
        let error = write(&journal, event(2)).unwrap_err().to_string();
        assert!(
            error.contains(said) && error.contains(FILE),
            "{what}: {error}"
        );
        assert!(!journal.health().healthy, "{what}");
        assert_eq!(journal.health().records, 1, "{what}");

        *plan.lock().unwrap() = Plan::default();
        write(&journal, event(3)).unwrap();
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
    let plan = Arc::new(Mutex::new(Plan::default()));
    let journal = open(&place, &plan);
    write(&journal, event(0)).unwrap();
    plan.lock().unwrap().create_fails = true;
    let error = write(&journal, event(DAY)).unwrap_err().to_string();
    assert!(error.contains("Read-only file system"), "{error}");
    *plan.lock().unwrap() = Plan {
        room: Some(10),
        ..Plan::default()
    };
    write(&journal, event(DAY)).unwrap_err();
    *plan.lock().unwrap() = Plan::default();
    write(&journal, event(DAY)).unwrap();
    drop(journal);
    assert_eq!(place.names(), [FILE, "audit-20261123-1.jsonl"]);
    assert_eq!(
        place.activities(),
        ["lease.serve", "log.rotate", "lease.serve"]
    );
    assert_eq!(place.damage(), Vec::<String>::new());
}

#[test]
fn a_torn_line_on_a_full_disk_waits_for_room() {
    let place = Place::new();
    place.record([event(0)]);
    let torn = place.text(FILE) + "{\"torn";
    std::fs::write(place.file(FILE), &torn).unwrap();
    let plan = Arc::new(Mutex::new(Plan {
        room: Some(0),
        ..Plan::default()
    }));
    let journal = open(&place, &plan);
    assert!(!journal.health().healthy);
    write(&journal, event(1)).unwrap_err();
    assert_eq!(place.text(FILE), torn);
    plan.lock().unwrap().room = None;
    write(&journal, event(2)).unwrap();
    assert!(journal.health().healthy);
    assert_eq!(
        place.activities(),
        ["lease.serve", "log.recover", "lease.serve"]
    );
    assert_eq!(place.damage(), Vec::<String>::new());
}

/// While the first record is flushed, all others gather; one flush serves them all.
#[test]
fn records_that_wait_share_a_flush() {
    let place = Place::new();
    let plan = Arc::new(Mutex::new(Plan::default()));
    let (reached, at_flush) = channel();
    let (let_go, go_on) = channel();
    let gate = Some((reached, go_on));
    let shared = Arc::clone(&plan);
    let wrap = |inner| {
        Box::new(Planned {
            inner,
            plan: shared,
            gate,
        })
    };
    let journal = FileJournal::open_with(&place.path(), options(0), wrap).unwrap();
    block_on(async {
        let first = journal.record(event(0));
        at_flush.recv().unwrap();
        let others: Vec<_> = (1..200)
            .map(|second| journal.record(event(second)))
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
    drop(journal.record(event(0)));
    drop(journal);
    assert_eq!(place.activities(), ["lease.serve"]);
}

/// More callers than the queue has places: they wait, none is refused.
#[test]
fn a_full_queue_makes_callers_wait() {
    let place = Place::new();
    let journal = place.open(0);
    let many = super::super::MAX_WAITING + super::super::MAX_BATCH + 10;
    block_on(async {
        let records: Vec<_> = (0..many).map(|_| journal.record(event(0))).collect();
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
        write(&journal, event(0)).unwrap();
        harm(&place.file(FILE));
        write(&journal, event(1)).unwrap();
        assert!(!journal.health().healthy);
        let second = place.text("audit-20261122-2.jsonl");
        assert_eq!(second.lines().count(), 3, "{second}");
        assert!(second.contains("log.rotate") && second.contains("log.recover"));
        assert!(!place.damage().is_empty());
    }
}
