//! Codes that the agent makes of a stored seed.

use jumpgate_api::{Code, IdentityState};

use super::*;
use crate::broker::failure::Needs;
use crate::domain::identity::CodeSource;
use crate::domain::rotation::StoredKey;
use crate::domain::samples::long_term_key;
use crate::domain::totp::{STEP_SECONDS, TotpSeed};
use crate::ports::{Clock, StoreError};

fn seed() -> TotpSeed {
    TotpSeed::parse("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ").unwrap()
}

fn seeded() -> Identity {
    let mut identity = identity();
    identity.mfa.as_mut().unwrap().source = CodeSource::Stored;
    identity
}

/// The profiles `dev` and `ops` of such an identity, with its seed stored.
fn house(identity: Identity) -> House {
    let profiles = vec![profile("dev"), profile("ops")];
    let house = House::with(settings(vec![identity], profiles));
    let mut stored = StoredKey::new(long_term_key(), None);
    stored.totp_seed = Some(seed());
    *house.keyring.kept.lock().unwrap() = Some(stored);
    house
}

fn now(house: &House) -> i64 {
    house.clock.now().unix_seconds()
}

fn code(house: &House) -> String {
    seed().code(now(house)).expose().clone()
}

#[tokio::test(start_paused = true)]
async fn all_callers_share_one_code_and_nobody_is_asked() {
    let house = house(seeded());
    let expected = code(&house);
    for caller in house.many(20, "dev") {
        caller.await.unwrap().unwrap();
    }
    assert_eq!(house.tokens.codes(), [expected]);
    assert_eq!(house.calls(), [1, 0, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_code_that_was_used_waits_for_the_next_step() {
    let house = house(seeded());
    let first = code(&house);
    house.ask("dev").await.unwrap();
    house.broker.lock(Some(&peer()), "by its user").await;
    let standing = house.broker.standing(&seeded());
    assert_eq!(standing.state, IdentityState::Locked);
    let began = now(&house);
    house.unlock(Answers::default()).await.unwrap();
    let step = |second: i64| second.div_euclid(STEP_SECONDS);
    assert_eq!(step(now(&house)), step(began) + 1, "not sooner, not later");
    assert_eq!(house.tokens.codes(), [first, code(&house)]);
    assert_eq!(house.prompter.asked.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn where_a_code_is_refused_the_next_one_is_tried_once() {
    let next = |house: &House| seed().code(now(house) + STEP_SECONDS).expose().clone();
    let restarted = house(seeded());
    let (first, second) = (code(&restarted), next(&restarted));
    restarted.tokens.take_code(&second);
    restarted.ask("dev").await.unwrap();
    assert_eq!(restarted.tokens.codes(), [first, second]);

    let other_seed = house(seeded());
    other_seed.tokens.take_code("none of them");
    let failure = other_seed.ask("dev").await.unwrap_err();
    assert_eq!(failure.code(), Code::UpstreamDenied);
    assert_eq!(other_seed.tokens.codes().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn each_role_takes_the_next_code_where_none_serves_for_all() {
    let house = house(code_each_time(seeded()));
    let began = now(&house);
    house.ask("dev").await.unwrap();
    house.ask("ops").await.unwrap();
    assert!(now(&house).div_euclid(STEP_SECONDS) > began.div_euclid(STEP_SECONDS));
    assert_eq!(house.calls(), [1, 0, 0, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_key_without_a_seed_says_so() {
    let house = House::with(settings(vec![seeded()], vec![profile("dev")]));
    let failure = house.ask("dev").await.unwrap_err();
    let Failure::Store { error, .. } = &failure else {
        panic!("{failure:?}");
    };
    let StoreError::Unavailable { what, remedy } = error else {
        panic!("{error:?}");
    };
    assert_eq!(what, "no TOTP seed is stored beside its key");
    assert_eq!(remedy, "run: jumpgate identity add jump");
    assert_eq!(house.calls(), [1, 0, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_key_is_kept_with_its_seed_or_not_at_all() {
    let house = House::with(settings(vec![seeded()], vec![profile("dev")]));
    let (name, key) = (seeded().name, long_term_key());
    let add = async |answers: Answers| {
        let broker = &house.broker;
        broker.add_identity(&peer(), &name, &key, &answers).await
    };
    let failure = add(Answers::default()).await.unwrap_err();
    assert_eq!(failure.code(), Code::InteractionRequired);
    let Failure::InteractionRequired { needs, .. } = failure else {
        panic!("{failure:?}");
    };
    assert_eq!(needs, Needs::seed());
    assert!(house.keyring.kept.lock().unwrap().is_none());
    let answers = Answers {
        totp_seed: Some(seed()),
        ..Answers::default()
    };
    add(answers).await.unwrap();
    let kept = house.keyring.kept.lock().unwrap().clone().unwrap();
    assert_eq!((kept.current.key, kept.totp_seed), (key, Some(seed())));
    house.ask("dev").await.unwrap();
}
