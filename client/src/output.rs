//! Values to text: tables, times, JSON. Pure, but for [`Stdout`], through which all of it leaves.
//!
//! There is no colour at all, which is the simplest way to honour `NO_COLOR` and pipes.

pub(crate) mod document;
pub(crate) mod listings;
pub(crate) mod records;
pub(crate) mod shell;

use std::io;

use jumpgate_api::Timestamp;
use serde::Serialize;

/// Standard output without a buffer: what is written at once leaves at once, and no copy stays behind.
pub(crate) struct Stdout;

impl io::Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(rustix::io::write(rustix::stdio::stdout(), bytes)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The text with everything escaped that could do more to a terminal than show: control characters and
/// those that change the direction of writing or the line.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        let unsafe_format = matches!(
            character,
            '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
        );
        if character.is_control() || unsafe_format {
            escaped.extend(character.escape_default());
        } else {
            escaped.push(character);
        }
    }
    escaped
}

/// The value as JSON for programs: indented, with a newline at its end.
pub(crate) fn json(value: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(value);
    let mut text = text.expect("no map of ours has keys that are not text");
    text.push('\n');
    text
}

/// Columns as wide as their widest cell, two spaces between, no trailing space; empty without rows.
pub(crate) fn table<const N: usize>(
    head: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> String {
    let rows: Vec<[String; N]> = rows.map(|row| row.map(|cell| escape(&cell))).collect();
    if rows.is_empty() {
        return String::new();
    }
    let mut widths = head.map(|cell| cell.chars().count());
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = line(&head, &widths);
    for row in &rows {
        let cells: Vec<&str> = row.iter().map(String::as_str).collect();
        text.push_str(&line(&cells, &widths));
    }
    text
}

fn line(cells: &[&str], widths: &[usize]) -> String {
    let mut line = String::new();
    for (cell, &width) in cells.iter().zip(widths) {
        line.push_str(&format!("{cell:width$}  "));
    }
    line.truncate(line.trim_end().len());
    line.push('\n');
    line
}

/// One line for each named value, the values below each other.
pub(crate) fn fields(fields: Vec<(&str, String)>) -> String {
    let width = fields.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let line = |(name, value): (&str, String)| format!("{name:width$}  {}\n", escape(&value));
    fields.into_iter().map(line).collect()
}

/// The value, or a dash.
pub(crate) fn mark(value: Option<String>) -> String {
    value.unwrap_or_else(|| "-".to_owned())
}

/// The instant, and how far off it is.
pub(crate) fn until(now: Timestamp, then: Timestamp) -> String {
    match then > now {
        true => format!("{then} (in {})", remaining(then.since(now).as_secs())),
        false => format!("{then} (over)"),
    }
}

/// A span in the largest unit that still says something: 42 s, 52 min, 11 h.
pub(crate) fn remaining(seconds: u64) -> String {
    match seconds {
        0..100 => format!("{seconds} s"),
        100..7200 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3600),
    }
}

#[cfg(test)]
mod tests;
