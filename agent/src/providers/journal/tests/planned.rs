//! A disk whose faults are planned, and who watches it.

use std::io;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender};

use super::super::files::{Directory, Disk, FileName};
use super::*;

/// What the disk does.
#[derive(Default)]
pub(super) struct Plan {
    /// Bytes that still fit; absent for a disk without end.
    pub(super) room: Option<usize>,
    pub(super) flush_fails: bool,
    pub(super) cut_fails: bool,
    pub(super) create_fails: bool,
    pub(super) flushes: usize,
    /// What was written once more, and where.
    pub(super) rewritten: Vec<(u64, Vec<u8>)>,
}

/// A way to fail.
pub(super) type Failure = fn(&mut Plan);

/// Told when a flush is reached; asked whether it may go on.
pub(super) type Gate = (Sender<()>, Receiver<()>);

/// The real directory behind a plan. The gate, if there is one, is asked before each flush.
struct Planned {
    inner: Directory,
    plan: Arc<Mutex<Plan>>,
    gate: Option<Gate>,
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

    fn rewrite(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.plan
            .lock()
            .unwrap()
            .rewritten
            .push((offset, bytes.to_vec()));
        self.inner.rewrite(offset, bytes)
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

impl Plan {
    /// A disk without faults.
    pub(super) fn new() -> Arc<Mutex<Self>> {
        Arc::default()
    }
}

/// A journal on a planned disk.
pub(super) fn open(place: &Place, plan: &Arc<Mutex<Plan>>, flush_within: Duration) -> FileJournal {
    open_planned(place, plan, flush_within, None)
}

/// The same; each flush says that it is reached, and waits to be let go.
pub(super) fn open_gated(
    place: &Place,
    plan: &Arc<Mutex<Plan>>,
    flush_within: Duration,
    gate: Gate,
) -> FileJournal {
    open_planned(place, plan, flush_within, Some(gate))
}

fn open_planned(
    place: &Place,
    plan: &Arc<Mutex<Plan>>,
    flush_within: Duration,
    gate: Option<Gate>,
) -> FileJournal {
    let plan = Arc::clone(plan);
    let wrap = |inner| Box::new(Planned { inner, plan, gate });
    FileJournal::open_with(&place.path(), options(0), flush_within, wrap).unwrap()
}
