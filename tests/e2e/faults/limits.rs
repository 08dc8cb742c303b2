//! The agent runs out of what the system lets it have: descriptors, memory.

use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use jumpgate_tests::Lab;
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::Value;

use super::examine::{Fault, examine};
use crate::built::ready;
use crate::endpoints::{TOKEN, TTL, ask, authorized, open, warm};
use crate::surroundings::{PATIENCE, as_root, until_good};

/// Sets a limit of the agent's; the one that it had.
fn limit(lab: &Lab, resource: Resource, current: Option<u64>) -> Rlimit {
    let pid = Pid::from_raw(i32::try_from(lab.agent_pid()).unwrap());
    // It has ours.
    let maximum = rustix::process::getrlimit(resource).maximum;
    prlimit(pid, resource, Rlimit { current, maximum }).unwrap()
}

fn descriptors(lab: &Lab) -> usize {
    let all = std::fs::read_dir(format!("/proc/{}/fd", lab.agent_pid()));
    all.unwrap().count()
}

/// Repeats what may fail until it does not.
#[track_caller]
fn in_the_end(what: &str, done: impl Fn() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < PATIENCE, "{what} is not served");
    }
}

fn by_imds(endpoint: &Value) -> u16 {
    let url = endpoint["url"].as_str().unwrap();
    let (_, token) = ask(url, "PUT latest/api/token", &[(TTL, "60")]);
    let path = "GET latest/meta-data/iam/security-credentials/Developer";
    ask(url, path, &[(TOKEN, &token)]).0
}

/// Somebody opens connections and says nothing, until there is no descriptor left for another. Theirs end by their limits
/// of time, and whoever asks is served meanwhile, in the end.
#[test]
fn without_a_descriptor_to_spare_callers_are_served_in_the_end() {
    if !as_root("an agent's descriptors counted") {
        return;
    }
    let lab = ready();
    warm(&lab, &["dev"]);
    let (container, imds) = (open(&lab, "dev", "container"), open(&lab, "dev", "imds"));
    let few = u64::try_from(descriptors(&lab)).unwrap() + 8;
    let before = limit(&lab, Resource::Nofile, Some(few));
    let place = |endpoint: &Value| {
        let url = endpoint["url"].as_str().unwrap().to_owned();
        let rest = url.trim_start_matches("http://").to_owned();
        rest.split('/').next().unwrap().to_owned()
    };
    let silent = |_| {
        let loopback = [&container, &imds].map(|one| TcpStream::connect(place(one)).unwrap());
        (UnixStream::connect(lab.socket()).unwrap(), loopback)
    };
    let held: Vec<_> = (0..16).map(silent).collect();
    until_good(&lab, &["credential-process", "dev"]);
    in_the_end("container", || authorized(&container).0 == 200);
    in_the_end("imds", || by_imds(&imds) == 200);
    assert_eq!(lab.status()["pid"], lab.agent_pid());
    let log = std::fs::read_to_string(lab.path("agent.stderr")).unwrap();
    assert!(
        log.contains("Too many open files"),
        "there was one to spare"
    );
    drop(held);
    limit(&lab, Resource::Nofile, before.current);
    lab.run(&["credential-process", "dev"]).good();
    lab.run(&["journal", "verify"]).good();
}

/// Leaves the agent so many MiB more than it has; the limit that it had.
fn memory_left(lab: &Lab, mebibytes: u64) -> Rlimit {
    let status = std::fs::read_to_string(format!("/proc/{}/status", lab.agent_pid())).unwrap();
    let mut lines = status.lines();
    let size = lines.find_map(|line| line.strip_prefix("VmSize:")?.strip_suffix("kB"));
    let size: u64 = size.unwrap().trim().parse().unwrap();
    limit(lab, Resource::As, Some((size << 10) + (mebibytes << 20)))
}

/// A passphrase is stretched in 256 MiB, which an agent may not have.
#[test]
fn without_memory_for_a_sealed_file_it_stays_shut_and_the_agent_goes_on() {
    let before = Arc::new(Mutex::new(None));
    let after = Arc::clone(&before);
    let put = move |lab: &Lab| *before.lock().unwrap() = memory_left(lab, 192).current;
    let away = move |lab: &Lab| {
        limit(lab, Resource::As, *after.lock().unwrap());
    };
    let words = [
        "The memory limit is hit",
        "`ulimit -v` leaves the agent 192 MiB more than it has; to open a sealed file takes 256.",
        "no longer than on any day; the failure is remembered for 3 s",
    ];
    examine(vec![Fault {
        of_store: true,
        ..Fault::new(words, put, away)
    }]);
}
