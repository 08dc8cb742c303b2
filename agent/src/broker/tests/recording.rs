//! Nothing leaves unrecorded.

use std::sync::atomic::Ordering;

use jumpgate_api::Code;

use super::*;
use crate::domain::event::{Durability, Event};
use crate::domain::grant::Narrowing;
use crate::domain::samples::{policy, tag_key, template};

#[tokio::test(start_paused = true)]
async fn without_a_journal_nothing_leaves() {
    let house = House::plain(vec![profile("dev")]);
    house.journal.broken.store(true, Ordering::SeqCst);
    for _ in 0..3 {
        let failure = house.ask("dev").await.unwrap_err();
        assert_eq!(failure.code(), Code::JournalUnavailable);
    }
    assert!(house.broker.leases().is_empty());
    house.journal.broken.store(false, Ordering::SeqCst);
    house.ask("dev").await.unwrap();
    house.ask("dev").await.unwrap();
    assert_eq!(house.tokens.roles.count(), 1);
    assert_eq!(house.recorded(Activity::LeaseIssue), 1);
    assert_eq!(house.recorded(Activity::LeaseServe), 1);
}

/// Whatever became of the issue: a hand-out waits for the disk until one of its session is known to be there.
#[tokio::test(start_paused = true)]
async fn nothing_of_a_session_is_only_written_before_something_of_it_is_flushed() {
    let house = House::commanded();
    house.unlock(Answers::default()).await.unwrap();
    let writes = house.journal.writes.count();
    house.journal.writes.close();
    let issue = house.asking("dev");
    house.journal.writes.arrived(writes + 1).await;
    issue.abort();
    let serves = [house.asking("dev"), house.asking("dev")];
    house.journal.writes.arrived(writes + 3).await;
    house.journal.writes.open();
    for serve in serves {
        serve.await.unwrap().unwrap();
    }
    house.ask("dev").await.unwrap();
    let serves = house.journal.of(Activity::LeaseServe);
    let serves: Vec<_> = serves.iter().map(Event::durability).collect();
    assert_eq!(
        house.recorded(Activity::LeaseIssue),
        1,
        "its caller went away"
    );
    assert_eq!(
        serves,
        [
            Durability::Flushed,
            Durability::Flushed,
            Durability::Written
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn an_unlock_without_a_person_is_recorded_too() {
    let house = House::commanded();
    house.ask("dev").await.unwrap();
    house.ask("dev").await.unwrap();
    let unlocks = house.journal.of(Activity::IdentityUnlock);
    assert_eq!(unlocks.len(), 1);
    assert_eq!(unlocks[0].facts.identity.as_deref(), Some("jump"));
    assert_eq!((&unlocks[0].peer, &unlocks[0].failure), (&None, &None));
    house.broker.lock(None, "by the test").await;
    house.unlock(Answers::default()).await.unwrap();
    let unlocks = house.journal.of(Activity::IdentityUnlock);
    assert_eq!(unlocks.len(), 2);
    assert_eq!(unlocks[1].peer, Some(peer()));
}

#[tokio::test(start_paused = true)]
async fn the_reply_waits_for_the_record() {
    let house = House::plain(vec![profile("dev")]);
    house.journal.writes.close();
    let ask = house.asking("dev");
    house.journal.writes.arrived(1).await;
    settle().await;
    assert!(!ask.is_finished());
    assert!(house.broker.leases().is_empty());
    house.journal.writes.open();
    ask.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_lease_says_who_what_and_until_when() {
    let tagged = Profile {
        tags: vec![(tag_key("Team"), template("{ticket}"))],
        transitive: vec![tag_key("Team")],
        source_identity: Some(template("{user}")),
        ..profile("dev")
    };
    let house = House::plain(vec![tagged]);
    let mut ask = ask("dev");
    ask.reason = Some("because".into());
    ask.ticket = Some("OPS-1".into());
    ask.narrowing = Narrowing {
        policy: Some(policy("s3:GetObject")),
        ..Narrowing::default()
    };
    let leased = house
        .broker
        .credentials(&peer(), &Same, &ask)
        .await
        .unwrap();
    let event = house.journal.of(Activity::LeaseIssue).remove(0);
    let (facts, session) = (&event.facts, leased.session());
    assert_eq!(event.lease, Some(leased.lease.id.clone()));
    assert_eq!(event.expires_at, Some(session.expires_at));
    assert_eq!(event.peer, Some(peer()));
    assert_eq!(event.account.unwrap().as_str(), "222222222222");
    assert_eq!(
        facts.access_key_id.as_deref(),
        Some(session.access_key_id.as_str())
    );
    assert_eq!(facts.session.as_deref(), Some(session.id.as_str()));
    assert_eq!(
        facts.session_name.as_deref(),
        Some(format!("alice-{}", session.id).as_str())
    );
    assert_eq!(facts.tags, [("Team".to_owned(), "OPS-1".to_owned())]);
    assert_eq!(facts.transitive_tags, ["Team"]);
    assert_eq!(facts.source_identity.as_deref(), Some("alice"));
    assert_eq!(facts.policy, Some(policy("s3:GetObject")));
    assert_eq!(facts.reason.as_deref(), Some("because"));
    assert_eq!(facts.ticket.as_deref(), Some("OPS-1"));
    assert_eq!(facts.packed_policy_percent, Some(7));
    assert_eq!(facts.token_bytes, Some("canary-session-token".len()));
    assert_eq!(facts.sts_request_id.as_deref(), Some("request-1"));
}

#[tokio::test(start_paused = true)]
async fn no_secret_is_in_a_record_or_in_what_can_be_printed() {
    let house = House::commanded();
    let leased = house.ask("dev").await.unwrap();
    house.broker.lock(Some(&peer()), "by its user").await;
    house.ask("dev").await.unwrap_err();
    house.broker.flush_denials().await;
    let text = format!(
        "{:?} {leased:?} {:?}",
        house.journal.records(),
        house.broker.leases()
    );
    assert!(!text.contains("canary"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_lease_ends_once_and_only_with_a_record() {
    let house = House::plain(vec![profile("dev")]);
    let id = house.ask("dev").await.unwrap().lease.id;
    house.journal.broken.store(true, Ordering::SeqCst);
    let failure = house.broker.end_lease(&peer(), &id).await.unwrap_err();
    assert_eq!(failure.code(), Code::JournalUnavailable);
    assert_eq!(house.broker.leases().len(), 1);
    house.journal.broken.store(false, Ordering::SeqCst);
    assert_eq!(house.broker.end_lease(&peer(), &id).await.unwrap().id, id);
    assert!(house.broker.leases().is_empty());
    let failure = house.broker.end_lease(&peer(), &id).await.unwrap_err();
    assert_eq!(failure.code(), Code::LeaseNotFound);
    assert_eq!(house.recorded(Activity::LeaseEnd), 1);
}

#[tokio::test(start_paused = true)]
async fn leases_end_with_their_sessions() {
    let house = House::plain(vec![profile("dev")]);
    let id = house.ask("dev").await.unwrap().lease.id;
    pass(3599).await;
    assert_eq!(house.broker.leases().len(), 1);
    pass(1).await;
    assert!(house.broker.leases().is_empty());
    let failure = house.broker.end_lease(&peer(), &id).await.unwrap_err();
    assert_eq!(failure.code(), Code::LeaseNotFound);
}

#[tokio::test(start_paused = true)]
async fn a_profile_that_wants_a_yes_gets_none_from_here() {
    let mut careful = profile("dev");
    careful.require.confirm = true;
    let through = crate::domain::samples::profile_via("ops", "dev");
    let house = House::plain(vec![careful, through]);
    for name in ["dev", "ops"] {
        let failure = house.ask(name).await.unwrap_err();
        assert_eq!(failure.code(), Code::InteractionRequired);
    }
    assert_eq!(house.calls(), [0, 0, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_reader_of_the_journal_who_goes_away_takes_no_record_along() {
    let house = House::plain(vec![]);
    for name in ["one", "two", "three"] {
        house.ask(name).await.unwrap_err();
    }
    house.journal.writes.close();
    let broker = Arc::clone(&house.broker);
    let reader = tokio::spawn(async move { drop(broker.journal(None, false).await) });
    house.journal.writes.arrived(1).await;
    reader.abort();
    settle().await;
    house.journal.writes.open();
    settle().await;
    assert_eq!(house.recorded(Activity::Deny), 3);
}
