//! Who signed a request, if the signature holds. One walk for STS and S3, with each one's error codes.

use super::clock;
use super::http::Request;
use super::principal::{Caller, Who};
use super::refusal::Refusal;
use super::rules::Rule;
use super::sigv4::{Scope, Signed};
use super::state::{Key, State};
use super::{bytes, sigv4};

/// undocumented: STS allows 5 minutes; S3 15 (RESTAuthentication).
const STS_SKEW: i64 = 5 * 60;
const S3_SKEW: i64 = 15 * 60;

/// Why a signature is not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum AuthFault {
    Missing,
    Incomplete(&'static str),
    UnknownKey,
    Token,
    Scope(&'static str),
    Date(String),
    UnsignedHeader(String),
    Body,
    Mismatch,
    Expired,
}

/// A caller whose signature holds.
#[derive(Clone)]
pub(super) struct Passport {
    pub(super) caller: Caller,
    pub(super) secret: String,
    pub(super) signed: Option<Signed>,
}

impl Passport {
    fn nobody(signed: Option<Signed>) -> Passport {
        let access_key_id = String::new();
        let caller = Caller {
            who: Who::Nobody,
            access_key_id,
            issued: None,
            expires: None,
            scopes: Vec::new(),
        };
        Passport {
            caller,
            secret: String::new(),
            signed,
        }
    }
}

/// The signer of a request.
pub(super) fn passport(
    state: &State,
    request: &Request,
    service: &str,
    now: i64,
) -> Result<Passport, AuthFault> {
    let signed = Signed::of(request).map_err(AuthFault::Incomplete)?;
    let Some(signed) = signed else {
        let free = !state.enforces(Rule::SignedCall);
        return if free {
            Ok(Passport::nobody(None))
        } else {
            Err(AuthFault::Missing)
        };
    };
    let Some(key) = state.key(&signed.scope.key_id) else {
        let free = !state.enforces(Rule::KnownKey);
        return if free {
            Ok(Passport::nobody(Some(signed)))
        } else {
            Err(AuthFault::UnknownKey)
        };
    };
    if !key.active && state.enforces(Rule::InactiveKey) {
        return Err(AuthFault::UnknownKey);
    }
    check_token(state, &signed, &key)?;
    if state.enforces(Rule::CredentialScope) {
        check_scope(state, &signed, service)?;
    }
    if state.enforces(Rule::SignatureDate) {
        check_date(&signed, now)?;
    }
    if state.enforces(Rule::SignedHeaders) {
        check_headers(request, &signed)?;
    }
    let matches = signed.expected(request, &key.secret) == signed.signature;
    if !matches && state.enforces(Rule::SignatureMatch) {
        return Err(AuthFault::Mismatch);
    }
    check_body(state, request, &signed)?;
    let expired = key
        .temporary
        .as_ref()
        .is_some_and(|(_, expires)| *expires <= now);
    if expired && state.enforces(Rule::SessionExpiry) {
        return Err(AuthFault::Expired);
    }
    Ok(Passport {
        caller: key.caller,
        secret: key.secret,
        signed: Some(signed),
    })
}

/// Temporary credentials come with their token, long-term ones without any.
fn check_token(state: &State, signed: &Signed, key: &Key) -> Result<(), AuthFault> {
    let wanted = key.temporary.as_ref().map(|(token, _)| token);
    match wanted == signed.token.as_ref() || !state.enforces(Rule::SessionTokenMatch) {
        true => Ok(()),
        false => Err(AuthFault::Token),
    }
}

fn check_scope(state: &State, signed: &Signed, service: &str) -> Result<(), AuthFault> {
    let Scope {
        day,
        region,
        service: named,
        terminator,
        ..
    } = &signed.scope;
    let regions = &state.world.regions;
    let known = if regions.is_empty() {
        region_form(region)
    } else {
        regions.contains(region)
    };
    match () {
        () if terminator != "aws4_request" => Err(AuthFault::Scope(
            "Credential should be scoped with a valid terminator: 'aws4_request'.",
        )),
        () if !signed.date.starts_with(day.as_str()) => Err(AuthFault::Scope(
            "Date in Credential scope does not match the date of the request.",
        )),
        () if named != service => Err(AuthFault::Scope(
            "Credential should be scoped to correct service.",
        )),
        () if !known => Err(AuthFault::Scope(
            "Credential should be scoped to a valid region.",
        )),
        () => Ok(()),
    }
}

/// `us-east-1`, `us-gov-west-1`: letters, words, one digit.
fn region_form(region: &str) -> bool {
    let words: Vec<&str> = region.split('-').collect();
    let Some((number, names)) = words.split_last() else {
        return false;
    };
    names.len() >= 2
        && number.parse::<u8>().is_ok()
        && names
            .iter()
            .all(|w| !w.is_empty() && w.chars().all(|c| c.is_ascii_lowercase()))
}

fn check_date(signed: &Signed, now: i64) -> Result<(), AuthFault> {
    let at = clock::from_basic(&signed.date).ok_or(AuthFault::Incomplete("bad date"))?;
    let skew = if signed.scope.service == "s3" {
        S3_SKEW
    } else {
        STS_SKEW
    };
    let latest = at + signed.presigned.unwrap_or(skew);
    match (at - skew..=latest).contains(&now) {
        true => Ok(()),
        false => Err(AuthFault::Date(format!(
            "Signature of {} does not fit the time {}.",
            signed.date,
            clock::basic(now)
        ))),
    }
}

fn check_headers(request: &Request, signed: &Signed) -> Result<(), AuthFault> {
    let present = request.headers.iter().map(|(name, _)| name.as_str());
    let must = present
        .filter(|name| name.starts_with("x-amz-"))
        .chain(["host"]);
    match must
        .into_iter()
        .find(|name| !signed.headers.iter().any(|h| h == name))
    {
        Some(name) => Err(AuthFault::UnsignedHeader(name.to_owned())),
        None => Ok(()),
    }
}

fn check_body(state: &State, request: &Request, signed: &Signed) -> Result<(), AuthFault> {
    let declared = signed.payload_hash(request);
    let symbolic = declared == sigv4::UNSIGNED || declared.starts_with("STREAMING-");
    let free = symbolic && signed.scope.service == "s3";
    let honest = free || declared == bytes::sha256_hex(&request.body);
    match honest || !state.enforces(Rule::BodyHash) {
        true => Ok(()),
        false => Err(AuthFault::Body),
    }
}

const MISMATCH: &str = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.";

impl AuthFault {
    /// CommonErrors, in STS's words.
    pub(super) fn for_sts(&self) -> Refusal {
        let invalid = "The security token included in the request is invalid.";
        match self {
            AuthFault::Missing => Refusal::new(
                403,
                "MissingAuthenticationToken",
                "Request is missing Authentication Token",
            ),
            AuthFault::Incomplete(what) => Refusal::new(400, "IncompleteSignature", *what),
            AuthFault::UnknownKey | AuthFault::Token => {
                Refusal::new(403, "InvalidClientTokenId", invalid)
            }
            AuthFault::Scope(what) => Refusal::new(403, "SignatureDoesNotMatch", *what),
            AuthFault::Date(what) => Refusal::new(400, "RequestExpired", what),
            AuthFault::UnsignedHeader(name) => Refusal::new(
                403,
                "SignatureDoesNotMatch",
                format!("'{name}' must be a 'SignedHeader' in the AWS Authorization."),
            ),
            AuthFault::Body | AuthFault::Mismatch => {
                Refusal::new(403, "SignatureDoesNotMatch", MISMATCH)
            }
            AuthFault::Expired => Refusal::new(
                403,
                "ExpiredToken",
                "The security token included in the request is expired",
            ),
        }
    }

    /// ErrorResponses of S3.
    pub(super) fn for_s3(&self) -> Refusal {
        match self {
            AuthFault::Missing => Refusal::access_denied("Access Denied"),
            AuthFault::Incomplete(what) | AuthFault::Scope(what) => {
                Refusal::new(400, "AuthorizationHeaderMalformed", *what)
            }
            AuthFault::UnknownKey => Refusal::new(
                403,
                "InvalidAccessKeyId",
                "The AWS Access Key Id you provided does not exist in our records.",
            ),
            AuthFault::Token => Refusal::new(
                400,
                "InvalidToken",
                "The provided token is malformed or otherwise invalid.",
            ),
            AuthFault::Date(what) => Refusal::new(403, "RequestTimeTooSkewed", what),
            AuthFault::UnsignedHeader(name) => Refusal::access_denied(format!(
                "There were headers present in the request which were not signed: {name}"
            )),
            AuthFault::Body => Refusal::new(
                400,
                "XAmzContentSHA256Mismatch",
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
            ),
            AuthFault::Mismatch => Refusal::new(403, "SignatureDoesNotMatch", MISMATCH),
            AuthFault::Expired => {
                Refusal::new(400, "ExpiredToken", "The provided token has expired.")
            }
        }
    }
}
