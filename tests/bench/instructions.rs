//! Of what the warm path consists, in instructions: what a busy machine cannot change. The client runs under callgrind, and
//! the agent for some requests of each interface. What the kernel does for them is not in it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use jumpgate_tests::lab::{DEV, PASSPHRASE, finish};
use jumpgate_tests::sts::MFA_SERIAL;
use jumpgate_tests::{Lab, Programs};

use crate::asking::{Door, Kind};
use crate::callgrind::{self, Profile};
use crate::control;
use crate::figures::{grouped, heading};
use crate::scale::Scale;
use crate::section::Section;
use crate::table::Table;

/// Requests of each interface. The first of each are not counted.
const REQUESTS: u64 = 200;

/// How many functions are named.
const DEAREST: usize = 6;

/// What the client's functions are for.
const CLIENT: [(&str, &[&str]); 6] = [
    ("wiping what was secret", &["zeroize", "Zeroiz"]),
    (
        "JSON, read and written",
        &["serde", "zmij", "Timestamp", "timestamp"],
    ),
    ("HTTP on the socket", &["httparse", "connection::"]),
    (
        "starting: relocation, what libraries set up",
        &[
            "_start", "_init", "init_", "_libc", "tunables", "std::rt", "std::sys", "vdso",
            "strncmp", "getenv", "scanf", "strto",
        ],
    ),
    ("memory: taken, copied, given back", &MEMORY),
    ("all else", &[""]),
];

/// What the agent's functions are for.
const AGENT: [(&str, &[&str]); 6] = [
    (
        "hyper and its HTTP",
        &["hyper", "http::", "httparse", "http_body"],
    ),
    (
        "tokio",
        &[
            "tokio", "mio::", "epoll", "recv", "send", "writev", "read", "std::sys",
        ],
    ),
    (
        "the journal's record",
        &["journal", "sha2", "sha256", "serde"],
    ),
    ("memory: taken, copied, wiped, given back", &MEMORY),
    ("the server and the broker", &["jumpgate"]),
    ("all else", &[""]),
];

const MEMORY: [&str; 13] = [
    "alloc",
    "free",
    "mem",
    "_int_",
    "unlink_chunk",
    "clear_bytes",
    "RawVec",
    "vec::",
    "Vec<",
    "String",
    "drop_in_place",
    "bytes::",
    "tcache",
];

/// Client and agent.
pub(crate) fn measure(programs: &Programs, _: Scale) -> Section {
    heading("instructions");
    let mut section = Section::default();
    let programs = match named(programs) {
        Ok(programs) => programs,
        Err(why) => {
            section.absent("instructions", why);
            return section;
        }
    };
    client(&programs, &mut section);
    agent(&programs, &mut section);
    section
}

/// What is shipped, with the names of its functions: `packaging/build` leaves both side by side.
fn named(shipped: &Programs) -> Result<Programs, &'static str> {
    let has_valgrind = std::process::Command::new("valgrind")
        .arg("--version")
        .output()
        .is_ok();
    if !has_valgrind {
        return Err("valgrind is missing; tests/setup/system installs it");
    }
    let beside = |program: &Path| -> Option<PathBuf> {
        let place = program.parent()?.parent()?.join("symbols");
        let named = place.join(program.file_name()?);
        named.exists().then_some(named)
    };
    let (client, agent) = (beside(&shipped.client), beside(&shipped.agent));
    let programs = client
        .zip(agent)
        .map(|(client, agent)| Programs { client, agent });
    programs
        .ok_or("there are no symbols beside the release build; packaging/build leaves them there")
}

fn client(programs: &Programs, section: &mut Section) {
    let lab = Lab::new(programs, DEV);
    lab.start_agent();
    lab.add_identity();
    lab.run(&["credential-process", "dev"]).good();
    let file = lab.path("callgrind.client");
    let [tool, out] = callgrind::arguments(&file);
    let client = lab.programs.client.display().to_string();
    let words = [&tool, &out, &client, "credential-process", "dev"];
    finish(lab.program(Path::new("valgrind"), &words), "");
    let profile = Profile::read(&file).expect("a profile");
    let caption = "`credential-process dev` from cache, the client alone:";
    let mut table = Table::new(caption, &["", "instructions", "of all"]);
    let all = profile.total();
    let of_all = |cost: u64| format!("{} %", (200 * cost + all) / (2 * all));
    for (name, cost) in profile.groups(&CLIENT) {
        table.row([name, &grouped(cost.into()), &of_all(cost)]);
    }
    table.row(["all", &grouped(all.into()), ""]);
    section.table(table);
    let mut table = Table::new("Its dearest functions:", &["", "instructions"]);
    for (name, cost) in profile.dearest(DEAREST) {
        table.row([format!("`{name}`"), grouped(cost.into())]);
    }
    section.table(table);
}

fn agent(programs: &Programs, section: &mut Section) {
    let place = tempfile::tempdir().expect("a directory");
    let programs = under_valgrind(programs, place.path());
    let lab = Lab::new(&programs, DEV);
    unlocked_by_hand(&lab);
    lab.run(&["credential-process", "dev"]).good();
    let (container, imds) = (Kind::Container, Kind::Imds);
    // Until here nothing was counted, which is ten times as fast.
    callgrind::control("--instr=on", lab.agent_pid());
    let doors = [container, imds].map(|kind| Door::open(&lab, "dev", kind));
    let counted = |name: &'static str, ask: &mut dyn FnMut()| {
        (0..REQUESTS / 10).for_each(|_| ask());
        callgrind::control("--zero", lab.agent_pid());
        (0..REQUESTS).for_each(|_| ask());
        callgrind::control("--dump", lab.agent_pid());
        (name, newest(place.path()))
    };
    let [mut container, mut imds] = doors.map(|door| Open::to(&door));
    let found = [
        counted("credential-process", &mut || {
            control::lease(&lab, "dev", None);
        }),
        counted("container", &mut || container.ask()),
        counted("IMDS", &mut || imds.ask()),
    ];
    let caption = format!("The agent, each of {REQUESTS} requests from cache, instructions:");
    let columns = ["", found[0].0, found[1].0, found[2].0];
    let mut table = Table::new(caption, &columns);
    let each = |cost: u64| grouped((cost / REQUESTS).into());
    for (name, _) in found[0].1.groups(&AGENT) {
        let cell = |(_, profile): &(&str, Profile)| {
            let groups = profile.groups(&AGENT);
            each(
                groups
                    .iter()
                    .find(|(group, _)| *group == name)
                    .map_or(0, |(_, cost)| *cost),
            )
        };
        let [one, two, three] = found.each_ref().map(cell);
        table.row([name.to_owned(), one, two, three]);
    }
    let [one, two, three] = found.each_ref().map(|(_, profile)| each(profile.total()));
    table.row(["all".to_owned(), one, two, three]);
    section.table(table);
    for (name, profile) in &found {
        let caption = format!("The agent's dearest functions, {name}:");
        let mut table = Table::new(caption, &["", "instructions"]);
        for (function, cost) in profile.dearest(DEAREST) {
            table.row([format!("`{function}`"), each(cost)]);
        }
        section.table(table);
    }
}

/// Starts the agent with an identity for which it runs no program: it does that through `/proc/self/exe`, which is valgrind.
fn unlocked_by_hand(lab: &Lab) {
    let text = lab.configuration();
    let typed = text.lines().filter(|line| !line.contains("_command ="));
    let typed = typed.map(|line| format!("{line}\n").replace("\"command\"", "\"prompt\""));
    lab.configure(&typed.collect::<String>());
    lab.start_agent();
    let key = format!("{}{PASSPHRASE}\n", lab.alices_key());
    lab.run_with_input(&["identity", "add", "jump"], &key)
        .good();
    let code = lab.double.totp_code(MFA_SERIAL);
    let answers = format!("{PASSPHRASE}\n{code}\n");
    lab.run_with_input(&["unlock", "jump"], &answers).good();
}

/// The agent as a script that runs it under callgrind.
fn under_valgrind(programs: &Programs, place: &Path) -> Programs {
    let [tool, out] = callgrind::arguments(&place.join("profile"));
    let real = programs.agent.canonicalize().expect("the agent");
    let real = real.display();
    let script = place.join("agent");
    let text = format!("#!/bin/sh\nexec valgrind {tool} --instr-atstart=no {out} {real} \"$@\"\n");
    std::fs::write(&script, text).expect("a writable directory");
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(&script, mode).expect("our own file");
    Programs {
        client: programs.client.clone(),
        agent: script,
    }
}

/// The profile that was dumped last: callgrind numbers them.
fn newest(place: &Path) -> Profile {
    let entries = std::fs::read_dir(place)
        .expect("our own directory")
        .flatten();
    let files = entries.map(|entry| entry.path());
    let number = |file: &PathBuf| -> u32 {
        let name = file.to_string_lossy().into_owned();
        name.rsplit_once("profile.")
            .and_then(|(_, number)| number.parse().ok())
            .unwrap_or(0)
    };
    let newest = files.max_by_key(number).expect("a dump");
    Profile::read(&newest).expect("a profile")
}

/// A connection to an endpoint that stays open, as those of an SDK and of wrk do.
struct Open {
    stream: TcpStream,
    head: String,
    bytes: usize,
}

impl Open {
    /// Asks once, which shows how long an answer is.
    fn to(door: &Door) -> Self {
        let address = door.url.trim_start_matches("http://");
        let (address, path) = address.split_once('/').expect("a path");
        let stream = TcpStream::connect(address).expect("an endpoint");
        let head = format!(
            "GET /{path} HTTP/1.1\r\nHost: {address}\r\n{}\r\n\r\n",
            door.header
        );
        let mut kept = Self {
            stream,
            head,
            bytes: 0,
        };
        let mut answer = vec![0; 64 * 1024];
        kept.stream
            .write_all(kept.head.as_bytes())
            .expect("an endpoint");
        kept.bytes = kept.stream.read(&mut answer).expect("an answer");
        assert!(answer.starts_with(b"HTTP/1.1 200"), "a refusal");
        kept
    }

    fn ask(&mut self) {
        self.stream
            .write_all(self.head.as_bytes())
            .expect("an endpoint");
        let mut answer = vec![0; self.bytes];
        self.stream.read_exact(&mut answer).expect("an answer");
    }
}
