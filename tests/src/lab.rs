//! A home of its own, the strict STS double, the real agent and the real client.

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use tempfile::TempDir;

use crate::prompts::Prompt;
pub use crate::ran::{Ran, ended, finish};
use crate::sts::{MFA_SERIAL, StsDouble, World};
use crate::{Programs, canary, kin};

/// The passphrase of the sealed identity. A canary.
pub const PASSPHRASE: &str = "canary-passphrase-of-the-sealed-file";

/// What stands behind `[identity.jump]` in the configuration that [`Lab::new`] writes, before the test's own text.
const IDENTITY: &str = r#"version = 1

[accounts]
jump = "111111111111"
target = "222222222222"

[identity.jump]
kind = "iam-user"
account = "jump"
region = "us-east-1"
mfa_serial = "arn:aws:iam::111111111111:mfa/alice"
mfa = "command"
mfa_command = ["@HOME@/bin/mfa-code"]
store = "file"
passphrase_command = ["@HOME@/bin/passphrase"]
sts_endpoint = "@STS@"
iam_endpoint = "@STS@"
"#;

/// The profile that most tests use.
pub const DEV: &str = r#"
[profile.dev]
account = "target"
role = "Developer"
region = "eu-central-1"
source_identity = "{user}"
tags = { DoiTEnvironment = "{account_id}" }
transitive_tags = ["DoiTEnvironment"]
policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],"Resource":"*"}]}'
"#;

/// One test's surroundings. Dropping it ends the agent and fails the test if a secret stands in any file.
pub struct Lab {
    home: TempDir,
    world: World,
    /// The STS double.
    pub double: Arc<StsDouble>,
    /// Client and agent.
    pub programs: Programs,
    /// The program that prints MFA codes.
    pub mfa: Prompt,
    /// The program that prints the passphrase.
    pub passphrase: Prompt,
    agent: Mutex<Option<Child>>,
    environment: Vec<(String, String)>,
    more_secrets: Vec<String>,
}

impl Lab {
    /// The demo's world with fresh secrets, and a configuration of one identity and `profiles`.
    ///
    /// # Panics
    /// Without a home or a double there is no test.
    #[must_use]
    pub fn new(programs: &Programs, profiles: &str) -> Self {
        Self::in_world(programs, World::demo(), &format!("{IDENTITY}{profiles}"))
    }

    /// Another world, and a whole configuration; `@HOME@` and `@STS@` are replaced in it.
    ///
    /// # Panics
    /// Without a home or a double there is no test.
    #[must_use]
    pub fn in_world(programs: &Programs, world: World, configuration: &str) -> Self {
        let home = tempfile::Builder::new()
            .prefix("lab")
            .tempdir()
            .expect("a home");
        let world = world.with_fresh_secrets("canary");
        let double = StsDouble::start(world.clone()).expect("a sound world");
        let double = Arc::new(double);
        let bin = home.path().join("bin");
        let programs = programs.install(&bin).expect("the executables were built");
        let codes = Arc::clone(&double);
        let mfa = Prompt::new(&bin, "mfa-code", move || codes.totp_code(MFA_SERIAL));
        let passphrase = Prompt::new(&bin, "passphrase", || PASSPHRASE.to_owned());
        let private = |path: &Path| std::fs::DirBuilder::new().mode(0o700).create(path);
        private(&home.path().join("run")).expect("a runtime directory");
        let lab = Self {
            home,
            world,
            double,
            programs,
            mfa,
            passphrase,
            agent: Mutex::new(None),
            environment: Vec::new(),
            more_secrets: Vec::new(),
        };
        lab.configure(configuration);
        lab
    }

    /// The home directory.
    #[must_use]
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// A file in the home directory.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.home().join(name)
    }

    /// Sets a variable for client and agent.
    pub fn set(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// A secret that did not come from the double's world must stand in no file either.
    pub fn add_secret(&mut self, secret: &str) {
        self.more_secrets.push(secret.to_owned());
    }

    /// Writes the configuration.
    ///
    /// # Panics
    /// It cannot be written.
    pub fn configure(&self, text: &str) {
        let directory = self.path(".config/jumpgate");
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&directory)
            .expect("a configuration directory");
        let home = self.home().display().to_string();
        let text = text
            .replace("@HOME@", &home)
            .replace("@STS@", &self.double.url());
        std::fs::write(directory.join("config.toml"), text).expect("a writable file");
    }

    /// The configuration that [`Lab::new`] writes, with other profiles.
    pub fn configure_profiles(&self, profiles: &str) {
        self.configure(&format!("{IDENTITY}{profiles}"));
    }

    /// The configuration as it stands.
    ///
    /// # Panics
    /// It cannot be read.
    #[must_use]
    pub fn configuration(&self) -> String {
        let file = self.path(".config/jumpgate/config.toml");
        std::fs::read_to_string(file).expect("our own file")
    }

    fn in_surroundings(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("HOME", self.home())
            .env(
                "PATH",
                format!("{}:/usr/bin:/bin", self.path("bin").display()),
            )
            .env("USER", "tester")
            .env("LC_ALL", "C.UTF-8")
            .env("XDG_RUNTIME_DIR", self.path("run"))
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(self.home())
            .stdin(Stdio::null());
        command
    }

    /// The client with these arguments, ready to run.
    #[must_use]
    pub fn client(&self, arguments: &[&str]) -> Command {
        let mut command = self.in_surroundings(&self.programs.client);
        command.args(arguments);
        command
    }

    /// Any other program, such as the AWS CLI, in the same surroundings.
    #[must_use]
    pub fn program(&self, program: &Path, arguments: &[&str]) -> Command {
        let mut command = self.in_surroundings(program);
        command.args(arguments);
        command
    }

    /// Runs the client to its end.
    ///
    /// # Panics
    /// It cannot be started.
    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> Ran {
        finish(self.client(arguments), "")
    }

    /// Runs the client with lines on its standard input.
    ///
    /// # Panics
    /// It cannot be started.
    #[track_caller]
    pub fn run_with_input(&self, arguments: &[&str], input: &str) -> Ran {
        finish(self.client(arguments), input)
    }

    /// Starts the agent in the foreground, its log in `agent.log`, and waits until it can be reached.
    ///
    /// # Panics
    /// It does not come up.
    pub fn start_agent(&self) {
        let log = std::fs::File::options()
            .append(true)
            .create(true)
            .open(self.path("agent.stderr"))
            .expect("a log");
        let mut command = self.in_surroundings(&self.programs.agent);
        command
            .arg("--foreground")
            .env("JUMPGATE_LOG", "debug")
            .stderr(log);
        let mut child = command.spawn().expect("the agent starts");
        while std::os::unix::net::UnixStream::connect(self.socket()).is_err() {
            if let Some(status) = child.try_wait().expect("our own child") {
                let log = std::fs::read_to_string(self.path("agent.stderr")).unwrap_or_default();
                panic!("the agent ended with {status}: {log}");
            }
            std::thread::yield_now();
        }
        *self.agent.lock().unwrap_or_else(PoisonError::into_inner) = Some(child);
    }

    /// The control socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.path("run/jumpgate/agent.sock")
    }

    /// Adds alice's key to the identity `jump`.
    ///
    /// # Panics
    /// It is refused.
    #[track_caller]
    pub fn add_identity(&self) {
        let input = self.alices_key();
        self.run_with_input(&["identity", "add", "jump"], &input)
            .good();
    }

    /// Alice's key, as two lines.
    ///
    /// # Panics
    /// There is no alice.
    #[must_use]
    pub fn alices_key(&self) -> String {
        self.key_of("alice")
    }

    /// The first key of a user, as two lines.
    ///
    /// # Panics
    /// There is no such user.
    #[must_use]
    pub fn key_of(&self, user: &str) -> String {
        let found = self.world.users.iter().find(|known| known.name == user);
        let key = &found.expect("a user of the world").keys[0];
        format!("{}\n{}\n", key.id, key.secret)
    }

    /// `status --json`.
    #[track_caller]
    pub fn status(&self) -> Value {
        self.run(&["status", "--json"]).good().json()
    }

    /// All journal records, read from the files.
    ///
    /// # Panics
    /// A line is not JSON.
    #[must_use]
    #[track_caller]
    pub fn journal(&self) -> Vec<Value> {
        let directory = self.path(".local/state/jumpgate/journal");
        let mut files: Vec<PathBuf> = std::fs::read_dir(directory)
            .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
            .unwrap_or_default();
        files.retain(|file| {
            file.extension()
                .is_some_and(|extension| extension == "jsonl")
        });
        files.sort();
        let text: String = files
            .iter()
            .map(|file| std::fs::read_to_string(file).expect("a journal file"))
            .collect();
        text.lines()
            .map(|line| serde_json::from_str(line).expect("a JSON line"))
            .collect()
    }

    /// The journal records of one activity; those still gathered are written first.
    #[must_use]
    #[track_caller]
    pub fn records(&self, activity: &str) -> Vec<Value> {
        self.run(&["journal", "verify"]).good();
        self.journal_of(&[activity])
    }

    /// The journal records of any of these activities, as far as they are written.
    #[must_use]
    #[track_caller]
    pub fn journal_of(&self, activities: &[&str]) -> Vec<Value> {
        let mut records = self.journal();
        let wanted = |record: &Value| {
            activities
                .iter()
                .any(|name| record["activity_name"] == *name)
        };
        records.retain(wanted);
        records
    }

    /// Ends the agent that [`Lab::start_agent`] started, by SIGKILL.
    ///
    /// # Panics
    /// There is none.
    pub fn kill_agent(&self) {
        let mut child = self.taken_agent().expect("a running agent");
        child.kill().expect("our own child");
        child.wait().expect("our own child");
    }

    /// The process id of the agent that [`Lab::start_agent`] started.
    ///
    /// # Panics
    /// There is none.
    #[must_use]
    pub fn agent_pid(&self) -> u32 {
        let agent = self.agent.lock().unwrap_or_else(PoisonError::into_inner);
        agent.as_ref().expect("a running agent").id()
    }

    /// Waits for the end of the agent that [`Lab::start_agent`] started.
    ///
    /// # Panics
    /// There is none.
    pub fn wait_for_agent(&self) -> ExitStatus {
        let mut child = self.taken_agent().expect("a running agent");
        child.wait().expect("our own child")
    }

    fn taken_agent(&self) -> Option<Child> {
        let mut agent = self.agent.lock().unwrap_or_else(PoisonError::into_inner);
        agent.take()
    }

    /// Every secret of this test.
    #[must_use]
    pub fn secrets(&self) -> Vec<String> {
        let mut secrets = self.double.secrets();
        secrets.push(PASSPHRASE.to_owned());
        secrets.extend(self.more_secrets.iter().cloned());
        secrets
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let stopped = self.run(&["agent", "stop"]);
        if let Some(mut child) = self.taken_agent() {
            if !stopped.status.success() {
                let _gone = child.kill();
            }
            let _gone = child.wait();
        }
        kin::end_agents(self.home());
        let secrets = self.secrets();
        canary::register(&secrets);
        let found = canary::found(self.home(), &secrets);
        self.home.disable_cleanup(canary::keeps_files());
        if !std::thread::panicking() {
            assert!(found.is_empty(), "a secret stands in {found:?}");
        }
    }
}
