//! The same question put to what a user would have instead: the session of one role, from where each keeps it, as a new
//! process prints it. `tests/bench/peers` installs them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use jumpgate_tests::lab::DEV;
use jumpgate_tests::{Lab, Programs};

use crate::figures::{Spread, heading};
use crate::kept::{ITEM, Kept};
use crate::peer_endpoint;
use crate::process::{against, timed};
use crate::ratio::Ratio;
use crate::scale::Scale;
use crate::section::Section;
use crate::table::Table;

/// A program, how it is asked, and from what it answers.
struct Peer {
    name: &'static str,
    /// Below target/bench/peers, or absolute, or a name on PATH.
    program: &'static str,
    arguments: &'static [&'static str],
    version: &'static [&'static str],
    keeps: &'static str,
    /// Which of id, secret and token it must print.
    prints: &'static [usize],
}

const ALL: &[usize] = &[0, 1, 2];
const CLI: &[&str] = &["configure", "export-credentials", "--profile", "role"];
const IN_CLEAR: &str = "a file in clear";

const PEERS: [Peer; 8] = [
    Peer {
        name: "mairu credential-process",
        program: "mairu/bin/mairu",
        arguments: &["credential-process", "bench", "Developer"],
        version: &["--version"],
        keeps: "its agent's memory",
        prints: ALL,
    },
    Peer {
        name: "secret-tool lookup",
        program: "/usr/bin/secret-tool",
        arguments: &["lookup", ITEM[0], ITEM[1]],
        version: &[],
        keeps: "gnome-keyring",
        prints: ALL,
    },
    Peer {
        name: "aws configure export-credentials, v2 of Debian",
        program: "/usr/bin/aws",
        arguments: CLI,
        version: &["--version"],
        keeps: "the CLI's cache, in clear",
        prints: ALL,
    },
    Peer {
        name: "aws configure export-credentials, v2 of AWS",
        program: "../../../tests/.clients/awscli/aws",
        arguments: CLI,
        version: &["--version"],
        keeps: "the CLI's cache, in clear",
        prints: ALL,
    },
    // v1 has no `export-credentials`: the nearest prints one of three settings.
    Peer {
        name: "aws configure get aws_session_token, v1 (the token only)",
        program: "awscli/bin/aws",
        arguments: &[
            "configure",
            "get",
            "aws_session_token",
            "--profile",
            "static",
        ],
        version: &["--version"],
        keeps: IN_CLEAR,
        prints: &[2],
    },
    Peer {
        name: "awsumepy -s",
        program: "awsume/bin/awsumepy",
        arguments: &["-s", "static"],
        version: &["--version"],
        keeps: IN_CLEAR,
        prints: ALL,
    },
    Peer {
        name: "aws-export-credentials --cache-file",
        program: "aws-export-credentials/bin/aws-export-credentials",
        arguments: &["--profile", "static", "--cache-file", "export.json"],
        version: &["--version"],
        keeps: IN_CLEAR,
        prints: ALL,
    },
    // It is not installed by `tests/bench/peers`. Without a session of its own it prints what it keeps.
    Peer {
        name: "aws-vault export --no-session",
        program: "aws-vault",
        arguments: &[
            "export",
            "--format=json",
            "--no-session",
            "--backend=file",
            "static",
        ],
        version: &["--version"],
        keeps: "a file behind a passphrase",
        prints: &[0, 1],
    },
];

/// Each peer, in turns with `credential-process` and with a program that does nothing.
pub(crate) fn measure(programs: &Programs, scale: Scale) -> Section {
    heading("what a user would have instead, warm");
    let mut section = Section::default();
    let lab = Lab::new(programs, DEV);
    lab.start_agent();
    lab.add_identity();
    let session = lab.run(&["credential-process", "dev"]).good().json();
    let kept = Kept::new(session).expect("a home");
    let program = place(&PEERS[0]);
    let mairu = program.as_deref().map(|mairu| kept.log_in(mairu));
    let stored = kept.store();
    let mut there = Vec::new();
    for peer in &PEERS {
        let prepared = match (peer.name, &mairu, &stored) {
            ("mairu credential-process", Some(Err(why)), _) => Err(why.clone()),
            ("secret-tool lookup", _, Err(why)) => Err(why.clone()),
            _ => Ok(()),
        };
        match prepared.and_then(|()| peer.ready(&kept)) {
            Ok(program) => there.push((peer, program)),
            Err(why) => section.absent(peer.name, why.trim()),
        }
    }
    turns(&lab, &kept, &there, scale, &mut section);
    if let (Some(program), Some(Ok(_agent))) = (&program, &mairu) {
        peer_endpoint::measure(&lab, &kept, program, scale, &mut section);
    }
    section
}

fn turns(lab: &Lab, kept: &Kept, there: &[(&Peer, PathBuf)], scale: Scale, section: &mut Section) {
    let (mut floor, mut ours) = (Vec::new(), Vec::new());
    let mut theirs = vec![Vec::new(); there.len()];
    for _ in 0..scale.peers {
        floor.push(timed(lab.program("/bin/true".as_ref(), &[])));
        for ((peer, program), times) in there.iter().zip(&mut theirs) {
            // Next to each, so that what disturbs one disturbs the other.
            ours.push(timed(lab.client(&["credential-process", "dev"])));
            times.push(timed(peer.command(kept, program)));
        }
    }
    let caption = format!("{} runs of each, in turns:", scale.peers);
    let mut table = Table::new(
        caption,
        &["", "version", "answers from", "ms, median (5 %, 95 %)"],
    );
    table.row(["/bin/true", "", "", &Spread::of(floor).millis()]);
    for (at, ((peer, program), times)) in there.iter().zip(theirs).enumerate() {
        let beside = ours.iter().skip(at).step_by(there.len());
        let beside: Vec<Duration> = beside.copied().collect();
        let what = format!("{}, in credential-process's time", peer.name);
        section.ratio(Ratio::of(what, against(&times, &beside)));
        let (version, times) = (peer.version(kept, program), Spread::of(times).millis());
        table.row([peer.name, &version, peer.keeps, &times]);
    }
    if !ours.is_empty() {
        let ours = Spread::of(ours).millis();
        table.row([
            "**jumpgate credential-process**",
            "",
            "its agent's memory",
            &ours,
        ]);
    }
    section.table(table);
}

impl Peer {
    fn command(&self, kept: &Kept, program: &Path) -> Command {
        let mut command = kept.command(program, self.arguments);
        command.stderr(Stdio::null());
        command
    }

    /// Asks it once. What does not print the session is not measured.
    fn ready(&self, kept: &Kept) -> Result<PathBuf, String> {
        let program = place(self).ok_or_else(|| match self.program {
            "aws-vault" => "not on PATH; the bench does not install it".to_owned(),
            "../../../tests/.clients/awscli/aws" => "not installed: tests/setup/clients".to_owned(),
            _ => "not installed: tests/bench/peers".to_owned(),
        })?;
        let output = kept.command(&program, self.arguments).output();
        let output = output.map_err(|error| error.to_string())?;
        let text = String::from_utf8_lossy(&output.stdout);
        let proof = kept.proof();
        if self.prints.iter().all(|at| text.contains(proof[*at])) {
            return Ok(program);
        }
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let line = said.trim().lines().last().unwrap_or_default();
        Err(format!("it does not print the session: {line}"))
    }

    fn version(&self, kept: &Kept, program: &Path) -> String {
        if self.version.is_empty() {
            return String::new();
        }
        let output = kept.command(program, self.version).output();
        let text = output.map(|output| [output.stdout, output.stderr].concat());
        let text = String::from_utf8_lossy(&text.unwrap_or_default()).into_owned();
        // `aws-cli/2.9.19 Python/…`, `mairu 0.12.0`, `4.5.4`
        let word = text
            .split_whitespace()
            .find(|word| word.contains(|c: char| c.is_ascii_digit()));
        word.unwrap_or_default().to_owned()
    }
}

/// Where a program is, if it is.
fn place(peer: &Peer) -> Option<PathBuf> {
    let installed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench/peers");
    let fixed = installed.join(peer.program);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places = vec![fixed];
    if !peer.program.contains('/') {
        places.extend(std::env::split_paths(&path).map(|folder| folder.join(peer.program)));
    }
    let found = places.into_iter().find(|place| place.is_file())?;
    found.canonicalize().ok()
}
