//! Signatures, the Query protocol, limits of the world.

use crate::client::{Keys, sha256_hex};
use crate::lab::{Lab, MFA};
use jumpgate_tests::sts::{AccessKey, MfaDevice};

pub(crate) fn unsigned(lab: Lab) -> String {
    let bench = lab.plain();
    bench
        .send(&bench.draft("GetCallerIdentity", &[]), None)
        .outcome()
}

pub(crate) fn unknown_key(lab: Lab) -> String {
    let keys = Keys {
        id: "AKIAUNKNOWNUNKNOWN22".into(),
        secret: "any".into(),
        token: None,
    };
    lab.plain().identity(&keys)
}

pub(crate) fn inactive_key(lab: Lab) -> String {
    let bench = lab.start(|world| world.users[0].keys[0].active = false);
    bench.identity(&bench.alice())
}

pub(crate) fn wrong_secret(lab: Lab) -> String {
    let bench = lab.plain();
    bench.identity(&Keys {
        secret: "wrong".into(),
        ..bench.alice()
    })
}

pub(crate) fn old_signature(lab: Lab) -> String {
    let bench = lab.plain();
    let mut draft = bench.draft("GetCallerIdentity", &[]);
    draft.time -= 6 * 60;
    bench.send(&draft, Some(&bench.alice())).outcome()
}

pub(crate) fn bad_scope(lab: Lab) -> String {
    let bench = lab.plain();
    let mut draft = bench.draft("GetCallerIdentity", &[]);
    draft.region = "nowhere".into();
    bench.send(&draft, Some(&bench.alice())).outcome()
}

pub(crate) fn unsigned_header(lab: Lab) -> String {
    let bench = lab.plain();
    let mut draft = bench.draft("GetCallerIdentity", &[]);
    draft
        .unsigned
        .push(("x-amz-target".into(), "slipped in".into()));
    bench.send(&draft, Some(&bench.alice())).outcome()
}

pub(crate) fn other_body(lab: Lab) -> String {
    let bench = lab.plain();
    let mut draft = bench.draft("GetCallerIdentity", &[]);
    draft.payload = Some(sha256_hex(b"another body"));
    draft.send_hash = true;
    bench.send(&draft, Some(&bench.alice())).outcome()
}

pub(crate) fn missing_token(lab: Lab) -> String {
    let bench = lab.plain();
    let keys = bench.session(&[]);
    bench.identity(&Keys {
        token: None,
        ..keys
    })
}

pub(crate) fn expired_session(lab: Lab) -> String {
    let bench = lab.plain();
    let keys = bench.session(&[]);
    bench.double.expire_sessions();
    bench.identity(&keys)
}

pub(crate) fn other_version(lab: Lab) -> String {
    let bench = lab.plain();
    let mut draft = bench.draft("GetCallerIdentity", &[]);
    draft.body = b"Action=GetCallerIdentity&Version=2010-05-08".to_vec();
    bench.send(&draft, Some(&bench.alice())).outcome()
}

pub(crate) fn unknown_parameter(lab: Lab) -> String {
    let bench = lab.plain();
    bench
        .call(&bench.alice(), "GetCallerIdentity", &[("Colour", "blue")])
        .outcome()
}

pub(crate) fn three_keys(lab: Lab) -> String {
    lab.starts(|world| {
        let key = |n| AccessKey {
            id: format!("AKIA{n}"),
            secret: "s".into(),
            active: true,
            created: 0,
        };
        world.users[0].keys.extend([key(1), key(2)]);
    })
}

pub(crate) fn nine_devices(lab: Lab) -> String {
    lab.starts(|world| {
        let device = |n| MfaDevice {
            serial: format!("{MFA}{n}"),
            seed: "MZXW6YTBOI".into(),
        };
        world.users[0].mfa.extend((0..8).map(device));
    })
}
