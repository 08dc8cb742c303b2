//! `exec` and `export`: the session in a command's environment, and as code for shells.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;

use jumpgate_tests::lab::finish;
use jumpgate_tests::skip::skip;

use crate::built::ready;
use crate::surroundings::refused;

#[test]
fn exec_gives_the_command_our_session_and_no_other() {
    let lab = ready();
    let mut client = lab.client(&["exec", "dev", "--via", "env", "--", "/usr/bin/env"]);
    client.envs([("AWS_PROFILE", "other"), ("AWS_ACCESS_KEY_ID", "AKIAOTHER")]);
    client
        .env("AWS_WEB_IDENTITY_TOKEN_FILE", "/other")
        .env("KEPT", "as it was");
    let ran = finish(client, "").good();
    let document = lab.run(&["credential-process", "dev"]).good().json();
    let has = |line: &str| ran.stdout.lines().any(|found| found == line);
    for (name, key) in [
        ("AWS_ACCESS_KEY_ID", "AccessKeyId"),
        ("AWS_SECRET_ACCESS_KEY", "SecretAccessKey"),
        ("AWS_SESSION_TOKEN", "SessionToken"),
        ("AWS_CREDENTIAL_EXPIRATION", "Expiration"),
    ] {
        assert!(
            has(&format!("{name}={}", document[key].as_str().unwrap())),
            "{name}"
        );
    }
    assert!(has("AWS_REGION=eu-central-1") && has("AWS_DEFAULT_REGION=eu-central-1"));
    assert!(has("KEPT=as it was"));
    for gone in [
        "AWS_PROFILE",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AKIAOTHER",
        "JUMPGATE_AGENT",
    ] {
        assert!(!ran.stdout.contains(gone), "{gone}");
    }
    assert_eq!(
        lab.records("lease.issue")[0]["unmapped"]["jumpgate"]["interface"],
        "export"
    );
}

/// What a `credential_process` that calls `exec` with an AWS program would do.
#[test]
fn p9_exec_that_calls_itself_comes_to_an_end() {
    let lab = ready();
    let script =
        "#!/bin/sh\necho >>\"$HOME/runs\"\nexec jumpgate exec dev -- \"$HOME/bin/again\"\n";
    std::fs::write(lab.path("bin/again"), script).unwrap();
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(lab.path("bin/again"), executable).unwrap();
    let again = lab.path("bin/again");
    let ran = lab.run(&["exec", "dev", "--", again.to_str().unwrap()]);
    refused(
        &ran,
        64,
        "exec was called by its own command",
        "credential-process",
    );
    let runs = std::fs::read_to_string(lab.path("runs")).unwrap();
    assert_eq!(runs.lines().count(), 8);
}

#[test]
fn exec_ends_as_its_command_does() {
    let lab = ready();
    let exec = |command: &[&str]| lab.run(&[&["exec", "dev", "--"], command].concat());
    assert_eq!(exec(&["/bin/sh", "-c", "exit 3"]).code(), 3);
    assert_eq!(
        exec(&["/bin/sh", "-c", "kill -TERM $$"]).status.signal(),
        Some(15)
    );
    assert_eq!(
        exec(&["/bin/sh", "-c", "kill -KILL $$"]).status.signal(),
        Some(9)
    );
    let missing = exec(&["no-such-command"]);
    assert_eq!((missing.code(), missing.stdout.as_str()), (127, ""));
    assert!(
        missing
            .stderr
            .contains("no-such-command: command not found")
    );
    std::fs::write(lab.path("plain"), "no program").unwrap();
    assert_eq!(exec(&[lab.path("plain").to_str().unwrap()]).code(), 126);
    let fed = lab.run_with_input(&["exec", "dev", "--", "/bin/cat", "-"], "through\n");
    assert_eq!(fed.good().stdout, "through\n");
    // What is refused starts nothing.
    let refused = lab.run(&["exec", "nobody", "--", "/usr/bin/touch", "started"]);
    assert_eq!(refused.code(), 64);
    assert!(!lab.path("started").exists());
}

#[test]
fn exec_has_the_session_before_its_command_starts_or_starts_none() {
    let lab = ready();
    for via in ["container", "imds"] {
        let exec =
            |command: &[&str]| lab.run(&[&["exec", "dev", "--via", via, "--"], command].concat());
        exec(&["/bin/true"]).good();
        assert_eq!(lab.double.count("AssumeRole"), 1, "{via}");
        lab.run(&["lock"]).good();
        let refused = exec(&["/usr/bin/touch", "started"]);
        assert_eq!(refused.code(), 77, "{}", refused.stderr);
        assert!(
            refused.stderr.contains("jumpgate unlock"),
            "{}",
            refused.stderr
        );
        assert!(!lab.path("started").exists());
        lab.run(&["unlock"]).good();
        lab.double.clear_events();
    }
    assert_eq!(lab.status()["endpoints"], serde_json::json!([]));
}

#[test]
fn export_is_code_that_its_shell_takes() {
    let lab = ready();
    let document = lab.run(&["credential-process", "dev"]).good();
    let json = document.json();
    assert_eq!(
        lab.run(&["export", "dev", "--format", "json"])
            .good()
            .stdout,
        document.stdout
    );
    let names = "AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_REGION";
    let text = |key: &str| json[key].as_str().unwrap().to_owned();
    let values = [
        text("AccessKeyId"),
        text("SecretAccessKey"),
        text("SessionToken"),
        "eu-central-1".to_owned(),
    ];
    let expected = values.join("\n") + "\n";
    // A child of the shell must see them: they have to be exported.
    for (program, script) in [
        (
            "sh",
            format!("eval \"$(jumpgate export dev)\"; printenv {names}"),
        ),
        (
            "bash",
            format!("eval \"$(jumpgate export dev --format env)\"; printenv {names}"),
        ),
        (
            "fish",
            format!("jumpgate export dev --format fish | source; printenv {names}"),
        ),
        (
            "pwsh",
            format!(
                "jumpgate export dev --format powershell | Out-String | Invoke-Expression; printenv {names}"
            ),
        ),
    ] {
        match on_path(program) {
            Some(path) => {
                let flag = if program == "pwsh" { "-Command" } else { "-c" };
                let ran = finish(lab.program(&path, &[flag, &script]), "").good();
                assert_eq!(ran.stdout, expected, "{program}");
            }
            None => skip(&format!("export for {program}"), "it is not installed"),
        }
    }
}

fn on_path(program: &str) -> Option<std::path::PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|directory| directory.join(program))
        .find(|file| {
            file.metadata()
                .is_ok_and(|file| file.permissions().mode() & 0o111 != 0)
        })
}
