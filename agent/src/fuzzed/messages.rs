//! The control API's messages, as both sides read them. Law: what is read is written and read again as the same, byte for
//! byte; the error of what is refused, as the agent tells it, has nothing of the message.

use std::fmt::Debug;

use jumpgate_api::{
    CredentialsReply, CredentialsRequest, EndpointReply, EndpointRequest, IdentityAddRequest,
    IdentityList, IdentityRemoved, IdentityReply, JournalReport, LeaseEnded, LeaseList, LockReply,
    PresetList, Problem, ProfileDetail, ProfileList, ReloadReply, RotateReply, RotateRequest,
    Status, StopReply, UnlockReply, UnlockRequest,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{line_and_rest, text};

/// The fields that only the wire shows.
const SECRETS: [&str; 6] = [
    "secret_access_key",
    "session_token",
    "passphrase",
    "mfa_code",
    "totp_seed",
    "token",
];
/// What the corpus has in one of them.
const CANARY: &str = "canary-secret";

/// A message's name on the first line, then the message.
pub(super) fn target(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let (name, body) = line_and_rest(text);
    let again: fn(&str) = match name {
        "credentials_reply" => again::<CredentialsReply>,
        "credentials_request" => again::<CredentialsRequest>,
        "endpoint_reply" => again::<EndpointReply>,
        "endpoint_request" => again::<EndpointRequest>,
        "identity_add_request" => again::<IdentityAddRequest>,
        "identity_list" => again::<IdentityList>,
        "identity_removed" => again::<IdentityRemoved>,
        "identity_reply" => again::<IdentityReply>,
        "journal_report" => again::<JournalReport>,
        "lease_ended" => again::<LeaseEnded>,
        "lease_list" => again::<LeaseList>,
        "lock_reply" => again::<LockReply>,
        "preset_list" => again::<PresetList>,
        "problem" => again::<Problem>,
        "profile_detail" => again::<ProfileDetail>,
        "profile_list" => again::<ProfileList>,
        "reload_reply" => again::<ReloadReply>,
        "rotate_reply" => again::<RotateReply>,
        "rotate_request" => again::<RotateRequest>,
        "status" => again::<Status>,
        "stop_reply" => again::<StopReply>,
        "unlock_reply" => again::<UnlockReply>,
        "unlock_request" => again::<UnlockRequest>,
        _ => return,
    };
    again(body);
}

fn again<T: Serialize + DeserializeOwned + PartialEq + Debug>(body: &str) {
    let Ok(message) = serde_json::from_str::<T>(body) else {
        return;
    };
    let written = serde_json::to_string(&message).unwrap();
    let read: T = serde_json::from_str(&written).unwrap();
    assert_eq!(read, message);
    assert_eq!(serde_json::to_string(&read).unwrap(), written);
    let secret = SECRETS
        .iter()
        .any(|field| body.contains(&format!("\"{field}\":\"{CANARY}\"")));
    if secret && body.matches(CANARY).count() == 1 {
        assert!(!format!("{message:?}").contains(CANARY));
    }
}
