//! The fault laboratory: each fault is put in place around a real agent, each interface is asked in each state, and what
//! was seen is a section of `docs/reliability.md`. A run compares; with `JUMPGATE_WRITE_DOCS=1` it writes.
//!
//! [`cell`] has the words: interface, state, what a caller sees. [`scene`] is a lab in which all states stand side by
//! side. [`examine`] takes one fault through all of them. [`page`] keeps the document. The faults are data: one file for
//! each part of the world that breaks. [`kills`] is another kind of test: somebody is killed, at a point that a seed decides.

mod cell;
mod examine;
mod keyring;
mod kills;
mod limits;
mod machine;
mod network;
mod page;
mod place;
mod scene;
mod shape;
mod sts;
mod world;

/// Every fault under its heading, in the order of the page. A test whose fault is not here fails, and so does a page that
/// has others.
const FAULTS: &[(&str, &[&str])] = &[
    (
        "STS",
        &[
            "STS refuses",
            "STS throttles",
            "STS is unavailable",
            "STS resets the connection",
            "STS hangs",
            "STS drips",
            "STS is slow",
            "STS's answer is garbled",
            "STS's answer is cut off",
            "STS's answer is too large",
            "STS's credentials have expired",
            "STS's session is another role's",
        ],
    ),
    (
        "A chain of roles, and a session scoped down",
        &[
            "A chain: STS refuses",
            "A chain: STS hangs",
            "A chain: STS's answer is garbled",
            "Scoped down: STS refuses",
            "Scoped down: STS hangs",
            "Scoped down: STS's answer is garbled",
        ],
    ),
    (
        "The network",
        &[
            "STS's name is not found",
            "The resolver hangs",
            "The proxy refuses",
            "The proxy dies",
            "The proxy hangs",
        ],
    ),
    (
        "The machine",
        &[
            "The clock is set forward",
            "The clock is set back",
            "The machine sleeps",
            "The journal's disk is full",
            "The journal's disk is read-only",
            "The journal's disk is slow",
            "The configuration is garbage",
            "The keyring dies",
            "The D-Bus session bus dies",
            "The keyring hangs",
            "The memory limit is hit",
            "The runtime directory is removed",
        ],
    ),
];

#[test]
fn the_page_has_these_faults_and_no_others() {
    let known: Vec<_> = FAULTS.iter().flat_map(|(_, all)| *all).collect();
    assert_eq!(page::sections().iter().collect::<Vec<_>>(), known);
}
