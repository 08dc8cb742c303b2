//! Values for the providers' tests.

#![allow(clippy::unwrap_used)]
use jumpgate_iam::{AccountId, Region};

use crate::domain::identity::{AccessKeyId, Endpoint, Identity, LongTermKey, Store};
use crate::domain::name::IdentityName;
use crate::domain::rotation::StoredKey;

/// An identity without a second factor.
pub(super) fn identity(name: &str) -> Identity {
    Identity {
        name: IdentityName::parse(name).unwrap(),
        account: AccountId::parse("111111111111").unwrap(),
        endpoint: Endpoint {
            region: Region::parse("eu-west-1").unwrap(),
            url: None,
            ca_bundle: None,
        },
        iam_url: None,
        mfa: None,
        store: Store::File,
        passphrase_command: None,
        rotate_after: None,
    }
}

/// A key with this secret.
pub(super) fn key(secret: &str) -> StoredKey {
    let key = LongTermKey {
        access_key_id: AccessKeyId::parse("AKIAIOSFODNN7EXAMPLE").unwrap(),
        secret_access_key: secret.into(),
    };
    StoredKey::new(key, None)
}
