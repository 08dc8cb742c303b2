//! The cache key: equal if and only if the question is.
//!
//! The order of tags counts: they are sent and recorded in it. The wire's map has one order for all callers, so
//! two asks with the same tags are the same question; and where the order differs after all, the price is one
//! more call, while taking two questions for one would hand out a wrong session.
#![allow(clippy::unwrap_used)]

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;

use jumpgate_iam::Region;
use proptest::prelude::*;

use super::*;
use crate::domain::grant::{Ask, decide};
use crate::domain::identity::EndpointUrl;
use crate::domain::profile::NarrowBounds;
use crate::domain::samples::{
    ask, asked_duration, duration, identity, identity_name, peer, policy, policy_arns, profile,
    settings, surroundings, tag_key, tag_value,
};
use crate::domain::scope::compose;

/// A small number for each field.
type HopSpec = [u8; 9];

fn hop(spec: HopSpec) -> Hop {
    let [
        role,
        seconds,
        name,
        external,
        source,
        inline,
        arns,
        tags,
        transitive,
    ] = spec;
    let account = if role == 2 {
        "333333333333"
    } else {
        "222222222222"
    };
    let names = ["ReadOnlyAccess", "SecurityAudit"];
    // Without `..`: a new field must be given a number here.
    Hop {
        role: RoleArn::parse(&format!("arn:aws:iam::{account}:role/r{}", role % 2)).unwrap(),
        duration: duration(900 + u32::from(seconds)),
        session_name: Pattern::fixed(&format!("name{name}")),
        external_id: (external > 0).then(|| ExternalId::parse(&format!("id{external}")).unwrap()),
        source_identity: (source > 0).then(|| Pattern::fixed(&format!("source{source}"))),
        policy: (inline > 0).then(|| policy(&format!("s3:Get{inline}"))),
        policy_arns: policy_arns(&names[..usize::from(arns)]),
        tags: match tags {
            0 => Vec::new(),
            1 => vec![(tag_key("a"), Pattern::fixed("x"))],
            _ => vec![(tag_key("a"), Pattern::fixed("y"))],
        },
        transitive: vec![tag_key("a"); usize::from(transitive)],
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Spec {
    around: [u8; 6],
    hops: Vec<HopSpec>,
}

fn question(spec: &Spec) -> AssumeRole {
    let [name, region, url, bundle, scoped, life] = spec.around;
    let mut hops: Vec<_> = spec.hops.iter().copied().map(hop).collect();
    let last = hops.pop().unwrap();
    AssumeRole {
        identity: identity_name(&format!("identity{name}")),
        endpoint: Endpoint {
            region: Region::parse(&format!("eu-west-{}", region + 1)).unwrap(),
            url: (url > 0).then(|| EndpointUrl::parse(&format!("https://sts{url}")).unwrap()),
            ca_bundle: (bundle > 0).then(|| PathBuf::from(format!("/ca{bundle}"))),
        },
        through: hops,
        last,
        scope_down: (scoped > 0).then(|| ScopeDown {
            policy: (scoped > 1).then(|| policy("s3:Get*")),
            duration: (life > 0).then(|| asked_duration(60 + u32::from(life))),
        }),
    }
}

fn hash(question: &AssumeRole) -> u64 {
    let mut hasher = DefaultHasher::new();
    question.hash(&mut hasher);
    hasher.finish()
}

fn specs() -> impl Strategy<Value = Spec> {
    let hops = prop::collection::vec(prop::array::uniform9(0_u8..3), 1..4);
    (prop::array::uniform6(0_u8..3), hops).prop_map(|(mut around, hops)| {
        // Without a scope-down there is nothing that could have a life.
        if around[4] == 0 {
            around[5] = 0;
        }
        Spec { around, hops }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn one_field_of_any_hop_makes_another_question(
        spec in specs(), at in any::<prop::sample::Index>(), value in 0_u8..3,
    ) {
        let mut changed = spec.clone();
        let fields = 6 + 9 * spec.hops.len();
        match at.index(fields) {
            5 if spec.around[4] == 0 => {}
            around @ 0..6 => changed.around[around] = value,
            field => changed.hops[(field - 6) / 9][(field - 6) % 9] = value,
        }
        let (one, other) = (question(&spec), question(&changed));
        prop_assert_eq!(one == other, spec == changed);
        if one == other {
            prop_assert_eq!(hash(&one), hash(&other));
        }
    }

    #[test]
    fn the_way_there_is_a_question_of_its_own(spec in specs()) {
        let whole = question(&spec);
        let mut shorter = spec.clone();
        if spec.around[4] == 0 {
            shorter.hops.pop();
        } else {
            shorter.around[4] = 0;
        }
        let expected = (!shorter.hops.is_empty()).then(|| question(&shorter));
        prop_assert_eq!(whole.prefix(), expected);
        prop_assert_eq!(whole.is_chained(), spec.hops.len() > 1);
    }
}

fn asked(change: impl FnOnce(&mut Ask)) -> AssumeRole {
    let mut open = profile("dev");
    open.narrow = NarrowBounds {
        tags: vec![tag_key("a"), tag_key("b")],
        ..NarrowBounds::default()
    };
    let mut asking = ask("dev");
    change(&mut asking);
    let grant = decide(&settings(vec![identity()], vec![open]), &peer(), &asking).unwrap();
    compose(&grant, &identity(), &surroundings()).unwrap()
}

#[test]
fn what_is_not_sent_is_no_part_of_the_question() {
    let bare = asked(|_| {});
    assert_eq!(asked(|ask| ask.reason = Some("because".into())), bare);
    assert_eq!(asked(|ask| ask.ticket = Some("OPS-1".into())), bare);
    let interface = jumpgate_api::Interface::Imds;
    assert_eq!(asked(|ask| ask.interface = interface), bare);
}

#[test]
fn the_order_of_tags_is_part_of_the_question() {
    let tags = |keys: [&str; 2]| keys.map(|key| (tag_key(key), tag_value("x"))).to_vec();
    let ab = asked(|ask| ask.narrowing.tags = tags(["a", "b"]));
    let ba = asked(|ask| ask.narrowing.tags = tags(["b", "a"]));
    assert_ne!(ab, ba);
    assert_eq!(ab, asked(|ask| ask.narrowing.tags = tags(["a", "b"])));
}
