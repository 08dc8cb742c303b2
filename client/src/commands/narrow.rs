//! The narrowing flags, read and put together as the agent takes them.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use jumpgate_api::Narrow;

use crate::cli::NarrowFlags;
use crate::failure::Failure;

/// The largest policy file that is read, in bytes; STS's own limit is far below, after minifying.
const MAX_POLICY_BYTES: usize = 128 * 1024;

/// Reads the policy's file, if one is named.
pub(super) fn read(flags: NarrowFlags) -> Result<Narrow, Failure> {
    Ok(Narrow {
        policy: flags.policy.as_deref().map(policy).transpose()?,
        tags: tags(flags.tags)?,
        duration_seconds: flags.duration,
        reason: flags.reason,
        ticket: flags.ticket,
    })
}

fn policy(argument: &OsStr) -> Result<String, Failure> {
    match argument.to_str() {
        Some(preset) if preset.starts_with("preset:") => Ok(preset.to_owned()),
        _ => policy_file(Path::new(argument)),
    }
}

fn policy_file(path: &Path) -> Result<String, Failure> {
    let place = path.display();
    let mut text = String::new();
    let file = File::open(path).and_then(|file| {
        file.take(MAX_POLICY_BYTES as u64 + 1)
            .read_to_string(&mut text)
    });
    file.map_err(|error| {
        Failure::usage(format!("cannot read the policy {place}: {error}"))
            .hint("name a file of JSON, or preset:NAME")
    })?;
    match text.len() <= MAX_POLICY_BYTES {
        true => Ok(text),
        false => Err(Failure::usage(format!(
            "the policy {place} is larger than {MAX_POLICY_BYTES} bytes"
        ))
        .hint("AWS takes 2,048 characters after minifying")),
    }
}

fn tags(flags: Vec<(String, String)>) -> Result<BTreeMap<String, String>, Failure> {
    let mut tags = BTreeMap::new();
    for (key, value) in flags {
        if let Some(first) = tags.insert(key.clone(), value) {
            return Err(
                Failure::usage(format!("the tag {key} is given twice, first as {first}"))
                    .hint("give each tag once"),
            );
        }
    }
    Ok(tags)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_preset_goes_by_its_name_and_a_file_by_its_text() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("policy.json");
        std::fs::write(&file, "{ \"Version\": \"2012-10-17\" }\n").unwrap();
        assert_eq!(
            policy(OsStr::new("preset:support")).unwrap(),
            "preset:support"
        );
        assert_eq!(
            policy(file.as_os_str()).unwrap(),
            "{ \"Version\": \"2012-10-17\" }\n"
        );
    }

    #[test]
    fn a_policy_file_has_a_maximum_and_must_be_text() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("policy.json");
        std::fs::write(&file, " ".repeat(MAX_POLICY_BYTES)).unwrap();
        assert_eq!(policy(file.as_os_str()).unwrap().len(), MAX_POLICY_BYTES);
        std::fs::write(&file, " ".repeat(MAX_POLICY_BYTES + 1)).unwrap();
        assert!(
            policy(file.as_os_str())
                .unwrap_err()
                .to_string()
                .contains("larger than 131072 bytes")
        );
        std::fs::write(&file, [0xff]).unwrap();
        assert!(
            policy(file.as_os_str())
                .unwrap_err()
                .to_string()
                .contains("cannot read the policy")
        );
        assert!(
            policy(OsStr::new("/nonexistent"))
                .unwrap_err()
                .to_string()
                .contains("/nonexistent")
        );
    }

    #[test]
    fn a_tag_is_given_once() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(tags(vec![pair("A", "1"), pair("a", "2")]).unwrap().len(), 2);
        let twice = tags(vec![pair("A", "1"), pair("A", "2")])
            .unwrap_err()
            .to_string();
        assert_eq!(
            twice,
            "jumpgate: the tag A is given twice, first as 1\n  hint: give each tag once\n"
        );
    }
}
