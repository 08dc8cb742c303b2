//! What is sent: templates, limits, and what a chain hands on.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::domain::grant::{Ask, decide};
use crate::domain::name::SessionId;
use crate::domain::profile::NarrowBounds;
use crate::domain::samples::{
    ask, identity, peer, profile, profile_via, settings, surroundings, tag_key, tag_value, template,
};

fn composed(profiles: Vec<Profile>, ask: &Ask) -> Result<AssumeRole, ScopeError> {
    let settings = settings(vec![identity()], profiles);
    let grant = decide(&settings, &peer(), ask).unwrap();
    compose(&grant, &identity(), &surroundings())
}

fn tag(key: &str, value: &str) -> (TagKey, Template) {
    (tag_key(key), template(value))
}

fn session() -> SessionId {
    SessionId::parse("01KAN000000000000000000007").unwrap()
}

fn with_ticket(ticket: &str) -> Ask {
    Ask {
        ticket: Some(ticket.into()),
        ..ask("dev")
    }
}

#[test]
fn every_variable_in_every_place() {
    let all = "{user}={host}={profile}={account_id}={account}={session}={ticket}";
    let dev = Profile {
        account_name: Some("sandbox".into()),
        session_name: template("{user}-{session}"),
        source_identity: Some(template("{user}@{host}")),
        tags: vec![tag("All", all)],
        ..profile("dev")
    };
    let question = composed(vec![dev], &with_ticket("OPS-1")).unwrap();
    let sent = question.last.request(&session()).unwrap();
    assert_eq!(
        sent.session_name.as_str(),
        "alice-01KAN000000000000000000007"
    );
    assert_eq!(sent.source_identity.unwrap().as_str(), "alice@laptop");
    assert_eq!(
        sent.tags.value_of(&tag_key("All")).unwrap().as_str(),
        "alice=laptop=dev=222222222222=sandbox=01KAN000000000000000000007=OPS-1"
    );
    let nameless = Profile {
        tags: vec![tag("Account", "{account}")],
        ..profile("dev")
    };
    let question = composed(vec![nameless], &ask("dev")).unwrap();
    let sent = question.last.request(&session()).unwrap();
    assert_eq!(
        sent.tags.value_of(&tag_key("Account")).unwrap().as_str(),
        "222222222222"
    );
}

#[test]
fn illegal_values_are_named_with_profile_and_field() {
    let of = |change: fn(&mut Profile)| {
        let mut dev = profile("dev");
        change(&mut dev);
        composed(vec![dev], &with_ticket("a\u{1b}b"))
            .unwrap_err()
            .to_string()
    };
    for (text, start) in [
        (
            of(|dev| dev.session_name = template("{ticket}")),
            "profile dev: session name a\\u{1b}b: ",
        ),
        (
            of(|dev| dev.source_identity = Some(template("{ticket}"))),
            "profile dev: source identity a\\u{1b}b: ",
        ),
        (
            of(|dev| dev.tags = vec![tag("Team", "{ticket}")]),
            "profile dev: tag Team a\\u{1b}b: ",
        ),
        (
            of(|dev| dev.session_name = template("x")),
            "profile dev: session name x: ",
        ),
        (
            of(|dev| dev.transitive = vec![tag_key("Gone")]),
            "profile dev: transitive tags",
        ),
    ] {
        assert!(text.starts_with(start), "{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
    }
}

#[test]
fn a_long_illegal_value_is_cut() {
    let dev = Profile {
        tags: vec![tag("Team", "{ticket}")],
        ..profile("dev")
    };
    let text = composed(vec![dev], &with_ticket(&"*".repeat(10_000)))
        .unwrap_err()
        .to_string();
    assert!(text.len() < 500, "{}", text.len());
}

#[test]
fn a_ticket_is_no_template() {
    let dev = Profile {
        tags: vec![tag("Ticket", "{ticket}")],
        ..profile("dev")
    };
    for ticket in ["{session}", "{user}", "{", "x{session}y"] {
        let error = composed(vec![dev.clone()], &with_ticket(ticket)).unwrap_err();
        assert!(matches!(error, ScopeError::Illegal { .. }), "{ticket}");
    }
}

#[test]
fn a_ticket_that_is_sent_must_be_there() {
    let dev = Profile {
        tags: vec![tag("Ticket", "{ticket}")],
        ..profile("dev")
    };
    let error = composed(vec![dev.clone()], &ask("dev")).unwrap_err();
    assert_eq!(error, ScopeError::TicketMissing("dev".into()));
    assert!(composed(vec![dev], &with_ticket("OPS-1")).is_ok());
}

#[test]
fn fifty_tags_together_and_no_more() {
    let dev = |own: usize| Profile {
        tags: (0..own)
            .map(|number| tag(&format!("own{number}"), "x"))
            .collect(),
        narrow: NarrowBounds {
            tags: vec![tag_key("one"), tag_key("two")],
            ..NarrowBounds::default()
        },
        ..profile("dev")
    };
    let mut asking = ask("dev");
    asking.narrowing.tags = vec![
        (tag_key("one"), tag_value("1")),
        (tag_key("two"), tag_value("2")),
    ];
    let question = composed(vec![dev(48)], &asking).unwrap();
    assert_eq!(question.last.request(&session()).unwrap().tags.len(), 50);
    let error = composed(vec![dev(49)], &asking).unwrap_err().to_string();
    assert!(
        error.contains("at most 50 tags are expected, there are 51"),
        "{error}"
    );
}

fn custodian() -> Profile {
    Profile {
        tags: vec![tag("Team", "sre"), tag("Only", "here")],
        transitive: vec![tag_key("Team")],
        source_identity: Some(template("{user}")),
        ..profile("custodian")
    }
}

#[test]
fn what_is_inherited_is_not_sent_again() {
    let dev = Profile {
        tags: vec![tag("TEAM", "sre"), tag("Only", "there"), tag("Env", "dev")],
        transitive: vec![tag_key("TEAM"), tag_key("Env")],
        source_identity: Some(template("{user}")),
        ..profile_via("dev", "custodian")
    };
    let last = composed(vec![custodian(), dev], &ask("dev")).unwrap().last;
    let keys: Vec<_> = last.tags.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["Only", "Env"]);
    assert_eq!(last.transitive, [tag_key("Env")]);
    assert_eq!(last.source_identity, None);
}

#[test]
fn what_is_inherited_cannot_change() {
    let tagged = Profile {
        tags: vec![tag("team", "ops")],
        ..profile_via("dev", "custodian")
    };
    let changed = ScopeError::TransitiveTagChanged {
        profile: "dev".into(),
        key: "team".into(),
    };
    assert_eq!(
        composed(vec![custodian(), tagged], &ask("dev")),
        Err(changed)
    );
    let renamed = Profile {
        source_identity: Some(template("{host}")),
        ..profile_via("dev", "custodian")
    };
    let changed = ScopeError::SourceIdentityChanged("dev".into());
    assert_eq!(
        composed(vec![custodian(), renamed], &ask("dev")),
        Err(changed)
    );
}

#[test]
fn a_caller_does_not_change_what_is_inherited_either() {
    let dev = Profile {
        narrow: NarrowBounds {
            tags: vec![tag_key("Team"), tag_key("Only")],
            ..NarrowBounds::default()
        },
        ..profile_via("dev", "custodian")
    };
    let asking = |key: &str, value: &str| {
        let mut ask = ask("dev");
        ask.narrowing.tags = vec![(tag_key(key), tag_value(value))];
        composed(vec![custodian(), dev.clone()], &ask)
    };
    let changed = ScopeError::TransitiveTagChanged {
        profile: "dev".into(),
        key: "Team".into(),
    };
    assert_eq!(asking("Team", "ops"), Err(changed));
    assert!(asking("Team", "sre").unwrap().last.tags.is_empty());
    assert_eq!(asking("Only", "mine").unwrap().last.tags.len(), 1);
}

#[test]
fn transitive_tags_go_on_to_the_third_role() {
    let second = Profile {
        tags: vec![tag("Env", "dev")],
        transitive: vec![tag_key("Env")],
        ..profile_via("second", "custodian")
    };
    let third = Profile {
        tags: vec![tag("Env", "dev"), tag("Team", "sre")],
        ..profile_via("dev", "second")
    };
    let question = composed(vec![custodian(), second, third], &ask("dev")).unwrap();
    assert!(question.last.tags.is_empty());
    assert_eq!(question.through.len(), 2);
    assert!(question.is_chained());
}

#[test]
fn an_ask_narrows_the_last_role_alone() {
    let mut asking = ask("dev");
    asking.narrowing.duration = Some(crate::domain::samples::asked_duration(900));
    asking.narrowing.policy = Some(crate::domain::samples::policy("s3:GetObject"));
    let profiles = vec![profile("custodian"), profile_via("dev", "custodian")];
    let narrowed = composed(profiles.clone(), &asking).unwrap();
    let bare = composed(profiles, &ask("dev")).unwrap();
    assert_eq!(narrowed.prefix(), bare.prefix());
    assert_eq!(narrowed.last.duration.seconds(), 900);
    assert!(narrowed.last.policy.is_some());
}
