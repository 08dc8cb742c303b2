//! The broken set-ups, one by one.

use std::any::Any;
use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::thread;

use jumpgate_tests::Lab;
use jumpgate_tests::lab::DEV;

use crate::built::lab;

/// What must live as long as the set-up.
pub(super) type Held = Box<dyn Any>;

/// A way to break a set-up that is in order: agent running, key stored.
pub(super) struct Broken {
    pub(super) name: &'static str,
    pub(super) break_it: fn(&mut Lab) -> Held,
    /// Check, state, what is said of it, what is to be done: parts of both.
    pub(super) expected: (&'static str, &'static str, &'static str, &'static str),
    /// Checks that the same fault concerns.
    pub(super) also: &'static [&'static str],
}

fn nothing() -> Held {
    Box::new(())
}

/// What doctor finds in order: an agent that runs, a file that it takes for a key. It opens none, so that need not be
/// sealed, which takes its time.
pub(super) fn sound() -> Lab {
    let lab = lab(DEV);
    lab.start_agent();
    assert_eq!(lab.records("agent.start").len(), 1);
    let identities = state(&lab, "identities");
    fs::DirBuilder::new()
        .mode(0o700)
        .create(&identities)
        .unwrap();
    let file = identities.join("jump.age");
    fs::write(&file, "sealed").unwrap();
    mode(&file, 0o600);
    lab
}

fn mode(path: &Path, mode: u32) -> Held {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    nothing()
}

pub(super) fn configuration(lab: &Lab) -> PathBuf {
    lab.path(".config/jumpgate/config.toml")
}

fn state(lab: &Lab, name: &str) -> PathBuf {
    lab.path(".local/state/jumpgate").join(name)
}

/// The configuration with one text for another; the agent goes on with the earlier.
pub(super) fn reworded(lab: &Lab, old: &str, new: &str) -> Held {
    let text = lab.configuration();
    assert!(text.contains(old), "{text}");
    lab.configure(&text.replace(old, new));
    nothing()
}

fn aws_file(lab: &Lab, name: &str, text: &str) -> Held {
    let directory = lab.path(".aws");
    let _there = fs::DirBuilder::new().mode(0o700).create(&directory);
    fs::write(directory.join(name), text).unwrap();
    mode(&directory.join(name), 0o600)
}

/// Something on a loopback port that answers every connection with these bytes, or with silence.
fn listening(answer: Option<&'static str>) -> (String, Held) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serve = thread::spawn(move || {
        let mut held = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            if let Some(answer) = answer {
                let _asked = stream.read(&mut [0; 4096]);
                stream.write_all(answer.as_bytes()).unwrap();
            }
            held.push(stream);
        }
    });
    (url, Box::new(serve))
}

fn endpoint(lab: &Lab, url: &str) {
    let old = format!("sts_endpoint = \"{}\"", lab.double.url());
    reworded(lab, &old, &format!("sts_endpoint = \"{url}\""));
}

/// Takes a socket away, so that nobody waits for an answer on it any more.
struct Socket(PathBuf);

impl Drop for Socket {
    fn drop(&mut self) {
        let _gone = fs::remove_file(&self.0);
    }
}

/// An agent that says the same to every request, or nothing at all.
fn played_agent(lab: &mut Lab, answer: Option<String>) -> Held {
    stop(lab);
    let listener = UnixListener::bind(lab.socket()).unwrap();
    thread::spawn(move || {
        let mut held = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            if let Some(answer) = &answer {
                let _asked = stream.read(&mut [0; 4096]);
                stream.write_all(answer.as_bytes()).unwrap();
            } else {
                held.push(stream);
            }
        }
    });
    Box::new(Socket(lab.socket()))
}

pub(super) fn stop(lab: &Lab) {
    lab.run(&["agent", "stop"]).good();
    lab.wait_for_agent();
}

/// One fault each.
pub(super) const BROKEN: &[Broken] = &[
    Broken {
        name: "no configuration",
        break_it: |lab| {
            fs::remove_file(configuration(lab)).unwrap();
            nothing()
        },
        expected: (
            "configuration-file",
            "failed",
            "there is no configuration",
            "jumpgate check shows one",
        ),
        also: &[],
    },
    Broken {
        name: "a misspelt key",
        break_it: |lab| reworded(lab, "source_identity", "sorce_identity"),
        expected: (
            "configuration",
            "failed",
            "source_identity",
            "jumpgate check",
        ),
        also: &[],
    },
    Broken {
        name: "a configuration that others can write",
        break_it: |lab| mode(&configuration(lab), 0o666),
        expected: (
            "configuration-file",
            "failed",
            "others can write",
            "chmod go-w",
        ),
        also: &[],
    },
    Broken {
        name: "a policy that others can write",
        break_it: |lab| {
            let policy = lab.path(".config/jumpgate/dev.json");
            fs::write(&policy, "{\"Version\":\"2012-10-17\",\"Statement\":[]}").unwrap();
            lab.configure(&format!("{}\n[profile.other]\nrole_arn = \"arn:aws:iam::222222222222:role/Developer\"\npolicy = \"dev.json\"\n", lab.configuration()));
            mode(&policy, 0o666)
        },
        expected: (
            "configuration",
            "failed",
            "others can write",
            "jumpgate check",
        ),
        also: &[],
    },
    Broken {
        name: "an MFA device of another account",
        break_it: |lab| {
            reworded(
                lab,
                "arn:aws:iam::111111111111:mfa",
                "arn:aws:iam::222222222222:mfa",
            )
        },
        expected: ("configuration", "failed", "mfa_serial", "jumpgate check"),
        also: &[],
    },
    Broken {
        name: "a program of the configuration that is not there",
        break_it: |lab| reworded(lab, "bin/mfa-code", "bin/mfa-cod"),
        expected: ("mfa-device", "failed", "bin/mfa-cod", "correct its path"),
        also: &[],
    },
    Broken {
        name: "a socket's directory that others can enter",
        break_it: |lab| mode(&lab.path("run/jumpgate"), 0o755),
        expected: ("control-socket", "failed", "its mode is 0755", "chmod 700"),
        also: &["agent"],
    },
    Broken {
        name: "a stale socket",
        break_it: |lab| {
            lab.kill_agent();
            nothing()
        },
        expected: (
            "control-socket",
            "warning",
            "nobody listens",
            "jumpgate agent start",
        ),
        also: &[],
    },
    Broken {
        name: "a file in the socket's place",
        break_it: |lab| {
            stop(lab);
            fs::write(lab.socket(), "").unwrap();
            nothing()
        },
        expected: ("control-socket", "failed", "is no socket", "move it away"),
        also: &[],
    },
    Broken {
        name: "a runtime directory that is not there",
        break_it: |lab| {
            stop(lab);
            let gone = lab.path("gone").display().to_string();
            lab.set("XDG_RUNTIME_DIR", &gone);
            nothing()
        },
        expected: (
            "runtime-directory",
            "failed",
            "which is not there",
            "JUMPGATE_SOCKET",
        ),
        also: &[],
    },
    Broken {
        name: "an agent of another version",
        break_it: |lab| {
            let status = include_str!("../../../proto/api/golden/status.json");
            let status = status.replacen(env!("CARGO_PKG_VERSION"), "0.0.9", 1);
            let length = status.len();
            played_agent(
                lab,
                Some(format!(
                    "HTTP/1.1 200 OK\r\njumpgate-agent-version: 0.0.9\r\ncontent-length: {length}\r\n\r\n{status}"
                )),
            )
        },
        expected: (
            "agent-version",
            "failed",
            "is version 0.0.9",
            "jumpgate agent stop",
        ),
        also: &[],
    },
    Broken {
        name: "an agent that answers nonsense",
        break_it: |lab| played_agent(lab, Some("hello\r\n\r\n".to_owned())),
        expected: ("agent", "failed", "HTTP", "restart it"),
        also: &[],
    },
    Broken {
        name: "an agent that never answers",
        break_it: |lab| played_agent(lab, None),
        expected: ("agent", "failed", "in time", "jumpgate agent stop"),
        also: &[],
    },
    Broken {
        name: "an agent's program that was replaced since",
        break_it: |lab| {
            let program = &lab.programs.agent;
            let new = program.with_extension("new");
            fs::copy(program, &new).unwrap();
            let later = std::time::SystemTime::now() + std::time::Duration::from_secs(60);
            fs::File::options()
                .write(true)
                .open(&new)
                .unwrap()
                .set_modified(later)
                .unwrap();
            fs::rename(&new, program).unwrap();
            nothing()
        },
        expected: (
            "agent-version",
            "warning",
            "was replaced",
            "jumpgate agent stop",
        ),
        also: &[],
    },
    Broken {
        name: "a reload that was refused",
        break_it: |lab| {
            let good = lab.configuration();
            reworded(lab, "version = 1", "version = 9");
            lab.run(&["reload"]);
            lab.configure(&good);
            nothing()
        },
        expected: (
            "agent",
            "failed",
            "goes on with the earlier configuration",
            "jumpgate reload",
        ),
        also: &[],
    },
    Broken {
        name: "programs that others can replace",
        break_it: |lab| mode(&lab.path("bin"), 0o777),
        expected: ("programs", "failed", "/bin: its mode is 0777", "chmod go-w"),
        also: &[],
    },
    Broken {
        name: "a state directory that others can enter",
        break_it: |lab| mode(&state(lab, ""), 0o755),
        expected: ("state-directory", "failed", "open to others", "chmod 700"),
        also: &[],
    },
    Broken {
        name: "a journal that others can enter",
        break_it: |lab| mode(&state(lab, "journal"), 0o750),
        expected: ("journal", "failed", "open to others", "chmod 700"),
        also: &[],
    },
    Broken {
        name: "a journal with a changed line",
        break_it: |lab| {
            let files = fs::read_dir(state(lab, "journal")).unwrap().flatten();
            let mut files = files.map(|entry| entry.path());
            let file = files
                .find(|path| path.extension().is_some_and(|end| end == "jsonl"))
                .unwrap();
            let text = fs::read_to_string(&file).unwrap();
            fs::write(&file, text.replacen("agent.start", "agent.stare", 1)).unwrap();
            nothing()
        },
        expected: (
            "journal",
            "failed",
            "hash does not fit",
            "jumpgate journal verify",
        ),
        also: &[],
    },
    Broken {
        name: "a sealed file that others can read",
        break_it: |lab| mode(&state(lab, "identities/jump.age"), 0o644),
        expected: ("sealed-files", "failed", "its mode is 0644", "chmod 600"),
        also: &[],
    },
    Broken {
        name: "no key",
        break_it: |lab| {
            lab.run(&["identity", "remove", "jump"]).good();
            nothing()
        },
        expected: (
            "stored-key",
            "failed",
            "identity jump has no key",
            "jumpgate identity add jump",
        ),
        also: &[],
    },
    Broken {
        name: "a desktop without a program that could ask",
        break_it: |lab| {
            let bin = lab.path("bin").display().to_string();
            lab.set("PATH", &bin);
            lab.set("DISPLAY", ":of-nobody");
            let text = lab
                .configuration()
                .replace("mfa = \"command\"", "mfa = \"prompt\"");
            let lines = text.lines().filter(|line| !line.starts_with("mfa_command"));
            lab.configure(&lines.collect::<Vec<_>>().join("\n"));
            nothing()
        },
        expected: (
            "prompter",
            "warning",
            "no program that could ask",
            "install pinentry",
        ),
        also: &[],
    },
    Broken {
        name: "no session bus",
        break_it: |lab| reworded(lab, "store = \"file\"", "store = \"keyring\""),
        expected: (
            "session-bus",
            "failed",
            "DBUS_SESSION_BUS_ADDRESS is not set",
            "store = \"file\"",
        ),
        // The passphrase_command is of no use there.
        also: &["display", "configuration"],
    },
    Broken {
        name: "a session bus that is not there",
        break_it: |lab| {
            lab.set("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/bus");
            reworded(lab, "store = \"file\"", "store = \"keyring\"")
        },
        expected: (
            "session-bus",
            "failed",
            "there is no D-Bus session bus",
            "store = \"file\"",
        ),
        also: &["display", "configuration"],
    },
    Broken {
        name: "an STS that cannot be reached",
        break_it: |lab| {
            let free = TcpListener::bind("127.0.0.1:0")
                .unwrap()
                .local_addr()
                .unwrap();
            endpoint(lab, &format!("http://{free}"));
            nothing()
        },
        expected: ("sts", "failed", "cannot be reached", "HTTPS_PROXY"),
        also: &[],
    },
    Broken {
        name: "an STS that never answers",
        break_it: |lab| {
            let (url, held) = listening(None);
            endpoint(lab, &url);
            held
        },
        expected: ("sts", "failed", "did not answer in time", "HTTPS_PROXY"),
        also: &[],
    },
    Broken {
        name: "a proxy that is none",
        break_it: |lab| {
            lab.set("HTTPS_PROXY", "socks5://proxy:1080");
            nothing()
        },
        expected: ("sts", "failed", "correct HTTPS_PROXY", "HTTPS_PROXY"),
        also: &[],
    },
    Broken {
        name: "a clock that is wrong",
        break_it: |lab| {
            let (url, held) = listening(Some(
                "HTTP/1.1 302 Found\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 0\r\n\r\n",
            ));
            endpoint(lab, &url);
            held
        },
        expected: (
            "clock",
            "failed",
            "AWS refuses what is signed by it",
            "timedatectl",
        ),
        also: &[],
    },
    Broken {
        name: "a variable that wins",
        break_it: |lab| {
            lab.set("AWS_ACCESS_KEY_ID", "AKIAEXAMPLEOFTHISTEST");
            nothing()
        },
        expected: (
            "environment",
            "warning",
            "AWS_ACCESS_KEY_ID is set",
            "unset AWS_ACCESS_KEY_ID",
        ),
        also: &[],
    },
    Broken {
        name: "a key that wins over credential_process",
        break_it: |lab| {
            aws_file(
                lab,
                "config",
                "[profile dev]\ncredential_process = jumpgate credential-process dev\n",
            );
            aws_file(
                lab,
                "credentials",
                "[dev]\naws_access_key_id = AKIAEXAMPLEOFTHISTEST\n",
            )
        },
        expected: (
            "aws-files",
            "failed",
            "credentials:1: [dev] has a key of its own",
            "take the key out",
        ),
        also: &[],
    },
    Broken {
        name: "a key in the clear",
        break_it: |lab| {
            aws_file(
                lab,
                "credentials",
                "\n[old]\naws_access_key_id = AKIAEXAMPLEOFTHISTEST\n",
            )
        },
        expected: (
            "aws-files",
            "warning",
            "credentials:2: [old] has a long-term key",
            "identity add",
        ),
        also: &[],
    },
    Broken {
        name: "a credential_process without a profile",
        break_it: |lab| {
            aws_file(
                lab,
                "config",
                "[profile x]\ncredential_process = /usr/bin/jumpgate credential-process dve\n",
            )
        },
        expected: (
            "aws-files",
            "failed",
            "asks for profile dve",
            "jumpgate profile list",
        ),
        also: &[],
    },
];
