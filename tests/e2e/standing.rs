//! Endpoints that stand by configuration, of the real agent: the same address and token after a restart, reloads, ports
//! that somebody else has, IMDSv1.

use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use jumpgate_tests::Lab;
use jumpgate_tests::lab::DEV;
use serde_json::{Value, json};

use crate::built::lab;
use crate::clients::venv;
use crate::endpoints::{TOKEN, ask, authorized, imds_document, imds_token, open, with_token};
use crate::surroundings::{as_root, has, next_line, piped, refused};

/// A port that is free and that Linux gives to no connection by itself.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let begin = std::process::id() * 16;
    loop {
        let step = u32::from(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = 10_000 + u16::try_from((begin + step) % 20_000).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

fn section(name: &str, profile: &str, kind: &str, port: u16) -> String {
    format!("\n[serve.{name}]\nprofile = \"{profile}\"\nkind = \"{kind}\"\nport = {port}\n")
}

/// A second profile.
const OTHER: &str = r#"
[profile.other]
account = "target"
role = "Developer"
duration = "30m"
"#;

/// An agent with the profiles `dev` and `other` and these sections; everything is unlocked.
fn serving(sections: &str) -> Lab {
    let lab = lab(&format!("{DEV}{OTHER}{sections}"));
    lab.start_agent();
    lab.add_identity();
    lab.run(&["credential-process", "dev"]).good();
    lab.run(&["credential-process", "other"]).good();
    lab
}

/// Ends the agent, in good order or not, and starts another one.
fn restart(lab: &Lab, kill: bool) {
    if kill {
        lab.kill_agent();
    } else {
        lab.run(&["agent", "stop"]).good();
        lab.wait_for_agent();
    }
    lab.start_agent();
    lab.run(&["credential-process", "dev"]).good();
}

/// What `status` says of a section.
fn section_of(lab: &Lab, name: &str) -> Value {
    let status = lab.status();
    let all = status["endpoints"].as_array().unwrap().iter();
    let mut found = all.filter(|endpoint| endpoint["serve"] == name);
    found.next().cloned().unwrap_or_default()
}

fn file_of(endpoint: &Value) -> PathBuf {
    PathBuf::from(endpoint["token_file"].as_str().unwrap())
}

#[test]
fn a_restart_keeps_the_address_and_the_token() {
    let (port, imds) = (free_port(), free_port());
    let sections =
        section("build", "dev", "container", port) + &section("meta", "dev", "imds", imds);
    let lab = serving(&sections);
    let (first, meta) = (open(&lab, "dev", "container"), open(&lab, "dev", "imds"));
    assert_eq!(first["url"], format!("http://127.0.0.1:{port}/v1/build"));
    assert_eq!(meta["url"], format!("http://127.0.0.1:{imds}"));
    assert_eq!(authorized(&first).0, 200);
    for kill in [false, true] {
        let before = imds_token(&meta);
        assert_eq!(imds_document(&meta, &before).0, 200);
        restart(&lab, kill);
        let file = file_of(&first);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), first["token"]);
        assert_eq!(
            file.metadata().unwrap().permissions().mode() & 0o7777,
            0o600
        );
        assert_eq!(
            authorized(&first).0,
            200,
            "who was started before it goes on"
        );
        // The SDK for Rust would ask for no other token within the six hours of the one that it has.
        assert_eq!(imds_document(&meta, &before).0, 200);
        assert_eq!(imds_document(&meta, &imds_token(&meta)).0, 200);
        let again = open(&lab, "dev", "container");
        for key in ["url", "token", "token_file"] {
            assert_eq!(again[key], first[key], "{key}");
        }
        assert_ne!(again["lease"], first["lease"], "a lease is of one agent");
    }
    lab.run(&["agent", "stop"]).good();
    lab.wait_for_agent();
    assert_eq!(authorized(&first).0, 0, "nobody listens");
    assert!(file_of(&first).exists(), "its client is still there");
}

/// Over IMDS, no SDK asks again within its session's time, so there is nothing to see there.
#[test]
fn boto3_goes_on_through_a_restart() {
    let Some(venv) = venv("boto3 through a restart") else {
        return;
    };
    // Sessions so short that boto3 asks before every call.
    let dev = DEV.replace("source_identity", "duration = \"15m\"\nsource_identity");
    let section = section("build", "dev", "container", free_port());
    let lab = lab(&format!("{dev}{section}"));
    lab.start_agent();
    lab.add_identity();
    lab.run(&["credential-process", "dev"]).good();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/whoami");
    let line = format!(
        "eval \"$(jumpgate endpoint dev)\" && exec {} boto3 container --hold 3",
        script.display()
    );
    let mut command = lab.program(Path::new("/bin/sh"), &["-c", &line]);
    command
        .env("JUMPGATE_TEST_VENV", &venv)
        .env("AWS_ENDPOINT_URL", lab.double.url())
        .stdin(Stdio::piped());
    let (mut client, mut output) = piped(command);
    let mut input = client.stdin.take().unwrap();
    let mut call = || {
        input.write_all(b"\n").unwrap();
        let told: Value = serde_json::from_str(&next_line(&mut output)).unwrap();
        let arn = told["arn"].as_str().unwrap_or_default().to_owned();
        assert!(arn.contains(":assumed-role/Developer/"), "{told}");
        arn
    };
    let before = call();
    restart(&lab, false);
    let after = call();
    assert_ne!(before, after, "it has the session of the new agent");
    restart(&lab, true);
    assert_ne!(call(), after);
    drop(input);
    assert!(client.wait().unwrap().success());
}

#[test]
fn a_token_file_that_others_could_have_read_is_replaced() {
    let lab = serving(&section("build", "dev", "container", free_port()));
    let first = open(&lab, "dev", "container");
    let file = file_of(&first);
    for (mode, text) in [
        (0o644, first["token"].as_str().unwrap().to_owned()),
        (0o600, "no token\n".to_owned()),
    ] {
        std::fs::write(&file, text).unwrap();
        std::fs::set_permissions(&file, PermissionsExt::from_mode(mode)).unwrap();
        restart(&lab, true);
        let again = open(&lab, "dev", "container");
        assert_ne!(again["token"], first["token"]);
        assert_eq!(authorized(&again).0, 200);
        assert_eq!(authorized(&first).0, 403);
        assert_eq!(
            file.metadata().unwrap().permissions().mode() & 0o7777,
            0o600
        );
    }
}

/// A program of this uid that listens on the port, until it is killed.
struct Squatter(Child);

impl Squatter {
    fn new(port: u16, uid: u32) -> Self {
        let script = "import socket, sys, time\n\
                      s = socket.create_server(('127.0.0.1', int(sys.argv[1])))\n\
                      print('ready', flush=True)\n\
                      time.sleep(600)\n";
        let (uid, port) = (uid.to_string(), port.to_string());
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid", &uid, "--regid", &uid, "--clear-groups", "--"])
            .args(["python3", "-c", script, &port])
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .current_dir("/");
        let (child, mut output) = piped(command);
        assert_eq!(next_line(&mut output), "ready");
        Self(child)
    }
}

impl Drop for Squatter {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}

#[test]
fn a_port_of_another_user_is_refused_and_the_rest_goes_on() {
    let what = "a standing endpoint whose port another user has";
    if !as_root(what) || !has("setpriv", what) {
        return;
    }
    let (taken, free) = (free_port(), free_port());
    let squatter = Squatter::new(taken, 65_534);
    let lab = serving(
        &(section("build", "dev", "container", taken) + &section("other", "other", "imds", free)),
    );
    let said = format!("port {taken} of 127.0.0.1 is taken by another user (uid 65534)");
    let closed = section_of(&lab, "build");
    assert!(
        closed["failure"].as_str().unwrap().starts_with(&said),
        "{closed}"
    );
    assert_eq!(section_of(&lab, "other")["failure"], Value::Null);
    assert!(lab.run(&["status"]).good().stdout.contains(&said));
    let records = lab.records("endpoint.open");
    let (mut bad, mut good) = (0, 0);
    for record in &records {
        match record["status"].as_str() {
            Some("Success") => good += 1,
            _ => {
                bad += 1;
                assert!(record["status_detail"].as_str().unwrap().starts_with(&said));
            }
        }
    }
    assert_eq!((bad, good), (1, 1), "{records:?}");
    // Nothing else stands in for it: whoever was pointed at this address must learn of it.
    refused(&lab.run(&["endpoint", "dev"]), 75, &said, "jumpgate reload");
    let reloaded = lab.run(&["reload"]);
    assert!(
        reloaded.stderr.contains(&said) || reloaded.stdout.contains(&said),
        "{reloaded:?}"
    );
    drop(squatter);
    lab.run(&["reload"]).good();
    assert_eq!(section_of(&lab, "build")["failure"], Value::Null);
    assert_eq!(authorized(&open(&lab, "dev", "container")).0, 200);
}

#[test]
fn a_port_of_another_program_of_ours_is_told_apart() {
    let port = free_port();
    let squatter = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let lab = serving(&section("build", "dev", "container", port));
    let said = format!("port {port} of 127.0.0.1 is taken by another program of yours");
    let closed = section_of(&lab, "build");
    assert!(
        closed["failure"].as_str().unwrap().starts_with(&said),
        "{closed}"
    );
    refused(&lab.run(&["endpoint", "dev"]), 75, &said, "ss -ltnp");
    drop(squatter);
    let shown = lab.run(&["endpoint", "dev"]).good().stdout;
    assert!(
        shown.contains(&format!("http://127.0.0.1:{port}/v1/build")),
        "{shown}"
    );
    assert_eq!(section_of(&lab, "build")["failure"], Value::Null);
}

#[test]
fn a_reload_opens_closes_and_keeps() {
    let (one, two, three) = (free_port(), free_port(), free_port());
    let kept = section("kept", "dev", "container", two);
    let lab = serving(&(section("gone", "other", "container", one) + &kept));
    let (gone, stays) = (
        open(&lab, "other", "container"),
        open(&lab, "dev", "container"),
    );
    assert_eq!((authorized(&gone).0, authorized(&stays).0), (200, 200));
    let with = |sections: &str| lab.configure_profiles(&format!("{DEV}{OTHER}{sections}"));

    with(&format!(
        "{kept}{}",
        section("bad", "nobody", "container", three)
    ));
    assert_eq!(lab.run(&["reload"]).code(), 64);
    assert_eq!(authorized(&gone).0, 200, "a broken file changes nothing");

    with(&format!("{kept}{}", section("new", "other", "imds", three)));
    lab.run(&["reload"]).good();
    assert_eq!((authorized(&gone).0, authorized(&stays).0), (0, 200));
    assert!(!file_of(&gone).exists());
    assert_eq!(open(&lab, "dev", "container"), stays, "the same lease");
    let new = open(&lab, "other", "imds");
    assert_eq!(new["url"], format!("http://127.0.0.1:{three}"));

    // Another section at the same port, and another profile under the same name.
    with(&(section("moved", "other", "container", two) + &section("new", "dev", "imds", three)));
    lab.run(&["reload"]).good();
    let moved = open(&lab, "other", "container");
    assert_eq!(moved["url"], format!("http://127.0.0.1:{two}/v1/moved"));
    assert_eq!(authorized(&moved).0, 200);
    assert_eq!(with_token(&moved, stays["token"].as_str().unwrap()).0, 403);
    assert_eq!(section_of(&lab, "new")["profile"], "dev");
    assert_eq!(lab.records("lease.end").len(), 3, "gone, kept, new");

    with("");
    lab.run(&["reload"]).good();
    assert_eq!(lab.status()["endpoints"], json!([]));
    assert!(!file_of(&moved).parent().unwrap().exists());
}

#[test]
fn another_profile_under_the_same_name_has_another_token() {
    let port = free_port();
    let lab = serving(&section("build", "dev", "container", port));
    let dev = open(&lab, "dev", "container");
    let other = section("build", "other", "container", port);
    lab.configure_profiles(&format!("{DEV}{OTHER}{other}"));
    lab.run(&["reload"]).good();
    let other = open(&lab, "other", "container");
    assert_eq!(other["url"], dev["url"]);
    assert_ne!(other["token"], dev["token"]);
    assert_eq!((authorized(&dev).0, authorized(&other).0), (403, 200));
}

#[test]
fn a_lease_that_is_ended_takes_its_token_along() {
    let lab = serving(&section("build", "dev", "container", free_port()));
    let first = open(&lab, "dev", "container");
    lab.run(&["lease", "end", first["lease"].as_str().unwrap()])
        .good();
    assert_eq!(authorized(&first).0, 0);
    assert!(!file_of(&first).exists());
    let closed = section_of(&lab, "build");
    assert_eq!(closed["failure"], "it was closed: by its user");
    restart(&lab, false);
    let again = open(&lab, "dev", "container");
    assert_eq!(again["url"], first["url"]);
    assert_eq!((authorized(&first).0, authorized(&again).0), (403, 200));
}

/// The notes of hand-outs, with their counts.
fn notes(lab: &Lab, activity: &str) -> Vec<(Value, Value)> {
    let records = lab.records(activity);
    let of_imds = records
        .iter()
        .filter(|record| record["unmapped"]["jumpgate"]["interface"] == "imds");
    of_imds
        .map(|record| (record["status_detail"].clone(), record["count"].clone()))
        .collect()
}

#[test]
fn i20_imdsv1_only_where_the_configuration_says_so() {
    let (old, new) = (free_port(), free_port());
    let old = section("old", "dev", "imds", old) + "imds_v1 = true\n";
    let lab = serving(&(old + &section("new", "other", "imds", new)));
    let checked = lab.run(&["check"]).good();
    let warned = format!("{}{}", checked.stdout, checked.stderr);
    assert!(
        warned.contains("serve.old.imds_v1: without a token"),
        "{warned}"
    );
    let (old, new) = (open(&lab, "dev", "imds"), open(&lab, "other", "imds"));
    let path = "GET latest/meta-data/iam/security-credentials/Developer";
    let get = |endpoint: &Value, headers: &[(&str, &str)]| {
        ask(endpoint["url"].as_str().unwrap(), path, headers).0
    };
    for _ in 0..3 {
        assert_eq!(get(&old, &[]), 200);
        assert_eq!(get(&new, &[]), 401);
    }
    for wrong in ["", "wrong", &imds_token(&new)] {
        assert_eq!(
            get(&old, &[(TOKEN, wrong)]),
            401,
            "a wrong token is no missing one"
        );
    }
    assert_eq!(get(&old, &[("Origin", "http://evil.example")]), 403);
    for _ in 0..2 {
        assert_eq!(get(&old, &[(TOKEN, &imds_token(&old))]), 200);
    }
    // The session was issued to `credential-process`; here it is served, and the same again is counted.
    let mark = Value::from("IMDSv1, no token");
    let expected = [
        (mark.clone(), Value::Null),
        (Value::Null, Value::Null),
        (mark, 2.into()),
        (Value::Null, 1.into()),
    ];
    let mut found = notes(&lab, "lease.serve");
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for one in expected {
        let at = found.iter().position(|other| *other == one);
        found.remove(at.unwrap_or_else(|| panic!("{one:?} is not in {found:?}")));
    }
    let opened = lab.records("endpoint.open");
    let detail = |record: &Value| record["message"].as_str().unwrap().to_owned();
    let told: Vec<String> = opened.iter().map(detail).collect();
    assert!(
        told.iter().any(|text| text.ends_with(", IMDSv1 allowed")),
        "{told:?}"
    );
}
