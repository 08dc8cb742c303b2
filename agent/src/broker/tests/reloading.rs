//! Another configuration, another key: what the old one made does not outlive it.

use jumpgate_api::{Code, IdentityState};

use super::*;
use crate::domain::name::IdentityName;
use crate::domain::samples::{identity_name, long_term_key};
use crate::ports::StoreError;

fn two() -> (Identity, Identity) {
    let other = Identity {
        name: identity_name("other"),
        ..without_mfa()
    };
    (without_mfa(), other)
}

fn of_other(name: &str) -> Profile {
    Profile {
        identity: identity_name("other"),
        ..profile(name)
    }
}

#[tokio::test(start_paused = true)]
async fn a_changed_identity_is_dropped_with_its_sessions_and_no_other() {
    let (jump, other) = two();
    let profiles = || vec![profile("dev"), of_other("ops")];
    let house = House::with(settings(vec![jump.clone(), other.clone()], profiles()));
    house.ask("dev").await.unwrap();
    house.ask("ops").await.unwrap();
    let mut changed = jump;
    changed.account = jumpgate_iam::AccountId::parse("444444444444").unwrap();
    house
        .broker
        .replace_settings(settings(vec![changed.clone(), other.clone()], profiles()))
        .await;
    assert_eq!(house.broker.standing(&changed).state, IdentityState::Locked);
    assert_eq!(house.broker.standing(&other).state, IdentityState::Unlocked);
    assert_eq!(house.broker.sessions().len(), 1);
    house.ask("ops").await.unwrap();
    assert_eq!(house.calls(), [2, 0, 0, 2]);
    house.ask("dev").await.unwrap();
    assert_eq!(house.calls(), [3, 0, 0, 3]);
    assert_eq!(house.recorded(Activity::ConfigReload), 1);
}

#[tokio::test(start_paused = true)]
async fn flights_of_a_changed_identity_land_nowhere() {
    let house = House::plain(vec![profile("dev")]);
    house.keyring.loads.close();
    let ask = house.asking("dev");
    house.keyring.loads.arrived(1).await;
    let mut changed = without_mfa();
    changed.account = jumpgate_iam::AccountId::parse("444444444444").unwrap();
    house
        .broker
        .replace_settings(settings(vec![changed.clone()], vec![profile("dev")]))
        .await;
    assert_eq!(ask.await.unwrap().unwrap_err(), Failure::Locked);
    house.keyring.loads.open();
    settle().await;
    assert_eq!(house.broker.standing(&changed).state, IdentityState::Locked);
    assert!(house.broker.sessions().is_empty());
    house.ask("dev").await.unwrap();
    assert_eq!(house.calls(), [2, 0, 0, 1]);
}

#[tokio::test(start_paused = true)]
async fn callers_that_wait_for_a_person_do_not_unlock_what_is_configured_no_more() {
    let house = House::typed();
    house.unlock(Answers::default()).await.unwrap_err();
    let ask = house.asking("dev");
    settle().await;
    let loads = house.keyring.loads.count();
    house
        .broker
        .replace_settings(settings(vec![without_mfa()], vec![profile("dev")]))
        .await;
    assert_eq!(ask.await.unwrap().unwrap_err(), Failure::Locked);
    assert_eq!(house.keyring.loads.count(), loads);
}

#[tokio::test(start_paused = true)]
async fn a_new_key_takes_the_place_of_the_old_one() {
    let house = House::plain(vec![profile("dev")]);
    house.ask("dev").await.unwrap();
    let name = identity_name("jump");
    let key = long_term_key();
    house
        .broker
        .add_identity(&peer(), &name, &key, &Answers::default())
        .await
        .unwrap();
    assert!(house.broker.sessions().is_empty());
    house.ask("dev").await.unwrap();
    assert_eq!(house.keyring.loads.count(), 2);
    assert_eq!(house.recorded(Activity::IdentityAdd), 1);
}

#[tokio::test(start_paused = true)]
async fn a_new_key_takes_its_place_though_it_cannot_be_recorded() {
    let house = House::plain(vec![profile("dev")]);
    house.ask("dev").await.unwrap();
    house
        .journal
        .broken
        .store(true, std::sync::atomic::Ordering::SeqCst);
    let (name, key) = (identity_name("jump"), long_term_key());
    let added = house
        .broker
        .add_identity(&peer(), &name, &key, &Answers::default())
        .await;
    assert_eq!(added.unwrap_err().code(), Code::JournalUnavailable);
    assert_eq!(
        house.broker.standing(&without_mfa()).state,
        IdentityState::Locked
    );
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_not_fit_is_not_kept() {
    let house = House::plain(vec![profile("dev")]);
    let name = identity_name("jump");
    for caller in [
        "arn:aws:iam::111111111111:root",
        "arn:aws:iam::999999999999:user/alice",
        "arn:aws:sts::111111111111:assumed-role/dev/alice",
    ] {
        *house.tokens.caller.lock().unwrap() = caller.to_owned();
        let (key, none) = (long_term_key(), Answers::default());
        let failure = house
            .broker
            .add_identity(&peer(), &name, &key, &none)
            .await
            .unwrap_err();
        assert_eq!(failure.code(), Code::AccessDenied, "{caller}");
    }
    let adds = house.journal.of(Activity::IdentityAdd);
    assert_eq!(adds.len(), 3);
    assert!(adds.iter().all(|event| event.failure.is_some()));
}

#[tokio::test(start_paused = true)]
async fn a_removed_key_is_used_no_more_not_even_by_a_flight_under_way() {
    let house = House::plain(vec![profile("dev")]);
    house.tokens.roles.close();
    let ask = house.asking("dev");
    house.tokens.roles.arrived(1).await;
    let name = identity_name("jump");
    house.broker.remove_identity(&peer(), &name).await.unwrap();
    house.keyring.fail(Some(StoreError::NothingStored));
    assert_eq!(ask.await.unwrap().unwrap_err(), Failure::Locked);
    house.tokens.roles.open();
    settle().await;
    assert!(house.broker.sessions().is_empty());
    assert_eq!(
        house.ask("dev").await.unwrap_err().code(),
        Code::IdentityNotFound
    );
    assert_eq!(house.recorded(Activity::IdentityRemove), 1);
}

#[tokio::test(start_paused = true)]
async fn a_change_is_made_whole_though_the_one_who_asked_for_it_goes_away() {
    let house = House::plain(vec![profile("dev")]);
    house.ask("dev").await.unwrap();
    house.keyring.changes.close();
    let (broker, name) = (Arc::clone(&house.broker), identity_name("jump"));
    let asker = tokio::spawn(async move { broker.remove_identity(&peer(), &name).await });
    house.keyring.changes.arrived(1).await;
    asker.abort();
    settle().await;
    assert!(asker.is_finished());
    house.keyring.changes.open();
    house.broker.changes_made().await;
    assert_eq!(house.recorded(Activity::IdentityRemove), 1);
    assert!(house.broker.sessions().is_empty());
    assert_eq!(
        house.broker.standing(&without_mfa()).state,
        IdentityState::Locked
    );
}

#[tokio::test(start_paused = true)]
async fn changes_under_way_have_a_maximum() {
    let names: Vec<_> = (0..100).map(|n| identity_name(&format!("i{n}"))).collect();
    let named = |name: &IdentityName| Identity {
        name: name.clone(),
        ..without_mfa()
    };
    let house = House::with(settings(names.iter().map(named).collect(), vec![]));
    house.keyring.changes.close();
    for name in names {
        let broker = Arc::clone(&house.broker);
        let asker = tokio::spawn(async move { broker.remove_identity(&peer(), &name).await });
        settle().await;
        asker.abort();
    }
    settle().await;
    assert_eq!(house.keyring.changes.count(), 16);
    house.keyring.changes.open();
}

#[tokio::test(start_paused = true)]
async fn an_identity_is_unlocked_as_it_is_configured_now_or_not_at_all() {
    let house = House::plain(vec![profile("dev")]);
    let (old, wait) = (Arc::new(without_mfa()), Duration::ZERO);
    house.broker.identities.base(&old, wait).await.unwrap();
    let new = settings(vec![identity()], vec![profile("dev")]);
    house.broker.replace_settings(new).await;
    let refused = house.broker.identities.base(&old, wait).await;
    assert_eq!(refused.map(drop), Err(Failure::Locked));
    assert_eq!(house.keyring.loads.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_flight_that_was_called_off_does_not_touch_the_next() {
    let house = House::plain(vec![profile("dev")]);
    house.tokens.roles.close();
    let first = house.asking("dev");
    house.tokens.roles.arrived(1).await;
    let mut changed = without_mfa();
    changed.account = jumpgate_iam::AccountId::parse("444444444444").unwrap();
    let changed = settings(vec![changed], vec![profile("dev")]);
    house.broker.replace_settings(changed).await;
    let (by, ask) = (peer(), ask("dev"));
    let mut second = Box::pin(house.broker.credentials(&by, &Same, &ask));
    // The second flight is under way before the first one has noticed its end.
    tokio::select! {
        biased;
        _ = &mut second => panic!("answered too early"),
        () = std::future::ready(()) => {}
    }
    settle().await;
    let third = house.asking("dev");
    settle().await;
    house.tokens.roles.open();
    assert_eq!(first.await.unwrap().unwrap_err(), Failure::Locked);
    second.await.unwrap();
    third.await.unwrap().unwrap();
    assert_eq!(house.calls(), [2, 0, 0, 2]);
}
