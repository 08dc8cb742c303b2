//! `jumpgate doctor`: the agent's program looks and judges; here it is told what this side alone knows.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use jumpgate_api::{Interface, Narrow, ProfileList, path_segment};
use serde::Serialize;

use super::credential_process::credentials;
use super::{Context, Outcome};
use crate::cli::Doctor;
use crate::connection::{Agent, Audience, Request, program, wait_for_process};
use crate::failure::{Exit, Failure};

/// How long the agent's program may look; it keeps to half a minute by itself.
const PATIENCE: Duration = Duration::from_secs(90);

/// What the agent's program cannot find out by itself. The running agent's status follows as it came.
#[derive(Serialize)]
struct Told<'a> {
    version: &'static str,
    executable: Option<&'a Path>,
    variables: &'a [&'static str],
    credentials_file: Option<&'a Path>,
    config_file: Option<&'a Path>,
    trouble: Option<Trouble>,
    profiles: Option<Vec<Asked>>,
}

#[derive(Serialize)]
struct Trouble {
    what: String,
    hint: String,
}

#[derive(Serialize)]
struct Asked {
    profile: String,
    trouble: Option<Trouble>,
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        let [what, hint] = failure.said().map(str::to_owned);
        Self { what, hint }
    }
}

pub(super) fn run(context: &mut Context<'_>, arguments: &Doctor) -> Outcome {
    let environment = context.agent.environment;
    let program = program(environment)?;
    // What is wrong with its version is a finding, and no warning.
    let agent = Agent {
        environment,
        audience: Audience::Program,
    };
    let profiles = arguments.deep.then(|| ask_for_each(context, agent));
    let status = status(agent);
    let (status, trouble) = match status {
        Ok(status) => (status, None),
        Err(failure) => (String::new(), Some(failure.into())),
    };
    let told = Told {
        version: env!("CARGO_PKG_VERSION"),
        executable: environment.executable.as_deref(),
        variables: &context.sdk.sources,
        credentials_file: context.sdk.credentials_file.as_deref(),
        config_file: context.sdk.config_file.as_deref(),
        trouble,
        profiles,
    };
    let mut text = serde_json::to_string(&told).unwrap_or_default();
    text.push('\n');
    text.push_str(&status);
    let mut command = Command::new(program);
    command.arg("--doctor").args(&arguments.words);
    judged(command, &text)
}

/// Empty if no agent runs.
fn status(agent: Agent<'_>) -> Result<String, Failure> {
    let Some(stream) = agent.connect_if_running()? else {
        return Ok(String::new());
    };
    let reply = agent.exchange(stream, &Request::new("GET", "status"))?;
    Ok(reply.json()?)
}

/// A session of each profile, as `credential-process` would have it; nothing of it is kept.
fn ask_for_each(context: &mut Context<'_>, agent: Agent<'_>) -> Vec<Asked> {
    context.person.tell(
        "jumpgate: asking for a session of each profile; you may be asked for passphrase, MFA code or consent\n",
    );
    let list = agent.call::<ProfileList>(&Request::new("GET", "profiles"));
    let list = match list.map_err(Failure::from) {
        Ok(list) => list.profiles,
        Err(failure) => {
            return vec![Asked {
                profile: String::new(),
                trouble: Some(failure.into()),
            }];
        }
    };
    let profiles = list.into_iter().map(|profile| Asked {
        trouble: ask(agent, &profile.name).err().map(Trouble::from),
        profile: profile.name,
    });
    profiles.collect()
}

fn ask(agent: Agent<'_>, profile: &str) -> Result<(), Failure> {
    let narrow = Narrow {
        reason: Some("jumpgate doctor --deep".to_owned()),
        ..Narrow::default()
    };
    let reply = credentials(agent, profile, Interface::Process, narrow)?;
    // Nobody holds it.
    let path = format!("leases/{}", path_segment(&reply.lease));
    let _ended_by_its_time = agent.reply(&Request::new("DELETE", &path));
    Ok(())
}

/// The agent's program with this on its standard input; what it says, it says itself.
fn judged(mut command: Command, told: &str) -> Outcome {
    let failed = |error: std::io::Error| Failure::cannot_run_agent(&error);
    let mut child = command.stdin(Stdio::piped()).spawn().map_err(failed)?;
    if let Some(mut input) = child.stdin.take() {
        let _ended_early = input.write_all(told.as_bytes());
    }
    if !wait_for_process(child.id(), PATIENCE).map_err(failed)? {
        let _gone = child.kill();
    }
    Ok(Exit::of(child.wait().map_err(failed)?))
}
