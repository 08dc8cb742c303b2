//! Unlocking by a person: what is asked for, who waits meanwhile, and codes that serve once.

use jumpgate_api::{Code, IdentityState};

use super::*;
use crate::broker::Needs;
use crate::domain::identity::Store;
use crate::ports::TokenErrorKind;

const SERIAL: &str = "arn:aws:iam::111111111111:mfa/alice";

fn needs(failure: Failure) -> Needs {
    match failure {
        Failure::InteractionRequired { needs, .. } => needs,
        other => panic!("{other:?}"),
    }
}

fn state(house: &House) -> IdentityState {
    let identity = house.broker.settings().identities.values().next().cloned();
    house.broker.standing(&identity.unwrap()).state
}

fn sealed() -> House {
    let identity = Identity {
        store: Store::File,
        ..identity()
    };
    House::with(settings(vec![identity], vec![profile("dev")]))
}

#[tokio::test(start_paused = true)]
async fn passphrase_and_code_are_asked_for_together() {
    let house = sealed();
    let both = Needs {
        passphrase: true,
        mfa_serial: Some(SERIAL.into()),
        ..Needs::default()
    };
    assert_eq!(needs(house.ask("dev").await.unwrap_err()), both);
    assert_eq!(
        needs(house.unlock(Answers::default()).await.unwrap_err()),
        both
    );
    assert_eq!(state(&house), IdentityState::Prompting);
    let passphrase = Some("open sesame".into());
    let half = Answers {
        passphrase: passphrase.clone(),
        ..Answers::default()
    };
    let code = Needs {
        mfa_serial: Some(SERIAL.into()),
        ..Needs::default()
    };
    assert_eq!(needs(house.unlock(half).await.unwrap_err()), code);
    let other_half = code_answer("111111");
    let missing = Needs {
        passphrase: true,
        ..Needs::default()
    };
    assert_eq!(needs(house.unlock(other_half).await.unwrap_err()), missing);
    let whole = Answers {
        passphrase,
        mfa_code: Some("111111".into()),
        ..Answers::default()
    };
    house.unlock(whole).await.unwrap();
    assert_eq!(state(&house), IdentityState::Unlocked);
    assert_eq!(house.recorded(Activity::IdentityUnlock), 1);
    house.ask("dev").await.unwrap();
    assert_eq!(house.calls(), [1, 0, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn passphrase_and_the_code_for_each_role_are_asked_for_together() {
    let identity = code_each_time(Identity {
        store: Store::File,
        ..identity()
    });
    let house = House::with(settings(vec![identity], vec![profile("dev")]));
    let both = Needs {
        passphrase: true,
        mfa_serial: Some(SERIAL.into()),
        ..Needs::default()
    };
    assert_eq!(
        needs(house.unlock(Answers::default()).await.unwrap_err()),
        both
    );
    let whole = Answers {
        passphrase: Some("open sesame".into()),
        mfa_code: Some("111111".into()),
        ..Answers::default()
    };
    house.unlock(whole).await.unwrap();
    house.ask("dev").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn nobody_being_asked_fails_at_once() {
    let house = House::typed();
    let before = tokio::time::Instant::now();
    let failure = house.ask("dev").await.unwrap_err();
    assert_eq!(failure.code(), Code::InteractionRequired);
    assert_eq!(before.elapsed(), Duration::ZERO);
    assert_eq!(state(&house), IdentityState::Locked);
}

#[tokio::test(start_paused = true)]
async fn callers_wait_for_an_open_prompt_and_get_their_session() {
    let house = House::typed();
    house.unlock(Answers::default()).await.unwrap_err();
    let asks = house.many(20, "dev");
    settle().await;
    let reads = house.clock.reads();
    pass(20).await;
    assert_eq!(
        house.clock.reads(),
        reads,
        "they wait, and do not look again and again"
    );
    assert_eq!(house.calls(), [0, 0, 0, 0], "the key stays in its store");
    assert!(asks.iter().all(|ask| !ask.is_finished()));
    house.type_code("123456").await.unwrap();
    for ask in asks {
        ask.await.unwrap().unwrap();
    }
    assert_eq!(house.tokens.codes(), ["123456"]);
    assert_eq!(house.tokens.roles.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn callers_wait_no_longer_than_prompt_wait() {
    let house = House::typed();
    house.unlock(Answers::default()).await.unwrap_err();
    let ask = house.asking("dev");
    settle().await;
    pass(49).await;
    assert!(!ask.is_finished());
    pass(1).await;
    assert!(ask.is_finished());
    let failure = ask.await.unwrap().unwrap_err();
    assert_eq!(failure.code(), Code::InteractionRequired);
}

#[tokio::test(start_paused = true)]
async fn a_prompt_is_forgotten_after_two_minutes() {
    let house = House::typed();
    house.unlock(Answers::default()).await.unwrap_err();
    pass(119).await;
    assert_eq!(state(&house), IdentityState::Prompting);
    pass(1).await;
    assert_eq!(state(&house), IdentityState::Locked);
    let before = tokio::time::Instant::now();
    house.ask("dev").await.unwrap_err();
    assert_eq!(before.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_code_and_then_the_right_one() {
    let house = House::with(settings(
        vec![identity()],
        vec![profile("dev"), profile("ops")],
    ));
    house.tokens.take_code("123456");
    house.unlock(Answers::default()).await.unwrap_err();
    let early = house.asking("dev");
    settle().await;
    house.tokens.tokens.close();
    let (broker, wrong) = (Arc::clone(&house.broker), code_answer("654321"));
    let typing = tokio::spawn(async move { broker.unlock(&peer(), None, wrong).await.map(drop) });
    house.tokens.tokens.arrived(1).await;
    let late = house.asking("ops");
    settle().await;
    house.tokens.tokens.open();
    let failure = typing.await.unwrap().unwrap_err();
    assert_eq!(failure.code(), Code::UpstreamDenied);
    settle().await;
    assert!(
        !early.is_finished() && !late.is_finished(),
        "the person types again"
    );
    assert_eq!(state(&house), IdentityState::Prompting);
    house.type_code("123456").await.unwrap();
    early.await.unwrap().unwrap();
    late.await.unwrap().unwrap();
    assert_eq!(house.tokens.codes(), ["654321", "123456"]);
    let unlocks = house.journal.of(Activity::IdentityUnlock);
    assert_eq!(unlocks.len(), 2);
    assert_eq!(unlocks[0].facts.code.as_deref(), Some("upstream_denied"));
    assert_eq!(unlocks[1].failure, None);
}

#[tokio::test(start_paused = true)]
async fn after_a_wrong_code_callers_are_told_what_is_missing() {
    let house = House::typed();
    house.tokens.take_code("123456");
    house.unlock(Answers::default()).await.unwrap_err();
    let ask = house.asking("dev");
    settle().await;
    house.type_code("654321").await.unwrap_err();
    pass(51).await;
    let failure = ask.await.unwrap().unwrap_err();
    assert_eq!(failure.code(), Code::InteractionRequired);
}

#[tokio::test(start_paused = true)]
async fn a_used_code_is_refused_without_a_call() {
    let house = House::typed();
    house.tokens.take_code("123456");
    house.type_code("654321").await.unwrap_err();
    let failure = house.type_code("654321").await.unwrap_err();
    assert!(matches!(failure, Failure::CodeUsedBefore(_)));
    assert_eq!(house.tokens.tokens.count(), 1);
    house.type_code("123456").await.unwrap();
    house.broker.lock(Some(&peer()), "by its user").await;
    let failure = house.type_code("123456").await.unwrap_err();
    assert!(
        matches!(failure, Failure::CodeUsedBefore(_)),
        "AWS remembers it over a lock"
    );
}

#[tokio::test(start_paused = true)]
async fn a_program_that_repeats_itself_is_asked_again_in_the_next_step() {
    let house = House::with(settings(vec![commanded()], vec![profile("dev")]));
    house.prompter.prints(&["111111", "111111", "222222"]);
    house.ask("dev").await.unwrap();
    house.broker.lock(Some(&peer()), "by its user").await;
    pass(10).await;
    let before = tokio::time::Instant::now();
    house.unlock(Answers::default()).await.unwrap();
    assert_eq!(before.elapsed(), Duration::from_secs(20));
    assert_eq!(house.tokens.codes(), ["111111", "222222"]);
}

#[tokio::test(start_paused = true)]
async fn a_program_that_is_stuck_is_given_up() {
    let house = House::with(settings(vec![commanded()], vec![profile("dev")]));
    house.prompter.prints(&["111111"]);
    house.ask("dev").await.unwrap();
    house.broker.lock(Some(&peer()), "by its user").await;
    let failure = house.unlock(Answers::default()).await.unwrap_err();
    assert!(matches!(failure, Failure::CodeUsedBefore(_)));
    assert_eq!(house.tokens.codes(), ["111111"]);
}

#[tokio::test(start_paused = true)]
async fn without_mfa_sessions_each_role_takes_a_code() {
    let profiles = vec![profile("dev"), profile("ops"), profile("db")];
    let house = House::with(settings(vec![code_each_time(commanded())], profiles));
    house
        .prompter
        .prints(&["111111", "111111", "111111", "222222", "333333"]);
    let asks = ["dev", "ops", "db"].map(|name| house.asking(name));
    for ask in asks {
        ask.await.unwrap().unwrap();
    }
    let mut codes: Vec<_> = house
        .tokens
        .seen()
        .into_iter()
        .map(|call| call.code)
        .collect();
    codes.sort();
    assert_eq!(
        codes,
        ["111111", "222222", "333333"].map(|code| Some(code.to_owned()))
    );
    assert_eq!(house.tokens.tokens.count(), 0);
}

fn typed_each_time() -> House {
    let profiles = vec![profile("dev"), profile("ops")];
    House::with(settings(vec![code_each_time(identity())], profiles))
}

#[tokio::test(start_paused = true)]
async fn a_typed_code_serves_one_role_within_a_minute() {
    let house = typed_each_time();
    assert_eq!(
        house.ask("dev").await.unwrap_err().code(),
        Code::InteractionRequired
    );
    house.type_code("111111").await.unwrap();
    pass(59).await;
    house.ask("dev").await.unwrap();
    assert_eq!(house.tokens.seen()[0].code.as_deref(), Some("111111"));
    assert_eq!(
        house.ask("ops").await.unwrap_err().code(),
        Code::InteractionRequired
    );
    let failure = house.type_code("111111").await.unwrap_err();
    assert!(matches!(failure, Failure::CodeUsedBefore(_)));
    house.type_code("222222").await.unwrap();
    pass(60).await;
    assert_eq!(
        house.ask("ops").await.unwrap_err().code(),
        Code::InteractionRequired
    );
    assert_eq!(house.tokens.roles.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_code_that_a_waiting_caller_takes_at_once_was_enough() {
    let house = typed_each_time();
    house.unlock(Answers::default()).await.unwrap_err();
    let ask = house.asking("dev");
    settle().await;
    assert!(!ask.is_finished());
    house.type_code("111111").await.unwrap();
    ask.await.unwrap().unwrap();
    assert_eq!(house.tokens.seen()[0].code.as_deref(), Some("111111"));
}

#[tokio::test(start_paused = true)]
async fn a_code_taken_while_the_key_is_fetched_was_enough() {
    let house = typed_each_time();
    house.keyring.loads.close();
    let (broker, code) = (Arc::clone(&house.broker), code_answer("111111"));
    let typing = tokio::spawn(async move { broker.unlock(&peer(), None, code).await.map(drop) });
    settle().await;
    let ask = house.asking("dev");
    settle().await;
    house.keyring.loads.open();
    typing.await.unwrap().unwrap();
    ask.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_new_code_mends_what_a_wrong_one_broke_at_once() {
    let house = typed_each_time();
    house
        .tokens
        .script(super::fakes::Script::Fail(TokenErrorKind::MfaRejected));
    house.type_code("654321").await.unwrap();
    assert_eq!(
        house.ask("dev").await.unwrap_err().code(),
        Code::UpstreamDenied
    );
    assert_eq!(
        house.ask("dev").await.unwrap_err().code(),
        Code::UpstreamDenied
    );
    assert_eq!(house.tokens.roles.count(), 1);
    house.type_code("123456").await.unwrap();
    house.ask("dev").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_person_joins_no_flight_without_their_answers() {
    let house = House::with(settings(vec![commanded()], vec![profile("dev")]));
    house.prompter.asked.close();
    let ask = house.asking("dev");
    house.prompter.asked.arrived(1).await;
    let (broker, code) = (Arc::clone(&house.broker), code_answer("123456"));
    let typing = tokio::spawn(async move { broker.unlock(&peer(), None, code).await.map(drop) });
    settle().await;
    assert_eq!(house.tokens.tokens.count(), 0);
    house.prompter.asked.open();
    typing.await.unwrap().unwrap();
    let _ = ask.await.unwrap();
    house.ask("dev").await.unwrap();
    assert_eq!(house.tokens.codes(), ["123456"]);
}

#[tokio::test(start_paused = true)]
async fn an_identity_must_be_named_when_there_are_several() {
    let mut other = identity();
    other.name = crate::domain::samples::identity_name("other");
    let house = House::with(settings(vec![identity(), other], vec![profile("dev")]));
    let failure = house.type_code("123456").await.unwrap_err();
    assert_eq!(failure.code(), Code::IdentityNotFound);
    let name = crate::domain::samples::identity_name("jump");
    let unlocked = house
        .broker
        .unlock(&peer(), Some(&name), code_answer("123456"))
        .await;
    let (identity, standing) = unlocked.unwrap();
    assert_eq!(identity.name, name);
    assert_eq!(standing.state, IdentityState::Unlocked);
    let now = crate::ports::Clock::now(&*house.clock);
    assert_eq!(
        standing.mfa_until,
        Some(now.plus(Duration::from_secs(8 * 3600)))
    );
}
