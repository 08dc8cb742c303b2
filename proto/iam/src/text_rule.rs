//! Length and character rules, the shape that nearly every limit of STS has.

/// What is wrong with a text that breaks a length or character rule.
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
pub enum TextFault {
    /// Too short or too long. Lengths are Unicode characters.
    #[error("{min} to {max} characters are expected, there are {found}")]
    Length {
        /// Characters found.
        found: usize,
        /// Fewest allowed.
        min: usize,
        /// Most allowed.
        max: usize,
    },
    /// A character outside the allowed set.
    #[error("character {position} is {character:?}, allowed are {allowed}")]
    Character {
        /// The offending character.
        character: char,
        /// Its place in the text, counted in characters from 1.
        position: usize,
        /// The allowed set, in words.
        allowed: &'static str,
    },
}

/// A rule: how many characters, and which.
pub(crate) struct TextRule {
    pub(crate) min: usize,
    pub(crate) max: usize,
    pub(crate) legal: fn(char) -> bool,
    /// The legal characters in words, for the error.
    pub(crate) allowed: &'static str,
}

impl TextRule {
    /// Whether `text` obeys the rule. A bad character is reported before a bad length, since it is
    /// the more precise of the two.
    pub(crate) fn check(&self, text: &str) -> Result<(), TextFault> {
        let allowed = self.allowed;
        let mut found = 0;
        for character in text.chars() {
            found += 1;
            if !(self.legal)(character) {
                return Err(TextFault::Character {
                    character,
                    position: found,
                    allowed,
                });
            }
        }
        check_length(found, self.min, self.max)
    }
}

/// Whether a count of characters lies within `min..=max`.
pub(crate) fn check_length(found: usize, min: usize, max: usize) -> Result<(), TextFault> {
    if (min..=max).contains(&found) {
        return Ok(());
    }
    Err(TextFault::Length { found, min, max })
}

/// The set `[\w+=,.@-]` of IAM names, where `\w` is ASCII only.
pub(crate) fn is_name_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || "_+=,.@-".contains(character)
}

/// [`is_name_character`] in words.
pub(crate) const NAME_CHARACTERS: &str = "ASCII letters, digits and _ + = , . @ -";
