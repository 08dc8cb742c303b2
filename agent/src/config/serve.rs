//! `[serve.NAME]`: endpoints for SDKs that stand whenever the agent runs.

use std::collections::BTreeMap;

use jumpgate_iam::Excerpt;

use super::faults::{Fault, Faults, Written};
use super::raw::{RawProfile, RawServe};
use super::terms::choice;
use crate::domain::name::ProfileName;
use crate::domain::serve::{EPHEMERAL_PORTS, Port, Serve, ServeName, Speaks};
use crate::domain::settings::MAX_CHAIN;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Container,
    Imds,
}

const KINDS: &[(&str, Kind)] = &[("container", Kind::Container), ("imds", Kind::Imds)];

/// Understands all sections. Each has a port of its own.
pub(super) fn understand(
    faults: &Faults,
    raw: &[RawServe<'_>],
    profiles: &[RawProfile<'_>],
) -> BTreeMap<ServeName, Serve> {
    let profiles: Profiles<'_, '_> = profiles.iter().map(|raw| (raw.name.value, raw)).collect();
    let mut ports = BTreeMap::new();
    raw.iter()
        .filter_map(|raw| serve(faults, raw, &profiles, &mut ports))
        .map(|serve| (serve.name.clone(), serve))
        .collect()
}

/// The profiles as they are written: one with a mistake in it is still one that can be named.
type Profiles<'r, 'a> = BTreeMap<&'a str, &'r RawProfile<'a>>;

fn serve<'r>(
    faults: &Faults,
    raw: &'r RawServe<'_>,
    profiles: &Profiles<'_, '_>,
    ports: &mut BTreeMap<Port, &'r str>,
) -> Option<Serve> {
    let name = faults.checked(&raw.name.place, ServeName::parse(raw.name.value));
    let profile = raw
        .profile
        .here()
        .and_then(|written| profile(faults, written, profiles));
    let kind = raw.kind.here();
    let kind = kind.and_then(|written| choice(faults, written, KINDS));
    let port = raw.port.here();
    let port = port.and_then(|written| port_of(faults, written, &raw.name.place.key, ports));
    let speaks = speaks(faults, raw, kind);
    Some(Serve {
        name: name?,
        profile: profile?,
        speaks: speaks?,
        port: port?,
    })
}

fn profile(
    faults: &Faults,
    written: &Written<&str>,
    profiles: &Profiles<'_, '_>,
) -> Option<ProfileName> {
    let Some(found) = profiles.get(written.value) else {
        let message = format!("no profile is called {}", Excerpt::of(written.value));
        let nearest = faults.nearest(written.value, profiles.keys().copied());
        let fault = Fault::absent(&written.place, message).meant(nearest);
        faults.error(fault.expected("the NAME of a [profile.NAME]"));
        return None;
    };
    refuse_what_nobody_can_answer(faults, written, found, profiles);
    ProfileName::parse(written.value).ok()
}

/// Nobody stands behind a standing endpoint who could give a reason, and whoever holds its token is served: so a
/// profile that asks for more of its callers, or passes through one that does, cannot be served by one.
fn refuse_what_nobody_can_answer(
    faults: &Faults,
    written: &Written<&str>,
    profile: &RawProfile<'_>,
    profiles: &Profiles<'_, '_>,
) {
    let via = |hop: &&RawProfile<'_>| hop.via.here().and_then(|via| profiles.get(via.value));
    let chain = std::iter::successors(Some(profile), |hop| via(hop).copied());
    for hop in chain.take(MAX_CHAIN) {
        let name = Excerpt::of(hop.name.value);
        let requires = hop
            .require
            .here()
            .is_some_and(|list| !list.value.is_empty());
        let (message, expected) = if requires {
            let message = format!("profile {name} requires what no standing endpoint can give");
            (message, "a profile without require")
        } else if !hop.peers.is_empty() {
            let message = format!("profile {name} is for certain programs (peers) only");
            (message, "a profile without peers")
        } else {
            continue;
        };
        faults.error(Fault::wrong(&written.place, message).expected(expected));
        return;
    }
}

fn port_of<'r>(
    faults: &Faults,
    written: &Written<i64>,
    section: &'r str,
    ports: &mut BTreeMap<Port, &'r str>,
) -> Option<Port> {
    let Ok(port) = Port::parse(written.value) else {
        let message = format!("{} is no port that you can listen on", written.value);
        faults.error(Fault::wrong(&written.place, message).expected("1024 to 65535"));
        return None;
    };
    if let Some(other) = ports.insert(port, section) {
        let message = format!("[{other}] has this port already");
        faults.error(Fault::wrong(&written.place, message).expected("a port of its own"));
        return None;
    }
    if EPHEMERAL_PORTS.contains(&port.number()) {
        let message = "Linux gives this port to outgoing connections, so it may be taken at times";
        let fault = Fault::wrong(&written.place, message);
        faults.warning(fault.expected("1024 to 32767, or 61000 to 65535"));
    }
    Some(port)
}

fn speaks(faults: &Faults, raw: &RawServe<'_>, kind: Option<Kind>) -> Option<Speaks> {
    let v1 = raw.imds_v1.here();
    match (kind?, v1) {
        (Kind::Container, Some(written)) => {
            let fault = Fault::wrong(&written.place, "container credentials know no IMDSv1");
            faults.error(fault.expected("imds_v1 beside kind = \"imds\" only"));
            None
        }
        (Kind::Container, None) => Some(Speaks::Container),
        (Kind::Imds, None) => Some(Speaks::Imds { v1: false }),
        (Kind::Imds, Some(written)) => {
            if written.value {
                let message = "without a token, whatever fetches addresses for others can be made to fetch this session";
                let fault = Fault::wrong(&written.place, message);
                faults.warning(fault.expected("imds_v1 only for a program that knows no IMDSv2"));
            }
            Some(Speaks::Imds { v1: written.value })
        }
    }
}
