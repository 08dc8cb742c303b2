//! What holds for any bytes: one function for each kind of text that others write and the agent reads.
//!
//! Each target takes bytes, reads them as the agent does, and panics where its law does not hold; a panic, an overflow or
//! a hang in the code under test is a finding too. `tests/fuzz` has them tried out by libFuzzer; the tests here hold them
//! against the committed corpus (docs/fuzzing.md). Compiled for those two only: nothing of it is in a release.
#![allow(clippy::unwrap_used)]

mod arn;
mod config;
mod messages;
mod narrow;
mod policy;
mod requests;
mod shared_file;
#[cfg(test)]
mod tests;
mod words;

use std::fmt::{Debug, Display};
use std::str::FromStr;

use jumpgate_iam::shared_file::SharedFile;

use crate::providers::{desktop, journal, sealed_file, sts};
use crate::server;

/// One function for each target, named as its corpus and its file in `tests/fuzz/targets` are; and the list of them.
macro_rules! targets {
    ($($name:ident: $target:path;)*) => {
        $(#[doc = concat!("The target `", stringify!($name), "`.")]
        pub fn $name(data: &[u8]) {
            let _what_it_said = $target(data);
        })*

        #[cfg(test)]
        const TARGETS: &[(&str, fn(&[u8]))] = &[$((stringify!($name), $name)),*];
    };
}

targets! {
    arn: arn::target;
    aws_answers: sts::fuzzed::query;
    config: config::target;
    container: server::fuzzed::container;
    control: server::fuzzed::control;
    imds: server::fuzzed::imds;
    import: crate::import::fuzzed::target;
    journal_chain: journal::fuzzed::chain;
    journal_file: journal::fuzzed::file;
    messages: messages::target;
    narrow: narrow::target;
    policy: policy::target;
    sdk_answers: sts::fuzzed::sdk;
    sealed_file: sealed_file::fuzzed::target;
    shared_file: shared_file::target;
    signals: desktop::fuzzed::target;
    stored_key: crate::providers::stored_key_fuzzed::target;
    words: words::target;
}

/// The bytes as a text, if they are one.
pub(crate) fn text(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok()
}

/// The text without its first line, and that line.
pub(crate) fn line_and_rest(text: &str) -> (&str, &str) {
    text.split_once('\n').unwrap_or((text, ""))
}

/// What is shown to a person holds nothing that plays tricks on a terminal.
pub(crate) fn assert_plain(shown: &str) {
    let trick = |c: char| c.is_control() && c != '\n' || "\u{202e}\u{200b}\u{2066}".contains(c);
    assert!(!shown.contains(trick), "{shown:?}");
}

/// The secrets of a shared file, by the names of their settings, as far as they can be told from everything else: they begin
/// as no word of ours does, stand once in the text, and have no backslash, which what a diff makes of a control character
/// has too.
pub(crate) fn secrets<'a>(file: &SharedFile<'a>, text: &str) -> Vec<&'a str> {
    let words = ["secret", "session_token", "security_token", "password"];
    let names_one = |key: &str| words.iter().any(|word| key.contains(word));
    let entries = file.sections().iter().flat_map(|section| section.entries());
    let secrets = entries.filter(|entry| names_one(&entry.key().to_ascii_lowercase()));
    let secrets = secrets.map(|entry| entry.value());
    let stands_out = |value: &&str| {
        value.starts_with("canary") && !value.contains('\\') && text.matches(value).count() == 1
    };
    secrets.filter(stands_out).collect()
}

/// A value prints as the text that it was read from; what is refused is refused in plain words.
pub(crate) fn reads_as_it_stands<T>(text: &str) -> Option<T>
where
    T: FromStr + Display + PartialEq + Debug,
    T::Err: Display,
{
    match text.parse::<T>() {
        Ok(value) => {
            assert_eq!(value.to_string(), text);
            Some(value)
        }
        Err(error) => {
            assert_plain(&error.to_string());
            None
        }
    }
}
