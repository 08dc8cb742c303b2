//! What the machine tells: it goes to sleep, its screen is locked. The buses are the test's own, and so are the services
//! on them.

use dbus::Message;
use jumpgate_tests::desktop::{
    Bus, GNOME_SAVER, SAVER, Services, await_release, message, saver, sleeping,
};
use jumpgate_tests::lab::DEV;
use jumpgate_tests::skip::skip;
use jumpgate_tests::{Lab, memory};
use rustix::process::geteuid;

use crate::built::lab;
use crate::endpoints::{authorized, imds_document, imds_token, open};
use crate::surroundings::{Following, PATIENCE, as_root, refused, until_good};

const SESSION: &str = "org.freedesktop.login1.Session";

/// A lab on a bus of its own that is both buses, with a session in the agent's memory.
struct Scene {
    bus: Bus,
    services: Services,
    lab: Lab,
}

impl Scene {
    fn new(what: &str, lock_on: &str) -> Option<Self> {
        let Some(bus) = Bus::start() else {
            skip(what, "dbus-daemon is not installed");
            return None;
        };
        let services = Services::on(&bus, geteuid().as_raw());
        let mut lab = lab(DEV);
        for variable in ["DBUS_SYSTEM_BUS_ADDRESS", "DBUS_SESSION_BUS_ADDRESS"] {
            lab.set(variable, &bus.address());
        }
        configure(&lab, lock_on);
        lab.start_agent();
        lab.add_identity();
        lab.run(&["credential-process", "dev"]).good();
        Some(Self { bus, services, lab })
    }

    fn sessions(&self) -> usize {
        self.lab.status()["sessions"].as_array().unwrap().len()
    }
}

fn configure(lab: &Lab, lock_on: &str) {
    let text = lab.configuration();
    let rest = text.split_once("[accounts]").unwrap().1;
    lab.configure(&format!(
        "version = 1\n\n[agent]\nlock_on = {lock_on}\n\n[accounts]{rest}"
    ));
}

/// Has the screen locked, or unlocked.
type Act = fn(&Services, bool);

/// Why it locked, each time.
fn locks(lab: &Lab) -> Vec<String> {
    let records = lab.records("identity.lock");
    let why = |record: &serde_json::Value| record["status_detail"].as_str().unwrap().to_owned();
    records.iter().map(why).collect()
}

/// From outside; only root can look.
fn nothing_left(lab: &Lab) {
    if as_root("the agent's memory as the machine sleeps") {
        let found = memory::found(lab.agent_pid(), &lab.secrets());
        assert!(found.is_empty(), "{} are left", found.len());
    }
}

/// Everything there is answers that it is locked, and nothing is left in memory.
fn is_locked(scene: &Scene, endpoints: &[serde_json::Value; 2], token: &str) {
    let [container, imds] = endpoints;
    let (status, body) = authorized(container);
    assert_eq!(status, 503, "{body}");
    assert!(body.contains("locked"), "{body}");
    let (status, body) = imds_document(imds, token);
    assert_eq!(status, 503, "{body}");
    let ran = scene.lab.run(&["credential-process", "dev"]);
    refused(&ran, 77, "locked", "jumpgate unlock");
    assert_eq!(scene.sessions(), 0);
    assert_eq!(scene.lab.status()["locked"], true);
}

#[test]
fn the_machine_sleeps_once_memory_is_clean() {
    let Some(mut scene) = Scene::new("locking before a suspend", r#"["suspend"]"#) else {
        return;
    };
    let endpoints = [
        open(&scene.lab, "dev", "container"),
        open(&scene.lab, "dev", "imds"),
    ];
    let token = imds_token(&endpoints[1]);
    assert_eq!(authorized(&endpoints[0]).0, 200);
    assert_eq!(imds_document(&endpoints[1], &token).0, 200);
    let inhibitor = scene.services.inhibitor();
    scene.services.sleep(true);
    await_release(inhibitor);
    nothing_left(&scene.lab);
    let recorded = scene.lab.journal_of(&["identity.lock"]);
    assert_eq!(recorded.len(), 1, "the record comes before the sleep");
    assert_eq!(recorded[0]["status_detail"], "suspend");
    is_locked(&scene, &endpoints, &token);
    // Not even a program that prints codes unlocks before the machine is awake.
    let codes = scene.lab.mfa.asked();
    scene.lab.run(&["credential-process", "dev"]);
    assert_eq!(scene.lab.mfa.asked(), codes);
    scene.services.sleep(false);
    // For the next time.
    drop(scene.services.inhibitor());
    until_good(&scene.lab, &["credential-process", "dev"]);
    assert_eq!(authorized(&endpoints[0]).0, 200);
    assert_eq!(locks(&scene.lab), ["suspend"]);
}

#[test]
fn a_locked_screen_locks_until_it_is_unlocked() {
    let by_logind: Act = |services, locked| {
        services.session("_31", if locked { "Lock" } else { "Unlock" });
    };
    let by_gnome: Act = |services, locked| {
        services.saver(GNOME_SAVER, locked);
    };
    let by_kde: Act = |services, locked| {
        services.saver(SAVER, locked);
    };
    for lock in [by_logind, by_gnome, by_kde] {
        let Some(scene) = Scene::new("locking with the screen", r#"["screen-lock"]"#) else {
            return;
        };
        let endpoints = [
            open(&scene.lab, "dev", "container"),
            open(&scene.lab, "dev", "imds"),
        ];
        let token = imds_token(&endpoints[1]);
        let mut following = Following::of(&scene.lab);
        lock(&scene.services, true);
        let record = following.next("identity.lock");
        assert_eq!(record["status_detail"], "screen-lock");
        is_locked(&scene, &endpoints, &token);
        lock(&scene.services, false);
        until_good(&scene.lab, &["credential-process", "dev"]);
        // A person elsewhere may unlock all the same.
        lock(&scene.services, true);
        following.next("identity.lock");
        scene.lab.run(&["unlock"]).good();
        scene.lab.run(&["credential-process", "dev"]).good();
        assert_eq!(locks(&scene.lab), ["screen-lock"; 2]);
    }
}

#[test]
fn only_the_services_themselves_are_believed_and_of_our_own_sessions() {
    let both = r#"["suspend", "screen-lock"]"#;
    let Some(mut scene) = Scene::new("forged signals", both) else {
        return;
    };
    let _taken = scene.services.inhibitor();
    let liar = scene.bus.connect();
    // To all, and to each connection alone, past what it subscribed to.
    for to in [
        None,
        Some(":1.0"),
        Some(":1.1"),
        Some(":1.2"),
        Some(":1.3"),
        Some(":1.4"),
    ] {
        let session = message("/org/freedesktop/login1/session/_31", SESSION, "Lock");
        for mut forged in [sleeping(true), saver(GNOME_SAVER, true), session] {
            forged.set_destination(to.map(Into::into));
            liar.send(forged).unwrap();
        }
    }
    liar.flush();
    // The bus has passed them on when it answers.
    let me = "org.freedesktop.DBus";
    let call = Message::call_with_args(me, "/org/freedesktop/DBus", me, "GetId", ());
    liar.send_with_reply_and_block(call, PATIENCE).unwrap();
    scene.services.session("other_7", "Lock");
    scene.lab.run(&["credential-process", "dev"]).good();
    scene.services.saver(SAVER, true);
    let mut following = Following::of(&scene.lab);
    scene.services.saver(SAVER, false);
    scene.services.sleep(true);
    while following.next("identity.lock")["status_detail"] != "suspend" {}
    assert_eq!(locks(&scene.lab), ["screen-lock", "suspend"]);
}

#[test]
fn a_reload_decides_what_is_listened_to() {
    let Some(mut scene) = Scene::new("lock_on after a reload", "[]") else {
        return;
    };
    scene.services.sleep(true);
    scene.services.saver(SAVER, true);
    configure(&scene.lab, r#"["suspend"]"#);
    scene.lab.run(&["reload"]).good();
    let inhibitor = scene.services.inhibitor();
    scene.services.saver(SAVER, true);
    scene.services.sleep(true);
    await_release(inhibitor);
    assert_eq!(locks(&scene.lab), ["suspend"]);
    configure(&scene.lab, "[]");
    scene.lab.run(&["reload"]).good();
    // What is not watched for keeps nobody out.
    scene.lab.run(&["credential-process", "dev"]).good();
    configure(&scene.lab, r#"["suspend"]"#);
    scene.lab.run(&["reload"]).good();
    let inhibitor = scene.services.inhibitor();
    configure(&scene.lab, r#"["screen-lock"]"#);
    scene.lab.run(&["reload"]).good();
    await_release(inhibitor);
}

#[test]
fn a_bus_that_went_away_is_found_again() {
    let Some(mut scene) = Scene::new("a bus that ends", r#"["suspend"]"#) else {
        return;
    };
    let first = scene.services.inhibitor();
    scene.bus.kill();
    await_release(first);
    scene.lab.run(&["credential-process", "dev"]).good();
    scene.bus.run();
    let mut services = Services::on(&scene.bus, geteuid().as_raw());
    let second = services.inhibitor();
    services.sleep(true);
    await_release(second);
    assert_eq!(locks(&scene.lab), ["suspend"]);
}

#[test]
fn the_desktop_shows_hand_outs_refusals_and_locks() {
    let Some(mut scene) = Scene::new("notifications", "[]") else {
        return;
    };
    let text = scene.lab.configuration();
    scene.lab.configure(&format!("{text}notify = true\n"));
    scene.lab.run(&["reload"]).good();
    scene.lab.run(&["credential-process", "dev"]).good();
    let shown = scene.services.notification();
    assert_eq!(shown.title, "Session of dev handed out");
    assert!(shown.body.contains("jumpgate"), "{}", shown.body);
    scene.lab.run(&["credential-process", "nobody"]);
    assert_eq!(
        scene.services.notification().title,
        "Refused: profile nobody"
    );
    scene.lab.run(&["lock"]).good();
    let shown = scene.services.notification();
    assert_eq!(shown.title, "Jumpgate is locked");
    assert_eq!(shown.body, "by its user");
    assert_eq!(scene.services.notifications(), []);
}

/// It accepts nobody, and says nothing.
#[test]
fn a_bus_that_hangs_holds_nothing_up() {
    let mut lab = lab(DEV);
    let place = lab.path("hangs");
    let _listener = std::os::unix::net::UnixListener::bind(&place).unwrap();
    for variable in ["DBUS_SYSTEM_BUS_ADDRESS", "DBUS_SESSION_BUS_ADDRESS"] {
        lab.set(variable, &format!("unix:path={}", place.display()));
    }
    lab.start_agent();
    lab.add_identity();
    lab.run(&["credential-process", "dev"]).good();
    lab.run(&["agent", "stop"]).good();
}
