//! One request and its answer, byte by byte, on any stream.

use std::io::{self, Read, Write};

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    /// Whether the connection ends here.
    pub(crate) last: bool,
}

/// Most bytes of an answer: a journal's last records are the longest.
const MOST: usize = 8 << 20;

/// Sends a request and reads its answer. `None` when the connection ended before the answer's first byte.
pub(crate) fn exchange(
    stream: &mut (impl Read + Write),
    request: &[u8],
) -> io::Result<Option<Reply>> {
    // Who refuses early may have closed before all of it was read.
    let _refused_early = stream.write_all(request);
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        match more(stream, &mut bytes) {
            Ok(true) => {}
            Ok(false) if bytes.is_empty() => return Ok(None),
            Ok(false) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Err(error) if is_end(&error) && bytes.is_empty() => return Ok(None),
            Err(error) => return Err(error),
        }
    };
    let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
    let length = field("content-length: ").and_then(|text| text.trim().parse::<usize>().ok());
    let close = field("connection: ").is_some_and(|text| text.trim() == "close");
    let mut body = bytes.split_off(head);
    match length {
        Some(length) => {
            while body.len() < length {
                if !more(stream, &mut body)? {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
        }
        None => while more(stream, &mut body)? {},
    }
    let status = text.split(' ').nth(1).and_then(|word| word.parse().ok());
    Ok(Some(Reply {
        status: status.ok_or(io::ErrorKind::InvalidData)?,
        body,
        last: close || length.is_none(),
    }))
}

fn is_end(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    matches!(
        error.kind(),
        BrokenPipe | ConnectionAborted | ConnectionReset
    )
}

fn more(stream: &mut impl Read, bytes: &mut Vec<u8>) -> io::Result<bool> {
    let mut chunk = [0; 16 * 1024];
    let count = stream.read(&mut chunk)?;
    bytes.extend_from_slice(&chunk[..count]);
    if bytes.len() > MOST {
        return Err(io::Error::other("an answer without an end"));
    }
    Ok(count > 0)
}
