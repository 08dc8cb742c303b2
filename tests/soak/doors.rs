//! The ways to ask: the client, the control socket, container endpoints, IMDS; and what came back by each.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jumpgate_api::{Code, Problem};
use jumpgate_tests::Lab;
use jumpgate_tests::lab::ended;
use serde_json::{Value, json};

use super::http::{Reply, exchange};
use super::ledger::Document;
use super::steps::{Via, Want};

/// Beyond what is documented: a test that waits this much longer has failed, on any machine.
pub(crate) const GUARD: Duration = Duration::from_secs(60);

/// `prompt_wait` and what STS may take behind it.
pub(crate) const PATIENT: Duration = Duration::from_secs(80);

/// What an endpoint takes at most, rounded up.
pub(crate) const PROMPT: Duration = Duration::from_secs(1);

/// What was answered.
pub(crate) enum Seen {
    Given(Document),
    /// A problem by its code.
    Code(Code, String),
    /// The client's exit status, and what it wrote.
    Exit(i32, String),
    /// An HTTP status that comes without a code.
    Status(u16),
}

/// The answer, and the process that the journal should name.
pub(crate) type Told = Result<(Seen, u32), String>;

/// An endpoint that stands.
pub(crate) struct Endpoint {
    pub(crate) want: Want,
    address: String,
    path: String,
    token: String,
    idle: Mutex<Vec<TcpStream>>,
}

/// A request on the control socket: status and body.
pub(crate) fn control(lab: &Lab, line: &str, body: &str) -> Result<(u16, Vec<u8>), String> {
    let length = body.len();
    let text = format!("{line} HTTP/1.1\r\nHost: agent\r\nContent-Length: {length}\r\n\r\n{body}");
    let reply = on_socket(lab, text.as_bytes())?;
    let reply = reply.ok_or("the control socket closed without an answer")?;
    Ok((reply.status, reply.body))
}

/// Any bytes on the control socket.
pub(crate) fn on_socket(lab: &Lab, bytes: &[u8]) -> Result<Option<Reply>, String> {
    let said = |error: io::Error| format!("control socket: {error}");
    let mut stream = UnixStream::connect(lab.socket()).map_err(said)?;
    let patience = Some(PATIENT + GUARD);
    stream.set_read_timeout(patience).map_err(said)?;
    exchange(&mut stream, bytes).map_err(said)
}

/// `POST /v1/credentials` for `credential_process`.
pub(crate) fn by_control(lab: &Lab, want: Want) -> Told {
    let ask = json!({"profile": want.profile(), "interface": "process", "narrow": want.narrow()});
    let (status, body) = control(lab, "POST /v1/credentials", &ask.to_string())?;
    let seen = match status {
        200 => Seen::Given(Document::parse(&body)?),
        _ => problem(status, &body)?,
    };
    Ok((seen, std::process::id()))
}

/// A problem whose status fits its code.
pub(crate) fn problem(status: u16, body: &[u8]) -> Result<Seen, String> {
    let problem: Problem = serde_json::from_slice(body)
        .map_err(|error| format!("{status} with a body that is no problem: {error}"))?;
    if problem.code.http_status() != status {
        return Err(format!("{status} with the code {}", problem.code));
    }
    Ok(Seen::Code(problem.code, problem.message))
}

/// The client, ready to ask.
pub(crate) fn asking(lab: &Lab, want: Want, words: &[&str], command: &[&str]) -> Command {
    let reads = lab.path("reads.json").display().to_string();
    let narrowing = want.arguments(&reads);
    let mut all = vec![words[0], want.profile()];
    all.extend(&words[1..]);
    all.extend(narrowing.iter().map(String::as_str));
    all.extend(command);
    let mut client = lab.client(&all);
    client.env("ROLE", want.role());
    client
}

/// Has the session printed by the command that `exec` starts.
pub(crate) fn exec(lab: &Lab, want: Want, via: Via) -> Command {
    let (via, script) = match via {
        Via::Container => ("container", format!("{READ}{CONTAINER}")),
        Via::Imds => ("imds", format!("{READ}{IMDS}")),
        Via::Env => ("env", ENV.to_owned()),
    };
    asking(
        lab,
        want,
        &["exec", "--via", via],
        &["--", "/bin/bash", "-c", &script],
    )
}

/// Prints what comes, without another process that would hold the connection too.
const READ: &str = r#"
rest() { while IFS= read -r line <&3; do printf '%s\n' "$line"; done; printf '%s' "$line"; exec 3>&-; }
enter() { exec 3<>"/dev/tcp/${1%:*}/${1#*:}"; }
"#;

const CONTAINER: &str = r#"
url=${AWS_CONTAINER_CREDENTIALS_FULL_URI#http://} host=${url%%/*}
enter "$host"
printf 'GET /%s HTTP/1.1\r\nHost: %s\r\nAuthorization: %s\r\nConnection: close\r\n\r\n' "${url#*/}" "$host" "$AWS_CONTAINER_AUTHORIZATION_TOKEN" >&3
rest
"#;

const IMDS: &str = r#"
host=${AWS_EC2_METADATA_SERVICE_ENDPOINT#http://} host=${host%/}
enter "$host"
printf 'PUT /latest/api/token HTTP/1.1\r\nHost: %s\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\nConnection: close\r\n\r\n' "$host" >&3
while IFS= read -r line <&3; do :; done
exec 3>&-
enter "$host"
printf 'GET /latest/meta-data/iam/security-credentials/%s HTTP/1.1\r\nHost: %s\r\nX-aws-ec2-metadata-token: %s\r\nConnection: close\r\n\r\n' "$ROLE" "$host" "$line" >&3
rest
"#;

const ENV: &str = r#"
printf '{"AccessKeyId":"%s","SecretAccessKey":"%s","SessionToken":"%s","Expiration":"%s"}' "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY" "$AWS_SESSION_TOKEN" "$AWS_CREDENTIAL_EXPIRATION"
"#;

/// Starts it with its outputs piped.
pub(crate) fn started(mut command: Command) -> Result<Child, String> {
    let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    piped.spawn().map_err(|error| format!("a client: {error}"))
}

/// What a client printed: a document or an endpoint's answer, or one line and a hint on what is wrong.
pub(crate) fn printed(child: Child) -> Told {
    let pid = child.id();
    let ran = ended(child);
    for text in [&ran.stderr, &ran.stdout] {
        let shown = text.contains("canary") && (ran.code() != 0 || std::ptr::eq(text, &ran.stderr));
        if shown {
            return Err(format!(
                "a secret is shown by a client that ended with {}",
                ran.status
            ));
        }
    }
    if ran.code() != 0 {
        let form = ran.stderr.starts_with("jumpgate: ") && ran.stderr.contains("\n  hint: ");
        return match form && ran.stdout.is_empty() {
            true => Ok((Seen::Exit(ran.code(), ran.stderr), pid)),
            false => Err(format!(
                "{}: {:?}, {:?}",
                ran.status, ran.stderr, ran.stdout
            )),
        };
    }
    let seen = match ran.stdout.split_once("\r\n\r\n") {
        None => Seen::Given(Document::parse(ran.stdout.as_bytes())?),
        Some((head, body)) => {
            let status = head.split(' ').nth(1).and_then(|word| word.parse().ok());
            of_endpoint(status.unwrap_or(0), body.as_bytes())?
        }
    };
    Ok((seen, pid))
}

/// An endpoint's answer, of either kind.
fn of_endpoint(status: u16, body: &[u8]) -> Result<Seen, String> {
    if status == 200 {
        return Ok(Seen::Given(Document::parse(body)?));
    }
    let said: Value = serde_json::from_slice(body).unwrap_or_default();
    let code = said["code"].as_str().unwrap_or_default();
    let code = Code::ALL.iter().find(|known| known.as_str() == code);
    let message = said["message"].as_str().unwrap_or_default();
    Ok(match code {
        Some(code) => Seen::Code(*code, message.to_owned()),
        None => Seen::Status(status),
    })
}

impl Endpoint {
    /// Opens one by the control socket.
    pub(crate) fn open(lab: &Lab, want: Want, kind: &str) -> Result<Self, String> {
        let ask = json!({"profile": want.profile(), "kind": kind, "narrow": want.narrow()});
        let (status, body) = control(lab, "POST /v1/endpoints", &ask.to_string())?;
        let shown: Value = serde_json::from_slice(&body).unwrap_or_default();
        let url = shown["url"]
            .as_str()
            .and_then(|url| url.strip_prefix("http://"));
        let url = url.ok_or_else(|| format!("no endpoint: {status}"))?;
        let (address, path) = url.split_once('/').unwrap_or((url, ""));
        Ok(Self {
            want,
            address: address.to_owned(),
            path: path.to_owned(),
            token: shown["token"].as_str().unwrap_or_default().to_owned(),
            idle: Mutex::default(),
        })
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    fn head(&self, line: &str, header: &str) -> Vec<u8> {
        format!(
            "{line} HTTP/1.1\r\nHost: {}\r\n{header}\r\n\r\n",
            self.address
        )
        .into_bytes()
    }

    /// The session by the container's way.
    pub(crate) fn container(&self, kept: bool) -> Result<Seen, String> {
        let line = format!("GET /{}", self.path);
        let header = format!("Authorization: {}", self.token);
        let reply = self.asked(&self.head(&line, &header), kept)?;
        of_endpoint(reply.status, &reply.body)
    }

    /// The session by IMDSv2: a token, then the document.
    pub(crate) fn imds(&self, kept: bool) -> Result<Seen, String> {
        let life = "X-aws-ec2-metadata-token-ttl-seconds: 60";
        let token = self.asked(&self.head("PUT /latest/api/token", life), kept)?;
        if token.status != 200 {
            return Ok(Seen::Status(token.status));
        }
        let header = format!(
            "X-aws-ec2-metadata-token: {}",
            String::from_utf8_lossy(&token.body)
        );
        let role = self.want.role();
        let line = format!("GET /latest/meta-data/iam/security-credentials/{role}");
        let reply = self.asked(&self.head(&line, &header), kept)?;
        of_endpoint(reply.status, &reply.body)
    }

    /// One request; on a connection from before, if one is kept and still lives.
    fn asked(&self, request: &[u8], kept: bool) -> Result<Reply, String> {
        let before = kept.then(|| self.idle().pop()).flatten();
        if let Some(mut stream) = before
            && let Ok(Some(reply)) = exchange(&mut stream, request)
        {
            self.keep(stream, kept && !reply.last);
            return Ok(reply);
        }
        let said = |error: io::Error| format!("{}: {error}", self.address);
        let mut stream = self.connect().map_err(said)?;
        let reply = exchange(&mut stream, request).map_err(said)?;
        let reply = reply.ok_or_else(|| format!("{}: closed without an answer", self.address))?;
        self.keep(stream, kept && !reply.last);
        Ok(reply)
    }

    fn connect(&self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(PROMPT + GUARD))?;
        Ok(stream)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<TcpStream>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, stream: TcpStream, kept: bool) {
        if kept {
            self.idle().push(stream);
        }
    }

    /// Ends what is kept.
    pub(crate) fn part(&self) {
        self.idle().clear();
    }

    /// A request with another line, `Host` or header than it should have: the status, 0 where the connection just ended.
    pub(crate) fn misused(
        &self,
        line: &str,
        host: Option<&str>,
        header: &str,
    ) -> Result<u16, String> {
        let host = host.unwrap_or(&self.address);
        let line = line.replace("@PATH@", &self.path);
        let text = format!("{line} HTTP/1.1\r\nHost: {host}\r\n{header}\r\n\r\n");
        self.raw(text.as_bytes())
    }

    /// Any bytes: the status, 0 where the connection just ended.
    pub(crate) fn raw(&self, bytes: &[u8]) -> Result<u16, String> {
        let mut stream = self.connect().map_err(|error| error.to_string())?;
        match exchange(&mut stream, bytes) {
            Ok(reply) => Ok(reply.map_or(0, |reply| reply.status)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                Err("neither an answer nor an end".to_owned())
            }
            Err(_) => Ok(0),
        }
    }

    pub(crate) fn authorization(&self) -> String {
        format!("Authorization: {}", self.token)
    }
}

/// A connection that was begun and that nobody goes on with.
pub(crate) trait Abandoned: Send {}

impl<T: Read + Write + Send> Abandoned for T {}

/// Connects, and says nothing or half of it.
pub(crate) fn abandoned(
    mut stream: impl Read + Write + Send + 'static,
    half: bool,
) -> Box<dyn Abandoned> {
    if half {
        let _gone = stream.write_all(b"GET /v1/status HTTP/1.1\r\nHost: ag");
    }
    Box::new(stream)
}
