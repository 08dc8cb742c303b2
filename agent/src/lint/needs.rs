//! What a jump policy must allow, by the configuration.

use jumpgate_iam::Excerpt;
use jumpgate_iam::lint::JumpNeed;

use crate::domain::settings::Settings;

/// The configuration has no identity of that name.
#[derive(Debug, thiserror::Error)]
#[error("there is no identity {0} in the configuration")]
pub(crate) struct NoSuchIdentity(Excerpt);

/// The roles that the profiles of an identity assume with its own credentials, in the order of the profiles' names.
/// Those behind `via` are assumed by another role.
pub(crate) fn needs(settings: &Settings, identity: &str) -> Result<Vec<JumpNeed>, NoSuchIdentity> {
    if !settings
        .identities
        .keys()
        .any(|name| name.as_str() == identity)
    {
        return Err(NoSuchIdentity(Excerpt::of(identity)));
    }
    let own = settings
        .profiles
        .values()
        .filter(|profile| profile.identity.as_str() == identity && profile.via.is_none());
    let need = own.map(|profile| JumpNeed {
        role: profile.role.clone(),
        profile: profile.name.as_str().to_owned(),
        tags: !profile.tags.is_empty() || !profile.narrow.tags.is_empty(),
        source_identity: profile.source_identity.is_some(),
    });
    Ok(need.collect())
}
