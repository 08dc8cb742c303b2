//! The broker against scripted ports and paused time.
#![allow(clippy::unwrap_used)]

mod answers;
mod away;
mod bounds;
mod chains;
mod clocks;
mod consent;
mod dialogs;
mod endpoints;
pub(crate) mod fakes;
mod histories;
mod lifetimes;
mod locking;
mod notices;
mod people;
mod recording;
mod reloading;
mod rotating;
mod rules;
mod scoping;
mod seeds;
mod storms;

use std::sync::Arc;
use std::time::Duration;

use self::fakes::{
    FakeClock, FakeEntropy, FakeJournal, FakeKeys, FakeNotifier, FakeProcesses, FakePrompter,
    FakeStore, FakeTokens,
};
use super::{Answers, Broker, Failure, Leased, Ports};
use crate::domain::event::Activity;
use crate::domain::identity::{Identity, MfaSession};
use crate::domain::peer::Peer;
use crate::domain::profile::Profile;
use crate::domain::samples::{ask, commanded, identity, peer, profile, settings, surroundings};
use crate::domain::settings::Settings;
use crate::ports::Witness;

/// A peer that stays the process that it was.
pub(crate) struct Same;

impl Witness for Same {
    fn is_still(&self, _: &Peer) -> bool {
        true
    }
}

/// A broker and everything around it.
pub(crate) struct House {
    pub(crate) broker: Arc<Broker>,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) tokens: Arc<FakeTokens>,
    pub(crate) keyring: Arc<FakeStore>,
    pub(crate) files: Arc<FakeStore>,
    pub(crate) keys: Arc<FakeKeys>,
    pub(crate) prompter: Arc<FakePrompter>,
    pub(crate) processes: Arc<FakeProcesses>,
    pub(crate) journal: Arc<FakeJournal>,
    pub(crate) notifier: Arc<FakeNotifier>,
}

impl House {
    pub(crate) fn with(settings: Settings) -> Self {
        let clock = Arc::new(FakeClock::new());
        let tokens = Arc::new(FakeTokens::new(Arc::clone(&clock)));
        let keyring = Arc::new(FakeStore::new(None));
        let files = Arc::new(FakeStore::new(Some("open sesame")));
        let keys = Arc::new(FakeKeys::new());
        let prompter = Arc::new(FakePrompter::new());
        let processes = Arc::new(FakeProcesses::default());
        let journal = Arc::new(FakeJournal::new());
        let notifier = Arc::new(FakeNotifier::default());
        let ports = Ports {
            clock: clock.clone(),
            entropy: Arc::new(FakeEntropy::default()),
            keyring: keyring.clone(),
            sealed_files: files.clone(),
            tokens: tokens.clone(),
            keys: keys.clone(),
            prompter: prompter.clone(),
            processes: processes.clone(),
            journal: journal.clone(),
            notifier: notifier.clone(),
        };
        Self {
            broker: Broker::new(ports, settings, surroundings()),
            clock,
            tokens,
            keyring,
            files,
            keys,
            prompter,
            processes,
            journal,
            notifier,
        }
    }

    /// The profile `dev` of an identity whose codes a program prints.
    pub(crate) fn commanded() -> Self {
        let house = Self::with(settings(vec![commanded()], vec![profile("dev")]));
        house
            .prompter
            .prints(&["111111", "222222", "333333", "444444", "555555"]);
        house
    }

    /// The profile `dev` of an identity whose codes a person types.
    pub(crate) fn typed() -> Self {
        Self::with(settings(vec![identity()], vec![profile("dev")]))
    }

    /// These profiles of an identity without a second factor, which no idleness locks.
    pub(crate) fn plain(profiles: Vec<Profile>) -> Self {
        let mut settings = settings(vec![without_mfa()], profiles);
        settings.agent.idle_lock = None;
        Self::with(settings)
    }

    async fn ask(&self, profile: &str) -> Result<Leased, Failure> {
        self.broker.credentials(&peer(), &Same, &ask(profile)).await
    }

    /// An ask under way.
    fn asking(&self, profile: &str) -> tokio::task::JoinHandle<Result<Leased, Failure>> {
        let (broker, ask) = (Arc::clone(&self.broker), ask(profile));
        tokio::spawn(async move { broker.credentials(&peer(), &Same, &ask).await })
    }

    fn many(
        &self,
        count: usize,
        profile: &str,
    ) -> Vec<tokio::task::JoinHandle<Result<Leased, Failure>>> {
        (0..count).map(|_| self.asking(profile)).collect()
    }

    pub(crate) async fn unlock(&self, answers: Answers) -> Result<(), Failure> {
        self.broker.unlock(&peer(), None, answers).await.map(drop)
    }

    async fn type_code(&self, code: &str) -> Result<(), Failure> {
        self.unlock(code_answer(code)).await
    }

    /// Store loads, codes asked for, GetSessionToken and AssumeRole calls.
    fn calls(&self) -> [usize; 4] {
        [
            self.keyring.loads.count() + self.files.loads.count(),
            self.prompter.asked.count(),
            self.tokens.tokens.count(),
            self.tokens.roles.count(),
        ]
    }

    pub(crate) fn recorded(&self, activity: Activity) -> usize {
        self.journal.of(activity).len()
    }
}

pub(crate) fn without_mfa() -> Identity {
    Identity {
        mfa: None,
        ..identity()
    }
}

fn code_each_time(mut identity: Identity) -> Identity {
    identity.mfa.as_mut().unwrap().session = MfaSession::Off;
    identity
}

fn code_answer(code: &str) -> Answers {
    Answers {
        mfa_code: Some(code.into()),
        ..Answers::default()
    }
}

/// Lets tasks run until all of them wait, without letting time pass.
async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

/// What is under way gets on as far as it can, then time passes, then it does so again.
async fn pass(seconds: u64) {
    settle().await;
    tokio::time::advance(Duration::from_secs(seconds)).await;
    settle().await;
}
