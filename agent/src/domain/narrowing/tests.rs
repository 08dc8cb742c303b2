//! Which way is taken, and what it sends.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::domain::samples::{asked_duration, duration, policy, policy_arns, profile};

fn asking(policy: Option<PolicyDocument>, seconds: Option<u32>) -> Narrowing {
    Narrowing {
        policy,
        policy_arns: PolicyArns::default(),
        duration: seconds.map(asked_duration),
        tags: Vec::new(),
    }
}

/// Profiles without session policies, with an inline one, with managed ones.
fn profiles(scope_down: bool) -> [Profile; 3] {
    let bare = Profile {
        scope_down,
        duration: duration(7200),
        ..profile("dev")
    };
    let inline = Profile {
        policy: Some(policy("s3:*")),
        ..bare.clone()
    };
    let managed = Profile {
        policy_arns: policy_arns(&["ReadOnlyAccess"]),
        ..bare.clone()
    };
    [bare, inline, managed]
}

fn ways(scope_down: bool, asked: &Narrowing) -> [Option<Way>; 3] {
    profiles(scope_down).map(|profile| {
        let bounds = narrowed(&profile, asked).unwrap();
        bounds.narrowed.map(|narrowed| narrowed.way)
    })
}

#[test]
fn the_ways_come_in_their_order() {
    let (first, second, third) = (Way::SessionPolicy, Way::ScopeDown, Way::Denies);
    let read = || Some(policy("s3:GetObject"));
    for (asked, without, with) in [
        (asking(None, None), [None; 3], [None; 3]),
        (asking(None, Some(1800)), [None; 3], [None; 3]),
        (
            asking(read(), None),
            [Some(first), Some(third), Some(third)],
            [Some(first), Some(second), Some(second)],
        ),
    ] {
        assert_eq!(ways(false, &asked), without);
        assert_eq!(ways(true, &asked), with);
    }
}

#[test]
fn a_scope_down_leaves_the_session_that_others_have() {
    let read = policy("s3:GetObject");
    for profile in &profiles(true)[1..] {
        let bounds = narrowed(profile, &asking(Some(read.clone()), Some(1800))).unwrap();
        assert_eq!(bounds.duration, profile.effective_duration());
        assert_eq!(bounds.policy, profile.policy);
        let expected = ScopeDown {
            policy: Some(read.clone()),
            duration: Some(asked_duration(1800)),
        };
        assert_eq!(bounds.scope_down, Some(expected));
    }
}

#[test]
fn only_a_scope_down_gives_less_than_fifteen_minutes() {
    for seconds in [1, 60, 899] {
        let asked = asking(None, Some(seconds));
        for profile in profiles(false) {
            let denial = Denial::DurationTooShort {
                profile: profile.name.clone(),
                asked: seconds,
            };
            assert_eq!(narrowed(&profile, &asked), Err(denial));
        }
        for profile in profiles(true) {
            let bounds = narrowed(&profile, &asked).unwrap();
            let expected = ScopeDown {
                policy: None,
                duration: Some(asked_duration(seconds)),
            };
            assert_eq!(bounds.scope_down, Some(expected));
            assert_eq!(bounds.duration, profile.effective_duration());
            assert_eq!(bounds.policy, profile.policy);
        }
    }
    let [bare, ..] = profiles(true);
    let read = policy("s3:GetObject");
    let bounds = narrowed(&bare, &asking(Some(read.clone()), Some(60))).unwrap();
    assert_eq!(bounds.policy, Some(read), "nothing to intersect it with");
    assert_eq!(bounds.narrowed.unwrap().way, Way::SessionPolicy);
    let bounds = narrowed(&bare, &asking(None, Some(900))).unwrap();
    assert_eq!((bounds.scope_down, bounds.duration), (None, duration(900)));
}

#[test]
fn denies_are_within_the_policy_of_the_profile() {
    let [_, inline, managed] = profiles(false);
    let read = asking(Some(policy("s3:GetObject")), None);
    let both = narrowed(&inline, &read).unwrap().policy.unwrap();
    let text = both.minified();
    assert!(
        text.contains(r#""s3:*""#) && text.contains("Deny"),
        "{text}"
    );
    let denies = narrowed(&managed, &read).unwrap().policy.unwrap();
    assert!(!denies.minified().contains("Allow"));
    let all = asking(Some(policy("*")), None);
    assert_eq!(narrowed(&managed, &all).unwrap().policy, None);
}

#[test]
fn what_has_no_exact_opposite_is_refused_with_its_statement() {
    let [bare, inline, _] = profiles(false);
    let text = r#"{"Version":"2012-10-17","Statement":{"Sid":"Own","Effect":"Allow","Action":"s3:*",
        "Resource":"arn:aws:s3:::home/${aws:username}/*"}}"#;
    let asked = asking(Some(PolicyDocument::parse(text).unwrap()), None);
    assert!(narrowed(&bare, &asked).is_ok());
    let denial = narrowed(&inline, &asked).unwrap_err();
    assert!(denial.to_string().contains("Own"), "{denial}");
    assert!(denial.hint().contains("scope_down = \"sts\""));
    let by_sts = Profile {
        scope_down: true,
        ..inline
    };
    assert!(narrowed(&by_sts, &asked).is_ok());
}
