//! Writing a value in as few characters as the character set of STS allows.

use std::fmt::Write as _;

use super::{Member, Node, Value};

/// The value in one line without whitespace outside of strings, in its own order, each string with
/// the fewest characters: what STS takes unescaped (up to U+00FF) stands as it is.
pub(crate) fn minified(value: &Value) -> String {
    let mut out = String::new();
    write_value(&mut out, value);
    out
}

fn write_value(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(text) => out.push_str(text),
        Value::String(text) => write_string(out, text),
        Value::Array(elements) => write_array(out, elements),
        Value::Object(members) => write_object(out, members),
    }
}

fn write_array(out: &mut String, elements: &[Node]) {
    out.push('[');
    for (index, element) in elements.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_value(out, &element.value);
    }
    out.push(']');
}

fn write_object(out: &mut String, members: &[Member]) {
    out.push('{');
    for (index, member) in members.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_string(out, &member.key);
        out.push(':');
        write_value(out, &member.value.value);
    }
    out.push('}');
}

fn write_string(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\u{20}'..='\u{ff}' => out.push(character),
            _ => write_escape(out, character),
        }
    }
    out.push('"');
}

/// `\uXXXX`, twice for a character beyond the basic plane.
fn write_escape(out: &mut String, character: char) {
    for unit in character.encode_utf16(&mut [0; 2]) {
        write!(out, "\\u{unit:04x}").expect("writing to a string cannot fail");
    }
}
