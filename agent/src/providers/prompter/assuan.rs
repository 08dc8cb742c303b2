//! Lines of the Assuan protocol, as pinentry speaks it (the manuals of libassuan and of pinentry).

use zeroize::Zeroizing;

/// The longest line, in bytes, without its end (Assuan, "Server responses").
pub(super) const MAX_LINE: usize = 1000;

/// Cuts a command to what fits in a line and escapes what may not stand in one: `%`, CR, LF.
pub(super) fn command(verb: &str, text: &str) -> String {
    let mut line = format!("{verb} ");
    for c in text.chars() {
        let escaped = match c {
            '%' => "%25".to_owned(),
            '\r' => "%0D".to_owned(),
            '\n' => "%0A".to_owned(),
            c => c.to_string(),
        };
        if line.len() + escaped.len() > MAX_LINE {
            break;
        }
        line.push_str(&escaped);
    }
    line.push('\n');
    line
}

/// What a server says in one line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    Ok,
    /// The code without the number of the part that failed (libgpg-error: the low 16 bits), and the text.
    Error(u16, String),
    Data(Zeroizing<Vec<u8>>),
    /// A comment or a status.
    Aside,
    /// What we do not speak.
    Other,
}

/// The longest text of an error that is kept, in characters.
const MAX_TEXT: usize = 200;

/// Understands a line, given without its end.
pub(super) fn said(line: &[u8]) -> Said {
    let (word, rest) = match line.iter().position(|byte| *byte == b' ') {
        Some(space) => (&line[..space], &line[space + 1..]),
        None => (line, &[][..]),
    };
    match word {
        b"OK" => Said::Ok,
        b"ERR" => error(&String::from_utf8_lossy(rest)),
        b"D" => Said::Data(unescaped(rest)),
        b"S" | b"" => Said::Aside,
        _ if line.starts_with(b"#") => Said::Aside,
        _ => Said::Other,
    }
}

fn error(rest: &str) -> Said {
    let (number, text) = rest.split_once(' ').unwrap_or((rest, ""));
    let number = number.parse().unwrap_or(0_u32);
    let text = text.escape_debug().take(MAX_TEXT).collect();
    Said::Error(u16::try_from(number & 0xffff).unwrap_or_default(), text)
}

/// `%XX` is a byte; a `%` that is not followed by two digits stands for itself.
fn unescaped(text: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (first, tail) {
            (b'%', [high, low, after @ ..]) => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => {
                    bytes.push(high << 4 | low);
                    rest = after;
                }
                _ => bytes.push(*first),
            },
            _ => bytes.push(*first),
        }
    }
    bytes
}

fn digit(byte: u8) -> Option<u8> {
    let value = char::from(byte).to_digit(16)?;
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn commands_are_one_line() {
        for (text, line) in [
            ("", "SETDESC \n"),
            ("100 % safe\r\nBYE", "SETDESC 100 %25 safe%0D%0ABYE\n"),
            ("für wen?", "SETDESC für wen?\n"),
        ] {
            assert_eq!(command("SETDESC", text), line);
        }
        let long = command("SETDESC", &"\n".repeat(2000));
        assert!(long.len() <= MAX_LINE + 1 && long.ends_with("%0A\n"));
        assert_eq!(command("X", &"ü".repeat(2000)).len(), MAX_LINE + 1);
    }

    #[test]
    fn what_a_server_says() {
        let data = |bytes: &[u8]| Said::Data(Zeroizing::new(bytes.to_vec()));
        for (line, expected) in [
            (&b"OK"[..], Said::Ok),
            (b"OK Pleased to meet you, process 12", Said::Ok),
            (
                b"ERR 83886179 Operation cancelled <Pinentry>",
                Said::Error(99, "Operation cancelled <Pinentry>".to_owned()),
            ),
            (b"ERR", Said::Error(0, String::new())),
            (b"ERR x \x1b[2J", Said::Error(0, "\\u{1b}[2J".to_owned())),
            (b"D 12%2534%0a5%", data(b"12%34\n5%")),
            (b"D", data(b"")),
            (b"S BUTTON_INFO close", Said::Aside),
            (b"# hello", Said::Aside),
            (b"", Said::Aside),
            (b"INQUIRE QUALITY 1234", Said::Other),
            (b"OKAY", Said::Other),
        ] {
            assert_eq!(said(line), expected, "{line:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_said_in_a_command_is_understood(text in ".{0,150}") {
            let line = command("D", &text);
            prop_assert_eq!(line.matches('\n').count(), 1);
            let Said::Data(data) = said(line.trim_end_matches('\n').as_bytes()) else {
                panic!("{line}");
            };
            prop_assert_eq!(std::str::from_utf8(&data).unwrap(), text);
        }

        #[test]
        fn no_line_is_too_much(line: Vec<u8>) {
            let _understood = said(&line);
        }
    }
}
