//! A person's yes: to what, for whom, and how long it stands.

use std::sync::Arc;
use std::time::Duration;

use jumpgate_iam::{PolicyArns, PolicyDocument, RoleDuration, TagKey, TagValue};

use super::assume_role::ScopeDown;
use super::grant::Grant;
use super::profile::Profile;

/// A yes that was not used for this long stands no more.
pub const IDLE: Duration = Duration::from_secs(10 * 60);

/// No yes stands longer than this.
pub const AGE: Duration = Duration::from_secs(12 * 3600);

/// Most that are remembered; the one that was not used for longest makes room.
pub const MAX_KEPT: usize = 256;

/// A tree of processes: those of one session (setsid(2)), such as all that runs in one terminal, or one service. A
/// process can leave its session and not join another, so a yes reaches nothing that was not there or started by what
/// was there. A number alone could be another session's later; with the start of its leader it cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tree {
    /// The process that leads the session.
    pub leader: u32,
    /// When that started, in ticks of the kernel since boot.
    pub started: u64,
}

/// What a yes is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matter {
    /// The profiles to assume, as they are configured.
    chain: Vec<Arc<Profile>>,
    tags: Vec<(TagKey, TagValue)>,
    ticket: Option<String>,
    /// What the ask took away; absent where it is the profile as it is.
    narrowed: Option<Narrowed>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Narrowed {
    duration: RoleDuration,
    policy: Option<PolicyDocument>,
    policy_arns: PolicyArns,
    scope_down: Option<ScopeDown>,
}

impl Matter {
    /// What this grant would hand out.
    #[must_use]
    pub fn of(grant: &Grant) -> Self {
        let whole =
            grant.narrowed.is_none() && grant.duration == grant.profile.effective_duration();
        Self {
            chain: grant.chain.clone(),
            tags: grant.tags.clone(),
            ticket: grant.ticket.clone(),
            narrowed: (!whole).then(|| Narrowed {
                duration: grant.duration,
                policy: grant.policy.clone(),
                policy_arns: grant.policy_arns.clone(),
                scope_down: grant.scope_down.clone(),
            }),
        }
    }

    /// Whether a yes to this is one to the other: to the same, or to the same with less. Who said yes to a narrowed
    /// session has not seen the whole one; a tag can open doors, so it is never less.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.chain == other.chain
            && self.tags == other.tags
            && self.ticket == other.ticket
            && (self.narrowed.is_none() || self.narrowed == other.narrowed)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Yes {
    tree: Tree,
    matter: Matter,
    said: Duration,
    used: Duration,
}

impl Yes {
    fn stands(&self, now: Duration) -> bool {
        now.saturating_sub(self.used) < IDLE && now.saturating_sub(self.said) < AGE
    }
}

/// What was said yes to. All times are those of a clock that nobody can set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Consents(Vec<Yes>);

impl Consents {
    /// A person said yes.
    pub fn give(&mut self, tree: Tree, matter: Matter, now: Duration) {
        self.0
            .retain(|yes| yes.stands(now) && !(yes.tree == tree && matter.covers(&yes.matter)));
        if self.0.len() >= MAX_KEPT {
            let oldest = self.0.iter().map(|yes| yes.used).min();
            self.0.retain(|yes| Some(yes.used) != oldest);
        }
        self.0.push(Yes {
            tree,
            matter,
            said: now,
            used: now,
        });
    }

    /// Whether a yes stands, which is used by that.
    #[must_use]
    pub fn stands(&mut self, tree: Tree, matter: &Matter, now: Duration) -> bool {
        let found = self
            .0
            .iter_mut()
            .find(|yes| yes.tree == tree && yes.stands(now) && yes.matter.covers(matter));
        found.map(|yes| yes.used = now).is_some()
    }

    /// A lock ends them all.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::domain::grant::{Ask, decide};
    use crate::domain::samples::{ask, identity, peer, profile, settings};
    use jumpgate_iam::ScopedDuration;

    const TREE: Tree = Tree {
        leader: 42,
        started: 7,
    };

    fn minutes(count: u64) -> Duration {
        Duration::from_secs(count * 60)
    }

    fn matter_of(profile: Profile, ask: &Ask) -> Matter {
        let settings = settings(vec![identity()], vec![profile]);
        Matter::of(&decide(&settings, &peer(), ask).unwrap())
    }

    fn matter() -> Matter {
        matter_of(profile("dev"), &ask("dev"))
    }

    fn shorter() -> Matter {
        let mut ask = ask("dev");
        ask.narrowing.duration = ScopedDuration::new(900).ok();
        matter_of(profile("dev"), &ask)
    }

    #[test]
    fn a_yes_stands_ten_minutes_after_its_last_use_and_twelve_hours_at_most() {
        let mut consents = Consents::default();
        assert!(!consents.stands(TREE, &matter(), minutes(0)));
        consents.give(TREE, matter(), minutes(0));
        assert!(consents.stands(TREE, &matter(), minutes(9)));
        assert!(
            consents.stands(TREE, &matter(), minutes(18)),
            "the use counts"
        );
        assert!(!consents.stands(TREE, &matter(), minutes(28)), "idle");
        consents.give(TREE, matter(), minutes(30));
        for minute in (30..30 + 12 * 60).step_by(9) {
            assert!(consents.stands(TREE, &matter(), minutes(minute)));
        }
        assert!(
            !consents.stands(TREE, &matter(), minutes(30 + 12 * 60)),
            "aged"
        );
    }

    #[test]
    fn a_yes_is_for_one_tree_and_ends_with_a_lock() {
        let mut consents = Consents::default();
        consents.give(TREE, matter(), minutes(0));
        let reused = Tree { started: 8, ..TREE };
        let other = Tree { leader: 43, ..TREE };
        for stranger in [reused, other] {
            assert!(!consents.stands(stranger, &matter(), minutes(1)));
        }
        assert!(consents.stands(TREE, &matter(), minutes(1)));
        consents.clear();
        assert!(!consents.stands(TREE, &matter(), minutes(1)));
    }

    #[test]
    fn a_yes_covers_the_same_and_less_and_nothing_else() {
        let whole = matter();
        assert!(whole.covers(&matter()) && whole.covers(&shorter()));
        assert!(shorter().covers(&shorter()) && !shorter().covers(&whole));
        let mut changed = profile("dev");
        changed.role =
            jumpgate_iam::RoleArn::parse("arn:aws:iam::222222222222:role/Other").unwrap();
        assert!(!whole.covers(&matter_of(changed, &ask("dev"))), "reloaded");
        let ticketed = Ask {
            ticket: Some("T-1".into()),
            ..ask("dev")
        };
        assert!(!whole.covers(&matter_of(profile("dev"), &ticketed)));
        assert!(!whole.covers(&matter_of(profile("ops"), &ask("ops"))));
    }

    #[test]
    fn the_one_that_was_not_used_for_longest_makes_room() {
        let mut consents = Consents::default();
        let tree = |leader: usize| Tree {
            leader: u32::try_from(leader).unwrap(),
            started: 0,
        };
        for leader in 0..MAX_KEPT {
            let at = Duration::from_millis(leader as u64);
            consents.give(tree(leader), matter(), at);
        }
        assert!(consents.stands(tree(0), &matter(), minutes(1)));
        consents.give(tree(MAX_KEPT), matter(), minutes(2));
        assert_eq!(consents.0.len(), MAX_KEPT);
        assert!(consents.stands(tree(0), &matter(), minutes(2)));
        assert!(!consents.stands(tree(1), &matter(), minutes(2)));
    }
}
