//! What is handed out near a session's end.

use jumpgate_api::Code;

use super::fakes::Script;
use super::*;
use crate::domain::samples::duration;
use crate::ports::TokenErrorKind;

const MINUTE: u64 = 60;

async fn key_id(house: &House) -> String {
    let leased = house.ask("dev").await.unwrap();
    leased.session().access_key_id.as_str().to_owned()
}

const FIRST: &str = "ASIA0000000000000001";
const SECOND: &str = "ASIA0000000000000002";

#[tokio::test(start_paused = true)]
async fn an_hour() {
    let house = House::plain(vec![profile("dev")]);
    assert_eq!(key_id(&house).await, FIRST);
    pass(30 * MINUTE - 1).await;
    assert_eq!(key_id(&house).await, FIRST);
    assert_eq!(house.tokens.roles.count(), 1, "fresh");
    pass(1).await;
    house.tokens.roles.close();
    assert_eq!(key_id(&house).await, FIRST, "served at once");
    assert_eq!(key_id(&house).await, FIRST);
    settle().await;
    assert_eq!(
        house.tokens.roles.count(),
        2,
        "refreshed once behind the callers"
    );
    house.tokens.roles.open();
    settle().await;
    assert_eq!(house.recorded(Activity::SessionRefresh), 1);
    let refresh = &house.journal.of(Activity::SessionRefresh)[0];
    assert_eq!(refresh.facts.access_key_id.as_deref(), Some(SECOND));
    assert_eq!(refresh.failure, None);
    assert_eq!(key_id(&house).await, SECOND);
    let issues = house.journal.of(Activity::LeaseIssue);
    assert_eq!(issues.len(), 2, "each session is issued once");
}

#[tokio::test(start_paused = true)]
async fn a_quarter_of_an_hour() {
    let short = Profile {
        duration: duration(900),
        ..profile("dev")
    };
    let house = House::plain(vec![short]);
    assert_eq!(key_id(&house).await, FIRST);
    pass(359).await;
    assert_eq!(key_id(&house).await, FIRST);
    assert_eq!(house.tokens.roles.count(), 1);
    pass(1).await;
    assert_eq!(key_id(&house).await, FIRST);
    settle().await;
    assert_eq!(house.tokens.roles.count(), 2);
    assert_eq!(key_id(&house).await, SECOND);
}

#[tokio::test(start_paused = true)]
async fn half_a_day() {
    let long = Profile {
        duration: duration(12 * 3600),
        ..profile("dev")
    };
    let house = House::plain(vec![long]);
    assert_eq!(key_id(&house).await, FIRST);
    pass(9 * 3600 - 1).await;
    assert_eq!(key_id(&house).await, FIRST);
    settle().await;
    assert_eq!(house.tokens.roles.count(), 1);
    pass(1).await;
    assert_eq!(key_id(&house).await, FIRST);
    settle().await;
    assert_eq!(house.tokens.roles.count(), 2);
}

/// A house whose session of an hour has so much left, with nobody having asked meanwhile.
async fn with_left(seconds: u64) -> House {
    let house = House::plain(vec![profile("dev")]);
    assert_eq!(key_id(&house).await, FIRST);
    pass(3600 - seconds).await;
    house
}

#[tokio::test(start_paused = true)]
async fn short_of_twenty_minutes_the_caller_waits_for_the_new_one() {
    let house = with_left(20 * MINUTE - 1).await;
    house.tokens.roles.close();
    let ask = house.asking("dev");
    house.tokens.roles.arrived(2).await;
    settle().await;
    assert!(!ask.is_finished());
    house.tokens.roles.open();
    let leased = ask.await.unwrap().unwrap();
    assert_eq!(leased.session().access_key_id.as_str(), SECOND);
}

#[tokio::test(start_paused = true)]
async fn it_waits_five_seconds_at_most_and_gets_the_old_one() {
    let house = with_left(20 * MINUTE - 1).await;
    house.tokens.roles.close();
    let ask = house.asking("dev");
    house.tokens.roles.arrived(2).await;
    pass(4).await;
    assert!(!ask.is_finished());
    pass(1).await;
    assert!(ask.is_finished());
    let leased = ask.await.unwrap().unwrap();
    assert_eq!(leased.session().access_key_id.as_str(), FIRST);
    assert_eq!(house.tokens.roles.count(), 2);
    house.tokens.roles.open();
    settle().await;
    assert_eq!(key_id(&house).await, SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_failed_refresh_keeps_the_old_one_and_pauses_longer_each_time() {
    let house = with_left(19 * MINUTE).await;
    house.tokens.deny(Some(TokenErrorKind::Unavailable));
    let mut calls = 1;
    for wait in [0, 30, 60, 120, 240, 300] {
        if wait > 0 {
            pass(wait - 1).await;
            assert_eq!(key_id(&house).await, FIRST);
            assert_eq!(house.tokens.roles.count(), calls, "{wait}");
            pass(1).await;
        }
        assert_eq!(key_id(&house).await, FIRST);
        calls += 1;
        assert_eq!(house.tokens.roles.count(), calls, "{wait}");
    }
    let refreshes = house.journal.of(Activity::SessionRefresh);
    assert_eq!(refreshes.len(), calls - 1);
    assert_eq!(
        refreshes[0].facts.code.as_deref(),
        Some("upstream_unavailable")
    );
    house.tokens.deny(None);
    pass(300).await;
    assert_ne!(key_id(&house).await, FIRST);
}

#[tokio::test(start_paused = true)]
async fn a_spent_one_is_not_served_even_if_there_is_no_other() {
    let house = with_left(61).await;
    house.tokens.deny(Some(TokenErrorKind::Unavailable));
    assert_eq!(key_id(&house).await, FIRST);
    pass(1).await;
    let failure = house.ask("dev").await.unwrap_err();
    assert_eq!(failure.code(), Code::UpstreamUnavailable);
    assert!(house.broker.sessions().is_empty());
}

#[tokio::test(start_paused = true)]
async fn one_that_is_spent_while_its_caller_waits_is_not_served() {
    let house = with_left(63).await;
    house.tokens.roles.close();
    let ask = house.asking("dev");
    house.tokens.roles.arrived(2).await;
    pass(10).await;
    assert!(
        !ask.is_finished(),
        "the old one is over: nothing but the new one will do"
    );
    house.tokens.roles.open();
    let leased = ask.await.unwrap().unwrap();
    assert_eq!(leased.session().access_key_id.as_str(), SECOND);
}

#[tokio::test(start_paused = true)]
async fn one_that_is_spent_while_it_is_recorded_is_not_served() {
    let house = with_left(90).await;
    house.tokens.deny(Some(TokenErrorKind::Unavailable));
    assert_eq!(key_id(&house).await, FIRST);
    house.journal.writes.close();
    let count = house.journal.writes.count();
    let ask = house.asking("dev");
    house.journal.writes.arrived(count + 1).await;
    pass(30).await;
    house.journal.writes.open();
    assert_eq!(ask.await.unwrap().unwrap_err().code(), Code::Busy);
    assert_eq!(house.broker.leases().len(), 2);
}

fn typed_each_time() -> House {
    let mut settings = settings(vec![code_each_time(identity())], vec![profile("dev")]);
    settings.agent.idle_lock = None;
    House::with(settings)
}

#[tokio::test(start_paused = true)]
async fn without_a_person_the_rest_is_served() {
    let house = typed_each_time();
    house.type_code("111111").await.unwrap();
    assert_eq!(key_id(&house).await, FIRST);
    for _ in 0..5 {
        pass(10 * MINUTE).await;
        assert_eq!(key_id(&house).await, FIRST);
    }
    settle().await;
    assert_eq!(house.tokens.roles.count(), 1);
    pass(9 * MINUTE).await;
    let failure = house.ask("dev").await.unwrap_err();
    assert_eq!(failure.code(), Code::InteractionRequired);
}

/// Asks every ten minutes.
async fn keep_busy(house: &House, minutes: u64) {
    for _ in 0..minutes / 10 {
        house.ask("dev").await.unwrap();
        pass(10 * MINUTE).await;
    }
}

#[tokio::test(start_paused = true)]
async fn when_the_mfa_session_ends_a_person_has_to_come() {
    let house = House::typed();
    house.type_code("111111").await.unwrap();
    keep_busy(&house, 8 * 60).await;
    let calls = house.tokens.roles.count();
    let left = house.ask("dev").await.unwrap();
    settle().await;
    assert_eq!(house.tokens.roles.count(), calls, "the rest is served");
    assert_eq!(house.tokens.tokens.count(), 1);
    let now = crate::ports::Clock::now(&*house.clock);
    assert!(left.lease.expires_at.since(now) > Duration::from_secs(60));
}

#[tokio::test(start_paused = true)]
async fn when_the_mfa_session_ends_a_program_is_asked() {
    let house = House::commanded();
    keep_busy(&house, 9 * 60).await;
    let short = Duration::from_secs(30 * MINUTE);
    for lease in house.journal.records() {
        let ends = lease.expires_at.unwrap_or_else(|| lease.at.plus(short));
        assert!(
            ends.since(lease.at) >= short,
            "refreshed in time over the MFA session's end"
        );
    }
    assert_eq!(house.tokens.codes(), ["111111", "222222"]);
    assert_eq!(house.keyring.loads.count(), 1, "the key is in memory");
}

#[tokio::test(start_paused = true)]
async fn what_sts_gives_decides_not_what_was_asked_for() {
    let house = House::plain(vec![profile("dev")]);
    house.tokens.script(Script::Life(Duration::from_secs(900)));
    assert_eq!(key_id(&house).await, FIRST);
    pass(360).await;
    assert_eq!(key_id(&house).await, FIRST);
    settle().await;
    assert_eq!(key_id(&house).await, SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_back_does_not_lengthen_a_session() {
    let house = House::plain(vec![profile("dev")]);
    assert_eq!(key_id(&house).await, FIRST);
    pass(60 * MINUTE).await;
    house.clock.set_back(Duration::from_secs(60 * MINUTE));
    assert!(house.broker.sessions().is_empty());
    assert_eq!(key_id(&house).await, SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_back_does_not_lengthen_a_refusal() {
    let house = House::plain(vec![profile("dev")]);
    house.tokens.deny(Some(TokenErrorKind::Denied));
    house.ask("dev").await.unwrap_err();
    house.tokens.deny(None);
    house.clock.set_back(Duration::from_secs(60 * MINUTE));
    pass(10).await;
    house.ask("dev").await.unwrap();
}
