//! The character set of tags, `[\p{L}\p{Z}\p{N}_.:/=+\-@]`, with what the standard library knows.

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
