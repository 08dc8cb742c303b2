//! Values to text: tables, times, JSON. Pure, but for [`Stdout`], through which all of it leaves.
//!
//! There is no colour at all, which is the simplest way to honour `NO_COLOR` and pipes.

pub(crate) mod document;
pub(crate) mod endpoint;
pub(crate) mod listings;
pub(crate) mod records;
pub(crate) mod shell;

use std::io;

use jumpgate_api::Timestamp;

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

/// The text with everything escaped that could do more to a terminal than show.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if is_unsafe(character) {
            escaped.extend(character.escape_default());
        } else {
            escaped.push(character);
        }
    }
    escaped
}

/// Control characters, and those that change the direction of writing or the line.
fn is_unsafe(character: char) -> bool {
    let format = matches!(
        character,
        '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
    );
    character.is_control() || format
}

/// A JSON text on a line of its own. What [`escape`] would escape can only stand within its strings, where
/// it becomes an escape of JSON; the white space of the text stays.
pub(crate) fn json(text: &str) -> String {
    let mut line = String::with_capacity(text.len() + 1);
    for character in text.trim_end().chars() {
        if is_unsafe(character) && !character.is_ascii_whitespace() {
            line.push_str(&format!("\\u{:04x}", u32::from(character)));
        } else {
            line.push(character);
        }
    }
    line.push('\n');
    line
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

/// `1 session`, `2 sessions`.
pub(crate) fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
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
