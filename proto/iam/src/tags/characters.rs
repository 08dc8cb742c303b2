//! The character set of tags, `[\p{L}\p{Z}\p{N}_.:/=+\-@]`, with what the standard library knows.
//!
//! `char::is_numeric` is `\p{N}`, and whitespace that is no control character is `\p{Z}`.
//! `char::is_alphabetic` is `\p{L}` and some 1,440 characters more: vowel signs of Indic and other
//! scripts (Mn, Mc) and letters in circles and squares (So). So nothing is refused that STS takes,
//! while a tag with one of those passes here and is refused by STS itself. A table of our own would
//! be exact for one version of Unicode only, and nobody says which one AWS has.

/// The set in words.
pub(super) const TAG_CHARACTERS: &str = "letters, digits, spaces and _ . : / = + - @";

/// Whether STS takes `character` in a tag.
pub(super) fn is_tag_character(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_alphanumeric() || " _.:/=+-@".contains(character);
    }
    character.is_alphabetic() || character.is_numeric() || is_separator(character)
}

/// `\p{Z}` beyond ASCII: Zs, Zl and Zp. `char::is_whitespace` would also take the control U+0085.
fn is_separator(character: char) -> bool {
    character.is_whitespace() && !character.is_control()
}
