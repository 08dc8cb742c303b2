//! What is believed of whom, as a table.

use super::*;

const GNOME: &str = "org.gnome.ScreenSaver";

fn signal<'a>(sender: &'a str, interface: &'a str, member: &'a str) -> Told<'a> {
    Told {
        sender,
        path: "/a/path",
        interface,
        member,
        flag: Some(true),
        owner: None,
    }
}

/// logind is `:1.1`, GNOME's shell `:1.2`.
fn watcher() -> Watcher {
    let mut watcher = Watcher::default();
    let appeared = |name| Some(Heard::Appeared(name));
    assert_eq!(watcher.owned(LOGIND, ":1.1"), appeared(LOGIND));
    assert_eq!(watcher.owned(GNOME, ":1.2"), appeared(GNOME));
    watcher
}

#[test]
fn a_signal_is_believed_from_the_owner_of_its_name_alone() {
    let (manager, session) = (of_logind("Manager"), of_logind("Session"));
    let of_session = |locked| {
        let path = "/a/path".to_owned();
        Some(Heard::Session { path, locked })
    };
    for (sender, interface, member, meant) in [
        (
            ":1.1",
            manager.as_str(),
            "PrepareForSleep",
            Some(Heard::Sleep(true)),
        ),
        (":1.2", &manager, "PrepareForSleep", None),
        (":1.3", &manager, "PrepareForSleep", None),
        ("", &manager, "PrepareForSleep", None),
        (LOGIND, &manager, "PrepareForSleep", None),
        (BUS, &manager, "PrepareForSleep", None),
        (":1.1", &manager, "PrepareForShutdown", None),
        (":1.1", &session, "Lock", of_session(true)),
        (":1.1", &session, "Unlock", of_session(false)),
        (":1.2", &session, "Lock", None),
        (":1.1", "org.freedesktop.login1", "ActiveChanged", None),
        (":1.2", GNOME, "ActiveChanged", Some(Heard::Screen(true))),
        (":1.2", "org.gnome.ScreenSaver.More", "ActiveChanged", None),
        (":1.2", GNOME, "WakeUpScreen", None),
        (":1.1", GNOME, "ActiveChanged", None),
        (":1.2", "org.freedesktop.ScreenSaver", "ActiveChanged", None),
    ] {
        let heard = watcher().hear(&signal(sender, interface, member));
        assert_eq!(heard, meant, "{sender} {interface}.{member}");
    }
    let mut without = signal(":1.2", GNOME, "ActiveChanged");
    without.flag = None;
    assert_eq!(watcher().hear(&without), None);
}

#[test]
fn an_owner_counts_for_as_long_as_the_bus_says_so() {
    let mut watcher = watcher();
    let manager = of_logind("Manager");
    let sleep = |sender| signal(sender, &manager, "PrepareForSleep");
    let changed = |sender, name, owner| Told {
        owner: Some((name, owner)),
        ..signal(sender, BUS, "NameOwnerChanged")
    };
    // Nobody but the bus can say so.
    assert_eq!(watcher.hear(&changed(":1.9", LOGIND, ":1.9")), None);
    assert_eq!(watcher.hear(&sleep(":1.9")), None);
    assert_eq!(watcher.hear(&changed(BUS, "org.example", ":1.9")), None);
    assert_eq!(watcher.hear(&changed(BUS, LOGIND, "")), None);
    assert_eq!(watcher.hear(&sleep(":1.1")), None);
    let again = watcher.hear(&changed(BUS, LOGIND, ":1.9"));
    assert_eq!(again, Some(Heard::Appeared(LOGIND)));
    assert_eq!(watcher.hear(&changed(BUS, LOGIND, ":1.9")), None);
    assert_eq!(watcher.hear(&sleep(":1.9")), Some(Heard::Sleep(true)));
}

#[test]
fn only_what_is_wanted_is_subscribed_to() {
    let wanted = |suspend, screen_lock| Wanted {
        suspend,
        screen_lock,
    };
    for (wanted, system, session) in [
        (wanted(false, false), 0, 0),
        (wanted(true, false), 2, 0),
        (wanted(false, true), 3, 4),
        (wanted(true, true), 4, 4),
    ] {
        let rules = (wanted.rules(Kind::System), wanted.rules(Kind::Session));
        assert_eq!((rules.0.len(), rules.1.len()), (system, session));
        let named = rules.0.iter().chain(&rules.1);
        assert!(named.clone().all(|rule| rule.contains("sender='org.")));
        let sleeps = named.clone().any(|rule| rule.contains("PrepareForSleep"));
        assert_eq!(sleeps, wanted.suspend);
    }
}
