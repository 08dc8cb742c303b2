//! A wall clock that somebody sets is noticed at the next request, is on record, and lengthens no life.

use super::*;

fn jumps(house: &House) -> Vec<String> {
    let jumps = house.journal.of(Activity::ClockJump).into_iter();
    jumps.filter_map(|event| event.detail).collect()
}

#[tokio::test(start_paused = true)]
async fn one_that_is_set_back_has_sessions_made_anew_and_base_credentials_end_sooner() {
    let house = House::commanded();
    let first = house.ask("dev").await.unwrap();
    let identity = house.broker.settings().identities.values().next().cloned();
    let identity = identity.unwrap();
    let until = house.broker.standing(&identity).mfa_until.unwrap();
    house.clock.set_back(Duration::from_secs(600));
    let second = house.ask("dev").await.unwrap();
    assert_ne!(first.session().id, second.session().id);
    assert_eq!(house.calls(), [1, 1, 1, 2], "nobody is asked for a code");
    let sooner = house.broker.standing(&identity).mfa_until.unwrap();
    assert_eq!(until.since(sooner), Duration::from_secs(600));
    let told = "the wall clock went back by 600 s: it reads 2027-01-15T07:50:00.000Z instead of 2027-01-15T08:00:00.000Z";
    assert_eq!(jumps(&house), [told]);
    house.ask("dev").await.unwrap();
    assert_eq!(jumps(&house).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn one_that_goes_ahead_has_expiries_judged_by_what_it_reads() {
    let house = House::commanded();
    let first = house.ask("dev").await.unwrap();
    house.clock.set_ahead(Duration::from_secs(120));
    let second = house.ask("dev").await.unwrap();
    assert_eq!(first.session().id, second.session().id, "it lives");
    house.clock.set_ahead(Duration::from_secs(3_600));
    let third = house.ask("dev").await.unwrap();
    assert_ne!(first.session().id, third.session().id, "it is over by now");
    let told = jumps(&house);
    assert_eq!(told.len(), 2);
    assert!(told[1].starts_with("the wall clock went ahead by 3600 s: "));
}

#[tokio::test(start_paused = true)]
async fn neither_sleep_nor_a_little_drift_is_a_jump() {
    let house = House::commanded();
    house.ask("dev").await.unwrap();
    house.clock.suspend(Duration::from_secs(600));
    house.clock.set_back(Duration::from_secs(29));
    house.ask("dev").await.unwrap();
    pass(300).await;
    house.ask("dev").await.unwrap();
    assert_eq!(jumps(&house), [""; 0]);
}
