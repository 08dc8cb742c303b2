//! From the command line to a serving agent: in the foreground, or as a daemon that reports when it is ready.

mod doctor;
mod moving;
mod policies;

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::Duration;

use jumpgate_api::{ExitStatus, Secret};

use crate::app::{App, Providers};
use crate::config::environment::Environment;
use crate::config::{self, place};
use crate::domain::settings::AgentSettings;
use crate::harden::harden;
use crate::ports::Clock;
use crate::presets;
use crate::providers::desktop::{Addresses, DesktopBuses, SYSTEM_BUS};
use crate::providers::journal::{self, FileJournal};
use crate::providers::keyring::{DEFAULT_WAIT, Desktop, KeyringStore};
use crate::providers::prompter::{LEASHED, Leash, PersonPrompter, Screen, become_program};
use crate::providers::sealed_file::SealedFileStore;
use crate::providers::sts::{Options, ProxySettings, SdkTokenService};
use crate::providers::system::{SystemClock, SystemEntropy};
use crate::server::socket::{ControlSocket, Owner};
use crate::telemetry;

const USAGE: &str = "\
usage: jumpgate-agent                start in the background; return when ready
       jumpgate-agent --foreground   serve until SIGTERM; log on standard error
       jumpgate-agent --check FILE   read a configuration and report all its errors
       jumpgate-agent --presets     print the presets of session policies as JSON
       jumpgate-agent --lint [--format F] [--kind K] [--class C] [--identity I] -- FILE...
       jumpgate-agent --jump [--check FILE] [--json] -- IDENTITY
       jumpgate-agent --explain [OPTIONS] -- PROFILE ACTION RESOURCE
       jumpgate-agent --import | --configure | --leftover [OPTIONS]
       jumpgate-agent --doctor [--all] [--json] < WHAT-THE-CLIENT-KNOWS
       jumpgate-agent --version
";

/// What the daemon writes to its starter when a client can connect.
const READY: &str = "ready";

/// The log of an agent in the background starts anew beyond this size, bytes.
const LOG_LIMIT: u64 = 1 << 20;

/// How long an agent whose socket was taken away needs to end: the time for requests under way, and a little.
const LEAVES_WITHIN: Duration = Duration::from_secs(7);

/// A start that failed: one line, what to do, and the exit status.
struct Refusal {
    lines: Vec<String>,
    hint: Option<String>,
    status: ExitStatus,
}

impl Refusal {
    fn new(line: impl std::fmt::Display, hint: &str, status: ExitStatus) -> Self {
        Self {
            lines: vec![line.to_string()],
            hint: Some(hint.to_owned()),
            status,
        }
    }
}

type Started = Result<(), Refusal>;

/// Runs the command line.
pub fn run(arguments: &[String]) -> ExitCode {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments.as_slice() {
        [] => background(),
        ["--foreground"] => foreground(None),
        ["--daemon"] => foreground(Some(Detached)),
        ["--check", file] => check(Path::new(file)),
        ["--lint", words @ ..] => policies::lint(words),
        ["--jump", words @ ..] => policies::jump(words),
        ["--explain", words @ ..] => policies::explain(words),
        ["--import", words @ ..] => moving::import(words),
        ["--configure", words @ ..] => moving::configure(words),
        ["--leftover", words @ ..] => moving::leftover(words),
        ["--doctor", words @ ..] => return doctor::run(words),
        [LEASHED, agent, program, words @ ..] => return become_program(agent, program, words),
        ["--presets"] => say(&presets::json()),
        ["--version"] => say(&format!("jumpgate-agent {}\n", env!("CARGO_PKG_VERSION"))),
        ["--help" | "-h"] => say(USAGE),
        _ => Err(Refusal::new(
            "unknown arguments",
            USAGE.trim_end(),
            ExitStatus::Usage,
        )),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(refusal) => refusal.report(),
    }
}

impl Refusal {
    fn report(&self) -> ExitCode {
        let mut text = String::new();
        for line in &self.lines {
            text.push_str(&format!("jumpgate-agent: {line}\n"));
        }
        if let Some(hint) = &self.hint {
            text.push_str(&format!("  hint: {hint}\n"));
        }
        let _nobody_reads = std::io::stderr().write_all(text.as_bytes());
        self.status.into()
    }
}

fn say(text: &str) -> Started {
    let _nobody_reads = std::io::stdout().write_all(text.as_bytes());
    Ok(())
}

fn check(file: &Path) -> Started {
    let config = config::load(file).map_err(|errors| invalid(&errors))?;
    let mut text = String::new();
    for warning in &config.warnings {
        text.push_str(&format!("warning: {warning}\n"));
    }
    let settings = &config.settings;
    let identities = counted(settings.identities.len(), "identity", "identities");
    let profiles = counted(settings.profiles.len(), "profile", "profiles");
    let file = file.display();
    text.push_str(&format!("{file}: valid: {identities}, {profiles}\n"));
    say(&text)
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn invalid(errors: &config::ConfigErrors) -> Refusal {
    Refusal {
        lines: errors.0.iter().map(ToString::to_string).collect(),
        hint: Some("correct the file; all of it is read again by: jumpgate check".to_owned()),
        status: ExitStatus::Usage,
    }
}

/// Starts the daemon and waits for its word. It keeps our standard error until it is ready, so that its errors
/// reach whoever started us.
fn background() -> Started {
    let failed = |what: &str, error: std::io::Error| {
        Refusal::new(
            format!("{what}: {error}"),
            "run: jumpgate-agent --foreground",
            ExitStatus::Failed,
        )
    };
    let program = std::env::current_exe().map_err(|error| failed("own executable", error))?;
    // What else our starter has open is not the daemon's: a pipe that it held would never end.
    close_fds::set_fds_cloexec(3, &[]);
    let mut daemon = Command::new(program)
        .arg("--daemon")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| failed("the daemon cannot be started", error))?;
    let mut word = String::new();
    if let Some(output) = daemon.stdout.take() {
        let _ended = BufReader::new(output.take(64)).read_line(&mut word);
    }
    if word.trim_end() == READY {
        return Ok(());
    }
    let status = daemon.wait().map_err(|error| failed("the daemon", error))?;
    let Some(code) = status.code() else {
        return Err(Refusal::new(
            "the agent was killed before it was ready",
            "try again; if it goes on, see why: jumpgate agent run",
            ExitStatus::Unavailable,
        ));
    };
    let status = match code {
        64 => ExitStatus::Usage,
        69 => ExitStatus::Unavailable,
        75 => ExitStatus::Temporary,
        _ => ExitStatus::Failed,
    };
    // Its own lines are on standard error already.
    Err(Refusal {
        lines: Vec::new(),
        hint: None,
        status,
    })
}

/// A daemon of its own session, as opposed to a foreground process.
struct Detached;

fn foreground(detached: Option<Detached>) -> Started {
    if detached.is_some() {
        let _leads_already = rustix::process::setsid();
    }
    let hardening = harden().map_err(|error| {
        Refusal::new(
            format!("hardening: {error}"),
            "nothing was started",
            ExitStatus::Failed,
        )
    })?;
    let environment = Environment::from_process();
    telemetry::start(environment.jumpgate_log.as_deref());
    let nowhere = |error: place::NoHome| {
        Refusal::new(error, "set HOME, or the variable named", ExitStatus::Usage)
    };
    let config_path = place::configuration(&environment).map_err(nowhere)?;
    let socket_path = place::socket(&environment).map_err(nowhere)?;
    let socket_path = std::path::absolute(&socket_path).unwrap_or(socket_path);
    let state = place::state_directory(&environment).map_err(nowhere)?;
    let config = config::load(&config_path).map_err(|errors| invalid(&errors))?;
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    let socket = open_socket(&socket_path, &environment)?;
    if detached.is_some() {
        // Every path that is needed from here on is absolute.
        let _stays_where_it_is = std::env::set_current_dir("/");
    }
    let journal = open_journal(&state, &config)?;
    let tokens_directory = socket.directory().join("tokens");
    let providers = providers(
        &environment,
        &config.settings.agent,
        &state,
        journal,
        tokens_directory,
    )?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Refusal::new(error, "out of resources?", ExitStatus::Failed))?;
    let app = App::new(config, providers, environment.surroundings(), hardening);
    let ready = || announce(detached.is_some(), &state);
    let served = runtime.block_on(app.serve(socket, ready));
    runtime.shutdown_timeout(Duration::from_millis(500));
    // The next agent waits for this place to be left: the journal is free by now.
    served
        .map(drop)
        .map_err(|error| Refusal::new(error, "see the log", ExitStatus::Failed))
}

/// The socket that systemd passed, if it passed one (sd_listen_fds(3)), else our own.
fn open_socket(path: &Path, environment: &Environment) -> Result<ControlSocket, Refusal> {
    let owner = Owner {
        uid: rustix::process::geteuid().as_raw(),
        pid: std::process::id(),
    };
    // What was meant for another process, and inherited by us, is none of ours.
    let meant = environment.listen_pid == Some(owner.pid);
    let mut passed = if meant {
        listenfd::ListenFd::from_env()
    } else {
        listenfd::ListenFd::empty()
    };
    let passed = passed.take_unix_listener(0).map_err(|error| {
        Refusal::new(
            format!("the socket passed: {error}"),
            "see the unit",
            ExitStatus::Unavailable,
        )
    })?;
    let socket = match passed {
        Some(listener) => {
            let named = listener
                .local_addr()
                .ok()
                .and_then(|a| a.as_pathname().map(Path::to_owned));
            let place = named.ok_or_else(|| {
                let hint = "set ListenStream to a path in the socket unit";
                Refusal::new(
                    "the socket passed has no path",
                    hint,
                    ExitStatus::Unavailable,
                )
            })?;
            ControlSocket::adopt(&place, owner, listener)
        }
        None => ControlSocket::bind(path, owner),
    };
    socket.map_err(|error| Refusal::new(&error, error.hint(), ExitStatus::Unavailable))
}

fn open_journal(state: &Path, config: &config::Config) -> Result<FileJournal, Refusal> {
    let options = journal::Options {
        keep: config.settings.agent.journal_keep,
        now: SystemClock.now(),
        entropy: Arc::new(SystemEntropy),
        wait: LEAVES_WITHIN,
    };
    FileJournal::open(&state.join("journal"), options).map_err(|error| {
        let hint = "nothing is handed out unrecorded; make its directory writable for you alone";
        Refusal::new(error, hint, ExitStatus::Temporary)
    })
}

fn providers(
    environment: &Environment,
    agent: &AgentSettings,
    state: &Path,
    journal: FileJournal,
    tokens_directory: PathBuf,
) -> Result<Providers, Refusal> {
    let variables = &environment.proxy;
    let address =
        |value: &'_ Option<Secret<String>>| value.as_ref().map(|text| text.expose().clone());
    let (https, all) = (address(&variables.https), address(&variables.all));
    let proxy =
        ProxySettings::from_values(https.as_deref(), all.as_deref(), variables.no.as_deref());
    let proxy = proxy.map_err(|error| {
        Refusal::new(error, "correct HTTPS_PROXY or unset it", ExitStatus::Usage)
    })?;
    let has_display = environment.display.is_some() || environment.wayland_display.is_some();
    let desktop = Desktop {
        bus_address: environment.dbus_session_bus_address.clone(),
        has_display,
    };
    let screen = Screen {
        display: has_display,
        path: environment.path.clone(),
    };
    let system_bus = environment.dbus_system_bus_address.clone();
    let buses = Addresses {
        system: Some(system_bus.unwrap_or_else(|| SYSTEM_BUS.to_owned())),
        session: environment.dbus_session_bus_address.clone(),
    };
    Ok(Providers {
        desktop: DesktopBuses::new(buses),
        tokens: SdkTokenService::new(Options {
            proxy,
            ..Options::default()
        }),
        keyring: KeyringStore::new(desktop, DEFAULT_WAIT).read_patiently(),
        prompter: PersonPrompter::new(screen, Leash::of(std::process::id()), agent),
        sealed_files: SealedFileStore::new(state.join("identities")),
        journal,
        tokens_directory,
    })
}

/// Says that a client can connect: to systemd, and to whoever started the daemon. From here on the daemon's
/// text goes to its log.
fn announce(detached: bool, state: &Path) {
    let _no_systemd = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    if !detached {
        return;
    }
    let mut output = std::io::stdout();
    let _starter_left = output.write_all(format!("{READY}\n").as_bytes());
    let _starter_left = output.flush();
    if let Err(error) = redirect_output(&state.join("agent.log")) {
        tracing::warn!(%error, "no log");
    }
}

/// Points standard output and error at the log, so that no pipe of the starter stays open.
fn redirect_output(path: &PathBuf) -> std::io::Result<()> {
    let full = std::fs::symlink_metadata(path).is_ok_and(|log| log.len() > LOG_LIMIT);
    let log = OpenOptions::new()
        .create(true)
        .append(!full)
        .write(true)
        .truncate(full)
        .mode(0o600)
        .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
        .open(path)
        .or_else(|_| OpenOptions::new().write(true).open("/dev/null"))?;
    rustix::stdio::dup2_stdout(&log)?;
    rustix::stdio::dup2_stderr(&log)?;
    Ok(())
}
