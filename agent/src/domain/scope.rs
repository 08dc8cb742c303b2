//! From a grant to the question put to AWS: session policy, tags, source identity and names of every hop.

use jumpgate_iam::{TagKey, TagValue};

use super::assume_role::{AssumeRole, Hop, IllegalValue};
use super::grant::Grant;
use super::identity::Identity;
use super::profile::Profile;
use super::template::{Pattern, Template, TicketMissing, Values};

/// What templates can say about where we run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surroundings {
    /// The operating system's name of the user.
    pub user: String,
    /// The machine's host name.
    pub host: String,
}

impl Surroundings {
    /// What a template of a profile says here.
    ///
    /// # Errors
    /// The template wants the ticket, and there is none.
    pub fn render(
        &self,
        template: &Template,
        profile: &Profile,
        ticket: Option<&str>,
    ) -> Result<Pattern, TicketMissing> {
        let account_id = profile.role.account().to_string();
        template.render(&Values {
            user: &self.user,
            host: &self.host,
            profile: profile.name.as_str(),
            account_id: &account_id,
            account: profile.account_name.as_deref().unwrap_or(&account_id),
            ticket,
        })
    }
}

/// Why no question can be composed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// A value that AWS would refuse.
    #[error("profile {profile}: {value}")]
    Illegal {
        /// The profile whose value it is.
        profile: String,
        /// The value.
        value: IllegalValue,
    },
    /// `{ticket}` occurs and the caller gave none.
    #[error("profile {0} puts the ticket into what it sends, and there is none")]
    TicketMissing(String),
    /// A hop sets a transitive tag anew that an earlier one fixed: AWS refuses that, and leaving it out
    /// would change what the session may do.
    #[error(
        "profile {profile}: tag {} is transitive from an earlier role and has another value there",
        .key.escape_debug()
    )]
    TransitiveTagChanged {
        /// The later profile.
        profile: String,
        /// The tag's key.
        key: String,
    },
    /// A hop changes the source identity, which stays for the whole chain.
    #[error("profile {0}: the source identity was set by an earlier role and cannot change")]
    SourceIdentityChanged(String),
}

/// Composes the question for a grant.
///
/// # Errors
/// A value that AWS would refuse, with the profile and the field.
pub fn compose(
    grant: &Grant,
    identity: &Identity,
    surroundings: &Surroundings,
) -> Result<AssumeRole, ScopeError> {
    let mut inherited = Inherited::default();
    let before = &grant.chain[..grant.chain.len().saturating_sub(1)];
    let mut through = Vec::with_capacity(before.len());
    for profile in before {
        let hop = inherited.hop(profile, &[], grant, surroundings)?;
        let hop = legal(profile, hop)?;
        inherited.carry(&hop);
        through.push(hop);
    }
    let mut last = inherited.hop(&grant.profile, &grant.tags, grant, surroundings)?;
    last.duration = grant.duration;
    last.policy.clone_from(&grant.policy);
    last.policy_arns.clone_from(&grant.policy_arns);
    Ok(AssumeRole {
        identity: identity.name.clone(),
        endpoint: identity.endpoint.clone(),
        through,
        last: legal(&grant.profile, last)?,
        scope_down: grant.scope_down.clone(),
    })
}

fn legal(profile: &Profile, hop: Hop) -> Result<Hop, ScopeError> {
    hop.checked().map_err(|value| ScopeError::Illegal {
        profile: profile.name.to_string(),
        value,
    })
}

/// What a role session hands to the roles that it assumes (id_session-tags: transitive tags;
/// id_credentials_temp_control-access_monitor: source identity).
#[derive(Default)]
struct Inherited {
    tags: Vec<(TagKey, Pattern)>,
    source_identity: Option<Pattern>,
}

impl Inherited {
    /// The call for one profile, with the tags that an ask adds to its own.
    fn hop(
        &self,
        profile: &Profile,
        asked: &[(TagKey, TagValue)],
        grant: &Grant,
        surroundings: &Surroundings,
    ) -> Result<Hop, ScopeError> {
        let ticket = grant.ticket.as_deref();
        let render = |template: &Template| {
            surroundings
                .render(template, profile, ticket)
                .map_err(|TicketMissing| ScopeError::TicketMissing(profile.name.to_string()))
        };
        let mut tags = Vec::with_capacity(profile.tags.len() + asked.len());
        for (key, template) in &profile.tags {
            tags.push((key.clone(), render(template)?));
        }
        let fixed =
            |(key, value): &(TagKey, TagValue)| (key.clone(), Pattern::fixed(value.as_str()));
        tags.extend(asked.iter().map(fixed));
        let source_identity = profile.source_identity.as_ref().map(render).transpose()?;
        Ok(Hop {
            role: profile.role.clone(),
            duration: profile.effective_duration(),
            session_name: render(&profile.session_name)?,
            external_id: profile.external_id.clone(),
            source_identity: self.new_source_identity(profile, source_identity)?,
            policy: profile.policy.clone(),
            policy_arns: profile.policy_arns.clone(),
            transitive: self.new_transitive(profile),
            tags: self.new_tags(profile, tags)?,
        })
    }

    /// An inherited transitive tag is not passed again; AWS refuses even the same value.
    fn new_tags(
        &self,
        profile: &Profile,
        tags: Vec<(TagKey, Pattern)>,
    ) -> Result<Vec<(TagKey, Pattern)>, ScopeError> {
        let mut new = Vec::with_capacity(tags.len());
        for (key, value) in tags {
            match self
                .tags
                .iter()
                .find(|(earlier, _)| earlier.is_same_key(&key))
            {
                None => new.push((key, value)),
                Some((_, earlier)) if *earlier == value => {}
                Some(_) => {
                    let profile = profile.name.to_string();
                    return Err(ScopeError::TransitiveTagChanged {
                        profile,
                        key: key.to_string(),
                    });
                }
            }
        }
        Ok(new)
    }

    fn new_transitive(&self, profile: &Profile) -> Vec<TagKey> {
        let is_new = |key: &&TagKey| {
            !self
                .tags
                .iter()
                .any(|(earlier, _)| earlier.is_same_key(key))
        };
        profile.transitive.iter().filter(is_new).cloned().collect()
    }

    fn new_source_identity(
        &self,
        profile: &Profile,
        wanted: Option<Pattern>,
    ) -> Result<Option<Pattern>, ScopeError> {
        match (&self.source_identity, wanted) {
            (None, wanted) => Ok(wanted),
            (Some(earlier), Some(wanted)) if *earlier != wanted => {
                Err(ScopeError::SourceIdentityChanged(profile.name.to_string()))
            }
            (Some(_), _) => Ok(None),
        }
    }

    fn carry(&mut self, hop: &Hop) {
        let transitive = |(key, _): &&(TagKey, Pattern)| hop.transitive.contains(key);
        self.tags
            .extend(hop.tags.iter().filter(transitive).cloned());
        if hop.source_identity.is_some() {
            self.source_identity.clone_from(&hop.source_identity);
        }
    }
}

#[cfg(test)]
mod tests;
