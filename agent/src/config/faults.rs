//! Where mistakes are collected on the way, so that all of them are reported at once.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use super::report::{MAX_REPORTS, Position, Report};

/// A place in the text and the key that stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// Bytes from the start of the text.
    pub(super) at: usize,
    /// The dotted key, as it is written.
    pub(super) key: String,
}

/// A value and where it is written.
#[derive(Debug, Clone)]
pub(super) struct Written<T> {
    pub(super) value: T,
    pub(super) place: Place,
}

impl<T> Written<T> {
    /// Another value at the same place.
    pub(super) fn with<U>(&self, value: U) -> Written<U> {
        Written {
            value,
            place: self.place.clone(),
        }
    }
}

/// One mistake, before its place is turned into line and column.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    place: Place,
    message: String,
    expected: Option<String>,
    nearest: Option<String>,
    /// The place in another file that the configuration names.
    inside: Option<(PathBuf, Position)>,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The TOML itself is broken here.
    Syntax,
    /// Something is not there. It may be where the TOML is broken.
    Absence,
    /// Something that is there is wrong.
    Wrong,
}

impl Fault {
    fn new(kind: Kind, place: &Place, message: impl Into<String>) -> Self {
        Self {
            place: place.clone(),
            message: message.into(),
            expected: None,
            nearest: None,
            inside: None,
            kind,
        }
    }

    /// Something is wrong here.
    pub(super) fn wrong(place: &Place, message: impl Into<String>) -> Self {
        Self::new(Kind::Wrong, place, message)
    }

    /// Something that should be there is not.
    pub(super) fn absent(place: &Place, message: impl Into<String>) -> Self {
        Self::new(Kind::Absence, place, message)
    }

    /// The TOML is broken here.
    pub(super) fn syntax(place: &Place, message: impl Into<String>) -> Self {
        Self::new(Kind::Syntax, place, message)
    }

    /// What would be right.
    pub(super) fn expected(mut self, what: impl Into<String>) -> Self {
        self.expected = Some(what.into());
        self
    }

    /// The known name that was probably meant.
    pub(super) fn meant(mut self, nearest: Option<&str>) -> Self {
        self.nearest = nearest.map(str::to_owned);
        self
    }

    /// The mistake is inside of another file.
    pub(super) fn inside(mut self, path: &Path, position: Position) -> Self {
        self.inside = Some((path.to_owned(), position));
        self
    }
}

/// All mistakes and all doubts so far.
#[derive(Debug, Default)]
pub(super) struct Faults {
    errors: RefCell<Vec<Fault>>,
    warnings: RefCell<Vec<Fault>>,
}

impl Faults {
    /// Notes a mistake.
    pub(super) fn error(&self, fault: Fault) {
        self.errors.borrow_mut().push(fault);
    }

    /// Notes a doubt: legal, but probably not what is wanted.
    pub(super) fn warning(&self, fault: Fault) {
        self.warnings.borrow_mut().push(fault);
    }

    /// The value, or nothing and a mistake in the error's own words.
    pub(super) fn checked<T, E: std::fmt::Display>(
        &self,
        place: &Place,
        result: Result<T, E>,
    ) -> Option<T> {
        result
            .map_err(|error| self.error(Fault::wrong(place, error.to_string())))
            .ok()
    }

    /// The known name nearest to `word`, if it is near enough to be meant. Once there are more mistakes than
    /// will be shown, none: searching long lists for each of many thousand mistakes would take minutes.
    pub(super) fn nearest<'a>(
        &self,
        word: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Option<&'a str> {
        if self.errors.borrow().len() > MAX_REPORTS {
            return None;
        }
        nearest(word, known)
    }

    /// The mistakes in the order of the file, then the doubts.
    pub(super) fn into_reports(self, text: &str, path: &Path) -> (Vec<Report>, Vec<Report>) {
        let lines = Lines::of(text);
        let mut errors = self.errors.into_inner();
        keep_what_syntax_explains_not(&mut errors, &lines);
        (
            reports(errors, &lines, path),
            reports(self.warnings.into_inner(), &lines, path),
        )
    }
}

/// Where the TOML is broken, the reader makes something up or leaves it out. So only the first fault of such a line
/// is worth telling, and what is missing is perhaps there.
fn keep_what_syntax_explains_not(errors: &mut Vec<Fault>, lines: &Lines<'_>) {
    let line_of = |fault: &Fault| lines.line(fault.place.at);
    let syntax = errors.iter().filter(|fault| fault.kind == Kind::Syntax);
    let mut broken: Vec<usize> = syntax.map(line_of).collect();
    if broken.is_empty() {
        return;
    }
    broken.sort_unstable();
    errors.sort_by_key(|fault| fault.place.at);
    let mut last = 0;
    errors.retain(|fault| {
        let line = line_of(fault);
        match fault.kind {
            Kind::Syntax => std::mem::replace(&mut last, line) != line,
            Kind::Absence => false,
            Kind::Wrong => broken.binary_search(&line).is_err(),
        }
    });
}

fn reports(mut faults: Vec<Fault>, lines: &Lines<'_>, path: &Path) -> Vec<Report> {
    faults.sort_by_key(|fault| fault.place.at);
    let found = faults.len();
    faults.truncate(MAX_REPORTS);
    let mut reports: Vec<Report> = faults
        .into_iter()
        .map(|fault| report(fault, lines, path))
        .collect();
    if found > MAX_REPORTS {
        reports.push(Report {
            path: path.to_owned(),
            position: None,
            key: String::new(),
            message: format!("and {} more", found - MAX_REPORTS),
            expected: None,
            nearest: None,
        });
    }
    reports
}

fn report(fault: Fault, lines: &Lines<'_>, path: &Path) -> Report {
    let named_at = lines.position(fault.place.at);
    let (path, position, message) = match fault.inside {
        None => (path.to_owned(), named_at, fault.message),
        Some((inside, position)) => {
            let Position { line, column } = named_at;
            let by = format!("named at {}:{line}:{column}", path.display());
            (inside, position, format!("{} ({by})", fault.message))
        }
    };
    Report {
        path,
        position: Some(position),
        key: fault.place.key,
        message,
        expected: fault.expected,
        nearest: fault.nearest,
    }
}

/// The lines of a text, for turning bytes into line and column.
struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    fn of(text: &'t str) -> Self {
        let after_feeds = text.match_indices('\n').map(|(feed, _)| feed + 1);
        let starts = std::iter::once(0).chain(after_feeds).collect();
        Self { text, starts }
    }

    fn line(&self, at: usize) -> usize {
        self.starts.partition_point(|start| *start <= at)
    }

    /// Line and column from 1, the column in characters.
    fn position(&self, at: usize) -> Position {
        let line = self.line(at);
        let start = self.starts[line - 1];
        let before = self.text.get(start..at.min(self.text.len()));
        Position {
            line,
            column: before.map_or(0, |text| text.chars().count()) + 1,
        }
    }
}

/// Longest word for which a near miss is looked for.
const MAX_MEANT: usize = 64;

/// The known word nearest to `word`, at most a third of its length away (at least one edit), without regard to
/// case.
fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    if length > MAX_MEANT {
        return None;
    }
    let allowed = (length / 3).max(1);
    let word = word.to_lowercase();
    known
        .into_iter()
        .filter(|candidate| candidate.len() <= 4 * MAX_MEANT)
        .map(|candidate| {
            let distance = strsim::damerau_levenshtein(&word, &candidate.to_lowercase());
            (distance, candidate)
        })
        .filter(|(distance, candidate)| *distance <= allowed && *distance < candidate.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_lines_and_characters() {
        let lines = Lines::of("aä€x\n\nb\r\n");
        for (at, line, column) in [
            (0, 1, 1),
            (1, 1, 2),
            (3, 1, 3),
            (6, 1, 4),
            (7, 1, 5),
            (8, 2, 1),
            (9, 3, 1),
            (10, 3, 2),
            (12, 4, 1),
            (99, 4, 1),
        ] {
            assert_eq!(lines.position(at), Position { line, column }, "{at}");
        }
        assert_eq!(Lines::of("").position(0), Position { line: 1, column: 1 });
    }

    #[test]
    fn near_misses() {
        let known = ["duration", "external_id", "via", "dev"];
        for (word, meant) in [
            ("duraton", Some("duration")),
            ("Duration", Some("duration")),
            ("druation", Some("duration")),
            ("externalid", Some("external_id")),
            ("vai", Some("via")),
            ("dve", Some("dev")),
            ("d", None),
            ("", None),
            ("session", None),
            (&"d".repeat(65), None),
        ] {
            assert_eq!(nearest(word, known), meant, "{word}");
        }
    }

    fn messages(faults: Faults, text: &str) -> Vec<String> {
        let (errors, _) = faults.into_reports(text, Path::new("c"));
        errors.iter().map(ToString::to_string).collect()
    }

    fn place(at: usize) -> Place {
        let key = "k".to_owned();
        Place { at, key }
    }

    #[test]
    fn broken_toml_explains_its_line_and_what_is_missing() {
        let faults = Faults::default();
        faults.error(Fault::wrong(&place(8), "far"));
        faults.error(Fault::absent(&place(8), "missing"));
        faults.error(Fault::wrong(&place(2), "same line"));
        faults.error(Fault::syntax(&place(4), "broken"));
        faults.error(Fault::syntax(&place(4), "as a consequence"));
        let expected = ["c:1:5: k: broken", "c:2:3: k: far"];
        assert_eq!(messages(faults, "12345\n789"), expected);
    }

    #[test]
    fn so_many_reports_and_no_more() {
        for (found, shown) in [
            (MAX_REPORTS, MAX_REPORTS),
            (MAX_REPORTS + 1, MAX_REPORTS + 1),
            (MAX_REPORTS + 50, MAX_REPORTS + 1),
        ] {
            let faults = Faults::default();
            for at in 0..found {
                faults.error(Fault::wrong(&place(at), "no"));
            }
            let messages = messages(faults, &"x".repeat(200));
            assert_eq!(messages.len(), shown);
            if found > MAX_REPORTS {
                let more = format!("c: and {} more", found - MAX_REPORTS);
                assert_eq!(messages.last(), Some(&more));
            }
        }
    }

    #[test]
    fn a_fault_in_a_named_file_has_both_places() {
        let faults = Faults::default();
        let inside = Position { line: 9, column: 2 };
        faults.error(Fault::wrong(&place(3), "bad").inside(Path::new("p.json"), inside));
        let expected = ["p.json:9:2: k: bad (named at c:2:2)"];
        assert_eq!(messages(faults, "1\n34"), expected);
    }
}
