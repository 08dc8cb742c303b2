//! Every command with its help, which is the manual.

use super::{Argument, Command, Kind, NOTHING, Opt, argument, flag, option};
use crate::cli::verb::{self, Verb};

pub(super) const JSON: Opt = flag("json", "Print JSON for programs");
const PROFILE: Argument = argument("PROFILE", Kind::Required, "A profile of the configuration");
const IDENTITY: Argument = argument("NAME", Kind::Required, "Its name in the configuration");

// What a caller takes away from a profile's scope.
const POLICY: Opt = option(
    "policy",
    "FILE|preset:NAME",
    "Narrow: a session policy, a file of JSON or a preset",
);
const TAG: Opt = Opt {
    repeats: true,
    ..option(
        "tag",
        "KEY=VALUE",
        "Narrow: a session tag that the profile leaves to you; may be repeated",
    )
};
const DURATION: Opt = option(
    "duration",
    "DURATION",
    "Narrow: a shorter life, 900s, 15m or 1h",
);
const REASON: Opt = option("reason", "TEXT", "Why, in your words; kept in the journal");
const TICKET: Opt = option(
    "ticket",
    "ID",
    "The ticket that this is for; kept in the journal",
);

pub(super) const CREDENTIAL_PROCESS: Command = Command {
    name: "credential-process",
    about: "Print a session as AWS SDKs and the AWS CLI want it from credential_process",
    details: "\
One line of JSON on success, nothing on stdout otherwise. Standard input is never read.
Name it in ~/.aws/config with its absolute path:
  credential_process = /usr/bin/jumpgate credential-process dev",
    arguments: &[PROFILE],
    options: &[POLICY, TAG, DURATION, REASON, TICKET],
    verb: Some(verb::credential_process),
    ..NOTHING
};

pub(super) const EXEC: Command = Command {
    name: "exec",
    about: "Run a command with an endpoint of its own, from which its SDK takes a session",
    details: "\
The exit status and the signals are the command's. Other AWS credentials and AWS_PROFILE are taken
out of its environment. The endpoint is that of container credentials, which every current SDK
refreshes from by itself; imds is for those that know only the metadata of EC2. It ends with the
command, however that ends. With --via env there is no endpoint: the session is fetched once and
not refreshed. A profile named default in ~/.aws may come before an endpoint; that is said.",
    arguments: &[
        PROFILE,
        argument(
            "COMMAND",
            Kind::Rest,
            "The command and its arguments, behind --",
        ),
    ],
    options: &[
        Opt {
            choices: &["container", "imds", "env"],
            ..option(
                "via",
                "HOW",
                "Where credentials come from; the default is container",
            )
        },
        POLICY,
        TAG,
        DURATION,
        REASON,
        TICKET,
    ],
    verb: Some(verb::exec),
    ..NOTHING
};

pub(super) const EXPORT: Command = Command {
    name: "export",
    about: "Print a session as code for a shell: eval \"$(jumpgate export dev)\"",
    details: "\
env is for POSIX shells, json the document of credential_process. The default is env.",
    arguments: &[PROFILE],
    options: &[
        Opt {
            choices: &["env", "fish", "powershell", "json"],
            ..option("format", "FORMAT", "For which shell")
        },
        POLICY,
        TAG,
        DURATION,
        REASON,
        TICKET,
    ],
    verb: Some(verb::export),
    ..NOTHING
};

pub(super) const ENDPOINT: Command = Command {
    name: "endpoint",
    about: "Open an endpoint for SDKs, or show it: eval \"$(jumpgate endpoint dev)\"",
    details: "\
It stands until its lease is ended: jumpgate lease end ID. env is for POSIX shells and takes other
sources of credentials out of the environment; json is the agent's reply. The defaults are
container and env. Where the configuration has a [serve.NAME] for this profile and kind, it is that
one, at the same address after each restart of the agent.",
    arguments: &[PROFILE],
    options: &[
        Opt {
            choices: &["container", "imds"],
            ..option("kind", "KIND", "What it speaks")
        },
        Opt {
            choices: &["env", "json"],
            ..option("format", "FORMAT", "What to print")
        },
        POLICY,
        TAG,
        DURATION,
        REASON,
        TICKET,
    ],
    verb: Some(verb::endpoint),
    ..NOTHING
};

pub(super) const IDENTITIES: Command = Command {
    name: "identity",
    about: "Store, list, check, rotate and remove the long-lived keys",
    below: &[
        Command {
            name: "add",
            about: "Store the access key of an identity of the configuration",
            details: "\
The access key id and the secret access key are read from the terminal, the secret without echo,
or from two lines of standard input; never from an argument. A third line is the passphrase of a
sealed file, where one is needed. AWS is asked first whose key it is: it must be an IAM user of
the identity's account. With --from-aws-profile the key comes from ~/.aws/credentials, or else from
~/.aws/config; what would go from there is shown. --remove-source takes it out once it is stored
and was found to work; a backup of the file stays beside it until you delete it.",
            arguments: &[IDENTITY],
            options: &[
                option(
                    "from-aws-profile",
                    "PROFILE",
                    "Take the key of this profile of the AWS CLI",
                ),
                flag("remove-source", "Then take it out of there"),
            ],
            verb: Some(verb::identity_add),
            ..NOTHING
        },
        Command {
            name: "list",
            about: "List the identities of the configuration",
            options: &[JSON],
            verb: Some(verb::identity_list),
            ..NOTHING
        },
        Command {
            name: "remove",
            about: "Remove the stored key of an identity; at AWS the key lives on",
            arguments: &[IDENTITY],
            verb: Some(verb::identity_remove),
            ..NOTHING
        },
        Command {
            name: "check",
            about: "Ask AWS whose key is stored",
            arguments: &[IDENTITY],
            verb: Some(verb::identity_check),
            ..NOTHING
        },
        Command {
            name: "rotate",
            about: "Replace the stored key by a new one, made and retired at AWS",
            details: "\
A new key is made and stored beside the old one, proved, and made current; the old one is made
inactive, and deleted when its grace is over: by the next unlock in person after that, or by
--resume. Sessions go on being handed out. Whatever a rotation is cut off in, --resume ends it and
--abort takes it back; a key that works is stored at any time. AWS allows a user two keys, so with
a second one already nothing is begun. The user must be allowed iam:ListAccessKeys,
CreateAccessKey, UpdateAccessKey, DeleteAccessKey and GetAccessKeyLastUsed on itself.",
            arguments: &[IDENTITY],
            options: &[
                flag(
                    "resume",
                    "End a rotation that was cut off, or whose grace is over",
                ),
                flag("abort", "Take the old key back and delete the new one"),
                option(
                    "grace",
                    "DURATION",
                    "How long the old key can be taken back, 0s to 30d; 1d when left out",
                ),
                JSON,
            ],
            verb: Some(verb::identity_rotate),
            ..NOTHING
        },
    ],
    ..NOTHING
};

pub(super) const UNLOCK: Command = Command {
    name: "unlock",
    about: "Make an identity usable, asking for its passphrase and MFA code",
    details: "\
Without a terminal each answer is one line of standard input, in the order of the questions:
passphrase, then MFA code.",
    arguments: &[argument(
        "IDENTITY",
        Kind::Optional,
        "Which identity; the only one when left out",
    )],
    options: &[JSON],
    verb: Some(verb::unlock),
    ..NOTHING
};

pub(super) const LOCK: Command = Command {
    name: "lock",
    about: "Drop all base credentials and sessions from the agent's memory",
    verb: Some(|_| Ok(Verb::Lock)),
    ..NOTHING
};

pub(super) const STATUS: Command = Command {
    name: "status",
    about: "Show the agent, its identities, sessions and endpoints",
    options: &[JSON],
    verb: Some(verb::status),
    ..NOTHING
};

pub(super) const PROFILES: Command = Command {
    name: "profile",
    about: "List and show the profiles of the configuration",
    below: &[
        Command {
            name: "list",
            about: "List the profiles of the configuration",
            options: &[JSON],
            verb: Some(verb::profile_list),
            ..NOTHING
        },
        Command {
            name: "show",
            about: "Show everything that would be sent to AWS for a profile",
            arguments: &[PROFILE],
            options: &[JSON],
            verb: Some(verb::profile_show),
            ..NOTHING
        },
    ],
    ..NOTHING
};

pub(super) const LEASES: Command = Command {
    name: "leases",
    about: "List who holds which session until when",
    options: &[JSON],
    verb: Some(verb::leases),
    ..NOTHING
};

pub(super) const LEASE: Command = Command {
    name: "lease",
    about: "End a lease",
    below: &[Command {
        name: "end",
        about: "End a lease before its time",
        details: "\
AWS cannot revoke one session: whoever holds it can use it until it expires.",
        arguments: &[argument(
            "ID",
            Kind::Required,
            "Its id, as jumpgate leases shows it",
        )],
        verb: Some(verb::lease_end),
        ..NOTHING
    }],
    ..NOTHING
};

const RAW: Opt = flag(
    "json",
    "Print the records as they are, one JSON object a line",
);

pub(super) const JOURNAL: Command = Command {
    name: "journal",
    about: "Read and verify the record of everything that was handed out",
    details: "Without a command it is show.",
    options: &[RAW],
    below: &[
        Command {
            name: "show",
            about: "Show the records, the newest last",
            options: &[RAW, option("last", "N", "Only so many of the newest")],
            verb: Some(verb::journal_show),
            ..NOTHING
        },
        Command {
            name: "tail",
            about: "Show the newest records and those that come",
            options: &[RAW],
            verb: Some(verb::journal_tail),
            ..NOTHING
        },
        Command {
            name: "verify",
            about: "Check that no record was changed, taken out or added",
            options: &[JSON],
            verb: Some(verb::journal_verify),
            ..NOTHING
        },
        Command {
            name: "export",
            about: "Print all records as they are, one JSON object a line",
            options: &[RAW],
            verb: Some(verb::journal_export),
            ..NOTHING
        },
    ],
    verb: Some(verb::journal_show),
    ..NOTHING
};
