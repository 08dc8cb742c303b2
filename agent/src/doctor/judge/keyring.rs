//! Where keys are kept, part by part.

use crate::doctor::check::Check;
use crate::doctor::facts::{Facts, Look};
use crate::doctor::finding::Finding;
use crate::domain::identity::{Identity, Store};
use crate::ports::StoreError;
use crate::providers::keyring::probe::{Broken, Part, Sight};

pub(super) fn identities(facts: &Facts) -> impl Iterator<Item = &Identity> {
    let config = facts.configured.valid().into_iter();
    let identities = config.flat_map(|config| config.settings.identities.values());
    identities.map(|identity| &**identity)
}

fn kept_in(facts: &Facts, store: Store) -> impl Iterator<Item = &Identity> {
    identities(facts).filter(move |identity| identity.store == store)
}

const fn check_of(part: Part) -> Check {
    match part {
        Part::Bus => Check::SessionBus,
        Part::Service => Check::SecretService,
        Part::Collection => Check::Collection,
    }
}

/// One part of the keyring.
pub(super) fn part(check: Check, facts: &Facts) -> Vec<Finding> {
    if kept_in(facts, Store::Keyring).next().is_none() {
        return vec![Finding::skipped(
            check,
            "no identity is kept in the keyring",
        )];
    }
    vec![match &facts.keyring {
        None if check == Check::SessionBus => Finding::skipped(check, "see secret-service"),
        None if check == Check::SecretService => {
            let what = "the keyring did not answer within 15 s";
            Finding::failed(check, what, "restart the keyring's program")
        }
        None => Finding::skipped(check, "see secret-service"),
        Some(Ok(sight)) => seen(check, facts, sight),
        Some(Err(broken)) => stopped(check, broken),
    }]
}

fn seen(check: Check, facts: &Facts, sight: &Sight) -> Finding {
    match check {
        Check::SessionBus => Finding::ok(check, "it can be reached"),
        Check::SecretService => Finding::ok(check, "it answers"),
        _ if !sight.locked => Finding::ok(check, "it is unlocked"),
        _ if facts.here.has_display => {
            Finding::ok(check, "it is locked; the first use brings up its prompt")
        }
        _ => Finding::failed(
            check,
            "the keyring is locked, and there is no display on which it could ask for its password",
            "start the agent from the desktop's session, where DISPLAY or WAYLAND_DISPLAY is set, or set store = \"file\"",
        ),
    }
}

/// What comes before the part that does not work does; what comes behind is not reached.
fn stopped(check: Check, broken: &Broken) -> Finding {
    let parts = [Part::Bus, Part::Service, Part::Collection];
    let part = parts.into_iter().find(|part| check_of(*part) == check);
    let broken_check = check_of(broken.part);
    match part {
        Some(part) if part < broken.part => Finding::ok(check, "it works"),
        Some(part) if part == broken.part => {
            let (what, hint) = said(&broken.error);
            Finding::failed(check, &what, &hint)
        }
        _ => Finding::skipped(check, &format!("see {}", broken_check.as_str())),
    }
}

fn said(error: &StoreError) -> (String, String) {
    match error {
        StoreError::Unavailable { what, remedy } => (what.clone(), remedy.clone()),
        other => (other.to_string(), "see docs/doctor.md".to_owned()),
    }
}

pub(super) fn stored_key(facts: &Facts) -> Vec<Finding> {
    let check = Check::StoredKey;
    let in_files = sealed(facts).zip(kept_in(facts, Store::File));
    let in_files = in_files.map(|(look, identity)| found(identity, usize::from(look.is_there())));
    let mut findings: Vec<Finding> = in_files.collect();
    let kept = kept_in(facts, Store::Keyring);
    match &facts.keyring {
        Some(Ok(sight)) => {
            findings.extend(kept.zip(&sight.items).map(|(identity, count)| {
                match (sight.locked, *count) {
                    (true, 0) => Finding::skipped(
                        check,
                        &format!("identity {}: a locked keyring does not tell", identity.name),
                    ),
                    (_, count) => found(identity, count),
                }
            }))
        }
        _ => findings.extend(kept.map(|identity| {
            let what = format!("identity {}: the keyring does not tell", identity.name);
            Finding::skipped(check, &what)
        })),
    }
    match findings.is_empty() {
        true => vec![Finding::skipped(
            check,
            "there is no identity of a valid configuration",
        )],
        false => findings,
    }
}

fn sealed(facts: &Facts) -> impl Iterator<Item = &Look> {
    let state = facts.files.iter().filter_map(|files| files.state.as_ref());
    state.flat_map(|state| &state.sealed)
}

fn found(identity: &Identity, items: usize) -> Finding {
    let check = Check::StoredKey;
    let (name, store) = (&identity.name, identity.store.as_str());
    let what = format!("identity {name}: keys in the {store}: {items}");
    match items {
        0 => Finding::failed(
            check,
            &format!("identity {name} has no key in the {store}"),
            &format!("jumpgate identity add {name}"),
        ),
        1 => Finding::ok(check, &what),
        _ => Finding::failed(
            check,
            &what,
            &format!("jumpgate identity remove {name}, then: jumpgate identity add {name}"),
        ),
    }
}
