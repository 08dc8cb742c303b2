//! Service control policies: what the organisation leaves to the principals of an account
//! (orgs_manage_policies_scps, orgs_manage_policies_scps_evaluation).

use super::policy::{Policy, Purpose, Question};
use super::principal::Who;
use super::rules::Rule;
use super::world::World;
use serde::{Deserialize, Serialize};

/// An account of an organisation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Twelve digits.
    pub id: String,
    /// Whether it is the management account, which no service control policy limits.
    #[serde(default)]
    pub management: bool,
    /// Service control policies, JSON text each, level by level: the root's, each organisational
    /// unit's, the account's own. What one level's policies do not allow is denied.
    #[serde(default)]
    pub levels: Vec<Vec<String>>,
}

impl Account {
    /// An account that no service control policy limits yet.
    pub fn new(id: &str) -> Account {
        Account {
            id: id.to_owned(),
            ..Account::default()
        }
    }

    /// Adds a level with its policies.
    pub fn level(mut self, policies: &[&str]) -> Account {
        let texts = policies.iter().map(|text| (*text).to_owned());
        self.levels.push(texts.collect());
        self
    }

    pub(super) fn check(&self, world: &World) -> Result<(), String> {
        let parse = |text: &String| Policy::parse(text, Purpose::Identity, &world.without);
        self.levels
            .iter()
            .flatten()
            .try_for_each(|text| parse(text).map(drop))
    }
}

/// What service control policies say.
pub(super) struct Said {
    pub(super) denied: bool,
    pub(super) allowed: bool,
}

/// What those of the principal's own account say: they limit its principals and no others, whoever
/// owns the resource. Root users of member accounts are limited too.
pub(super) fn said(world: &World, who: &Who, question: Question<'_>) -> Said {
    let account = who.account();
    let found = world.accounts.iter().find(|a| a.id == account);
    let limited = found.filter(|_| world.without.enforces(Rule::ServiceControl));
    let limited =
        limited.filter(|a| !(a.management && world.without.enforces(Rule::ServiceControlSpares)));
    let levels = limited.map_or(&[][..], |account| &account.levels);
    let parse = |text: &String| Policy::parse(text, Purpose::Identity, &world.without).ok();
    let read = levels
        .iter()
        .map(|level| level.iter().filter_map(parse).collect::<Vec<_>>());
    let read: Vec<Vec<Policy>> = read.collect();
    let allows = |level: &Vec<Policy>| level.iter().any(|p| p.allows(question));
    Said {
        denied: read.iter().flatten().any(|p| p.denies(question)),
        allowed: match world.without.enforces(Rule::ServiceControlLevels) {
            true => read.iter().all(allows),
            false => read.is_empty() || read.iter().any(allows),
        },
    }
}
