//! `~/.aws/config` and `~/.aws/credentials`. Law: without a change a file is what it was; a change made twice is made once;
//! what was set is what is read; what was taken out is gone; no other line changes; a diff shows no secret and nothing that
//! plays tricks on a terminal.

use jumpgate_iam::shared_file::{Changes, Entry, Kind, SharedFile};

use super::{assert_plain, secrets, text};

/// A file. What `configure` makes of it keeps its own law (`configure/fuzzed.rs`).
pub(super) fn target(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let file = match SharedFile::parse(text) {
        Ok(file) => file,
        Err(error) => return assert_plain(&error.to_string()),
    };
    let changes = Changes::new(&file);
    assert!(changes.is_empty());
    assert_eq!(changes.text(), text);
    assert_eq!(changes.diff("f"), "");
    for kind in [Kind::Config, Kind::Credentials] {
        let names = file
            .sections()
            .iter()
            .filter_map(|section| section.profile(kind));
        for name in names.take(8) {
            assert!(file.profile(kind, name).next().is_some());
        }
    }
    let once = set(text);
    assert_eq!(set(&once), once, "twice");
    removed(text, &file);
    crate::configure::fuzzed::check(text);
}

const SETTINGS: [(&str, &str); 2] = [("region", "eu-west-1"), ("credential_process", "p --q 'r'")];

/// The settings in the first section, or in a new one.
fn set(text: &str) -> String {
    let file = SharedFile::parse(text).unwrap();
    let mut changes = Changes::new(&file);
    let named = file.profile(Kind::Config, "dev").next();
    match named {
        Some(section) => changes.set(section, &SETTINGS),
        None => changes.append("profile dev", &SETTINGS),
    }
    let after = changes.text();
    shown(&changes, text, &after);
    let read = SharedFile::parse(&after).unwrap();
    let section = read.profile(Kind::Config, "dev").next().unwrap();
    for (key, value) in SETTINGS {
        assert_eq!(section.value(key), Some(value), "{after:?}");
    }
    assert_eq!(
        read.sections().len(),
        file.sections().len() + usize::from(named.is_none())
    );
    // The settings of all other sections are what they were.
    let others = |file: &SharedFile<'_>| {
        let all = file.sections().iter().enumerate();
        let ours = file
            .sections()
            .iter()
            .position(|s| s.profile(Kind::Config) == Some("dev"));
        let others = all.filter(|(at, _)| Some(*at) != ours);
        let told = others.map(|(_, section)| {
            let entry = |entry: &Entry<'_>| format!("{}={}", entry.key(), entry.value());
            let entries: Vec<String> = section.entries().iter().map(entry).collect();
            (section.header().to_owned(), entries)
        });
        told.collect::<Vec<_>>()
    };
    assert_eq!(others(&read), others(&file), "{after:?}");
    after
}

/// Every setting of the first section is taken out.
fn removed(text: &str, file: &SharedFile<'_>) {
    let Some(section) = file.sections().first() else {
        return;
    };
    let mut changes = Changes::new(file);
    section
        .entries()
        .iter()
        .for_each(|entry| changes.remove(entry));
    let after = changes.text();
    shown(&changes, text, &after);
    let read = SharedFile::parse(&after).unwrap();
    assert_eq!(read.sections().len(), file.sections().len(), "{after:?}");
    assert!(read.sections()[0].entries().is_empty(), "{after:?}");
}

/// The diff is plain, shows no secret, and is empty for no change alone.
fn shown(changes: &Changes<'_, '_>, before: &str, after: &str) {
    let diff = changes.diff("f");
    assert_eq!(diff.is_empty(), before == after, "{diff:?}");
    let trick = |c: char| c.is_control() && !"\n\r\t".contains(c);
    assert!(!diff.contains(trick), "{diff:?}");
    let file = SharedFile::parse(before).unwrap();
    let shown = |secret: &&str| diff.contains(*secret);
    assert!(!secrets(&file, before).iter().any(shown), "{diff}");
}
