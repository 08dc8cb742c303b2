//! A broken configuration: everything that is wrong is said at once, and nothing is started or replaced by it.

use jumpgate_tests::Lab;
use jumpgate_tests::lab::DEV;

use crate::built::{lab, ready};
use crate::surroundings::{Following, refused};

/// One of everything, each with the line that must be said of it.
const BROKEN: &str = r#"
[profile.base]
account = "target"
role = "Base"
via = "loop"

[profile.loop]
account = "target"
role = "Loop"
via = "base"

[profile.keys]
acount = "target"
role = "Keys"
colour = "blue"
duration = 3600
identity = "jmup"

[profile.files]
account = "target"
role = "Files"
policy = "broken.json"

[profile.twice]
account = "target"
role = "Twice"
policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Effect":"Deny","Action":"*","Resource":"*"}]}'

[profile.tags]
account = "target"
role = "Tags"
tags = { @TAGS@ }

[profile.case]
account = "target"
role = "Case"
tags = { Team = "a", team = "b" }

[profile.arns]
account = "target"
role = "Arns"
policy_arns = [@ARNS@]
"#;

fn broken(lab: &Lab) {
    let tags: Vec<String> = (1..=51).map(|n| format!("Tag{n} = \"x\"")).collect();
    let arns: Vec<String> = (1..=11)
        .map(|n| format!("\"arn:aws:iam::aws:policy/P{n}\""))
        .collect();
    let text = BROKEN
        .replace("@TAGS@", &tags.join(", "))
        .replace("@ARNS@", &arns.join(", "));
    lab.configure_profiles(&text);
    let policy = lab.path(".config/jumpgate/broken.json");
    std::fs::write(policy, "{\n  \"Version\": \"2012-10-17\",\n  oops\n}\n").unwrap();
}

/// Where it is in the file (`FILE:LINE:COLUMN: KEY:`), and what is said of it.
const SAID: [(&str, &str); 12] = [
    (
        "config.toml:22:7: profile.base.via:",
        "base -> loop -> base",
    ),
    ("config.toml:29:10: profile.keys:", "account is missing"),
    (
        "config.toml:30:1: profile.keys.acount:",
        "did you mean \"account\"?",
    ),
    (
        "config.toml:32:1: profile.keys.colour:",
        "is no key of [profile.keys]",
    ),
    (
        "config.toml:33:12: profile.keys.duration:",
        "expected a duration in quotes",
    ),
    (
        "config.toml:34:12: profile.keys.identity:",
        "did you mean \"jump\"?",
    ),
    ("broken.json:3:3: profile.files.policy:", "named at "),
    (
        "config.toml:44:10: profile.twice.policy:",
        "key \"Effect\" is there already at line 1, column 39",
    ),
    (
        "config.toml:49:651: profile.tags.tags.Tag51:",
        "51 session tags (expected at most 50)",
    ),
    (
        "config.toml:54:22: profile.case.tags.team:",
        "repeats \"Team\"",
    ),
    (
        "config.toml:59:317: profile.arns.policy_arns[10]:",
        "11 of them (expected at most 10)",
    ),
    ("  hint: correct the file", "jumpgate check"),
];

/// One line for each mistake, in the order of the file, and no other line.
#[track_caller]
fn says_everything(text: &str) {
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), SAID.len(), "{text}");
    for (line, (place, what)) in lines.iter().zip(SAID) {
        assert!(line.contains(place), "{line:?} lacks {place:?}");
        assert!(line.contains(what), "{line:?} lacks {what:?}");
    }
}

#[test]
fn check_says_everything_at_once() {
    let lab = lab(DEV);
    broken(&lab);
    let ran = lab.run(&["check"]);
    assert_eq!((ran.code(), ran.stdout.as_str()), (64, ""));
    says_everything(&ran.stderr);
}

#[test]
fn a_start_that_fails_says_the_same_and_leaves_nothing_behind() {
    let lab = lab(DEV);
    broken(&lab);
    let ran = lab.run(&["agent", "start"]);
    assert_eq!((ran.code(), ran.stdout.as_str()), (64, ""));
    says_everything(&ran.stderr);

    // What the SDKs see is shorter: what comes first, and what to do.
    let ran = lab.run(&["credential-process", "dev"]);
    assert_eq!((ran.code(), ran.stdout.as_str()), (64, ""));
    assert!(ran.stderr.len() < 1024, "{}", ran.stderr);
    assert!(ran.stderr.starts_with("jumpgate: "), "{}", ran.stderr);
    assert!(ran.stderr.contains("config.toml:22:7"), "{}", ran.stderr);
    assert!(ran.stderr.ends_with("jumpgate check\n"), "{}", ran.stderr);

    assert!(!lab.socket().exists(), "a socket");
    assert!(!lab.path(".local").exists(), "a journal or an identity");
    let agent = lab.programs.agent.canonicalize().unwrap();
    let runs = std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .any(|process| {
            std::fs::read_link(process.path().join("exe")).is_ok_and(|exe| exe == agent)
        });
    assert!(!runs, "a process");
    assert_eq!(lab.double.events(), []);
}

#[test]
fn a_missing_file_says_how_to_begin() {
    let lab = lab(DEV);
    std::fs::remove_file(lab.path(".config/jumpgate/config.toml")).unwrap();
    for command in ["check", "agent start", "credential-process dev"] {
        let arguments: Vec<&str> = command.split(' ').collect();
        let ran = lab.run(&arguments);
        assert_eq!((ran.code(), ran.stdout.as_str()), (64, ""), "{command}");
        for part in [
            "there is no configuration here",
            "[identity.jump]",
            "[profile.dev]",
            "role_arn",
        ] {
            assert!(ran.stderr.contains(part), "{part} in {}", ran.stderr);
        }
    }
}

#[test]
fn a_long_policy_is_a_warning_only() {
    let resources: Vec<String> = (0..100)
        .map(|n| format!("\"arn:aws:s3:::bucket-{n:09}\""))
        .collect();
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"s3:GetObject","Resource":[{}]}}]}}"#,
        resources.join(",")
    );
    assert!(policy.len() > 2_048);
    let lab = lab(&format!(
        "{DEV}\n[profile.long]\naccount = \"target\"\nrole = \"Developer\"\npolicy = '{policy}'\n"
    ));
    let ran = lab.run(&["check"]).good();
    assert!(ran.stdout.contains("warning: "), "{}", ran.stdout);
    assert!(ran.stdout.contains("profile.long.policy"), "{}", ran.stdout);
    assert!(ran.stdout.contains("2048"), "{}", ran.stdout);
    lab.run(&["agent", "start"]).good();
    assert!(lab.run(&["reload"]).good().stdout.contains("warning: "));
}

#[test]
fn a_broken_file_leaves_the_old_one_in_force_and_a_good_one_replaces_it() {
    let lab = ready();
    lab.run(&["credential-process", "dev"]).good();
    broken(&lab);
    let ran = lab.run(&["reload"]);
    assert_eq!((ran.code(), ran.stdout.as_str()), (64, ""));
    assert!(
        ran.stderr.contains("the old one stays in force"),
        "{}",
        ran.stderr
    );
    assert_eq!(ran.stderr.lines().count(), SAID.len() + 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("config.toml:59:317"), "{}", ran.stderr);
    assert!(
        ran.stderr
            .lines()
            .last()
            .unwrap()
            .contains("jumpgate reload"),
        "{}",
        ran.stderr
    );

    assert!(
        lab.status()["config_error"]
            .as_str()
            .unwrap()
            .contains("config.toml:22:7")
    );
    lab.run(&["credential-process", "dev"]).good();
    let records = lab.records("config.reload");
    let [record] = records.as_slice() else {
        panic!("{records:?}")
    };
    assert_eq!(record["status"], "Failure");
    assert!(
        record["status_detail"]
            .as_str()
            .unwrap()
            .contains("config.toml:22:7")
    );

    lab.configure_profiles(&DEV.replace("[profile.dev]", "[profile.new]"));
    lab.run(&["reload"]).good();
    assert!(lab.status()["config_error"].is_null());
    lab.run(&["credential-process", "new"]).good();
    refused(&lab.run(&["credential-process", "dev"]), 64, "dev", "");
    assert_eq!(lab.records("config.reload")[1]["status"], "Success");
}

#[test]
fn sighup_does_what_reload_does() {
    let lab = ready();
    let mut journal = Following::of(&lab);
    let pid = rustix::process::Pid::from_raw(i32::try_from(lab.agent_pid()).unwrap()).unwrap();
    let hang_up = || rustix::process::kill_process(pid, rustix::process::Signal::HUP).unwrap();

    broken(&lab);
    hang_up();
    assert_eq!(journal.next("config.reload")["status"], "Failure");
    assert!(lab.status()["config_error"].is_string());
    lab.configure_profiles(DEV);
    hang_up();
    assert_eq!(journal.next("config.reload")["status"], "Success");
    assert!(lab.status()["config_error"].is_null());
}
