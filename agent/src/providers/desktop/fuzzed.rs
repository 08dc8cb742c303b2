//! What is heard on a bus. Law: the machine sleeps and the screen is locked for us only if the owner of the name says so that
//! it should come from, as the bus itself named it; nobody else is believed, whatever it sends.

use std::collections::BTreeMap;

use super::watcher::{BUS, Heard, LOGIND, Told, Watcher};
use crate::fuzzed::text;

/// One signal a line: sender, path, interface, member, flag, name and owner, with tabs between.
pub(crate) fn target(data: &[u8]) {
    let mut watcher = Watcher::default();
    let mut owners = BTreeMap::new();
    for line in text(data).into_iter().flat_map(str::lines).take(64) {
        let mut words = line.split('\t');
        let mut word = || words.next().unwrap_or_default();
        let told = Told {
            sender: word(),
            path: word(),
            interface: word(),
            member: word(),
            flag: match word() {
                "t" => Some(true),
                "f" => Some(false),
                _ => None,
            },
            owner: Some((word(), word())).filter(|(name, _)| !name.is_empty()),
        };
        let heard = watcher.hear(&told);
        if let Some((name, owner)) = told.owner
            && (told.sender, told.member) == (BUS, "NameOwnerChanged")
        {
            owners.insert(name, owner);
        }
        judge(heard.as_ref(), &told, &owners);
    }
}

fn judge(heard: Option<&Heard>, told: &Told<'_>, owners: &BTreeMap<&str, &str>) {
    let owns = |name: &str| owners.get(name).is_some_and(|owner| *owner == told.sender);
    let savers = ["org.freedesktop.ScreenSaver", "org.gnome.ScreenSaver"];
    match heard {
        None => {}
        Some(Heard::Sleep(sleeps)) => {
            assert!(owns(LOGIND) && told.member == "PrepareForSleep");
            assert_eq!(told.flag, Some(*sleeps));
        }
        Some(Heard::Session { path, .. }) => {
            assert!(owns(LOGIND));
            assert_eq!(path, told.path);
        }
        Some(Heard::Screen(locked)) => {
            assert!(
                savers
                    .iter()
                    .any(|name| *name == told.interface && owns(name))
            );
            assert_eq!(told.flag, Some(*locked));
        }
        Some(Heard::Appeared(name)) => {
            assert_eq!(told.sender, BUS);
            assert_eq!(told.owner.map(|(name, _)| name), Some(*name));
        }
    }
}
