//! Unlocking by a person, and locking: by the user, by idleness, by age, while the user is away.

use std::sync::Arc;
use std::time::Duration;

use jumpgate_api::wipe_stack;

use super::attendance::Waiter;
use super::failure::Failure;
use super::holding::{Era, LockedBy};
use super::identities::{Answers, Standing};
use super::{Broker, identity_of};
use crate::domain::event::{Activity, Event};
use crate::domain::identity::Identity;
use crate::domain::name::IdentityName;
use crate::domain::notice::Notice;
use crate::domain::peer::Peer;
use crate::domain::settings::AgentSettings;
use crate::ports::Sign;

impl Broker {
    /// Makes an identity usable with what a person supplied.
    ///
    /// # Errors
    /// [`Failure::InteractionRequired`] with what is still missing; STS's or the store's refusal.
    pub async fn unlock(
        self: &Arc<Self>,
        peer: &Peer,
        name: Option<&IdentityName>,
        answers: Answers,
    ) -> Result<(Arc<Identity>, Standing), Failure> {
        self.arrive().await;
        let identity = self.chosen_identity(name)?;
        // A lock that comes while this waits for its turn is the later word.
        let era = self.identities.era_of_person();
        let (this, by) = (Arc::clone(self), peer.clone());
        let passphrase = answers.passphrase.clone();
        let change = async move { this.unlocked(&by, identity, answers, era).await };
        let unlocked = self.changes.make(change).await?;
        self.end_rotation_behind(peer, &unlocked.0, passphrase);
        Ok(unlocked)
    }

    async fn unlocked(
        &self,
        peer: &Peer,
        identity: Arc<Identity>,
        answers: Answers,
        era: Era,
    ) -> Result<(Arc<Identity>, Standing), Failure> {
        let identities = &self.identities;
        let waits = self.settings().agent.prompt_wait;
        let profile = None;
        let waiter = Waiter {
            profile,
            peer: peer.clone(),
        };
        let _waits = identities.attendance(&identity.name).join(waiter, waits);
        let result = identities.unlock_by_person(&identity, answers, era).await;
        match &result {
            Err(Failure::InteractionRequired { .. }) => {}
            outcome => self.record_unlock(peer, &identity, outcome).await?,
        }
        result?;
        self.sessions.forgive(&identity.name);
        let standing = self.identities.standing(&identity);
        Ok((identity, standing))
    }

    fn chosen_identity(&self, name: Option<&IdentityName>) -> Result<Arc<Identity>, Failure> {
        let settings = self.settings();
        match (name, settings.identities.len()) {
            (Some(name), _) => identity_of(&settings, name),
            (None, 1) => settings
                .identities
                .values()
                .next()
                .cloned()
                .ok_or(Failure::Internal("no identity")),
            (None, _) => Err(Failure::NoSuchIdentity("(none named)".to_owned())),
        }
    }

    /// Drops all base credentials and sessions; nothing is handed out until [`Broker::unlock`].
    pub async fn lock(&self, peer: Option<&Peer>, why: &str) -> (usize, usize) {
        self.drop_secrets(LockedBy::User, peer, why).await
    }

    async fn drop_secrets(&self, by: LockedBy, peer: Option<&Peer>, why: &str) -> (usize, usize) {
        let dropped = (self.identities.lock(by), self.sessions.lock());
        self.consents.lock();
        // What signed calls and answered requests left on it.
        wipe_stack();
        self.ports.notifier.show(Notice::locked(why));
        let mut event = Event::new(Activity::IdentityLock, self.ports.clock.now());
        event.peer = peer.cloned();
        event.detail = Some(why.to_owned());
        self.record_or_log(event).await;
        self.denials.flush().await;
        dropped
    }

    /// Takes in what the machine tells, as far as the configuration has it lock. A machine about to sleep is held until
    /// memory is clean and the journal has it.
    pub async fn heed(&self, sign: Sign) {
        let agent = self.settings().agent;
        match sign {
            Sign::Sleeping(hold) if agent.lock_on_suspend => {
                self.lock_while(LockedBy::Suspend, "suspend").await;
                drop(hold);
            }
            Sign::ScreenLocked if agent.lock_on_screen_lock => {
                self.lock_while(LockedBy::ScreenLock, "screen-lock").await;
            }
            Sign::Awake => {
                self.lift(LockedBy::Suspend);
                let now = self.look_at_the_clocks().await;
                self.lock_what_is_due(now).await;
            }
            Sign::ScreenUnlocked => self.lift(LockedBy::ScreenLock),
            Sign::Sleeping(_) | Sign::ScreenLocked => {}
        }
    }

    /// Several services tell of the same lock of the screen; only the first finds something to do.
    async fn lock_while(&self, by: LockedBy, why: &str) {
        if !self.identities.is_barred_by(by) {
            self.drop_secrets(by, None, why).await;
        }
    }

    fn lift(&self, by: LockedBy) {
        if self.identities.lift(by) {
            tracing::info!("asks are let in again");
        }
    }

    /// What is not watched for any more keeps nobody out.
    pub(super) fn lift_unwatched(&self, agent: &AgentSettings) {
        if !agent.lock_on_suspend {
            self.lift(LockedBy::Suspend);
        }
        if !agent.lock_on_screen_lock {
            self.lift(LockedBy::ScreenLock);
        }
    }

    /// A request came in. Timers stand still while the machine sleeps, so what is due is looked at first.
    pub(super) async fn arrive(&self) {
        // Asked by every request: the clock is read once for all of it.
        let now = self.look_at_the_clocks().await;
        self.lock_what_is_due(now).await;
        self.identities.touch(now);
    }

    async fn lock_what_is_due(&self, now: Duration) {
        let due = self.identities.lock_due(&self.settings().agent, now);
        if let Some((Duration::ZERO, why)) = due {
            Box::pin(self.drop_secrets(LockedBy::Time, None, why)).await;
        }
    }

    /// Locks on idleness and age for as long as it is polled. Sleeps without a timer while nothing is unlocked.
    pub async fn keep_locking(&self) {
        loop {
            let news = self.identities.changed();
            match self
                .identities
                .lock_due(&self.settings().agent, self.running())
            {
                None => news.await,
                Some((Duration::ZERO, why)) => {
                    self.drop_secrets(LockedBy::Time, None, why).await;
                }
                Some((rest, _)) => {
                    let _woken = tokio::time::timeout(rest, news).await;
                }
            }
        }
    }

    /// Whether the user locked the agent, or is away.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.identities.era().is_err()
    }
}
