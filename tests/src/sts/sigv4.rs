//! Signature Version 4, the server's side: what was signed, and what the signature should have been
//! (reference_sigv-create-signed-request). Both places are known: the Authorization header, and the
//! query string of a presigned URL (reference_sigv-authentication-methods).

use super::bytes::{hex, hmac_sha256, sha256_hex};
use super::http::Request;
use super::query::{decoded, encoded, pairs};

pub(super) const ALGORITHM: &str = "AWS4-HMAC-SHA256";
pub(super) const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// Key id and scope: `KEY/DATE/REGION/SERVICE/aws4_request`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Scope {
    pub(super) key_id: String,
    pub(super) day: String,
    pub(super) region: String,
    pub(super) service: String,
    pub(super) terminator: String,
}

impl Scope {
    fn parse(text: &str) -> Option<Scope> {
        let mut parts = text.split('/').map(str::to_owned);
        let mut next = || parts.next();
        let (key_id, day, region) = (next()?, next()?, next()?);
        let (service, terminator) = (next()?, next()?);
        let scope = Scope {
            key_id,
            day,
            region,
            service,
            terminator,
        };
        parts.next().is_none().then_some(scope)
    }

    pub(super) fn text(&self) -> String {
        [&*self.day, &*self.region, &*self.service, &*self.terminator].join("/")
    }
}

/// A signature as a request carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Signed {
    pub(super) scope: Scope,
    pub(super) headers: Vec<String>,
    pub(super) signature: String,
    /// `YYYYMMDDTHHMMSSZ`.
    pub(super) date: String,
    pub(super) token: Option<String>,
    /// Seconds that a presigned URL is good for; `None` for a signature in the header.
    pub(super) presigned: Option<i64>,
}

impl Signed {
    /// `Ok(None)`: the request is not signed. `Err`: it is, but not in the form of SigV4.
    pub(super) fn of(request: &Request) -> Result<Option<Signed>, &'static str> {
        match request.header("authorization") {
            Some(text) => Signed::from_header(request, text).map(Some),
            None if request.query.contains("X-Amz-Signature=") => Signed::from_query(request)
                .map(Some)
                .ok_or("incomplete presigned URL"),
            None => Ok(None),
        }
    }

    fn from_header(request: &Request, text: &str) -> Result<Signed, &'static str> {
        let fields = text.strip_prefix(ALGORITHM).ok_or("not AWS4-HMAC-SHA256")?;
        let field = |name: &str| {
            fields
                .split(',')
                .find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
        };
        let credential = field("Credential").ok_or("no Credential")?;
        Ok(Signed {
            scope: Scope::parse(credential).ok_or("bad Credential")?,
            headers: names(field("SignedHeaders").ok_or("no SignedHeaders")?),
            signature: field("Signature").ok_or("no Signature")?.to_owned(),
            date: request
                .header("x-amz-date")
                .ok_or("no X-Amz-Date")?
                .to_owned(),
            token: request.header("x-amz-security-token").map(str::to_owned),
            presigned: None,
        })
    }

    fn from_query(request: &Request) -> Option<Signed> {
        let query = pairs(&request.query, false);
        let field = |name: &str| {
            query
                .iter()
                .find(|(n, _)| n == name)
                .map(|(_, value)| value.as_str())
        };
        if field("X-Amz-Algorithm")? != ALGORITHM {
            return None;
        }
        Some(Signed {
            scope: Scope::parse(field("X-Amz-Credential")?)?,
            headers: names(field("X-Amz-SignedHeaders")?),
            signature: field("X-Amz-Signature")?.to_owned(),
            date: field("X-Amz-Date")?.to_owned(),
            token: field("X-Amz-Security-Token").map(str::to_owned),
            presigned: Some(field("X-Amz-Expires")?.parse().ok()?),
        })
    }

    /// The payload hash that the canonical request ends with.
    pub(super) fn payload_hash(&self, request: &Request) -> String {
        match (request.header("x-amz-content-sha256"), self.presigned) {
            (Some(declared), _) => declared.to_owned(),
            (None, Some(_)) if self.scope.service == "s3" => UNSIGNED.to_owned(),
            (None, _) => sha256_hex(&request.body),
        }
    }

    /// The signature that belongs to the request, with this secret.
    pub(super) fn expected(&self, request: &Request, secret: &str) -> String {
        let canonical = self.canonical_request(request);
        let hash = sha256_hex(canonical.as_bytes());
        let to_sign = [ALGORITHM, &self.date, &self.scope.text(), &hash].join("\n");
        hex(&hmac_sha256(&self.signing_key(secret), to_sign.as_bytes()))
    }

    pub(super) fn signing_key(&self, secret: &str) -> [u8; 32] {
        let scope = &self.scope;
        let key = hmac_sha256(format!("AWS4{secret}").as_bytes(), scope.day.as_bytes());
        let key = hmac_sha256(&key, scope.region.as_bytes());
        let key = hmac_sha256(&key, scope.service.as_bytes());
        hmac_sha256(&key, scope.terminator.as_bytes())
    }

    fn canonical_request(&self, request: &Request) -> String {
        let headers: String = self
            .headers
            .iter()
            .map(|name| format!("{name}:{}\n", canonical_value(request, name)))
            .collect();
        [
            &*request.method,
            &canonical_path(&request.path, &self.scope.service),
            &canonical_query(&request.query),
            &headers,
            &self.headers.join(";"),
            &self.payload_hash(request),
        ]
        .join("\n")
    }
}

fn names(list: &str) -> Vec<String> {
    list.split(';').map(str::to_owned).collect()
}

/// All values of a header, joined by commas, runs of blanks made one.
fn canonical_value(request: &Request, name: &str) -> String {
    let values = request.headers.iter().filter(|(n, _)| n == name);
    let tidy = values.map(|(_, v)| v.split_whitespace().collect::<Vec<_>>().join(" "));
    tidy.collect::<Vec<_>>().join(",")
}

/// S3 encodes the path once; every other service encodes what is on the wire a second time, with
/// dots and empty segments taken out.
fn canonical_path(raw: &str, service: &str) -> String {
    if service == "s3" {
        return encoded(&decoded(raw, false), true);
    }
    let mut kept: Vec<&str> = Vec::new();
    for segment in raw.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(kept.pop()),
            other => kept.push(other),
        }
    }
    let end = if raw.ends_with('/') && !kept.is_empty() {
        "/"
    } else {
        ""
    };
    encoded(&format!("/{}{end}", kept.join("/")), true)
}

fn canonical_query(raw: &str) -> String {
    let mut pairs: Vec<(String, String)> = pairs(raw, false)
        .into_iter()
        .filter(|(name, _)| name != "X-Amz-Signature")
        .map(|(name, value)| (encoded(&name, false), encoded(&value, false)))
        .collect();
    pairs.sort();
    let joined = pairs.iter().map(|(name, value)| format!("{name}={value}"));
    joined.collect::<Vec<_>>().join("&")
}
