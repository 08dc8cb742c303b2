//! aws-chunked bodies (sigv4-streaming, sigv4-streaming-trailers): signed or unsigned chunks,
//! trailers with a checksum and perhaps a signature of their own.

use super::bytes::{hex, hmac_sha256, sha256_hex};
use super::sigv4::Signed;

/// A body taken out of its chunks.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Unchunked {
    pub(super) body: Vec<u8>,
    pub(super) trailers: Vec<(String, String)>,
}

/// Why an aws-chunked body is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChunkFault {
    Form,
    Signature,
}

/// The chain of signatures: each covers the one before.
struct Chain {
    key: [u8; 32],
    date: String,
    scope: String,
    previous: String,
}

impl Chain {
    fn verify(&mut self, kind: &str, content: &str, given: &str) -> Result<(), ChunkFault> {
        let algorithm = format!("AWS4-HMAC-SHA256-{kind}");
        let to_sign = [
            &*algorithm,
            &self.date,
            &self.scope,
            &self.previous,
            content,
        ]
        .join("\n");
        let expected = hex(&hmac_sha256(&self.key, to_sign.as_bytes()));
        let matches = expected == given;
        self.previous = expected;
        if matches {
            Ok(())
        } else {
            Err(ChunkFault::Signature)
        }
    }
}

/// Undoes aws-chunked. `declared`: the x-amz-content-sha256 of the request.
pub(super) fn unchunked(
    raw: &[u8],
    declared: &str,
    signed: &Signed,
    secret: &str,
) -> Result<Unchunked, ChunkFault> {
    let mut chain = declared
        .starts_with("STREAMING-AWS4-HMAC-SHA256")
        .then(|| Chain {
            key: signed.signing_key(secret),
            date: signed.date.clone(),
            scope: signed.scope.text(),
            previous: signed.signature.clone(),
        });
    let mut out = Unchunked::default();
    let mut rest = raw;
    loop {
        let line = line(&mut rest)?;
        let (size, extension) = line.split_once(';').unwrap_or((&line, ""));
        let size = usize::from_str_radix(size.trim(), 16).map_err(|_| ChunkFault::Form)?;
        let (chunk, after) = rest.split_at_checked(size).ok_or(ChunkFault::Form)?;
        if let Some(chain) = &mut chain {
            let given = extension
                .trim()
                .strip_prefix("chunk-signature=")
                .unwrap_or("");
            let content = format!("{}\n{}", sha256_hex(b""), sha256_hex(chunk));
            chain.verify("PAYLOAD", &content, given)?;
        }
        if size == 0 {
            break;
        }
        out.body.extend_from_slice(chunk);
        rest = after.strip_prefix(b"\r\n").ok_or(ChunkFault::Form)?;
    }
    out.trailers = trailers(rest)?;
    if let (Some(chain), true) = (&mut chain, declared.ends_with("-TRAILER")) {
        verify_trailers(chain, &mut out.trailers)?;
    }
    Ok(out)
}

fn line(rest: &mut &[u8]) -> Result<String, ChunkFault> {
    let end = rest
        .windows(2)
        .position(|two| two == b"\r\n")
        .ok_or(ChunkFault::Form)?;
    let line = String::from_utf8_lossy(&rest[..end]).into_owned();
    *rest = &rest[end + 2..];
    Ok(line)
}

fn trailers(mut rest: &[u8]) -> Result<Vec<(String, String)>, ChunkFault> {
    let mut trailers = Vec::new();
    while !rest.is_empty() {
        let line = line(&mut rest)?;
        if let Some((name, value)) = line.split_once(':') {
            trailers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    Ok(trailers)
}

fn verify_trailers(
    chain: &mut Chain,
    trailers: &mut Vec<(String, String)>,
) -> Result<(), ChunkFault> {
    let at = trailers
        .iter()
        .position(|(name, _)| name == "x-amz-trailer-signature");
    let (_, given) = trailers.remove(at.ok_or(ChunkFault::Form)?);
    let text: String = trailers
        .iter()
        .map(|(name, value)| format!("{name}:{value}\n"))
        .collect();
    chain.verify("TRAILER", &sha256_hex(text.as_bytes()), &given)
}
