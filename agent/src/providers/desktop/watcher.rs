//! Which signals of a bus are believed, and what they mean. Knows no connection.
//!
//! Everybody on a bus can send a signal to us alone, past all match rules, so each counts only from the owner of the
//! well-known name that it should come from; who that is, the bus itself says (D-Bus specification, "Message Bus
//! Messages"). Sources: org.freedesktop.login1(5); the idle inhibition interface of freedesktop.org, and GNOME's.

use std::collections::BTreeMap;

/// The bus itself; nobody else can send under this name.
pub(super) const BUS: &str = "org.freedesktop.DBus";

/// systemd's keeper of sessions.
pub(super) const LOGIND: &str = "org.freedesktop.login1";

/// Who says that the screen is locked; each name is an interface too.
const SAVERS: [&str; 2] = ["org.freedesktop.ScreenSaver", "org.gnome.ScreenSaver"];

/// The two buses of a desktop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The machine's.
    System,
    /// The user's.
    Session,
}

impl Kind {
    /// For the log.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::System => "system bus",
            Self::Session => "session bus",
        }
    }
}

/// What is listened to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Wanted {
    pub(super) suspend: bool,
    pub(super) screen_lock: bool,
}

impl Wanted {
    /// Whose signals are wanted of a bus.
    pub(super) fn names(self, bus: Kind) -> &'static [&'static str] {
        match bus {
            Kind::System if self.suspend || self.screen_lock => &[LOGIND],
            Kind::Session if self.screen_lock => &SAVERS,
            Kind::System | Kind::Session => &[],
        }
    }

    /// The match rules for them.
    pub(super) fn rules(self, bus: Kind) -> Vec<String> {
        let names = self.names(bus).iter();
        let mut rules: Vec<String> = names
            .map(|name| format!("{},arg0='{name}'", rule(BUS, BUS, "NameOwnerChanged")))
            .collect();
        match bus {
            Kind::System => {
                if self.suspend {
                    rules.push(rule(LOGIND, &of_logind("Manager"), "PrepareForSleep"));
                }
                if self.screen_lock {
                    let members = ["Lock", "Unlock"].iter();
                    rules.extend(members.map(|member| rule(LOGIND, &of_logind("Session"), member)));
                }
            }
            Kind::Session if self.screen_lock => {
                rules.extend(SAVERS.map(|name| rule(name, name, "ActiveChanged")));
            }
            Kind::Session => {}
        }
        rules
    }
}

/// An interface of logind.
pub(super) fn of_logind(what: &str) -> String {
    format!("{LOGIND}.{what}")
}

fn rule(sender: &str, interface: &str, member: &str) -> String {
    format!("type='signal',sender='{sender}',interface='{interface}',member='{member}'")
}

/// A signal, as far as it is looked at.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Told<'a> {
    pub(super) sender: &'a str,
    pub(super) path: &'a str,
    pub(super) interface: &'a str,
    pub(super) member: &'a str,
    /// Its first argument, if that is a boolean.
    pub(super) flag: Option<bool>,
    /// Its first and third argument, if they are strings: a name and its new owner.
    pub(super) owner: Option<(&'a str, &'a str)>,
}

/// What a believed signal means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Heard {
    /// The machine is about to sleep, or has woken.
    Sleep(bool),
    /// The screen was locked, or unlocked.
    Screen(bool),
    /// A session of somebody's was locked, or unlocked: whose, is to be asked.
    Session { path: String, locked: bool },
    /// A service that is listened to is there, or is another now.
    Appeared(&'static str),
}

/// Who owns the names that are listened to.
#[derive(Debug, Default)]
pub(super) struct Watcher {
    owners: BTreeMap<&'static str, String>,
}

impl Watcher {
    /// The bus says who owns a name; nobody if it is empty.
    pub(super) fn owned(&mut self, name: &'static str, owner: &str) -> Option<Heard> {
        if owner.is_empty() {
            self.owners.remove(name);
            return None;
        }
        let before = self.owners.insert(name, owner.to_owned());
        (before.as_deref() != Some(owner)).then_some(Heard::Appeared(name))
    }

    /// Who owns a name, as far as the bus said.
    pub(super) fn owner(&self, name: &str) -> Option<&str> {
        self.owners.get(name).map(String::as_str)
    }

    /// Takes a signal in.
    pub(super) fn hear(&mut self, told: &Told<'_>) -> Option<Heard> {
        if told.sender == BUS {
            let (name, owner) = told.owner.filter(|_| told.member == "NameOwnerChanged")?;
            let name = known(name)?;
            return self.owned(name, owner);
        }
        // A desktop's shell may own several names.
        let mut owned = self.owners.iter();
        let (name, interface) = owned.find_map(|(name, owner)| {
            let interface = told.interface.strip_prefix(name);
            interface
                .filter(|_| owner == told.sender)
                .map(|rest| (*name, rest))
        })?;
        match (name, interface, told.member) {
            (LOGIND, ".Manager", "PrepareForSleep") => told.flag.map(Heard::Sleep),
            (LOGIND, ".Session", "Lock" | "Unlock") => Some(Heard::Session {
                path: told.path.to_owned(),
                locked: told.member == "Lock",
            }),
            (LOGIND, ..) => None,
            (_, "", "ActiveChanged") => told.flag.map(Heard::Screen),
            _ => None,
        }
    }
}

fn known(name: &str) -> Option<&'static str> {
    let mut all = SAVERS.into_iter().chain([LOGIND]);
    all.find(|known| *known == name)
}

#[cfg(test)]
mod tests;
