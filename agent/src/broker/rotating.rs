//! Rotation of an identity's key: the steps that `domain::rotation` names, made one after the other.
//!
//! Each state is stored and recorded before the next change at AWS. Whatever ends a run - a kill, a lock, AWS, a store
//! that fails - what is stored says how to go on. Sessions go on being handed out meanwhile.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jumpgate_api::Secret;
use jumpgate_iam::CallerArn;
use tokio::time::Instant;

use super::{Answers, Broker, Failure, identity_of};
use crate::domain::event::{Activity, Event as Record};
use crate::domain::identity::{AccessKeyId, BaseCredentials, Endpoint, Identity, LongTermKey};
use crate::domain::name::IdentityName;
use crate::domain::peer::Peer;
use crate::domain::rotation::{Aim, Event, KeyHistory, LastUse, ListedKey, Run, Step, StoredKey};
use crate::ports::{KeyCall, TokenError, TokenErrorKind};

/// How long a key that AWS made may be unknown to some part of AWS (IAM user guide, "Changes that I make are not
/// always immediately visible").
const PROPAGATION: Duration = Duration::from_secs(60);

/// Between two tries of a key that is not known yet, at first and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(4));

/// How often in a row a new key has to be taken: one that some part of AWS knows may be unknown to another.
const PROOFS: u32 = 3;

/// What a rotation is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Wish {
    /// Where it shall end.
    pub aim: Aim,
    /// How long the former key can be taken back, if not for the default.
    pub grace: Option<Duration>,
}

/// The identities whose stored key is being changed: one change at a time.
#[derive(Default)]
pub(super) struct Turns(Arc<Mutex<HashSet<IdentityName>>>);

/// A change under way. Dropping it lets the next one in.
pub(super) struct Turn {
    taken: Arc<Mutex<HashSet<IdentityName>>>,
    name: IdentityName,
}

impl Turns {
    /// Begins a change.
    ///
    /// # Errors
    /// Another one is under way.
    pub(super) fn take(&self, name: &IdentityName) -> Result<Turn, Failure> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !taken.insert(name.clone()) {
            return Err(Failure::Busy("the identity's key is being changed already"));
        }
        Ok(Turn {
            taken: Arc::clone(&self.0),
            name: name.clone(),
        })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.remove(&self.name);
    }
}

impl Broker {
    /// Replaces an identity's key, or goes on with that, or takes it back. Returns what is stored in the end.
    ///
    /// # Errors
    /// Locked; the wish does not fit what is stored or what AWS lists; STS's, IAM's or the store's refusal. What is
    /// stored then is a key that works, and a later run goes on from it.
    pub async fn rotate_identity(
        self: &Arc<Self>,
        peer: &Peer,
        name: &IdentityName,
        wish: Wish,
        answers: &Answers,
    ) -> Result<KeyHistory, Failure> {
        self.arrive().await;
        let identity = identity_of(&self.settings(), name)?;
        let turn = self.key_turns.take(name)?;
        let (this, peer, answers) = (Arc::clone(self), peer.clone(), answers.clone());
        let change = async move {
            let _until_made = turn;
            let rotating = Rotating::begin(&this, &identity, wish, &answers).await?;
            rotating.finished(Some(&peer)).await
        };
        self.changes.make(change).await
    }
}

impl Broker {
    /// Deletes a former key whose grace is over, behind the person who unlocked just now. What fails is on record,
    /// and in `status` until it succeeds.
    pub(super) fn end_rotation_behind(
        self: &Arc<Self>,
        peer: &Peer,
        identity: &Identity,
        passphrase: Option<Secret<String>>,
    ) {
        let standing = self.identities.standing(identity);
        let due = standing.history.and_then(|history| history.delete_at);
        if due.is_none_or(|at| at > self.ports.clock.now()) {
            return;
        }
        let (this, peer, name) = (Arc::clone(self), peer.clone(), identity.name.clone());
        tokio::spawn(async move {
            let answers = Answers {
                passphrase,
                ..Answers::default()
            };
            let wish = Wish {
                aim: Aim::Resume,
                grace: None,
            };
            let ended = this.rotate_identity(&peer, &name, wish, &answers).await;
            if let Err(failure) = ended {
                tracing::warn!(%name, %failure, "a former key could not be deleted");
            }
        });
    }
}

/// A run, and what its steps are made with.
struct Rotating<'a> {
    broker: &'a Broker,
    identity: &'a Arc<Identity>,
    iam: Endpoint,
    passphrase: Option<Secret<String>>,
    base: BaseCredentials,
    caller: CallerArn,
    user: String,
    run: Run,
    first: Step,
}

impl<'a> Rotating<'a> {
    async fn begin(
        broker: &'a Broker,
        identity: &'a Arc<Identity>,
        wish: Wish,
        answers: &Answers,
    ) -> Result<Self, Failure> {
        let identities = &broker.identities;
        identities.era()?;
        let base = identities.base_for_change(identity, answers).await?;
        let store = broker.ports.store(identity.store);
        let passphrase = identities.passphrase(identity, store, answers).await?;
        let stored = identities.stored(identity, passphrase.as_ref()).await?;
        let now = broker.ports.clock.now();
        let (run, first) = Run::begin(stored, wish.aim, wish.grace, now)
            .map_err(|refusal| refused(identity, refusal))?;
        let caller = broker.whose(identity, &signer(&base, run.stored())).await?;
        let CallerArn::User { arn } = &caller else {
            return Err(Failure::Internal("the stored key is no user's"));
        };
        Ok(Self {
            broker,
            identity,
            iam: identity.iam(),
            passphrase,
            base,
            user: arn.name().to_owned(),
            caller,
            run,
            first,
        })
    }

    async fn finished(mut self, peer: Option<&Peer>) -> Result<KeyHistory, Failure> {
        let ended = self.steps(peer).await;
        if let Err(failure) = &ended {
            self.record(peer, Some(failure)).await?;
        }
        ended.map(|()| KeyHistory::of(self.run.stored()))
    }

    async fn steps(&mut self, peer: Option<&Peer>) -> Result<(), Failure> {
        let era = self.broker.identities.era()?;
        let mut step = std::mem::replace(&mut self.first, Step::Rest);
        while step != Step::Rest {
            // What AWS made is stored whatever happens; nothing else is begun once the user has locked.
            let stores = matches!(step, Step::Store(_));
            if !stores && self.broker.identities.era()? != era {
                return Err(Failure::Locked);
            }
            let event = self.made(&step).await?;
            let now = self.broker.ports.clock.now();
            let next = self.run.after(step, event, now);
            step = next.map_err(|refusal| refused(self.identity, refusal))?;
            if stores {
                self.record(peer, None).await?;
            }
        }
        Ok(())
    }

    /// Makes one step.
    async fn made(&self, step: &Step) -> Result<Event, Failure> {
        match step {
            Step::Survey => Ok(Event::Surveyed(self.survey().await?)),
            Step::Create => {
                let key = self.keys().create_key(self.call(&self.signer())).await;
                Ok(Event::Made(key.map_err(upstream("CreateAccessKey"))?))
            }
            Step::Prove(key) => self.prove(key).await.map(|()| Event::Done),
            Step::Activate(id) => self.set_active(id, true).await,
            Step::Deactivate(id) => self.set_active(id, false).await,
            Step::Delete(id) => self.delete(id).await,
            Step::Store(stored) => self.store(stored).await.map(|()| Event::Done),
            Step::Rest => Ok(Event::Done),
        }
    }

    fn keys(&self) -> &dyn crate::ports::KeyService {
        self.broker.ports.keys.as_ref()
    }

    fn signer(&self) -> BaseCredentials {
        signer(&self.base, self.run.stored())
    }

    fn call<'c>(&'c self, signer: &'c BaseCredentials) -> KeyCall<'c> {
        KeyCall {
            endpoint: &self.iam,
            signer,
            user: &self.user,
        }
    }

    async fn survey(&self) -> Result<Vec<ListedKey>, Failure> {
        let signer = self.signer();
        let call = self.call(&signer);
        let listed = self.keys().keys(call).await;
        let mut listed = listed.map_err(upstream("ListAccessKeys"))?;
        if listed.len() > 1 {
            for key in &mut listed {
                // Without a permission for it nothing is said of its last use, and nothing is deleted by that.
                let used = self.keys().last_use(call, &key.id).await;
                key.last_used = used.unwrap_or(LastUse::Unknown);
            }
        }
        Ok(listed)
    }

    /// Waits until AWS takes the key, several times in a row.
    async fn prove(&self, key: &LongTermKey) -> Result<(), Failure> {
        let credentials = BaseCredentials::from(key);
        let mut left = PROOFS;
        let mut patience = Propagation::default();
        while left > 0 {
            match self.broker.whose(self.identity, &credentials).await {
                Ok(caller) if caller == self.caller => left -= 1,
                Ok(_) => return Err(Failure::Internal("the key is another user's")),
                Err(failure) if is_unknown_yet(&failure) && patience.is_left() => {
                    left = PROOFS;
                    patience.pause().await;
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok(())
    }

    async fn set_active(&self, id: &AccessKeyId, active: bool) -> Result<Event, Failure> {
        let signer = self.signer();
        let set = || self.keys().set_active(self.call(&signer), id, active);
        once_known("UpdateAccessKey", set).await
    }

    async fn delete(&self, id: &AccessKeyId) -> Result<Event, Failure> {
        let signer = self.signer();
        let delete = || self.keys().delete_key(self.call(&signer), id);
        once_known("DeleteAccessKey", delete).await
    }

    async fn store(&self, stored: &StoredKey) -> Result<(), Failure> {
        let store = self.broker.ports.store(self.identity.store);
        let saved = store
            .save(self.identity, stored, self.passphrase.as_ref())
            .await;
        saved.map_err(|error| Failure::Store {
            identity: self.identity.name.clone(),
            error,
        })?;
        self.broker
            .identities
            .replace_key(&self.identity.name, stored);
        Ok(())
    }

    async fn record(&self, peer: Option<&Peer>, failure: Option<&Failure>) -> Result<(), Failure> {
        let history = KeyHistory::of(self.run.stored());
        let mut event = Record::new(Activity::IdentityRotate, self.broker.ports.clock.now());
        event.peer = peer.cloned();
        event.account = Some(self.identity.account);
        event.facts.identity = Some(self.identity.name.to_string());
        event.facts.access_key_id = Some(history.current.as_str().to_owned());
        let phase = history.phase.unwrap_or("settled");
        event.detail = Some(match &history.other {
            Some(other) => format!("{phase}: {}", other.as_str()),
            None => phase.to_owned(),
        });
        event.failure = failure.map(ToString::to_string);
        event.facts.code = failure.map(|failure| failure.code().to_string());
        Ok(self.broker.ports.journal.record(event).await?)
    }
}

/// The session with MFA where there is one, since policies may ask for it; else the key that is stored as current.
fn signer(base: &BaseCredentials, stored: &StoredKey) -> BaseCredentials {
    match base.session_token {
        Some(_) => base.clone(),
        None => BaseCredentials::from(&stored.current.key),
    }
}

fn refused(identity: &Identity, refusal: crate::domain::rotation::Refusal) -> Failure {
    Failure::Rotation {
        identity: identity.name.clone(),
        refusal,
    }
}

fn upstream(call: &'static str) -> impl Fn(TokenError) -> Failure {
    move |error| Failure::Upstream {
        call: call.to_owned(),
        error,
    }
}

/// A key that AWS does not have needs no change.
fn settled(made: Result<(), TokenError>, call: &'static str) -> Result<Event, Failure> {
    match made {
        Ok(()) => Ok(Event::Done),
        Err(error) if error.code.as_deref() == Some("NoSuchEntity") => Ok(Event::Gone),
        Err(error) => Err(upstream(call)(error)),
    }
}

/// Calls again, for a while, as long as AWS does not know the new key that signs.
async fn once_known<F: Future<Output = Result<(), TokenError>>>(
    name: &'static str,
    call: impl Fn() -> F,
) -> Result<Event, Failure> {
    let mut patience = Propagation::default();
    loop {
        match settled(call().await, name) {
            Err(failure) if is_unknown_yet(&failure) && patience.is_left() => {
                patience.pause().await;
            }
            outcome => return outcome,
        }
    }
}

/// A new key is not known everywhere at once, and AWS says of it what it says of a wrong one.
fn is_unknown_yet(failure: &Failure) -> bool {
    matches!(failure, Failure::Upstream { error, .. } if error.kind == TokenErrorKind::CredentialsRejected)
}

/// The patience with a new key.
struct Propagation {
    end: Instant,
    next: Duration,
}

impl Default for Propagation {
    fn default() -> Self {
        Self {
            end: Instant::now() + PROPAGATION,
            next: PAUSES.0,
        }
    }
}

impl Propagation {
    fn is_left(&self) -> bool {
        Instant::now() < self.end
    }

    async fn pause(&mut self) {
        tokio::time::sleep(self.next).await;
        self.next = (self.next * 2).min(PAUSES.1);
    }
}
