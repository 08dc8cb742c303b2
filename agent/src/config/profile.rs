//! `[profile.NAME]`: a role with its identity, scope and bounds.

use std::collections::BTreeMap;
use std::sync::Arc;

use jumpgate_iam::{Excerpt, ExternalId, Partition, Region, RoleArn, RoleDuration, TagKey};

use super::faults::{Fault, Faults, Written};
use super::identity::named_by;
use super::peers;
use super::policy::{PolicyReader, policy_arns};
use super::raw::{RawIdentity, RawNarrow, RawProfile};
use super::section::Entry;
use super::tags;
use super::templates::{Templates, known_values};
use super::terms::{Account, Accounts, choice, choices, twice};
use crate::domain::identity::Identity;
use crate::domain::name::{IdentityName, ProfileName};
use crate::domain::profile::{NarrowBounds, Profile, Requirements};

/// What profiles are understood with.
pub(super) struct Context<'r, 'a> {
    pub(super) faults: &'r Faults,
    pub(super) accounts: &'r Accounts<'a>,
    pub(super) raw_identities: &'r [RawIdentity<'a>],
    pub(super) identities: &'r BTreeMap<IdentityName, Arc<Identity>>,
    pub(super) policies: PolicyReader<'r>,
}

impl<'a> Context<'_, 'a> {
    /// Understands all profiles. `via` is checked apart, when all of them are known.
    pub(super) fn understand(&self, raw: &[RawProfile<'a>]) -> BTreeMap<ProfileName, Arc<Profile>> {
        raw.iter()
            .filter_map(|raw| self.profile(raw))
            .map(|profile| (profile.name.clone(), Arc::new(profile)))
            .collect()
    }

    fn profile(&self, raw: &RawProfile<'a>) -> Option<Profile> {
        let faults = self.faults;
        let name = faults.checked(raw.place(), ProfileName::parse(raw.name.value));
        let identity = self.identity(raw);
        let (role, account) = self.role(raw, identity).unzip();
        let region = self.region(raw, role.as_ref());
        let duration = duration(faults, raw);
        let require = requirements(faults, &raw.require);
        let partition = role.as_ref().map(RoleArn::partition);
        let templates = Templates {
            faults,
            values: known_values(raw.name.value, account.as_ref()),
            ticket_is_sure: require.ticket,
        };
        let policies = self.policies.policies(&raw.policy, partition);
        let policy_arns = policy_arns(faults, &raw.policy_arns, partition, &policies.arns);
        let tags = tags::tags(faults, &raw.tags, &templates);
        let transitive = tags::transitive(faults, &raw.transitive_tags, &raw.tags);
        let external_id = raw.external_id.here();
        let external_id = external_id
            .and_then(|written| faults.checked(&written.place, ExternalId::parse(written.value)));
        let session_name = templates.session_name(&raw.session_name, raw.place());
        let source_identity = templates.source_identity(&raw.source_identity);
        let narrow = narrow(faults, raw.narrow.as_ref(), &tags);
        let scope_down = scope_down(faults, &raw.scope_down, identity);
        let mut profile = Profile {
            name: name?,
            identity: identity?.name.clone(),
            role: role?,
            account_name: account?.name.map(str::to_owned),
            via: raw
                .via
                .here()
                .and_then(|via| ProfileName::parse(via.value).ok()),
            region,
            duration,
            external_id,
            session_name: session_name?,
            source_identity,
            preset: policies.preset,
            policy: policies.inline,
            policy_arns,
            tags,
            transitive,
            require,
            narrow,
            scope_down,
            notify: raw.notify.here().is_some_and(|entry| entry.value),
            peers: Vec::new(),
        };
        profile.peers = peers::rules(faults, &self.policies, &raw.peers, &profile);
        Some(profile)
    }

    fn identity(&self, raw: &RawProfile<'a>) -> Option<&Identity> {
        let named = named_by(self.faults, self.raw_identities, &raw.identity, raw.place())?;
        let name = IdentityName::parse(named.name.value).ok()?;
        self.identities.get(&name).map(Arc::as_ref)
    }

    fn role(
        &self,
        raw: &RawProfile<'a>,
        identity: Option<&Identity>,
    ) -> Option<(RoleArn, Account<'a>)> {
        let partition = identity.map(|identity| identity.endpoint.region.partition());
        let role = match (&raw.role_arn, raw.account.is_absent(), raw.role.is_absent()) {
            (Entry::Absent, false, false) => self.composed_role(raw, partition),
            (Entry::Absent, ..) => {
                self.role_missing(raw);
                None
            }
            (Entry::Broken, ..) => None,
            (Entry::Here(written), true, true) => {
                let arn = self
                    .faults
                    .checked(&written.place, RoleArn::parse(written.value))?;
                let account = self.accounts.of_id(arn.account());
                Some((written.with(arn), account))
            }
            (Entry::Here(written), ..) => {
                let fault = Fault::wrong(&written.place, "the role is named in two ways");
                let expected = "role_arn, or account and role";
                self.faults.error(fault.expected(expected));
                None
            }
        };
        let (arn, account) = role?;
        self.check_partition(&arn, identity);
        Some((arn.value, account))
    }

    fn composed_role(
        &self,
        raw: &RawProfile<'a>,
        partition: Option<Partition>,
    ) -> Option<(Written<RoleArn>, Account<'a>)> {
        let account = self.accounts.account(self.faults, raw.account.here()?);
        let role = raw.role.here()?;
        if role.value.starts_with("arn:") {
            let fault = Fault::wrong(&role.place, "an ARN cannot stand here");
            self.faults
                .error(fault.expected("the role's name, or role_arn = with the ARN"));
            return None;
        }
        // Without an identity something else is wrong already; any partition will do.
        let partition = partition.unwrap_or(Partition::Aws);
        let arn = RoleArn::new(partition, account?.id, role.value);
        let arn = self.faults.checked(&role.place, arn)?;
        Some((role.with(arn), account?))
    }

    fn role_missing(&self, raw: &RawProfile<'_>) {
        let message = match (raw.account.is_absent(), raw.role.is_absent()) {
            (true, true) => "the role is missing",
            (true, false) => "the role's account is missing",
            _ => "the role's name is missing",
        };
        let fault = Fault::absent(raw.place(), message);
        self.faults
            .error(fault.expected("role_arn, or account and role"));
    }

    /// No credential works in two partitions.
    fn check_partition(&self, role: &Written<RoleArn>, identity: Option<&Identity>) {
        let Some(identity) = identity else { return };
        let region = &identity.endpoint.region;
        let (theirs, ours) = (role.value.partition(), region.partition());
        if theirs != ours {
            let message = format!(
                "the role is in partition {theirs}, and identity {} in {ours} (region {region})",
                identity.name
            );
            let fault = Fault::wrong(&role.place, message);
            self.faults
                .error(fault.expected("a role and an identity of one partition"));
        }
    }

    fn region(&self, raw: &RawProfile<'_>, role: Option<&RoleArn>) -> Option<Region> {
        let written = raw.region.here()?;
        let region = self
            .faults
            .checked(&written.place, Region::parse(written.value))?;
        if let Some(role) = role.filter(|role| role.partition() != region.partition()) {
            let message = format!(
                "the region is in partition {}, and the role in {}",
                region.partition(),
                role.partition()
            );
            let fault = Fault::wrong(&written.place, message);
            self.faults
                .error(fault.expected("a region of the role's partition"));
        }
        Some(region)
    }
}

fn duration(faults: &Faults, raw: &RawProfile<'_>) -> RoleDuration {
    let Some(written) = raw.duration.here() else {
        return RoleDuration::DEFAULT;
    };
    let Ok(duration) = RoleDuration::parse(written.value) else {
        let message = format!("{} is no duration of a role", Excerpt::of(written.value));
        faults.error(Fault::wrong(&written.place, message).expected("15m to 12h"));
        return RoleDuration::DEFAULT;
    };
    if !raw.via.is_absent() && duration.capped_for_chaining() != duration {
        let message = format!("AWS caps a chained role (via) at 1h, so {duration} will be 1h");
        faults.warning(Fault::wrong(&written.place, message).expected("at most 1h"));
    }
    duration
}

/// By whom an ask's policy is intersected.
const SCOPE_DOWN: &[(&str, ())] = &[("sts", ())];

/// API_GetScopedCredentials: "not available on the STS Global endpoint"; ours are regional, unless `sts_endpoint`
/// names that one.
fn scope_down(faults: &Faults, entry: &Entry<&str>, identity: Option<&Identity>) -> bool {
    let Some(written) = entry.here() else {
        return false;
    };
    let url = identity.and_then(|identity| identity.endpoint.url.as_ref());
    if url.is_some_and(|url| url.as_str() == "https://sts.amazonaws.com") {
        let message = "the global STS endpoint, which its identity has, cannot scope down";
        let fault = Fault::wrong(&written.place, message);
        faults.error(fault.expected("an identity with a regional sts_endpoint, or without one"));
    }
    choice(faults, written, SCOPE_DOWN).is_some()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Requirement {
    Reason,
    Ticket,
    Confirm,
}

const REQUIREMENTS: &[(&str, Requirement)] = &[
    ("reason", Requirement::Reason),
    ("ticket", Requirement::Ticket),
    ("confirm", Requirement::Confirm),
];

fn requirements(faults: &Faults, entry: &Entry<Vec<Written<&str>>>) -> Requirements {
    let list = entry.here().map(|list| list.value.as_slice());
    let chosen = choices(faults, list.unwrap_or_default(), REQUIREMENTS);
    Requirements {
        reason: chosen.contains(&Requirement::Reason),
        ticket: chosen.contains(&Requirement::Ticket),
        confirm: chosen.contains(&Requirement::Confirm),
    }
}

/// Two keys of tags that are one for AWS.
fn repeated(written: &Written<&str>, known: &TagKey) -> Fault {
    if known.as_str() == written.value {
        return twice(written);
    }
    let (key, known) = (Excerpt::of(written.value), Excerpt::of(known.as_str()));
    let message = format!("{key} repeats {known}; keys must differ in more than case");
    Fault::wrong(&written.place, message)
}

fn narrow(
    faults: &Faults,
    raw: Option<&RawNarrow<'_>>,
    own: &[(TagKey, crate::domain::template::Template)],
) -> NarrowBounds {
    let default = NarrowBounds::default();
    let Some(raw) = raw else {
        return default;
    };
    let truth = |entry: &Entry<bool>, default| entry.here().map_or(default, |truth| truth.value);
    let list = raw.tags.here().map(|list| list.value.as_slice());
    let mut tags: Vec<TagKey> = Vec::new();
    for written in list.unwrap_or_default() {
        let Some(key) = faults.checked(&written.place, TagKey::parse(written.value)) else {
            continue;
        };
        if let Some(known) = tags.iter().find(|known| known.is_same_key(&key)) {
            faults.error(repeated(written, known));
        } else if own.iter().any(|(known, _)| known.is_same_key(&key)) {
            let message = "the profile sets this tag itself, so no caller can";
            faults.warning(Fault::wrong(&written.place, message));
        }
        tags.push(key);
    }
    NarrowBounds {
        policy: truth(&raw.policy, default.policy),
        duration: truth(&raw.duration, default.duration),
        tags,
    }
}
