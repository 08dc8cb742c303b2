//! The commands about policies.

use super::{Command, Kind, NOTHING, Opt, argument, flag, option};
use crate::cli::verb;

pub(super) const POLICIES: Command = Command {
    name: "policy",
    about: "Hold policies against rules",
    below: &[LINT, JUMP],
    ..NOTHING
};

const LINT: Command = Command {
    name: "lint",
    about: "Say what is wrong with policy files, and what is probably not meant",
    details: "\
Each finding has its place, its rule, why it matters and what helps; docs/lint.md explains the
rules. No agent needs to run. Exit status: 0 for warnings and notes at most, 1 for an error in a
policy, 64 for a file that cannot be read. A file has at most 131072 bytes.

A file with principals is taken for the trust policy of a role if it speaks of sts, else for that
of a resource. Without, it is a jump policy if it speaks of sts only, else a session policy.",
    arguments: &[argument(
        "FILE",
        Kind::Several,
        "Policies as JSON; - is standard input",
    )],
    options: &[
        Opt {
            choices: &["session", "identity", "trust", "jump", "scp", "resource"],
            ..option("kind", "KIND", "What the files are")
        },
        Opt {
            choices: &["read-only", "view"],
            ..option("class", "CLASS", "What the policies promise")
        },
        option(
            "identity",
            "NAME",
            "Hold jump policies against the roles of this identity's profiles",
        ),
        flag("json", "Print JSON for programs"),
        flag("sarif", "Print SARIF 2.1.0 for code hosts and editors"),
    ],
    verb: Some(verb::policy_lint),
    ..NOTHING
};

const JUMP: Command = Command {
    name: "jump",
    about: "Print the least policy that an identity's IAM user needs for the profiles",
    details: "\
It allows sts:AssumeRole on exactly the roles of the identity's profiles, sts:TagSession where tags
are passed, sts:SetSourceIdentity where a source identity is, and only for the value that is passed.
Roles behind via are assumed by another role. sts:GetSessionToken needs no permission. With --check
nothing is printed but what FILE lacks and what it has too much. No agent needs to run. Exit status
with --check: 0 if FILE does, 1 if it does not, 64 if it cannot be read.",
    arguments: &[argument(
        "IDENTITY",
        Kind::Required,
        "A name of the configuration",
    )],
    options: &[
        option("check", "FILE", "Hold this policy against the needs"),
        flag("json", "Print JSON for programs"),
    ],
    verb: Some(verb::policy_jump),
    ..NOTHING
};
