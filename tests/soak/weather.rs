//! What is wrong at a time, and what callers may be told because of it.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jumpgate_api::Code;

/// Something that is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Trouble {
    /// AWS refuses.
    Refused,
    Throttled,
    /// AWS answers with faults of its own, or not to the end.
    Unavailable,
    /// AWS's answers are not what was asked for.
    Invalid,
    /// AWS does not answer, or late.
    Silent,
    /// The agent was locked, or is being unlocked.
    Locked,
}

/// A refusal for good is remembered for 10 s, and a chain's first role hands its own on to the second once more.
const FOR_GOOD: Duration = Duration::from_secs(22);

/// One that may pass for 3 s, twice, behind a call that may be repeated for 12 s.
const MAY_PASS: Duration = Duration::from_secs(20);

impl Trouble {
    /// What callers may be told.
    const fn codes(self) -> &'static [Code] {
        match self {
            Self::Refused => &[Code::UpstreamDenied],
            Self::Throttled => &[Code::UpstreamThrottled],
            Self::Unavailable => &[Code::UpstreamUnavailable, Code::UpstreamTimedOut],
            Self::Invalid => &[Code::UpstreamInvalid],
            Self::Silent => &[Code::UpstreamTimedOut, Code::UpstreamUnavailable],
            Self::Locked => &[
                Code::Locked,
                Code::IdentityLocked,
                Code::InteractionRequired,
            ],
        }
    }

    /// For how long callers may still be told so when it is over.
    pub(crate) const fn echo(self) -> Duration {
        match self {
            Self::Refused => FOR_GOOD,
            Self::Throttled | Self::Unavailable | Self::Invalid | Self::Silent => MAY_PASS,
            Self::Locked => Duration::from_secs(1),
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Spell {
    trouble: Trouble,
    until: Option<Instant>,
}

/// All that was and is wrong.
#[derive(Debug, Default)]
pub(crate) struct Weather(Mutex<Vec<Spell>>);

impl Weather {
    fn spells(&self) -> MutexGuard<'_, Vec<Spell>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn begin(&self, trouble: Trouble) {
        self.spells().push(Spell {
            trouble,
            until: None,
        });
    }

    /// Ends what goes on of this; its echo lasts.
    pub(crate) fn end(&self, trouble: Trouble) {
        let over = Instant::now() + trouble.echo();
        let mut spells = self.spells();
        let open = spells.iter_mut();
        open.filter(|spell| spell.trouble == trouble && spell.until.is_none())
            .for_each(|spell| spell.until = Some(over));
    }

    /// What was wrong at any time since then.
    pub(crate) fn troubles(&self, since: Instant) -> BTreeSet<Trouble> {
        let spells = self.spells();
        let then = spells
            .iter()
            .filter(|spell| spell.until.is_none_or(|until| until >= since));
        then.map(|spell| spell.trouble).collect()
    }

    /// What a caller may be told whose question began then and is answered now.
    pub(crate) fn codes(&self, since: Instant) -> Vec<Code> {
        let troubles = self.troubles(since);
        let codes = troubles.into_iter().flat_map(Trouble::codes);
        codes.copied().collect()
    }
}
