//! Every command of the client: what it prints for people and for programs, how it ends, and how it speaks of
//! mistakes.

use std::io::BufRead;
use std::path::Path;
use std::time::{Duration, Instant};

use jumpgate_tests::lab::{DEV, finish};
use jumpgate_tests::skip::skip;
use jumpgate_tests::sts::{Fault, When};
use jumpgate_tests::terminal::Terminal;
use jumpgate_tests::{Lab, Ran};
use serde_json::Value;

use crate::built::{lab, ready};
use crate::surroundings::{piped, refused};

/// A lab in which one session has been handed out.
fn served() -> Lab {
    let lab = ready();
    lab.run(&["credential-process", "dev"]).good();
    lab
}

/// The commands below these words, as their help lists them.
fn commands_below(lab: &Lab, words: &[&str]) -> Vec<String> {
    let help = lab.run(&[words, &["--help"]].concat()).good().stdout;
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let listed = listed.take_while(|line| !line.is_empty());
    listed
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect()
}

/// Every command with its words, the groups among them.
fn all_commands(lab: &Lab) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for verb in commands_below(lab, &[]) {
        let below = commands_below(lab, &[&verb]);
        all.push(vec![verb.clone()]);
        all.extend(below.into_iter().map(|word| vec![verb.clone(), word]));
    }
    all
}

fn words(command: &[String]) -> Vec<&str> {
    command.iter().map(String::as_str).collect()
}

#[track_caller]
fn assert_has_keys(value: &Value, keys: &[&str]) {
    for key in keys {
        assert!(value.get(key).is_some(), "no {key} in {value}");
    }
}

#[test]
fn every_command_has_a_help_of_its_own() {
    let lab = lab(DEV);
    let all = all_commands(&lab);
    for expected in [
        "agent",
        "check",
        "completions",
        "credential-process",
        "exec",
        "export",
        "identity",
        "journal",
        "lease",
        "leases",
        "lock",
        "man",
        "profile",
        "reload",
        "status",
        "unlock",
    ] {
        assert!(all.contains(&vec![expected.to_owned()]), "{expected}");
    }
    assert!(all.len() >= 30, "{all:?}");
    for command in &all {
        let ran = lab.run(&[&words(command)[..], &["--help"]].concat()).good();
        assert_eq!(ran.stderr, "");
        let usage = format!("\nUsage: jumpgate {}", command.join(" "));
        assert!(
            ran.stdout.contains(&usage) && ran.stdout.contains("--help"),
            "{}",
            ran.stdout
        );
        assert!(
            ran.stdout.lines().all(|line| line.chars().count() <= 120),
            "{}",
            ran.stdout
        );
    }
    assert!(
        lab.run(&["--version"])
            .good()
            .stdout
            .starts_with("jumpgate ")
    );
    assert!(!lab.socket().exists(), "no agent was started for it");
}

#[test]
fn wrong_usage_is_64_with_a_line_and_a_hint() {
    let lab = lab(DEV);
    for arguments in [
        &[][..],
        &["no-such-command"],
        &["--no-such-option"],
        &["credential-process"],
        &["credential-process", "dev", "more"],
        &["credential-process", "dev", "--duration", "0s"],
        &["credential-process", "dev", "--duration", "13h"],
        &["credential-process", "dev", "--tag", "no-value"],
        &["credential-process", "dev", "--tag", "A=1", "--tag", "A=2"],
        &["credential-process", "dev", "--policy", "no-such-file.json"],
        &["credential-process", "dev", "--json"],
        &["export", "dev", "--format", "csh"],
        &["exec", "dev"],
        &["exec", "dev", "--"],
        &["exec", "dev", "--via", "pigeon", "--", "/bin/true"],
        &["endpoint", "dev", "--kind", "pigeon"],
        &["identity"],
        &["identity", "add"],
        &["lease", "end"],
        &["journal", "show", "--last", "many"],
        &["completions", "tcsh"],
    ] {
        refused(&lab.run(arguments), 64, "", "");
    }
    assert!(!lab.socket().exists(), "no agent was started for it");
}

#[test]
fn what_is_not_there_is_said_to_be() {
    let lab = ready();
    let lease = "01KAN0000000000000000000L1";
    for (arguments, exit, what, hint) in [
        (
            &["profile", "show", "dve"][..],
            64,
            "no profile is called dve",
            "profile list",
        ),
        (
            &["credential-process", "dve"],
            64,
            "no profile is called dve",
            "profile list",
        ),
        (
            &["identity", "check", "jmup"],
            64,
            "no identity is called jmup",
            "identity list",
        ),
        (
            &["unlock", "jmup"],
            64,
            "no identity is called jmup",
            "identity list",
        ),
        (
            &["lease", "end", lease],
            1,
            "no lease 01KAN0000000000000000000L1 is live",
            "jumpgate leases",
        ),
        (
            &["lease", "end", "../journal"],
            64,
            "expected the id of a lease",
            "jumpgate leases",
        ),
        (
            &["credential-process", "dev", "--policy", "preset:nope"],
            64,
            "preset",
            "",
        ),
    ] {
        refused(&lab.run(arguments), exit, what, hint);
    }
}

#[test]
fn each_exit_status_means_what_the_contract_says() {
    let lab = ready();
    lab.double
        .inject(Fault::ServiceUnavailable, When::call("AssumeRole"));
    refused(
        &lab.run(&["credential-process", "dev"]),
        75,
        "ServiceUnavailable",
        "",
    );
    lab.double.clear_faults();
    lab.run(&["lock"]).good();
    refused(
        &lab.run(&["export", "dev"]),
        77,
        "the agent is locked",
        "run: jumpgate unlock",
    );
    refused(
        &lab.run(&["exec", "dev", "--via", "env", "--", "/bin/true"]),
        77,
        "the agent is locked",
        "run: jumpgate unlock",
    );
    lab.run(&["agent", "stop"]).good();
    std::fs::remove_file(&lab.programs.agent).unwrap();
    for arguments in [
        &["status"][..],
        &["credential-process", "dev"],
        &["agent", "start"],
        &["agent", "run"],
        &["check"],
    ] {
        refused(
            &lab.run(arguments),
            69,
            "jumpgate-agent",
            "install jumpgate-agent beside jumpgate",
        );
    }
}

#[test]
fn status_says_all_that_the_contract_names() {
    let lab = served();
    let status = lab.status();
    let keys = [
        "version",
        "pid",
        "uptime_seconds",
        "config_path",
        "identities",
        "sessions",
        "leases",
        "endpoints",
        "sts",
        "journal",
    ];
    assert_has_keys(&status, &keys);
    assert_has_keys(
        &status["identities"][0],
        &["name", "kind", "state", "unlocked_until", "mfa_until"],
    );
    assert_has_keys(
        &status["sessions"][0],
        &[
            "profile",
            "role_arn",
            "expires_at",
            "session",
            "packed_policy_percent",
            "token_bytes",
            "token_percent",
        ],
    );
    assert_has_keys(&status["journal"], &["path", "records", "healthy"]);
    assert_eq!(status["pid"], lab.agent_pid());
    assert_eq!(status["identities"][0]["state"], "unlocked");
    assert_eq!(
        status["sessions"][0]["role_arn"],
        "arn:aws:iam::222222222222:role/Developer"
    );
    assert_eq!(
        (&status["leases"], &status["endpoints"]),
        (&1.into(), &Value::Array(Vec::new()))
    );
    // GetCallerIdentity, GetSessionToken, AssumeRole.
    assert_eq!(
        status["sts"],
        serde_json::json!({"calls": 3, "failures": 0, "skew_seconds": 0})
    );
    assert_eq!(
        (&status["journal"]["healthy"], &status["journal"]["records"]),
        (&true.into(), &lab.journal().len().into())
    );
    assert_eq!(
        status["config_path"],
        lab.path(".config/jumpgate/config.toml").to_str().unwrap()
    );
}

#[test]
fn listings_are_tables_for_people_and_stable_keys_for_programs() {
    let lab = served();
    let json = |arguments: &[&str]| lab.run(&[arguments, &["--json"]].concat()).good().json();
    let profiles = json(&["profile", "list"]);
    assert_has_keys(
        &profiles["profiles"][0],
        &[
            "name",
            "identity",
            "role_arn",
            "duration_seconds",
            "via",
            "scoped",
        ],
    );
    let detail = json(&["profile", "show", "dev"]);
    assert_eq!(
        (&detail["scoped"], &detail["region"]),
        (&true.into(), &"eu-central-1".into())
    );
    assert_eq!(
        detail["transitive_tags"],
        serde_json::json!(["DoiTEnvironment"])
    );
    let lease = json(&["leases"])["leases"][0].clone();
    assert_has_keys(
        &lease,
        &[
            "id",
            "profile",
            "role_arn",
            "session",
            "interface",
            "pid",
            "executable",
            "issued_at",
            "expires_at",
        ],
    );
    assert_eq!(
        (&lease["interface"], &lease["executable"]),
        (
            &"process".into(),
            &lab.programs.client.to_str().unwrap().into()
        )
    );

    for (arguments, heading, value) in [
        (
            &["profile", "list"][..],
            "NAME",
            "arn:aws:iam::222222222222:role/Developer",
        ),
        (
            &["profile", "show", "dev"],
            "session name",
            "{user}-{session}",
        ),
        (
            &["identity", "list"],
            "NAME",
            "arn:aws:iam::111111111111:mfa/alice",
        ),
        (&["leases"], "LEASE", lease["id"].as_str().unwrap()),
        (
            &["status"],
            "IDENTITY",
            "arn:aws:iam::222222222222:role/Developer",
        ),
        (&["journal"], "lease.issue", "identity.add"),
    ] {
        let shown = lab.run(arguments).good();
        assert_eq!(shown.stderr, "");
        assert!(
            shown.stdout.contains(heading) && shown.stdout.contains(value),
            "{}",
            shown.stdout
        );
        assert!(
            shown.stdout.lines().all(|line| line.trim_end() == line),
            "{}",
            shown.stdout
        );
        // A terminal gets no colour either.
        let mut command = lab.client(arguments);
        command.env("TERM", "xterm-256color");
        let (status, on_terminal) = Terminal::run(&command).end();
        assert!(
            status.success() && on_terminal.contains(value),
            "{on_terminal}"
        );
        assert!(!shown.stdout.contains('\u{1b}') && !on_terminal.contains('\u{1b}'));
    }
}

#[test]
fn a_lease_is_ended_once() {
    let lab = served();
    let id = lab.run(&["leases", "--json"]).good().json()["leases"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let ended = lab.run(&["lease", "end", &id]).good();
    assert!(
        ended.stdout.starts_with(&format!(
            "{id}: ended; AWS accepts what was handed out until "
        )),
        "{}",
        ended.stdout
    );
    assert_eq!(
        lab.run(&["leases", "--json"]).good().json()["leases"],
        Value::Array(Vec::new())
    );
    assert_eq!(lab.status()["leases"], 0);
    let record = &lab.records("lease.end")[0];
    assert_eq!(record["session"]["uid"], id.as_str());
    refused(
        &lab.run(&["lease", "end", &id]),
        1,
        "is live",
        "jumpgate leases",
    );
}

#[test]
fn the_journal_is_shown_exported_and_verified() {
    let lab = served();
    lab.run(&["credential-process", "nobody"]);
    let exported = lab.run(&["journal", "export"]).good().stdout;
    let records: Vec<Value> = exported
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(records, lab.journal());
    let names: Vec<&str> = records
        .iter()
        .map(|record| record["activity_name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "agent.start",
            "identity.add",
            "identity.unlock",
            "lease.issue",
            "deny"
        ]
    );
    assert_eq!(lab.run(&["journal", "--json"]).good().stdout, exported);
    assert_eq!(
        lab.run(&["journal", "show", "--json"]).good().stdout,
        exported
    );
    let last = lab.run(&["journal", "show", "--last", "2"]).good().stdout;
    assert_eq!(last.lines().count(), 2);
    assert!(
        last.contains("lease.issue") && last.contains("no profile is called nobody"),
        "{last}"
    );
    let verified = lab.run(&["journal", "verify"]).good().stdout;
    assert!(
        verified.starts_with("5 records in 1 file, head ") && verified.ends_with(": intact\n"),
        "{verified}"
    );
    let report = lab.run(&["journal", "verify", "--json"]).good().json();
    assert_eq!(
        (&report["records"], &report["damage"]),
        (&5.into(), &Value::Array(Vec::new()))
    );
    assert_has_keys(&report, &["files", "head"]);
}

#[test]
fn damage_to_the_journal_ends_verify_with_1_and_names_the_line() {
    let lab = served();
    lab.run(&["agent", "stop"]).good();
    let file = std::fs::read_dir(lab.path(".local/state/jumpgate/journal")).unwrap();
    let file = file
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|end| end == "jsonl"));
    let file = file.unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(
        &file,
        text.replacen("\"profile\":\"dev\"", "\"profile\":\"den\"", 1),
    )
    .unwrap();
    let ran = lab.run(&["journal", "verify"]);
    assert_eq!(ran.code(), 1, "{}", ran.stderr);
    assert!(
        ran.stdout.contains(&format!("{}:4: ", file.display())),
        "{}",
        ran.stdout
    );
}

#[test]
fn tail_shows_what_comes() {
    let lab = served();
    let (mut tail, output) = piped(lab.client(&["journal", "tail", "--json"]));
    let mut activities = output.lines().map(|line| {
        let record: Value = serde_json::from_str(&line.unwrap()).unwrap();
        record["activity_name"].as_str().unwrap().to_owned()
    });
    assert!(activities.any(|activity| activity == "lease.issue"));
    lab.run(&["credential-process", "dev"]).good();
    assert!(activities.any(|activity| activity == "lease.serve"));
    // It ends with the agent, after the last record, and does not hold it up: requests under way get 5 s.
    let began = Instant::now();
    lab.run(&["agent", "stop"]).good();
    assert!(began.elapsed() < Duration::from_secs(4));
    assert_eq!(activities.last().unwrap(), "agent.stop");
    assert!(tail.wait().unwrap().success());
}

#[test]
fn the_configuration_is_checked_and_reloaded() {
    let lab = served();
    let path = lab.path(".config/jumpgate/config.toml");
    let valid = lab.run(&["check"]).good();
    assert_eq!(
        valid.stdout,
        format!("{}: valid: 1 identity, 1 profile\n", path.display())
    );
    lab.configure_profiles(&format!(
        "{DEV}[profile.more]\naccount = 'target'\nrole = 'More'\n"
    ));
    let reloaded = lab.run(&["reload"]).good();
    assert!(
        reloaded
            .stdout
            .contains("in force, 2 profiles and 1 identity"),
        "{}",
        reloaded.stdout
    );
    assert_eq!(
        lab.run(&["profile", "list", "--json"]).good().json()["profiles"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    // Nobody types a code again: the identity is the same.
    lab.run(&["credential-process", "dev"]).good();
    assert_eq!(lab.double.count("GetSessionToken"), 1);

    lab.configure_profiles("[profile.dev]\nroel = 'x'\n");
    for arguments in [
        &["check"][..],
        &["check", path.to_str().unwrap()],
        &["reload"],
    ] {
        let ran = lab.run(arguments);
        assert_eq!((ran.code(), ran.stdout.as_str()), (64, ""));
        assert!(
            ran.stderr.starts_with("jumpgate: ") && ran.stderr.contains("config.toml:"),
            "{}",
            ran.stderr
        );
        assert!(
            ran.stderr.contains("did you mean \"role\"?"),
            "{}",
            ran.stderr
        );
    }
    assert!(
        lab.status()["config_error"]
            .as_str()
            .unwrap()
            .contains("config.toml:")
    );
    lab.run(&["credential-process", "dev"]).good();
}

#[test]
fn locking_drops_what_is_in_memory() {
    let lab = served();
    assert_eq!(
        lab.run(&["lock"]).good().stdout,
        "locked: 1 identity and 1 session dropped\n"
    );
    let status = lab.status();
    assert_eq!(
        (&status["locked"], &status["identities"][0]["state"]),
        (&true.into(), &"locked".into())
    );
    assert_eq!(status["sessions"], Value::Array(Vec::new()));
    refused(
        &lab.run(&["credential-process", "dev"]),
        77,
        "the agent is locked",
        "run: jumpgate unlock",
    );
    assert_eq!(
        lab.run(&["lock"]).good().stdout,
        "locked: 0 identities and 0 sessions dropped\n"
    );
    let unlocked = lab.run(&["unlock"]).good().stdout;
    assert!(
        unlocked.starts_with("jump: unlocked until ")
            && unlocked.contains("no further MFA code until"),
        "{unlocked}"
    );
    lab.run(&["credential-process", "dev"]).good();
    assert_eq!(lab.double.count("AssumeRole"), 2);
    assert!(!lab.records("identity.lock").is_empty());
}

#[test]
fn the_agent_is_started_once_and_stopped_once() {
    let lab = lab(DEV);
    assert_eq!(
        lab.run(&["agent", "stop"]).good().stdout,
        "no agent is running\n"
    );
    assert_eq!(
        lab.run(&["lock"]).good().stdout,
        "no agent is running: nothing is unlocked\n"
    );
    assert!(!lab.socket().exists(), "no agent was started for it");
    let started = lab.run(&["agent", "start"]).good().stdout;
    assert_eq!(lab.run(&["agent", "start"]).good().stdout, started);
    let pid = lab.status()["pid"].to_string();
    assert_eq!(started, format!("the agent is running (pid {pid})\n"));
    assert_eq!(
        lab.run(&["agent", "stop"]).good().stdout,
        format!("the agent has stopped (pid {pid})\n")
    );
    assert!(!lab.socket().exists(), "the socket is still there");
    let state = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    assert!(state.is_empty() || state.contains("State:\tZ"), "{state}");

    let mut foreground = lab.client(&["agent", "run"]).spawn().unwrap();
    while lab.run(&["agent", "stop"]).good().stdout == "no agent is running\n" {
        assert_eq!(
            foreground.try_wait().unwrap(),
            None,
            "it runs until it is stopped"
        );
    }
    assert!(foreground.wait().unwrap().success());
}

#[test]
fn the_manual_names_every_command_and_renders() {
    let lab = lab(DEV);
    let manual = lab.run(&["man"]).good().stdout;
    let plain = manual.replace("\\-", "-");
    for command in all_commands(&lab) {
        assert!(
            plain.contains(&format!("jumpgate {}", command.join(" "))),
            "{command:?}"
        );
    }
    let groff = Path::new("/usr/bin/groff");
    if !groff.exists() {
        return skip("the manual page by groff", "groff is not installed");
    }
    let page = finish(lab.program(groff, &["-man", "-Tutf8", "-ww"]), &manual).good();
    assert_eq!(page.stderr, "");
    assert!(page.stdout.contains("credential-process"));
}

#[test]
fn completions_complete() {
    let lab = lab(DEV);
    for shell in ["bash", "zsh", "fish"] {
        assert!(
            lab.run(&["completions", shell])
                .good()
                .stdout
                .contains("credential-process"),
            "{shell}"
        );
    }
    let complete = |words: &str, at: usize| -> Ran {
        let script = format!(
            "source <(jumpgate completions bash) && COMP_WORDS=({words}) COMP_CWORD={at} && _jumpgate && echo \"${{COMPREPLY[@]}}\""
        );
        finish(lab.program(Path::new("/bin/bash"), &["-c", &script]), "").good()
    };
    assert_eq!(complete("jumpgate jour", 1).stdout, "journal\n");
    assert_eq!(complete("jumpgate journal v", 2).stdout, "verify\n");
    assert_eq!(
        complete("jumpgate credential-process dev --dur", 3).stdout,
        "--duration\n"
    );
}
