//! A short, harmless quotation of foreign text for error messages.

use std::fmt;

/// Foreign text as an error may show it: quoted, control characters escaped, at most
/// [`Excerpt::MAX_CHARACTERS`] characters of the original.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Excerpt(String);

impl Excerpt {
    /// Most characters of the original that are shown.
    pub const MAX_CHARACTERS: usize = 64;

    /// Quotes the beginning of `text`.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut quoted = String::from("\"");
        let mut rest = text.chars();
        for character in rest.by_ref().take(Self::MAX_CHARACTERS) {
            quoted.extend(character.escape_debug());
        }
        quoted.push_str(if rest.next().is_some() { "…\"" } else { "\"" });
        Self(quoted)
    }

    /// The beginning of `text` without quotes around it, at most `most` characters of it.
    pub(crate) fn limited(text: &str, most: usize) -> String {
        let mut shown = String::new();
        let mut rest = text.chars();
        for character in rest.by_ref().take(most) {
            match character {
                '"' | '\'' | '\\' => shown.push(character),
                _ => shown.extend(character.escape_debug()),
            }
        }
        if rest.next().is_some() {
            shown.push('…');
        }
        shown
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Excerpt;

    #[test]
    fn control_characters_and_direction_marks_are_escaped() {
        assert_eq!(
            Excerpt::of("a\n\u{1b}[31m\u{202e}\"b").to_string(),
            "\"a\\n\\u{1b}[31m\\u{202e}\\\"b\""
        );
    }

    #[test]
    fn long_text_is_cut_after_64_characters() {
        assert_eq!(
            Excerpt::of(&"é".repeat(64)).to_string(),
            format!("\"{}\"", "é".repeat(64))
        );
        assert_eq!(
            Excerpt::of(&"é".repeat(65)).to_string(),
            format!("\"{}…\"", "é".repeat(64))
        );
    }
}
