//! The parts of the bench, in the order in which they run. A new one is a module whose function hands in a
//! [`Section`], a line here, and a block `<!-- bench: NAME -->` in docs/performance.md where its figures shall stand.

use jumpgate_tests::Programs;

use crate::scale::Scale;
use crate::section::Section;
use crate::{callers, cold, endpoints, exec, hang, idle, journal, leases, lock, process, profiles};

/// A part of the benchmark.
pub(crate) type Measure = fn(&Programs, Scale) -> Section;

/// All of them. Each has a block in the document.
pub(crate) const PARTS: &[(&str, Measure)] = &[
    ("process", process::measure),
    ("cold", cold::measure),
    ("callers", callers::measure),
    ("endpoints", endpoints::measure),
    ("exec", exec::measure),
    ("hang", hang::measure),
    ("kills", exec::kills),
    ("lock", lock::measure),
    ("profiles", profiles::measure),
    ("leases", leases::measure),
    ("journal", journal::measure),
    ("idle", idle::measure),
];

/// Blocks of the document that no part writes.
pub(crate) const OTHER_BLOCKS: &[&str] = &["machine", "agreement"];
