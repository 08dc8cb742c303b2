//! What `configure` makes of a file that others wrote. Law: a stanza that was planned once needs nothing the second time, and is
//! what the SDKs read then; one that is refused changes nothing.
#![allow(clippy::unwrap_used)]

use super::*;

/// A profile's stanza in any file that can be read.
pub(crate) fn check(text: &str) {
    for (name, replace) in [("dev", false), ("dev", true), ("default", true)] {
        let wanted = Wanted {
            name,
            process: "/usr/bin/jumpgate credential-process dev",
            region: Some("eu-central-1"),
            replace,
        };
        let (change, once) = planned(&wanted, text);
        match change {
            Change::Refused | Change::Unchanged => assert_eq!(once, text),
            Change::Added | Change::Changed => {
                let (change, twice) = planned(&wanted, &once);
                assert!(matches!(change, Change::Unchanged), "{change:?}: {once:?}");
                assert_eq!(twice, once);
                let file = SharedFile::parse(&once).unwrap();
                let section = file.profile(Kind::Config, name).next().unwrap();
                let process = section.value("credential_process");
                assert_eq!(process, Some(wanted.process), "{once:?}");
                let before_us = |entry| is_one_of(entry, &BEFORE_US);
                assert!(!section.entries().iter().any(before_us), "{once:?}");
            }
        }
    }
}

fn planned(wanted: &Wanted<'_>, text: &str) -> (Change, String) {
    let file = SharedFile::parse(text).unwrap();
    let mut changes = Changes::new(&file);
    let (change, _reason) = wanted.plan(&file, &mut changes);
    (change, changes.text())
}
