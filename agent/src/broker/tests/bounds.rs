//! Everything that grows has a maximum.

use jumpgate_api::Code;

use super::*;
use crate::broker::sessions::MAX_ENTRIES;
use crate::domain::lease::MAX_LEASES;
use crate::domain::peer::Peer;
use crate::domain::samples::template;
use crate::ports::TokenErrorKind;

/// One question for each ticket.
fn house_of_tickets() -> House {
    let profile = Profile {
        source_identity: Some(template("T{ticket}")),
        ..profile("dev")
    };
    House::plain(vec![profile])
}

async fn ask_with_ticket(house: &House, number: usize) -> Result<Leased, Failure> {
    let mut ask = ask("dev");
    ask.ticket = Some(number.to_string());
    house.broker.credentials(&peer(), &Same, &ask).await
}

#[tokio::test(start_paused = true)]
async fn sessions_and_leases() {
    let house = house_of_tickets();
    for number in 0..MAX_ENTRIES {
        ask_with_ticket(&house, number).await.unwrap();
        if number == MAX_LEASES - 1 {
            assert_eq!(house.broker.leases().len(), MAX_LEASES);
        }
    }
    assert_eq!(
        house.broker.leases().len(),
        MAX_LEASES,
        "the oldest are forgotten"
    );
    let failure = ask_with_ticket(&house, MAX_ENTRIES).await.unwrap_err();
    assert_eq!(failure.code(), Code::Busy);
    ask_with_ticket(&house, 0).await.unwrap();
    pass(3600).await;
    ask_with_ticket(&house, MAX_ENTRIES).await.unwrap();
    assert_eq!(house.broker.sessions().len(), 1);
    assert_eq!(house.broker.leases().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn refused_questions_are_swept_out() {
    let house = house_of_tickets();
    house.tokens.deny(Some(TokenErrorKind::Denied));
    for number in 0..200 {
        ask_with_ticket(&house, number).await.unwrap_err();
        pass(1).await;
    }
    let kept = house.broker.sessions.entries();
    assert!(kept <= 64, "{kept}");
}

#[tokio::test(start_paused = true)]
async fn kinds_of_denials() {
    let house = House::plain(vec![]);
    for number in 0..300 {
        house.ask(&format!("missing-{number}")).await.unwrap_err();
    }
    settle().await;
    assert_eq!(
        house.recorded(Activity::Deny),
        300 - 256,
        "what is too much is written at once"
    );
    pass(10).await;
    let denials = house.journal.of(Activity::Deny);
    assert_eq!(denials.len(), 300);
    assert!(denials.iter().all(|event| event.facts.count == Some(1)));
}

#[tokio::test(start_paused = true)]
async fn a_flush_waits_for_records_that_are_being_written() {
    let house = House::plain(vec![]);
    house.ask("missing").await.unwrap_err();
    settle().await;
    house.journal.writes.close();
    pass(10).await;
    assert_eq!(
        house.journal.writes.count(),
        1,
        "its window is over, and its record on the way"
    );
    for number in 0..256 {
        house.ask(&format!("missing-{number}")).await.unwrap_err();
    }
    let one_too_many = house.asking("missing-256");
    settle().await;
    assert!(
        !one_too_many.is_finished(),
        "a flood of refusals is no faster than the disk"
    );
    let broker = Arc::clone(&house.broker);
    let flushing = tokio::spawn(async move { broker.flush_denials().await });
    settle().await;
    assert!(!flushing.is_finished());
    house.journal.writes.open();
    flushing.await.unwrap();
    one_too_many.await.unwrap().unwrap_err();
    assert_eq!(house.recorded(Activity::Deny), 258);
}

#[tokio::test(start_paused = true)]
async fn denials_of_another_kind_are_told_apart() {
    let house = House::plain(vec![profile("dev")]);
    house.tokens.deny(Some(TokenErrorKind::Denied));
    let other = Peer {
        executable: Some("/usr/bin/terraform".into()),
        ..peer()
    };
    house.ask("dev").await.unwrap_err();
    house.ask("dev").await.unwrap_err();
    house.ask("missing").await.unwrap_err();
    house
        .broker
        .credentials(&other, &Same, &ask("dev"))
        .await
        .unwrap_err();
    house
        .broker
        .note_stranger(Peer { uid: 7, ..peer() }, "another user".into())
        .await;
    house.broker.flush_denials().await;
    let mut counts: Vec<_> = house
        .journal
        .of(Activity::Deny)
        .into_iter()
        .map(|event| event.facts.count)
        .collect();
    counts.sort();
    assert_eq!(counts, [Some(1), Some(1), Some(1), Some(2)]);
}
