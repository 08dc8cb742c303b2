//! A small client of the double: an own SigV4 signer (checked against AWS's published examples in
//! `vectors`), one connection for each call, and just enough reading of XML.

use hmac::{Hmac, KeyInit, Mac};
use jumpgate_tests::sts::basic;
use sha2::{Digest, Sha256};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{SystemTime, UNIX_EPOCH};

/// Credentials to sign with.
#[derive(Clone, Default)]
pub(crate) struct Keys {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) token: Option<String>,
}

/// A request before it is signed.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) method: String,
    /// Path and query, encoded.
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) region: String,
    pub(crate) service: String,
    /// Unix seconds.
    pub(crate) time: i64,
    /// Text in the place of the body's hash.
    pub(crate) payload: Option<String>,
    /// Headers that are sent, though not signed.
    pub(crate) unsigned: Vec<(String, String)>,
    /// Whether the hash is sent as x-amz-content-sha256.
    pub(crate) send_hash: bool,
    pub(crate) terminator: String,
}

impl Draft {
    pub(crate) fn new(method: &str, target: &str, service: &str) -> Draft {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs();
        Draft {
            method: method.into(),
            target: target.into(),
            headers: Vec::new(),
            body: Vec::new(),
            region: "eu-west-1".into(),
            service: service.into(),
            time: i64::try_from(now).unwrap(),
            payload: None,
            unsigned: Vec::new(),
            send_hash: service == "s3",
            terminator: "aws4_request".into(),
        }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Draft {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(crate) fn body(mut self, body: &[u8]) -> Draft {
        self.body = body.to_vec();
        self
    }

    fn scope(&self) -> String {
        format!(
            "{}/{}/{}/{}",
            self.day(),
            self.region,
            self.service,
            self.terminator
        )
    }

    fn day(&self) -> String {
        basic(self.time)[..8].to_owned()
    }

    fn payload(&self) -> String {
        self.payload
            .clone()
            .unwrap_or_else(|| sha256_hex(&self.body))
    }

    /// The headers to be signed, sorted.
    fn signed_headers(&self, keys: &Keys) -> Vec<(String, String)> {
        let mut headers = self.headers.clone();
        headers.push(("x-amz-date".into(), basic(self.time)));
        if let Some(token) = &keys.token {
            headers.push(("x-amz-security-token".into(), token.clone()));
        }
        if self.send_hash {
            headers.push(("x-amz-content-sha256".into(), self.payload()));
        }
        headers.sort();
        headers
    }

    /// The Authorization header.
    pub(crate) fn signature(&self, keys: &Keys) -> Authorization {
        let headers = self.signed_headers(keys);
        let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
        let names = names.join(";");
        let (path, query) = self.target.split_once('?').unwrap_or((&self.target, ""));
        let mut pairs: Vec<&str> = query.split('&').filter(|p| !p.is_empty()).collect();
        pairs.sort_unstable();
        let lines: String = headers.iter().map(|(n, v)| format!("{n}:{v}\n")).collect();
        let canonical = format!(
            "{}\n{path}\n{}\n{lines}\n{names}\n{}",
            self.method,
            pairs.join("&"),
            self.payload()
        );
        let hash = sha256_hex(canonical.as_bytes());
        let text = format!(
            "AWS4-HMAC-SHA256\n{}\n{}\n{hash}",
            basic(self.time),
            self.scope()
        );
        let key = self.signing_key(&keys.secret);
        let signature = hex(&hmac(&key, text.as_bytes()));
        let credential = format!("{}/{}", keys.id, self.scope());
        Authorization {
            headers,
            credential,
            names,
            signature,
            key,
        }
    }

    pub(crate) fn signing_key(&self, secret: &str) -> Vec<u8> {
        let parts = [
            self.day(),
            self.region.clone(),
            self.service.clone(),
            self.terminator.clone(),
        ];
        let start = format!("AWS4{secret}").into_bytes();
        parts
            .iter()
            .fold(start, |key, part| hmac(&key, part.as_bytes()))
    }
}

/// What signing gave.
pub(crate) struct Authorization {
    headers: Vec<(String, String)>,
    credential: String,
    names: String,
    pub(crate) signature: String,
    pub(crate) key: Vec<u8>,
}

impl Authorization {
    fn text(&self) -> String {
        format!(
            "AWS4-HMAC-SHA256 Credential={}, SignedHeaders={}, Signature={}",
            self.credential, self.names, self.signature
        )
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// `200`, or `403 AccessDenied`.
    pub(crate) fn outcome(&self) -> String {
        match self.field("Code").or_else(|| self.json_type()) {
            Some(code) => format!("{} {code}", self.status),
            None => self.status.to_string(),
        }
    }

    /// The error's name in JSON 1.1.
    fn json_type(&self) -> Option<String> {
        let value: serde_json::Value = serde_json::from_slice(&self.body).ok()?;
        Some(value.get("__type")?.as_str()?.to_owned())
    }

    /// The text of the first element of this name.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        let text = String::from_utf8_lossy(&self.body).into_owned();
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        let (value, _) = rest.split_once(&format!("</{name}>"))?;
        Some(
            value
                .replace("&quot;", "\"")
                .replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&amp;", "&"),
        )
    }

    /// The credentials in the answer. Panics, with the answer, where there are none.
    pub(crate) fn keys(&self) -> Keys {
        let field = |name| {
            self.field(name)
                .unwrap_or_else(|| panic!("no {name} in {self:?}"))
        };
        Keys {
            id: field("AccessKeyId"),
            secret: field("SecretAccessKey"),
            token: Some(field("SessionToken")),
        }
    }
}

/// The bytes of a signed (or, without keys, unsigned) request.
pub(crate) fn wire(draft: &Draft, keys: Option<&Keys>, address: SocketAddr) -> Vec<u8> {
    let named = draft.headers.iter().any(|(name, _)| name == "host");
    let draft = match named {
        true => draft.clone(),
        false => draft.clone().header("host", &address.to_string()),
    };
    let signed = keys.map(|keys| draft.signature(keys));
    let mut head = format!("{} {} HTTP/1.1\r\n", draft.method, draft.target);
    let headers = signed.as_ref().map_or(&draft.headers, |s| &s.headers);
    for (name, value) in headers.iter().chain(&draft.unsigned) {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if let Some(signed) = &signed {
        head.push_str(&format!("authorization: {}\r\n", signed.text()));
    }
    head.push_str(&format!("content-length: {}\r\n\r\n", draft.body.len()));
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(&draft.body);
    bytes
}

/// Sends one request on a connection of its own.
pub(crate) fn send(draft: &Draft, keys: Option<&Keys>, address: SocketAddr) -> Option<Reply> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(&wire(draft, keys, address)).unwrap();
    receive(&mut stream)
}

/// Reads one reply; `None` where the connection ended before it was whole.
pub(crate) fn receive(stream: &mut TcpStream) -> Option<Reply> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        read_some(stream, &mut bytes)?;
    };
    let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
    let lines = head.to_ascii_lowercase();
    let length = lines
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.map_or(0, |text| text.trim().parse().unwrap());
    while bytes.len() < head_end + length {
        read_some(stream, &mut bytes)?;
    }
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Some(Reply {
        status,
        head,
        body: bytes[head_end..head_end + length].to_vec(),
    })
}

fn read_some(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<()> {
    let mut chunk = [0; 16 * 1024];
    let count = stream.read(&mut chunk).ok().filter(|count| *count > 0)?;
    bytes.extend_from_slice(&chunk[..count]);
    Some(())
}

/// A form of the Query protocol.
pub(crate) fn form(params: &[(&str, &str)]) -> String {
    let pairs = params
        .iter()
        .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// RFC 3986, everything but the unreserved characters.
pub(crate) fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|b| {
            if plain(b) {
                char::from(b).to_string()
            } else {
                format!("%{b:02X}")
            }
        })
        .collect()
}

pub(crate) fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
