//! What the peers keep: one home with the same session in the file of each.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use jumpgate_tests::keyring::Keyring;
use serde_json::{Value, json};
use sha1::{Digest, Sha1};
use tempfile::TempDir;

use crate::vendor;

/// The role of the profile `role`, whose session the AWS CLI finds in its cache.
const ROLE: &str = "arn:aws:iam::222222222222:role/Developer";

/// What a peer's keyring item is found by.
pub(crate) const ITEM: [&str; 2] = ["bench", "session"];

/// A home of peers.
pub(crate) struct Kept {
    home: TempDir,
    session: Value,
    keyring: Option<Keyring>,
}

impl Kept {
    /// The session as the output of `credential-process` says it.
    ///
    /// # Errors
    /// The file system's.
    pub(crate) fn new(session: Value) -> io::Result<Self> {
        let keyring = Keyring::start("secret-tool lookup");
        let kept = Self {
            home: TempDir::with_prefix("peers")?,
            session,
            keyring,
        };
        kept.write()?;
        Ok(kept)
    }

    /// What an answer must have in it.
    pub(crate) fn proof(&self) -> [&str; 3] {
        ["AccessKeyId", "SecretAccessKey", "SessionToken"].map(|key| self.text(key))
    }

    fn text(&self, key: &str) -> &str {
        self.session[key].as_str().unwrap_or_default()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn write(&self) -> io::Result<()> {
        let [id, secret, token] = self.proof();
        let expiration = self.text("Expiration");
        let credentials = json!({ "AccessKeyId": id, "SecretAccessKey": secret, "SessionToken": token,
            "Expiration": expiration });
        let cached =
            json!({ "Version": 1, "ProviderType": "assume-role", "Credentials": credentials });
        // As botocore names the file of an AssumeRole without anything else.
        let question = format!("{{\"RoleArn\": \"{ROLE}\"}}");
        let hash = Sha1::digest(question.as_bytes());
        let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        fs::create_dir_all(self.path(".aws/cli/cache"))?;
        fs::create_dir_all(self.path("run"))?;
        fs::write(
            self.path(&format!(".aws/cli/cache/{hash}.json")),
            cached.to_string(),
        )?;
        fs::write(self.path("export.json"), cached.to_string())?;
        let file = format!(
            "[static]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\naws_session_token = {token}\n"
        );
        fs::write(self.path(".aws/credentials"), file)?;
        let file = format!(
            "[profile static]\nregion = us-east-1\n[profile role]\nregion = us-east-1\nrole_arn = {ROLE}\nsource_profile = static\n"
        );
        fs::write(self.path(".aws/config"), file)
    }

    /// A program in this home, with nothing of the caller's.
    pub(crate) fn command(&self, program: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("HOME", self.home.path())
            .env("PATH", "/usr/bin:/bin")
            .env("LC_ALL", "C.UTF-8")
            .env("XDG_RUNTIME_DIR", self.path("run"))
            // mairu's client starts no agent behind the bench's back.
            .env("MAIRU_NO_AUTO_AGENT", "1")
            .current_dir(self.home.path())
            .stdin(Stdio::null())
            .args(arguments);
        if let Some(keyring) = &self.keyring {
            command.env("DBUS_SESSION_BUS_ADDRESS", &keyring.bus);
        }
        command
    }

    /// Puts the session into the keyring, as one item.
    pub(crate) fn store(&self) -> Result<(), String> {
        if self.keyring.is_none() {
            return Err("gnome-keyring is not installed".to_owned());
        }
        let [key, value] = ITEM;
        let arguments = ["store", "--label=bench", key, value];
        let mut command = self.command("/usr/bin/secret-tool".as_ref(), &arguments);
        let child = command.stdin(Stdio::piped()).spawn();
        let mut child = child.map_err(|error| error.to_string())?;
        if let Some(mut input) = child.stdin.take() {
            let _closed = input.write_all(self.session.to_string().as_bytes());
        }
        match child.wait() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("secret-tool store: {status}")),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Starts mairu's agent, and logs in to a server that has the session.
    pub(crate) fn log_in(&self, mairu: &Path) -> Result<Running, String> {
        let url = vendor::start(self.session.to_string());
        let folder = self.path(".config/mairu/servers.d");
        fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let grant = json!({ "device_authorization_endpoint": format!("{url}oauth/device") });
        let oauth = json!({ "client_id": "bench", "token_endpoint": format!("{url}oauth/token"),
            "device_code_grant": grant, "default_grant_type": "device_code" });
        let server = json!({ "url": url, "id": "bench", "oauth": oauth });
        fs::write(folder.join("bench.json"), server.to_string())
            .map_err(|error| error.to_string())?;
        let mut agent = self.command(mairu, &["agent"]);
        let agent = agent.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let mut agent = Running(agent.map_err(|error| error.to_string())?);
        let socket = self.path("run/mairu/mairu-agent.sock");
        while std::os::unix::net::UnixStream::connect(&socket).is_err() {
            if let Ok(Some(status)) = agent.0.try_wait() {
                return Err(format!("its agent ended with {status}"));
            }
            std::thread::yield_now();
        }
        let login = self.command(mairu, &["login", "bench"]).output();
        match login {
            Ok(output) if output.status.success() => Ok(agent),
            Ok(output) => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// A process that ends with its owner.
pub(crate) struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}
