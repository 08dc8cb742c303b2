//! Many at once: one flight for success and for failure.

use super::fakes::Script;
use super::*;
use crate::ports::{PromptError, StoreError, TokenErrorKind};

async fn outcomes(
    asks: Vec<tokio::task::JoinHandle<Result<Leased, Failure>>>,
) -> Vec<Result<Leased, Failure>> {
    let mut outcomes = Vec::new();
    for ask in asks {
        outcomes.push(ask.await.unwrap());
    }
    outcomes
}

#[tokio::test(start_paused = true)]
async fn a_hundred_cold_asks_make_one_call_of_each_kind() {
    let house = House::commanded();
    let leased: Vec<_> = outcomes(house.many(100, "dev"))
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert_eq!(house.calls(), [1, 1, 1, 1]);
    assert!(
        leased
            .iter()
            .all(|one| one.session() == leased[0].session())
    );
    assert_eq!(house.broker.leases().len(), 100);
    assert_eq!(house.recorded(Activity::LeaseIssue), 1);
    assert_eq!(house.recorded(Activity::LeaseServe), 99);
    assert_eq!(house.tokens.seen()[0].signer, "ASIAMFA0000000000001");
    let mut ids: Vec<_> = leased.iter().map(|one| one.lease.id.clone()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 100);
}

#[tokio::test(start_paused = true)]
async fn waiters_that_go_away_cancel_nothing() {
    let house = House::commanded();
    house.tokens.roles.close();
    let mut asks = house.many(5, "dev");
    house.tokens.roles.arrived(1).await;
    for gone in asks.drain(..3) {
        gone.abort();
    }
    settle().await;
    house.tokens.roles.open();
    assert!(outcomes(asks).await.iter().all(Result::is_ok));
    assert_eq!(house.calls(), [1, 1, 1, 1]);
    assert_eq!(house.recorded(Activity::LeaseIssue), 1);
    assert_eq!(house.recorded(Activity::LeaseServe), 1);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_nobody_waited_for_is_issued_to_the_next() {
    let house = House::commanded();
    house.tokens.roles.close();
    let only = house.asking("dev");
    house.tokens.roles.arrived(1).await;
    only.abort();
    settle().await;
    house.tokens.roles.open();
    settle().await;
    house.ask("dev").await.unwrap();
    assert_eq!(house.tokens.roles.count(), 1);
    assert_eq!(house.recorded(Activity::LeaseIssue), 1);
}

#[tokio::test(start_paused = true)]
async fn a_denied_role_is_asked_for_once_in_ten_seconds() {
    let house = House::plain(vec![profile("dev")]);
    house.tokens.deny(Some(TokenErrorKind::Denied));
    for outcome in outcomes(house.many(100, "dev")).await {
        assert_eq!(
            outcome.unwrap_err().code(),
            jumpgate_api::Code::UpstreamDenied
        );
    }
    assert_eq!(house.tokens.roles.count(), 1);
    assert_eq!(house.recorded(Activity::Deny), 0);
    pass(9).await;
    house.ask("dev").await.unwrap_err();
    assert_eq!(house.tokens.roles.count(), 1);
    pass(2).await;
    let denials = house.journal.of(Activity::Deny);
    assert_eq!(denials.len(), 1);
    assert_eq!(denials[0].facts.count, Some(101));
    assert_eq!(denials[0].facts.code.as_deref(), Some("upstream_denied"));
    assert_eq!(denials[0].facts.sts_request_id.as_deref(), Some("request"));
    house.ask("dev").await.unwrap_err();
    assert_eq!(house.tokens.roles.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn gathered_denials_are_written_on_demand() {
    let house = House::plain(vec![profile("dev")]);
    house.tokens.deny(Some(TokenErrorKind::Denied));
    outcomes(house.many(100, "dev")).await;
    house.broker.flush_denials().await;
    let denials = house.journal.of(Activity::Deny);
    assert_eq!(denials.len(), 1);
    assert_eq!(denials[0].facts.count, Some(100));
    pass(11).await;
    assert_eq!(house.recorded(Activity::Deny), 1);
}

#[tokio::test(start_paused = true)]
async fn failures_of_sts_are_remembered_by_their_kind() {
    use TokenErrorKind::{
        ClockSkewed, CredentialsRejected, Denied, Invalid, RegionDisabled, RequestRejected,
        Throttled, TimedOut, Unavailable,
    };
    for (kind, seconds) in [
        (Denied, 10),
        (CredentialsRejected, 10),
        (RequestRejected, 10),
        (ClockSkewed, 10),
        (RegionDisabled, 10),
        (Throttled, 3),
        (Unavailable, 3),
        (TimedOut, 3),
        (Invalid, 3),
    ] {
        let house = House::plain(vec![profile("dev")]);
        house.tokens.script(Script::Fail(kind));
        let failure = house.ask("dev").await.unwrap_err();
        pass(seconds - 1).await;
        assert_eq!(house.ask("dev").await.unwrap_err(), failure, "{kind:?}");
        pass(1).await;
        assert!(house.ask("dev").await.is_ok(), "{kind:?}");
        assert_eq!(house.tokens.roles.count(), 2, "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_declined_keyring_is_not_asked_again_for_ten_seconds() {
    let house = House::plain(vec![profile("dev"), profile("ops")]);
    house.keyring.fail(Some(StoreError::Declined));
    for name in ["dev", "dev", "ops"] {
        let failure = house.ask(name).await.unwrap_err();
        assert_eq!(failure.code(), jumpgate_api::Code::UserDeclined);
    }
    assert_eq!(
        house.keyring.loads.count(),
        1,
        "one prompt, whatever the profile"
    );
    house.keyring.fail(None);
    pass(10).await;
    assert!(house.ask("dev").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_program_that_fails_is_not_run_for_every_profile() {
    let house = House::with(settings(
        vec![commanded()],
        vec![profile("dev"), profile("ops")],
    ));
    house
        .prompter
        .fails(PromptError::Failed("no device".into()));
    for name in ["dev", "dev", "ops"] {
        assert_eq!(
            house.ask(name).await.unwrap_err().code(),
            jumpgate_api::Code::IdentityLocked
        );
    }
    assert_eq!(house.prompter.asked.count(), 1);
    pass(3).await;
    house.prompter.prints(&["111111"]);
    assert!(house.ask("ops").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn what_a_person_can_mend_is_not_remembered() {
    let house = House::typed();
    let failure = house.ask("dev").await.unwrap_err();
    assert_eq!(failure.code(), jumpgate_api::Code::InteractionRequired);
    assert_eq!(failure.remembered(), None);
    house.type_code("111111").await.unwrap();
    assert!(house.ask("dev").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_flight_is_a_fault_for_its_waiters_alone() {
    let house = House::plain(vec![profile("dev")]);
    house.tokens.script(Script::Panic);
    for outcome in outcomes(house.many(3, "dev")).await {
        assert_eq!(outcome.unwrap_err().code(), jumpgate_api::Code::Internal);
    }
    assert!(house.ask("dev").await.is_ok());
    assert_eq!(house.tokens.roles.count(), 2);
}
