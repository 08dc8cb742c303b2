//! Every credential that was handed out, held against the double and against the journal.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use jumpgate_tests::Lab;
use jumpgate_tests::sts::Event;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::steps::Want;
use crate::double_client::{Draft, Keys, send};

/// Credentials as one of the interfaces printed them.
#[derive(Clone)]
pub(crate) struct Document {
    keys: Keys,
    /// Unix seconds.
    expires: i64,
}

/// Who got it by which interface, as the journal counts: one record, then a count, for each process and session.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct HandOut {
    key: String,
    interface: &'static str,
    pid: u32,
}

#[derive(Debug, Clone, Copy)]
struct Received {
    want: Want,
    times: u64,
    /// When it came first, Unix milliseconds, and at which step.
    first: i64,
    step: u64,
    expires: i64,
}

/// All hand-outs.
#[derive(Debug, Default)]
pub(crate) struct Ledger(Mutex<BTreeMap<HandOut, Received>>);

/// Now, Unix milliseconds.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

impl Document {
    /// Of `credential_process`, container, IMDS or the control API.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let value: Value =
            serde_json::from_slice(bytes).map_err(|error| format!("no JSON: {error}"))?;
        let text = |names: [&str; 3]| {
            let found = names.iter().find_map(|name| value[*name].as_str());
            found.map(str::to_owned).ok_or(format!("no {}", names[0]))
        };
        let expires = text(["Expiration", "expires_at", "-"])?;
        let expires = OffsetDateTime::parse(&expires, &Rfc3339).map_err(|e| e.to_string())?;
        Ok(Self {
            keys: Keys {
                id: text(["AccessKeyId", "access_key_id", "-"])?,
                secret: text(["SecretAccessKey", "secret_access_key", "-"])?,
                token: Some(text(["SessionToken", "Token", "session_token"])?),
            },
            expires: expires.unix_timestamp(),
        })
    }
}

impl HandOut {
    /// Before all of this key.
    fn first_of(key: &str) -> Self {
        Self {
            key: key.to_owned(),
            interface: "",
            pid: 0,
        }
    }
}

impl Ledger {
    /// Enters a hand-out; what came for the first time is tried at the double at once: it is valid now, and may what
    /// its profile may.
    pub(crate) fn enter(
        &self,
        lab: &Lab,
        (step, want): (u64, Want),
        (interface, pid): (&'static str, u32),
        asked: Instant,
        document: &Document,
    ) -> Result<(), String> {
        let first = now_ms();
        long_enough(want, asked, first, document)?;
        let hand_out = HandOut {
            key: document.keys.id.clone(),
            interface,
            pid,
        };
        let expires = document.expires;
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut same = all.range(HandOut::first_of(&hand_out.key)..);
        let is_new = same.next().is_none_or(|(next, _)| next.key != hand_out.key);
        let received = all.entry(hand_out).or_insert(Received {
            want,
            times: 0,
            first,
            step,
            expires,
        });
        received.times += 1;
        drop(all);
        if is_new {
            tried(lab, want, document)?;
        }
        Ok(())
    }

    /// How many hand-outs, and of how many sessions.
    pub(crate) fn counts(&self) -> (u64, usize) {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut keys: Vec<&str> = all.keys().map(|hand_out| hand_out.key.as_str()).collect();
        keys.dedup();
        (
            all.values().map(|received| received.times).sum(),
            keys.len(),
        )
    }

    /// Each against what the double issued and what the journal says; what does not fit.
    pub(crate) fn audit(&self, lab: &Lab) -> Vec<String> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let events = lab.double.events();
        let issued: BTreeMap<&str, &Event> = events
            .iter()
            .filter_map(|event| Some((event.issued.as_ref()?.access_key_id.as_str(), event)))
            .collect();
        let recorded = recorded(&lab.journal_of(&["lease.issue", "lease.serve"]));
        let mut wrong = Vec::new();
        let mut unnamed = unnamed(&all, &recorded);
        for (hand_out, received) in all.iter() {
            let found = as_issued(issued.get(hand_out.key.as_str()).copied(), received)
                .and_then(|()| as_recorded(hand_out, received, &recorded, &mut unnamed));
            if let Err(what) = found {
                wrong.push(format!(
                    "step {}: {hand_out:?}, {received:?}: {what}",
                    received.step
                ));
            }
        }
        wrong
    }
}

/// The last minute of a session is not handed out, or the last tenth of a short one; and what has been under way for
/// longer than that was valid when it left.
fn long_enough(want: Want, asked: Instant, now: i64, document: &Document) -> Result<(), String> {
    let waited = i64::try_from(asked.elapsed().as_millis()).unwrap();
    let last = i64::try_from(60_000.min(want.life() * 100)).unwrap();
    // The agent's clock goes by whole seconds.
    let left = document.expires * 1000 - (now - waited) + 1000;
    match left > last {
        true => Ok(()),
        false => Err(format!("{want:?}: {left} ms are left of its life")),
    }
}

/// What the session may do at the double, if it has not run out meanwhile.
fn tried(lab: &Lab, want: Want, document: &Document) -> Result<(), String> {
    let targets = ["/demo?list-type=2", "/demo/hello.txt"];
    for (target, may) in targets.into_iter().zip(want.may()) {
        let draft = Draft::new("GET", target, "s3");
        let reply = send(&draft, Some(&document.keys), lab.double.address());
        let outcome = reply.ok_or("the double did not answer")?.outcome();
        let wanted = if may { "200" } else { "403 AccessDenied" };
        if outcome != wanted && now_ms() < document.expires * 1000 {
            return Err(format!("{want:?}: GET {target} gave {outcome}"));
        }
    }
    Ok(())
}

fn as_issued(event: Option<&Event>, received: &Received) -> Result<(), String> {
    let event = event.ok_or("the double did not issue it")?;
    let issued = event.issued.as_ref().ok_or("nothing issued")?;
    if issued.expires != received.expires {
        return Err(format!("the double's expiry is {}", issued.expires));
    }
    let role = format!(":assumed-role/{}/", received.want.role());
    if !issued.arn.contains(&role) {
        return Err(format!("it is a session of {}", issued.arn));
    }
    let life = issued.expires - event.time;
    if life > i64::try_from(received.want.life()).unwrap() {
        return Err(format!("it was issued for {life} s"));
    }
    match event.fault.as_deref() {
        None | Some("Delay") if event.status == 200 => Ok(()),
        // A fault of AssumeRole's answer alone.
        Some("OtherRole") if event.action != "AssumeRole" => Ok(()),
        other => Err(format!("it was made by a call with the fault {other:?}")),
    }
}

/// How often the journal says that it was handed out, and when it said so first.
#[derive(Debug, Clone, Copy)]
struct Recorded {
    times: u64,
    first: i64,
}

type Records = BTreeMap<HandOut, Recorded>;

fn recorded(records: &[Value]) -> Records {
    let mut all = BTreeMap::new();
    for record in records {
        let facts = &record["unmapped"]["jumpgate"];
        let interface = ["process", "export", "container", "imds"]
            .into_iter()
            .find(|name| facts["interface"] == *name);
        let (Some(interface), Some(key)) = (interface, facts["access_key_id"].as_str()) else {
            continue;
        };
        let pid = record["actor"]["process"]["pid"].as_u64().unwrap_or(0);
        let hand_out = HandOut {
            key: key.to_owned(),
            interface,
            pid: u32::try_from(pid).unwrap_or_default(),
        };
        let time = record["time"].as_i64().unwrap_or(i64::MAX);
        let sum = all.entry(hand_out).or_insert(Recorded {
            times: 0,
            first: time,
        });
        sum.times += facts["count"].as_u64().unwrap_or(1);
        sum.first = sum.first.min(time);
    }
    all
}

/// By session and interface, what the journal has of processes that got nothing: of an endpoint's connection it names the
/// process only if that was found in time, and a child that was just forked holds its parent's sockets too.
fn unnamed(
    received: &BTreeMap<HandOut, Received>,
    recorded: &Records,
) -> BTreeMap<(String, &'static str), Recorded> {
    let mut all: BTreeMap<_, Recorded> = BTreeMap::new();
    for (hand_out, record) in recorded {
        if received.contains_key(hand_out) || matches!(hand_out.interface, "process" | "export") {
            continue;
        }
        let sum = all.entry((hand_out.key.clone(), hand_out.interface));
        let sum = sum.or_insert(Recorded {
            times: 0,
            first: record.first,
        });
        sum.times += record.times;
        sum.first = sum.first.min(record.first);
    }
    all
}

/// Each hand-out is on record, the first of its session before it left.
fn as_recorded(
    hand_out: &HandOut,
    received: &Received,
    recorded: &Records,
    unnamed: &mut BTreeMap<(String, &'static str), Recorded>,
) -> Result<(), String> {
    let named = recorded.get(hand_out).copied();
    let mut first = named.map_or(i64::MAX, |named| named.first);
    let mut missing = received
        .times
        .saturating_sub(named.map_or(0, |named| named.times));
    let others = unnamed.get_mut(&(hand_out.key.clone(), hand_out.interface));
    if let Some(others) = others.filter(|_| missing > 0) {
        first = first.min(others.first);
        let taken = missing.min(others.times);
        others.times -= taken;
        missing -= taken;
    }
    if missing > 0 {
        return Err(format!("the journal lacks {missing} of {}", received.times));
    }
    match first > received.first {
        true => Err("the journal has it only behind the hand-out".to_owned()),
        false => Ok(()),
    }
}
