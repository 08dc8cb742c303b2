//! What the desktop is shown, and how seldom.

use std::sync::atomic::Ordering;

use super::*;
use crate::ports::TokenErrorKind;

fn marked() -> Profile {
    Profile {
        notify: true,
        ..profile("dev")
    }
}

#[tokio::test(start_paused = true)]
async fn hand_outs_of_marked_profiles_and_locks_are_shown() {
    let house = House::plain(vec![marked(), profile("quiet")]);
    house.ask("quiet").await.unwrap();
    assert_eq!(house.notifier.shown(), [""; 0]);
    house.ask("dev").await.unwrap();
    house.ask("dev").await.unwrap();
    house.broker.lock(Some(&peer()), "by its user").await;
    let handed = "Session of dev handed out";
    let expected = [handed, handed, "Jumpgate is locked"];
    assert_eq!(house.notifier.shown(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_hand_out_that_is_not_recorded_is_not_shown() {
    let house = House::plain(vec![marked()]);
    house.journal.broken.store(true, Ordering::SeqCst);
    house.ask("dev").await.unwrap_err();
    assert_eq!(house.notifier.shown(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_storm_of_refused_callers_is_three_notices_in_ten_seconds() {
    let house = House::plain(vec![profile("dev")]);
    for name in ["a", "a", "b", "b", "c", "d", "e"] {
        house.ask(name).await.unwrap_err();
    }
    let shown = ["a", "b", "c"].map(|name| format!("Refused: profile {name}"));
    assert_eq!(house.notifier.shown(), shown);
    pass(11).await;
    house.ask("a").await.unwrap_err();
    assert_eq!(house.notifier.shown().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_fault_is_no_refused_caller() {
    let house = House::plain(vec![profile("dev")]);
    house.tokens.deny(Some(TokenErrorKind::Denied));
    house.ask("dev").await.unwrap_err();
    assert_eq!(house.notifier.shown(), [""; 0]);
}
