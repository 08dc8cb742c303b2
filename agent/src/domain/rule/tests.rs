//! Which of several rules wins, and whom a criterion is for.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;
use crate::domain::peer::Origin;
use crate::domain::samples::{peer, policy, profile};

const AWS: &str = "/usr/bin/aws";
const SHELL: &str = "/bin/sh";
const TOOL: &str = "/opt/tool/bin/tool";
const GROUP: &str = "/user.slice/tool.scope";

/// `exe=/usr/bin/aws unit=tool.scope`; nothing is any.
fn criteria(text: &str) -> Criteria {
    let mut criteria = Criteria::default();
    for given in text.split_ascii_whitespace() {
        let (name, value) = given.split_once('=').unwrap();
        let value = Some(value.to_owned());
        match name {
            "exe" => criteria.exe = value,
            "parent" => criteria.parent = value,
            "ancestor" => criteria.ancestor = value,
            "unit" => criteria.unit = value,
            "cgroup" => criteria.cgroup = value,
            other => panic!("{other}"),
        }
    }
    criteria
}

/// `aws`, which a shell started, which the tool did.
fn aws() -> Peer {
    Peer {
        executable: Some(AWS.into()),
        origin: Some(Origin {
            ancestors: vec![Some(SHELL.into()), Some(TOOL.into()), None],
            cgroup: Some(GROUP.into()),
        }),
        ..peer()
    }
}

fn rules(texts: &[&str]) -> Vec<PeerRule> {
    let rule = |(index, text): (usize, &&str)| PeerRule {
        index,
        criteria: criteria(text),
        bounded: None,
    };
    texts.iter().enumerate().map(rule).collect()
}

fn winner(texts: &[&str]) -> Option<usize> {
    Some(closest(&rules(texts), &aws())?.index)
}

#[test]
fn the_rule_that_names_a_process_most_closely_wins() {
    let (exe, parent) = (&*format!("exe={AWS}"), &*format!("parent={SHELL}"));
    let (ancestor, unit) = (&*format!("ancestor={TOOL}"), "unit=tool.scope");
    let cgroup = &*format!("cgroup={GROUP}");
    let (two, weak) = (&*format!("{ancestor} {unit}"), &*format!("{unit} {cgroup}"));
    let not = "exe=/usr/bin/other";
    for (texts, expected) in [
        // One criterion each, by weight.
        (vec![cgroup, unit, ancestor, parent, exe], Some(4)),
        (vec![cgroup, unit, ancestor, parent], Some(3)),
        (vec![cgroup, unit, ancestor], Some(2)),
        (vec![cgroup, unit], Some(1)),
        (vec!["", cgroup], Some(1)),
        (vec![exe, parent, ancestor, unit, cgroup, ""], Some(0)),
        // More criteria win over weightier ones.
        (vec![exe, two], Some(1)),
        (vec![exe, weak], Some(1)),
        (vec![weak, two], Some(1)),
        // Alike: the first in the file.
        (vec!["cgroup=/user.slice", cgroup], Some(0)),
        (vec![cgroup, "cgroup=/user.slice"], Some(0)),
        // What does not fit never wins, however close.
        (vec!["", &format!("{not} {parent} {ancestor}")], Some(0)),
        (vec![not], None),
        (vec![&format!("{exe} {not}")], None),
        (vec![], None),
    ] {
        assert_eq!(winner(&texts), expected, "{texts:?}");
    }
}

#[test]
fn whom_a_criterion_is_for() {
    for (text, expected) in [
        ("", true),
        ("exe=/usr/bin/aws", true),
        ("exe=/usr/bin/aw", false),
        ("exe=/bin/sh", false),
        ("parent=/bin/sh", true),
        // Only the nearest is the parent; the process itself is none of its ancestors.
        ("parent=/opt/tool/bin/tool", false),
        ("ancestor=/bin/sh", true),
        ("ancestor=/opt/tool/bin/tool", true),
        ("ancestor=/usr/bin/aws", false),
        ("unit=tool.scope", true),
        ("unit=other.scope", false),
        ("cgroup=/user.slice", true),
        ("cgroup=/user.slic", false),
        ("cgroup=/user.slice/tool.scope", true),
        ("cgroup=/user.slice/tool.scope/deeper", false),
        ("exe=/usr/bin/aws unit=other.scope", false),
    ] {
        assert_eq!(criteria(text).fit(&aws()), expected, "{text}");
    }
}

#[test]
fn what_is_not_known_fits_nothing_but_any() {
    let unknown = Peer {
        executable: None,
        origin: Some(Origin {
            ancestors: vec![None],
            cgroup: None,
        }),
        ..peer()
    };
    for text in [
        "exe=/a",
        "parent=/a",
        "ancestor=/a",
        "unit=a.service",
        "cgroup=/a",
    ] {
        assert!(!criteria(text).fit(&unknown), "{text}");
    }
    assert!(criteria("").fit(&unknown));
}

#[test]
fn what_a_rule_leaves_is_what_is_decided_on_and_its_name_says_why() {
    let read_only = Arc::new(Profile {
        policy: Some(policy("s3:GetObject")),
        ..profile("dev")
    });
    let mut peers = rules(&["", "exe=/usr/bin/aws"]);
    peers[1].bounded = Some(Arc::clone(&read_only));
    let whole = Arc::new(Profile {
        peers,
        ..profile("dev")
    });
    let found = ruled(&whole, &aws()).unwrap();
    assert_eq!(found.profile, read_only);
    let name = found.rule.unwrap();
    assert_eq!(name.as_str(), "profile.dev.peers[1] (exe \"/usr/bin/aws\")");
    let other = Peer {
        executable: Some(SHELL.into()),
        ..aws()
    };
    let found = ruled(&whole, &other).unwrap();
    assert_eq!(
        (&found.profile, found.rule.unwrap().as_str()),
        (&whole, "profile.dev.peers[0] (any)")
    );
}

/// Such as a process that connected under a configuration that did not ask for it.
#[test]
fn a_peer_that_was_not_looked_at_sees_nothing_where_rules_ask_where_it_comes_from() {
    let unseen = Peer {
        origin: None,
        ..aws()
    };
    for (texts, expected) in [
        (&["", "ancestor=/opt/tool/bin/tool"][..], false),
        (&["exe=/usr/bin/aws", "unit=tool.scope"], false),
        (&["", "exe=/usr/bin/aws"], true),
    ] {
        let whole = Arc::new(Profile {
            peers: rules(texts),
            ..profile("dev")
        });
        assert_eq!(ruled(&whole, &unseen).is_some(), expected, "{texts:?}");
        assert!(ruled(&whole, &aws()).is_some());
    }
}

proptest! {
    /// The order of the file decides only between rules that name a process alike.
    #[test]
    fn the_closest_rule_wins_wherever_it_stands(
        has in prop::collection::vec(prop::array::uniform5(any::<bool>()), 1..8),
    ) {
        let all = ["exe=/usr/bin/aws", "parent=/bin/sh", "ancestor=/bin/sh", "unit=tool.scope", "cgroup=/user.slice"];
        let text = |has: &[bool; 5]| {
            let given = all.iter().zip(has).filter(|(_, has)| **has);
            given.map(|(text, _)| *text).collect::<Vec<_>>().join(" ")
        };
        let texts: Vec<String> = has.iter().map(text).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let weight = |has: &[bool; 5]| (has.iter().filter(|has| **has).count(), *has);
        let won = has[winner(&texts).unwrap()];
        prop_assert!(has.iter().all(|other| weight(other) <= weight(&won)));
        let mut turned = texts.clone();
        turned.reverse();
        let other = has[has.len() - 1 - winner(&turned).unwrap()];
        prop_assert_eq!(won, other);
    }
}
