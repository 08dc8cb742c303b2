//! Rules about the source, read from the source: who may name whom, sizes, words, and documents that keep step.
//!
//! Each rule returns its breaches. An exception is listed with its reason in `tidy/exceptions.rs`, and one that is
//! not needed any more is a failure too. Each rule has a test of its own on a small bad sample, so that none can
//! hold by reading nothing.

mod tidy {
    pub(crate) mod budgets;
    pub(crate) mod documents;
    pub(crate) mod exceptions;
    pub(crate) mod layers;
    pub(crate) mod lexer;
    pub(crate) mod locks;
    pub(crate) mod manners;
    pub(crate) mod source;
    pub(crate) mod words;

    use exceptions::Exception;
    use source::File;

    /// One place where a rule does not hold.
    #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
    pub(crate) struct Breach {
        /// The file.
        pub(crate) path: String,
        /// What is wrong in it.
        pub(crate) what: String,
    }

    pub(crate) fn breach(file: &File, what: impl Into<String>) -> Breach {
        Breach {
            path: file.path.clone(),
            what: what.into(),
        }
    }

    /// What is left to correct: breaches without an exception, and exceptions without a breach.
    pub(crate) fn left(breaches: &[Breach], exceptions: &[Exception]) -> Vec<String> {
        let matches = |breach: &Breach, exception: &Exception| {
            breach.path == exception.path && breach.what.starts_with(exception.what)
        };
        let bare = breaches
            .iter()
            .filter(|breach| !exceptions.iter().any(|e| matches(breach, e)))
            .map(|breach| format!("{}: {}", breach.path, breach.what));
        let idle = exceptions
            .iter()
            .filter(|exception| !breaches.iter().any(|b| matches(b, exception)))
            .map(|e| format!("{}: the exception for \"{}\" is not needed", e.path, e.what));
        bare.chain(idle).collect()
    }
}

use tidy::exceptions::{self, Exception};
use tidy::source::Tree;
use tidy::{Breach, budgets, documents, layers, left, locks, manners, words};

/// Fails with a list of what to correct.
fn holds(rule: impl Fn(&Tree) -> Vec<Breach>, exceptions: &[Exception]) {
    let tree = Tree::read();
    let walked = tree.rust().count();
    assert!(walked > 50, "only {walked} files of Rust were found");
    let left = left(&rule(&tree), exceptions);
    assert!(left.is_empty(), "\n{}\n", left.join("\n"));
}

#[test]
fn each_module_names_only_what_it_may() {
    holds(layers::breaches, exceptions::LAYERS);
}

#[test]
fn no_unsafe_no_unwrap_no_printing_and_the_environment_read_in_one_place() {
    holds(manners::breaches, exceptions::MANNERS);
}

#[test]
fn files_and_functions_are_short() {
    holds(budgets::breaches, exceptions::BUDGETS);
}

#[test]
fn names_say_something() {
    holds(words::breaches, exceptions::WORDS);
}

#[test]
fn every_document_is_there() {
    holds(documents::missing, &[]);
}

#[test]
fn every_file_says_what_it_is_for() {
    holds(documents::without_purpose, &[]);
}

#[test]
fn lints_are_in_force_everywhere() {
    holds(documents::without_lints, &[]);
}

#[test]
fn the_protocol_page_names_every_message_code_and_path() {
    holds(documents::protocol, &[]);
}

#[test]
fn every_command_is_in_a_document() {
    let help = std::process::Command::new(env!("CARGO_BIN_EXE_test-client"))
        .arg("--help")
        .output()
        .expect("the client runs");
    let commands = documents::commands_of(&String::from_utf8_lossy(&help.stdout));
    assert!(commands.len() > 10, "only {commands:?}");
    holds(|tree| documents::commands(tree, &commands), &[]);
}

#[test]
fn every_part_of_the_bench_has_its_block_in_the_performance_page() {
    let parts = std::process::Command::new(env!("CARGO_BIN_EXE_bench"))
        .arg("--parts")
        .output()
        .expect("the bench runs");
    let blocks = String::from_utf8_lossy(&parts.stdout).into_owned();
    let blocks: Vec<String> = blocks.lines().map(str::to_owned).collect();
    assert!(blocks.len() > 5, "only {blocks:?}");
    holds(|tree| documents::bench_blocks(tree, &blocks), &[]);
}

#[test]
fn the_fuzz_targets_are_built_of_what_is_shipped() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let read = |file: &str| std::fs::read_to_string(root.join(file)).expect("a lock file");
    let (targets, workspace) = (read("tests/fuzz/Cargo.lock"), read("Cargo.lock"));
    let astray = locks::astray(&targets, &workspace);
    assert!(
        astray.is_empty(),
        "in tests/fuzz: cargo update -p {astray:?}"
    );
}

#[test]
fn no_registry_and_no_trackers_number_is_named() {
    holds(documents::foreign_names, &[]);
}

#[test]
fn every_link_leads_somewhere() {
    holds(documents::links, &[]);
}

#[test]
fn every_test_that_a_document_names_exists() {
    holds(documents::tests_named, &[]);
}

#[test]
fn every_exception_has_a_reason() {
    let all = [
        exceptions::LAYERS,
        exceptions::MANNERS,
        exceptions::BUDGETS,
        exceptions::WORDS,
    ];
    for exception in all.concat() {
        assert!(exception.reason.len() > 20, "{exception:?}");
    }
}

#[test]
fn what_is_left_are_bare_breaches_and_idle_exceptions() {
    let tree = Tree::sample(&[("a.rs", ""), ("b.rs", "//! B.")]);
    let exception = |path| Exception {
        path,
        what: "does not begin",
        reason: "for this test",
    };
    let breaches = documents::without_purpose(&tree);
    assert!(left(&breaches, &[exception("a.rs")]).is_empty());
    let expected = [
        "a.rs: does not begin with `//! ` and what it is for",
        "b.rs: the exception for \"does not begin\" is not needed",
    ];
    assert_eq!(left(&breaches, &[exception("b.rs")]), expected);
}
