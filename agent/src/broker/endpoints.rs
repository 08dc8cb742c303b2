//! Endpoints for SDKs: one lease that is served again and again, from cache if anything is there.
//!
//! An SDK gives up after a second (Java, PHP, C++), so an endpoint never waits for a person and hardly for STS. What the
//! rules say is asked when it is opened, and again when the configuration changes. The first time that a process gets a
//! session is recorded before it leaves; the same again is counted and recorded once a minute, or the journal would be the
//! limit of how often an SDK may ask.

mod ahead;
mod preparing;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jumpgate_api::{Interface, Secret, Timestamp};

use self::ahead::Ahead;
use super::attendance::Waiter;
use super::counting::{HandOut, Holders};
use super::failure::Failure;
use super::minting::Told;
use super::question::Question;
use super::sessions::{Manner, Minted};
use super::{Broker, identity_of};
use crate::domain::consent::Tree;
use crate::domain::event::{Activity, Event};
use crate::domain::grant::{Ask, Grant, decide, rule_for};
use crate::domain::identity::Identity;
use crate::domain::lease::Lease;
use crate::domain::lifetime::{HANDED_OUT, HANDED_OUT_BY_IMDS};
use crate::domain::name::LeaseId;
use crate::domain::peer::Peer;
use crate::domain::profile::Profile;
use crate::domain::scope::compose;
use crate::domain::session::Session;
use crate::domain::settings::Settings;

/// What an endpoint takes at most for an answer: some SDKs give up after a second, and the way there and back takes time.
pub const ANSWER_WITHIN: Duration = Duration::from_millis(700);

/// Most endpoints at a time.
pub const MAX_ENDPOINTS: usize = 1_000;

/// An endpoint: who asked for what, and what that means under the configuration in force.
pub struct OpenEndpoint {
    /// The lease that it serves.
    pub lease: LeaseId,
    /// What was asked for.
    pub ask: Ask,
    /// Who asked.
    pub owner: Peer,
    /// The tree of processes that it belonged to, where a person's yes was needed.
    tree: Option<Tree>,
    meaning: Mutex<Arc<Meaning>>,
    pub(super) holders: Mutex<Holders>,
    ahead: Mutex<Option<Ahead>>,
}

/// What an ask means under one configuration.
struct Meaning {
    settings: Arc<Settings>,
    grant: Grant,
    identity: Arc<Identity>,
    question: Question,
}

/// What an endpoint hands out.
#[derive(Clone)]
pub struct Handed {
    minted: Arc<Minted>,
    interface: Interface,
    /// The profile.
    pub profile: Arc<Profile>,
}

impl Handed {
    /// The session.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.minted.session
    }

    /// The session as this interface shows it, made once for each session and wiped with it.
    pub fn body(&self, render: impl FnOnce(&Session) -> Secret<Vec<u8>>) -> Arc<Secret<Vec<u8>>> {
        let bodies = &self.minted.bodies;
        let body = match self.interface {
            Interface::Imds => &bodies.imds,
            Interface::Container | Interface::Process | Interface::Export => &bodies.container,
        };
        Arc::clone(body.get_or_init(|| Arc::new(render(self.session()))))
    }
}

/// All open endpoints.
#[derive(Default)]
pub(super) struct Endpoints(Mutex<HashMap<LeaseId, Arc<OpenEndpoint>>>);

impl Endpoints {
    fn open(&self) -> MutexGuard<'_, HashMap<LeaseId, Arc<OpenEndpoint>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn all(&self) -> Vec<Arc<OpenEndpoint>> {
        self.open().values().cloned().collect()
    }
}

impl OpenEndpoint {
    /// The profile as it was when last looked at.
    #[must_use]
    pub fn profile(&self) -> Arc<Profile> {
        Arc::clone(&self.meaning().grant.profile)
    }

    /// The rules of `peers` that decided, when last looked at.
    pub(super) fn rule(&self) -> Option<String> {
        self.meaning().grant.rule.as_ref().map(ToString::to_string)
    }

    /// What whoever opened it should know of the ask.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        self.meaning().grant.warning()
    }

    fn meaning(&self) -> Arc<Meaning> {
        Arc::clone(&self.meaning.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Broker {
    /// Opens an endpoint, or finds the one that is open for the same ask of the same process. The rules are asked now,
    /// so that a refusal is seen by who opens it; nothing is unlocked, and STS is not called.
    ///
    /// # Errors
    /// The rules' refusal, a value that AWS would refuse, too many endpoints.
    pub async fn open_endpoint(
        &self,
        peer: &Peer,
        ask: &Ask,
    ) -> Result<Arc<OpenEndpoint>, Failure> {
        self.arrive().await;
        let opened = self.opened(peer, ask);
        self.noted(peer, ask, opened).await
    }

    /// Asks the rules whether this peer may have an endpoint for this ask, as [`Broker::open_endpoint`] does, and tells
    /// what it would serve.
    ///
    /// # Errors
    /// The rules' refusal, a value that AWS would refuse.
    pub async fn may_open(&self, peer: &Peer, ask: &Ask) -> Result<Question, Failure> {
        self.arrive().await;
        let meaning = self.meaning(peer, ask);
        let question = meaning.and_then(|meaning| {
            self.standing_yes(&meaning.grant, peer)?;
            Ok(meaning.question)
        });
        self.noted(peer, ask, question).await
    }

    /// Whether an endpoint serves this question: by the rules one ask can be another question for another peer.
    #[must_use]
    pub fn serves(&self, endpoint: &OpenEndpoint, question: &Question) -> bool {
        let meaning = self.meaning_now(endpoint);
        meaning.is_ok_and(|meaning| meaning.question == *question)
    }

    /// Puts a refusal on record that the server found: the process that asked for an endpoint is not the same any more.
    pub async fn note_changed(&self, peer: &Peer, ask: &Ask) -> Option<Failure> {
        let rule = rule_for(&self.settings(), peer, &ask.profile)?;
        let failure = Failure::PeerChanged(rule);
        let event = self.denial_event(peer, ask, &failure);
        self.denials.note(event).await;
        Some(failure)
    }

    /// Counts a refusal at an endpoint once more: a client's second way to ask for the same.
    pub async fn note_again(&self, endpoint: &OpenEndpoint, peer: &Peer, failure: &Failure) {
        self.denials
            .note(self.denial_event(peer, &endpoint.ask, failure))
            .await;
    }

    /// A request that an endpoint's door refused; the endpoint is absent when it named none.
    pub async fn note_refused(
        &self,
        interface: Interface,
        endpoint: Option<&OpenEndpoint>,
        peer: Peer,
        why: String,
    ) {
        let mut event = Event::new(Activity::Deny, self.ports.clock.now());
        event.peer = Some(peer);
        event.failure = Some(why);
        event.lease = endpoint.map(|endpoint| endpoint.lease.clone());
        event.facts.interface = Some(interface);
        event.facts.profile = endpoint.map(|endpoint| endpoint.ask.profile.to_string());
        self.denials.note(event).await;
    }

    fn opened(&self, peer: &Peer, ask: &Ask) -> Result<Arc<OpenEndpoint>, Failure> {
        let lease = LeaseId::parse(&self.ports.entropy.ulid());
        let meaning = self.meaning(peer, ask)?;
        let endpoint = Arc::new(OpenEndpoint {
            lease: lease.map_err(|_| Failure::Internal("no lease id"))?,
            ask: ask.clone(),
            owner: peer.clone(),
            tree: self.standing_yes(&meaning.grant, peer)?,
            meaning: Mutex::new(Arc::new(meaning)),
            holders: Mutex::default(),
            ahead: Mutex::default(),
        });
        let mut open = self.endpoints.open();
        if open.len() >= MAX_ENDPOINTS {
            return Err(Failure::Busy("too many endpoints are open"));
        }
        open.insert(endpoint.lease.clone(), Arc::clone(&endpoint));
        Ok(endpoint)
    }

    fn meaning(&self, peer: &Peer, ask: &Ask) -> Result<Meaning, Failure> {
        let settings = self.settings();
        let grant = decide(&settings, peer, ask)?;
        let identity = identity_of(&settings, &grant.profile.identity)?;
        let question = compose(&grant, &identity, &self.surroundings)?;
        let question = self.sessions.kept(question.into());
        Ok(Meaning {
            settings,
            grant,
            identity,
            question,
        })
    }

    /// The session that an endpoint hands to a process now, recorded or counted, with the note that its record shall
    /// have.
    ///
    /// # Errors
    /// Locked, a person needed, STS in trouble: told within [`ANSWER_WITHIN`] and a little.
    pub async fn serve_endpoint(
        self: &Arc<Self>,
        endpoint: &Arc<OpenEndpoint>,
        peer: &Peer,
        note: Option<&'static str>,
    ) -> Result<Handed, Failure> {
        self.arrive().await;
        match self.handed(endpoint, peer, note).await {
            Ok(handed) => Ok(handed),
            refused => Box::pin(self.noted(peer, &endpoint.ask, refused)).await,
        }
    }

    async fn handed(
        self: &Arc<Self>,
        endpoint: &Arc<OpenEndpoint>,
        peer: &Peer,
        note: Option<&'static str>,
    ) -> Result<Handed, Failure> {
        let era = self.identities.era()?;
        let meaning = self.meaning_now(endpoint)?;
        self.still_confirmed(&meaning.grant, endpoint.tree, &endpoint.owner)?;
        let least = least_life(endpoint.ask.interface);
        let minted = match self.sessions.fresh(&meaning.question, least) {
            Some(minted) => minted,
            None => Box::pin(self.minted_soon(endpoint, &meaning)).await?,
        };
        self.record_serve(HandOut {
            endpoint,
            peer,
            note,
            grant: &meaning.grant,
            minted: &minted,
        })
        .await?;
        if self.identities.era()? != era {
            return Err(Failure::Locked);
        }
        let now = minted.now(self.ports.clock.as_ref());
        if minted.session.is_spent(now) {
            return Err(Failure::Busy("the session ended while it was recorded"));
        }
        Ok(Handed {
            minted,
            interface: endpoint.ask.interface,
            profile: Arc::clone(&meaning.grant.profile),
        })
    }

    /// The session for a caller that hardly waits.
    async fn minted_soon(
        self: &Arc<Self>,
        endpoint: &OpenEndpoint,
        meaning: &Meaning,
    ) -> Result<Arc<Minted>, Failure> {
        let interface = endpoint.ask.interface;
        let manner = Manner {
            person: meaning.settings.agent.prompt_wait,
            refresh: refresh_wait(interface),
            least: least_life(interface),
        };
        let (identity, question) = (&meaning.identity, meaning.question.clone());
        let name = &meaning.grant.profile.name;
        let minted = self.session(identity, question, name, manner, Told::ByLease);
        let waiter = || Waiter::new(&meaning.grant, &endpoint.owner);
        tokio::select! {
            biased;
            minted = tokio::time::timeout(ANSWER_WITHIN, minted) => {
                minted.map_err(|_| self.identities.too_late(identity, ANSWER_WITHIN))?
            }
            asked = self.identities.comes_again(&identity.name, waiter, manner.person) => {
                Err(asked)
            }
        }
    }

    /// The endpoint's profile under the configuration in force; where the rules do not grant it any more, as it was.
    #[must_use]
    pub fn profile_now(&self, endpoint: &OpenEndpoint) -> Arc<Profile> {
        let meaning = self.meaning_now(endpoint);
        Arc::clone(&meaning.unwrap_or_else(|_| endpoint.meaning()).grant.profile)
    }

    /// Asks the rules anew when the configuration has changed since.
    fn meaning_now(&self, endpoint: &OpenEndpoint) -> Result<Arc<Meaning>, Failure> {
        let meaning = endpoint.meaning();
        if Arc::ptr_eq(&meaning.settings, &self.settings()) {
            return Ok(meaning);
        }
        let new = Arc::new(self.meaning(&endpoint.owner, &endpoint.ask)?);
        let mut current = endpoint
            .meaning
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *current = Arc::clone(&new);
        Ok(new)
    }

    /// Under the lock that closing takes: a lease that was ended while its hand-out was recorded is not listed again.
    pub(super) fn renew_lease(&self, lease: Lease, now: Timestamp) -> Result<(), Failure> {
        let open = self.endpoints.open();
        if !open.contains_key(&lease.id) {
            return Err(Failure::NoSuchLease(lease.id));
        }
        self.leases.renew(lease, now);
        Ok(())
    }

    /// Closes an endpoint: its lease is over. What was handed out stays valid at AWS. `by` is the process that asked for
    /// it; otherwise it is as if the one that opened it had. The record is written also if the caller does not wait.
    pub async fn close_endpoint(
        self: &Arc<Self>,
        lease: &LeaseId,
        by: Option<&Peer>,
        why: &'static str,
    ) {
        let Some(endpoint) = self.endpoints.open().remove(lease) else {
            return;
        };
        self.leases.end(lease);
        let mut event = Event::new(Activity::LeaseEnd, self.ports.clock.now());
        event.peer = Some(by.unwrap_or(&endpoint.owner).clone());
        event.lease = Some(lease.clone());
        event.detail = Some(why.to_owned());
        event.account = Some(endpoint.profile().role.account());
        event.facts.profile = Some(endpoint.ask.profile.to_string());
        event.facts.interface = Some(endpoint.ask.interface);
        let this = Arc::clone(self);
        let recording = async move {
            this.record_counts(&endpoint).await;
            this.record_or_log(event).await;
            Ok(())
        };
        let _recorded_or_logged = self.changes.make(recording).await;
    }
}

/// How the next session is made while nobody waits for it.
fn unhurried(endpoint: &OpenEndpoint, meaning: &Meaning) -> Manner {
    Manner {
        least: least_life(endpoint.ask.interface),
        ..Manner::patient(meaning.settings.agent.prompt_wait)
    }
}

fn least_life(interface: Interface) -> Duration {
    match interface {
        Interface::Imds => HANDED_OUT_BY_IMDS,
        Interface::Process | Interface::Container | Interface::Export => HANDED_OUT,
    }
}

/// How long a refresh may take while the old session lives. IMDS clients have the least patience of all.
const fn refresh_wait(interface: Interface) -> Duration {
    match interface {
        Interface::Imds => Duration::from_millis(150),
        Interface::Process | Interface::Container | Interface::Export => Duration::from_millis(350),
    }
}
