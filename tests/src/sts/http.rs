//! Just enough HTTP/1.1: one request in, one reply out, keep-alive, `Expect: 100-continue`.

use std::io::{self, Read, Write};

/// Bytes of a request's head, at most.
pub(super) const HEAD_MAX: usize = 64 * 1024;
/// Bytes of a request's body, at most.
pub(super) const BODY_MAX: usize = 16 * 1024 * 1024;
const HEADERS_MAX: usize = 96;

/// One request, as it came.
#[derive(Debug, Clone, Default)]
pub(super) struct Request {
    pub(super) method: String,
    /// Path as on the wire, still encoded.
    pub(super) path: String,
    /// Query string as on the wire, without the question mark.
    pub(super) query: String,
    /// Names in lower case, values trimmed; in the order of the wire.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    /// The peer's address.
    pub(super) source_ip: String,
}

impl Request {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }

    fn header_has(&self, name: &str, word: &str) -> bool {
        self.header(name)
            .is_some_and(|value| value.to_ascii_lowercase().contains(word))
    }

    pub(super) fn wants_close(&self) -> bool {
        self.header_has("connection", "close")
    }
}

/// One reply.
#[derive(Debug, Clone)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

impl Reply {
    pub(super) fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Reply {
        let headers = vec![("Content-Type", content_type.to_owned())];
        Reply {
            status,
            headers,
            body: body.into(),
        }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Reply {
        self.headers.push((name, value.into()));
        self
    }

    /// The head and, unless `head_only`, the body.
    pub(super) fn to_bytes(&self, head_only: bool) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        // A reply to HEAD names the object's length itself; 204 has none.
        let named = self
            .headers
            .iter()
            .any(|(name, _)| *name == "Content-Length");
        if !named && self.status != 204 {
            head.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        if !head_only {
            bytes.extend_from_slice(&self.body);
        }
        bytes
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        _ => "Other",
    }
}

/// Reads one request; `None` at the end of the connection. `carry` holds bytes read too far.
pub(super) fn read_request<S: Read + Write>(
    stream: &mut S,
    carry: &mut Vec<u8>,
) -> io::Result<Option<Request>> {
    let mut request = loop {
        let head = parsed_head(carry)?;
        if head.as_ref().map_or(carry.len(), |(_, used)| *used) > HEAD_MAX {
            return Err(invalid("the head is too long"));
        }
        if let Some((request, used)) = head {
            carry.drain(..used);
            break request;
        }
        if fill(stream, carry)? == 0 {
            return if carry.is_empty() {
                Ok(None)
            } else {
                Err(invalid("half a head"))
            };
        }
    };
    if request.header_has("expect", "100-continue") {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    request.body = read_body(stream, carry, &request)?;
    Ok(Some(request))
}

fn parsed_head(bytes: &[u8]) -> io::Result<Option<(Request, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut head = httparse::Request::new(&mut headers);
    let used = match head.parse(bytes) {
        Ok(httparse::Status::Complete(used)) => used,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(invalid(&error.to_string())),
    };
    let target = head.path.unwrap_or("/");
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let request = Request {
        method: head.method.unwrap_or("").to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: head.headers.iter().map(header_pair).collect(),
        ..Request::default()
    };
    Ok(Some((request, used)))
}

fn header_pair(header: &httparse::Header<'_>) -> (String, String) {
    let value = String::from_utf8_lossy(header.value).trim().to_owned();
    (header.name.to_ascii_lowercase(), value)
}

fn read_body<S: Read>(
    stream: &mut S,
    carry: &mut Vec<u8>,
    request: &Request,
) -> io::Result<Vec<u8>> {
    if request.header_has("transfer-encoding", "chunked") {
        return read_chunks(stream, carry);
    }
    let length = request.header("content-length").unwrap_or("0");
    let length = length.parse().map_err(|_| invalid("bad content-length"))?;
    take(stream, carry, length)
}

/// RFC 9112 section 7.1, without trailers of interest.
fn read_chunks<S: Read>(stream: &mut S, carry: &mut Vec<u8>) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = take_line(stream, carry)?;
        let size = line.split(';').next().unwrap_or("").trim();
        let size = usize::from_str_radix(size, 16).map_err(|_| invalid("bad chunk size"))?;
        if size == 0 {
            while !take_line(stream, carry)?.is_empty() {}
            return Ok(body);
        }
        if size.saturating_add(body.len()) > BODY_MAX {
            return Err(invalid("the body is too long"));
        }
        body.extend(take(stream, carry, size)?);
        take(stream, carry, 2)?;
    }
}

fn take_line<S: Read>(stream: &mut S, carry: &mut Vec<u8>) -> io::Result<String> {
    loop {
        if let Some(end) = carry.windows(2).position(|two| two == b"\r\n") {
            let line = String::from_utf8_lossy(&carry[..end]).into_owned();
            carry.drain(..end + 2);
            return Ok(line);
        }
        if carry.len() > HEAD_MAX || fill(stream, carry)? == 0 {
            return Err(invalid("half a line"));
        }
    }
}

fn take<S: Read>(stream: &mut S, carry: &mut Vec<u8>, length: usize) -> io::Result<Vec<u8>> {
    if length > BODY_MAX {
        return Err(invalid("the body is too long"));
    }
    while carry.len() < length {
        if fill(stream, carry)? == 0 {
            return Err(invalid("half a body"));
        }
    }
    Ok(carry.drain(..length).collect())
}

fn fill<S: Read>(stream: &mut S, carry: &mut Vec<u8>) -> io::Result<usize> {
    let mut chunk = [0; 16 * 1024];
    let count = stream.read(&mut chunk)?;
    carry.extend_from_slice(&chunk[..count]);
    Ok(count)
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
