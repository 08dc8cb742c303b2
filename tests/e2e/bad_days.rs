//! Bad days at the endpoints of the real agent: other users, rude clients, ten thousand at once.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use jumpgate_tests::Lab;
use jumpgate_tests::lab::{DEV, finish};
use jumpgate_tests::sts::{Fault, When};
use serde_json::{Value, json};

use crate::built::{clock_to_set, lab, ready};
use crate::endpoints::{
    TOKEN, TTL, ask, authorized, imds_document, imds_token, open, warm, with_token,
};
use crate::surroundings::{PATIENCE, as_root, next_line, piped, raw};

fn url(endpoint: &Value) -> &str {
    endpoint["url"].as_str().unwrap()
}

/// `127.0.0.1:PORT`, and the path.
fn place(endpoint: &Value) -> (&str, String) {
    let rest = url(endpoint).strip_prefix("http://").unwrap();
    let (address, path) = rest.split_once('/').unwrap_or((rest, ""));
    (address, format!("/{path}"))
}

fn connected(endpoint: &Value) -> TcpStream {
    let stream = TcpStream::connect(place(endpoint).0).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn rest(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    let _reset = stream.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The statuses of the answers on a connection, in order.
fn statuses(answers: &str) -> Vec<u16> {
    let lines = answers.match_indices("HTTP/1.1 ");
    lines
        .map(|(at, start)| answers[at + start.len()..][..3].parse().unwrap())
        .collect()
}

/// Does something as another user, which on Linux one thread can be.
fn as_nobody(what: impl FnOnce() + Send) {
    std::thread::scope(|scope| {
        let other = scope.spawn(move || {
            let nobody = rustix::thread::Uid::from_raw(65_534);
            rustix::thread::set_thread_res_uid(nobody, nobody, nobody).unwrap();
            what();
        });
        other.join().unwrap();
    });
}

const STORM: usize = 20;

#[test]
fn c13_another_user_with_the_token_is_refused_on_all_interfaces() {
    if !as_root("another user at an endpoint") {
        return;
    }
    let lab = ready();
    let (container, imds) = (open(&lab, "dev", "container"), open(&lab, "dev", "imds"));
    let token = imds_token(&imds);
    // All doors open, which an agent does not let pass at its start.
    let socket = lab.socket();
    for path in socket.ancestors().take(4) {
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        std::fs::set_permissions(path, open).unwrap();
    }
    let body = r#"{"profile":"dev","interface":"process"}"#;
    let credentials = format!(
        "POST /v1/credentials HTTP/1.1\r\nHost: agent\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    as_nobody(|| {
        for _ in 0..STORM {
            assert_eq!(authorized(&container).0, 403);
            assert_eq!(imds_document(&imds, &token).0, 403);
            assert_eq!(raw(&lab, credentials.as_bytes()), "");
        }
    });
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(socket.parent().unwrap(), private).unwrap();
    let denials = lab.records("deny");
    assert_eq!(denials.len(), 3, "one for each interface: {denials:?}");
    for denial in denials {
        assert_eq!(denial["actor"]["process"]["user"]["uid"], "65534");
        assert_eq!(denial["count"], STORM);
    }
    assert_eq!(lab.double.count("AssumeRole"), 0);
    warm(&lab, &["dev"]);
    assert_eq!(authorized(&container).0, 200, "our own user is served");
    assert_eq!(imds_document(&imds, &token).0, 200);
}

#[test]
fn exec_that_is_killed_takes_its_endpoint_along() {
    let lab = ready();
    warm(&lab, &["dev"]);
    for via in ["container", "imds"] {
        let command = ["sh", "-c", "env; echo; exec cat"];
        let mut client = lab.client(&["exec", "dev", "--via", via, "--"]);
        client.args(command).stdin(Stdio::piped());
        let (mut child, mut output) = piped(client);
        let mut variables = std::collections::HashMap::new();
        loop {
            let line = next_line(&mut output);
            let Some((name, value)) = line.split_once('=') else {
                break;
            };
            variables.insert(name.to_owned(), value.to_owned());
        }
        let answer = || match via {
            "imds" => {
                let root = variables["AWS_EC2_METADATA_SERVICE_ENDPOINT"].trim_end_matches('/');
                ask(root, "PUT latest/api/token", &[(TTL, "60")]).0
            }
            _ => {
                let uri = &variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"];
                let token = &variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"];
                ask(uri, "GET", &[("Authorization", token)]).0
            }
        };
        assert_eq!(answer(), 200, "{via}");
        child.kill().unwrap();
        let killed = Instant::now();
        while !matches!(answer(), 0 | 403) {
            assert!(killed.elapsed() < PATIENCE, "{via} still serves");
        }
        child.wait().unwrap();
        let file = variables.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
        assert!(file.is_none_or(|file| !Path::new(file).exists()));
    }
    assert_eq!(lab.status()["endpoints"], json!([]));
    assert_eq!(lab.records("lease.end").len(), 2);
}

#[test]
fn pipelined_requests_are_answered_in_order_and_bodies_are_no_requests() {
    let lab = ready();
    warm(&lab, &["dev"]);
    let (container, imds) = (open(&lab, "dev", "container"), open(&lab, "dev", "imds"));
    let token = container["token"].as_str().unwrap();
    let path = place(&container).1;
    let one = |method: &str, token: &str, more: &str| {
        format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {token}\r\n{more}\r\n"
        )
    };
    let good = one("GET", token, "");
    let mut stream = connected(&container);
    let last = one("GET", token, "Connection: close\r\n");
    let (wrong, post) = (one("GET", "wrong", ""), one("POST", token, ""));
    let all = [good.as_str(), &wrong, &post, &last];
    stream.write_all(all.concat().as_bytes()).unwrap();
    assert_eq!(statuses(&rest(stream)), [200, 403, 405, 200]);

    // What stands in a body, or behind a request that cannot be read, is nobody's request.
    let length = good.len();
    for (more, body, expected) in [
        (
            format!("Content-Length: {length}\r\n"),
            good.clone(),
            &[200][..],
        ),
        (
            "Transfer-Encoding: chunked\r\n".to_owned(),
            format!("{length:x}\r\n{good}\r\n0\r\n\r\n"),
            &[413],
        ),
        (
            format!("Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n"),
            format!("0\r\n\r\n{good}"),
            &[413],
        ),
        (
            "Content-Length: 1025\r\n".to_owned(),
            "x".repeat(1025),
            &[413],
        ),
        ("Content-Length: -1\r\n".to_owned(), good.clone(), &[400]),
        (
            "Transfer-Encoding: gzip\r\n".to_owned(),
            good.clone(),
            &[400],
        ),
    ] {
        let mut stream = connected(&container);
        let sent = format!(
            "{}{body}",
            one("GET", token, &(more.clone() + "Connection: close\r\n"))
        );
        let _refused_early = stream.write_all(sent.as_bytes());
        let answers = statuses(&rest(stream));
        let refused = expected != [200] && answers.is_empty();
        assert!(answers == expected || refused, "{more}: {answers:?}");
    }
    let root = place(&imds).0;
    let text = format!(
        "PUT /latest/api/token HTTP/1.1\r\nHost: {root}\r\n{TTL}: 60\r\n\r\n\
         GET / HTTP/1.1\r\nHost: {root}\r\n\r\n\
         BREW / HTTP/1.1\r\nHost: {root}\r\nConnection: close\r\n\r\n"
    );
    let mut stream = connected(&imds);
    stream.write_all(text.as_bytes()).unwrap();
    assert_eq!(statuses(&rest(stream)), [200, 401, 405]);
}

/// A head in small pieces for ever: it ends when the time for a head is over, from its first byte. The connection had
/// been of use before.
#[test]
fn who_takes_forever_for_a_head_is_cut_off() {
    let lab = ready();
    let imds = open(&lab, "dev", "imds");
    for before in ["", "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"] {
        let mut stream = connected(&imds);
        stream.write_all(before.as_bytes()).unwrap();
        if !before.is_empty() {
            assert_ne!(stream.read(&mut [0; 4096]).unwrap(), 0);
        }
        let began = Instant::now();
        stream.write_all(b"GET / HTTP/1.1\r\nX: ").unwrap();
        stream
            .set_read_timeout(Some(Duration::from_millis(100)))
            .unwrap();
        let mut bytes = [0; 4096];
        loop {
            match stream.read(&mut bytes) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(_) => break,
            }
            assert!(began.elapsed() < PATIENCE, "a slow peer is served for ever");
            if stream.write_all(b"x").is_err() {
                break;
            }
        }
    }
    assert_eq!(ask(url(&imds), "GET", &[]).0, 401);
}

#[test]
fn c14_hundreds_who_leave_before_the_answer() {
    let lab = ready();
    let (container, imds) = (open(&lab, "dev", "container"), open(&lab, "dev", "imds"));
    let token = imds_token(&imds);
    lab.double.inject(Fault::Hold, When::call("AssumeRole"));
    for _ in 0..200 {
        let (address, path) = place(&container);
        let key = container["token"].as_str().unwrap();
        let text =
            format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: {key}\r\n\r\n");
        connected(&container).write_all(text.as_bytes()).unwrap();
        let text = format!(
            "GET /latest/meta-data/ HTTP/1.1\r\nHost: 127.0.0.1\r\n{TOKEN}: {token}\r\n\r\n"
        );
        connected(&imds).write_all(text.as_bytes()).unwrap();
        drop(connected(&imds));
    }
    lab.double.release();
    lab.double.clear_faults();
    lab.run(&["credential-process", "dev"]).good();
    assert_eq!(authorized(&container).0, 200);
    assert_eq!(imds_document(&imds, &token).0, 200);
    assert_eq!(lab.double.count("AssumeRole"), 1);
}

#[test]
fn the_token_directory_may_go_and_comes_back() {
    let lab = ready();
    warm(&lab, &["dev"]);
    let endpoint = open(&lab, "dev", "container");
    let file = Path::new(endpoint["token_file"].as_str().unwrap());
    std::fs::remove_dir_all(file.parent().unwrap()).unwrap();
    assert_eq!(authorized(&endpoint).0, 200, "the token is not the file");
    let shown = finish(
        lab.client(&[
            "exec",
            "dev",
            "--",
            "sh",
            "-c",
            "cat $AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        ]),
        "",
    );
    assert_eq!(
        shown.good().stdout.len(),
        43,
        "another has its file in a new one"
    );
    assert_eq!(open(&lab, "dev", "container"), endpoint, "the same again");
    assert!(file.exists());
    // Where others may look in, nothing is written.
    let open_to_all = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(file.parent().unwrap(), open_to_all).unwrap();
    let refused = lab.run(&["exec", "dev", "--", "true"]);
    assert!(
        !refused.status.success() && refused.stderr.contains("hint"),
        "{}",
        refused.stderr
    );
    std::fs::remove_dir_all(file.parent().unwrap()).unwrap();
    lab.run(&["lease", "end", endpoint["lease"].as_str().unwrap()])
        .good();
    let key = endpoint["token"].as_str().unwrap();
    assert_eq!(with_token(&endpoint, key).0, 403);
    assert_eq!(lab.status()["endpoints"], json!([]));
}

const REQUESTS: usize = 10_000;

/// So many connections, half of them on each interface.
const KEPT: usize = 64;

/// The double answers after so many requests; much later, the agent would ask again.
const BEFORE_THE_ANSWER: usize = 500;

/// A connection that is kept, and the request that is made on it again and again.
struct Kept {
    stream: BufReader<TcpStream>,
    head: String,
}

impl Kept {
    /// Known to the agent: under load, the first answer to many at once may not come in time.
    fn new(endpoint: &Value, head: &str) -> Self {
        let (stream, head) = (BufReader::new(connected(endpoint)), head.to_owned());
        let mut kept = Self { stream, head };
        let began = Instant::now();
        while kept.ask().0 != 200 {
            assert!(began.elapsed() < PATIENCE, "never served");
        }
        kept
    }

    fn ask(&mut self) -> (u16, String) {
        self.stream
            .get_mut()
            .write_all(self.head.as_bytes())
            .unwrap();
        let status = statuses(&self.line())[0];
        let mut length = 0;
        loop {
            let line = self.line().to_lowercase();
            if line == "\r\n" {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).unwrap();
        (status, String::from_utf8(body).unwrap())
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        assert_ne!(self.stream.read_line(&mut line).unwrap(), 0, "closed");
        line
    }

    /// Asks as long as there are requests to be made; the access key ids that it was answered with.
    fn ask_again(mut self, done: &AtomicUsize) -> Vec<String> {
        let mut keys = Vec::new();
        while done.fetch_add(1, Ordering::Relaxed) < REQUESTS {
            let (status, body) = self.ask();
            assert_eq!(status, 200, "{} were served: {body}", keys.len());
            let document: Value = serde_json::from_str(&body).unwrap();
            keys.push(document["AccessKeyId"].as_str().unwrap().to_owned());
        }
        keys
    }
}

/// An agent whose clock can be set ahead, and alice's key.
fn with_a_clock_to_set() -> Option<Lab> {
    let mut lab = lab(DEV);
    if !clock_to_set(&mut lab) {
        return None;
    }
    lab.start_agent();
    lab.add_identity();
    Some(lab)
}

/// 25 minutes before the end: due for container credentials, short for IMDS.
#[test]
fn ten_thousand_requests_during_a_refresh_cost_one_call_and_no_error() {
    let Some(lab) = with_a_clock_to_set() else {
        return;
    };
    let old = lab.run(&["credential-process", "dev"]).good().json();
    let old = old["AccessKeyId"].as_str().unwrap();
    let (container, imds) = (open(&lab, "dev", "container"), open(&lab, "dev", "imds"));
    let of_container = format!(
        "GET {} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {}\r\n\r\n",
        place(&container).1,
        container["token"].as_str().unwrap()
    );
    let of_imds = format!(
        "GET /latest/meta-data/iam/security-credentials/Developer HTTP/1.1\r\nHost: 127.0.0.1\r\n{TOKEN}: {}\r\n\r\n",
        imds_token(&imds)
    );
    let kept: Vec<_> = (0..KEPT)
        .map(|n| match n % 2 {
            0 => Kept::new(&container, &of_container),
            _ => Kept::new(&imds, &of_imds),
        })
        .collect();
    lab.double.inject(Fault::Hold, When::call("AssumeRole"));
    lab.double.set_clock_offset(2100);
    std::fs::write(lab.path("later"), "2100").unwrap();
    let done = AtomicUsize::new(0);
    let keys: Vec<String> = std::thread::scope(|scope| {
        let asking = |kept: Kept| scope.spawn(|| kept.ask_again(&done));
        let asking: Vec<_> = kept.into_iter().map(asking).collect();
        assert!(lab.double.wait_for_arrivals("AssumeRole", 2, PATIENCE));
        while done.load(Ordering::Relaxed) < BEFORE_THE_ANSWER
            && asking.iter().any(|one| !one.is_finished())
        {
            std::thread::yield_now();
        }
        lab.double.release();
        asking
            .into_iter()
            .flat_map(|one| one.join().unwrap())
            .collect()
    });
    assert_eq!(keys.len(), REQUESTS);
    assert!(lab.double.wait_for_events("AssumeRole", 2, PATIENCE));
    let began = Instant::now();
    let new = loop {
        let (status, body) = authorized(&container);
        assert_eq!(status, 200, "{body}");
        let document: Value = serde_json::from_str(&body).unwrap();
        if document["AccessKeyId"] != old {
            break document["AccessKeyId"].as_str().unwrap().to_owned();
        }
        assert!(began.elapsed() < PATIENCE, "the new session did not come");
    };
    assert!(keys.iter().all(|key| *key == old || *key == new));
    let before = keys.iter().filter(|key| *key == old).count();
    assert!(before >= BEFORE_THE_ANSWER - KEPT, "{before}");
    assert_eq!(lab.double.count("AssumeRole"), 2, "one for the refresh");
    assert!(lab.records("deny").is_empty());
}
