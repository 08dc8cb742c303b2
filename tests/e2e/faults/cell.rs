//! The words of the laboratory: by which interface, in which state, what a caller sees and how long it takes.

use std::time::Duration;

/// How credentials are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interface {
    /// `jumpgate credential-process`.
    Process,
    /// An endpoint of container credentials.
    Container,
    /// An endpoint of IMDSv2.
    Imds,
}

/// How the agent stands when it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Nothing is in memory, as after the agent's start: who asks has the identity unlocked.
    Shut,
    /// Unlocked, without a session.
    Cold,
    /// With a session that has most of its life before it.
    Warm,
    /// With a session that has 19 minutes left: a refresh is tried before it is handed out.
    Refreshing,
    /// Locked by `jumpgate lock`.
    Locked,
    /// The identity is being unlocked, and a person has not given the code yet; they give it while the fault is there.
    Prompting,
}

/// What the caller got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Credentials that the double made and that have not expired.
    Credentials,
    /// None: the exit status, or the HTTP status and the code where there is one; and the message, where there is one.
    Refused {
        /// `exit 77`, `403 upstream_denied`, `404`.
        how: String,
        /// What a person reads: what happened, and what to do.
        said: String,
    },
}

/// What the caller got, and after how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) answer: Answer,
    pub(crate) took: Duration,
}

/// What a busy machine may add to any time; so a limit is never mistaken for one that is far beyond it.
const BUSY: Duration = Duration::from_secs(20);

/// How long an endpoint waits.
const ENDPOINT: Duration = Duration::from_millis(700);

/// Where the time of a caller ends, and how the page says it. The limits are the agent's: of an answer by an endpoint, of
/// a connection, of a refresh while the old session lives and of one call to STS, of three connections, of all attempts.
/// One second is the disk's where it is slow; two are the keyring's, and with four STS's own.
const LIMITS: [(Duration, &str); 9] = [
    (Duration::ZERO, "at once"),
    (ENDPOINT, "after 0.7 s"),
    (Duration::from_secs(1), "after 1 s"),
    (Duration::from_secs(2), "after 2 s"),
    (Duration::from_secs(3), "after 3 s"),
    (Duration::from_secs(4), "after 4 s"),
    (Duration::from_secs(5), "after 5 s"),
    (Duration::from_secs(9), "after 9 s"),
    (Duration::from_secs(12), "after 12 s"),
];

impl Interface {
    pub(crate) const ALL: [Self; 3] = [Self::Process, Self::Container, Self::Imds];

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::Container => "container",
            Self::Imds => "imds",
        }
    }

    /// Only endpoints give up after the shortest of them.
    fn limits(self) -> impl Iterator<Item = (Duration, &'static str)> {
        let short = |limit: Duration| limit == ENDPOINT;
        let kept = move |limit| match self {
            Self::Process => !short(limit),
            Self::Container | Self::Imds => limit.is_zero() || short(limit),
        };
        LIMITS.into_iter().filter(move |(limit, _)| kept(*limit))
    }
}

impl State {
    pub(crate) const ALL: [Self; 6] = [
        Self::Shut,
        Self::Cold,
        Self::Warm,
        Self::Refreshing,
        Self::Locked,
        Self::Prompting,
    ];

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Shut => "shut",
            Self::Cold => "cold",
            Self::Warm => "warm",
            Self::Refreshing => "refreshing",
            Self::Locked => "locked",
            Self::Prompting => "prompting",
        }
    }
}

/// The profile that is asked for in this state by this interface, and nowhere else: so its records are this cell's, and
/// no refusal is remembered for another.
pub(crate) fn profile(state: State, interface: Interface) -> String {
    format!("{}-{}", state.word(), interface.word())
}

impl Seen {
    pub(crate) fn said(&self) -> &str {
        match &self.answer {
            Answer::Credentials => "",
            Answer::Refused { said, .. } => said,
        }
    }

    /// Whether an endpoint gave up waiting.
    pub(crate) fn is_late(&self) -> bool {
        matches!(&self.answer, Answer::Refused { how, .. } if how.starts_with("503"))
            && self.took >= ENDPOINT
    }

    /// As the page has it. The time is in classes: the one that the page says where the measured time may be that, else the
    /// longest limit that it reached.
    pub(crate) fn text(&self, by: Interface, on_page: &str) -> String {
        let what = match &self.answer {
            Answer::Credentials => "credentials",
            Answer::Refused { how, .. } => how,
        };
        // Later than its limit an endpoint hands out nothing.
        let served = by != Interface::Process && self.answer == Answer::Credentials;
        if served {
            return format!("{what}, at once");
        }
        let may_be = |(least, _): &(Duration, &str)| (*least..*least + BUSY).contains(&self.took);
        let mut limits = by.limits().filter(may_be);
        let expected = on_page.rsplit(", ").next().unwrap_or_default();
        let class = limits
            .by_ref()
            .find(|(_, class)| *class == expected)
            .or_else(|| by.limits().filter(may_be).last());
        let class = class.map_or("too late", |(_, class)| class);
        format!("{what}, {class}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(millis: u64, interface: Interface, on_page: &str) -> String {
        let seen = Seen {
            answer: Answer::Credentials,
            took: Duration::from_millis(millis),
        };
        seen.text(interface, on_page)
    }

    #[test]
    fn a_time_is_the_class_that_it_may_be() {
        use Interface::{Imds, Process};
        for (millis, interface, on_page, said) in [
            (10, Process, "", "credentials, at once"),
            (710, Process, "", "credentials, at once"),
            (710, Imds, "", "credentials, at once"),
            (12_010, Process, "", "credentials, after 12 s"),
            // A busy machine is not a change.
            (
                4_000,
                Process,
                "credentials, at once",
                "credentials, at once",
            ),
            (
                25_000,
                Process,
                "credentials, after 12 s",
                "credentials, after 12 s",
            ),
            // Nothing that waits for a limit comes before it, and nothing comes so much later.
            (
                4_900,
                Process,
                "credentials, after 5 s",
                "credentials, after 4 s",
            ),
            (
                21_000,
                Process,
                "credentials, at once",
                "credentials, after 12 s",
            ),
            (
                40_000,
                Process,
                "credentials, at once",
                "credentials, too late",
            ),
        ] {
            assert_eq!(text(millis, interface, on_page), said, "{millis}");
        }
    }
}
