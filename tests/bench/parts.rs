//! The parts of the bench, in the order in which they run. A new one is a module whose function hands in a
//! [`Section`], a line here, and a block `<!-- bench: NAME -->` in docs/performance.md where its figures shall stand.

use jumpgate_tests::Programs;

use crate::scale::Scale;
use crate::section::Section;

/// A part of the benchmark.
pub(crate) type Measure = fn(&Programs, Scale) -> Section;

/// All of them. Each has a block in the document.
pub(crate) const PARTS: &[(&str, Measure)] = &[
    ("process", crate::process::measure),
    ("instructions", crate::instructions::measure),
    ("peers", crate::peers::measure),
    ("cold", crate::cold::measure),
    ("callers", crate::callers::measure),
    ("endpoints", crate::endpoints::measure),
    ("guards", crate::guards::measure),
    ("exec", crate::exec::measure),
    ("hang", crate::hang::measure),
    ("kills", crate::exec::kills),
    ("lock", crate::lock::measure),
    ("profiles", crate::profiles::measure),
    ("leases", crate::leases::measure),
    ("journal", crate::journal::measure),
    ("idle", crate::idle::measure),
];

/// Blocks of the document that no part writes.
pub(crate) const OTHER_BLOCKS: &[&str] = &["machine", "agreement"];
