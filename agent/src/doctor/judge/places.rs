//! Files and directories: whose they are, and what others may do with them.

use super::unless_faulty;
use crate::doctor::check::Check;
use crate::doctor::facts::{Facts, Files, Found, Kind, Look, State};
use crate::doctor::finding::Finding;

/// Group and others may write.
pub(super) const WRITABLE: u32 = 0o022;

/// Group and others may do anything.
const OPEN: u32 = 0o077;

/// In a directory with this bit only a file's owner can replace it.
const STICKY: u32 = 0o1000;

/// Longest path of a Unix socket on Linux (`sun_path` of unix(7), less the final zero).
const MAX_SOCKET_PATH: usize = 107;

/// Below this many bytes a journal is soon full, and nothing is handed out.
const FULL: u64 = 16 << 20;

/// Below this many it is time to see to it.
const TIGHT: u64 = 128 << 20;

/// Why somebody else may change it.
pub(super) fn writable(look: &Look, us: u32) -> Option<String> {
    let Found::Something { kind, owner, mode } = look.found else {
        return None;
    };
    let replaceable = kind != Kind::Directory || mode & STICKY == 0;
    let path = look.shown();
    match owner == us || owner == 0 {
        false => Some(format!("{path} belongs to user id {owner}")),
        true => (mode & WRITABLE != 0 && replaceable)
            .then(|| format!("others can write {path}: its mode is {mode:04o}")),
    }
}

/// Why it is not ours alone.
fn open(look: &Look, us: u32) -> Option<String> {
    let Found::Something { owner, mode, .. } = look.found else {
        return None;
    };
    let path = look.shown();
    match owner == us {
        false => Some(format!("{path} belongs to user id {owner}, not to {us}")),
        true => {
            (mode & OPEN != 0).then(|| format!("{path} is open to others: its mode is {mode:04o}"))
        }
    }
}

/// What to do about something that is not ours alone.
fn close(look: &Look, us: u32) -> String {
    let mode = match look.found {
        Found::Something { owner, .. } if owner != us => {
            return "move it away, or chown it if it is yours".to_owned();
        }
        Found::Something {
            kind: Kind::Directory,
            ..
        } => 700,
        _ => 600,
    };
    format!("see who did that, then: chmod {mode} '{}'", look.shown())
}

/// What is not ours alone although it has to be.
fn private(check: Check, look: &Look, us: u32) -> Option<Finding> {
    Some(Finding::failed(check, &open(look, us)?, &close(look, us)))
}

pub(super) fn programs(facts: &Facts, files: &Files) -> Vec<Finding> {
    let check = Check::Programs;
    let mut faults: Vec<Finding> = Vec::new();
    for look in &files.programs {
        let Some(what) = writable(look, facts.us) else {
            continue;
        };
        let hint = format!(
            "who can write it can run programs as you: chmod go-w '{}', or install them elsewhere",
            look.shown()
        );
        let fault = Finding::failed(check, &what, &hint);
        // Client and agent have directories in common.
        if !faults.contains(&fault) {
            faults.push(fault);
        }
    }
    unless_faulty(faults, check, "nobody else can write them")
}

pub(super) fn runtime_directory(facts: &Facts, files: &Files) -> Vec<Finding> {
    let check = Check::RuntimeDirectory;
    let Some(look) = files
        .runtime_directory
        .as_ref()
        .filter(|_| facts.here.has_runtime_directory)
    else {
        let what = "XDG_RUNTIME_DIR is not set; the control socket lies below the state directory";
        return vec![Finding::ok(check, what)];
    };
    if !look.is_there() {
        let what = format!("XDG_RUNTIME_DIR names {}, which is not there", look.shown());
        let hint = "log in by a session of the system's, unset it, or set JUMPGATE_SOCKET";
        return vec![Finding::failed(check, &what, hint)];
    }
    let fault = private(check, look, facts.us);
    unless_faulty(fault.into_iter().collect(), check, &look.shown())
}

pub(super) fn control_socket(facts: &Facts, files: &Files) -> Vec<Finding> {
    let check = Check::ControlSocket;
    let Some((directory, socket)) = &files.socket else {
        let what = "nobody knows where the control socket is";
        let hint = "set HOME, XDG_RUNTIME_DIR or JUMPGATE_SOCKET";
        return vec![Finding::failed(check, what, hint)];
    };
    let path = socket.shown();
    let fault = |what: &str, hint: &str| Some(Finding::failed(check, what, hint));
    let elsewhere = "move it away, or set JUMPGATE_SOCKET";
    let of_directory = match directory.found {
        Found::Something { kind, .. } if kind != Kind::Directory => {
            fault(&format!("{} is no directory", directory.shown()), elsewhere)
        }
        _ => private(check, directory, facts.us),
    };
    let of_socket = match socket.found {
        Found::Nothing | Found::Unknown(_) => None,
        Found::Something {
            kind: Kind::Socket, ..
        } if facts.nobody_listens() => Some(Finding::warning(
            check,
            &format!("nobody listens at {path}: an agent ended without taking it away"),
            "the next one does that: jumpgate agent start",
        )),
        Found::Something {
            kind: Kind::Socket, ..
        } => None,
        Found::Something { .. } => fault(&format!("{path} is no socket"), elsewhere),
    };
    let too_long = (path.len() > MAX_SOCKET_PATH).then(|| {
        format!("{path} is too long: a socket's path has at most {MAX_SOCKET_PATH} bytes")
    });
    let too_long = too_long.and_then(|what| fault(&what, "set JUMPGATE_SOCKET to a shorter one"));
    let faults = [of_directory, of_socket, too_long];
    unless_faulty(faults.into_iter().flatten().collect(), check, &path)
}

/// The parts of the state directory, or why there are none.
fn state(check: Check, files: &Files) -> Result<&State, Vec<Finding>> {
    files.state.as_ref().ok_or_else(|| {
        let what = "nobody knows where the state directory is";
        vec![Finding::failed(check, what, "set HOME or XDG_STATE_HOME")]
    })
}

pub(super) fn state_directory(facts: &Facts, files: &Files) -> Vec<Finding> {
    let check = Check::StateDirectory;
    let state = match state(check, files) {
        Ok(state) => state,
        Err(why) => return why,
    };
    let fault = private(check, &state.directory, facts.us);
    unless_faulty(fault.into_iter().collect(), check, &state.directory.shown())
}

pub(super) fn journal(facts: &Facts, files: &Files) -> Vec<Finding> {
    let check = Check::Journal;
    let Ok(state) = state(check, files) else {
        return vec![Finding::skipped(check, "see state-directory")];
    };
    let mut faults: Vec<Finding> = private(check, &state.journal, facts.us)
        .into_iter()
        .collect();
    match &state.newest {
        Err(why) if faults.is_empty() => {
            let what = format!("{} cannot be read: {why}", state.journal.shown());
            let hint = "see to its owner and mode, and to the disk";
            faults.push(Finding::failed(check, &what, hint));
        }
        Ok(Some(newest)) => faults.extend(newest.damage.as_ref().map(|(line, what)| {
            let what = format!("{}:{line}: {what}", newest.file.display());
            let hint = "keep the files and see all of it: jumpgate journal verify; the agent goes on in a new file";
            Finding::failed(check, &what, hint)
        })),
        _ => {}
    }
    if facts
        .said("/journal/healthy")
        .and_then(|value| value.as_bool())
        == Some(false)
    {
        let what = "the agent cannot write its journal, or found it damaged";
        let hint = "see its log, and: jumpgate journal verify";
        faults.push(Finding::failed(check, what, hint));
    }
    unless_faulty(faults, check, &state.journal.shown())
}

pub(super) fn disk_space(_: &Facts, files: &Files) -> Vec<Finding> {
    let check = Check::DiskSpace;
    let Some(room) = state(check, files).ok().and_then(|state| state.room) else {
        return vec![Finding::skipped(check, "the system does not say")];
    };
    let what = format!("{} MiB are left for the journal", room >> 20);
    let hint = "make room on that disk: what cannot be recorded is not handed out";
    vec![match room {
        0..FULL => Finding::failed(check, &what, hint),
        FULL..TIGHT => Finding::warning(check, &what, hint),
        _ => Finding::ok(check, &what),
    }]
}

pub(super) fn sealed_files(facts: &Facts, files: &Files) -> Vec<Finding> {
    let check = Check::SealedFiles;
    let Ok(state) = state(check, files) else {
        return vec![Finding::skipped(check, "see state-directory")];
    };
    if state.sealed.is_empty() {
        return vec![Finding::skipped(check, "no identity is kept in a file")];
    }
    let looks = [&state.sealed_directory].into_iter().chain(&state.sealed);
    let faults = looks.filter_map(|look| private(check, look, facts.us));
    unless_faulty(faults.collect(), check, &state.sealed_directory.shown())
}
