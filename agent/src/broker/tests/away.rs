//! While the machine sleeps or its screen is locked, nothing is in memory and nobody but a person unlocks.

use std::sync::Mutex;

use jumpgate_api::IdentityState;

use super::*;
use crate::ports::{Hold, Sign};

/// What there was when the machine was let go to sleep.
type Seen = Arc<Mutex<Option<(usize, IdentityState, usize)>>>;

/// A hold that looks about as it is dropped.
struct Witness {
    broker: Arc<Broker>,
    journal: Arc<FakeJournal>,
    seen: Seen,
}

impl Drop for Witness {
    fn drop(&mut self) {
        let identity = self.broker.settings().identities.values().next().cloned();
        let state = self.broker.standing(&identity.unwrap()).state;
        let locks = self.journal.of(Activity::IdentityLock).len();
        *self.seen.lock().unwrap() = Some((self.broker.sessions().len(), state, locks));
    }
}

async fn locked(house: &House) -> bool {
    match house.ask("dev").await {
        Ok(_) => false,
        Err(failure) => {
            assert_eq!(failure, Failure::Locked);
            true
        }
    }
}

fn whys(house: &House) -> Vec<String> {
    let locks = house.journal.of(Activity::IdentityLock).into_iter();
    locks.filter_map(|event| event.detail).collect()
}

#[tokio::test(start_paused = true)]
async fn the_machine_is_held_until_memory_is_clean_and_the_journal_has_it() {
    let house = House::commanded();
    house.ask("dev").await.unwrap();
    let seen = Seen::default();
    let witness = Witness {
        broker: Arc::clone(&house.broker),
        journal: Arc::clone(&house.journal),
        seen: Arc::clone(&seen),
    };
    house.broker.heed(Sign::Sleeping(Hold::new(witness))).await;
    let seen = seen.lock().unwrap().take();
    assert_eq!(seen, Some((0, IdentityState::Locked, 1)));
    assert!(locked(&house).await);
    assert_eq!(house.calls(), [1, 1, 1, 1]);
    house.broker.heed(Sign::Awake).await;
    assert!(!locked(&house).await, "as after idleness");
    assert_eq!(whys(&house), ["suspend"]);
}

#[tokio::test(start_paused = true)]
async fn a_locked_screen_is_one_lock_however_many_tell_of_it() {
    let house = House::commanded();
    house.ask("dev").await.unwrap();
    for _ in 0..3 {
        house.broker.heed(Sign::ScreenLocked).await;
    }
    house.broker.heed(Sign::Awake).await;
    assert!(locked(&house).await, "the screen is locked still");
    house.broker.heed(Sign::ScreenUnlocked).await;
    assert!(!locked(&house).await);
    assert_eq!(whys(&house), ["screen-lock"]);
}

#[tokio::test(start_paused = true)]
async fn a_person_may_unlock_from_elsewhere_and_the_next_lock_counts_again() {
    let house = House::commanded();
    house.broker.heed(Sign::ScreenLocked).await;
    house.unlock(Answers::default()).await.unwrap();
    assert!(!locked(&house).await);
    house.broker.heed(Sign::ScreenLocked).await;
    assert!(locked(&house).await);
    assert_eq!(whys(&house).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_users_own_lock_outlasts_every_absence() {
    let house = House::commanded();
    house.broker.heed(Sign::ScreenLocked).await;
    house.broker.lock(Some(&peer()), "by its user").await;
    house.broker.heed(Sign::ScreenUnlocked).await;
    house.broker.heed(Sign::Awake).await;
    assert!(locked(&house).await);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_configured_is_not_heeded() {
    let mut quiet = settings(vec![commanded()], vec![profile("dev")]);
    quiet.agent.lock_on_suspend = false;
    quiet.agent.lock_on_screen_lock = false;
    let house = House::commanded();
    house.broker.heed(Sign::ScreenLocked).await;
    assert!(locked(&house).await);
    house.broker.replace_settings(quiet).await;
    assert!(!locked(&house).await, "nobody would tell of its end");
    house.broker.heed(Sign::ScreenLocked).await;
    house.broker.heed(Sign::Sleeping(Hold::default())).await;
    assert!(!locked(&house).await);
}

#[tokio::test(start_paused = true)]
async fn what_is_due_is_locked_when_the_machine_wakes() {
    let mut settings = settings(vec![commanded()], vec![profile("dev")]);
    settings.agent.lock_on_suspend = false;
    let house = House::with(settings);
    house.prompter.prints(&["111111"]);
    house.ask("dev").await.unwrap();
    house.clock.suspend(Duration::from_secs(16 * 60));
    house.broker.heed(Sign::Awake).await;
    assert!(house.broker.sessions().is_empty());
    assert_eq!(whys(&house), ["idle"]);
}
