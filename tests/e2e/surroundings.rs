//! What the tests of bad days share: what a refusal looks like, bytes on the socket, the journal as it grows.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use jumpgate_tests::skip::skip;
use jumpgate_tests::{Lab, Ran};

/// Longer than anything here may take on a busy machine; a test that waits this long has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Whether the test runs as root; notes the skip otherwise.
pub(crate) fn as_root(what: &str) -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        skip(what, "it takes root");
    }
    root
}

/// Whether a program is there; notes the skip otherwise.
pub(crate) fn has(program: &str, what: &str) -> bool {
    let found = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"]
        .iter()
        .any(|directory| Path::new(directory).join(program).is_file());
    if !found {
        skip(what, &format!("{program} is not installed"));
    }
    found
}

/// It failed as a program that calls it must see: this exit status, nothing on stdout, one line that says what
/// happened, one that says what to do.
#[track_caller]
pub(crate) fn refused(ran: &Ran, exit: i32, what: &str, hint: &str) {
    assert_eq!(ran.code(), exit, "{}", ran.stderr);
    assert_eq!(ran.stdout, "");
    let lines: Vec<&str> = ran.stderr.lines().collect();
    let [message, advice] = lines.as_slice() else {
        panic!("one line and a hint: {}", ran.stderr);
    };
    assert!(message.starts_with("jumpgate: "), "{message}");
    assert!(message.contains(what), "{message:?} lacks {what:?}");
    assert!(advice.starts_with("  hint: "), "{advice}");
    assert!(advice.contains(hint), "{advice:?} lacks {hint:?}");
}

/// Runs the client until it succeeds; the bound is on time, and there is no pause but the client's own.
#[track_caller]
pub(crate) fn until_good(lab: &Lab, arguments: &[&str]) -> Ran {
    let began = Instant::now();
    loop {
        let ran = lab.run(arguments);
        if ran.status.success() {
            return ran;
        }
        assert!(began.elapsed() < PATIENCE, "{}", ran.stderr);
    }
}

/// A connection to the control socket.
#[track_caller]
pub(crate) fn connected(lab: &Lab) -> UnixStream {
    let stream = UnixStream::connect(lab.socket()).expect("an agent listens");
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Sends bytes as they are and reads whatever comes until the agent closes. Writing may fail: an agent that
/// refuses early may close before it has read everything.
#[track_caller]
pub(crate) fn raw(lab: &Lab, bytes: &[u8]) -> String {
    let mut stream = connected(lab);
    let _refused_early = stream.write_all(bytes);
    rest(&mut stream)
}

/// Everything up to the end of a connection, a reset among its possible ends.
#[track_caller]
pub(crate) fn rest(stream: &mut UnixStream) -> String {
    let mut bytes = Vec::new();
    if let Err(error) = stream.read_to_end(&mut bytes) {
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}");
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A child with a pipe as its standard output, and the pipe.
pub(crate) fn piped(mut command: Command) -> (Child, BufReader<std::process::ChildStdout>) {
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    (child, output)
}

/// The next line of a child.
pub(crate) fn next_line(output: &mut impl BufRead) -> String {
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

/// `journal tail`: records as they are written.
pub(crate) struct Following {
    client: Child,
    lines: BufReader<std::process::ChildStdout>,
}

impl Following {
    /// From now on.
    pub(crate) fn of(lab: &Lab) -> Self {
        let (client, lines) = piped(lab.client(&["journal", "tail", "--json"]));
        let mut following = Self { client, lines };
        // It begins with the records that are there; after those it follows.
        lab.run(&["journal", "verify"]).good();
        for _ in 0..lab.journal().len().min(10) {
            next_line(&mut following.lines);
        }
        following
    }

    /// The next record of this activity.
    pub(crate) fn next(&mut self, activity: &str) -> serde_json::Value {
        loop {
            let line = next_line(&mut self.lines);
            assert!(!line.is_empty(), "the journal ended");
            let record: serde_json::Value = serde_json::from_str(&line).unwrap();
            if record["activity_name"] == activity {
                return record;
            }
        }
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let _gone = self.client.kill();
        let _gone = self.client.wait();
    }
}
