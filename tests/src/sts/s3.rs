//! A tiny S3 to try sessions on: path-style objects and listings. Every call is decided by role,
//! session policies and bucket policy together (access_policy-language-overview).

use super::authenticate::Passport;
use super::authorize::{self, Target};
use super::bytes::sha256_hex;
use super::call::{Origin, base_context};
use super::chunked::{self, ChunkFault};
use super::context::Context;
use super::http::{Reply, Request};
use super::policy::Purpose;
use super::query::{Params, decoded, pairs};
use super::refusal::Refusal;
use super::rules::Rule;
use super::state::{Object, State};
use super::xml::{self, Xml};
use super::{checksum, clock};

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Operation {
    /// The API's name: `GetObject`.
    pub(super) name: &'static str,
    /// The action of policies: `s3:GetObject`.
    action: &'static str,
    pub(super) bucket: String,
    pub(super) key: String,
    pub(super) params: Params,
}

impl Operation {
    /// Path-style: `/bucket/key`.
    pub(super) fn of(request: &Request) -> Operation {
        let path = request.path.trim_start_matches('/');
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        let (bucket, key) = (decoded(bucket, false), decoded(key, false));
        let (name, action) = match (&*request.method, bucket.is_empty(), key.is_empty()) {
            ("GET", true, _) => ("ListBuckets", "s3:ListAllMyBuckets"),
            ("GET", false, true) => ("ListObjectsV2", "s3:ListBucket"),
            ("HEAD", false, true) => ("HeadBucket", "s3:ListBucket"),
            ("PUT", false, false) => ("PutObject", "s3:PutObject"),
            ("GET", false, false) => ("GetObject", "s3:GetObject"),
            ("HEAD", false, false) => ("HeadObject", "s3:GetObject"),
            ("DELETE", false, false) => ("DeleteObject", "s3:DeleteObject"),
            _ => ("Unknown", "s3:Unknown"),
        };
        let params = Params::from_pairs(pairs(&request.query, true));
        Operation {
            name,
            action,
            bucket,
            key,
            params,
        }
    }

    fn arn(&self) -> String {
        match (self.bucket.is_empty(), self.key.is_empty()) {
            (true, _) => "*".to_owned(),
            (false, true) => format!("arn:aws:s3:::{}", self.bucket),
            (false, false) => format!("arn:aws:s3:::{}/{}", self.bucket, self.key),
        }
    }
}

/// Answers one call.
pub(super) fn answered(
    state: &mut State,
    passport: &Passport,
    operation: &Operation,
    request: &Request,
    origin: &Origin,
    now: i64,
) -> Result<Reply, Refusal> {
    if operation.name == "Unknown" {
        return Err(Refusal::new(
            501,
            "NotImplemented",
            "The double does not know this call.",
        ));
    }
    permit(state, passport, operation, origin, now)?;
    let place = (operation.bucket.clone(), operation.key.clone());
    match operation.name {
        "ListBuckets" => Ok(buckets(state, passport)),
        "ListObjectsV2" => Ok(objects(state, operation)),
        "PutObject" => {
            let body = payload(state, passport, request)?;
            let content_type = request
                .header("content-type")
                .unwrap_or("binary/octet-stream");
            let etag = etag(&body);
            let content_type = content_type.to_owned();
            state.objects.insert(
                place,
                Object {
                    body,
                    content_type,
                    modified: now,
                },
            );
            Ok(empty(200).with("ETag", etag))
        }
        "DeleteObject" => {
            state.objects.remove(&place);
            Ok(empty(204))
        }
        "HeadBucket" => Ok(empty(200)),
        _ => object(state, &place, request.method == "HEAD"),
    }
}

fn empty(status: u16) -> Reply {
    Reply {
        status,
        headers: Vec::new(),
        body: Vec::new(),
    }
}

/// Not MD5 as in S3, which is no longer promised (API_Object, ETag): half of a SHA-256.
fn etag(body: &[u8]) -> String {
    format!("\"{}\"", &sha256_hex(body)[..32])
}

fn permit(
    state: &State,
    passport: &Passport,
    operation: &Operation,
    origin: &Origin,
    now: i64,
) -> Result<(), Refusal> {
    let world = &state.world;
    let who = &passport.caller.who;
    let bucket = world.find_bucket(&operation.bucket);
    if bucket.is_none() && !operation.bucket.is_empty() {
        return Err(Refusal::new(
            404,
            "NoSuchBucket",
            "The specified bucket does not exist",
        ));
    }
    let policy = bucket
        .and_then(|b| b.policy.as_deref())
        .filter(|_| state.enforces(Rule::BucketPolicy))
        .map(|text| (text, Purpose::Resource));
    let arn = operation.arn();
    let account = bucket.map(|b| b.account.as_str());
    let target = Target {
        arn: &arn,
        account,
        policy,
    };
    let context = context(state, passport, operation, origin, now);
    match authorize::allowed(world, &passport.caller, operation.action, target, &context) {
        true => Ok(()),
        false => Err(Refusal::not_authorized(&who.arn(), operation.action, &arn)),
    }
}

fn context(
    state: &State,
    passport: &Passport,
    operation: &Operation,
    origin: &Origin,
    now: i64,
) -> Context {
    let mut context = base_context(state, &passport.caller, origin, now);
    for name in ["prefix", "delimiter", "max-keys"] {
        context.set_if(&format!("s3:{name}"), operation.params.text(name));
    }
    let owner = state
        .world
        .find_bucket(&operation.bucket)
        .map(|b| b.account.as_str());
    context.set_if("aws:ResourceAccount", owner);
    context.set_if("s3:ResourceAccount", owner);
    context
}

/// The object's bytes: taken out of aws-chunked, and compared with the checksums that came along.
fn payload(state: &State, passport: &Passport, request: &Request) -> Result<Vec<u8>, Refusal> {
    let declared = request.header("x-amz-content-sha256").unwrap_or("");
    let header_sums = request.headers.clone();
    let (body, trailers) = match &passport.signed {
        Some(signed) if declared.starts_with("STREAMING-") => {
            let out = chunked::unchunked(&request.body, declared, signed, &passport.secret)
                .map_err(chunk_refusal)?;
            (out.body, out.trailers)
        }
        _ => (request.body.clone(), Vec::new()),
    };
    let length = request.header("x-amz-decoded-content-length");
    if length.is_some_and(|text| text.parse() != Ok(body.len())) {
        return Err(Refusal::new(
            400,
            "IncompleteBody",
            "The decoded length is not as declared.",
        ));
    }
    let bad = header_sums.iter().chain(&trailers).any(|(name, value)| {
        let kind = name.strip_prefix("x-amz-checksum-");
        kind.and_then(|kind| checksum::holds(kind, value, &body)) == Some(false)
    });
    if bad && state.enforces(Rule::Checksum) {
        return Err(Refusal::new(
            400,
            "BadDigest",
            "A checksum did not match the content.",
        ));
    }
    Ok(body)
}

fn chunk_refusal(fault: ChunkFault) -> Refusal {
    match fault {
        ChunkFault::Form => Refusal::new(400, "IncompleteBody", "The chunks are malformed."),
        ChunkFault::Signature => Refusal::new(
            403,
            "SignatureDoesNotMatch",
            "A chunk's signature does not match.",
        ),
    }
}

fn object(state: &State, place: &(String, String), head: bool) -> Result<Reply, Refusal> {
    let object = state
        .objects
        .get(place)
        .ok_or_else(|| Refusal::new(404, "NoSuchKey", "The specified key does not exist."))?;
    let reply = Reply::new(200, &object.content_type, object.body.clone())
        .with("ETag", etag(&object.body))
        .with("Last-Modified", clock::http_date(object.modified))
        .with("Accept-Ranges", "bytes");
    // HEAD tells the length of what GET would send.
    let length = object.body.len().to_string();
    Ok(if head {
        reply.with("Content-Length", length)
    } else {
        reply
    })
}

/// API_ListObjectsV2, without pages: the double's buckets are small.
fn objects(state: &State, operation: &Operation) -> Reply {
    let prefix = operation.params.text("prefix").unwrap_or("");
    let delimiter = operation.params.text("delimiter").filter(|d| !d.is_empty());
    let (mut contents, mut groups) = (Xml::new(), Vec::new());
    let mut count = 0;
    for ((bucket, key), object) in &state.objects {
        let Some(rest) = key
            .strip_prefix(prefix)
            .filter(|_| *bucket == operation.bucket)
        else {
            continue;
        };
        match delimiter.and_then(|d| rest.find(d).map(|at| &rest[..at + d.len()])) {
            Some(group) => groups.push(format!("{prefix}{group}")),
            None => {
                contents = contents.node("Contents", entry(key, object));
                count += 1;
            }
        }
    }
    groups.dedup();
    count += groups.len();
    let inner = groups.iter().fold(contents, |inner, group| {
        inner.node("CommonPrefixes", Xml::new().leaf("Prefix", group))
    });
    let inner = inner
        .leaf("Name", &operation.bucket)
        .leaf("Prefix", prefix)
        .leaf_if("Delimiter", delimiter)
        .leaf("KeyCount", count.to_string())
        .leaf("MaxKeys", "1000")
        .leaf("IsTruncated", "false");
    Reply::new(
        200,
        "application/xml",
        xml::s3_document("ListBucketResult", inner),
    )
}

fn entry(key: &str, object: &Object) -> Xml {
    Xml::new()
        .leaf("Key", key)
        .leaf(
            "LastModified",
            clock::rfc3339(object.modified).replace('Z', ".000Z"),
        )
        .leaf("ETag", etag(&object.body))
        .leaf("Size", object.body.len().to_string())
        .leaf("StorageClass", "STANDARD")
}

fn buckets(state: &State, passport: &Passport) -> Reply {
    let account = passport.caller.who.account();
    let own = state
        .world
        .buckets
        .iter()
        .filter(|bucket| bucket.account == account);
    let list = own.fold(Xml::new(), |list, bucket| {
        let created = Xml::new()
            .leaf("Name", &bucket.name)
            .leaf("CreationDate", "2026-01-01T00:00:00.000Z");
        list.node("Bucket", created)
    });
    let owner = Xml::new().leaf("ID", &account);
    let inner = Xml::new().node("Owner", owner).node("Buckets", list);
    Reply::new(
        200,
        "application/xml",
        xml::s3_document("ListAllMyBucketsResult", inner),
    )
}
