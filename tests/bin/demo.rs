//! The demo: a whole broker against the strict STS double, on this machine alone.
//!
//! `cargo demo` builds client and agent, then shows in a dozen lines what the broker does. With `--keep` both go on
//! running for the reader's own AWS CLI until Enter is pressed.

#[path = "../double/client.rs"]
#[allow(dead_code, clippy::unwrap_used)]
mod client;

use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use client::{Draft, Keys, send};
use jumpgate_tests::sts::MFA_SERIAL;
use jumpgate_tests::{Lab, Programs};
use serde_json::Value;

const CONFIGURATION: &str = r#"
version = 1

[accounts]
jump = "111111111111"
target = "222222222222"

[identity.jump]
kind = "iam-user"
account = "jump"
region = "us-east-1"
mfa_serial = "arn:aws:iam::111111111111:mfa/alice"
store = "file"
passphrase_command = ["@HOME@/bin/passphrase"]
sts_endpoint = "@STS@"

[profile.dev]
account = "target"
role = "Developer"
region = "us-east-1"
source_identity = "{user}"
tags = { DoiTEnvironment = "{account_id}" }
transitive_tags = ["DoiTEnvironment"]
policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],"Resource":"*"}]}'
"#;

/// What went wrong, in one line.
type Outcome<T> = Result<T, String>;

fn main() -> ExitCode {
    let keep = std::env::args().any(|argument| argument == "--keep");
    match built().and_then(|programs| shown(&programs, keep)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _nobody_reads = writeln!(std::io::stderr(), "demo: {error}");
            ExitCode::FAILURE
        }
    }
}

fn say(text: &str) {
    let mut output = std::io::stdout();
    let _nobody_reads = writeln!(output, "{text}");
    let _nobody_reads = output.flush();
}

/// Builds client and agent as this program was built, and finds them beside it.
fn built() -> Outcome<Programs> {
    say("building client and agent …");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    build.args([
        "build",
        "--quiet",
        "--package",
        "jumpgate",
        "--package",
        "jumpgate-agent",
    ]);
    if !cfg!(debug_assertions) {
        build.arg("--release");
    }
    let status = build.status().map_err(|error| format!("cargo: {error}"))?;
    let own = std::env::current_exe().map_err(|error| format!("own executable: {error}"))?;
    let beside = |name: &str| own.with_file_name(name);
    let programs = Programs {
        client: beside("jumpgate"),
        agent: beside("jumpgate-agent"),
    };
    if status.success() && programs.client.is_file() && programs.agent.is_file() {
        Ok(programs)
    } else {
        Err("client and agent could not be built".to_owned())
    }
}

/// One numbered line for each step, with its time.
struct Steps {
    count: usize,
    began: Instant,
}

impl Steps {
    fn step<T>(&mut self, what: &str, act: impl FnOnce() -> Outcome<(T, String)>) -> Outcome<T> {
        self.count += 1;
        let began = Instant::now();
        let (value, shown) = act().map_err(|error| format!("{what}: {error}"))?;
        let millis = began.elapsed().as_millis();
        say(&format!(
            "{:>2}  {what:<34} {shown:<66} {millis:>5} ms",
            self.count
        ));
        Ok(value)
    }
}

fn shown(programs: &Programs, keep: bool) -> Outcome<()> {
    let mut steps = Steps {
        count: 0,
        began: Instant::now(),
    };
    say("\nA jump account, an MFA device and a role in another account, on this machine alone.\n");
    let lab = steps.step("STS double", || {
        let lab = Lab::in_world(programs, jumpgate_tests::sts::World::demo(), CONFIGURATION);
        let url = lab.double.url();
        Ok((lab, format!("{url}, stricter than AWS")))
    })?;
    unlocked(&mut steps, &lab)?;
    let first = process(&mut steps, &lab, "jumpgate credential-process dev")?;
    used(&mut steps, &lab, &first)?;
    cached(&mut steps, &lab, &first)?;
    journal(&mut steps, &lab)?;
    let seconds = steps.began.elapsed().as_secs_f64();
    say(&format!("\nall of it in {seconds:.1} s"));
    if keep { kept(&lab) } else { Ok(()) }
}

fn unlocked(steps: &mut Steps, lab: &Lab) -> Outcome<()> {
    steps.step("agent", || {
        good(lab, &["agent", "start"], "")?;
        let pid = lab.status()["pid"].to_string();
        Ok(((), format!("started in the background, pid {pid}")))
    })?;
    steps.step("jumpgate identity add jump", || {
        good(lab, &["identity", "add", "jump"], &lab.alices_key())?;
        Ok((
            (),
            "checked with GetCallerIdentity, sealed in a file".to_owned(),
        ))
    })?;
    steps.step("jumpgate unlock jump", || {
        let code = lab.double.totp_code(MFA_SERIAL);
        good(lab, &["unlock", "jump"], &format!("{code}\n"))?;
        let until = lab.status()["identities"][0]["mfa_until"].clone();
        Ok(((), format!("TOTP code {code}, good until {}", text(&until))))
    })
}

fn process(steps: &mut Steps, lab: &Lab, what: &str) -> Outcome<Value> {
    steps.step(what, || {
        let output = good(lab, &["credential-process", "dev"], "")?;
        let json: Value = serde_json::from_str(&output).map_err(|error| error.to_string())?;
        let (id, until) = (text(&json["AccessKeyId"]), text(&json["Expiration"]));
        let shown = format!("{id}, until {until}");
        Ok((json, shown))
    })
}

fn used(steps: &mut Steps, lab: &Lab, credentials: &Value) -> Outcome<()> {
    let keys = Keys {
        id: text(&credentials["AccessKeyId"]),
        secret: text(&credentials["SecretAccessKey"]),
        token: Some(text(&credentials["SessionToken"])),
    };
    let call = |draft: Draft| {
        send(&draft, Some(&keys), lab.double.address()).ok_or_else(|| "no answer".to_owned())
    };
    steps.step("sts get-caller-identity", || {
        let query = "/?Action=GetCallerIdentity&Version=2011-06-15";
        let reply = call(Draft::new("GET", query, "sts"))?;
        Ok(((), reply.field("Arn").ok_or("no ARN")?))
    })?;
    steps.step("s3api get-object hello.txt", || {
        let reply = call(Draft::new("GET", "/demo/hello.txt", "s3"))?;
        expect(reply.status == 200, "allowed", &reply.outcome())
    })?;
    steps.step("s3api put-object hello.txt", || {
        let reply = call(Draft::new("PUT", "/demo/hello.txt", "s3").body(b"changed"))?;
        let shown = format!(
            "{}: the role may, the session policy does not",
            reply.outcome()
        );
        expect(reply.status == 403, &shown, &reply.outcome())
    })?;
    steps.step("session tag that STS saw", || {
        let events = lab.double.events_of("AssumeRole");
        let event = events.last().ok_or("no AssumeRole")?;
        let tag = event.tags().get("DoiTEnvironment").cloned();
        let keys = event.transitive_tag_keys().join(", ");
        let shown = format!(
            "DoiTEnvironment={}, transitive: {keys}",
            tag.unwrap_or_default()
        );
        expect(shown.contains("222222222222"), &shown, &shown)
    })
}

fn cached(steps: &mut Steps, lab: &Lab, first: &Value) -> Outcome<()> {
    let calls = lab.double.events().len();
    let second = process(steps, lab, "jumpgate credential-process dev")?;
    steps.step("the same session", || {
        let same = second == *first && lab.double.events().len() == calls;
        expect(
            same,
            "from cache: no further call to STS",
            "another session, or another call",
        )
    })
}

fn journal(steps: &mut Steps, lab: &Lab) -> Outcome<()> {
    let verdict = steps.step("jumpgate journal verify", || {
        let verdict = good(lab, &["journal", "verify"], "")?;
        let line = verdict.lines().next().unwrap_or_default().to_owned();
        let short: String = line.chars().take(66).collect();
        Ok((line, short))
    })?;
    expect(verdict.contains("intact"), "", &verdict).map(drop)?;
    say("\njumpgate journal show:");
    for line in good(lab, &["journal", "show"], "")?.lines() {
        say(&format!("    {line}"));
    }
    Ok(())
}

fn kept(lab: &Lab) -> Outcome<()> {
    let home = lab.home().display();
    let client = lab.programs.client.display();
    let config = lab.path("aws-config");
    let stanza = format!(
        "[profile dev]\ncredential_process = {client} credential-process dev\nregion = us-east-1\n"
    );
    std::fs::write(&config, &stanza).map_err(|error| error.to_string())?;
    say("\nclient and agent stay. The stanza for ~/.aws/config, written to a file already:\n");
    say(&stanza);
    say("For your AWS CLI, in another terminal:\n");
    for (name, value) in [
        ("HOME", home.to_string()),
        ("XDG_RUNTIME_DIR", lab.path("run").display().to_string()),
        (
            "AWS_CONFIG_FILE",
            PathBuf::from(&config).display().to_string(),
        ),
        ("AWS_PROFILE", "dev".to_owned()),
        ("AWS_ENDPOINT_URL", lab.double.url()),
    ] {
        say(&format!("    export {name}={value}"));
    }
    say(
        "    unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN XDG_CONFIG_HOME XDG_STATE_HOME",
    );
    say("    aws sts get-caller-identity");
    say("    aws s3api get-object --bucket demo --key hello.txt /dev/stdout");
    say("\nPress Enter to end.");
    let _end = std::io::stdin().lock().read_line(&mut String::new());
    Ok(())
}

fn good(lab: &Lab, arguments: &[&str], input: &str) -> Outcome<String> {
    let ran = lab.run_with_input(arguments, input);
    if ran.status.success() {
        Ok(ran.stdout)
    } else {
        Err(ran.stderr.trim_end().to_owned())
    }
}

fn expect(holds: bool, shown: &str, otherwise: &str) -> Outcome<((), String)> {
    if holds {
        Ok(((), shown.to_owned()))
    } else {
        Err(otherwise.to_owned())
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
