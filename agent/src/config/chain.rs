//! `via`: profiles that are chained through others, without a dangling name or a loop.

use std::collections::{BTreeMap, BTreeSet};

use jumpgate_iam::Excerpt;

use super::faults::{Fault, Faults, Written};
use super::raw::RawProfile;
use crate::domain::name::ProfileName;
use crate::domain::profile::Profile;
use crate::domain::settings::MAX_CHAIN;

/// Which profile is chained through which, as written.
struct Links<'r, 'a> {
    vias: BTreeMap<&'a str, &'r Written<&'a str>>,
}

/// Checks the chains of all profiles: every `via` is a profile of the same identity, none runs in a circle, none
/// is longer than [`MAX_CHAIN`].
pub(super) fn check(
    faults: &Faults,
    raw: &[RawProfile<'_>],
    profiles: &BTreeMap<ProfileName, std::sync::Arc<Profile>>,
) {
    let names: BTreeSet<&str> = raw.iter().map(|raw| raw.name.value).collect();
    let vias = raw.iter().filter_map(|raw| {
        let via = raw.via.here()?;
        let is_known = names.contains(via.value);
        if !is_known {
            dangling(faults, via, &names);
        }
        is_known.then_some((raw.name.value, via))
    });
    let links = Links {
        vias: vias.collect(),
    };
    let mut looped = BTreeSet::new();
    for raw in raw {
        let Some(via) = raw.via.here() else { continue };
        check_identity(faults, raw.name.value, via, profiles);
        match links.walk(raw.name.value) {
            Walk::Ends(length) if length > MAX_CHAIN => too_long(faults, via, length),
            Walk::Ends(_) => {}
            Walk::Loops(members) => {
                let is_new = members.iter().all(|member| !looped.contains(member));
                if is_new && members.contains(&raw.name.value) {
                    runs_in_a_circle(faults, via, &members);
                    looped.extend(members);
                }
            }
        }
    }
}

enum Walk<'a> {
    /// So many profiles are in the chain.
    Ends(usize),
    /// These profiles are a circle, which the chain is in or runs into.
    Loops(Vec<&'a str>),
}

impl<'a> Links<'_, 'a> {
    fn walk(&self, start: &'a str) -> Walk<'a> {
        let mut chain = vec![start];
        let mut last = start;
        while let Some(via) = self.vias.get(last) {
            if let Some(first) = chain.iter().position(|name| *name == via.value) {
                return Walk::Loops(chain.split_off(first));
            }
            // Nobody needs the exact length of a chain of thousands, and walking all of them would take long.
            if chain.len() > 10 * MAX_CHAIN {
                return Walk::Ends(chain.len());
            }
            chain.push(via.value);
            last = via.value;
        }
        Walk::Ends(chain.len())
    }
}

fn dangling(faults: &Faults, via: &Written<&str>, names: &BTreeSet<&str>) {
    let message = format!("no profile is called {}", Excerpt::of(via.value));
    let nearest = faults.nearest(via.value, names.iter().copied());
    let fault = Fault::absent(&via.place, message).meant(nearest);
    faults.error(fault.expected("the NAME of a [profile.NAME]"));
}

fn too_long(faults: &Faults, via: &Written<&str>, length: usize) {
    let message = format!("the chain has {length} profiles or more");
    faults.error(Fault::wrong(&via.place, message).expected(format!("at most {MAX_CHAIN}")));
}

fn runs_in_a_circle(faults: &Faults, via: &Written<&str>, members: &[&str]) {
    let names = members.iter().chain(members.first());
    let names: Vec<&str> = names.copied().collect();
    let message = format!("the chain runs in a circle: {}", names.join(" -> "));
    let fault = Fault::wrong(&via.place, message);
    faults.error(fault.expected("a chain that ends at the identity"));
}

/// The session of one identity's chain cannot be signed by another's.
fn check_identity(
    faults: &Faults,
    name: &str,
    via: &Written<&str>,
    profiles: &BTreeMap<ProfileName, std::sync::Arc<Profile>>,
) {
    let profile = |name: &str| profiles.get(&ProfileName::parse(name).ok()?);
    let (Some(profile), Some(through)) = (profile(name), profile(via.value)) else {
        return;
    };
    if profile.identity != through.identity {
        let message = format!(
            "profile {} starts from identity {}, and {} from {}",
            through.name, through.identity, profile.name, profile.identity
        );
        let fault = Fault::wrong(&via.place, message);
        faults.error(fault.expected("a profile of the same identity"));
    }
}
