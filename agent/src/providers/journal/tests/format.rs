//! What a record looks like, byte for byte, and that it always fits its line.

use jumpgate_api::Interface;
use jumpgate_iam::{AccountId, PolicyArns, PolicyDocument};
use proptest::prelude::*;

use super::super::MAX_RECORD;
use super::super::chain::{Chain, read_link};
use super::super::record::compose;
use super::*;
use crate::domain::event::Facts;
use crate::domain::name::LeaseId;
use crate::domain::peer::Peer;

fn chain() -> Chain {
    Chain {
        uid: "01KAN00000000000000000CHA1".to_owned(),
        head: None,
    }
}

fn seal(event: &Event) -> String {
    chain().seal(compose(
        event,
        "01KAN0000000000000000000R1".to_owned(),
        "0.1.0",
    ))
}

const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}"#;

fn full() -> Event {
    let text = |text: &str| Some(text.to_owned());
    let tag = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let view = "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess";
    Event {
        peer: Some(Peer {
            pid: 4711,
            uid: 1000,
            executable: text("/usr/bin/aws"),
            origin: None,
        }),
        lease: Some(LeaseId::parse("01KAN0000000000000000000L1").unwrap()),
        expires_at: Some(at(3600)),
        account: Some(AccountId::parse("222222222222").unwrap()),
        facts: Facts {
            identity: text("jump"),
            profile: text("dev"),
            role_arn: text("arn:aws:iam::222222222222:role/Developer"),
            session: text("01KAN0000000000000000000S1"),
            interface: Some(Interface::Process),
            access_key_id: text("ASIAEXAMPLE"),
            assumed_role_id: text("AROAEXAMPLE:alice"),
            session_name: text("alice-01KAN0000000000000000000S1"),
            source_identity: text("alice"),
            tags: vec![tag("Team", "sre"), tag("Äpfel", "ja \"€\" 😀")],
            transitive_tags: vec!["Team".to_owned()],
            policy: Some(PolicyDocument::parse(POLICY).unwrap()),
            policy_arns: Some(PolicyArns::new(vec![view.parse().unwrap()]).unwrap()),
            packed_policy_percent: Some(12),
            token_bytes: Some(912),
            token_percent: Some(22),
            sts_request_id: text("c6104cbe-af31-11e0-8154-cbc7ccf896c7"),
            ticket: text("OPS-1"),
            reason: text("a\tb\u{1b}[2J\u{9b}\u{202e}\u{7f}\\"),
            ..Facts::default()
        },
        ..Event::new(
            Activity::LeaseIssue,
            Timestamp::from_unix_millis(MIDNIGHT * 1000 + 7),
        )
    }
}

/// One record of each class, and each way to fail.
fn samples() -> Vec<Event> {
    let mut deny = Event::new(Activity::Deny, at(1));
    deny.failure = Some("AccessDenied".to_owned());
    deny.detail = Some("a role that does not trust us".to_owned());
    deny.facts.code = Some("upstream_denied".to_owned());
    deny.facts.count = Some(100);
    let mut lock = Event::new(Activity::IdentityLock, at(2));
    lock.detail = Some("idle".to_owned());
    let mut prune = Event::new(Activity::LogPrune, at(3));
    prune.facts.journal_file = Some("audit-20261022-1.jsonl".to_owned());
    prune.facts.journal_head = Some("ab".repeat(32));
    prune.facts.count = Some(41);
    let mut recover = Event::new(Activity::LogRecover, at(4));
    recover.facts.journal_line = Some(17);
    vec![
        full(),
        deny,
        lock,
        prune,
        recover,
        Event::new(Activity::AgentStart, at(5)),
    ]
}

#[test]
fn records_are_as_they_always_were() {
    let mut chain = chain();
    let ids = Counting(AtomicU64::new(0));
    let lines = samples()
        .into_iter()
        .map(|e| chain.seal(compose(&e, ids.ulid(), "0.1.0")) + "\n");
    let text: String = lines.collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/providers/journal/golden");
    let path = path.join("records.jsonl");
    if std::env::var_os("JUMPGATE_BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text, kept, "the journal's format changed; it is a contract");
}

#[test]
fn the_golden_chain_is_one() {
    let mut before: Option<String> = None;
    for line in include_str!("../golden/records.jsonl").lines() {
        let link = read_link(line.as_bytes()).unwrap();
        assert!(link.fits, "{line}");
        assert_eq!(link.prev, before);
        before = Some(link.hash);
    }
    assert!(before.is_some());
}

/// The words of the contract are all texts that the enumeration has.
#[test]
fn every_activity_has_a_class() {
    for activity in [Activity::LeaseEnd, Activity::SessionRefresh, Activity::Deny] {
        let record = compose(&Event::new(activity, at(0)), String::new(), "0");
        assert_eq!(record["class_uid"], 3003);
        assert_eq!(record["type_uid"], 300_399);
    }
    let denied = compose(&Event::new(Activity::Deny, at(0)), String::new(), "0");
    assert_eq!(
        denied["status"], "Failure",
        "a refusal without a reason is one too"
    );
}

/// A secret has a type of its own, and no event can hold one.
#[test]
fn no_event_holds_a_secret() {
    let source = include_str!("../../../domain/event.rs");
    assert!(
        !source.contains("Secret"),
        "an event's fields are written as they are"
    );
    let source = include_str!("../record.rs");
    assert!(!source.contains("Secret") && !source.contains("expose"));
}

#[test]
fn only_what_does_not_fit_is_cut() {
    let with_reason = |length: usize| {
        let mut event = full();
        event.facts.reason = Some("r".repeat(length));
        // The longest link: one that names a record before it.
        let mut chain = Chain {
            head: Some("ab".repeat(32)),
            ..chain()
        };
        chain.seal(compose(
            &event,
            "01KAN0000000000000000000R1".to_owned(),
            "0.1.0",
        ))
    };
    let room = MAX_RECORD - 1 - with_reason(0).len();
    let longest = with_reason(room);
    assert_eq!(longest.len() + 1, MAX_RECORD);
    assert!(longest.contains(&"r".repeat(room)));
    let cut = with_reason(room + 1);
    let missing = room + 1 - 1024;
    assert!(
        cut.contains(&format!("{}…[+{missing}]\"", "r".repeat(1024))),
        "{cut}"
    );
    assert!(
        cut.contains("arn:aws:iam::222222222222:role/Developer"),
        "names stay whole"
    );
}

#[test]
fn lists_are_cut_after_texts_and_say_so() {
    let mut event = full();
    event.facts.tags = (0..50)
        .map(|n| (format!("{n:02}{}", "k".repeat(126)), "😀".repeat(256)))
        .collect();
    event.facts.transitive_tags = event
        .facts
        .tags
        .iter()
        .map(|(key, _)| key.clone())
        .collect();
    let record: serde_json::Value = serde_json::from_str(&seal(&event)).unwrap();
    let facts = &record["unmapped"]["jumpgate"];
    assert_eq!(facts["tags_omitted"], 40);
    assert_eq!(facts["transitive_tags_omitted"], 40);
    assert_eq!(facts["tags"].as_object().unwrap().len(), 10);
    assert_eq!(facts["profile"], "dev");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Even texts that no caller can send, in every field at once.
    #[test]
    fn every_record_fits_its_line(text in "[\u{0}\u{1f}\u{7f}a\"€😀]{0,20}",
        times in prop_oneof![0..5_usize, 0..300_usize],
        many in 0..52_usize,) {
        let text = text.repeat(times);
        let mut event = full();
        let long = || Some(text.clone());
        event.failure = long();
        event.detail = long();
        event.peer.as_mut().unwrap().executable = long();
        event.facts = Facts {
            identity: long(), profile: long(), role_arn: long(), session: long(),
            access_key_id: long(), assumed_role_id: long(), session_name: long(),
            source_identity: long(), sts_request_id: long(), code: long(), ticket: long(),
            reason: long(), journal_file: long(), journal_head: long(),
            tags: (0..many).map(|n| (format!("{n}{text}"), text.clone())).collect(),
            transitive_tags: vec![text.clone(); many],
            ..event.facts
        };
        let line = seal(&event);
        prop_assert!(line.len() < MAX_RECORD, "{}", line.len());
        prop_assert!(read_link(line.as_bytes()).unwrap().fits);
        let steers = |c: char| c.is_control() || c == '\u{202e}';
        prop_assert!(!line.contains(steers));
    }
}

#[test]
fn a_text_that_looks_like_the_hashs_place_is_not_it() {
    let place = r#""attestation_list":[{"chain_uid":"01KAN00000000000000000CHA1""#;
    let mut event = full();
    event.detail = Some(place.to_owned());
    event.peer.as_mut().unwrap().executable = Some(place.to_owned());
    let tag = |key: &str| (key.to_owned(), place.to_owned());
    event.facts.tags = vec![tag("attestation_list"), tag(place)];
    let mut chain = chain();
    for nth in 0..2 {
        let line = chain.seal(compose(&event, format!("{nth:026}"), "0.1.0"));
        let link = read_link(line.as_bytes()).unwrap();
        assert!(link.fits, "{line}");
        assert_eq!(Some(link.hash), chain.head);
    }
}
