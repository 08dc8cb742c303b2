//! What the double remembers: sessions, used codes, objects, the record, planned faults.

use super::bytes::{BASE32, BASE64, random_text};
use super::clock;
use super::faults::Planned;
use super::principal::{Caller, RoleSession, Who};
use super::record::{Event, Issued};
use super::rules::Rule;
use super::totp;
use super::world::World;
use std::collections::{BTreeMap, BTreeSet};

/// Temporary credentials as the double made them.
#[derive(Clone)]
pub(super) struct Session {
    pub(super) who: Who,
    pub(super) scopes: Vec<String>,
    pub(super) secret: String,
    pub(super) token: String,
    pub(super) issued: i64,
    pub(super) expires: i64,
}

/// An object of the tiny S3.
#[derive(Debug, Clone)]
pub(super) struct Object {
    pub(super) body: Vec<u8>,
    pub(super) content_type: String,
    pub(super) modified: i64,
}

/// No Debug: it would print the secrets.
#[derive(Default)]
pub(super) struct State {
    pub(super) world: World,
    /// By access key id.
    pub(super) sessions: BTreeMap<String, Session>,
    /// Device and step of every code that was accepted.
    pub(super) used_codes: BTreeSet<(String, i64)>,
    /// By bucket and key.
    pub(super) objects: BTreeMap<(String, String), Object>,
    pub(super) events: Vec<Event>,
    /// Calls that have come in, answered or not, by action.
    pub(super) arrivals: BTreeMap<String, usize>,
    pub(super) planned: Vec<Planned>,
    /// Seconds that the clock is ahead of the system's.
    pub(super) offset: i64,
    /// Calls held by [`super::Fault::Hold`] go on when this is above the number they saw.
    pub(super) releases: u64,
    pub(super) stopping: bool,
    /// How many calls to STS refuse a key that IAM makes from now on.
    pub(super) propagation: usize,
    /// How many calls to STS still refuse a key.
    pub(super) unknown_yet: BTreeMap<String, usize>,
    /// When a long-term key signed last, Unix seconds.
    pub(super) last_used: BTreeMap<String, i64>,
    /// Secrets of keys that were deleted.
    pub(super) deleted: Vec<String>,
}

/// What a session is made from.
pub(super) struct Order {
    pub(super) who: Who,
    /// Scope-down policies.
    pub(super) scopes: Vec<String>,
    pub(super) expires: i64,
    /// Bytes of the token.
    pub(super) token_bytes: usize,
}

impl State {
    pub(super) fn of(world: World) -> State {
        let mut state = State::default();
        for bucket in &world.buckets {
            for (key, text) in &bucket.objects {
                let object = Object {
                    body: text.clone().into_bytes(),
                    content_type: "binary/octet-stream".to_owned(),
                    modified: clock::system(),
                };
                state
                    .objects
                    .insert((bucket.name.clone(), key.clone()), object);
            }
        }
        State { world, ..state }
    }

    pub(super) fn now(&self) -> i64 {
        clock::system() + self.offset
    }

    pub(super) fn enforces(&self, rule: Rule) -> bool {
        self.world.without.enforces(rule)
    }

    /// Makes temporary credentials and remembers them.
    pub(super) fn mint(&mut self, order: Order, now: i64) -> (Session, Issued) {
        let id = format!("ASIA{}", random_text(BASE32, 16));
        let token_bytes = match self.enforces(Rule::SessionTokenSize) {
            true => order.token_bytes,
            false => 356,
        };
        let session = Session {
            secret: self.marked(40),
            token: self.marked(token_bytes),
            issued: now,
            expires: order.expires,
            who: order.who,
            scopes: order.scopes,
        };
        let issued = Issued {
            access_key_id: id.clone(),
            arn: session.who.arn(),
            expires: session.expires,
            session_token_size: session.token.len(),
            packed_policy_size: None,
        };
        self.sessions.insert(id, session.clone());
        (session, issued)
    }

    /// A random secret that begins with the canary.
    pub(super) fn marked(&self, length: usize) -> String {
        let canary: String = self.world.canary.chars().take(32.min(length)).collect();
        let rest = random_text(BASE64, length - canary.len());
        canary + &rest
    }

    /// The caller behind an access key id, with the secret and the token that belong to it.
    pub(super) fn key(&self, id: &str) -> Option<Key> {
        if let Some(session) = self.sessions.get(id) {
            let caller = Caller {
                who: session.who.clone(),
                access_key_id: id.to_owned(),
                issued: Some(session.issued),
                expires: Some(session.expires),
                scopes: session.scopes.clone(),
            };
            let temporary = Some((session.token.clone(), session.expires));
            return Some(Key {
                caller,
                secret: session.secret.clone(),
                active: true,
                temporary,
            });
        }
        let users = self.world.users.iter();
        let (user, key) = users
            .flat_map(|u| u.keys.iter().map(move |k| (u, k)))
            .find(|(_, k)| k.id == id)?;
        let who = Who::User { arn: user.arn() };
        let caller = Caller {
            who,
            access_key_id: id.to_owned(),
            issued: None,
            expires: None,
            scopes: Vec::new(),
        };
        Some(Key {
            caller,
            secret: key.secret.clone(),
            active: key.active,
            temporary: None,
        })
    }

    /// Counts a call of a key that a part of AWS does not know yet.
    pub(super) fn is_unknown_yet(&mut self, id: &str) -> bool {
        match self.unknown_yet.get_mut(id) {
            Some(left) if *left > 0 => {
                *left -= 1;
                true
            }
            _ => false,
        }
    }

    /// A code of the device that is good now and was not used; the current one if possible.
    pub(super) fn fresh_code(&self, serial: &str) -> Option<String> {
        let device = self
            .world
            .users
            .iter()
            .flat_map(|u| &u.mfa)
            .find(|d| d.serial == serial)?;
        let seed = totp::base32(&device.seed)?;
        let now = totp::step_at(self.now());
        let unused = |step: &i64| !self.used_codes.contains(&(serial.to_owned(), *step));
        [now, now + 1, now - 1]
            .into_iter()
            .find(unused)
            .map(|step| totp::code(&seed, step))
    }

    /// Every secret: long-term secret keys, seeds, secret keys and tokens of sessions.
    pub(super) fn secrets(&self) -> Vec<String> {
        let users = &self.world.users;
        let keys = users
            .iter()
            .flat_map(|u| u.keys.iter().map(|k| k.secret.clone()));
        let seeds = users
            .iter()
            .flat_map(|u| u.mfa.iter().map(|d| d.seed.clone()));
        let sessions = self
            .sessions
            .values()
            .flat_map(|s| [s.secret.clone(), s.token.clone()]);
        let deleted = self.deleted.iter().cloned();
        keys.chain(seeds).chain(sessions).chain(deleted).collect()
    }
}

/// An access key with all that authentication needs to know.
pub(super) struct Key {
    pub(super) caller: Caller,
    pub(super) secret: String,
    pub(super) active: bool,
    /// Token and expiry of temporary credentials.
    pub(super) temporary: Option<(String, i64)>,
}

/// The role session of a caller, if it is one.
pub(super) fn role_session(who: &Who) -> Option<&RoleSession> {
    match who {
        Who::RoleSession(session) => Some(session),
        _ => None,
    }
}
