//! Values to text: tables, times, JSON. Pure, but for [`Stdout`], through which all of it leaves.
//!
//! There is no colour at all, which is the simplest way to honour `NO_COLOR` and pipes.

pub(crate) mod document;

use std::io;

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
