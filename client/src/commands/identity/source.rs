//! `jumpgate identity add NAME --from-aws-profile PROFILE`: the key comes out of a file of `~/.aws`, goes to the agent,
//! and is taken out of the file once it was found to work. The agent's program changes the file: this one writes none.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use jumpgate_api::IdentityAddRequest;
use jumpgate_iam::shared_file::{Kind, Section, SharedFile};

use super::super::policy::said as passed_on;
use super::super::shadow::content;
use super::{Context, Outcome, check, said, store};
use crate::cli::KeySource;
use crate::connection::program;
use crate::failure::Failure;

/// A key, and where it stands.
struct Found {
    ask: IdentityAddRequest,
    /// As the agent's program calls it.
    kind: &'static str,
    file: PathBuf,
}

pub(super) fn add(context: &mut Context<'_>, name: &str, source: &KeySource) -> Outcome {
    let found = find(context, &source.profile)?;
    let mut command = Command::new(program(context.agent.environment)?);
    command.arg("--leftover");
    if source.remove {
        command.arg("--write");
    }
    command.arg(found.kind).arg(&found.file);
    command.args([&source.profile, &found.ask.access_key_id]);
    let stored = store(context, name, found.ask)?;
    context.finish(&said(&stored, "stored"))?;
    if source.remove {
        let works = check(context, name)?;
        context.finish(&said(&works, "is"))?;
    }
    passed_on(context, command, Stdio::null())
}

/// The credentials file comes first, as it does for the SDKs.
fn find(context: &Context<'_>, profile: &str) -> Result<Found, Failure> {
    let sdk = context.sdk;
    let files = [
        (Kind::Credentials, "credentials", &sdk.credentials_file),
        (Kind::Config, "config", &sdk.config_file),
    ];
    for (kind, word, file) in files {
        let Some(file) = file else { continue };
        let unusable = |what: &str| Failure::usage(format!("{}: {what}", file.display()));
        let Ok(bytes) = content(file) else { continue };
        let bytes = bytes.ok_or_else(|| unusable("it is too large"))?;
        let text = std::str::from_utf8(&bytes).map_err(|_| unusable("it is not UTF-8"))?;
        let parsed = SharedFile::parse(text).map_err(|error| unusable(&error.to_string()))?;
        let mut sections = parsed.profile(kind, profile);
        if let Some(section) = sections.find(|section| section.entry(KEY_ID).is_some()) {
            return Ok(Found {
                ask: key(section).map_err(|what| {
                    unusable(&format!("the key of {profile} {what}"))
                        .hint("only the long-lived key of an IAM user can be stored")
                })?,
                kind: word,
                file: file.clone(),
            });
        }
    }
    Err(
        Failure::usage(format!("no profile {profile} of the AWS CLI has a key"))
            .hint("see ~/.aws/credentials, or type the key: jumpgate identity add NAME"),
    )
}

const KEY_ID: &str = "aws_access_key_id";

fn key(section: &Section<'_>) -> Result<IdentityAddRequest, &'static str> {
    if section.repeated().is_some() {
        return Err("stands in a section with a setting twice");
    }
    let is_temporary = |id: &&str| id.starts_with("ASIA");
    let id = section.value(KEY_ID);
    if section.value("aws_session_token").is_some() || id.as_ref().is_some_and(is_temporary) {
        return Err("is a temporary one");
    }
    match (id, section.value("aws_secret_access_key")) {
        (Some(id), Some(secret)) => Ok(IdentityAddRequest {
            access_key_id: id.to_owned(),
            secret_access_key: secret.into(),
            passphrase: None,
            totp_seed: None,
        }),
        _ => Err("lacks one of its two parts"),
    }
}
