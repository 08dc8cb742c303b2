//! What is known about every request of a profile's sessions.
//!
//! Source: IAM user guide, "AWS global condition context keys" and "IAM and AWS STS condition keys".

use std::collections::BTreeMap;
use std::sync::Arc;

use jumpgate_iam::evaluate::Context;

use super::ExplainError;
use super::arguments::usage;
use super::layers::OWN_KEYS;
use crate::domain::profile::Profile;
use crate::domain::scope::Surroundings;
use crate::domain::template::Template;

/// The keys whose values the configuration decides, and those that were given, which win. Of all others nothing is
/// known: tags of the role itself among them.
pub(super) fn context(
    chain: &[Arc<Profile>],
    surroundings: &Surroundings,
    given: &[(String, String)],
) -> Result<Context, ExplainError> {
    let mut context = Context::partial();
    if let Some(profile) = chain.last() {
        let role = &profile.role;
        context = context
            .with("aws:PrincipalArn", [role.to_string()])
            .with("aws:PrincipalAccount", [role.account().to_string()])
            .with("aws:PrincipalType", ["AssumedRole"])
            // reference_policies_variables: IAM users alone have it.
            .with::<String>("aws:username", []);
        for (key, value) in tags(chain, surroundings) {
            context = context.with(&format!("aws:PrincipalTag/{key}"), [value]);
        }
        context = match source_identity(chain, surroundings) {
            None => context.with::<String>("aws:SourceIdentity", []),
            Some(Some(text)) => context.with("aws:SourceIdentity", [text]),
            Some(None) => context,
        };
    }
    let mut values: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (key, value) in given {
        if !key.contains(':') || key.to_ascii_lowercase().starts_with(OWN_KEYS) {
            return Err(usage(
                "--context: a condition key such as aws:SourceIp is expected",
            ));
        }
        values.entry(key).or_default().push(value.clone());
    }
    let with = |context: Context, (key, values): (&str, Vec<String>)| context.with(key, values);
    Ok(values.into_iter().fold(context, with))
}

/// The session's tags whose values are known now: its own, and transitive ones of the roles before.
fn tags(chain: &[Arc<Profile>], surroundings: &Surroundings) -> Vec<(String, String)> {
    let last = chain.len().saturating_sub(1);
    let mut tags = Vec::new();
    for (index, profile) in chain.iter().enumerate() {
        for (key, template) in &profile.tags {
            if index == last || profile.transitive.contains(key) {
                let text = rendered(template, profile, surroundings);
                tags.extend(text.map(|text| (key.to_string(), text)));
            }
        }
    }
    tags
}

/// The first of the chain stays; inside, `None` is one that is not known yet.
fn source_identity(chain: &[Arc<Profile>], surroundings: &Surroundings) -> Option<Option<String>> {
    chain.iter().find_map(|profile| {
        let template = profile.source_identity.as_ref()?;
        Some(rendered(template, profile, surroundings))
    })
}

/// Without a ticket or a session id in it.
fn rendered(template: &Template, profile: &Profile, surroundings: &Surroundings) -> Option<String> {
    let text = surroundings.render(template, profile, None);
    text.ok()?.fixed_text()
}
