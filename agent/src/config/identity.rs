//! `[identity.NAME]`: where base credentials come from.

use std::collections::BTreeMap;
use std::sync::Arc;

use jumpgate_iam::{AccountId, Arn, Excerpt, MfaSerial, MfaSessionDuration, Region};

use super::faults::{Fault, Faults, Written};
use super::raw::RawIdentity;
use super::section::Entry;
use super::terms::{Accounts, Bounds, absolute_path, argv, choice, duration_or_never};
use crate::domain::identity::{
    CodeSource, Endpoint, EndpointUrl, Identity, Mfa, MfaSession, Store,
};
use crate::domain::name::IdentityName;

/// The region of an identity that names none: that of the commercial partition, as the AWS SDKs have it.
pub const DEFAULT_REGION: &str = "us-east-1";

/// How long one MFA code serves unless said otherwise, in seconds: a working day.
pub const DEFAULT_MFA_SESSION: u32 = 8 * 3_600;

/// After how long a key may be called old.
const ROTATE_AFTER: Bounds = Bounds {
    seconds: (86_400, 3_650 * 86_400),
    words: "1d to 3650d",
};

/// Understands all identities.
pub(super) fn understand(
    faults: &Faults,
    raw: &[RawIdentity<'_>],
    accounts: &Accounts<'_>,
) -> BTreeMap<IdentityName, Arc<Identity>> {
    raw.iter()
        .filter_map(|raw| identity(faults, raw, accounts))
        .map(|identity| (identity.name.clone(), Arc::new(identity)))
        .collect()
}

fn identity(faults: &Faults, raw: &RawIdentity<'_>, accounts: &Accounts<'_>) -> Option<Identity> {
    let name = faults.checked(&raw.name.place, IdentityName::parse(raw.name.value));
    if let Some(kind) = raw.kind.here() {
        check_kind(faults, kind);
    }
    let account = raw.account.here();
    let account = account.and_then(|written| accounts.account(faults, written));
    let endpoint = endpoint(faults, raw);
    let device = raw.mfa_serial.here().and_then(|written| {
        let serial = MfaSerial::parse(written.value);
        Some(written.with(faults.checked(&written.place, serial)?))
    });
    if let Some(device) = &device {
        let account = account.as_ref().map(|account| account.id);
        let region = endpoint.as_ref().map(|endpoint| &endpoint.region);
        check_device(faults, device, account, region);
    }
    let mfa = mfa(faults, raw, device);
    let store = raw.store.here();
    let store = store.map_or(Some(Store::Keyring), |written| {
        let stores = [("keyring", Store::Keyring), ("file", Store::File)];
        choice(faults, written, &stores)
    });
    doubt_passphrase_command(faults, raw, store);
    Some(Identity {
        name: name?,
        account: account?.id,
        endpoint: endpoint?,
        iam_url: address(faults, &raw.iam_endpoint),
        mfa,
        store: store?,
        passphrase_command: argv(faults, &raw.passphrase_command),
        rotate_after: duration_or_never(faults, &raw.rotate_after, ROTATE_AFTER, None),
    })
}

fn check_kind(faults: &Faults, kind: &Written<&str>) {
    let later = ["web-identity", "saml", "sso", "process"];
    if later.contains(&kind.value) {
        faults.error(unavailable(kind, "kind", "\"iam-user\""));
        return;
    }
    let _: Option<()> = choice(faults, kind, &[("iam-user", ())]);
}

fn unavailable(written: &Written<&str>, key: &str, expected: &str) -> Fault {
    let message = format!(
        "{key} \"{}\" is not available in this version",
        written.value
    );
    Fault::wrong(&written.place, message).expected(expected)
}

/// Nothing only for a region that is none; whatever else is wrong with the endpoint, the region is what the roles
/// are checked against.
fn endpoint(faults: &Faults, raw: &RawIdentity<'_>) -> Option<Endpoint> {
    let default = || Region::parse(DEFAULT_REGION).ok();
    let region = match &raw.region {
        Entry::Absent => default(),
        Entry::Broken => None,
        Entry::Here(written) => faults.checked(&written.place, Region::parse(written.value)),
    };
    let ca_bundle = raw.ca_bundle.here();
    let (url, ca_bundle) = (
        address(faults, &raw.sts_endpoint),
        ca_bundle.and_then(|written| absolute_path(faults, written)),
    );
    Some(Endpoint {
        region: region?,
        url,
        ca_bundle,
    })
}

fn address(faults: &Faults, entry: &Entry<&str>) -> Option<EndpointUrl> {
    let written = entry.here()?;
    faults.checked(&written.place, EndpointUrl::parse(written.value))
}

fn mfa(faults: &Faults, raw: &RawIdentity<'_>, device: Option<Written<MfaSerial>>) -> Option<Mfa> {
    if raw.mfa_serial.is_absent() {
        refuse_mfa_without_device(faults, raw);
        return None;
    }
    let source = code_source(faults, raw);
    let session = mfa_session(faults, &raw.mfa_session);
    Some(Mfa {
        serial: device?.value,
        source: source?,
        session: session?,
    })
}

fn refuse_mfa_without_device(faults: &Faults, raw: &RawIdentity<'_>) {
    let places = [
        raw.mfa.here().map(|written| &written.place),
        raw.mfa_command.here().map(|written| &written.place),
        raw.mfa_session.here().map(|written| &written.place),
    ];
    for place in places.into_iter().flatten() {
        let fault = Fault::absent(place, "there is no MFA device that this could be about");
        faults.error(fault.expected("mfa_serial beside it"));
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Prompt,
    Command,
    Stored,
}

fn code_source(faults: &Faults, raw: &RawIdentity<'_>) -> Option<CodeSource> {
    let command = argv(faults, &raw.mfa_command);
    let source = match &raw.mfa {
        Entry::Absent if raw.mfa_command.is_absent() => Source::Prompt,
        Entry::Absent => Source::Command,
        Entry::Broken => return None,
        Entry::Here(written) => {
            let sources = [
                ("prompt", Source::Prompt),
                ("command", Source::Command),
                ("stored", Source::Stored),
            ];
            choice(faults, written, &sources)?
        }
    };
    match (source, raw.mfa.here(), raw.mfa_command.here()) {
        (Source::Prompt | Source::Stored, Some(written), Some(unused)) => {
            let message = format!("with mfa = \"{}\" the command is never run", written.value);
            let fault = Fault::wrong(&unused.place, message);
            faults.warning(fault.expected("mfa = \"command\""));
        }
        (Source::Command, Some(written), None) if raw.mfa_command.is_absent() => {
            let fault = Fault::absent(&written.place, "there is no command to run");
            faults.error(fault.expected("mfa_command beside it"));
        }
        _ => {}
    }
    match source {
        Source::Prompt => Some(CodeSource::Prompt),
        Source::Command => command.map(CodeSource::Command),
        Source::Stored => Some(CodeSource::Stored),
    }
}

fn mfa_session(faults: &Faults, entry: &Entry<&str>) -> Option<MfaSession> {
    let Some(written) = entry.here() else {
        return MfaSessionDuration::new(DEFAULT_MFA_SESSION)
            .map(MfaSession::For)
            .ok();
    };
    if written.value == "off" {
        return Some(MfaSession::Off);
    }
    match MfaSessionDuration::parse(written.value) {
        Ok(duration) => Some(MfaSession::For(duration)),
        Err(error) => {
            let fault = Fault::wrong(&written.place, error.to_string());
            faults.error(fault.expected("15m to 36h, or \"off\""));
            None
        }
    }
}

/// A user's device is in the user's account, and in the partition of the STS that is asked.
fn check_device(
    faults: &Faults,
    device: &Written<MfaSerial>,
    account: Option<AccountId>,
    region: Option<&Region>,
) {
    if let Some((owner, account)) = device.value.account().zip(account)
        && owner != account
    {
        let message = format!("the device is in account {owner}, and the identity in {account}");
        let fault = Fault::wrong(&device.place, message);
        faults.error(fault.expected("a device of the identity's account"));
    }
    if let Some((arn, region)) = Arn::parse(device.value.as_str()).ok().zip(region)
        && arn.partition() != region.partition()
    {
        let (theirs, ours) = (arn.partition(), region.partition());
        let message = format!("the device is in partition {theirs}, and region {region} in {ours}");
        let fault = Fault::wrong(&device.place, message);
        faults.error(fault.expected("a region of the device's partition"));
    }
}

fn doubt_passphrase_command(faults: &Faults, raw: &RawIdentity<'_>, store: Option<Store>) {
    if let (Some(command), Some(Store::Keyring)) = (raw.passphrase_command.here(), store) {
        let message = "with store = \"keyring\" the command is never run";
        let fault = Fault::wrong(&command.place, message);
        faults.warning(fault.expected("store = \"file\""));
    }
}

/// The identity that a profile names, or the only one there is.
pub(super) fn named_by<'r, 'a>(
    faults: &Faults,
    raw: &'r [RawIdentity<'a>],
    entry: &Entry<&'a str>,
    profile: &super::faults::Place,
) -> Option<&'r RawIdentity<'a>> {
    match (entry, raw) {
        (Entry::Broken, _) => None,
        (Entry::Absent, [only]) => Some(only),
        (Entry::Absent, _) => {
            let fault = Fault::absent(profile, "identity is missing");
            faults.error(fault.expected("the name of an identity"));
            None
        }
        (Entry::Here(written), _) => {
            let found = raw.iter().find(|raw| raw.name.value == written.value);
            if found.is_none() {
                let message = format!("no identity is called {}", Excerpt::of(written.value));
                let nearest = faults.nearest(written.value, raw.iter().map(|raw| raw.name.value));
                let fault = Fault::absent(&written.place, message).meant(nearest);
                faults.error(fault.expected("the NAME of an [identity.NAME]"));
            }
            found
        }
    }
}
