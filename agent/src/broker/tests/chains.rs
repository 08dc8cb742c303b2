//! Roles that assume roles.

use jumpgate_api::Code;

use super::fakes::{Assumed, Script};
use super::*;
use crate::domain::samples::{duration, profile_via, tag_key, template};
use crate::ports::TokenErrorKind;

fn roles(calls: &[Assumed]) -> Vec<(&str, &str)> {
    calls
        .iter()
        .map(|call| (call.signer.as_str(), call.request.role.name()))
        .collect()
}

fn chained() -> House {
    let long = Profile {
        duration: duration(12 * 3600),
        ..profile_via("dev", "custodian")
    };
    House::plain(vec![
        profile("custodian"),
        long,
        profile_via("ops", "custodian"),
    ])
}

const KEY: &str = crate::domain::samples::KEY_ID;

#[tokio::test(start_paused = true)]
async fn hop_by_hop_and_the_way_there_is_shared() {
    let house = chained();
    let asks = ["dev", "ops", "dev", "ops"].map(|name| house.asking(name));
    for ask in asks {
        assert!(ask.await.unwrap().unwrap().session().chained);
    }
    let mut seen = house.tokens.seen();
    seen.sort_by_key(|call| call.request.role.name().to_owned());
    assert_eq!(
        roles(&seen),
        [
            (KEY, "custodian"),
            ("ASIA0000000000000001", "dev"),
            ("ASIA0000000000000001", "ops")
        ]
    );
    assert!(
        seen.iter()
            .all(|call| call.request.duration.seconds() == 3600)
    );
    let on_the_way = house.journal.of(Activity::SessionRefresh);
    assert_eq!(on_the_way.len(), 1, "no lease tells of the role on the way");
    assert!(!house.ask("custodian").await.unwrap().session().chained);
    assert_eq!(house.tokens.roles.count(), 3);
    let issued = house.journal.of(Activity::LeaseIssue);
    assert_eq!(issued.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn three_hops() {
    let house = House::plain(vec![
        profile("one"),
        profile_via("two", "one"),
        profile_via("three", "two"),
    ]);
    house.ask("three").await.unwrap();
    assert_eq!(
        roles(&house.tokens.seen()),
        [
            (KEY, "one"),
            ("ASIA0000000000000001", "two"),
            ("ASIA0000000000000002", "three")
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn transitive_tags_and_the_source_identity_go_along_by_themselves() {
    let first = Profile {
        tags: vec![
            (tag_key("Team"), template("sre")),
            (tag_key("Only"), template("here")),
        ],
        transitive: vec![tag_key("Team")],
        source_identity: Some(template("{user}")),
        ..profile("custodian")
    };
    let second = Profile {
        tags: vec![
            (tag_key("team"), template("sre")),
            (tag_key("Only"), template("there")),
        ],
        transitive: vec![tag_key("team")],
        source_identity: Some(template("{user}")),
        ..profile_via("dev", "custodian")
    };
    let house = House::plain(vec![first, second]);
    house.ask("dev").await.unwrap();
    let seen = house.tokens.seen();
    assert_eq!(seen[0].request.tags.len(), 2);
    assert_eq!(
        seen[0].request.source_identity.as_ref().unwrap().as_str(),
        "alice"
    );
    let later = &seen[1].request;
    let tags: Vec<_> = later
        .tags
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    assert_eq!(tags, [("Only", "there")]);
    assert!(later.transitive.is_empty());
    assert_eq!(later.source_identity, None);
}

#[tokio::test(start_paused = true)]
async fn a_refused_way_is_refused_once_for_all() {
    let house = chained();
    house.tokens.deny(Some(TokenErrorKind::Denied));
    for name in ["dev", "ops", "custodian", "dev"] {
        assert_eq!(
            house.ask(name).await.unwrap_err().code(),
            Code::UpstreamDenied
        );
    }
    assert_eq!(house.tokens.roles.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_refused_end_leaves_the_way_open() {
    let house = chained();
    house.tokens.script(Script::Life(Duration::from_secs(3600)));
    house.tokens.script(Script::Fail(TokenErrorKind::Denied));
    house.ask("dev").await.unwrap_err();
    house.ask("ops").await.unwrap();
    let seen = house.tokens.seen();
    assert_eq!(roles(&seen)[2], ("ASIA0000000000000001", "ops"));
}

#[tokio::test(start_paused = true)]
async fn a_way_that_aws_takes_no_more_is_made_anew() {
    let house = chained();
    house.ask("dev").await.unwrap();
    house
        .tokens
        .script(Script::Fail(TokenErrorKind::CredentialsRejected));
    house.ask("ops").await.unwrap_err();
    pass(10).await;
    house.ask("ops").await.unwrap();
    let seen = house.tokens.seen();
    assert_eq!(
        roles(&seen)[3..],
        [(KEY, "custodian"), ("ASIA0000000000000004", "ops")]
    );
    assert_eq!(
        house.keyring.loads.count(),
        1,
        "the identity is not to blame"
    );
}

#[tokio::test(start_paused = true)]
async fn a_lock_between_two_hops() {
    let house = chained();
    house.ask("custodian").await.unwrap();
    house.tokens.roles.close();
    let ask = house.asking("dev");
    house.tokens.roles.arrived(2).await;
    house.broker.lock(Some(&peer()), "by its user").await;
    house.tokens.roles.open();
    assert_eq!(ask.await.unwrap().unwrap_err(), Failure::Locked);
    settle().await;
    assert_eq!(house.tokens.roles.count(), 2);
    assert!(house.broker.sessions().is_empty());
}
