//! Real programs: the shell, doing what programs do.

#![allow(clippy::unwrap_used)]
use jumpgate_iam::MfaSerial;
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe;

use super::*;
use crate::domain::identity::{Argv, Identity, Mfa, MfaSession};
use crate::providers::samples;

/// Long enough for a slow machine; nothing waits for it to pass.
fn patient() -> PersonPrompter {
    let settings = AgentSettings {
        prompt_wait: PATIENCE,
        ..AgentSettings::default()
    };
    PersonPrompter::new(Screen::default(), Leash::none(), &settings)
}

const PATIENCE: Duration = Duration::from_secs(60);

/// The question of a person at a terminal: only programs are asked.
fn at_terminal(identity: &Identity) -> Asking<'_> {
    Asking {
        identity,
        errand: None,
        remark: None,
    }
}

fn shell(script: &str) -> Argv {
    Argv {
        program: "/bin/sh".to_owned(),
        arguments: vec!["-c".to_owned(), script.to_owned()],
    }
}

fn identity(argv: Argv) -> Identity {
    Identity {
        mfa: Some(Mfa {
            serial: MfaSerial::parse("arn:aws:iam::111111111111:mfa/alice").unwrap(),
            source: CodeSource::Command(argv.clone()),
            session: MfaSession::Off,
        }),
        passphrase_command: Some(argv),
        ..samples::identity("jump")
    }
}

async fn code(script: &str) -> Result<Secret<String>, PromptError> {
    patient()
        .mfa_code(at_terminal(&identity(shell(script))))
        .await
}

async fn passphrase(script: &str) -> Result<Secret<String>, PromptError> {
    patient()
        .passphrase(at_terminal(&identity(shell(script))))
        .await
}

fn failure(what: &str) -> Result<Secret<String>, PromptError> {
    Err(PromptError::Failed(format!("`/bin/sh`{what}")))
}

#[tokio::test]
async fn codes() {
    for script in [
        "echo 012345",
        "printf 012345",
        "printf '012345\\r\\n'",
        "printf '  012345\\t\\nmore'",
        "echo careful >&2; echo 012345",
    ] {
        assert_eq!(code(script).await, Ok("012345".into()), "{script}");
    }
    let no_code = failure(": the first line it printed is not a code of six digits");
    for script in [
        "true",
        "echo 12345",
        "echo 1234567",
        "echo CANARY",
        "echo 12345x",
        "printf '\\n012345'",
        "echo 012 345",
        "echo ٠١٢٣٤٥",
        "printf '\\377\\377\\377\\377\\377\\377'",
    ] {
        assert_eq!(code(script).await, no_code, "{script}");
    }
}

#[tokio::test]
async fn passphrases() {
    for (script, printed) in [
        ("echo open sesame", "open sesame"),
        ("printf 'open sesame\\r\\n'", "open sesame"),
        ("printf ' open sesame '", " open sesame "),
        ("printf 'open\\nnot this'", "open"),
        ("printf 'пароль'", "пароль"),
    ] {
        assert_eq!(passphrase(script).await, Ok(printed.into()), "{script}");
    }
    for (script, what) in [
        ("true", ": it printed no passphrase"),
        ("echo", ": it printed no passphrase"),
        (
            "printf 'a\\377'",
            ": the passphrase it printed is not UTF-8",
        ),
        (
            "printf %1025d 0",
            ": the passphrase it printed is longer than 1024 bytes",
        ),
    ] {
        assert_eq!(passphrase(script).await, failure(what), "{script}");
    }
    let longest = passphrase("printf %1024d 0").await.unwrap();
    assert_eq!(longest.expose().len(), 1024);
}

#[tokio::test]
async fn programs_that_fail() {
    for (script, what) in [
        ("exit 3", " exited with status 3"),
        ("echo 012345; exit 1", " exited with status 1"),
        (
            "printf 'usage\\nno key \\033[31mfound\\n\\n' >&2; exit 2",
            " exited with status 2: no key \\u{1b}[31mfound",
        ),
        ("kill -9 $$", " was ended by a signal"),
        ("head -c 4097 /dev/zero", " printed more than 4096 bytes"),
        ("cat /dev/zero", " printed more than 4096 bytes"),
    ] {
        assert_eq!(code(script).await, failure(what), "{script}");
    }
}

#[tokio::test]
async fn long_complaints_are_cut() {
    let script = "head -c 1000000 /dev/zero | tr '\\0' x >&2; exit 1";
    let what = format!(" exited with status 1: {}", "x".repeat(200));
    assert_eq!(code(script).await, failure(&what));
}

#[tokio::test]
async fn a_program_that_is_not_there_is_named() {
    for (program, message) in [
        (
            "no-such-program",
            "`no-such-program` there is no such program",
        ),
        ("/no\n", "`/no\\n` there is no such program"),
        (
            "/",
            "`/` cannot be started: Permission denied (os error 13)",
        ),
    ] {
        let argv = Argv {
            program: program.to_owned(),
            arguments: vec![],
        };
        let answer = patient().mfa_code(at_terminal(&identity(argv))).await;
        assert_eq!(answer, Err(PromptError::Failed(message.to_owned())));
    }
}

#[tokio::test]
async fn where_there_is_no_program_nobody_is_asked() {
    let mut nobody = identity(shell("echo 012345"));
    nobody.passphrase_command = None;
    assert_eq!(
        patient().passphrase(at_terminal(&nobody)).await,
        Err(PromptError::NoPrompter)
    );
    nobody.mfa.as_mut().unwrap().source = CodeSource::Prompt;
    assert_eq!(
        patient().mfa_code(at_terminal(&nobody)).await,
        Err(PromptError::NoPrompter)
    );
    nobody.mfa = None;
    assert_eq!(
        patient().mfa_code(at_terminal(&nobody)).await,
        Err(PromptError::NoPrompter)
    );
}

#[tokio::test]
async fn what_a_program_is_given() {
    let script =
        r#"[ "$JUMPGATE_AGENT_CHILD" = 1 ] && [ -n "$PATH" ] && ! read line && echo 012345"#;
    assert_eq!(code(script).await, Ok("012345".into()));
}

/// Arguments are the program's as they are written: no shell takes them apart.
#[tokio::test]
async fn arguments_are_not_expanded() {
    let argv = Argv {
        program: "printf".to_owned(),
        arguments: vec!["%s".to_owned(), "$HOME; `id` *".to_owned()],
    };
    let answer = patient().passphrase(at_terminal(&identity(argv))).await;
    assert_eq!(answer, Ok("$HOME; `id` *".into()));
}

/// A pipe whose end is reached when the last process that holds it is gone.
struct Witness {
    _directory: tempfile::TempDir,
    path: std::path::PathBuf,
    receiver: pipe::Receiver,
}

impl Witness {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("witness");
        let mode = rustix::fs::Mode::from(0o600);
        rustix::fs::mkfifoat(rustix::fs::CWD, &path, mode).unwrap();
        let receiver = pipe::OpenOptions::new().open_receiver(&path).unwrap();
        Self {
            _directory: directory,
            path,
            receiver,
        }
    }

    /// A script that says `started` and hangs, in a process of its own and in a child of that.
    fn hang(&self) -> Argv {
        let path = self.path.display();
        shell(&format!(
            "exec 9>'{path}'; sleep 600 & echo started >&9; sleep 600"
        ))
    }

    async fn started(&mut self) {
        let mut line = [0; 8];
        self.receiver.readable().await.unwrap();
        self.receiver.read_exact(&mut line).await.unwrap();
        assert_eq!(&line, b"started\n");
    }

    async fn all_gone(&mut self) {
        let mut rest = Vec::new();
        self.receiver.read_to_end(&mut rest).await.unwrap();
    }
}

#[tokio::test]
async fn a_program_that_hangs_is_ended_with_its_children() {
    let mut witness = Witness::new();
    let asked = identity(witness.hang());
    let time_passes = async {
        witness.started().await;
        tokio::time::pause();
        tokio::time::advance(PATIENCE).await;
    };
    let prompter = patient();
    let (answer, ()) = tokio::join!(prompter.mfa_code(at_terminal(&asked)), time_passes);
    assert_eq!(answer, Err(PromptError::TimedOut));
    witness.all_gone().await;
}

#[tokio::test]
async fn a_program_that_nobody_waits_for_is_ended_with_its_children() {
    let mut witness = Witness::new();
    let asked = identity(witness.hang());
    let prompter = patient();
    tokio::select! {
        answer = prompter.mfa_code(at_terminal(&asked)) => panic!("{answer:?}"),
        () = witness.started() => {}
    }
    witness.all_gone().await;
}

/// A program may leave a daemon behind that keeps its pipes open (gpg and its agent); its answer counts.
#[tokio::test]
async fn a_daemon_that_holds_the_pipes_is_not_waited_for() {
    let script = "sleep 600 & echo $!; echo pid >&2; exit 0";
    let pid = passphrase(script).await.unwrap();
    let pid = rustix::process::Pid::from_raw(pid.expose().parse().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("it was left alone");
}
