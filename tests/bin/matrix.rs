//! Makes docs/compatibility.md of what the tests of the conformance matrix noted.
//!
//! `matrix NOTES PAGE`: prints the matrix and what it changes in the page, and writes the page. Fails when a cell fails;
//! with `CI` set also when a cell says something else than the page, which is then not what was committed. Another
//! release of a client alone is said, and no failure: Debian's moves without us.

use std::io::{self, Write};
use std::process::ExitCode;

use jumpgate_tests::matrix::{Page, Told};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [notes, page] = words.as_slice() else {
        return failed("usage: matrix NOTES PAGE");
    };
    match written(notes, page) {
        Ok(page) => shown(&page).unwrap_or(ExitCode::FAILURE),
        Err(error) => failed(&error.to_string()),
    }
}

fn written(notes: &str, path: &str) -> io::Result<Page> {
    let told = Told::parse(&std::fs::read_to_string(notes)?);
    let before = std::fs::read_to_string(path)?;
    let marks = || {
        io::Error::other(format!(
            "{path} lacks the marks between which it is written"
        ))
    };
    let page = Page::new(&before, &told).ok_or_else(marks)?;
    if page.text != before {
        std::fs::write(path, &page.text)?;
    }
    Ok(page)
}

fn shown(page: &Page) -> io::Result<ExitCode> {
    let mut out = io::stdout().lock();
    write!(out, "{}", page.matrix)?;
    let lists = [
        ("not run here, as the page has it", &page.kept),
        ("other releases", &page.moved),
        ("differs from the page", &page.changed),
        ("fails", &page.failing),
    ];
    for (what, list) in lists.iter().filter(|(_, list)| !list.is_empty()) {
        writeln!(out, "\n{what}:")?;
        list.iter()
            .try_for_each(|line| writeln!(out, "   {line}"))?;
    }
    let in_ci = std::env::var_os("CI").is_some_and(|value| !value.is_empty());
    let good = page.failing.is_empty() && (page.changed.is_empty() || !in_ci);
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn failed(what: &str) -> ExitCode {
    let _nobody_reads = writeln!(io::stderr(), "matrix: {what}");
    ExitCode::FAILURE
}
