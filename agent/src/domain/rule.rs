//! Rules per verified caller: which rule of a profile is for a peer, and what the profile is for it then.
//!
//! A rule names the peer by one or more criteria, all of which must hold. It only takes away: what is left is a
//! profile of its own, made when the configuration was read, so that all that follows (an ask's narrowing, the
//! question put to AWS, the session cache) knows no rules.

use std::fmt;
use std::sync::Arc;

use jumpgate_iam::Excerpt;

use super::peer::{Origin, Peer};
use super::profile::Profile;

/// One rule of a profile's `peers`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerRule {
    /// Its number in `peers`, from 0.
    pub index: usize,
    /// Whom it is for.
    pub criteria: Criteria,
    /// What the profile is for them, without its rules; absent where the rule takes nothing away.
    pub bounded: Option<Arc<Profile>>,
}

/// Whom a rule is for: all that is given must hold. Nothing given is any process of the user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Criteria {
    /// The absolute path of its executable, as the kernel states it.
    pub exe: Option<String>,
    /// The same of its parent.
    pub parent: Option<String>,
    /// The same of any process that it descends from.
    pub ancestor: Option<String>,
    /// Its systemd unit, by name.
    pub unit: Option<String>,
    /// Its cgroup's path, or one above it.
    pub cgroup: Option<String>,
}

impl Criteria {
    /// In the order of their weight.
    fn given(&self) -> [(&'static str, Option<&str>); 5] {
        [
            ("exe", self.exe.as_deref()),
            ("parent", self.parent.as_deref()),
            ("ancestor", self.ancestor.as_deref()),
            ("unit", self.unit.as_deref()),
            ("cgroup", self.cgroup.as_deref()),
        ]
    }

    /// Whether the rule is for any process of the user.
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.given().iter().all(|(_, value)| value.is_none())
    }

    /// Whether more must be known of a process than its executable.
    #[must_use]
    pub fn is_more_than_exe(&self) -> bool {
        self.given()[1..].iter().any(|(_, value)| value.is_some())
    }

    /// What is not known of a process fits no criterion.
    fn fit(&self, peer: &Peer) -> bool {
        let nowhere = Origin::default();
        let origin = peer.origin.as_ref().unwrap_or(&nowhere);
        let is = |wanted: &Option<String>, found: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| found == Some(wanted))
        };
        let descends = |wanted: &String| origin.ancestors.contains(&Some(wanted.clone()));
        let within = |wanted: &String| origin.is_within(wanted);
        is(&self.exe, peer.executable.as_deref())
            && is(&self.parent, origin.parent())
            && self.ancestor.as_ref().is_none_or(descends)
            && is(&self.unit, origin.unit())
            && self.cgroup.as_ref().is_none_or(within)
    }

    /// How closely a peer is named: the more criteria the closer; of as many, by the weightiest that only one of
    /// them has.
    fn closeness(&self) -> (usize, [bool; 5]) {
        let has = self.given().map(|(_, value)| value.is_some());
        (has.iter().filter(|has| **has).count(), has)
    }
}

/// For people and the journal: `exe "/usr/bin/terraform", unit "ci.service"`.
impl fmt::Display for Criteria {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_any() {
            return f.write_str("any");
        }
        let given = self.given().into_iter();
        let given = given.filter_map(|(name, value)| Some((name, value?)));
        for (number, (name, value)) in given.enumerate() {
            let before = if number == 0 { "" } else { ", " };
            write!(f, "{before}{name} {}", Excerpt::of(value))?;
        }
        Ok(())
    }
}

/// The rule that decided, as the journal and a denial name it: `profile.dev.peers[0] (exe "/usr/bin/terraform")`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RuleName(String);

impl RuleName {
    /// The name of a profile's rule.
    #[must_use]
    pub fn of(profile: &Profile, rule: &PeerRule) -> Self {
        Self(format!(
            "profile.{}.peers[{}] ({})",
            profile.name, rule.index, rule.criteria
        ))
    }

    /// The rules of a chain as one, in its order; absent where there are none.
    #[must_use]
    pub fn joined(rules: impl Iterator<Item = Self>) -> Option<Self> {
        rules.reduce(|one, next| Self(format!("{one}; {next}")))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RuleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a profile is for one peer.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruled {
    /// The profile, as narrow as the rule makes it.
    pub profile: Arc<Profile>,
    /// The rule; absent where the profile has none.
    pub rule: Option<RuleName>,
}

/// Finds what a profile is for a peer; absent where it is nothing for it.
pub fn ruled(profile: &Arc<Profile>, peer: &Peer) -> Option<Ruled> {
    if profile.peers.is_empty() {
        return Some(Ruled {
            profile: Arc::clone(profile),
            rule: None,
        });
    }
    // A rule for less than `any` must not go by because a configuration came between the look and the question.
    let mut criteria = profile.peers.iter().map(|rule| &rule.criteria);
    if peer.origin.is_none() && criteria.any(Criteria::is_more_than_exe) {
        return None;
    }
    let rule = closest(&profile.peers, peer)?;
    Some(Ruled {
        profile: Arc::clone(rule.bounded.as_ref().unwrap_or(profile)),
        rule: Some(RuleName::of(profile, rule)),
    })
}

/// The rule that names the peer most closely; of several, the first in the file.
fn closest<'r>(rules: &'r [PeerRule], peer: &Peer) -> Option<&'r PeerRule> {
    let fitting = rules.iter().filter(|rule| rule.criteria.fit(peer));
    fitting.reduce(|best, rule| {
        if rule.criteria.closeness() > best.criteria.closeness() {
            rule
        } else {
            best
        }
    })
}

#[cfg(test)]
mod tests;
