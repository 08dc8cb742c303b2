//! The commands about policies.

use super::{Argument, Command, Kind, NOTHING, Opt, argument, flag, option};
use crate::cli::verb;

pub(super) const POLICIES: Command = Command {
    name: "policy",
    about: "Hold policies against rules, and show those that come with the agent",
    below: &[LINT, EXPLAIN, JUMP, PRESET],
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

const EXPLAIN: Command = Command {
    name: "explain",
    about: "Say what a profile's sessions may do, and by which statement",
    details: "\
What counts is what all layers allow: service control policies, boundary, the role's own policies,
the profile's session policies and --policy. Without --role-policy the answer is the most that the
session may do. What depends on something that is not known is said so. No agent needs to run and
AWS is not asked; docs/policies.md explains the rest. Exit status: 0 for any answer, 64 for a file
or a word that cannot be used.",
    arguments: &[
        argument("PROFILE", Kind::Required, "A name of the configuration"),
        argument(
            "ACTION",
            Kind::Optional,
            "Such as s3:GetObject; not with --matrix",
        ),
        argument(
            "RESOURCE",
            Kind::Optional,
            "An ARN; '*' for an action without resources",
        ),
    ],
    options: &[
        Opt {
            repeats: true,
            ..option(
                "role-policy",
                "FILE",
                "A policy of the role itself; once for each",
            )
        },
        Opt {
            repeats: true,
            ..option(
                "scp",
                "FILE,...",
                "The service control policies of one level; once for each level",
            )
        },
        option("boundary", "FILE", "The role's permissions boundary"),
        Opt {
            repeats: true,
            ..option(
                "managed",
                "ARN=FILE",
                "The document of a managed session policy",
            )
        },
        Opt {
            repeats: true,
            ..option("context", "KEY=VALUE", "A condition key of the request")
        },
        option("policy", "FILE", "What an ask would bring; or preset:NAME"),
        option(
            "peer",
            "NUMBER",
            "For callers of this rule of the profile's peers, from 0",
        ),
        option(
            "matrix",
            "LIST",
            "Actions with commas between, or a file: ACTION [RESOURCE] a line",
        ),
        flag(
            "exit-code",
            "77 if an action is denied, else 1 if one cannot be told",
        ),
        flag("json", "Print JSON for programs"),
    ],
    verb: Some(verb::policy_explain),
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

const PRESET: Command = Command {
    name: "preset",
    about: "List or show the session policies that come with the agent",
    details: "\
A profile names one, policy = { preset = \"support\" }, or an ask, --policy preset:view-only.
No agent needs to run.",
    arguments: &[
        Argument {
            choices: &["list", "show"],
            ..argument(
                "list|show",
                Kind::Required,
                "All of them, or one with its policies",
            )
        },
        argument("NAME", Kind::Optional, "Which one to show"),
    ],
    options: &[flag("json", "Print JSON for programs")],
    verb: Some(verb::policy_preset),
    ..NOTHING
};
