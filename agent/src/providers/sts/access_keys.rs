//! [`KeyService`]: the few calls of IAM that a rotation needs, by the same signed calls of the Query protocol.
//!
//! Sources: IAM API reference, each operation's page; "Making query requests".

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use jumpgate_api::{Secret, Timestamp};

use super::answers::{missing, timestamp};
use super::errors::invalid;
use super::query::{Answered, Query, element};
use super::{MAX_ATTEMPTS, SdkTokenService, hidden, signer, url_of};
use crate::domain::identity::{AccessKeyId, LongTermKey};
use crate::domain::rotation::{LastUse, ListedKey};
use crate::ports::{Answer, KeyCall, KeyService, TokenError};

/// IAM's only version (IAM API reference, "Making query requests").
const API_VERSION: &str = "2010-05-08";

/// The most keys of a user that are read: AWS allows two (reference_iam-quotas).
const MAX_KEYS: usize = 8;

/// A call that is not to be repeated by itself.
const ONCE: u32 = 1;

impl SdkTokenService {
    async fn ask_iam(
        &self,
        call: KeyCall<'_>,
        action: &str,
        parameters: Vec<(&str, String)>,
        attempts: u32,
    ) -> Result<Answered, TokenError> {
        let mut form = vec![
            ("Action", action.to_owned()),
            ("Version", API_VERSION.to_owned()),
        ];
        form.extend(parameters);
        let query = Query {
            url: url_of(call.endpoint),
            service: "iam",
            region: call.endpoint.region.as_str(),
            form,
        };
        let connector = self.connector(call.endpoint).await?;
        let hidden = hidden(call.signer, None);
        let manner = (self.options.patience, attempts);
        query
            .send(&connector, &signer(call.signer), &hidden, manner)
            .await
    }
}

fn of_user(call: KeyCall<'_>) -> (&'static str, String) {
    ("UserName", call.user.to_owned())
}

fn of_key(id: &AccessKeyId) -> (&'static str, String) {
    ("AccessKeyId", id.as_str().to_owned())
}

impl KeyService for SdkTokenService {
    fn keys<'a>(&'a self, call: KeyCall<'a>) -> Answer<'a, Result<Vec<ListedKey>, TokenError>> {
        Box::pin(async move {
            let parameters = vec![of_user(call)];
            let asked = self.ask_iam(call, "ListAccessKeys", parameters, MAX_ATTEMPTS);
            listed(&asked.await?)
        })
    }

    fn last_use<'a>(
        &'a self,
        call: KeyCall<'a>,
        id: &'a AccessKeyId,
    ) -> Answer<'a, Result<LastUse, TokenError>> {
        Box::pin(async move {
            let parameters = vec![of_key(id)];
            let asked = self.ask_iam(call, "GetAccessKeyLastUsed", parameters, MAX_ATTEMPTS);
            // API_AccessKeyLastUsed: the date is absent for a key that was never used.
            let at = element(&asked.await?.body, "LastUsedDate");
            Ok(at.map_or(LastUse::Never, |at| {
                instant(&at).map_or(LastUse::Unknown, LastUse::At)
            }))
        })
    }

    fn create_key<'a>(&'a self, call: KeyCall<'a>) -> Answer<'a, Result<LongTermKey, TokenError>> {
        Box::pin(async move {
            let parameters = vec![of_user(call)];
            created(
                &self
                    .ask_iam(call, "CreateAccessKey", parameters, ONCE)
                    .await?,
            )
        })
    }

    fn set_active<'a>(
        &'a self,
        call: KeyCall<'a>,
        id: &'a AccessKeyId,
        active: bool,
    ) -> Answer<'a, Result<(), TokenError>> {
        Box::pin(async move {
            let status = if active { "Active" } else { "Inactive" };
            let parameters = vec![of_user(call), of_key(id), ("Status", status.to_owned())];
            let asked = self.ask_iam(call, "UpdateAccessKey", parameters, MAX_ATTEMPTS);
            asked.await.map(drop)
        })
    }

    fn delete_key<'a>(
        &'a self,
        call: KeyCall<'a>,
        id: &'a AccessKeyId,
    ) -> Answer<'a, Result<(), TokenError>> {
        Box::pin(async move {
            let parameters = vec![of_user(call), of_key(id)];
            let asked = self.ask_iam(call, "DeleteAccessKey", parameters, MAX_ATTEMPTS);
            asked.await.map(drop)
        })
    }
}

/// API_ListAccessKeys, "Response Elements".
pub(super) fn listed(answer: &Answered) -> Result<Vec<ListedKey>, TokenError> {
    let id = answer.request_id.as_deref();
    let list = "<AccessKeyMetadata>";
    let (_, members) = answer
        .body
        .split_once(list)
        .ok_or_else(|| missing("AccessKeyMetadata", id))?;
    let members = members.split("<member>").skip(1);
    let key = |member: &str| {
        let status = element(member, "Status").ok_or_else(|| missing("Status", id))?;
        Ok(ListedKey {
            id: key_id(member, id)?,
            active: *status == "Active",
            created_at: element(member, "CreateDate").and_then(|at| instant(&at)),
            last_used: LastUse::Unknown,
        })
    };
    members.take(MAX_KEYS).map(key).collect()
}

/// API_CreateAccessKey, "Response Elements".
pub(super) fn created(answer: &Answered) -> Result<LongTermKey, TokenError> {
    let id = answer.request_id.as_deref();
    let secret = element(&answer.body, "SecretAccessKey").filter(|secret| !secret.is_empty());
    let secret = secret.ok_or_else(|| missing("SecretAccessKey", id))?;
    Ok(LongTermKey {
        access_key_id: key_id(&answer.body, id)?,
        secret_access_key: Secret::new(secret.to_string()),
    })
}

fn key_id(body: &str, request: Option<&str>) -> Result<AccessKeyId, TokenError> {
    let id = element(body, "AccessKeyId").and_then(|id| AccessKeyId::parse(&id).ok());
    id.ok_or_else(|| invalid("AWS's answer has no legal AccessKeyId", request))
}

fn instant(text: &str) -> Option<Timestamp> {
    let instant = DateTime::from_str(text, Format::DateTimeWithOffset);
    instant.ok().as_ref().and_then(timestamp)
}
