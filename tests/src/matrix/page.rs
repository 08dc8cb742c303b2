//! The matrix as a page: notes in, Markdown between two marks out. What did not run here stays as the page has it. Pure.

use std::collections::HashMap;

use super::{Client, Column, Interface, Limit, Verdict};

/// Between these the page is ours; the rest is written by hand.
const BEGIN: &str = "<!-- tests/run writes from here -->\n";
const END: &str = "<!-- to here -->\n";

/// What stands in a cell of which nothing is known.
const UNKNOWN: &str = "not run";
const FAILS: &str = "FAILS";

/// What the tests noted.
#[derive(Debug, Default)]
pub struct Told {
    cells: HashMap<String, String>,
}

/// The page with what was told, and what that changes.
#[derive(Debug)]
pub struct Page {
    /// The whole text.
    pub text: String,
    /// The part that is written here.
    pub matrix: String,
    /// Cells that differ from the page before: `WHERE: was X, is Y`.
    pub changed: Vec<String>,
    /// Clients whose release differs. That alone is no failure.
    pub moved: Vec<String>,
    /// Cells that fail.
    pub failing: Vec<String>,
    /// Cells that stay as they were, since nothing ran.
    pub kept: Vec<String>,
}

impl Told {
    /// Reads the notes; of several on one cell the last counts.
    #[must_use]
    pub fn parse(notes: &str) -> Self {
        let cells = notes.lines().filter_map(|line| line.rsplit_once(' '));
        Self {
            cells: cells
                .map(|(cell, what)| (cell.to_owned(), what.to_owned()))
                .collect(),
        }
    }

    /// Whether no client ran.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    fn cell(&self, client: Client, interface: Interface, column: Column) -> Option<String> {
        let (client, interface, column) = (client.word(), interface.word(), column.word());
        let noted = self.cells.get(&format!("{client} {interface} {column}"))?;
        let limits = Limit::ALL.iter().zip(1..);
        let mut limits = limits.map(|(limit, at)| (Verdict::Within(*limit).word(), at));
        Some(match limits.find(|(word, _)| word == noted) {
            Some((_, at)) => format!("limit {at}"),
            None if *noted == Verdict::Holds.word() => "yes".to_owned(),
            None => FAILS.to_owned(),
        })
    }

    fn release(&self, client: Client) -> Option<String> {
        self.cells
            .get(&format!("{} version", client.word()))
            .cloned()
    }
}

impl Page {
    /// The page `before`, with what was told in it; `None` where it lacks the two marks.
    #[must_use]
    pub fn new(before: &str, told: &Told) -> Option<Self> {
        let (above, rest) = before.split_once(BEGIN)?;
        let (old, below) = rest.split_once(END)?;
        let old: Vec<Vec<&str>> = old.lines().map(cells).collect();
        let mut page = Self {
            text: String::new(),
            matrix: header(),
            changed: Vec::new(),
            moved: Vec::new(),
            failing: Vec::new(),
            kept: Vec::new(),
        };
        for client in Client::ALL {
            for interface in Interface::ALL {
                let row = page.row(client, interface, told, &old);
                page.matrix.push_str(&row);
            }
        }
        page.matrix.push('\n');
        for (limit, at) in Limit::ALL.iter().zip(1..) {
            page.matrix.push_str(&format!("{at}. {}\n", limit.text()));
        }
        page.text = format!("{above}{BEGIN}{}{END}{below}", page.matrix);
        Some(page)
    }

    fn row(
        &mut self,
        client: Client,
        interface: Interface,
        told: &Told,
        old: &[Vec<&str>],
    ) -> String {
        let names = [client.title(), interface.title()];
        let same =
            |row: &&Vec<&str>| row.first() == Some(&names[0]) && row.get(2) == Some(&names[1]);
        let old = old.iter().find(same);
        let before = |at: usize| *old.and_then(|row| row.get(at)).unwrap_or(&UNKNOWN);
        let release = told.release(client).unwrap_or_else(|| before(1).to_owned());
        if release != before(1) && interface == Interface::ALL[0] {
            let (name, was) = (names[0], before(1));
            self.moved.push(format!("{name}: was {was}, is {release}"));
        }
        let mut row = format!("| {} | {release} | {} |", names[0], names[1]);
        for (column, at) in Column::ALL.into_iter().zip(3..) {
            let place = format!("{} by {}, {}", names[0], names[1], column.title());
            let cell = told.cell(client, interface, column).unwrap_or_else(|| {
                self.kept.push(place.clone());
                before(at).to_owned()
            });
            if cell == FAILS {
                self.failing.push(place.clone());
            }
            if cell != before(at) {
                self.changed
                    .push(format!("{place}: was {}, is {cell}", before(at)));
            }
            row.push_str(&format!(" {cell} |"));
        }
        row + "\n"
    }
}

fn header() -> String {
    let columns = Column::ALL.map(Column::title).join(" | ");
    let rule = "---|".repeat(3 + Column::ALL.len());
    format!("| client | release | interface | {columns} |\n|{rule}\n")
}

/// The cells of a line of a table.
fn cells(line: &str) -> Vec<&str> {
    let inner = line
        .strip_prefix("| ")
        .and_then(|line| line.strip_suffix(" |"));
    inner
        .map(|inner| inner.split(" | ").collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const EMPTY: &str = "# Page\n<!-- tests/run writes from here -->\n<!-- to here -->\nbelow\n";

    /// Notes in which everything holds.
    fn good() -> String {
        let mut notes = String::new();
        for client in Client::ALL {
            notes += &format!("{} version 1.2.3\n", client.word());
            for interface in Interface::ALL {
                for column in Column::ALL {
                    let (client, interface) = (client.word(), interface.word());
                    notes += &format!("{client} {interface} {} holds\n", column.word());
                }
            }
        }
        notes
    }

    fn page(before: &str, notes: &str) -> Page {
        Page::new(before, &Told::parse(notes)).unwrap()
    }

    #[test]
    fn the_same_notes_make_the_same_page() {
        let first = page(EMPTY, &good());
        assert!(first.text.starts_with("# Page\n") && first.text.ends_with("\nbelow\n"));
        assert!(
            first
                .text
                .contains("| boto3 | 1.2.3 | IMDSv2 | yes | yes | yes | yes | yes |\n")
        );
        let second = page(&first.text, &good());
        assert_eq!(second.text, first.text);
        assert_eq!((second.changed, second.moved), (vec![], vec![]));
    }

    #[test]
    fn the_last_note_counts_and_what_differs_is_named() {
        let before = page(EMPTY, &good()).text;
        let notes =
            good() + "js imds refused NoChannel\nrust process session fails\njs version 2.0\n";
        let page = page(&before, &notes);
        let refused = "SDK for JavaScript v3 by IMDSv2, refusal is told: was yes, is limit 3";
        let session = "SDK for Rust by `credential_process`, right session";
        assert_eq!(
            page.changed,
            [refused, &format!("{session}: was yes, is FAILS")]
        );
        assert_eq!(page.failing, [session]);
        assert_eq!(page.moved, ["SDK for JavaScript v3: was 1.2.3, is 2.0"]);
    }

    #[test]
    fn what_did_not_run_stays() {
        let before = page(EMPTY, &good()).text;
        let kept = page(&before, "boto3 version 1.2.3\nboto3 imds session holds\n");
        assert_eq!(kept.text, before);
        assert_eq!(kept.kept.len(), 6 * 3 * 5 - 1);
        let unknown = page(EMPTY, "");
        assert!(
            unknown
                .text
                .contains("| boto3 | not run | container | not run |")
        );
    }

    #[test]
    fn a_page_without_marks_is_left_alone() {
        assert!(Page::new("# Page\n", &Told::default()).is_none());
    }
}
