//! `docs/reliability.md`: a section for each fault, between two marks. What stands around them is written by hand.

use std::fs::File;
use std::path::PathBuf;

/// Set, a run writes the sections instead of comparing them.
const WRITE: &str = "JUMPGATE_WRITE_DOCS";
/// What stands behind it is written by runs only.
const GENERATED: &str = "<!-- generated -->\n";
const END: &str = "<!-- end -->\n";

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/reliability.md")
}

fn mark(fault: &str) -> String {
    format!("<!-- fault: {fault} -->\n")
}

/// Whether this run writes.
pub(crate) fn writes() -> bool {
    std::env::var_os(WRITE).is_some()
}

/// The faults that the page has, in its order.
pub(crate) fn sections() -> Vec<String> {
    let page = std::fs::read_to_string(path()).unwrap();
    let marks = page.lines().filter_map(|line| {
        let name = line.strip_prefix("<!-- fault: ")?.strip_suffix(" -->")?;
        Some(name.to_owned())
    });
    marks.collect()
}

/// The section of a fault as it stands; empty if there is none.
pub(crate) fn section(fault: &str) -> String {
    let page = std::fs::read_to_string(path()).unwrap();
    found(&page, fault).map_or_else(String::new, |(_, section, _)| section.to_owned())
}

/// What the page has in this row and column of a fault's table.
pub(crate) fn committed(section: &str, row: &str, column: usize) -> String {
    let start = format!("| {row} |");
    let line = section.lines().find(|line| line.starts_with(&start));
    let cell = line.and_then(|line| line.split(" | ").nth(column));
    cell.unwrap_or_default().trim().to_owned()
}

/// The page has this section, or gets it.
#[track_caller]
pub(crate) fn hold(fault: &str, section: &str) {
    let known = super::FAULTS.iter().any(|(_, all)| all.contains(&fault));
    assert!(known, "{fault:?} has no place in FAULTS");
    if writes() {
        return write(fault, section);
    }
    let on_page = self::section(fault);
    assert_eq!(
        on_page, section,
        "{fault}: docs/reliability.md says otherwise; if what was seen is right: \
         {WRITE}=1 cargo nextest run -p jumpgate-tests faults::\n--- seen:\n{section}--- page:\n{on_page}"
    );
}

fn found<'a>(page: &'a str, fault: &str) -> Option<(&'a str, &'a str, &'a str)> {
    let (before, rest) = page.split_once(&mark(fault))?;
    let (section, after) = rest.split_once(END)?;
    Some((before, section, after))
}

/// In its place among those that are there. Tests of other processes write too.
fn write(fault: &str, section: &str) {
    let lock = File::open(path()).unwrap();
    lock.lock().unwrap();
    let page = std::fs::read_to_string(path()).unwrap();
    let (by_hand, _) = page.split_once(GENERATED).unwrap();
    let mut text = format!("{by_hand}{GENERATED}");
    for (heading, faults) in super::FAULTS {
        let sections = faults.iter().filter_map(|name| {
            let there = found(&page, name).map(|(_, section, _)| section);
            let section = if *name == fault { Some(section) } else { there };
            section.map(|section| format!("\n{}{section}{END}", mark(name)))
        });
        let sections: String = sections.collect();
        if !sections.is_empty() {
            text += &format!("\n## {heading}\n{sections}");
        }
    }
    std::fs::write(path(), text).unwrap();
}
