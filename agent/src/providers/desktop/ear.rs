//! What comes in on one connection: signals, and the answers to the few things that are asked.

use std::collections::HashMap;
use std::time::Duration;

use dbus::arg::{OwnedFd, Variant};
use dbus::{Message, MessageType, Path};
use tokio::time::Instant;

use super::bus::Bus;
use super::watcher::{BUS, Heard, Kind, LOGIND, Told, Wanted, Watcher, of_logind};
use crate::ports::{Hold, Sign};

/// Where logind takes calls.
const PLACE: &str = "/org/freedesktop/login1";

/// How long logind may take to say whose a session is. Without an answer it counts as ours when it was locked.
const ANSWER_WITHIN: Duration = Duration::from_millis(250);

/// Most questions without an answer.
const MAX_ASKED: usize = 32;

/// A question without an answer yet.
enum Asked {
    Owner(&'static str),
    Hold,
    Whose { locked: bool, until: Instant },
}

/// One connection's subscriptions, and what is known by them.
pub(super) struct Ear<'a> {
    bus: &'a Bus,
    kind: Kind,
    wanted: Wanted,
    uid: u32,
    watcher: Watcher,
    asked: HashMap<u32, Asked>,
    hold: Option<Hold>,
}

impl<'a> Ear<'a> {
    /// Subscribes to what is wanted, and to nothing else.
    pub(super) fn new(bus: &'a Bus, kind: Kind, wanted: Wanted) -> Self {
        let mut ear = Self {
            bus,
            kind,
            wanted,
            uid: rustix::process::geteuid().as_raw(),
            watcher: Watcher::default(),
            asked: HashMap::new(),
            hold: None,
        };
        for rule in wanted.rules(kind) {
            let call = call(BUS, "/org/freedesktop/DBus", BUS, "AddMatch");
            let mut subscribe = call.append1(rule);
            subscribe.set_no_reply(true);
            bus.send(subscribe);
        }
        for name in wanted.names(kind) {
            let call = call(BUS, "/org/freedesktop/DBus", BUS, "GetNameOwner");
            ear.ask(call.append1(*name), Asked::Owner(name));
        }
        ear
    }

    /// What a new connection means: the machine is awake, whatever was heard on an earlier one.
    pub(super) fn first(&self) -> Option<Sign> {
        (self.kind == Kind::System && self.wanted.suspend).then_some(Sign::Awake)
    }

    /// The next sign among the messages that have come.
    pub(super) fn next(&mut self) -> Option<Sign> {
        while let Some(message) = self.bus.next() {
            if let Some(sign) = self.take(&message) {
                return Some(sign);
            }
        }
        None
    }

    /// Resolves when logind did not say in time whose session it was that was locked.
    pub(super) async fn late(&mut self) -> Option<Sign> {
        let due = self.asked.iter().filter_map(|(serial, asked)| match asked {
            Asked::Whose { until, .. } => Some((*until, *serial)),
            Asked::Owner(_) | Asked::Hold => None,
        });
        let Some((until, serial)) = due.min() else {
            return std::future::pending().await;
        };
        tokio::time::sleep_until(until).await;
        match self.asked.remove(&serial) {
            Some(Asked::Whose { locked: true, .. }) => Some(Sign::ScreenLocked),
            _ => None,
        }
    }

    fn take(&mut self, message: &Message) -> Option<Sign> {
        match message.msg_type() {
            MessageType::Signal => {
                let heard = self.hear(message)?;
                self.act(heard)
            }
            MessageType::MethodReturn | MessageType::Error => self.answered(message),
            MessageType::MethodCall => None,
        }
    }

    fn hear(&mut self, message: &Message) -> Option<Heard> {
        let (sender, path) = (message.sender()?, message.path()?);
        let (interface, member) = (message.interface()?, message.member()?);
        let (name, _, owner) = message.get3::<&str, &str, &str>();
        self.watcher.hear(&Told {
            sender: &sender,
            path: &path,
            interface: &interface,
            member: &member,
            flag: message.get1(),
            owner: name.zip(owner),
        })
    }

    fn act(&mut self, heard: Heard) -> Option<Sign> {
        match heard {
            Heard::Sleep(true) => Some(Sign::Sleeping(self.hold.take().unwrap_or_default())),
            Heard::Sleep(false) => {
                self.take_hold();
                Some(Sign::Awake)
            }
            Heard::Screen(true) => Some(Sign::ScreenLocked),
            Heard::Screen(false) => Some(Sign::ScreenUnlocked),
            Heard::Session { path, locked } => self.ask_whose(path, locked),
            Heard::Appeared(LOGIND) => {
                self.take_hold();
                None
            }
            Heard::Appeared(_) => None,
        }
    }

    /// A delay inhibitor: logind waits some seconds for its end before the machine sleeps
    /// (systemd's "Inhibitor Locks").
    fn take_hold(&mut self) {
        if self.wanted.suspend {
            let call = call(LOGIND, PLACE, &of_logind("Manager"), "Inhibit");
            let why = "wipes credentials from memory first";
            let call = call.append3("sleep", "Jumpgate", why).append1("delay");
            self.ask(call, Asked::Hold);
        }
    }

    fn ask_whose(&mut self, path: String, locked: bool) -> Option<Sign> {
        let unknown = locked.then_some(Sign::ScreenLocked);
        let Ok(path) = Path::new(path) else {
            return unknown;
        };
        let get = call(LOGIND, &path, "org.freedesktop.DBus.Properties", "Get");
        let get = get.append2(of_logind("Session"), "User");
        let until = Instant::now() + ANSWER_WITHIN;
        if self.ask(get, Asked::Whose { locked, until }) {
            None
        } else {
            unknown
        }
    }

    fn ask(&mut self, call: Message, asked: Asked) -> bool {
        if self.asked.len() >= MAX_ASKED {
            return false;
        }
        let serial = self.bus.send(call);
        serial.map(|serial| self.asked.insert(serial, asked));
        serial.is_some()
    }

    /// An answer, if it comes from whom it was asked of.
    fn answered(&mut self, message: &Message) -> Option<Sign> {
        let serial = message.get_reply_serial()?;
        let sender = message.sender()?;
        let by = match self.asked.get(&serial)? {
            Asked::Owner(_) => BUS,
            Asked::Hold | Asked::Whose { .. } => self.watcher.owner(LOGIND)?,
        };
        // The bus answers for one that has gone.
        if *sender != *by && *sender != *BUS {
            return None;
        }
        match self.asked.remove(&serial)? {
            // Nobody owns it yet.
            Asked::Owner(_) if message.msg_type() == MessageType::Error => None,
            Asked::Owner(name) => {
                let heard = self.watcher.owned(name, message.get1()?)?;
                self.act(heard)
            }
            Asked::Hold => {
                self.hold = message.get1::<OwnedFd>().map(Hold::new);
                if self.hold.is_none() {
                    tracing::warn!("logind grants no delay: memory may be wiped after the sleep");
                }
                None
            }
            Asked::Whose { locked, .. } => self.judge(message, locked),
        }
    }

    fn judge(&self, message: &Message, locked: bool) -> Option<Sign> {
        let user = message.get1::<Variant<(u32, Path<'_>)>>();
        match user.map(|Variant((uid, _))| uid == self.uid) {
            Some(true) if locked => Some(Sign::ScreenLocked),
            Some(true) => Some(Sign::ScreenUnlocked),
            Some(false) => None,
            None => locked.then_some(Sign::ScreenLocked),
        }
    }
}

/// A method call; every name in it is one of ours, or was read by the library.
fn call(to: &str, path: &str, interface: &str, member: &str) -> Message {
    Message::call_with_args(to, path, interface, member, ())
}
