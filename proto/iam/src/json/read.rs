//! The reader: recursive descent over characters, with the place of each.

use std::collections::HashMap;

use super::{JsonError, MAX_DEPTH, MAX_JSON_BYTES, Member, Node, Position, Value};
use crate::excerpt::Excerpt;

/// Reads one JSON value that fills the whole text.
///
/// # Errors
/// When the text is no JSON, too long, too deep, or repeats a key within an object.
pub fn parse(text: &str) -> Result<Node, JsonError> {
    parse_with(text, Repeats::Refused)
}

/// The same for whoever wants to say everything that is wrong with a text: keys that an object
/// repeats are all there, in the order of the text.
///
/// # Errors
/// As [`parse`], but for repeated keys.
pub fn parse_with_repeats(text: &str) -> Result<Node, JsonError> {
    parse_with(text, Repeats::Kept)
}

/// What becomes of a key that an object has already.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Repeats {
    Refused,
    Kept,
}

fn parse_with(text: &str, repeats: Repeats) -> Result<Node, JsonError> {
    if text.len() > MAX_JSON_BYTES {
        return Err(JsonError::TooLong { found: text.len() });
    }
    let mut reader = Reader {
        rest: text.chars(),
        at: Position::START,
        repeats,
    };
    reader.skip_whitespace();
    let node = reader.value(0)?;
    reader.skip_whitespace();
    match reader.peek() {
        None => Ok(node),
        Some(_) => Err(reader.unexpected("the end of the text")),
    }
}

struct Reader<'a> {
    rest: std::str::Chars<'a>,
    /// The place of the next character.
    at: Position,
    repeats: Repeats,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.clone().next()
    }

    fn advance(&mut self) -> Option<char> {
        let character = self.rest.next()?;
        if character == '\n' {
            self.at = Position {
                line: self.at.line + 1,
                column: 1,
            };
        } else {
            self.at.column += 1;
        }
        Some(character)
    }

    /// Takes the next character if it is `wanted`.
    fn take(&mut self, wanted: char) -> bool {
        let there = self.peek() == Some(wanted);
        if there {
            self.advance();
        }
        there
    }

    fn expect(&mut self, wanted: char, expected: &'static str) -> Result<(), JsonError> {
        if self.take(wanted) {
            Ok(())
        } else {
            Err(self.unexpected(expected))
        }
    }

    /// The error for the next character.
    fn unexpected(&self, expected: &'static str) -> JsonError {
        match self.peek() {
            Some(found) => JsonError::Unexpected {
                at: self.at,
                expected,
                found,
            },
            None => JsonError::Ended {
                at: self.at,
                expected,
            },
        }
    }

    fn skip_whitespace(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t' | '\n' | '\r')) {
            self.advance();
        }
    }

    /// A value with `depth` arrays and objects around it.
    fn value(&mut self, depth: usize) -> Result<Node, JsonError> {
        let position = self.at;
        let value = match self.peek() {
            Some('{' | '[') if depth == MAX_DEPTH => {
                return Err(JsonError::TooDeep { at: position });
            }
            Some('{') => self.object(depth + 1)?,
            Some('[') => self.array(depth + 1)?,
            Some('"') => Value::String(self.string()?),
            Some('-' | '0'..='9') => Value::Number(self.number()?),
            Some('t') => self.word("true", Value::Bool(true))?,
            Some('f') => self.word("false", Value::Bool(false))?,
            Some('n') => self.word("null", Value::Null)?,
            _ => return Err(self.unexpected("a value")),
        };
        Ok(Node { value, position })
    }

    fn word(&mut self, word: &'static str, value: Value) -> Result<Value, JsonError> {
        for wanted in word.chars() {
            self.expect(wanted, word)?;
        }
        Ok(value)
    }

    fn array(&mut self, depth: usize) -> Result<Value, JsonError> {
        let mut elements = Vec::new();
        self.advance();
        self.skip_whitespace();
        if self.take(']') {
            return Ok(Value::Array(elements));
        }
        loop {
            self.skip_whitespace();
            elements.push(self.value(depth)?);
            self.skip_whitespace();
            if self.take(']') {
                return Ok(Value::Array(elements));
            }
            self.expect(',', "a comma or ]")?;
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, JsonError> {
        let mut members = Vec::new();
        let mut seen = HashMap::new();
        self.advance();
        self.skip_whitespace();
        if self.take('}') {
            return Ok(Value::Object(members));
        }
        loop {
            self.skip_whitespace();
            let (key, key_position) = self.key()?;
            if self.repeats == Repeats::Refused
                && let Some(first) = seen.insert(key.clone(), key_position)
            {
                let key = Excerpt::of(&key);
                return Err(JsonError::DuplicateKey {
                    at: key_position,
                    first,
                    key,
                });
            }
            let value = self.value(depth)?;
            members.push(Member {
                key,
                key_position,
                value,
            });
            self.skip_whitespace();
            if self.take('}') {
                return Ok(Value::Object(members));
            }
            self.expect(',', "a comma or }")?;
        }
    }

    /// A key, its place, and everything up to its value.
    fn key(&mut self) -> Result<(String, Position), JsonError> {
        let position = self.at;
        if self.peek() != Some('"') {
            return Err(self.unexpected("a key in double quotes"));
        }
        let key = self.string()?;
        self.skip_whitespace();
        self.expect(':', "a colon")?;
        self.skip_whitespace();
        Ok((key, position))
    }

    fn string(&mut self) -> Result<String, JsonError> {
        let mut text = String::new();
        self.advance();
        loop {
            let at = self.at;
            match self.peek() {
                Some('"') => {
                    self.advance();
                    return Ok(text);
                }
                Some('\\') => text.push(self.escape(at)?),
                Some('\u{20}'..) => text.extend(self.advance()),
                _ => return Err(self.unexpected("a character or an escape such as \\n")),
            }
        }
    }

    /// An escape that begins `at` its backslash.
    fn escape(&mut self, at: Position) -> Result<char, JsonError> {
        const EXPECTED: &str = "one of \" \\ / b f n r t u after a backslash";
        self.advance();
        let character = match self.peek() {
            Some(plain @ ('"' | '\\' | '/')) => plain,
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => return self.unicode_escape(at),
            _ => return Err(self.unexpected(EXPECTED)),
        };
        self.advance();
        Ok(character)
    }

    fn unicode_escape(&mut self, at: Position) -> Result<char, JsonError> {
        let lone = JsonError::LoneSurrogate { at };
        let high = self.code_unit()?;
        if let Some(character) = char::from_u32(high) {
            return Ok(character);
        }
        // A second half needs its first half before it.
        if high >= 0xDC00 || !self.take('\\') || self.peek() != Some('u') {
            return Err(lone);
        }
        let low = self.code_unit()?;
        if !(0xDC00..=0xDFFF).contains(&low) {
            return Err(lone);
        }
        let code = 0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00);
        Ok(char::from_u32(code).expect("a surrogate pair is a character"))
    }

    /// `uXXXX`
    fn code_unit(&mut self) -> Result<u32, JsonError> {
        self.advance();
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|character| character.to_digit(16));
            unit = unit * 16 + digit.ok_or_else(|| self.unexpected("a hexadecimal digit"))?;
            self.advance();
        }
        Ok(unit)
    }

    fn number(&mut self) -> Result<String, JsonError> {
        let mut text = String::new();
        if self.take('-') {
            text.push('-');
        }
        if self.take('0') {
            text.push('0');
            if matches!(self.peek(), Some('0'..='9')) {
                return Err(self.unexpected("no digit after a leading zero"));
            }
        } else {
            self.digits(&mut text)?;
        }
        if self.take('.') {
            text.push('.');
            self.digits(&mut text)?;
        }
        if let Some(exponent @ ('e' | 'E')) = self.peek() {
            self.advance();
            text.push(exponent);
            if let Some(sign @ ('+' | '-')) = self.peek() {
                self.advance();
                text.push(sign);
            }
            self.digits(&mut text)?;
        }
        Ok(text)
    }

    /// One digit or more.
    fn digits(&mut self, text: &mut String) -> Result<(), JsonError> {
        if !matches!(self.peek(), Some('0'..='9')) {
            return Err(self.unexpected("a digit"));
        }
        while let Some(digit @ '0'..='9') = self.peek() {
            text.push(digit);
            self.advance();
        }
        Ok(())
    }
}
