//! The use case: domain decisions and port calls, in the order of the life of a request.
//!
//! [`Broker::credentials`] is the function to read first; the rest of this file is what else a client can ask for.
//! `journal_events` composes the records, `keys` looks after stored keys.

pub mod failure;

mod asking;
mod attendance;
mod changes;
mod clocks;
mod codes;
mod consent;
mod counting;
mod denials;
pub mod endpoints;
mod flight;
mod holding;
mod identities;
mod journal_events;
mod keys;
mod leases;
mod locking;
mod minting;
mod question;
mod rotating;
mod sessions;
mod standing;
#[cfg(test)]
pub(crate) mod tests;
/// The scripted ports alone, for `fuzzed`.
#[cfg(all(feature = "fuzzed", not(test)))]
#[allow(dead_code, clippy::unwrap_used)]
pub(crate) mod tests {
    pub(crate) mod fakes;
}
mod unlocking;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use self::attendance::Waiter;
use self::changes::Changes;
use self::clocks::Clocks;
use self::consent::Consents;
use self::denials::Denials;
use self::endpoints::Endpoints;
pub use self::failure::{Failure, Needs};
use self::identities::Identities;
pub use self::identities::{Answers, Standing};
use self::keys::identity_of;
use self::leases::Leases;
use self::minting::Told;
use self::question::Question;
use self::rotating::Turns;
pub use self::rotating::Wish;
use self::sessions::{Manner, Minted, Sessions};
use crate::domain::event::{Activity, Event};
use crate::domain::grant::{Ask, Grant, decide, may_see};
use crate::domain::identity::{Identity, Store};
use crate::domain::lease::Lease;
use crate::domain::name::{LeaseId, ProfileName};
use crate::domain::peer::Peer;
use crate::domain::profile::Profile;
use crate::domain::scope::{Surroundings, compose};
use crate::domain::session::Session;
use crate::domain::settings::Settings;
use jumpgate_api::{JournalReport, Secret, Timestamp};

use crate::ports::{
    Clock, Entropy, IdentityStore, Journal, JournalHealth, KeyService, Lines, Notifier, Processes,
    Prompter, TokenService, Witness,
};

/// What a caller waits beyond `prompt_wait`: the calls to STS that follow a person's answer.
const BEYOND_PROMPT: Duration = Duration::from_secs(30);

/// Every contact with the world.
pub struct Ports {
    /// The wall clock.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The desktop's keyring.
    pub keyring: Arc<dyn IdentityStore>,
    /// Files sealed by a passphrase.
    pub sealed_files: Arc<dyn IdentityStore>,
    /// STS.
    pub tokens: Arc<dyn TokenService>,
    /// IAM.
    pub keys: Arc<dyn KeyService>,
    /// People, or programs that stand in for them.
    pub prompter: Arc<dyn Prompter>,
    /// The processes of this machine.
    pub processes: Arc<dyn Processes>,
    /// The audit record.
    pub journal: Arc<dyn Journal>,
    /// A person's desktop.
    pub notifier: Arc<dyn Notifier>,
}

impl Ports {
    fn store(&self, store: Store) -> &dyn IdentityStore {
        match store {
            Store::Keyring => self.keyring.as_ref(),
            Store::File => self.sealed_files.as_ref(),
        }
    }
}

/// One session, handed to one peer.
#[derive(Debug)]
pub struct Leased {
    /// The record of it.
    pub lease: Lease,
    /// The profile.
    pub profile: Arc<Profile>,
    /// What the caller should know of its ask.
    pub warning: Option<String>,
    minted: Arc<Minted>,
}

impl Leased {
    /// What was handed out.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.minted.session
    }
}

/// The broker.
pub struct Broker {
    ports: Arc<Ports>,
    surroundings: Surroundings,
    settings: Mutex<Arc<Settings>>,
    identities: Identities,
    sessions: Sessions,
    leases: Leases,
    changes: Changes,
    clocks: Clocks,
    key_turns: Turns,
    denials: Denials,
    endpoints: Endpoints,
    consents: Consents,
}

impl Broker {
    /// A broker without anything in memory.
    #[must_use]
    pub fn new(ports: Ports, settings: Settings, surroundings: Surroundings) -> Arc<Self> {
        let ports = Arc::new(ports);
        Arc::new(Self {
            surroundings,
            identities: Identities::new(Arc::clone(&ports), settings.identities.clone()),
            settings: Mutex::new(Arc::new(settings)),
            sessions: Sessions::new(Arc::clone(&ports.clock), Arc::clone(&ports.entropy)),
            leases: Leases::default(),
            changes: Changes::default(),
            clocks: Clocks::new(ports.clock.as_ref()),
            key_turns: Turns::default(),
            denials: Denials::new(Arc::clone(&ports.journal), Arc::clone(&ports.notifier)),
            endpoints: Endpoints::default(),
            consents: Consents::default(),
            ports,
        })
    }

    /// The configuration in force.
    #[must_use]
    pub fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.settings.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The life of a request. Whatever the outcome, the journal has it. The witness tells whether the peer is still the
    /// process that it was when a rule was chosen for it.
    ///
    /// # Errors
    /// The first thing that stands against it; nothing has left then.
    pub async fn credentials(
        self: &Arc<Self>,
        peer: &Peer,
        witness: &dyn Witness,
        ask: &Ask,
    ) -> Result<Leased, Failure> {
        self.arrive().await;
        let leased = self.leased(peer, witness, ask).await;
        self.noted(peer, ask, leased).await
    }

    async fn leased(
        self: &Arc<Self>,
        peer: &Peer,
        witness: &dyn Witness,
        ask: &Ask,
    ) -> Result<Leased, Failure> {
        let era = self.identities.era()?;
        let settings = self.settings();
        let grant = decide(&settings, peer, ask)?;
        self.confirmed(&grant, peer).await?;
        let identity = identity_of(&settings, &grant.profile.identity)?;
        let question = Question::from(compose(&grant, &identity, &self.surroundings)?);
        let prompt_wait = settings.agent.prompt_wait;
        let (name, manner) = (&grant.profile.name, Manner::patient(prompt_wait));
        let minted = self.session(&identity, question, name, manner, Told::ByLease);
        let patience = prompt_wait + BEYOND_PROMPT;
        let waiter = || Waiter::new(&grant, peer);
        let minted = tokio::select! {
            biased;
            minted = tokio::time::timeout(patience, minted) => minted,
            unanswered = self.identities.patience_ends(&identity.name, waiter, prompt_wait) => {
                return Err(unanswered);
            }
        };
        let minted = minted.map_err(|_| Failure::Waited(patience))??;
        Self::still(&grant, peer, witness)?;
        let leased = self.lease(peer, ask, &grant, minted)?;
        self.record_lease(&leased.lease, &grant, &leased.minted)
            .await?;
        // A lock, the session's end or another program may have come meanwhile: what was promised of them holds.
        Self::still(&grant, peer, witness)?;
        if self.identities.era()? != era {
            return Err(Failure::Locked);
        }
        let now = leased.minted.now(self.ports.clock.as_ref());
        if leased.minted.session.is_spent(now) {
            return Err(Failure::Busy("the session ended while it was recorded"));
        }
        self.leases.add(leased.lease.clone(), now);
        Ok(leased)
    }

    /// What a rule gives to one program, it does not give to another that the process became meanwhile.
    fn still(grant: &Grant, peer: &Peer, witness: &dyn Witness) -> Result<(), Failure> {
        match &grant.rule {
            Some(rule) if !witness.is_still(peer) => Err(Failure::PeerChanged(rule.clone())),
            _ => Ok(()),
        }
    }

    fn lease(
        &self,
        peer: &Peer,
        ask: &Ask,
        grant: &Grant,
        minted: Arc<Minted>,
    ) -> Result<Leased, Failure> {
        let session = &minted.session;
        let id = LeaseId::parse(&self.ports.entropy.ulid());
        let lease = Lease {
            id: id.map_err(|_| Failure::Internal("no lease id"))?,
            profile: grant.profile.name.clone(),
            role: session.role.clone(),
            session: session.id.clone(),
            interface: ask.interface,
            peer: peer.clone(),
            rule: grant.rule.clone(),
            issued_at: self.ports.clock.now(),
            expires_at: session.expires_at,
            note: None,
        };
        Ok(Leased {
            lease,
            profile: Arc::clone(&grant.profile),
            warning: grant.warning(),
            minted,
        })
    }

    /// How an identity stands.
    #[must_use]
    pub fn standing(&self, identity: &Identity) -> Standing {
        self.identities.standing(identity)
    }

    /// The sessions that can be handed out now, each with the profile that asked first.
    #[must_use]
    pub fn sessions(&self) -> Vec<(ProfileName, Session)> {
        let live = self.sessions.live();
        live.iter()
            .map(|minted| (minted.profile.clone(), minted.session.clone()))
            .collect()
    }

    /// The profiles that this peer may use.
    #[must_use]
    pub fn profiles(&self, peer: &Peer) -> Vec<Arc<Profile>> {
        let settings = self.settings();
        settings
            .profiles
            .values()
            .filter(|profile| may_see(profile, peer))
            .cloned()
            .collect()
    }

    /// Puts a new configuration in force. What the old one unlocked under another meaning is dropped.
    pub async fn replace_settings(&self, settings: Settings) {
        let new = Arc::new(settings);
        *self.settings.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&new);
        self.lift_unwatched(&new.agent);
        for name in self.identities.configure(&new.identities) {
            self.sessions.forget(&name);
        }
        self.record_or_log(Event::new(Activity::ConfigReload, self.ports.clock.now()))
            .await;
    }

    /// Records something of the agent's own.
    ///
    /// # Errors
    /// The journal cannot be written.
    pub async fn record(&self, activity: Activity, failure: Option<String>) -> Result<(), Failure> {
        let mut event = Event::new(activity, self.ports.clock.now());
        event.failure = failure;
        Ok(self.ports.journal.record(event).await?)
    }

    /// A process that may not talk to us tried to.
    pub async fn note_stranger(&self, peer: Peer, why: String) {
        let mut event = Event::new(Activity::Deny, self.ports.clock.now());
        event.peer = Some(peer);
        event.failure = Some(why);
        self.denials.note(event).await;
    }

    /// Resolves when no change of keys, locks or leases is under way.
    pub async fn changes_made(&self) {
        self.changes.made().await;
    }

    /// Writes what is still gathered to the journal.
    pub async fn flush_denials(&self) {
        self.record_all_counts().await;
        self.denials.flush().await;
    }

    /// The journal's last so many lines or all, then new ones as they come, if wanted.
    pub async fn journal(&self, last: Option<usize>, follow: bool) -> Lines {
        self.flush_denials().await;
        self.ports.journal.lines(last, follow)
    }

    /// Reads the whole journal and checks its chain.
    ///
    /// # Errors
    /// It cannot be read.
    pub async fn verify_journal(&self) -> Result<JournalReport, Failure> {
        self.flush_denials().await;
        Ok(self.ports.journal.report().await?)
    }

    /// How the journal does.
    #[must_use]
    pub fn journal_health(&self) -> JournalHealth {
        self.ports.journal.health()
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.ports.clock.now()
    }

    /// Time since some point in the past, by the clock that nobody can set.
    #[must_use]
    pub fn running(&self) -> Duration {
        self.ports.clock.running()
    }

    /// A new secret of 32 random bytes, as base64url.
    #[must_use]
    pub fn new_secret(&self) -> Secret<String> {
        self.ports.entropy.secret()
    }

    /// An id for a request, as in the log.
    #[must_use]
    pub fn request_id(&self) -> String {
        self.ports.entropy.ulid()
    }

    /// Calls to STS and how many failed.
    #[must_use]
    pub fn sts_counts(&self) -> (u64, u64) {
        self.ports.tokens.counts()
    }

    /// Seconds that AWS's clock is ahead of ours, as last measured.
    #[must_use]
    pub fn sts_skew(&self) -> Option<i64> {
        self.ports.tokens.skew()
    }
}
