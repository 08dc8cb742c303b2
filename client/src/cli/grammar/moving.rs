//! The commands that move in from `~/.aws` and write there.

use super::{Argument, Command, Kind, NOTHING, argument, flag, option};
use crate::cli::verb;

const PROFILES: Argument = argument(
    "PROFILE",
    Kind::Any,
    "Names of the configuration; all when left out",
);

pub(super) const IMPORT: Command = Command {
    name: "import",
    about: "Turn the profiles of ~/.aws/config into a configuration",
    details: "\
Profiles with a role become profiles, the keys that they start from identities; the keys themselves
stay where they are: jumpgate identity add NAME --from-aws-profile NAME. What cannot be imported is
listed on standard error with its place and the reason. What the configuration has already stays as
it is. Nothing is written without --write. Exit status: 0 if something was imported or is there
already, 1 if nothing could be, 64 for a file that cannot be read.",
    options: &[
        flag("write", "Write it behind the configuration"),
        flag(
            "aws-vault",
            "Read the file as aws-vault does: [default] counts for all, keys may be elsewhere",
        ),
        option(
            "account",
            "ID",
            "The account of keys of which the file does not say it",
        ),
        flag("json", "Print JSON for programs"),
    ],
    verb: Some(verb::import),
    ..NOTHING
};

pub(super) const CONFIGURE: Command = Command {
    name: "configure",
    about: "Have the AWS CLI and SDKs call jumpgate: stanzas in ~/.aws/config, as a diff",
    details: "\
Each profile gets credential_process and its region; every other byte of the file stays. A section
with settings that come before credential_process, such as role_arn or sso_session, is left as it
is, with the reason; --replace takes them out, but never a key. Nothing is written without --write.
Exit status: 0, 1 if a profile was left out, 64 for a file that cannot be read.",
    arguments: &[PROFILES],
    options: &[
        flag("write", "Write it"),
        flag(
            "replace",
            "Take out what would come before it: role_arn, sso_session, ...",
        ),
        flag("json", "Print JSON for programs"),
    ],
    verb: Some(verb::configure),
    ..NOTHING
};
