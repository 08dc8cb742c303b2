//! A key's rotation with everything around it: asks, locks, a journal that cannot be written, other changes.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jumpgate_api::Code;

use super::{Answers, Failure, House, pass, settle, without_mfa};
use crate::broker::Wish;
use crate::domain::event::Activity;
use crate::domain::rotation::{Aim, KeyHistory, Refusal};
use crate::domain::samples::{KEY_ID, identity_name, long_term_key, peer, profile};

const NEXT: &str = "AKIANEWKEYNEWKEY0001";

fn rotating(house: &House, aim: Aim) -> tokio::task::JoinHandle<Result<KeyHistory, Failure>> {
    let broker = Arc::clone(&house.broker);
    let wish = Wish { aim, grace: None };
    tokio::spawn(async move {
        let (name, none) = (identity_name("jump"), Answers::default());
        broker.rotate_identity(&peer(), &name, wish, &none).await
    })
}

async fn rotate(house: &House, aim: Aim) -> Result<KeyHistory, Failure> {
    rotating(house, aim).await.unwrap()
}

fn signers(house: &House) -> Vec<String> {
    house
        .tokens
        .seen()
        .into_iter()
        .map(|seen| seen.signer)
        .collect()
}

/// The phases of the records, and whether each tells of a failure.
fn recorded(house: &House) -> Vec<(String, bool)> {
    let records = house.journal.of(Activity::IdentityRotate);
    let phase = |detail: Option<String>| detail.unwrap().split(':').next().unwrap().to_owned();
    let told = records
        .into_iter()
        .map(|event| (phase(event.detail), event.failure.is_some()));
    told.collect()
}

#[tokio::test(start_paused = true)]
async fn the_new_key_signs_as_soon_as_it_is_proved_and_sessions_stay() {
    let house = House::plain(vec![profile("dev"), profile("other")]);
    house.ask("dev").await.unwrap();
    let rotated = rotate(&house, Aim::Begin).await.unwrap();
    assert_eq!(
        (rotated.current.as_str(), rotated.phase),
        (NEXT, Some("retiring"))
    );
    assert_eq!(house.keys.shown(), [format!("({KEY_ID})"), NEXT.to_owned()]);
    house.ask("dev").await.unwrap();
    house.ask("other").await.unwrap();
    assert_eq!(
        signers(&house),
        [KEY_ID, NEXT],
        "the session of the old key is served still"
    );
    assert_eq!(house.keyring.loads.count(), 2, "one unlock, one rotation");
    let phases: Vec<String> = recorded(&house)
        .into_iter()
        .map(|(phase, _)| phase)
        .collect();
    assert_eq!(phases, ["creating", "created", "switched", "retiring"]);

    pass(86_400).await;
    let settled = rotate(&house, Aim::Resume).await.unwrap();
    assert_eq!(settled.phase, None);
    assert_eq!(house.keys.shown(), [NEXT]);
}

#[tokio::test(start_paused = true)]
async fn an_abort_brings_the_former_key_back() {
    let house = House::plain(vec![profile("dev")]);
    rotate(&house, Aim::Begin).await.unwrap();
    let back = rotate(&house, Aim::Abort).await.unwrap();
    assert_eq!((back.current.as_str(), back.phase), (KEY_ID, None));
    assert_eq!(house.keys.shown(), [KEY_ID]);
    house.ask("dev").await.unwrap();
    assert_eq!(signers(&house), [KEY_ID]);
}

#[tokio::test(start_paused = true)]
async fn one_change_of_a_key_at_a_time() {
    let house = House::plain(vec![profile("dev")]);
    house.keys.changes.close();
    let first = rotating(&house, Aim::Begin);
    house.keys.changes.arrived(1).await;
    let name = identity_name("jump");
    let busy = |failure: Failure| assert_eq!(failure.code(), Code::Busy);
    busy(rotate(&house, Aim::Begin).await.unwrap_err());
    let (key, none) = (long_term_key(), Answers::default());
    busy(
        house
            .broker
            .add_identity(&peer(), &name, &key, &none)
            .await
            .unwrap_err(),
    );
    busy(
        house
            .broker
            .remove_identity(&peer(), &name)
            .await
            .unwrap_err(),
    );
    house.ask("dev").await.unwrap();
    house.keys.changes.open();
    first.await.unwrap().unwrap();
    house.broker.remove_identity(&peer(), &name).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_lock_ends_it_behind_the_key_that_was_made() {
    let house = House::plain(vec![profile("dev")]);
    house.keys.changes.close();
    let cut = rotating(&house, Aim::Begin);
    house.keys.changes.arrived(1).await;
    house.broker.lock(Some(&peer()), "by its user").await;
    house.keys.changes.open();
    assert_eq!(cut.await.unwrap().unwrap_err(), Failure::Locked);
    assert_eq!(
        house
            .keyring
            .kept
            .lock()
            .unwrap()
            .as_ref()
            .unwrap()
            .phase()
            .unwrap()
            .as_str(),
        "created"
    );
    assert_eq!(
        recorded(&house).last().unwrap(),
        &("created".to_owned(), true)
    );
    assert_eq!(
        rotate(&house, Aim::Resume).await.unwrap_err(),
        Failure::Locked
    );
    house.unlock(Answers::default()).await.unwrap();
    rotate(&house, Aim::Resume).await.unwrap();
    assert_eq!(house.keys.shown(), [format!("({KEY_ID})"), NEXT.to_owned()]);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_made_that_cannot_be_recorded() {
    let house = House::plain(vec![profile("dev")]);
    house.ask("dev").await.unwrap();
    house.journal.broken.store(true, Ordering::SeqCst);
    let failure = rotate(&house, Aim::Begin).await.unwrap_err();
    assert_eq!(failure.code(), Code::JournalUnavailable);
    assert_eq!(house.keys.shown(), [KEY_ID]);
    house.journal.broken.store(false, Ordering::SeqCst);
    rotate(&house, Aim::Resume).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_second_key_is_named_and_left_alone() {
    let house = House::plain(vec![profile("dev")]);
    house
        .keys
        .active
        .lock()
        .unwrap()
        .insert("AKIASOMEBODYSKEY0001".into(), true);
    let failure = rotate(&house, Aim::Begin).await.unwrap_err();
    assert!(
        matches!(&failure, Failure::Rotation { refusal: Refusal::NoRoom(keys), .. } if keys.len() == 2)
    );
    assert_eq!(failure.code(), Code::Conflict);
    assert_eq!(house.keys.changes.count(), 0);
    assert_eq!(house.keyring.changes.count(), 0, "nothing is stored either");
}

/// The ask's flight took the old key, and its call comes to AWS when that is inactive.
#[tokio::test(start_paused = true)]
async fn an_ask_that_a_rotation_overtook_is_made_again_with_the_new_key() {
    let house = House::plain(vec![profile("dev")]);
    let inactive = Arc::new(tokio::sync::Notify::new());
    house
        .tokens
        .script(super::fakes::Script::RejectLate(Arc::clone(&inactive)));
    let ask = house.asking("dev");
    house.tokens.roles.arrived(1).await;
    rotate(&house, Aim::Begin).await.unwrap();
    inactive.notify_one();
    settle().await;
    ask.await.unwrap().unwrap();
    assert_eq!(signers(&house), [KEY_ID, NEXT]);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_leaves_what_can_be_resumed() {
    let house = House::plain(vec![profile("dev")]);
    house.ask("dev").await.unwrap();
    house.keys.changes.close();
    let cut = rotating(&house, Aim::Begin);
    house.keys.changes.arrived(1).await;
    let broken = crate::ports::StoreError::Unavailable {
        what: "the disk is full".into(),
        remedy: "make room".into(),
    };
    house.keyring.fail(Some(broken));
    house.keys.changes.open();
    assert_eq!(
        cut.await.unwrap().unwrap_err().code(),
        Code::StoreUnavailable
    );
    assert_eq!(house.keys.shown().len(), 2, "the key that was made is lost");
    house.keyring.fail(None);
    rotate(&house, Aim::Resume).await.unwrap();
    assert_eq!(
        house.keys.shown(),
        [format!("({KEY_ID})"), "AKIANEWKEYNEWKEY0003".to_owned()]
    );
    let standing = house.broker.standing(&without_mfa());
    assert_eq!(
        standing.history.unwrap().current.as_str(),
        "AKIANEWKEYNEWKEY0003"
    );
    tokio::time::advance(Duration::from_secs(1)).await;
}

#[tokio::test(start_paused = true)]
async fn the_first_unlock_in_person_behind_the_grace_deletes_the_former_key() {
    let house = House::plain(vec![profile("dev")]);
    rotate(&house, Aim::Begin).await.unwrap();
    pass(86_399).await;
    house.unlock(Answers::default()).await.unwrap();
    settle().await;
    assert_eq!(house.keys.shown().len(), 2, "a second too early");
    pass(1).await;
    // Who asks for a session is no person, and nothing is deleted behind an ask.
    house.ask("dev").await.unwrap();
    settle().await;
    assert_eq!(house.keys.shown().len(), 2);
    house.unlock(Answers::default()).await.unwrap();
    settle().await;
    assert_eq!(house.keys.shown(), [NEXT]);
    assert_eq!(
        recorded(&house).last().unwrap(),
        &("settled".to_owned(), false)
    );
}
