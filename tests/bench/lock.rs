//! A suspend: how long until nothing is in memory, the journal has it and the endpoints say so; and an agent at rest that
//! listens for one.

use std::time::Duration;

use jumpgate_tests::desktop::{Bus, Services, await_release};
use jumpgate_tests::lab::DEV;
use jumpgate_tests::{Lab, Programs, memory};
use rustix::process::geteuid;

use crate::asking::{Door, Kind};
use crate::figures::{Bound, Limit, Spread, heading, row};
use crate::process::idle_calls;
use crate::scale::Scale;

/// Agents that are put to sleep; each needs a code of its own.
const AGENTS: usize = 8;

/// From the signal to the inhibitor's release, and to the answer of an endpoint.
pub(crate) fn measure(programs: &Programs, _: Scale) -> Vec<Limit> {
    heading("a suspend");
    let mut released = Vec::new();
    let mut answered = Vec::new();
    for number in 0..AGENTS {
        let Some(bus) = Bus::start() else {
            row("not measured", "dbus-daemon is not installed");
            return Vec::new();
        };
        let (release, answer) = put_to_sleep(programs, &bus, number == 0);
        released.push(release);
        answered.push(answer);
    }
    let (released, answered) = (Spread::of(released), Spread::of(answered));
    row("from the signal until the machine may sleep", released);
    row("from the signal until an endpoint has said so", answered);
    let worst = answered.worst.as_secs_f64();
    let what = "from the signal to \"locked\": s, worst";
    vec![Limit::new(what, worst, Bound::AtMost(0.5))]
}

fn put_to_sleep(programs: &Programs, bus: &Bus, rests: bool) -> (Duration, Duration) {
    let mut services = Services::on(bus, geteuid().as_raw());
    let mut lab = Lab::new(programs, DEV);
    for variable in ["DBUS_SYSTEM_BUS_ADDRESS", "DBUS_SESSION_BUS_ADDRESS"] {
        lab.set(variable, &bus.address());
    }
    lab.start_agent();
    let inhibitor = services.inhibitor();
    if rests {
        let calls = format!("{:>10}", idle_calls(&lab));
        row("system calls in 10 s at rest, on both buses", calls);
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
