//! What an import makes of files that others wrote. Law: whatever stands in them, what is added is taken by our own loader, and
//! by itself as well as behind what is there; an import right after it adds nothing; nothing that is said or added has a secret
//! of the files, or plays tricks on a terminal.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use jumpgate_iam::shared_file::SharedFile;

use super::arguments::Arguments;
use super::found::{Remarks, find};
use super::judged::{Judged, Known, judge};
use super::{Remark, chains};
use crate::config;
use crate::fuzzed::{assert_plain, secrets, text};

const OURS: &str = "/home/alice/.config/jumpgate/config.toml";

/// `~/.aws/config`, a line `---`, `~/.aws/credentials`. As aws-vault reads it if the first line is `# aws-vault`.
pub(crate) fn target(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let (config, credentials) = text.split_once("\n---\n").unwrap_or((text, ""));
    let vault = config.starts_with("# aws-vault\n");
    let (Ok(config), Ok(credentials)) = (SharedFile::parse(config), SharedFile::parse(credentials))
    else {
        return;
    };
    let files = (&config, &credentials);
    let (judged, remarks) = imported(files, vault, "", &Known::default());
    let secrets = [secrets(&config, text), secrets(&credentials, text)].concat();
    check(&judged, &remarks, &secrets);
    let loaded = config::judge(&judged.whole, OURS.as_ref());
    // Without a profile there is nothing to load.
    if judged.toml.is_empty() {
        return;
    }
    let known = Known::of(loaded.unwrap());
    let (again, remarks) = imported(files, vault, &judged.whole, &known);
    check(&again, &remarks, &secrets);
    assert_eq!(again.toml, "");
    assert_eq!(again.whole, judged.whole);
}

fn imported(
    (config, credentials): (&SharedFile<'_>, &SharedFile<'_>),
    aws_vault: bool,
    before: &str,
    known: &Known,
) -> (Judged, Remarks) {
    let words: &[&str] = match aws_vault {
        true => &["--config-file", "config", "--aws-vault"],
        false => &["--config-file", "config", "--account", "111111111111"],
    };
    let arguments = Arguments::parse(words).unwrap();
    let credentials = (Path::new("credentials"), credentials);
    let mut found = find((Path::new("config"), config), Some(credentials), aws_vault);
    let blocks = chains::blocks(&mut found, &arguments, known);
    let judged = judge(blocks, before, OURS.as_ref(), &mut found.remarks);
    (judged, found.remarks)
}

fn check(judged: &Judged, remarks: &Remarks, secrets: &[&str]) {
    assert!(judged.whole.ends_with(&judged.toml));
    let remarks = remarks.skipped.iter().chain(&remarks.notes);
    let mut said: Vec<String> = remarks.map(Remark::to_string).collect();
    said.iter().for_each(|said| assert_plain(said));
    said.push(judged.toml.clone());
    let told = |secret: &&str| said.iter().any(|said| said.contains(*secret));
    assert!(!secrets.iter().any(told), "{said:?}");
}
