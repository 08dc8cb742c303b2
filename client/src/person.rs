//! Asking the one who sits at the terminal; where nobody does, each answer is one line of standard input.

use std::fs::File;
use std::io::{self, IsTerminal};

use jumpgate_api::{ExitStatus, Secret};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use crate::failure::Failure;

/// The longest line that is taken as an answer, in bytes.
const MAX_LINE_BYTES: usize = 4096;

/// The one who answers questions.
pub(crate) trait Person {
    /// Whether somebody sits there, who can be asked again.
    fn is_present(&self) -> bool;

    /// An answer that may be seen; `None` at the end of the input.
    fn line(&mut self, question: &str) -> Result<Option<Secret<String>>, Failure>;

    /// An answer that must not be seen; `None` at the end of the input.
    fn secret(&mut self, question: &str) -> Result<Option<Secret<String>>, Failure>;

    /// Says something that is not the command's result.
    fn tell(&mut self, text: &str);
}

/// Standard input, and the terminal if it is one.
pub(crate) struct StandardInput;

impl Person for StandardInput {
    fn is_present(&self) -> bool {
        io::stdin().is_terminal()
    }

    fn line(&mut self, question: &str) -> Result<Option<Secret<String>>, Failure> {
        if self.is_present() {
            self.tell(question);
        }
        read_line(|byte| Ok(rustix::io::read(rustix::stdio::stdin(), byte)?))
    }

    fn secret(&mut self, question: &str) -> Result<Option<Secret<String>>, Failure> {
        if !self.is_present() {
            return self.line(question);
        }
        let hidden = WithoutEcho::begin();
        let typed = hidden.and_then(|_until_typed| rpassword::prompt_password(question));
        let typed = typed.map(Secret::new).map_err(|error| {
            Failure::new(
                ExitStatus::Failed,
                format!("cannot read from the terminal: {error}"),
            )
        })?;
        match typed.expose().len() <= MAX_LINE_BYTES {
            true => Ok(Some(typed)),
            false => Err(too_long()),
        }
    }

    fn tell(&mut self, text: &str) {
        let _ = rustix::io::write(rustix::stdio::stderr(), text.as_bytes());
    }
}

/// The terminal without echo, from before the question is shown: what is typed or pasted the moment that it is
/// must not be seen either.
struct WithoutEcho {
    terminal: File,
    before: Termios,
}

impl WithoutEcho {
    fn begin() -> io::Result<Self> {
        let terminal = File::options().read(true).write(true).open("/dev/tty")?;
        let before = tcgetattr(&terminal)?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&terminal, OptionalActions::Now, &hidden)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for WithoutEcho {
    fn drop(&mut self) {
        let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
    }
}

fn too_long() -> Failure {
    Failure::usage(format!("the answer is longer than {MAX_LINE_BYTES} bytes"))
}

/// One line without its end, byte by byte: a buffer would keep a copy of the secret and swallow the input
/// of whoever reads after us.
fn read_line(
    mut read: impl FnMut(&mut [u8]) -> io::Result<usize>,
) -> Result<Option<Secret<String>>, Failure> {
    // One byte more than the maximum, and one for its carriage return: it never grows.
    let mut line = Zeroizing::new(Vec::with_capacity(MAX_LINE_BYTES + 2));
    let mut byte = Zeroizing::new([0]);
    loop {
        match read(&mut *byte) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => {
                let what = format!("cannot read standard input: {error}");
                return Err(Failure::new(ExitStatus::Failed, what));
            }
            Ok(0) if line.is_empty() => return Ok(None),
            Ok(0) => break,
            Ok(_) if byte[0] == b'\n' => break,
            Ok(_) => line.push(byte[0]),
        }
        if line.len() > MAX_LINE_BYTES + 1 {
            return Err(too_long());
        }
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    if line.len() > MAX_LINE_BYTES {
        return Err(too_long());
    }
    match std::str::from_utf8(&line) {
        Ok(text) => Ok(Some(text.into())),
        Err(_) => Err(Failure::usage("the answer is not UTF-8 text")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::Read;

    use super::*;

    fn lines(mut input: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some(line) = read_line(|byte| input.read(byte)).unwrap() {
            lines.push(line.expose().clone());
        }
        lines
    }

    #[test]
    fn a_line_ends_at_its_newline_or_with_the_input() {
        assert_eq!(lines(b""), Vec::<String>::new());
        assert_eq!(lines(b"one\ntwo\r\nthree"), ["one", "two", "three"]);
        assert_eq!(lines(b"\n\r\nx\n"), ["", "", "x"]);
    }

    #[test]
    fn nothing_is_read_past_the_line() {
        let mut input = b"one\nrest".as_slice();
        read_line(|byte| input.read(byte)).unwrap();
        assert_eq!(input, b"rest");
    }

    #[test]
    fn a_line_has_a_maximum_and_is_text() {
        let long = |size: usize, end: &str| format!("{}{end}", "x".repeat(size));
        for end in ["", "\n", "\r\n"] {
            assert_eq!(
                lines(long(MAX_LINE_BYTES, end).as_bytes())[0].len(),
                MAX_LINE_BYTES
            );
            let text = long(MAX_LINE_BYTES + 1, end);
            let mut input = text.as_bytes();
            assert_eq!(read_line(|byte| input.read(byte)).unwrap_err(), too_long());
        }
        let mut endless = io::repeat(b'x');
        assert_eq!(
            read_line(|byte| endless.read(byte)).unwrap_err(),
            too_long()
        );
        let mut input = b"\xff\n".as_slice();
        assert!(read_line(|byte| input.read(byte)).is_err());
    }
}
