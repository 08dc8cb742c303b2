//! Which way an ask's policy goes to AWS: what the agent would do with it.

use jumpgate_iam::{PolicyArns, PolicyDocument};
use serde::Serialize;

use crate::domain::grant::{self, Denial};
use crate::domain::narrowing::{Way, narrowed};
use crate::domain::preset::SessionPolicies;
use crate::domain::profile::Profile;
use crate::domain::weight::too_long;

/// The way, and what it makes of the inline session policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Narrowing {
    /// As the journal has it: `session-policy`, `scope-down`, `denies`; or `refused`.
    pub(super) way: &'static str,
    /// In words; for a refusal with the statement.
    pub(super) what: String,
    /// The inline policy of AssumeRole.
    #[serde(skip)]
    pub(super) inline: Option<PolicyDocument>,
    /// The managed policies that AssumeRole is passed.
    #[serde(skip)]
    pub(super) arns: PolicyArns,
    /// The way, if there is one.
    #[serde(skip)]
    pub(super) taken: Option<Way>,
    /// What the caller is told.
    #[serde(skip)]
    pub(super) warning: Option<String>,
}

/// The first way that is open.
pub(super) fn of(profile: &Profile, ask: &SessionPolicies) -> Narrowing {
    if !profile.narrow.policy {
        return refused(profile, &Denial::PolicyNotTaken(profile.name.clone()));
    }
    let asked = grant::Narrowing {
        policy: ask.inline.clone(),
        policy_arns: ask.arns.clone(),
        ..grant::Narrowing::default()
    };
    match narrowed(profile, &asked) {
        Err(denial) => refused(profile, &denial),
        Ok(bounds) => {
            let scope_down = bounds.scope_down.as_ref();
            let warning = |by| too_long(by, bounds.policy.as_ref(), scope_down);
            let warning = bounds.narrowed.as_ref().and_then(warning);
            let way = bounds.narrowed.map_or(Way::SessionPolicy, |by| by.way);
            Narrowing {
                warning,
                taken: Some(way),
                way: way.as_str(),
                what: in_words(way).to_owned(),
                inline: bounds.policy,
                arns: bounds.policy_arns,
            }
        }
    }
}

fn in_words(way: Way) -> &'static str {
    match way {
        Way::SessionPolicy => "the profile has no session policies, so the ask's become them",
        Way::ScopeDown => "AWS intersects it with the profile's session (GetScopedCredentials)",
        Way::Denies => "what the ask does not allow is denied within the profile's session policy",
    }
}

fn refused(profile: &Profile, denial: &Denial) -> Narrowing {
    Narrowing {
        way: "refused",
        what: denial.to_string(),
        inline: profile.policy.clone(),
        arns: profile.policy_arns.clone(),
        taken: None,
        warning: None,
    }
}
