//! A test that cannot run on this machine says so where the test run collects it; never in silence.

use std::io::Write as _;

/// Appends `WHAT: WHY` to the file that `JUMPGATE_SKIPS` names; without one, to standard error.
pub(super) fn skip(what: &str, why: &str) {
    let line = format!("{what}: {why}\n");
    match std::env::var_os("JUMPGATE_SKIPS") {
        Some(path) => std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(path)
            .and_then(|mut file| file.write_all(line.as_bytes()))
            .expect("the file for skipped tests can be written"),
        None => std::io::stderr()
            .write_all(line.as_bytes())
            .expect("standard error can be written"),
    }
}

/// The first of these programs that is not on PATH.
pub(super) fn missing_program<'a>(programs: &[&'a str]) -> Option<&'a str> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let present = |program: &&str| {
        std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
    };
    programs.iter().find(|program| !present(program)).copied()
}
