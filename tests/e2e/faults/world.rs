//! The machine under the agent: its clock, its sleep, the disk under the journal, the configuration.

use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jumpgate_tests::Lab;
use jumpgate_tests::desktop::{Bus, Services, await_release};
use jumpgate_tests::lab::{DEV, ended};
use jumpgate_tests::skip::skip;
use rustix::process::geteuid;

use super::cell::State;
use super::examine::{Fault, examine};
use crate::built::{lab, preload};
use crate::endpoints::{authorized, open};

/// The wall clock alone goes on by so many seconds: not AWS's, and not the one that measures time.
fn clock_set(by: i64) -> impl Fn(&Lab) + Send {
    move |lab| {
        let file = lab.path("later");
        let before: i64 = std::fs::read_to_string(&file).unwrap().parse().unwrap();
        std::fs::write(&file, (before + by).to_string()).unwrap();
    }
}

/// How long a flush takes in `disk.c`.
const FLUSH: Duration = Duration::from_secs(1);

const NO_WAIT: &str = "no longer than on any day";

#[test]
fn the_clock_is_set() {
    let (hours, minutes) = (2 * 3600, 10 * 60);
    examine(vec![
        Fault::new(
            [
                "The clock is set forward",
                "The machine's clock is set two hours ahead, then back; AWS's goes on.",
                NO_WAIT,
            ],
            clock_set(hours),
            clock_set(-hours),
        ),
        Fault::new(
            [
                "The clock is set back",
                "The machine's clock is set ten minutes back, then right again; AWS's goes on.",
                NO_WAIT,
            ],
            clock_set(-minutes),
            clock_set(minutes),
        ),
    ]);
}

#[test]
fn the_machine_sleeps() {
    let Some(bus) = Bus::start() else {
        return skip(
            "the laboratory's sleeping machine",
            "dbus-daemon is not installed",
        );
    };
    let address = bus.address();
    let services = Services::on(&bus, geteuid().as_raw());
    let desktop = Arc::new(Mutex::new((services, bus)));
    let wakes = Arc::clone(&desktop);
    let put = move |_: &Lab| {
        let services = &mut desktop.lock().unwrap().0;
        let inhibitor = services.inhibitor();
        services.sleep(true);
        await_release(inhibitor);
    };
    let away = move |_: &Lab| {
        wakes.lock().unwrap().0.sleep(false);
    };
    let fault = Fault::new(
        [
            "The machine sleeps",
            "logind says that the machine is about to sleep, and the agent has let it; what is asked comes before the sleep. \
         Then it has woken.",
            NO_WAIT,
        ],
        put,
        away,
    );
    let prepare = move |lab: &mut Lab| lab.set("DBUS_SYSTEM_BUS_ADDRESS", &address);
    examine(vec![Fault {
        prepare: Box::new(prepare),
        ..fault
    }]);
}

/// The disk under the journal does this, by the library that says so to the agent alone.
fn disk(name: &'static str, how: &'static str, word: &'static str) -> Fault {
    Fault {
        prepare: Box::new(|lab| assert!(disk_to_break(lab), "there is a compiler for the clock")),
        ..Fault::new([name, how, NO_WAIT], disk_says(word), disk_says("-"))
    }
}

fn disk_says(word: &'static str) -> impl Fn(&Lab) + Send {
    move |lab| std::fs::write(lab.path("disk"), word).unwrap()
}

/// Beside the clock that can be set. False where there is no compiler.
fn disk_to_break(lab: &mut Lab) -> bool {
    lab.set("DISK", &lab.path("disk").display().to_string());
    preload(lab, &["later.c", "faults/disk.c"])
}

/// Whoever waits longest has it, an endpoint says so in time, and nothing leaves before it is on the disk.
#[test]
fn a_slow_disk_keeps_callers_and_endpoints_say_so() {
    let mut lab = lab(DEV);
    if !disk_to_break(&mut lab) {
        return;
    }
    lab.seal_identity();
    lab.start_agent();
    let endpoint = open(&lab, "dev", "container");
    lab.run(&["unlock", "jump"]).good();
    disk_says("s")(&lab);
    let began = Instant::now();
    let mut client = lab.client(&["credential-process", "dev"]);
    let client = client.stdout(Stdio::piped()).stderr(Stdio::piped());
    let client = client.spawn().unwrap();
    let status = loop {
        let (status, body) = authorized(&endpoint);
        match status {
            503 => assert!(body.contains("no answer in"), "{body}"),
            _ => break status,
        }
    };
    assert_eq!(status, 200, "it is there for who asks again");
    assert!(began.elapsed() >= FLUSH, "before it was on the disk");
    ended(client).good();
    assert!(began.elapsed() >= FLUSH, "before it was on the disk");
    disk_says("-")(&lab);
    assert!(!lab.records("lease.issue").is_empty());
}

#[test]
fn the_disk_under_the_journal() {
    examine(vec![
        disk(
            "The journal's disk is full",
            "Each write to the journal ends with \"No space left on device\".",
            "f",
        ),
        disk(
            "The journal's disk is read-only",
            "Each write to the journal ends with \"Read-only file system\".",
            "r",
        ),
        Fault {
            // A session is there, or none is to be had: what is in their way is done for others.
            patient: |state| matches!(state, State::Warm | State::Refreshing | State::Locked),
            at_most: "for a flush, and for one that is under way; an endpoint 0.7 s, and one that gave up with 503 \
                      `upstream_timed_out` has the session at the next request",
            ..disk(
                "The journal's disk is slow",
                "Each flush of the journal takes 1 s.",
                "s",
            )
        },
    ]);
}

#[test]
fn the_configuration_is_garbage() {
    let sound = Arc::new(Mutex::new(String::new()));
    let kept = Arc::clone(&sound);
    let put = move |lab: &Lab| {
        *kept.lock().unwrap() = lab.configuration();
        lab.configure("\u{0}\u{fffd}[[[");
        assert_eq!(lab.run(&["reload"]).code(), 64);
    };
    let away = move |lab: &Lab| {
        lab.configure(&sound.lock().unwrap());
        lab.run(&["reload"]).good();
    };
    examine(vec![Fault::new(
        [
            "The configuration is garbage",
            "The file is replaced by bytes that are no configuration, and `jumpgate reload` says so; then the old one is back.",
            NO_WAIT,
        ],
        put,
        away,
    )]);
}
