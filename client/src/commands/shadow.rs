//! What would win over an endpoint: variables, and the default profile of the AWS CLI's files. It is said,
//! with its place and without its value; nothing fails by it.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use jumpgate_api::EndpointKind;
use zeroize::Zeroizing;

use super::Context;
use crate::output::escape;

/// The largest file that is looked into, in bytes.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// Keys of a profile that are sources of credentials. Nearly every SDK asks them before an endpoint.
const SOURCES: [&str; 8] = [
    "aws_access_key_id",
    "credential_process",
    "login_session",
    "role_arn",
    "sso_account_id",
    "sso_session",
    "sso_start_url",
    "web_identity_token_file",
];

/// Comes before IMDS only.
const CONTAINER_URI: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";

/// Warns of the variables of our own environment; a command of ours does not inherit them.
pub(super) fn warn_of_variables(context: &mut Context<'_>, kind: EndpointKind) {
    for &name in &context.sdk.sources {
        if kind == EndpointKind::Imds || name != CONTAINER_URI {
            context.person.tell(&format!(
                "jumpgate: warning: {name} is set here, and wins over the endpoint until it is unset\n"
            ));
        }
    }
}

/// Warns of the default profile.
pub(super) fn warn_of_files(context: &mut Context<'_>, kind: EndpointKind) {
    let sdk = context.sdk;
    for path in [&sdk.credentials_file, &sdk.config_file]
        .into_iter()
        .flatten()
    {
        let place = escape(&path.to_string_lossy());
        let warning = match content(path) {
            // What cannot be read here, an SDK cannot read either.
            Err(_) => continue,
            Ok(None) => {
                format!("{place} is larger than {MAX_FILE_BYTES} bytes and was not looked into")
            }
            Ok(Some(bytes)) => match in_default(&bytes, kind) {
                Some((line, key)) => {
                    format!(
                        "{place}:{line}: {key} of the default profile wins over the endpoint; give that profile another name"
                    )
                }
                None => continue,
            },
        };
        context
            .person
            .tell(&format!("jumpgate: warning: {warning}\n"));
    }
}

/// The bytes of a file, wiped after use; `None` if there are too many. What is no plain file is empty: a pipe
/// would have to be left to its reader.
pub(super) fn content(path: &Path) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() {
        return Ok(Some(Zeroizing::default()));
    }
    // It never grows, unless the file does meanwhile.
    let room = metadata.len().min(MAX_FILE_BYTES) as usize + 1;
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    let read = File::open(path)?
        .take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut bytes)?;
    Ok((read as u64 <= MAX_FILE_BYTES).then_some(bytes))
}

/// The line, counted from 1, and the key of the first source of credentials in the default profile.
fn in_default(text: &[u8], kind: EndpointKind) -> Option<(usize, &'static str)> {
    let ours: &[u8] = match kind {
        EndpointKind::Container => b"EcsContainer",
        EndpointKind::Imds => b"Ec2InstanceMetadata",
    };
    let (mut is_default, mut starts_from_ours) = (false, false);
    let mut found = None;
    for (index, line) in text.split(|&byte| byte == b'\n').enumerate() {
        if let Some(header) = line.trim_ascii().strip_prefix(b"[") {
            is_default = names_default(header);
            continue;
        }
        // An indented line belongs to the key above it.
        let indented = line.first().is_none_or(u8::is_ascii_whitespace);
        let Some(end) = line.iter().position(|&byte| byte == b'=') else {
            continue;
        };
        if !is_default || indented {
            continue;
        }
        let (key, value) = (line[..end].trim_ascii_end(), line[end + 1..].trim_ascii());
        starts_from_ours |= key.eq_ignore_ascii_case(b"credential_source") && value == ours;
        let is_key = |source: &&str| key.eq_ignore_ascii_case(source.as_bytes());
        let source = SOURCES.into_iter().find(is_key);
        found = found.or(source.map(|source| (index + 1, source)));
    }
    // A role that is assumed with the endpoint's session does not win over it.
    found.filter(|&(_, key)| !(key == "role_arn" && starts_from_ours))
}

/// Whether the rest of a section's header is that of the default profile, in either spelling.
fn names_default(header: &[u8]) -> bool {
    let name = header.split(|&byte| byte == b']').next();
    let words = name
        .unwrap_or_default()
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty());
    let words: Vec<&[u8]> = words.collect();
    words == [b"default"] || words == [&b"profile"[..], b"default"]
}

#[cfg(test)]
mod tests;
