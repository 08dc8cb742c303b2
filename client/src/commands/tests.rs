//! Commands against an agent that is played on a real socket: it says what was asked, byte for byte, and
//! gives the golden replies of the control API.

#![allow(clippy::unwrap_used)]

use std::collections::VecDeque;
use std::io::Read;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};

use jumpgate_api::{Code, Need, Problem, Secret};

use super::*;

macro_rules! golden {
    ($name:literal) => {
        include_str!(concat!("../../../proto/api/golden/", $name, ".json"))
    };
}

/// One answer of the played agent.
fn answer(status: u16, body: &str) -> String {
    let length = body.len();
    let version = concat!("jumpgate-agent-version: ", env!("CARGO_PKG_VERSION"));
    format!("HTTP/1.1 {status} Said\r\n{version}\r\ncontent-length: {length}\r\n\r\n{body}")
}

fn refusal(problem: &Problem) -> String {
    answer(
        problem.code.http_status(),
        &serde_json::to_string(problem).unwrap(),
    )
}

/// An agent that gives its answers one after the other and passes on what it was asked.
struct Played {
    home: tempfile::TempDir,
    asked: Receiver<String>,
}

impl Played {
    fn new(answers: Vec<String>) -> Self {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        let home = tempfile::Builder::new()
            .permissions(mode)
            .tempdir()
            .unwrap();
        let listener = UnixListener::bind(home.path().join("agent.sock")).unwrap();
        let (sender, asked) = channel();
        std::thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                sender.send(read_request(&mut stream)).unwrap();
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        Self { home, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.iter().collect()
    }
}

/// A whole request: its head, and as much as its length says.
fn read_request(stream: &mut impl Read) -> String {
    let mut text = String::new();
    let mut byte = [0];
    let mut missing = None;
    while missing != Some(0) {
        stream.read_exact(&mut byte).unwrap();
        text.push(char::from(byte[0]));
        if let Some(missing) = &mut missing {
            *missing -= 1;
        } else if text.ends_with("\r\n\r\n") {
            let length = text
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            missing = Some(length.map_or(0, |length| length.parse::<usize>().unwrap()));
        }
    }
    text
}

fn request(line: &str, body: &str) -> String {
    let head = format!("{line} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n");
    match body {
        "" => format!("{head}\r\n"),
        body => {
            let length = body.len();
            format!(
                "{head}content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
            )
        }
    }
}

/// A person who gives these answers.
#[derive(Default)]
struct Script {
    present: bool,
    answers: VecDeque<&'static str>,
    heard: Vec<String>,
}

impl Script {
    fn new(present: bool, answers: &[&'static str]) -> Self {
        Self {
            present,
            answers: answers.iter().copied().collect(),
            heard: Vec::new(),
        }
    }
}

impl Person for Script {
    fn is_present(&self) -> bool {
        self.present
    }

    fn line(&mut self, question: &str) -> Result<Option<Secret<String>>, Failure> {
        self.heard.push(question.to_owned());
        Ok(self.answers.pop_front().map(Secret::from))
    }

    fn secret(&mut self, question: &str) -> Result<Option<Secret<String>>, Failure> {
        self.line(&format!("(hidden) {question}"))
    }

    fn tell(&mut self, text: &str) {
        self.heard.push(text.to_owned());
    }
}

fn at(home: &Path) -> Environment {
    Environment {
        socket: Some(home.join("agent.sock")),
        ..Environment::default()
    }
}

/// One minute to midnight before the golden session of one hour begins.
fn now() -> Timestamp {
    "2026-11-22T00:08:00Z".parse().unwrap()
}

/// What a command writes, and how it ends.
fn run_line(environment: &Environment, person: &mut Script, line: &[&str]) -> (String, Outcome) {
    run_with_sdk(environment, &SdkEnvironment::default(), person, line)
}

fn run_with_sdk(
    environment: &Environment,
    sdk: &SdkEnvironment,
    person: &mut Script,
    line: &[&str],
) -> (String, Outcome) {
    let mut out = Vec::new();
    let agent = Agent {
        environment,
        audience: Audience::Person,
    };
    let mut context = Context {
        agent,
        out: &mut out,
        person,
        now: now(),
        sdk,
    };
    let arguments = std::iter::once(&"jumpgate")
        .chain(line)
        .map(OsString::from)
        .collect();
    let outcome = run_in(&mut context, arguments);
    (String::from_utf8(out).unwrap(), outcome)
}

fn with_agent(
    answers: Vec<String>,
    person: &mut Script,
    line: &[&str],
) -> (String, Outcome, Vec<String>) {
    let played = Played::new(answers);
    let (text, outcome) = run_line(&at(played.home.path()), person, line);
    (text, outcome, played.asked())
}

/// A command of one request that needs nobody.
fn simple(line: &[&str], reply: &str) -> (String, Vec<String>) {
    let (text, outcome, asked) = with_agent(vec![answer(200, reply)], &mut Script::default(), line);
    assert_eq!(outcome, Ok(Exit(0)), "{line:?}");
    (text, asked)
}

#[test]
fn credential_process_asks_once_and_prints_the_document() {
    let (text, asked) = simple(
        &["credential-process", "dev", "--ticket=OPS-1"],
        golden!("credentials_reply"),
    );
    assert_eq!(
        asked,
        [request(
            "POST /v1/credentials",
            r#"{"profile":"dev","interface":"process","narrow":{"ticket":"OPS-1"}}"#
        )]
    );
    assert!(text.starts_with(r#"{"Version":1,"AccessKeyId":"ASIAEXAMPLE","#));
    assert_eq!(text.lines().count(), 1);
}

#[test]
fn what_a_caller_takes_away_is_sent() {
    let home = tempfile::tempdir().unwrap();
    let policy = home.path().join("policy.json");
    std::fs::write(&policy, r#"{"Version":"2012-10-17","Statement":[]}"#).unwrap();
    let line = [
        "export",
        "dev",
        "--format",
        "json",
        "--policy",
        policy.to_str().unwrap(),
        "--tag",
        "Ticket=OPS-1",
        "--duration",
        "15m",
        "--reason",
        "look at the queue",
        "--ticket",
        "OPS-1",
    ];
    let (_, asked) = simple(&line, golden!("credentials_reply"));
    let golden: serde_json::Value = serde_json::from_str(golden!("credentials_request")).unwrap();
    let (_, body) = asked[0].split_once("\r\n\r\n").unwrap();
    let mut body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["interface"].take(), "export");
    body["interface"] = "process".into();
    assert_eq!(body, golden);
}

#[test]
fn export_prints_code_for_the_shell() {
    let cases = [
        ("env", "export AWS_REGION='ap-northeast-1'\n"),
        ("fish", "set -gx AWS_REGION 'ap-northeast-1';\n"),
        ("powershell", "$Env:AWS_REGION = 'ap-northeast-1'\n"),
    ];
    for (format, line) in cases {
        let (text, _) = simple(
            &["export", "dev", "--format", format],
            golden!("credentials_reply"),
        );
        assert!(text.contains(line), "{text}");
        assert_eq!(text.lines().count(), 6);
    }
}

#[test]
fn listings_are_tables_or_the_agents_json() {
    let cases = [
        (
            &["status"][..],
            "GET /v1/status",
            golden!("status"),
            "agent          version 0.1.0, pid 4242",
        ),
        (
            &["profile", "list"],
            "GET /v1/profiles",
            golden!("profile_list"),
            "NAME  IDENTITY  VIA",
        ),
        (
            &["profile", "show", "a/b"],
            "GET /v1/profiles/a%2Fb",
            golden!("profile_detail"),
            "profile ",
        ),
        (
            &["identity", "list"],
            "GET /v1/identities",
            golden!("identity_list"),
            "NAME  KIND",
        ),
        (
            &["leases"],
            "GET /v1/leases",
            golden!("lease_list"),
            "LEASE ",
        ),
    ];
    for (line, path, golden, start) in cases {
        let (text, asked) = simple(line, golden);
        assert_eq!(asked, [request(path, "")]);
        assert!(text.starts_with(start), "{text}");
        let json: Vec<&str> = line.iter().copied().chain(["--json"]).collect();
        let (text, _) = simple(&json, golden);
        let [printed, expected] =
            [&text, golden].map(|text| serde_json::from_str::<serde_json::Value>(text).unwrap());
        assert_eq!(printed, expected);
        assert!(text.ends_with("}\n"));
    }
}

#[test]
fn commands_of_one_request_say_what_was_done() {
    let cases = [
        (
            &["lock"][..],
            "POST /v1/lock",
            golden!("lock_reply"),
            "locked: 1 identity and 3 sessions dropped\n",
        ),
        (
            &["lease", "end", "01X"],
            "DELETE /v1/leases/01X",
            golden!("lease_ended"),
            "01KAN0000000000000000000L1: ended; AWS accepts what was handed out until \
             2026-11-22T01:00:00Z (in 52 min)\n",
        ),
        (
            &["reload"],
            "POST /v1/reload",
            golden!("reload_reply"),
            "/home/alice/.config/jumpgate/config.toml: in force, 20 profiles and 1 identity\n",
        ),
        (
            &["identity", "remove", "jump"],
            "DELETE /v1/identities/jump",
            golden!("identity_removed"),
            "jump: removed\n",
        ),
        (
            &["identity", "check", "jump"],
            "POST /v1/identities/jump/check",
            golden!("identity_reply"),
            "jump: is arn:aws:iam::111111111111:user/alice, in the keyring\n",
        ),
        (
            &["agent", "stop"],
            "POST /v1/stop",
            golden!("stop_reply"),
            "the agent has stopped (pid 4242)\n",
        ),
        (
            &["agent", "start"],
            "GET /v1/status",
            golden!("status"),
            "the agent is running (pid 4242)\n",
        ),
    ];
    for (line, path, golden, expected) in cases {
        let (text, asked) = simple(line, golden);
        assert_eq!(text, expected);
        assert_eq!(asked, [request(path, "")]);
    }
}

#[test]
fn a_refusal_is_a_line_and_a_hint_with_the_status_of_its_code() {
    for &code in Code::ALL {
        let problem = Problem::new(code, "no \u{1b}[31m").with_hint("do this");
        let (text, outcome, _) = with_agent(
            vec![refusal(&problem)],
            &mut Script::default(),
            &["credential-process", "dev", "--ticket=x"],
        );
        let failure = outcome.unwrap_err();
        assert_eq!(text, "");
        assert_eq!(failure.exit(), Exit::from(code.exit_status()));
        assert_eq!(
            failure.to_string(),
            "jumpgate: no \\u{1b}[31m\n  hint: do this\n"
        );
    }
}

#[test]
fn a_broken_answer_leaves_nothing_on_stdout() {
    let cases = [
        ("", "the agent closed the connection without an answer"),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{",
            "the agent closed the connection",
        ),
        (
            "SSH-2.0-OpenSSH\r\n",
            "the agent's answer is not understood",
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}",
            "the agent's answer (status 200) is not what",
        ),
        (
            "HTTP/1.1 500 No\r\ncontent-length: 2\r\n\r\n{}",
            "the agent's answer (status 500) is not what",
        ),
        (
            "HTTP/1.1 100 Go\r\ncontent-length: 2\r\n\r\n{}",
            "the agent's answer (status 100) is not what",
        ),
    ];
    for (bytes, expected) in cases {
        // Where nothing was said, the next agent is asked; a broken answer is not asked for again.
        let answers = if bytes.is_empty() { 3 } else { 1 };
        let (text, outcome, _) = with_agent(
            vec![bytes.to_owned(); answers],
            &mut Script::default(),
            &["export", "dev"],
        );
        let failure = outcome.unwrap_err();
        assert_eq!((text.as_str(), failure.exit()), ("", Exit(69)));
        assert!(
            failure
                .to_string()
                .starts_with(&format!("jumpgate: {expected}")),
            "{failure}"
        );
    }
}

fn needs_both() -> String {
    let problem: Problem = serde_json::from_str(golden!("problem")).unwrap();
    refusal(&problem)
}

#[test]
fn unlock_asks_for_what_the_agent_needs() {
    for present in [true, false] {
        let mut person = Script::new(present, &["correct horse", "123456"]);
        let answers = vec![needs_both(), answer(200, golden!("unlock_reply"))];
        let (text, outcome, asked) = with_agent(answers, &mut person, &["unlock", "jump"]);
        assert_eq!(outcome, Ok(Exit(0)));
        assert_eq!(
            text,
            "jump: unlocked until 2026-11-22T12:00:00Z (in 11 h), no further MFA code until \
             2026-11-22T08:00:00Z (in 7 h)\n"
        );
        let golden: serde_json::Value = serde_json::from_str(golden!("unlock_request")).unwrap();
        assert_eq!(
            asked[0],
            request("POST /v1/unlock", r#"{"identity":"jump"}"#)
        );
        let (_, body) = asked[1].split_once("\r\n\r\n").unwrap();
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(body).unwrap(),
            golden
        );
        let questions = [
            "(hidden) Passphrase of jump: ",
            "MFA code for arn:aws:iam::111111111111:mfa/alice: ",
        ];
        assert_eq!(person.heard, questions);
    }
}

fn needs_code() -> String {
    let mut problem = Problem::new(Code::InteractionRequired, "identity jump needs an MFA code");
    problem.needs = vec![Need::MfaCode {
        identity: "jump".to_owned(),
        serial: "mfa/alice".to_owned(),
    }];
    refusal(&problem)
}

fn wrong_code() -> String {
    let message = "MultiFactorAuthentication failed with invalid MFA one time pass code.";
    refusal(&Problem::new(Code::UpstreamDenied, message))
}

#[test]
fn a_person_may_try_a_code_three_times_and_a_program_once() {
    let mut person = Script::new(true, &["111111", "222222", "333333"]);
    let answers = vec![
        needs_code(),
        wrong_code(),
        wrong_code(),
        answer(200, golden!("unlock_reply")),
    ];
    let (_, outcome, asked) = with_agent(answers, &mut person, &["unlock"]);
    assert_eq!((outcome, asked.len()), (Ok(Exit(0)), 4));
    assert!(asked[3].ends_with(r#"{"mfa_code":"333333"}"#));

    let mut person = Script::new(true, &["111111", "222222", "333333", "444444"]);
    let answers = vec![needs_code(), wrong_code(), wrong_code(), wrong_code()];
    let (_, outcome, asked) = with_agent(answers, &mut person, &["unlock"]);
    assert_eq!((outcome.unwrap_err().exit(), asked.len()), (Exit(77), 4));

    let mut program = Script::new(false, &["111111", "222222"]);
    let (_, outcome, asked) =
        with_agent(vec![needs_code(), wrong_code()], &mut program, &["unlock"]);
    assert_eq!((outcome.unwrap_err().exit(), asked.len()), (Exit(77), 2));
}

#[test]
fn a_denial_that_no_code_would_change_is_not_asked_about_again() {
    let denied = refusal(&Problem::new(
        Code::UpstreamDenied,
        "not authorized to perform sts:GetSessionToken",
    ));
    let mut person = Script::new(true, &["111111", "222222"]);
    let (_, outcome, asked) = with_agent(vec![needs_code(), denied], &mut person, &["unlock"]);
    assert_eq!((outcome.unwrap_err().exit(), asked.len()), (Exit(77), 2));
}

#[test]
fn what_cannot_be_a_code_is_not_sent() {
    let mut person = Script::new(true, &["12345", "abcdef", "123456"]);
    let answers = vec![needs_code(), answer(200, golden!("unlock_reply"))];
    let (_, outcome, asked) = with_agent(answers, &mut person, &["unlock"]);
    assert_eq!(outcome, Ok(Exit(0)));
    assert!(asked[1].ends_with(r#"{"mfa_code":"123456"}"#));

    let mut program = Script::new(false, &["12345", "123456"]);
    let (_, outcome, _) = with_agent(vec![needs_code()], &mut program, &["unlock"]);
    assert_eq!(outcome.unwrap_err().exit(), Exit(64));
    let (_, outcome, _) = with_agent(
        vec![needs_code()],
        &mut Script::new(false, &[]),
        &["unlock"],
    );
    assert_eq!(outcome.unwrap_err().exit(), Exit(77));
}

#[test]
fn identity_add_reads_the_key_and_never_takes_it_from_an_argument() {
    let mut person = Script::new(false, &[" AKIAEXAMPLE ", "secret"]);
    let (text, outcome, asked) = with_agent(
        vec![answer(200, golden!("identity_reply"))],
        &mut person,
        &["identity", "add", "jump"],
    );
    assert_eq!(outcome, Ok(Exit(0)));
    assert_eq!(
        text,
        "jump: stored arn:aws:iam::111111111111:user/alice, in the keyring\n"
    );
    let body = r#"{"access_key_id":"AKIAEXAMPLE","secret_access_key":"secret"}"#;
    assert_eq!(asked, [request("PUT /v1/identities/jump", body)]);
    assert_eq!(person.heard[1], "(hidden) Secret access key of jump: ");

    let home = tempfile::tempdir().unwrap();
    let line = ["identity", "add", "jump", "AKIAEXAMPLE"];
    let (_, outcome) = run_line(&at(home.path()), &mut Script::default(), &line);
    assert_eq!(outcome.unwrap_err().exit(), Exit(64));
    let (_, outcome) = run_line(
        &at(home.path()),
        &mut Script::new(false, &["AKIA"]),
        &line[..3],
    );
    assert_eq!(outcome.unwrap_err().exit(), Exit(64));
}

#[test]
fn a_rotation_asks_for_what_the_agent_lacks_and_names_both_keys() {
    let mut locked = Problem::new(Code::InteractionRequired, "identity jump is locked");
    locked.needs = vec![Need::MfaCode {
        identity: "jump".to_owned(),
        serial: "arn:aws:iam::111111111111:mfa/alice".to_owned(),
    }];
    let mut person = Script::new(false, &["123456"]);
    let (text, outcome, asked) = with_agent(
        vec![refusal(&locked), answer(200, golden!("rotate_reply"))],
        &mut person,
        &["identity", "rotate", "jump", "--grace", "2h"],
    );
    assert_eq!(outcome, Ok(Exit(0)));
    assert!(
        text.starts_with(
            "jump: AKIAEXAMPLENEXT is current\n\
             jump: AKIAEXAMPLE is inactive; --abort takes it back, --resume deletes it after 2026-11-23T00:00:00Z ("
        ),
        "{text}"
    );
    let body = |code: &str| format!(r#"{{"aim":"begin","grace_seconds":7200{code}}}"#);
    let path = "POST /v1/identities/jump/rotate";
    let expected = [
        request(path, &body("")),
        request(path, &body(r#","mfa_code":"123456""#)),
    ];
    assert_eq!(asked, expected);
}

#[test]
fn the_ways_out_of_a_rotation_exclude_one_another() {
    let home = tempfile::tempdir().unwrap();
    for more in [
        &["--resume", "--abort"][..],
        &["--abort", "--grace", "1h"],
        &["--grace", "31d"],
    ] {
        let line = [&["identity", "rotate", "jump"], more].concat();
        let (_, outcome) = run_line(&at(home.path()), &mut Script::default(), &line);
        assert_eq!(outcome.unwrap_err().exit(), Exit(64), "{more:?}");
    }
}

/// The seed of the RFCs' examples.
const SEED: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

#[test]
fn a_sealed_identity_takes_a_passphrase_that_a_person_types_twice() {
    let mut sealed = Problem::new(
        Code::InteractionRequired,
        "identity jump needs a passphrase",
    );
    sealed.needs = vec![Need::Passphrase {
        identity: "jump".to_owned(),
    }];
    let mut coded = sealed.clone();
    coded.needs = vec![Need::TotpSeed {
        identity: "jump".to_owned(),
    }];
    let answers = || {
        let stored = answer(200, golden!("identity_reply"));
        vec![refusal(&coded), refusal(&sealed), stored]
    };
    let line = ["identity", "add", "jump"];
    let passphrase = "correct horse";
    let given = ["AKIAEXAMPLE", "secret", SEED, passphrase, passphrase];
    for (present, typed) in [(false, &given[..4]), (true, &given)] {
        let (_, outcome, asked) = with_agent(answers(), &mut Script::new(present, typed), &line);
        assert_eq!(outcome, Ok(Exit(0)));
        let golden: serde_json::Value =
            serde_json::from_str(golden!("identity_add_request")).unwrap();
        let (_, body) = asked[2].split_once("\r\n\r\n").unwrap();
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(body).unwrap(),
            golden
        );
    }
    let mut short = Script::new(false, &given[..2]);
    let (_, outcome, _) = with_agent(vec![refusal(&coded)], &mut short, &line);
    assert_eq!(outcome.unwrap_err().exit(), Exit(77), "the seed is missing");
    for (typed, exit) in [
        (&["A", "s", "one", "two"][..], 64),
        (&["A", "s", "", ""], 77),
        (&["A", "s"], 77),
    ] {
        let answers = vec![refusal(&sealed)];
        let (_, outcome, _) = with_agent(answers, &mut Script::new(true, typed), &line);
        assert_eq!(outcome.unwrap_err().exit(), Exit(exit), "{typed:?}");
    }
}

#[test]
fn the_journal_is_shown_as_it_arrives() {
    let record = r#"{"time_dt":"2026-11-22T00:00:00.123Z","activity_name":"agent.start","status":"Success"}"#;
    let chunk = |text: &str| format!("{:x}\r\n{text}\r\n", text.len());
    let (first, second) = record.split_at(40);
    let chunked = format!(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{}{}{}0\r\n\r\n",
        chunk(first),
        chunk(&format!("{second}\n{record}\n")),
        chunk(record),
    );
    let line = "2026-11-22T00:00:00.123Z  agent.start      Success\n";
    let cases = [
        (&["journal"][..], "journal", line.repeat(3)),
        (&["journal", "show"], "journal", line.repeat(3)),
        (
            &["journal", "show", "--last", "3"],
            "journal?last=3",
            line.repeat(3),
        ),
        (
            &["journal", "tail"],
            "journal?last=10&follow=true",
            line.repeat(3),
        ),
        (
            &["journal", "--json"],
            "journal",
            format!("{record}\n{record}\n{record}"),
        ),
        (
            &["journal", "export"],
            "journal",
            format!("{record}\n{record}\n{record}"),
        ),
    ];
    for (arguments, path, expected) in cases {
        let (text, outcome, asked) =
            with_agent(vec![chunked.clone()], &mut Script::default(), arguments);
        assert_eq!(outcome, Ok(Exit(0)));
        assert_eq!(asked, [request(&format!("GET /v1/{path}"), "")]);
        assert_eq!(text, expected, "{arguments:?}");
    }
    let cut = chunked.trim_end_matches("0\r\n\r\n").to_owned();
    let (text, outcome, _) = with_agent(vec![cut], &mut Script::default(), &["journal"]);
    assert_eq!(
        (text, outcome.unwrap_err().exit()),
        (line.repeat(2), Exit(69))
    );
}

#[test]
fn a_line_that_never_ends_is_not_kept() {
    let endless = "x".repeat(10 * 16 * 1024);
    let (text, outcome, _) = with_agent(
        vec![answer(200, &endless)],
        &mut Script::default(),
        &["journal"],
    );
    assert_eq!(outcome, Ok(Exit(0)));
    assert!(text.starts_with("(a line that is no record"), "{text}");
}

#[test]
fn verify_fails_when_the_journal_is_damaged() {
    let (text, outcome, _) = with_agent(
        vec![answer(200, golden!("journal_report"))],
        &mut Script::default(),
        &["journal", "verify"],
    );
    assert_eq!(outcome, Ok(Exit(1)));
    assert_eq!(
        text,
        "/home/alice/.local/state/jumpgate/journal/audit-20261121-1.jsonl:17: the hash does not fit the record\n"
    );
    let (text, _) = simple(
        &["journal", "verify"],
        r#"{"files":["a","b"],"records":41,"head":"abab","damage":[]}"#,
    );
    assert_eq!(text, "41 records in 2 files, head abab: intact\n");
}

#[test]
fn exec_asks_for_an_endpoint_that_ends_with_it() {
    let credentials = || answer(200, golden!("credentials_reply"));
    let endpoint = || answer(200, golden!("endpoint_reply"));
    let cases = [
        (
            &[][..],
            endpoint(),
            "endpoints",
            r#""kind":"container","narrow":{},"until_exit":true"#,
        ),
        (
            &["--via", "container"],
            endpoint(),
            "endpoints",
            r#""kind":"container","narrow":{},"until_exit":true"#,
        ),
        (
            &["--via", "imds", "--duration", "15m"],
            endpoint(),
            "endpoints",
            r#""kind":"imds","narrow":{"duration_seconds":900},"until_exit":true"#,
        ),
        (
            &["--via", "env"],
            credentials(),
            "credentials",
            r#""interface":"export","narrow":{}"#,
        ),
    ];
    for (options, answer, path, body) in cases {
        // A command that is not there leaves us in our place, with the status of a shell.
        let command = &["--", "/nonexistent/program", "--reason"];
        let line = [&["exec", "dev"], options, command].concat();
        let (text, outcome, asked) = with_agent(vec![answer], &mut Script::default(), &line);
        assert_eq!(
            (text.as_str(), outcome.unwrap_err().exit()),
            ("", Exit(127))
        );
        let body = format!(r#"{{"profile":"dev",{body}}}"#);
        assert_eq!(asked, [request(&format!("POST /v1/{path}"), &body)]);
    }
}

#[test]
fn exec_without_an_endpoint_runs_nothing() {
    let problem = Problem::new(Code::AccessDenied, "no").with_hint("do this");
    let marker = tempfile::tempdir().unwrap();
    let started = marker.path().join("started");
    let line = [
        "exec",
        "dev",
        "--",
        "/usr/bin/touch",
        started.to_str().unwrap(),
    ];
    let (_, outcome, _) = with_agent(vec![refusal(&problem)], &mut Script::default(), &line);
    assert_eq!(outcome.unwrap_err().exit(), Exit(77));
    let environment = Environment {
        agent_child: true,
        ..at(marker.path())
    };
    let (_, outcome) = run_line(&environment, &mut Script::default(), &line);
    assert_eq!(outcome.unwrap_err().exit(), Exit(64));
    assert!(!started.exists());
}

#[test]
fn an_endpoint_is_code_that_a_shell_takes_or_the_agents_json() {
    let line = [
        "endpoint",
        "dev",
        "--kind",
        "container",
        "--ticket",
        "OPS-1",
    ];
    let (text, asked) = simple(&line, golden!("endpoint_reply"));
    let body =
        r#"{"profile":"dev","kind":"container","narrow":{"ticket":"OPS-1"},"until_exit":false}"#;
    assert_eq!(asked, [request("POST /v1/endpoints", body)]);
    assert_eq!(
        text,
        "\
unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_SECURITY_TOKEN \
AWS_CREDENTIAL_EXPIRATION AWS_CREDENTIAL_FILE AWS_PROFILE AWS_DEFAULT_PROFILE AWS_WEB_IDENTITY_TOKEN_FILE AWS_ROLE_ARN \
AWS_ROLE_SESSION_NAME AWS_CONTAINER_CREDENTIALS_RELATIVE_URI AWS_EC2_METADATA_SERVICE_ENDPOINT \
AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE;
export AWS_CONTAINER_CREDENTIALS_FULL_URI='http://127.0.0.1:41234/v1/01KAN0000000000000000000L1'
export AWS_CONTAINER_AUTHORIZATION_TOKEN='token'
export AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE='/run/user/1000/jumpgate/tokens/01KAN0000000000000000000L1'
export AWS_REGION='ap-northeast-1'
export AWS_DEFAULT_REGION='ap-northeast-1'
export NO_PROXY='127.0.0.1,localhost'
export no_proxy='127.0.0.1,localhost'
# to end it: jumpgate lease end 01KAN0000000000000000000L1
"
    );
    let (text, _) = simple(
        &["endpoint", "dev", "--format", "json"],
        golden!("endpoint_reply"),
    );
    assert_eq!(text, golden!("endpoint_reply"));
}

#[test]
fn a_real_shell_is_pointed_at_the_endpoint() {
    let reply = golden!("endpoint_reply").replace("/run/user/1000", "/run/it's\\nhere $(id)");
    let (code, _) = simple(&["endpoint", "dev"], &reply);
    let shell = std::process::Command::new("/bin/sh")
        .args(["-euc", "eval \"$1\"; /usr/bin/env -0", "sh", &code])
        .env_clear()
        .envs([
            ("AWS_PROFILE", "other"),
            ("AWS_ACCESS_KEY_ID", "AKIA"),
            ("KEPT", "1"),
        ])
        .output()
        .unwrap();
    let text = String::from_utf8(shell.stdout).unwrap();
    let own = |line: &&str| !line.starts_with("PWD=") && !line.starts_with("_=");
    let mut lines: Vec<&str> = text.split_terminator('\0').filter(own).collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "AWS_CONTAINER_AUTHORIZATION_TOKEN=token",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=/run/it's\nhere $(id)/jumpgate/tokens/01KAN0000000000000000000L1",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1:41234/v1/01KAN0000000000000000000L1",
            "AWS_DEFAULT_REGION=ap-northeast-1",
            "AWS_REGION=ap-northeast-1",
            "KEPT=1",
            "NO_PROXY=127.0.0.1,localhost",
            "no_proxy=127.0.0.1,localhost",
        ]
    );
}

#[test]
fn what_would_win_over_an_endpoint_is_said_without_its_value() {
    let home = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        std::fs::write(home.path().join(name), text).unwrap();
        Some(home.path().join(name))
    };
    let sdk = SdkEnvironment {
        sources: SdkEnvironment::SOURCES.to_vec(),
        credentials_file: file("credentials", "[default]\naws_access_key_id = AKIASECRET\n"),
        config_file: file(
            "config",
            "\n[profile default]\ncredential_process = secret\n",
        ),
        no_proxy: [None, None],
    };
    let variable = |name: &str| {
        format!(
            "jumpgate: warning: {name} is set here, and wins over the endpoint until it is unset\n"
        )
    };
    let place = |place: &str| {
        let home = home.path().display();
        format!(
            "jumpgate: warning: {home}/{place} of the default profile wins over the endpoint; give that profile another name\n"
        )
    };
    let files = [
        "credentials:2: aws_access_key_id",
        "config:3: credential_process",
    ]
    .map(place);
    let variables = SdkEnvironment::SOURCES.map(variable);
    // What the reply itself warns of comes first.
    let of_reply = ["jumpgate: warning: the policy asked for has 2049 characters when minified, and AWS may refuse \
                     more than 2048\n"]
    .map(str::to_owned);
    let all = |variables: &[String]| [&of_reply, variables, &files].concat();
    let run = ["--", "/nonexistent/program"];
    let cases = [
        (vec!["endpoint", "dev"], all(&variables[..6])),
        (vec!["endpoint", "dev", "--kind", "imds"], all(&variables)),
        ([&["exec", "dev"], &run[..]].concat(), all(&[])),
        (
            [&["exec", "dev", "--via", "imds"], &run[..]].concat(),
            all(&[]),
        ),
    ];
    for (line, expected) in cases {
        let played = Played::new(vec![answer(200, golden!("endpoint_reply"))]);
        let mut person = Script::default();
        run_with_sdk(&at(played.home.path()), &sdk, &mut person, &line)
            .1
            .ok();
        assert_eq!(person.heard, expected, "{line:?}");
    }
}

#[test]
fn an_agent_that_ends_in_the_middle_of_its_last_answer_has_stopped() {
    let body = golden!("stop_reply");
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let whole = format!("{head}{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    for answer in [whole.as_str(), whole.trim_end_matches("0\r\n\r\n")] {
        let (text, outcome, _) = with_agent(
            vec![answer.to_owned()],
            &mut Script::default(),
            &["agent", "stop"],
        );
        assert_eq!(
            (text.as_str(), outcome),
            ("the agent has stopped (pid 4242)\n", Ok(Exit(0)))
        );
    }
    let (_, outcome, _) = with_agent(
        vec![head.to_owned()],
        &mut Script::default(),
        &["agent", "stop"],
    );
    assert_eq!(outcome.unwrap_err().exit(), Exit(69));
}

#[test]
fn nothing_is_started_to_be_locked_or_stopped() {
    let home = tempfile::tempdir().unwrap();
    for (line, expected) in [
        (&["lock"][..], "no agent is running: nothing is unlocked\n"),
        (&["agent", "stop"], "no agent is running\n"),
    ] {
        let (text, outcome) =
            run_line(&at(&home.path().join("none")), &mut Script::default(), line);
        assert_eq!((text.as_str(), outcome), (expected, Ok(Exit(0))));
    }
    assert!(!home.path().join("none").exists());
}

#[test]
fn a_command_of_the_agent_itself_does_not_ask_the_agent() {
    let home = tempfile::tempdir().unwrap();
    let environment = Environment {
        agent_child: true,
        ..at(home.path())
    };
    for line in [
        &["credential-process", "dev", "--reason=x"][..],
        &["status"],
        &["lock"],
    ] {
        let (_, outcome) = run_line(&environment, &mut Script::default(), line);
        let failure = outcome.unwrap_err();
        assert_eq!(failure.exit(), Exit(64));
        assert!(
            failure
                .to_string()
                .starts_with("jumpgate: jumpgate was called by its own agent\n")
        );
    }
}

#[test]
fn wrong_usage_is_a_line_and_a_hint_and_help_is_on_stdout() {
    let home = tempfile::tempdir().unwrap();
    let run = |line: &[&str]| run_line(&at(home.path()), &mut Script::default(), line);
    for line in [
        &[][..],
        &["frobnicate"],
        &["exec"],
        &["exec", "dev"],
        &["exec", "dev", "true"],
        &["exec", "dev", "--via", "vault", "--", "true"],
        &["endpoint"],
        &["endpoint", "dev", "--kind", "env"],
        &["endpoint", "dev", "--format", "fish"],
        &["export", "dev", "--format", "csh"],
        &["export", "dev", "--duration", "5"],
        &["status", "--jsn"],
        &["status", "more"],
        &["journal", "show", "--last", "many"],
        &["identity"],
    ] {
        let (text, outcome) = run(line);
        let failure = outcome.unwrap_err();
        assert_eq!((text.as_str(), failure.exit()), ("", Exit(64)), "{line:?}");
        let said = failure.to_string();
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines.len(), 2, "{said}");
        assert!(
            lines[0].starts_with("jumpgate: ") && lines[1].starts_with("  hint: "),
            "{said}"
        );
    }
    for line in [
        &["--help"][..],
        &["-h"],
        &["exec", "--help"],
        &["identity", "add", "--help"],
    ] {
        let (text, outcome) = run(line);
        assert_eq!(outcome, Ok(Exit(0)));
        assert!(text.contains("Usage: jumpgate"), "{text}");
    }
    assert_eq!(
        run(&["--version"]).0,
        concat!("jumpgate ", env!("CARGO_PKG_VERSION"), "\n")
    );
}

#[test]
fn the_manual_and_the_completions_know_every_command() {
    let home = tempfile::tempdir().unwrap();
    let run = |line: &[&str]| run_line(&at(home.path()), &mut Script::default(), line);
    let verbs = [
        "credential-process",
        "exec",
        "export",
        "endpoint",
        "identity",
        "unlock",
        "lock",
        "status",
        "profile",
        "leases",
        "lease",
        "journal",
        "check",
        "reload",
        "agent",
        "completions",
        "man",
    ];
    let (manual, _) = run(&["man"]);
    for shell in ["bash", "zsh", "fish"] {
        let (script, outcome) = run(&["completions", shell]);
        assert_eq!(outcome, Ok(Exit(0)));
        for verb in verbs {
            assert!(script.contains(verb), "{shell}: {verb}");
            assert!(manual.contains(&verb.replace('-', "\\-")), "{verb}");
        }
    }
}

#[test]
fn a_closed_pipe_is_a_silent_failure() {
    struct Closed;
    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let home = tempfile::tempdir().unwrap();
    for line in [&["--help"][..], &["man"], &["completions", "bash"]] {
        let environment = at(home.path());
        let agent = Agent {
            environment: &environment,
            audience: Audience::Person,
        };
        let (out, person) = (&mut Closed, &mut Script::default());
        let mut context = Context {
            agent,
            out,
            person,
            now: now(),
            sdk: &SdkEnvironment::default(),
        };
        let arguments = std::iter::once(&"jumpgate")
            .chain(line)
            .map(OsString::from)
            .collect();
        assert_eq!(
            run_in(&mut context, arguments),
            Err(Failure::silent(ExitStatus::Failed))
        );
    }
}
