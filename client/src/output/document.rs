//! The JSON document of `credential_process`, as every AWS SDK reads it.
//! Source: "Using an external process to retrieve credentials" of the AWS CLI user guide.

use std::io::{self, Write};

use jumpgate_api::CredentialsReply;
use serde::Serialize;
use zeroize::Zeroizing;

/// The largest document that every SDK takes, in bytes, its newline included (fluent-bit reads no more).
pub(crate) const MAX_DOCUMENT_BYTES: usize = 8 * 1024 - 1;

/// Why a reply makes no document.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DocumentError {
    /// A client would take it for permanent or broken credentials.
    #[error("the agent's answer holds no complete session")]
    Incomplete,
    /// Some SDKs would cut it.
    #[error("the session is larger than the {MAX_DOCUMENT_BYTES} bytes that every SDK reads")]
    TooLarge,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Document<'a> {
    version: u8,
    access_key_id: &'a str,
    secret_access_key: &'a str,
    session_token: &'a str,
    expiration: jumpgate_api::Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_id: Option<&'a str>,
}

/// One line of JSON and its newline, wiped after use.
pub(crate) fn document(reply: &CredentialsReply) -> Result<Zeroizing<Vec<u8>>, DocumentError> {
    let is_account = |id: &&str| id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit());
    let document = Document {
        version: 1,
        access_key_id: &reply.access_key_id,
        secret_access_key: reply.secret_access_key.expose(),
        session_token: reply.session_token.expose(),
        expiration: reply.expires_at,
        account_id: Some(reply.account_id.as_str()).filter(is_account),
    };
    let parts = [
        document.access_key_id,
        document.secret_access_key,
        document.session_token,
    ];
    if parts.contains(&"") {
        return Err(DocumentError::Incomplete);
    }
    let mut bytes = json(&document);
    if bytes.len() >= MAX_DOCUMENT_BYTES {
        return Err(DocumentError::TooLarge);
    }
    bytes.push(b'\n');
    Ok(bytes)
}

/// The JSON text of a value that may hold a secret, wiped after use, with room for a newline. It is measured
/// before it is written: a vector that grows would leave its old bytes behind.
pub(crate) fn json(value: &impl Serialize) -> Zeroizing<Vec<u8>> {
    let write = |target: &mut dyn Write| {
        serde_json::to_writer(target, value).expect("no map of ours has keys that are not text");
    };
    let mut size = Size(0);
    write(&mut size);
    let mut bytes = Zeroizing::new(Vec::with_capacity(size.0 + 1));
    write(&mut *bytes);
    bytes
}

/// Counts what is written.
struct Size(usize);

impl Write for Size {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn golden() -> CredentialsReply {
        let text = include_str!("../../../proto/api/golden/credentials_reply.json");
        serde_json::from_str(text).unwrap()
    }

    fn text(reply: &CredentialsReply) -> String {
        String::from_utf8(document(reply).unwrap().to_vec()).unwrap()
    }

    #[test]
    fn it_is_one_line_with_the_documented_keys() {
        assert_eq!(
            text(&golden()),
            "{\"Version\":1,\"AccessKeyId\":\"ASIAEXAMPLE\",\"SecretAccessKey\":\"secret\",\"SessionToken\":\"token\",\
             \"Expiration\":\"2026-11-22T01:00:00Z\",\"AccountId\":\"222222222222\"}\n"
        );
    }

    #[test]
    fn a_text_that_may_hold_a_secret_never_grows() {
        let bytes = document(&golden()).unwrap();
        assert_eq!(bytes.capacity(), bytes.len());
    }

    #[test]
    fn an_account_that_is_none_is_left_out() {
        for account_id in ["", "22222222222", "2222222222222", "22222222222a"] {
            let reply = CredentialsReply {
                account_id: account_id.to_owned(),
                ..golden()
            };
            assert!(
                text(&reply).ends_with("\"2026-11-22T01:00:00Z\"}\n"),
                "{account_id}"
            );
        }
    }

    #[test]
    fn a_part_that_is_missing_makes_no_document() {
        let no_key = CredentialsReply {
            access_key_id: String::new(),
            ..golden()
        };
        let no_secret = CredentialsReply {
            secret_access_key: "".into(),
            ..golden()
        };
        let no_token = CredentialsReply {
            session_token: "".into(),
            ..golden()
        };
        for reply in [no_key, no_secret, no_token] {
            assert_eq!(document(&reply).unwrap_err(), DocumentError::Incomplete);
        }
    }

    #[test]
    fn it_stays_below_eight_kibibytes() {
        let token = |size| CredentialsReply {
            session_token: "t".repeat(size).as_str().into(),
            ..golden()
        };
        let rest = text(&token(1)).len() - 1;
        assert_eq!(text(&token(8191 - rest)).len(), 8191);
        assert_eq!(
            document(&token(8192 - rest)).unwrap_err(),
            DocumentError::TooLarge
        );
    }
}
