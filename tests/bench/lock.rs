//! A suspend: how long until nothing is in memory, the journal has it and the endpoints say so; and an agent at rest that
//! listens for one.

use std::time::Duration;

use jumpgate_tests::desktop::{Bus, Services, await_release};
use jumpgate_tests::lab::DEV;
use jumpgate_tests::{Lab, Programs, memory};
use rustix::process::geteuid;

use crate::asking::{Door, Kind};
use crate::figures::{Bound, Limit, Spread, digits, heading};
use crate::process::idle_calls;
use crate::scale::Scale;
use crate::section::Section;
use crate::table::Table;

/// Agents that are put to sleep; each needs a code of its own.
const AGENTS: usize = 8;

/// From the signal to the inhibitor's release, and to the answer of an endpoint.
pub(crate) fn measure(programs: &Programs, _: Scale) -> Section {
    heading("a suspend");
    let mut section = Section::default();
    let (mut released, mut answered) = (Vec::new(), Vec::new());
    let mut rest = String::new();
    for _ in 0..AGENTS {
        let Some(bus) = Bus::start() else {
            section.absent("a suspend", "dbus-daemon is not installed");
            return section;
        };
        let (release, answer) = put_to_sleep(programs, &bus, &mut rest);
        released.push(release);
        answered.push(answer);
    }
    let (released, answered) = (Spread::of(released), Spread::of(answered));
    let columns = [
        "from logind's signal",
        "ms, median (5 %, 95 %)",
        "ms, longest",
    ];
    let mut table = Table::new(format!("Of {AGENTS} agents:"), &columns);
    let longest = |spread: Spread| digits(spread.worst.as_secs_f64() * 1e3);
    table.row([
        "until the machine may sleep",
        &released.millis(),
        &longest(released),
    ]);
    table.row([
        "until an endpoint has said so",
        &answered.millis(),
        &longest(answered),
    ]);
    section.table(table);
    let mut idle = Table::new("", &["", "in 10 s"]);
    idle.row(["system calls at rest, on both buses", &rest]);
    section.table(idle);
    let worst = answered.worst.as_secs_f64();
    let what = "from the signal to \"locked\": s, worst";
    section.limit(Limit::new(what, worst, Bound::AtMost(0.5)));
    section
}

/// The first one is watched at rest before.
fn put_to_sleep(programs: &Programs, bus: &Bus, rest: &mut String) -> (Duration, Duration) {
    let mut services = Services::on(bus, geteuid().as_raw());
    let mut lab = Lab::new(programs, DEV);
    for variable in ["DBUS_SYSTEM_BUS_ADDRESS", "DBUS_SESSION_BUS_ADDRESS"] {
        lab.set(variable, &bus.address());
    }
    lab.start_agent();
    let inhibitor = services.inhibitor();
    if rest.is_empty() {
        *rest = idle_calls(&lab);
    }
    lab.add_identity();
    lab.run(&["credential-process", "dev"]).good();
    let door = Door::open(&lab, "dev", Kind::Container);
    assert_eq!(door.ask().status, 200);
    let sent = services.sleep(true);
    await_release(inhibitor);
    let released = sent.elapsed();
    assert_eq!(door.ask().status, 503);
    let answered = sent.elapsed();
    if geteuid().is_root() {
        assert_eq!(memory::found(lab.agent_pid(), &lab.secrets()), []);
    }
    (released, answered)
}
