//! Everything that the configuration decides, as the rest of the agent sees it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::identity::Identity;
use super::name::{IdentityName, ProfileName};
use super::profile::Profile;
use super::serve::{Serve, ServeName};

/// Longest chain of roles. AWS names no limit; a longer one is a mistake.
pub const MAX_CHAIN: usize = 5;

/// The configuration in force. Every name in it resolves and no `via` runs in a circle; `config` sees to that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The agent's own.
    pub agent: AgentSettings,
    /// By name.
    pub identities: BTreeMap<IdentityName, Arc<Identity>>,
    /// By name.
    pub profiles: BTreeMap<ProfileName, Arc<Profile>>,
    /// The endpoints that stand by configuration, by name.
    pub serves: BTreeMap<ServeName, Serve>,
    wants_origin: bool,
}

/// `[agent]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AgentSettings {
    /// Lock after this time without a request; absent for never.
    pub idle_lock: Option<Duration>,
    /// Lock this long after unlocking; absent for never.
    pub max_unlock: Option<Duration>,
    /// Lock before the machine sleeps.
    pub lock_on_suspend: bool,
    /// Lock with the screen.
    pub lock_on_screen_lock: bool,
    /// How long `credential_process` waits for a person.
    pub prompt_wait: Duration,
    /// By what a person is asked.
    pub prompter: PromptBy,
    /// How long journal files are kept.
    pub journal_keep: Duration,
}

/// By what a person is asked who does not sit at `jumpgate unlock`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PromptBy {
    /// The first program of those known that is there, if there is a display.
    Auto,
    /// This one of those known.
    Program(&'static str),
    /// Nobody is asked.
    Nothing,
}

impl Default for AgentSettings {
    fn default() -> Self {
        Self {
            idle_lock: Some(Duration::from_secs(15 * 60)),
            max_unlock: Some(Duration::from_secs(12 * 3600)),
            lock_on_suspend: true,
            lock_on_screen_lock: true,
            prompt_wait: Duration::from_secs(50),
            prompter: PromptBy::Auto,
            journal_keep: Duration::from_secs(30 * 86_400),
        }
    }
}

impl Settings {
    /// These of them. Whether a rule of thousands of profiles asks where a process comes from is found out here, once,
    /// since it is asked for each connection.
    #[must_use]
    pub fn new(
        agent: AgentSettings,
        identities: BTreeMap<IdentityName, Arc<Identity>>,
        profiles: BTreeMap<ProfileName, Arc<Profile>>,
        serves: BTreeMap<ServeName, Serve>,
    ) -> Self {
        let mut rules = profiles.values().flat_map(|profile| &profile.peers);
        Self {
            agent,
            wants_origin: rules.any(|rule| rule.criteria.is_more_than_exe()),
            identities,
            profiles,
            serves,
        }
    }

    /// The profile and those it is chained through, the first to assume first.
    #[must_use]
    pub fn chain(&self, profile: &Arc<Profile>) -> Vec<Arc<Profile>> {
        let mut chain = vec![Arc::clone(profile)];
        let mut next = profile.via.as_ref();
        while let Some(via) = next.and_then(|name| self.profiles.get(name)) {
            chain.push(Arc::clone(via));
            next = via.via.as_ref();
        }
        chain.reverse();
        chain
    }

    /// Whether a rule asks for more of a process than its executable.
    #[must_use]
    pub const fn want_origin(&self) -> bool {
        self.wants_origin
    }
}
