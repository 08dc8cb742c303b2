//! Where a rule does not hold, and why. One that is not needed any more fails the rule.

/// One place where a rule does not hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Exception {
    /// The file.
    pub(crate) path: &'static str,
    /// How the breach begins.
    pub(crate) what: &'static str,
    /// Why it stays.
    pub(crate) reason: &'static str,
}

const STORED_KEY: &str = "the form in which a key is stored, shared by the two stores";

/// Who names what it may not.
pub(crate) const LAYERS: &[Exception] = &[
    Exception {
        path: "agent/src/providers/keyring.rs",
        what: "names crate::providers::stored_key",
        reason: STORED_KEY,
    },
    Exception {
        path: "agent/src/providers/sealed_file.rs",
        what: "names crate::providers::stored_key",
        reason: STORED_KEY,
    },
    Exception {
        path: "proto/api/src/problem.rs",
        what: "names std::process::ExitCode",
        reason: "an exit status as a value; nothing is run",
    },
];

/// Who does what nobody does.
pub(crate) const MANNERS: &[Exception] = &[];

/// What is longer than it may be.
pub(crate) const BUDGETS: &[Exception] = &[
    Exception {
        path: "client/src/commands/tests.rs",
        what: "has ",
        reason: "one scripted agent serves the tests of all commands",
    },
    Exception {
        path: "proto/api/src/messages.rs",
        what: "has ",
        reason: "one list of fields with their documentation, and no logic: the contract on one page",
    },
];

/// Names that say nothing.
pub(crate) const WORDS: &[Exception] = &[];
