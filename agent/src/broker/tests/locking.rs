//! A lock drops everything, and nothing that was under way leaves after it.

use std::task::Poll;

use jumpgate_api::{Code, IdentityState};

use super::*;

fn locked(outcome: Result<Leased, Failure>) {
    assert_eq!(outcome.unwrap_err(), Failure::Locked);
}

fn state(house: &House) -> IdentityState {
    let identity = house.broker.settings().identities.values().next().cloned();
    house.broker.standing(&identity.unwrap()).state
}

#[tokio::test(start_paused = true)]
async fn everything_is_refused_until_a_person_unlocks() {
    let house = House::commanded();
    house.ask("dev").await.unwrap();
    assert_eq!(
        house.broker.lock(Some(&peer()), "by its user").await,
        (1, 1)
    );
    assert!(house.broker.is_locked());
    assert!(house.broker.sessions().is_empty());
    assert_eq!(
        house.broker.leases().len(),
        1,
        "what was handed out stays valid at AWS"
    );
    locked(house.ask("dev").await);
    let name = crate::domain::samples::identity_name("jump");
    assert_eq!(
        house.broker.check_identity(&name).await.unwrap_err(),
        Failure::Locked
    );
    assert_eq!(house.calls(), [1, 1, 1, 1]);
    house.unlock(Answers::default()).await.unwrap();
    assert!(!house.broker.is_locked());
    house.ask("dev").await.unwrap();
    assert_eq!(house.calls(), [2, 2, 2, 2]);
    let locks = house.journal.of(Activity::IdentityLock);
    assert_eq!(locks[0].detail.as_deref(), Some("by its user"));
    house.broker.flush_denials().await;
    assert_eq!(
        house.journal.of(Activity::Deny)[0].facts.code.as_deref(),
        Some("locked")
    );
}

#[tokio::test(start_paused = true)]
async fn a_lock_during_the_unlock_flight() {
    let house = House::commanded();
    house.tokens.tokens.close();
    let asks = house.many(3, "dev");
    house.tokens.tokens.arrived(1).await;
    house.broker.lock(Some(&peer()), "by its user").await;
    for ask in asks {
        locked(ask.await.unwrap());
    }
    house.tokens.tokens.open();
    settle().await;
    assert_eq!(state(&house), IdentityState::Locked);
    assert_eq!(house.tokens.roles.count(), 0);
    assert!(house.broker.leases().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_lock_during_the_call_to_sts() {
    let house = House::commanded();
    house.tokens.roles.close();
    let asks = house.many(3, "dev");
    house.tokens.roles.arrived(1).await;
    assert_eq!(
        house.broker.lock(Some(&peer()), "by its user").await,
        (1, 0)
    );
    house.tokens.roles.open();
    for ask in asks {
        locked(ask.await.unwrap());
    }
    assert!(house.broker.sessions().is_empty() && house.broker.leases().is_empty());
    assert_eq!(house.recorded(Activity::LeaseIssue), 0);
}

/// A house with a session in its cache, and an ask for it whose record is being written.
async fn recording() -> (House, tokio::task::JoinHandle<Result<Leased, Failure>>) {
    let house = House::commanded();
    house.ask("dev").await.unwrap();
    let written = house.journal.writes.count();
    house.journal.writes.close();
    let ask = house.asking("dev");
    house.journal.writes.arrived(written + 1).await;
    (house, ask)
}

#[tokio::test(start_paused = true)]
async fn a_lock_while_the_record_is_written() {
    let (house, ask) = recording().await;
    let broker = Arc::clone(&house.broker);
    let locking = tokio::spawn(async move { broker.lock(Some(&peer()), "by its user").await });
    settle().await;
    house.journal.writes.open();
    locked(ask.await.unwrap());
    locking.await.unwrap();
    assert_eq!(house.broker.leases().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn idleness_while_the_record_is_written() {
    let (house, ask) = recording().await;
    house.clock.suspend(Duration::from_secs(16 * 60));
    let next = house.asking("dev");
    settle().await;
    house.journal.writes.open();
    locked(ask.await.unwrap());
    next.await.unwrap().unwrap();
    assert_eq!(house.recorded(Activity::IdentityLock), 1);
    assert_eq!(house.broker.leases().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_lock_while_an_unlock_is_recorded_wins() {
    let house = House::commanded();
    house.journal.writes.close();
    let broker = Arc::clone(&house.broker);
    let unlocking = tokio::spawn(async move {
        broker
            .unlock(&peer(), None, Answers::default())
            .await
            .map(drop)
    });
    house.journal.writes.arrived(1).await;
    let broker = Arc::clone(&house.broker);
    let locking = tokio::spawn(async move { broker.lock(Some(&peer()), "by its user").await });
    house.journal.writes.arrived(2).await;
    house.journal.writes.open();
    let _ = unlocking.await.unwrap();
    locking.await.unwrap();
    assert!(house.broker.is_locked());
    locked(house.ask("dev").await);
}

/// Lets each task that is ready run once. (tokio's `yield_now` lets all of them run until they wait.)
async fn turn() {
    let mut first = true;
    std::future::poll_fn(|context| {
        if !std::mem::take(&mut first) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// A task locks when it has had so many turns among the others.
fn locking_after(house: &House, turns: usize) -> tokio::task::JoinHandle<()> {
    let broker = Arc::clone(&house.broker);
    tokio::spawn(async move {
        for _ in 0..turns {
            turn().await;
        }
        broker.lock(Some(&peer()), "by its user").await;
    })
}

/// A lock at any step of a person's unlock: either the unlock is over before, or it is refused.
#[tokio::test(start_paused = true)]
async fn a_lock_at_any_step_of_an_unlock() {
    for steps in 0..40 {
        let house = House::commanded();
        let broker = Arc::clone(&house.broker);
        let unlocking =
            tokio::spawn(async move { broker.unlock(&peer(), None, Answers::default()).await });
        locking_after(&house, steps).await.unwrap();
        let outcome = unlocking.await.unwrap().map(drop);
        assert!(house.broker.is_locked(), "{steps}: {outcome:?}");
        if steps == 0 {
            let why = "an unlock that had not begun does not begin";
            assert_eq!(house.calls(), [0, 0, 0, 0], "{why}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_but_a_person_unlocks_a_locked_agent() {
    let house = House::plain(vec![profile("dev")]);
    house.broker.lock(Some(&peer()), "by its user").await;
    let identity = Arc::new(without_mfa());
    let refused = house
        .broker
        .identities
        .base(&identity, Duration::ZERO)
        .await;
    assert_eq!(refused.map(drop), Err(Failure::Locked));
    assert_eq!(house.keyring.loads.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_flight_that_begins_after_the_lock_unlocks_nothing() {
    let house = House::commanded();
    let (by, ask) = (peer(), ask("dev"));
    let mut asking = Box::pin(house.broker.credentials(&by, &Same, &ask));
    // The ask runs up to its flight; the flight's own task has not run yet.
    tokio::select! {
        biased;
        _ = &mut asking => panic!("answered too early"),
        () = std::future::ready(()) => {}
    }
    house.broker.lock(Some(&peer()), "by its user").await;
    locked(asking.await);
    settle().await;
    assert_eq!(house.calls(), [0, 0, 0, 0]);
    assert_eq!(state(&house), IdentityState::Locked);
}

#[tokio::test(start_paused = true)]
async fn callers_that_wait_for_a_person_are_told_of_the_lock_at_once() {
    let house = House::typed();
    house.unlock(Answers::default()).await.unwrap_err();
    let ask = house.asking("dev");
    settle().await;
    let loads = house.keyring.loads.count();
    house.broker.lock(Some(&peer()), "by its user").await;
    locked(ask.await.unwrap());
    settle().await;
    assert_eq!(
        house.keyring.loads.count(),
        loads,
        "the key stays in its store"
    );
}

#[tokio::test(start_paused = true)]
async fn a_program_under_way_for_a_code_is_left_alone_by_a_locked_agent() {
    let house = House::commanded();
    house.prompter.asked.close();
    let ask = house.asking("dev");
    house.prompter.asked.arrived(1).await;
    house.broker.lock(Some(&peer()), "by its user").await;
    locked(ask.await.unwrap());
    house.prompter.asked.open();
    settle().await;
    assert_eq!(house.tokens.tokens.count(), 0, "the key went with the lock");
}

fn keep_locking(house: &House) -> tokio::task::JoinHandle<()> {
    let broker = Arc::clone(&house.broker);
    tokio::spawn(async move { broker.keep_locking().await })
}

#[tokio::test(start_paused = true)]
async fn idleness_locks_and_the_next_ask_unlocks() {
    let house = House::commanded();
    let locking = keep_locking(&house);
    house.ask("dev").await.unwrap();
    pass(14 * 60).await;
    house.ask("dev").await.unwrap();
    pass(14 * 60).await;
    assert_eq!(house.broker.sessions().len(), 1, "an ask defers it");
    pass(61).await;
    assert!(house.broker.sessions().is_empty());
    assert_eq!(state(&house), IdentityState::Locked);
    assert!(!house.broker.is_locked(), "the user did not say so");
    let locks = house.journal.of(Activity::IdentityLock);
    assert_eq!(locks.len(), 1);
    assert_eq!(locks[0].detail.as_deref(), Some("idle"));
    house.ask("dev").await.unwrap();
    assert_eq!(house.calls(), [2, 2, 2, 2]);
    locking.abort();
}

#[tokio::test(start_paused = true)]
async fn age_locks_however_busy_it_is() {
    let house = House::commanded();
    let locking = keep_locking(&house);
    house.ask("dev").await.unwrap();
    for _ in 0..71 {
        pass(600).await;
        house.ask("dev").await.unwrap();
    }
    assert_eq!(house.keyring.loads.count(), 1);
    assert_eq!(house.recorded(Activity::IdentityLock), 0);
    pass(600).await;
    let locks = house.journal.of(Activity::IdentityLock);
    assert_eq!(locks[0].detail.as_deref(), Some("max_unlock reached"));
    assert!(house.broker.sessions().is_empty());
    locking.abort();
}

#[tokio::test(start_paused = true)]
async fn a_sleeping_machine_was_idle() {
    let house = House::commanded();
    let locking = keep_locking(&house);
    house.ask("dev").await.unwrap();
    house.clock.suspend(Duration::from_secs(16 * 60));
    house.ask("dev").await.unwrap();
    assert_eq!(house.recorded(Activity::IdentityLock), 1);
    assert_eq!(house.calls(), [2, 2, 2, 2]);
    locking.abort();
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_back_does_not_defer_a_lock() {
    let house = House::commanded();
    let locking = keep_locking(&house);
    house.ask("dev").await.unwrap();
    settle().await;
    house.clock.set_back(Duration::from_secs(3600));
    pass(15 * 60).await;
    assert_eq!(house.recorded(Activity::IdentityLock), 1);
    locking.abort();
}

#[tokio::test(start_paused = true)]
async fn sessions_are_dropped_in_time_though_their_identity_went_before() {
    let house = House::with(settings(
        vec![commanded()],
        vec![profile("dev"), profile("ops")],
    ));
    house.prompter.prints(&["111111"]);
    let locking = keep_locking(&house);
    house.ask("dev").await.unwrap();
    house.tokens.script(super::fakes::Script::Fail(
        crate::ports::TokenErrorKind::CredentialsRejected,
    ));
    assert_eq!(
        house.ask("ops").await.unwrap_err().code(),
        Code::UpstreamDenied
    );
    assert_eq!(house.broker.sessions().len(), 1);
    pass(15 * 60 + 1).await;
    assert!(house.broker.sessions().is_empty());
    locking.abort();
}

#[tokio::test(start_paused = true)]
async fn a_shorter_limit_counts_from_its_reload_on() {
    let never = |mut settings: Settings| {
        settings.agent.idle_lock = None;
        settings.agent.max_unlock = None;
        settings
    };
    let configured = || settings(vec![commanded()], vec![profile("dev")]);
    let house = House::with(never(configured()));
    house.prompter.prints(&["111111"]);
    let locking = keep_locking(&house);
    house.ask("dev").await.unwrap();
    pass(20 * 60).await;
    assert_eq!(house.recorded(Activity::IdentityLock), 0);
    house.broker.replace_settings(configured()).await;
    settle().await;
    assert_eq!(house.recorded(Activity::IdentityLock), 1);
    locking.abort();
}

#[tokio::test(start_paused = true)]
async fn nothing_wakes_while_nothing_is_unlocked() {
    let house = House::commanded();
    let locking = keep_locking(&house);
    settle().await;
    pass(24 * 3600).await;
    assert!(house.journal.records().is_empty());
    assert!(!locking.is_finished());
    locking.abort();
}

/// Wherever the asks have got to, nothing is in memory once the lock and those it met are done.
#[tokio::test(start_paused = true)]
async fn a_lock_at_any_step_of_many_asks() {
    for steps in 0..40 {
        let custodian = crate::domain::samples::profile_via("dev", "custodian");
        let house = House::plain(vec![profile("custodian"), custodian]);
        let asks = house.many(8, "dev");
        locking_after(&house, steps).await.unwrap();
        let late = house.many(4, "dev");
        for ask in asks {
            match ask.await.unwrap() {
                Ok(_) | Err(Failure::Locked) => {}
                Err(other) => panic!("{other:?}"),
            }
        }
        for ask in late {
            locked(ask.await.unwrap());
        }
        assert_eq!(state(&house), IdentityState::Locked);
        assert!(house.broker.sessions().is_empty());
    }
}
