//! One row of the matrix: a client, an interface, a lab, and the ways to run the one in the other.

use std::cell::RefCell;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use jumpgate_tests::lab::{Ran, finish};
use jumpgate_tests::matrix::{Client, Interface};
use jumpgate_tests::{Lab, skip::skip};
use serde_json::Value;

use super::calls::Held;
use super::clock::{Clock, PRELOAD};
use super::relay::{Head, Relay};
use crate::built::lab;
use crate::clients::configure_aws;
use crate::standing::free_port;

/// Minutes that a session lives here: 16 is the least with which no client asks again at each call. By IMDS botocore goes
/// by an end of its own making when less than 25 are left.
const fn life(interface: Interface) -> u64 {
    match interface {
        Interface::Process | Interface::Container => 16,
        Interface::Imds => 30,
    }
}

const PROFILES: &str = r#"
[profile.dev]
account = "target"
role = "Developer"
region = "eu-central-1"
duration = "@LIFE@m"

[profile.nobody]
account = "target"
role = "Nobody"
region = "eu-central-1"
"#;

/// Where the paths of IMDS lead to a document.
const CREDENTIALS: &str = "/latest/meta-data/iam/security-credentials/";

/// A client, an interface, and what there is for them.
pub(super) struct Row {
    pub(super) client: Client,
    pub(super) interface: Interface,
    pub(super) lab: Lab,
    pub(super) clock: Option<RefCell<Clock>>,
    venv: Option<PathBuf>,
    relay: RefCell<Option<Relay>>,
}

/// The endpoint that a client may outlive an agent with.
fn standing(interface: Interface) -> String {
    let kind = interface.word();
    match interface {
        Interface::Process => String::new(),
        Interface::Container | Interface::Imds => format!(
            "\n[serve.row]\nprofile = \"dev\"\nkind = \"{kind}\"\nport = {}\n",
            free_port()
        ),
    }
}

impl Row {
    /// An agent that can answer; `None` and a skip where the client is not installed.
    pub(super) fn ready(client: Client, interface: Interface) -> Option<Self> {
        let profiles = PROFILES.replace("@LIFE@", &life(interface).to_string());
        let mut lab = lab(&format!("{profiles}{}", standing(interface)));
        let clock = Clock::of(&mut lab).map(RefCell::new);
        lab.start_agent();
        lab.add_identity();
        let row = Self {
            client,
            interface,
            lab,
            clock,
            venv: std::env::var_os("JUMPGATE_TEST_VENV").map(PathBuf::from),
            relay: RefCell::default(),
        };
        let listed = finish(row.whoami(&["--list"]), "").good().stdout;
        let told = listed
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        let there = |told: &Value| told["client"] == client.word() && told["installed"] == true;
        if told.into_iter().any(|told| there(&told)) {
            return Some(row);
        }
        let what = format!("conformance of {} by {}", client.word(), interface.word());
        skip(&what, "it is not installed: tests/setup says why");
        None
    }

    /// `whoami` with these words, in the place of AWS the double.
    fn whoami(&self, words: &[&str]) -> Command {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/whoami");
        let mut command = self.lab.program(&script, words);
        self.surround(&mut command);
        command
    }

    /// What a user of the client has in the environment; nothing of it is ours.
    fn surround(&self, command: &mut Command) {
        command.env("AWS_ENDPOINT_URL", self.lab.double.url());
        command.env_remove(PRELOAD);
        if let Some(venv) = &self.venv {
            command.env("JUMPGATE_TEST_VENV", venv);
        }
    }

    /// The client's command line.
    fn words(&self, direct: bool, hold: &str) -> Vec<String> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/whoami");
        let client = match direct {
            true => format!("{}-direct", self.client.word()),
            false => self.client.word().to_owned(),
        };
        let words = [script.to_str().unwrap(), &client, self.interface.word()];
        let hold = ["--hold", hold];
        let hold = if hold[1].is_empty() { &[][..] } else { &hold };
        [&words, hold]
            .concat()
            .into_iter()
            .map(str::to_owned)
            .collect()
    }

    /// The client through `jumpgate exec`, or by the configuration that names our program.
    pub(super) fn by_ourselves(&self) -> Ran {
        if self.interface == Interface::Process {
            return finish(self.command("dev", ""), "");
        }
        finish(self.exec(), "")
    }

    /// The client by `jumpgate exec`.
    pub(super) fn exec(&self) -> Command {
        let words = self.words(false, "");
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let exec = ["exec", "dev", "--via", self.interface.word(), "--"];
        let mut command = self.lab.client(&[&exec[..], &words].concat());
        self.surround(&mut command);
        command
    }

    /// The client with the variables of the standing endpoint, by way of the relay; or with the configuration that
    /// names our program, by way of a script that counts.
    pub(super) fn command(&self, profile: &str, hold: &str) -> Command {
        self.prepared(profile, &self.words(false, hold), "true")
    }

    /// The same with the provider chosen by hand.
    pub(super) fn direct(&self, profile: &str) -> Ran {
        finish(self.prepared(profile, &self.words(true, ""), "true"), "")
    }

    /// The same without any region in the environment.
    pub(super) fn without_region(&self) -> Ran {
        self.changed_by("unset AWS_REGION AWS_DEFAULT_REGION")
    }

    /// The same with this line of shell before it.
    pub(super) fn changed_by(&self, line: &str) -> Ran {
        finish(self.prepared("dev", &self.words(false, ""), line), "")
    }

    fn prepared(&self, profile: &str, words: &[String], then: &str) -> Command {
        let mut command = match self.interface {
            Interface::Process => {
                configure_aws(&self.lab, &self.counting(), &["dev", "nobody"]);
                let mut command = self.lab.program(Path::new(&words[0]), &[]);
                command.args(&words[1..]);
                command.env("AWS_CONFIG_FILE", self.lab.path(".aws/config"));
                command.env("AWS_PROFILE", profile);
                command.env("AWS_EC2_METADATA_DISABLED", "true");
                command
            }
            Interface::Container | Interface::Imds => {
                let (own, relayed) = self.relayed(profile);
                let kind = self.interface.word();
                let script = format!(
                    "eval \"$(jumpgate endpoint {profile} --kind {kind} | sed s/:{own}/:{relayed}/)\"; {then}; exec \"$@\""
                );
                let mut command = self
                    .lab
                    .program(Path::new("/bin/sh"), &["-c", &script, "sh"]);
                command.args(words);
                command
            }
        };
        self.surround(&mut command);
        command
    }

    /// A program that notes that it runs, with what arguments, and becomes ours.
    fn counting(&self) -> PathBuf {
        let program = self.lab.path("bin/counting");
        let script = "#!/bin/sh\necho \"$@\" >>\"$HOME/runs\"\nexec jumpgate \"$@\"\n";
        std::fs::write(&program, script).unwrap();
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        program
    }

    /// The port of the standing endpoint, and of the relay to it.
    fn relayed(&self, profile: &str) -> (String, String) {
        let kind = self.interface.word();
        let told = self
            .lab
            .run(&["endpoint", profile, "--kind", kind, "--format", "json"])
            .good()
            .json();
        let url = told["url"].as_str().unwrap().to_owned();
        let port = url.split(['/', ':']).nth(4).unwrap().to_owned();
        let relay = Relay::to(&port);
        let own = relay.port.clone();
        *self.relay.borrow_mut() = Some(relay);
        (port, own)
    }

    /// The client, alive for so many calls, under the clock that moves.
    pub(super) fn held(&self, calls: usize) -> Held {
        self.held_changed_by(calls, "true")
    }

    /// The same with this line of shell before it.
    pub(super) fn held_changed_by(&self, calls: usize, line: &str) -> Held {
        let mut command = self.prepared("dev", &self.words(false, &calls.to_string()), line);
        if let Some(clock) = &self.clock {
            clock.borrow().shown_to(&mut command);
        }
        Held::start(command, self.lab.path("held.stderr"))
    }

    /// Moves every clock on.
    pub(super) fn advance(&self, by: Duration) {
        let clock = self.clock.as_ref().expect("a clock that moves");
        clock.borrow_mut().advance(&self.lab, by);
    }

    /// Moves every clock on until so much is left of a session that was fetched just now. On the way the agent gets its
    /// next one: an endpoint waits for AWS only so long, and on a busy machine would hand out the old one once more.
    pub(super) fn advance_until(&self, left: Duration) {
        let life = Duration::from_mins(life(self.interface));
        let ageing = life / 2;
        self.advance(ageing);
        self.lab.run(&["credential-process", "dev"]).good();
        self.advance(life - ageing - left);
    }

    /// Whoever asks next gets a session that begins now.
    pub(super) fn begin_anew(&self) {
        self.lab.run(&["lock"]).good();
        self.lab.run(&["unlock"]).good();
        self.lab.run(&["credential-process", "dev"]).good();
    }

    /// The agent that runs from now on is another process.
    pub(super) fn restart_agent(&self) {
        self.lab.run(&["agent", "stop"]).good();
        self.lab.wait_for_agent();
        self.lab.start_agent();
    }

    /// The relay's port.
    pub(super) fn relay_port(&self) -> String {
        self.relay.borrow().as_ref().expect("a relay").port.clone()
    }

    /// What came so far does not count.
    pub(super) fn forget(&self) {
        drop((self.requests(), self.runs()));
    }

    /// The requests since the last time, in order.
    pub(super) fn requests(&self) -> Vec<Head> {
        self.relay
            .borrow()
            .as_ref()
            .map(Relay::taken)
            .unwrap_or_default()
    }

    /// The command lines with which our program was run since the last time.
    pub(super) fn runs(&self) -> Vec<String> {
        let file = self.lab.path("runs");
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        let _none_yet = std::fs::remove_file(file);
        text.lines().map(str::to_owned).collect()
    }

    /// How often a session was asked for since the last time.
    pub(super) fn fetches(&self) -> usize {
        let for_session = |head: &&Head| match self.interface {
            Interface::Imds => head.target.starts_with(CREDENTIALS) && head.target != CREDENTIALS,
            Interface::Process | Interface::Container => head.method == "GET",
        };
        match self.interface {
            Interface::Process => self.runs().len(),
            _ => self.requests().iter().filter(for_session).count(),
        }
    }
}
