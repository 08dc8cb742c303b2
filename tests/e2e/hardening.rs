//! What the agent does to itself before it holds a secret, seen from outside.

use std::io::Read;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use jumpgate_tests::Lab;
use jumpgate_tests::lab::{DEV, finish};
use jumpgate_tests::skip::skip;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process};

use crate::built::{lab, ready};
use crate::surroundings::{PATIENCE, as_root, has};

const NOBODY: u32 = 65_534;

fn pid(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap()
}

/// Waits until the agent that was started as `child` answers.
fn await_socket(lab: &Lab, child: &mut Child) {
    while std::os::unix::net::UnixStream::connect(lab.socket()).is_err() {
        assert!(child.try_wait().unwrap().is_none(), "the agent ended");
        std::thread::yield_now();
    }
}

/// Runs a program as another user, in the lab's surroundings.
fn as_nobody(lab: &Lab, program: &Path, arguments: &[&str]) -> Command {
    let mut command = lab.program(
        Path::new("setpriv"),
        &["--reuid=65534", "--regid=65534", "--clear-groups"],
    );
    command.arg(program).args(arguments);
    command
}

fn give_away(place: &Path) {
    std::os::unix::fs::lchown(place, Some(NOBODY), Some(NOBODY)).unwrap();
    if place.is_dir() {
        for entry in std::fs::read_dir(place).unwrap().flatten() {
            // The executables are links to what Cargo built.
            if entry.metadata().unwrap().nlink() == 1 || entry.path().is_dir() {
                give_away(&entry.path());
            }
        }
    }
}

/// Whether its own user can read this file of a process.
fn readable(lab: &Lab, process: &Child, file: &str) -> bool {
    let path = format!("/proc/{}/{file}", process.id());
    let read = as_nobody(lab, Path::new("head"), &["--bytes=1", &path]);
    finish(read, "").status.success()
}

/// Whether its own user can trace a process.
fn traceable(lab: &Lab, process: &Child) -> bool {
    let target = process.id().to_string();
    let mut trace = as_nobody(
        lab,
        Path::new("timeout"),
        &["2", "strace", "-o", "/dev/null", "-p", &target],
    );
    // It ends with the time-out where it could attach.
    trace.stderr(Stdio::piped()).output().unwrap().status.code() == Some(124)
}

#[test]
fn a_program_of_the_same_user_can_neither_trace_nor_read_it() {
    const WHAT: &str = "tracing by the same user";
    if !as_root(WHAT) || !has("setpriv", WHAT) || !has("strace", WHAT) {
        return;
    }
    let lab = lab(DEV);
    give_away(lab.home());
    let mut sleeper = as_nobody(&lab, Path::new("sleep"), &["600"])
        .spawn()
        .unwrap();
    let mut agent = as_nobody(&lab, &lab.programs.agent, &["--foreground"])
        .spawn()
        .unwrap();
    await_socket(&lab, &mut agent);
    let process = std::fs::metadata(format!("/proc/{}/environ", agent.id())).unwrap();
    let status = finish(
        as_nobody(&lab, &lab.programs.client, &["status", "--json"]),
        "",
    )
    .good();
    let seen = (
        process.uid(),
        traceable(&lab, &agent),
        readable(&lab, &agent, "environ"),
        readable(&lab, &agent, "maps"),
    );
    // The same eyes see a process that has nothing to hide.
    let control = (
        traceable(&lab, &sleeper),
        readable(&lab, &sleeper, "environ"),
    );
    for child in [&mut sleeper, &mut agent] {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert_eq!(status.json()["pid"], agent.id());
    assert_eq!(seen, (0, false, false, false));
    if control != (true, true) {
        skip(
            WHAT,
            &format!("nobody can trace anything here: {control:?}"),
        );
    }
}

/// What a program of their user is told at each way into two processes: the agent, and one that has nothing to hide.
fn told(lab: &Lab, program: &Path, arguments: &dyn Fn(u32) -> Vec<String>) -> [String; 2] {
    let sleeper = as_nobody(lab, Path::new("sleep"), &["600"]).spawn();
    let agent = as_nobody(lab, &lab.programs.agent, &["--foreground"]).spawn();
    let (mut sleeper, mut agent) = (sleeper.unwrap(), agent.unwrap());
    await_socket(lab, &mut agent);
    let ask = |process: &Child| {
        let arguments = arguments(process.id());
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let ran = finish(as_nobody(lab, program, &arguments), "");
        format!("{}{}", ran.stdout, ran.stderr)
    };
    let told = [ask(&agent), ask(&sleeper)];
    let client = &lab.programs.client;
    finish(as_nobody(lab, client, &["status"]), "").good();
    for child in [&mut sleeper, &mut agent] {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    told
}

#[test]
fn no_way_leads_into_its_memory_or_descriptors() {
    const WHAT: &str = "ptrace, /proc and pidfd_getfd by the same user";
    if !as_root(WHAT) || !has("setpriv", WHAT) || !has("cc", WHAT) {
        return;
    }
    let lab = lab(DEV);
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e/attach.c");
    let program = lab.path("attach");
    let made = Command::new("cc")
        .arg("-o")
        .args([&program, &source])
        .status();
    assert!(made.unwrap().success());
    give_away(lab.home());
    let [agent, sleeper] = told(&lab, &program, &|pid| vec![pid.to_string()]);
    let ways = agent.lines().count();
    assert!(ways >= 9, "{agent}");
    let refused = agent.lines().filter(|line| line.ends_with(" refused"));
    assert_eq!(refused.count(), ways, "{agent}");
    let open = sleeper.lines().filter(|line| line.ends_with(" in"));
    if open.count() < ways {
        skip(WHAT, &format!("refused of any process here: {sleeper:?}"));
    }
}

#[test]
fn a_debugger_of_the_same_user_is_refused() {
    const WHAT: &str = "gdb by the same user";
    if !as_root(WHAT) || !has("setpriv", WHAT) || !has("gdb", WHAT) {
        return;
    }
    let lab = lab(DEV);
    give_away(lab.home());
    let words = |pid: u32| {
        let dump = format!("generate-core-file {}", lab.path("core.taken").display());
        let words = ["-nx", "-batch", "-p", &pid.to_string(), "-ex", &dump];
        words.map(str::to_owned).to_vec()
    };
    let [agent, sleeper] = told(&lab, Path::new("gdb"), &words);
    // The second one's core is there, so the first one's would be.
    let taken = lab.path("core.taken");
    let could = taken.exists();
    let _none = std::fs::remove_file(taken);
    let denied = "Operation not permitted";
    assert!(agent.contains(denied), "{agent}");
    assert!(!agent.contains("Saved corefile"), "{agent}");
    if !could || sleeper.contains(denied) {
        skip(WHAT, "gdb can attach to nothing here");
    }
}

/// Runs a program where core files have no limit, and has it crash by a signal.
fn crashed(
    lab: &Lab,
    program: &str,
    signal: Signal,
    ready: impl FnOnce(&mut Child),
) -> std::process::ExitStatus {
    let script = format!("ulimit -c unlimited && exec {program}");
    let mut command = lab.program(Path::new("/bin/bash"), &["-c", &script]);
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    ready(&mut child);
    loop {
        // Rust's own look-out for stack overflows lets the first SIGSEGV that was sent pass.
        kill_process(pid(&child), signal).unwrap();
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        std::thread::yield_now();
    }
}

#[test]
fn a_crash_leaves_no_core_file() {
    for signal in [Signal::ABORT, Signal::SEGV] {
        no_core_file_after(signal);
    }
}

fn no_core_file_after(signal: Signal) {
    let lab = lab(DEV);
    let sleeps = |child: &mut Child| {
        // Until bash has become the program, a crash would be bash's.
        let is = |name: &str| {
            std::fs::read_to_string(format!("/proc/{}/comm", child.id()))
                .is_ok_and(|comm| comm.trim() == name)
        };
        while !is("sleep") {
            std::thread::yield_now();
        }
    };
    let control = crashed(&lab, "sleep 600", signal, sleeps);
    // Its core file was wanted; any other that a run leaves is a finding.
    for entry in std::fs::read_dir(lab.home()).unwrap().flatten() {
        if entry.file_name().to_string_lossy().starts_with("core") {
            std::fs::remove_file(entry.path()).unwrap();
        }
    }
    let agent = format!("{} --foreground", lab.programs.agent.display());
    let status = crashed(&lab, &agent, signal, |child| {
        await_socket(&lab, child);
        let limits = std::fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
        let core = limits
            .lines()
            .find(|line| line.starts_with("Max core file size"))
            .unwrap();
        let core: Vec<&str> = core.split_whitespace().collect();
        assert_eq!(core[4..6], ["0", "0"], "soft and hard limit");
    });
    assert_eq!(status.signal(), Some(signal.as_raw()));
    assert!(!status.core_dumped());
    if !control.core_dumped() {
        skip("no core file after a crash", "no program leaves one here");
    }
}

/// Everything that the agent made, with its mode.
fn modes(directory: &Path, seen: &mut Vec<(String, u32)>) {
    for entry in std::fs::read_dir(directory).unwrap().flatten() {
        let metadata = entry.metadata().unwrap();
        seen.push((
            entry.path().display().to_string(),
            metadata.permissions().mode() & 0o777,
        ));
        if metadata.is_dir() {
            modes(&entry.path(), seen);
        }
    }
}

#[test]
fn what_it_makes_is_its_users_alone_whatever_the_umask() {
    let lab = lab(DEV);
    let mut start = lab.program(
        Path::new("/bin/bash"),
        &["-c", "umask 0 && exec jumpgate agent start"],
    );
    start.stdout(Stdio::null());
    assert!(start.status().unwrap().success());
    lab.add_identity();
    lab.run(&["credential-process", "dev"]).good();
    let mut seen = Vec::new();
    modes(&lab.path(".local"), &mut seen);
    modes(&lab.path("run"), &mut seen);
    let names: String = seen.iter().map(|(name, _)| format!("{name}\n")).collect();
    for part in [
        ".jsonl",
        "identities/",
        "agent.log",
        "agent.sock",
        "agent.lock",
    ] {
        assert!(names.contains(part), "{part} is not in {names}");
    }
    for (name, mode) in seen {
        // The directories above ours are made for us alone too, but are not ours to insist on.
        assert_eq!(mode & 0o077, 0, "{name} has mode {mode:o}");
    }
}

#[test]
fn no_secret_is_in_its_environment_or_arguments() {
    let lab = ready();
    lab.run(&["credential-process", "dev"]).good();
    let secrets = lab.secrets();
    for file in ["environ", "cmdline"] {
        let Ok(bytes) = std::fs::read(format!("/proc/{}/{file}", lab.agent_pid())) else {
            // Not readable by its own user either, which is as good.
            assert!(!rustix::process::geteuid().is_root());
            continue;
        };
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.contains(&lab.home().display().to_string()), "{file}");
        assert!(
            !secrets.iter().any(|secret| text.contains(secret)),
            "{file}"
        );
    }
}

#[test]
fn memory_is_locked_where_that_is_allowed() {
    if !as_root("locked memory") {
        return;
    }
    let lab = ready();
    assert_eq!(lab.status()["memory_locked"], true);
    let status = std::fs::read_to_string(format!("/proc/{}/status", lab.agent_pid())).unwrap();
    let locked = status
        .lines()
        .find_map(|line| line.strip_prefix("VmLck:"))
        .unwrap();
    assert_ne!(locked.trim(), "0 kB");
}

/// Whoever starts the agent and reads to the end of a pipe is not kept waiting for the agent's end: neither by
/// standard output and error nor by any other descriptor.
#[test]
fn no_pipe_of_its_starter_stays_open() {
    for script in [
        "jumpgate agent start",
        "jumpgate agent start 2>&1",
        "exec 7>&1 9>&1; jumpgate agent start",
        "exec 7>&1 9>&1; jumpgate-agent",
    ] {
        let lab = lab(DEV);
        let mut shell = lab.program(Path::new("/bin/bash"), &["-c", script]);
        let mut shell = shell.stdout(Stdio::piped()).spawn().unwrap();
        let mut output = shell.stdout.take().unwrap();
        assert!(shell.wait().unwrap().success(), "{script}");
        let mut text = Vec::new();
        let mut bytes = [0; 4096];
        let patience = Timespec::try_from(PATIENCE).unwrap();
        loop {
            let mut watched = [PollFd::new(&output, PollFlags::IN)];
            assert_ne!(
                poll(&mut watched, Some(&patience)).unwrap(),
                0,
                "{script}: a pipe stays open"
            );
            match output.read(&mut bytes).unwrap() {
                0 => break,
                length => text.extend_from_slice(&bytes[..length]),
            }
        }
        assert!(lab.socket().exists(), "{script}");
    }
}

/// A kernel's way to say how far a segment is to be write-protected (elf(5)).
const GNU_RELRO: u32 = 0x6474_e552;

/// Where the program of a static client wants to be write-protected once it is relocated, from its first byte on.
fn relro(program: &Path) -> std::ops::Range<u64> {
    let file = std::fs::read(program).unwrap();
    let number = |at: u64, bytes: usize| {
        let at = usize::try_from(at).unwrap();
        let mut wide = [0; 8];
        wide[..bytes].copy_from_slice(&file[at..at + bytes]);
        u64::from_le_bytes(wide)
    };
    let (first, size, count) = (number(32, 8), number(54, 2), number(56, 2));
    let mut headers = (0..count).map(|nth| first + nth * size);
    let header = headers.find(|header| number(*header, 4) == u64::from(GNU_RELRO));
    let header = header.expect("a segment to protect");
    let (start, length) = (number(header + 16, 8), number(header + 40, 8));
    start..start + length
}

/// What of a process's memory can be written and is its program's, counted from the program's first byte on.
fn writable(process: &Child, program: &Path) -> Vec<std::ops::Range<u64>> {
    let maps = std::fs::read_to_string(format!("/proc/{}/maps", process.id())).unwrap();
    let lines = maps.lines();
    let ours = lines.filter(|line| line.ends_with(program.to_str().unwrap()));
    let places: Vec<(std::ops::Range<u64>, bool)> = ours
        .map(|line| {
            let (place, rest) = line.split_once(' ').unwrap();
            let (start, end) = place.split_once('-').unwrap();
            let hex = |text| u64::from_str_radix(text, 16).unwrap();
            (hex(start)..hex(end), rest.starts_with("rw"))
        })
        .collect();
    let base = places[0].0.start;
    let written = places.into_iter().filter(|(_, writable)| *writable);
    written
        .map(|(place, _)| place.start - base..place.end - base)
        .collect()
}

#[test]
fn what_the_shipped_client_never_writes_it_cannot() {
    let Some(dist) = std::env::var_os("JUMPGATE_DIST") else {
        return skip(
            "write-protection in the client",
            "there is no release build",
        );
    };
    let lab = lab(DEV);
    let directory = lab.path("run/jumpgate");
    std::fs::create_dir(&directory).unwrap();
    std::fs::set_permissions(&directory, PermissionsExt::from_mode(0o700)).unwrap();
    let agent = std::os::unix::net::UnixListener::bind(lab.socket()).unwrap();
    let program = Path::new(&dist).join("jumpgate").canonicalize().unwrap();
    let mut client = lab.program(&program, &["status"]).spawn().unwrap();
    let (asked, _) = agent.accept().unwrap();
    let (protected, written) = (relro(&program), writable(&client, &program));
    assert!(!protected.is_empty() && !written.is_empty());
    for place in written {
        let apart = place.end <= protected.start || protected.end <= place.start;
        assert!(apart, "{place:x?} of {protected:x?} can be written");
    }
    drop((agent, asked));
    client.kill().unwrap();
    client.wait().unwrap();
}
