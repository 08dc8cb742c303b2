//! Every denial at its edge, and the law that an ask only narrows.
#![allow(clippy::unwrap_used)]

use jumpgate_iam::PolicyArns;
use jumpgate_iam::narrow::NarrowError;
use proptest::prelude::*;

use super::*;
use crate::domain::name::ProfileName;
use crate::domain::narrowing::Way;
use crate::domain::profile::{NarrowBounds, Requirements};
use crate::domain::samples::{
    ask, asked_duration, duration, identity, peer, policy, policy_arns, profile, profile_name,
    profile_via, rule_for_exe, settings, surroundings, tag_key, tag_value, template,
};
use crate::domain::scope::compose;

fn decided(profile: Profile, ask: &Ask) -> Result<Grant, Denial> {
    let others = vec![super::super::samples::profile("custodian"), profile];
    decide(&settings(vec![identity()], others), &peer(), ask)
}

fn dev() -> ProfileName {
    profile_name("dev")
}

#[test]
fn a_hidden_profile_answers_like_a_missing_one() {
    let of_terraform = Profile {
        peers: vec![
            rule_for_exe("/usr/bin/terraform"),
            rule_for_exe("/usr/bin/tofu"),
        ],
        require: Requirements {
            reason: true,
            ticket: true,
            confirm: true,
        },
        ..profile("dev")
    };
    let settings = settings(vec![identity()], vec![of_terraform]);
    let mut ask = ask("dev");
    ask.narrowing.policy = Some(policy("s3:GetObject"));
    let peer_of = |executable: Option<&str>| Peer {
        executable: executable.map(str::to_owned),
        ..peer()
    };
    let missing = decide(
        &super::super::samples::settings(vec![], vec![]),
        &peer(),
        &ask,
    );
    let missing = missing.unwrap_err();
    assert_eq!(missing, Denial::NoSuchProfile(dev()));
    for stranger in [
        None,
        Some("/usr/bin/aws"),
        Some("/usr/bin/terraform (deleted)"),
        Some("/usr/bin/terraform/"),
        Some("/tmp/usr/bin/terraform"),
        Some(""),
    ] {
        let denial = decide(&settings, &peer_of(stranger), &ask).unwrap_err();
        assert_eq!(denial, missing, "{stranger:?}");
    }
    for known in ["/usr/bin/terraform", "/usr/bin/tofu"] {
        let denial = decide(&settings, &peer_of(Some(known)), &ask).unwrap_err();
        assert_eq!(denial, Denial::ReasonMissing(dev()));
    }
}

#[test]
fn what_a_profile_requires() {
    let requiring = |reason, ticket| Profile {
        require: Requirements {
            reason,
            ticket,
            confirm: false,
        },
        ..profile("dev")
    };
    let with = |reason: Option<&str>, ticket: Option<&str>| Ask {
        reason: reason.map(str::to_owned),
        ticket: ticket.map(str::to_owned),
        ..ask("dev")
    };
    let (no_reason, no_ticket) = (Denial::ReasonMissing(dev()), Denial::TicketMissing(dev()));
    for (profile, ask, expected) in [
        (requiring(false, false), with(None, None), Ok(())),
        (requiring(true, false), with(Some("r"), None), Ok(())),
        (
            requiring(true, false),
            with(None, Some("t")),
            Err(&no_reason),
        ),
        (requiring(false, true), with(None, Some("t")), Ok(())),
        (
            requiring(false, true),
            with(Some("r"), None),
            Err(&no_ticket),
        ),
        (requiring(true, true), with(None, None), Err(&no_reason)),
        (
            requiring(true, true),
            with(Some("r"), None),
            Err(&no_ticket),
        ),
        (requiring(true, true), with(Some("r"), Some("t")), Ok(())),
    ] {
        let outcome = decided(profile, &ask);
        assert_eq!(outcome.as_ref().map(|_| ()), expected, "{ask:?}");
    }
}

#[test]
fn a_yes_is_needed_for_every_role_on_the_way() {
    let mut careful = profile("custodian");
    careful.require.confirm = true;
    let settings = settings(
        vec![identity()],
        vec![careful, profile_via("dev", "custodian")],
    );
    assert!(decide(&settings, &peer(), &ask("dev")).unwrap().confirm);
    assert!(!decided(profile("dev"), &ask("dev")).unwrap().confirm);
}

#[test]
fn durations_at_their_edge() {
    let of = |seconds, via: bool, taken| Profile {
        via: via.then(|| profile_name("custodian")),
        duration: duration(seconds),
        narrow: NarrowBounds {
            duration: taken,
            ..NarrowBounds::default()
        },
        ..profile("dev")
    };
    let asking = |seconds| {
        let mut ask = ask("dev");
        ask.narrowing.duration = Some(asked_duration(seconds));
        ask
    };
    let too_long = |allowed, asked| Denial::DurationTooLong {
        profile: dev(),
        allowed,
        asked,
    };
    for (profile, asked, expected) in [
        (of(7200, false, true), 7200, Ok(7200)),
        (of(7200, false, true), 7201, Err(too_long(7200, 7201))),
        (of(7200, false, true), 900, Ok(900)),
        (of(7200, true, true), 3600, Ok(3600)),
        (of(7200, true, true), 3601, Err(too_long(3600, 3601))),
        (
            of(7200, false, false),
            900,
            Err(Denial::DurationNotTaken(dev())),
        ),
    ] {
        let granted = decided(profile, &asking(asked)).map(|grant| grant.duration.seconds());
        assert_eq!(granted, expected);
    }
    let granted = decided(of(7200, true, false), &ask("dev")).unwrap();
    assert_eq!(granted.duration.seconds(), 3600);
}

#[test]
fn a_profile_that_takes_no_policy_gets_none() {
    let mut asking = ask("dev");
    asking.narrowing.policy = Some(policy("s3:GetObject"));
    let closed = |scope_down| Profile {
        narrow: NarrowBounds {
            policy: false,
            ..NarrowBounds::default()
        },
        scope_down,
        ..profile("dev")
    };
    for scope_down in [false, true] {
        let denial = Denial::PolicyNotTaken(dev());
        assert_eq!(decided(closed(scope_down), &asking), Err(denial));
    }
}

#[test]
fn tags_that_a_caller_may_bring() {
    let open = Profile {
        tags: vec![(tag_key("Team"), template("sre"))],
        narrow: NarrowBounds {
            tags: vec![tag_key("Ticket"), tag_key("Team")],
            ..NarrowBounds::default()
        },
        ..profile("dev")
    };
    let asking = |key: &str| {
        let mut ask = ask("dev");
        ask.narrowing.tags = vec![(tag_key(key), tag_value("x"))];
        ask
    };
    let profile = dev;
    let own = |key| Denial::TagIsTheProfiles {
        profile: profile(),
        key: tag_key(key),
    };
    let foreign = |key| Denial::TagNotTaken {
        profile: profile(),
        key: tag_key(key),
    };
    for (key, expected) in [
        ("Ticket", Ok(1)),
        ("Team", Err(own("Team"))),
        ("TEAM", Err(own("TEAM"))),
        ("Other", Err(foreign("Other"))),
        ("ticket", Err(foreign("ticket"))),
    ] {
        let granted = decided(open.clone(), &asking(key)).map(|grant| grant.tags.len());
        assert_eq!(granted, expected, "{key}");
    }
    let closed = super::super::samples::profile("dev");
    assert_eq!(decided(closed, &asking("Ticket")), Err(foreign("Ticket")));
}

#[test]
fn the_managed_policies_of_an_ask_go_where_the_profile_has_no_session_policies() {
    let arns = || policy_arns(&["SecurityAudit", "AWSSupportAccess"]);
    let asking = |inline: bool| {
        let mut ask = ask("dev");
        ask.narrowing.policy = inline.then(|| policy("support:*"));
        ask.narrowing.policy_arns = arns();
        ask
    };
    let scoped = |policed: bool, managed: bool| Profile {
        policy: policed.then(|| policy("s3:*")),
        policy_arns: if managed {
            policy_arns(&["ReadOnlyAccess"])
        } else {
            PolicyArns::default()
        },
        ..profile("dev")
    };
    for inline in [true, false] {
        let grant = decided(profile("dev"), &asking(inline)).unwrap();
        let sent = compose(&grant, &identity(), &surroundings()).unwrap().last;
        assert_eq!((sent.policy_arns, sent.policy.is_some()), (arns(), inline));
        for (policed, managed) in [(true, false), (false, true), (true, true)] {
            let denied = decided(scoped(policed, managed), &asking(inline));
            assert_eq!(denied, Err(Denial::PresetWouldWiden(dev())));
        }
        let closed = Profile {
            narrow: NarrowBounds {
                policy: false,
                ..NarrowBounds::default()
            },
            ..profile("dev")
        };
        let denied = decided(closed, &asking(inline));
        assert_eq!(denied, Err(Denial::PolicyNotTaken(dev())));
    }
}

#[test]
fn every_denial_says_what_to_do_and_shows_no_strange_character() {
    let (profile, key) = (dev(), tag_key("a\u{2028}b"));
    let denials = [
        Denial::NoSuchProfile(dev()),
        Denial::ReasonMissing(dev()),
        Denial::TicketMissing(dev()),
        Denial::PolicyNotTaken(dev()),
        Denial::PolicyInexact {
            profile: dev(),
            why: NarrowError::Versions,
        },
        Denial::PresetWouldWiden(dev()),
        Denial::DurationTooShort {
            profile: dev(),
            asked: 60,
        },
        Denial::DurationNotTaken(dev()),
        Denial::DurationTooLong {
            profile: dev(),
            allowed: 900,
            asked: 901,
        },
        Denial::TagNotTaken {
            profile: profile.clone(),
            key: key.clone(),
        },
        Denial::TagIsTheProfiles { profile, key },
    ];
    for denial in denials {
        let text = denial.to_string();
        assert!(text.contains("dev") && !denial.hint().is_empty());
        assert!(!text.contains('\u{2028}'), "{text:?}");
    }
}

const KEYS: [&str; 4] = ["Team", "Ticket", "Cost", "Zone"];

fn keys() -> impl Strategy<Value = Vec<&'static str>> {
    prop::sample::subsequence(KEYS.to_vec(), 0..=KEYS.len())
}

prop_compose! {
    fn profiles()(
        (policed, scope_down) in any::<(bool, bool)>(),
        arns in 0_usize..3,
        seconds in 900_u32..=43_200,
        chained in any::<bool>(),
        tags in keys(),
        transitive in any::<bool>(),
        (taken_policy, taken_duration, taken_tags) in (any::<bool>(), any::<bool>(), keys()),
    ) -> Profile {
        let names = ["ReadOnlyAccess", "SecurityAudit", "job-function/ViewOnlyAccess"];
        let tags: Vec<_> = tags.iter().map(|key| (tag_key(key), template("own"))).collect();
        Profile {
            via: chained.then(|| profile_name("custodian")),
            duration: duration(seconds),
            policy: policed.then(|| policy("s3:*")),
            policy_arns: if arns == 0 { PolicyArns::default() } else { policy_arns(&names[..arns]) },
            transitive: if transitive { tags.iter().map(|(key, _)| key.clone()).collect() } else { Vec::new() },
            tags,
            scope_down,
            source_identity: Some(template("{user}")),
            narrow: NarrowBounds {
                policy: taken_policy,
                duration: taken_duration,
                tags: taken_tags.iter().map(|key| tag_key(key)).collect(),
            },
            ..profile("dev")
        }
    }
}

prop_compose! {
    fn asks()(
        policed in any::<bool>(),
        managed in any::<bool>(),
        seconds in prop::option::of(prop_oneof![1_u32..1_000, 900_u32..=43_200]),
        tags in keys(),
    ) -> Ask {
        Ask {
            narrowing: Narrowing {
                policy: policed.then(|| policy("iam:*")),
                policy_arns: if managed { policy_arns(&["AWSSupportAccess"]) } else { PolicyArns::default() },
                duration: seconds.map(asked_duration),
                tags: tags.iter().map(|key| (tag_key(key), tag_value("asked"))).collect(),
            },
            ..ask("dev")
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// What is sent for an ask is what is sent without one, or less of it.
    #[test]
    fn an_ask_only_narrows(profile in profiles(), ask in asks()) {
        let bare = decided(profile.clone(), &super::super::samples::ask("dev")).unwrap();
        let bare = compose(&bare, &identity(), &surroundings()).unwrap().last;
        let Ok(grant) = decided(profile.clone(), &ask) else {
            return Ok(());
        };
        let question = compose(&grant, &identity(), &surroundings()).unwrap();
        let sent = question.last;
        prop_assert!(sent.duration <= bare.duration);
        prop_assert!(sent.duration <= profile.effective_duration());
        if profile.is_scoped() {
            prop_assert_eq!(&sent.policy_arns, &bare.policy_arns);
        }
        match (&bare.policy, &sent.policy) {
            _ if question.scope_down.as_ref().is_some_and(|scoped| scoped.policy.is_some()) => {
                prop_assert_eq!(&sent.policy, &bare.policy);
            }
            // The profile's statements are all there, and after them nothing but denies.
            (Some(own), Some(both)) => {
                let (own, both) = (own.statements(), both.statements());
                prop_assert_eq!(&both[..own.len()], &own[..]);
                for more in &both[own.len()..] {
                    let denies = format!("{more:?}").contains("Deny");
                    prop_assert!(denies);
                }
            }
            (Some(_), None) => prop_assert!(false, "the profile's policy is gone"),
            (None, Some(sent)) if !bare.policy_arns.is_empty() => {
                prop_assert!(!sent.as_str().contains("Allow"));
            }
            (None, _) => {}
        }
        prop_assert_eq!(&sent.tags[..bare.tags.len()], &bare.tags[..]);
        for (key, _) in &sent.tags[bare.tags.len()..] {
            prop_assert!(profile.narrow.tags.contains(key));
        }
        let same = |hop: &crate::domain::assume_role::Hop| {
            (hop.role.clone(), hop.session_name.clone(), hop.external_id.clone(),
             hop.source_identity.clone(), hop.transitive.clone())
        };
        prop_assert_eq!(same(&sent), same(&bare));
    }

    /// Nothing that was asked for is left out to make it fit.
    #[test]
    fn an_ask_is_granted_whole_or_not_at_all(profile in profiles(), ask in asks()) {
        let own = profile.policy.clone();
        let Ok(grant) = decided(profile, &ask) else {
            return Ok(());
        };
        let scoped = grant.scope_down.as_ref();
        let in_scope_down = scoped.and_then(|scoped| scoped.policy.as_ref());
        let asked = &ask.narrowing;
        match (asked.has_policies(), grant.narrowed.map(|narrowed| narrowed.way)) {
            (true, Some(Way::SessionPolicy)) => {
                prop_assert_eq!(&grant.policy, &asked.policy);
                prop_assert_eq!(&grant.policy_arns, &asked.policy_arns);
            }
            (true, Some(Way::ScopeDown)) => {
                prop_assert_eq!(in_scope_down, asked.policy.as_ref());
                prop_assert!(asked.policy_arns.is_empty());
            }
            (true, Some(Way::Denies)) => {
                prop_assert_ne!(grant.policy, own);
                prop_assert!(asked.policy_arns.is_empty());
            }
            (true, None) => prop_assert!(false, "left out"),
            (false, _) => prop_assert_eq!(grant.policy, own),
        }
        prop_assert_eq!(grant.tags, ask.narrowing.tags);
        let life = scoped.and_then(|scoped| scoped.duration).unwrap_or(grant.duration.into());
        prop_assert!(ask.narrowing.duration.is_none_or(|asked| asked == life));
    }
}

#[test]
fn what_a_role_on_the_way_asks_for_is_asked_for() {
    let custodian = Profile {
        peers: vec![rule_for_exe("/usr/bin/terraform")],
        require: Requirements {
            reason: true,
            ticket: true,
            confirm: false,
        },
        ..profile("custodian")
    };
    let through = Profile {
        via: Some(profile_name("custodian")),
        ..profile("dev")
    };
    let settings = settings(vec![identity()], vec![custodian, through]);
    let terraform = Peer {
        executable: Some("/usr/bin/terraform".into()),
        ..peer()
    };
    let mut ask = ask("dev");
    let denied = |peer: &Peer, ask: &Ask| decide(&settings, peer, ask).unwrap_err();
    assert_eq!(denied(&peer(), &ask), Denial::NoSuchProfile(dev()));
    assert_eq!(denied(&terraform, &ask), Denial::ReasonMissing(dev()));
    ask.reason = Some("look".into());
    assert_eq!(denied(&terraform, &ask), Denial::TicketMissing(dev()));
    ask.ticket = Some("OPS-1".into());
    assert!(decide(&settings, &terraform, &ask).is_ok());
}
