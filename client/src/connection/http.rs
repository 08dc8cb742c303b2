//! As much HTTP/1.1 as one request and one answer on the control socket need: bytes to values, over any
//! reader. RFC 9112; what an agent of ours never sends (no length, trailers, both lengths) is refused.

use std::io::{self, Read};

use jumpgate_api::{AGENT_VERSION_HEADER, MAX_HEAD_BYTES};
use zeroize::{Zeroize, Zeroizing};

/// The most header lines of an answer.
const MAX_HEADERS: usize = 32;

/// What is read into at first, bytes: a session with its head fits, and each page of it costs the kernel a visit.
const FIRST_WINDOW_BYTES: usize = 4096;

/// The longest line that starts a chunk, in bytes: 16 hex digits and a line end, with room for an extension.
const MAX_CHUNK_LINE_BYTES: usize = 64;

/// Why an answer cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AnswerError {
    /// The deadline passed.
    #[error("the agent did not answer in time")]
    TimedOut,
    /// The connection ended before the answer began: that agent was about to end, or was ended.
    #[error("the agent closed the connection without an answer")]
    Unanswered,
    /// The connection ended before the answer did.
    #[error("the agent closed the connection in the middle of its answer")]
    Truncated,
    /// It is not HTTP, or not the part of it that the agent speaks.
    #[error("the agent's answer is not understood: {0}")]
    Malformed(&'static str),
    /// It is larger than a client has to accept.
    #[error("the agent's answer is larger than {0} bytes")]
    TooLarge(usize),
    /// The system failed to read.
    #[error("the connection to the agent broke: {0}")]
    Io(io::Error),
}

impl From<io::Error> for AnswerError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Self::TimedOut,
            io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof => Self::Truncated,
            _ => Self::Io(error),
        }
    }
}

/// The bytes of a request. They may hold a secret, so they are wiped after use.
pub(crate) fn request_bytes(method: &str, path: &str, body: Option<&[u8]>) -> Zeroizing<Vec<u8>> {
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n");
    if let Some(body) = body {
        let length = body.len();
        head.push_str(&format!(
            "content-type: application/json\r\ncontent-length: {length}\r\n"
        ));
    }
    head.push_str("\r\n");
    // The capacity is exact: a vector that grows would leave its old bytes behind.
    let body = body.unwrap_or_default();
    let mut bytes = Zeroizing::new(Vec::with_capacity(head.len() + body.len()));
    bytes.extend_from_slice(head.as_bytes());
    bytes.extend_from_slice(body);
    bytes
}

/// The head of an answer, as far as it matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    /// 100 to 999.
    pub(crate) status: u16,
    /// What the agent says of its own version.
    pub(crate) agent_version: Option<String>,
    length: Length,
}

/// Where a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Length {
    /// After so many more bytes.
    Bytes(u64),
    /// After so many more bytes of this chunk comes another one.
    Chunk(u64),
    /// Here.
    End,
}

/// Reads the head; the body is read from what is returned.
///
/// # Errors
/// Those of reading, and everything that is not an answer of the agent.
pub(crate) fn read_head<R: Read>(reader: R) -> Result<(Head, Body<R>), AnswerError> {
    let mut buffer = Buffer::new(reader);
    let (head, size) = loop {
        let nothing_yet = buffer.unread().is_empty();
        match buffer.fill() {
            Ok(0) | Err(AnswerError::Truncated) if nothing_yet => {
                return Err(AnswerError::Unanswered);
            }
            Ok(0) => return Err(AnswerError::Truncated),
            read => read?,
        };
        if let Some(parsed) = parse_head(buffer.unread())? {
            break parsed;
        }
        if buffer.is_full() {
            return Err(AnswerError::TooLarge(MAX_HEAD_BYTES));
        }
    };
    buffer.consume(size);
    let body = Body {
        buffer,
        length: head.length,
        first_chunk: true,
    };
    Ok((head, body))
}

fn parse_head(bytes: &[u8]) -> Result<Option<(Head, usize)>, AnswerError> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let parsed = response
        .parse(bytes)
        .map_err(|_| AnswerError::Malformed("not an HTTP/1.1 answer"))?;
    let httparse::Status::Complete(size) = parsed else {
        return Ok(None);
    };
    let head = Head {
        status: response.code.unwrap_or_default(),
        agent_version: header(response.headers, AGENT_VERSION_HEADER)?.map(str::to_owned),
        length: length(response.headers)?,
    };
    Ok(Some((head, size)))
}

fn length(headers: &[httparse::Header<'_>]) -> Result<Length, AnswerError> {
    let digits = header(headers, "content-length")?;
    let coding = header(headers, "transfer-encoding")?;
    match (digits, coding) {
        (Some(digits), None) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits
            .parse()
            .map(Length::Bytes)
            .map_err(|_| AnswerError::Malformed("an impossible content-length")),
        (None, Some(coding)) if coding.eq_ignore_ascii_case("chunked") => Ok(Length::Chunk(0)),
        (None, None) => Err(AnswerError::Malformed("it has no length")),
        _ => Err(AnswerError::Malformed("an impossible length")),
    }
}

/// The one value of a header; two of the same name could be read in two ways.
fn header<'a>(
    headers: &[httparse::Header<'a>],
    name: &str,
) -> Result<Option<&'a str>, AnswerError> {
    let mut values = headers
        .iter()
        .filter(|header| header.name.eq_ignore_ascii_case(name));
    let value = values
        .next()
        .map(|header| std::str::from_utf8(header.value));
    if values.next().is_some() {
        return Err(AnswerError::Malformed("a header twice"));
    }
    value
        .transpose()
        .map_err(|_| AnswerError::Malformed("a header that is not text"))
}

/// The body of an answer, read as it arrives.
pub(crate) struct Body<R> {
    buffer: Buffer<R>,
    length: Length,
    first_chunk: bool,
}

impl<R: Read> Body<R> {
    /// All of it, wiped after use.
    ///
    /// # Errors
    /// Those of reading, and [`AnswerError::TooLarge`] for more than `limit` bytes.
    pub(crate) fn read_all(&mut self, limit: usize) -> Result<Zeroizing<Vec<u8>>, AnswerError> {
        let expected = match self.length {
            Length::Bytes(count) => usize::try_from(count).unwrap_or(usize::MAX),
            Length::Chunk(_) | Length::End => MAX_HEAD_BYTES.min(limit),
        };
        if expected > limit {
            return Err(AnswerError::TooLarge(limit));
        }
        let mut whole = Zeroizing::new(Vec::with_capacity(expected));
        loop {
            let piece = self.piece()?;
            if piece.is_empty() {
                return Ok(whole);
            }
            if piece.len() > limit - whole.len() {
                return Err(AnswerError::TooLarge(limit));
            }
            append(&mut whole, piece);
            let size = piece.len();
            self.advance(size);
        }
    }

    /// For how long the next reads may wait is the source's business.
    pub(crate) fn source_mut(&mut self) -> &mut R {
        &mut self.buffer.reader
    }

    /// The next bytes of the body that are at hand; empty at its end. They stay until [`Self::advance`].
    ///
    /// # Errors
    /// Those of reading; an early end is one.
    pub(crate) fn piece(&mut self) -> Result<&[u8], AnswerError> {
        if self.length == Length::Chunk(0) {
            self.next_chunk()?;
        }
        let (Length::Bytes(left) | Length::Chunk(left)) = self.length else {
            return Ok(&[]);
        };
        if left == 0 {
            return Ok(&[]);
        }
        if self.buffer.unread().is_empty() && self.buffer.fill()? == 0 {
            return Err(AnswerError::Truncated);
        }
        let unread = self.buffer.unread();
        let size = usize::try_from(left)
            .unwrap_or(usize::MAX)
            .min(unread.len());
        Ok(&unread[..size])
    }

    /// Takes the first `size` bytes of the last piece as read.
    pub(crate) fn advance(&mut self, size: usize) {
        self.buffer.consume(size);
        if let Length::Bytes(left) | Length::Chunk(left) = &mut self.length {
            *left -= size as u64;
        }
    }

    /// Reads the line end of the chunk before and the size of the next; a size of 0 is the end.
    fn next_chunk(&mut self) -> Result<(), AnswerError> {
        if !std::mem::take(&mut self.first_chunk) {
            self.line_end()?;
        }
        let size = self.chunk_size()?;
        self.length = Length::Chunk(size);
        if size == 0 {
            self.line_end()?;
            self.length = Length::End;
        }
        Ok(())
    }

    fn chunk_size(&mut self) -> Result<u64, AnswerError> {
        loop {
            let parsed = httparse::parse_chunk_size(self.buffer.unread());
            match parsed.map_err(|_| AnswerError::Malformed("an impossible chunk"))? {
                httparse::Status::Complete((line, size)) => {
                    self.buffer.consume(line);
                    return Ok(size);
                }
                httparse::Status::Partial => self.more(MAX_CHUNK_LINE_BYTES)?,
            }
        }
    }

    fn line_end(&mut self) -> Result<(), AnswerError> {
        while self.buffer.unread().len() < 2 {
            self.more(2)?;
        }
        if !self.buffer.unread().starts_with(b"\r\n") {
            return Err(AnswerError::Malformed("a chunk without an end"));
        }
        self.buffer.consume(2);
        Ok(())
    }

    /// Reads on, unless there are `limit` unread bytes already.
    fn more(&mut self, limit: usize) -> Result<(), AnswerError> {
        if self.buffer.unread().len() >= limit {
            return Err(AnswerError::Malformed("a chunk with a long size"));
        }
        match self.buffer.fill()? {
            0 => Err(AnswerError::Truncated),
            _ => Ok(()),
        }
    }
}

/// Appends without leaving bytes behind: a full vector is replaced by a larger one and wiped.
fn append(whole: &mut Zeroizing<Vec<u8>>, piece: &[u8]) {
    if whole.capacity() - whole.len() < piece.len() {
        let mut larger = Zeroizing::new(Vec::with_capacity((whole.len() + piece.len()) * 2));
        larger.extend_from_slice(whole);
        *whole = larger;
    }
    whole.extend_from_slice(piece);
}

/// A window on what was read, that grows to the largest head when it must.
struct Buffer<R> {
    reader: R,
    window: Window,
    start: usize,
    end: usize,
}

/// Its bytes; those that were ever used are wiped after use.
struct Window {
    bytes: Vec<u8>,
    used: usize,
}

impl Window {
    fn new(bytes: usize) -> Self {
        Self {
            bytes: vec![0; bytes],
            used: 0,
        }
    }

    /// The smaller one is wiped.
    fn grow(&mut self) {
        let mut larger = Self::new(MAX_HEAD_BYTES);
        larger.bytes[..self.used].copy_from_slice(&self.bytes[..self.used]);
        larger.used = self.used;
        *self = larger;
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        self.bytes[..self.used].zeroize();
    }
}

impl<R: Read> Buffer<R> {
    fn new(reader: R) -> Self {
        Self {
            reader,
            window: Window::new(FIRST_WINDOW_BYTES),
            start: 0,
            end: 0,
        }
    }

    fn unread(&self) -> &[u8] {
        &self.window.bytes[self.start..self.end]
    }

    fn is_full(&self) -> bool {
        self.end - self.start == MAX_HEAD_BYTES
    }

    fn consume(&mut self, size: usize) {
        self.start += size;
    }

    /// Reads once more; 0 is the end of the connection. Must not be called when full.
    fn fill(&mut self) -> Result<usize, AnswerError> {
        if self.end == self.window.bytes.len() || self.start == self.end {
            self.window.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.window.bytes.len() {
            self.window.grow();
        }
        let bytes = &mut self.window.bytes;
        let size = loop {
            match self.reader.read(&mut bytes[self.end..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.end += size;
        self.window.used = self.window.used.max(self.end);
        Ok(size)
    }
}

#[cfg(test)]
mod tests;
