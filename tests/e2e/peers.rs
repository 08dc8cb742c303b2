//! Whoever connects: another user, half a request, too large a one, ten thousand at once. Refused or bounded, and
//! the agent goes on serving.

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use jumpgate_tests::Lab;
use jumpgate_tests::lab::{DEV, Ran, finish};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

use crate::built::{lab, ready};
use crate::surroundings::{PATIENCE, as_root, connected, has, raw, rest};

/// How long the agent lets a peer take for its head, and again for its body.
const AGENT_PATIENCE: Duration = Duration::from_secs(5);

/// A whole request.
const STATUS: &str = "GET /v1/status HTTP/1.1\r\nHost: jumpgate\r\nConnection: close\r\n\r\n";

fn running() -> Lab {
    let lab = lab("");
    lab.start_agent();
    lab
}

/// The status of an answer, or nothing where the agent closed without one.
fn status(answer: &str) -> Option<u16> {
    let line = answer.strip_prefix("HTTP/1.1 ")?;
    line.get(..3)?.parse().ok()
}

fn code(answer: &str) -> String {
    let body = answer.split("\r\n\r\n").nth(1).unwrap_or_default();
    let problem: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    problem["code"].as_str().unwrap_or_default().to_owned()
}

/// Connects as another user, which on Linux one thread can be, and asks for the status.
fn answer_to_nobody(lab: &Lab) -> String {
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let nobody = rustix::thread::Uid::from_raw(65_534);
            rustix::thread::set_thread_res_uid(nobody, nobody, nobody).unwrap();
            raw(lab, STATUS.as_bytes())
        });
        asking.join().unwrap()
    })
}

fn open_to_everyone(path: &Path) {
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o777)).unwrap();
}

#[test]
fn another_user_gets_no_byte_and_is_recorded_once() {
    if !as_root("another user's connection") {
        return;
    }
    let lab = running();
    // Worse than what the agent lets pass at its start: everybody may come in.
    let socket = lab.socket();
    for path in socket.ancestors().take(4) {
        open_to_everyone(path);
    }
    for _ in 0..3 {
        assert_eq!(answer_to_nobody(&lab), "", "no byte, not even a refusal");
    }
    std::fs::set_permissions(socket.parent().unwrap(), PermissionsExt::from_mode(0o700)).unwrap();
    let records = lab.records("deny");
    let [record] = records.as_slice() else {
        panic!("{records:?}")
    };
    assert_eq!(record["actor"]["process"]["user"]["uid"], "65534");
    assert_eq!(record["count"], 3);
    assert_eq!(record["status"], "Failure");
    assert!(
        record["status_detail"]
            .as_str()
            .unwrap()
            .contains("uid 65534")
    );
}

/// Half a request, bit by bit or not: the connection ends when the time for a head is over, which is measured
/// from the connection's start and not from the last byte.
#[test]
fn a_slow_peer_is_cut_off() {
    let lab = running();
    let began = Instant::now();
    let mut silent = connected(&lab);
    let mut half = connected(&lab);
    half.write_all(b"GET /v1/sta").unwrap();
    let mut body = connected(&lab);
    body.write_all(b"POST /v1/unlock HTTP/1.1\r\nHost: jumpgate\r\nContent-Length: 100\r\n\r\n{")
        .unwrap();
    let mut slow = connected(&lab);
    slow.write_all(b"GET /v1/status HTTP/1.1\r\nX: ").unwrap();
    // One byte whenever a tenth of a second has passed without an answer.
    slow.set_read_timeout(Some(Duration::from_millis(100)))
        .unwrap();
    let answer = loop {
        let mut bytes = [0; 4096];
        match slow.read(&mut bytes) {
            Ok(length) => break String::from_utf8_lossy(&bytes[..length]).into_owned(),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => break String::new(),
        }
        assert!(began.elapsed() < PATIENCE, "a slow peer is served for ever");
        if slow.write_all(b"x").is_err() {
            break String::new();
        }
    };
    assert!(matches!(status(&answer), None | Some(408)), "{answer}");
    for stream in [&mut silent, &mut half] {
        let answer = rest(stream);
        assert!(matches!(status(&answer), None | Some(408)), "{answer}");
    }
    assert_eq!(code(&rest(&mut body)), "invalid_request");
    let took = began.elapsed();
    assert!(took >= AGENT_PATIENCE, "cut off too early: {took:?}");
    assert!(took < AGENT_PATIENCE * 4, "cut off too late: {took:?}");
    lab.status();
}

#[test]
fn what_is_too_large_is_refused() {
    let lab = running();
    let head = format!(
        "GET /v1/status HTTP/1.1\r\nX: {}\r\n\r\n",
        "x".repeat(1 << 20)
    );
    assert!(matches!(
        status(&raw(&lab, head.as_bytes())),
        None | Some(431)
    ));
    let path = format!("GET /v1/profiles/{} HTTP/1.1\r\n\r\n", "x".repeat(1 << 20));
    assert!(matches!(
        status(&raw(&lab, path.as_bytes())),
        None | Some(414 | 431)
    ));
    let lines = format!(
        "GET /v1/status HTTP/1.1\r\n{}\r\n",
        "X: y\r\n".repeat(10_000)
    );
    assert!(matches!(
        status(&raw(&lab, lines.as_bytes())),
        None | Some(431)
    ));

    let size = 300 * 1024;
    let body = "x".repeat(size);
    let whole = format!(
        "POST /v1/credentials HTTP/1.1\r\nHost: jumpgate\r\nContent-Length: {size}\r\n\r\n{body}"
    );
    refused_or_closed(&raw(&lab, whole.as_bytes()));
    let claimed = format!(
        "POST /v1/credentials HTTP/1.1\r\nHost: jumpgate\r\nContent-Length: {}\r\n\r\n",
        u64::MAX
    );
    assert!(matches!(
        status(&raw(&lab, claimed.as_bytes())),
        None | Some(400 | 431)
    ));
    let chunk = format!("{size:x}\r\n{body}\r\n0\r\n\r\n");
    let chunked = format!(
        "POST /v1/credentials HTTP/1.1\r\nHost: jumpgate\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}"
    );
    refused_or_closed(&raw(&lab, chunked.as_bytes()));
    lab.status();
}

#[track_caller]
fn refused_or_closed(answer: &str) {
    match status(answer) {
        None => {}
        Some(_) => assert_eq!(code(answer), "invalid_request", "{answer}"),
    }
}

#[test]
fn what_is_no_request_is_refused() {
    let lab = running();
    let garbage: Vec<u8> = (0..100_000_u32)
        .map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0])
        .collect();
    for bytes in [
        garbage.as_slice(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\r\n\r\n\r\n\r\nhello\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /v1/status HTTP/9.9\r\n\r\n",
        b"GET /v1/status HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST /v1/lock HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"GET /v1/\x00status HTTP/1.1\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let answer = raw(&lab, bytes);
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]);
        assert!(
            matches!(status(&answer), None | Some(400 | 404 | 505)),
            "{shown}: {answer}"
        );
    }
    assert!(
        !lab.status()["locked"].as_bool().unwrap(),
        "none of it was obeyed"
    );
}

#[test]
fn every_other_request_has_a_problem_for_an_answer() {
    let lab = running();
    let json = "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
    for (request, expected) in [
        ("GET /v2/status HTTP/1.1\r\n\r\n", "unsupported_version"),
        ("GET / HTTP/1.1\r\n\r\n", "unsupported_version"),
        (
            "GET http://jumpgate/v1/nothing HTTP/1.1\r\n\r\n",
            "not_found",
        ),
        ("GET /v1/nothing HTTP/1.1\r\n\r\n", "not_found"),
        ("GET /v1/credentials HTTP/1.1\r\n\r\n", "not_found"),
        ("DELETE /v1/status HTTP/1.1\r\n\r\n", "not_found"),
        ("OPTIONS * HTTP/1.1\r\n\r\n", "unsupported_version"),
        (
            "CONNECT sts.amazonaws.com:443 HTTP/1.1\r\n\r\n",
            "unsupported_version",
        ),
        (
            "GET /v1/profiles/dev%2f..%2fx HTTP/1.1\r\n\r\n",
            "profile_not_found",
        ),
        (
            "GET /v1/profiles/%64ev HTTP/1.1\r\n\r\n",
            "profile_not_found",
        ),
        ("GET /v1/profiles/%zz HTTP/1.1\r\n\r\n", "invalid_request"),
        ("GET /v1/profiles/%00 HTTP/1.1\r\n\r\n", "invalid_request"),
        (
            "GET /v1/profiles/%ff%fe HTTP/1.1\r\n\r\n",
            "invalid_request",
        ),
        (
            &format!("POST /v1/credentials HTTP/1.1\r\n{json}"),
            "invalid_request",
        ),
        (
            "POST /v1/credentials HTTP/1.1\r\nContent-Length: 3\r\n\r\n\u{1b}[2",
            "invalid_request",
        ),
    ] {
        let request = request.replacen("HTTP/1.1\r\n", "HTTP/1.1\r\nHost: jumpgate\r\n", 1);
        let answer = raw(&lab, request.as_bytes());
        assert_eq!(code(&answer), expected, "{request:?}: {answer}");
        assert!(
            answer.to_lowercase().contains("cache-control: no-store"),
            "{answer}"
        );
    }
}

#[test]
fn chunked_bodies_curl_and_requests_one_after_the_other() {
    let lab = running();
    let (one, two) = (r#"{"profile":"#, r#""nobody","interface":"process"}"#);
    let chunks = format!(
        "{:x}\r\n{one}\r\n{:x}\r\n{two}\r\n0\r\n\r\n",
        one.len(),
        two.len()
    );
    let chunked = format!(
        "POST /v1/credentials HTTP/1.1\r\nHost: jumpgate\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}"
    );
    assert_eq!(code(&raw(&lab, chunked.as_bytes())), "profile_not_found");

    // One request a connection: what is sent behind it is not obeyed.
    let pipelined = "GET /v1/status HTTP/1.1\r\nHost: a\r\n\r\nPOST /v1/lock HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n";
    let answer = raw(&lab, pipelined.as_bytes());
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
    assert!(
        !lab.status()["locked"].as_bool().unwrap(),
        "the second was obeyed"
    );

    if has("curl", "curl --unix-socket") {
        let mut curl = lab.program(
            Path::new("curl"),
            &["--silent", "--show-error", "--fail", "--unix-socket"],
        );
        curl.arg(lab.socket()).arg("http://jumpgate/v1/status");
        let pid = finish(curl, "").good().json()["pid"].clone();
        assert_eq!(pid, lab.agent_pid());
    }
}

const CROWD: usize = 10_000;

/// What the kernel holds for a busy agent at most: its own connections and a full queue of those that wait.
const HELD: usize = 6_000;

#[test]
fn ten_thousand_connections_are_bounded() {
    let lab = ready();
    lab.run(&["credential-process", "dev"]).good();
    raise_descriptors();
    let before = resident_kib(&lab);
    let began = Instant::now();
    let mut crowd = Vec::new();
    let mut refused = 0;
    for _ in 0..CROWD {
        match knock(&lab) {
            Some(stream) if crowd.len() < HELD => crowd.push(stream),
            Some(_) => {}
            None => refused += 1,
        }
    }
    // Nobody is served beyond the limit, and the kernel keeps no more than its queue: what is open is bounded.
    let shown = format!(
        "{} held, {refused} refused, {:?}",
        crowd.len(),
        began.elapsed()
    );
    assert!(refused > 0, "all {CROWD} were let in: {shown}");
    let during = resident_kib(&lab);
    drop(crowd);
    assert_served(&lab.run(&["credential-process", "dev"]));
    let after = resident_kib(&lab);
    for (when, size) in [("during", during), ("after", after)] {
        let grown = size.saturating_sub(before);
        assert!(
            grown < 20_000,
            "{when}: {before} KiB became {size} KiB; {shown}"
        );
    }
}

/// Below the limit, those that say nothing keep nobody waiting.
#[test]
fn a_few_hundred_idle_connections_keep_nobody_waiting() {
    let lab = ready();
    raise_descriptors();
    let began = Instant::now();
    let crowd: Vec<UnixStream> = (0..400).map(|_| connected(&lab)).collect();
    assert_served(&lab.run(&["credential-process", "dev"]));
    assert!(
        began.elapsed() < AGENT_PATIENCE,
        "it waited until they were cut off"
    );
    drop(crowd);
}

#[track_caller]
fn assert_served(ran: &Ran) {
    assert_eq!((ran.code(), ran.stderr.as_str()), (0, ""));
}

/// A connection, unless the queue is full; says half a word.
fn knock(lab: &Lab) -> Option<UnixStream> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket =
        rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None).unwrap();
    let address = SocketAddrUnix::new(lab.socket()).unwrap();
    match rustix::net::connect(&socket, &address) {
        Ok(()) => {
            let mut stream = UnixStream::from(socket);
            let _nobody_reads_yet = stream.write_all(&STATUS.as_bytes()[..20]);
            Some(stream)
        }
        Err(rustix::io::Errno::AGAIN) => None,
        Err(error) => panic!("{error}"),
    }
}

fn raise_descriptors() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised).unwrap();
}

/// The agent's memory as `status` of the kernel has it: readable though the agent cannot be traced.
fn resident_kib(lab: &Lab) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", lab.agent_pid())).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// The most readers of the journal that the agent serves at a time.
const READERS: usize = 32;

#[test]
fn readers_of_the_journal_who_never_leave_keep_nobody_out() {
    let lab = ready();
    let follow = b"GET /v1/journal?follow=true HTTP/1.1\r\nHost: jumpgate\r\n\r\n";
    let mut readers: Vec<UnixStream> = (0..READERS).map(|_| connected(&lab)).collect();
    for reader in &mut readers {
        reader.write_all(follow).unwrap();
        let mut first = [0];
        reader.read_exact(&mut first).unwrap();
    }
    let answer = raw(&lab, follow);
    assert_eq!(
        (status(&answer), code(&answer).as_str()),
        (Some(503), "busy")
    );
    lab.run(&["credential-process", "dev"]).good();
    lab.status();
}

/// A program that stands where the rule says, in a mount namespace of its own. Anybody can make one.
#[test]
fn another_program_at_the_path_of_a_rule_is_not_the_one_of_the_rule() {
    if !as_root("a mount namespace") || !has("unshare", "a mount namespace") {
        return;
    }
    let rule = "peers = [{ exe = \"@HOME@/allowed/jumpgate\" }]\n";
    let lab = lab(&format!("{DEV}{rule}"));
    let (allowed, client) = (lab.path("allowed"), lab.client(&["profile", "list"]));
    std::fs::create_dir(&allowed).unwrap();
    let real = allowed.join("jumpgate");
    std::fs::copy(client.get_program(), &real).unwrap();
    lab.start_agent();
    let listed = |command| finish(command, "").good().stdout;
    assert!(listed(lab.program(&real, &["profile", "list"])).contains("dev"));
    assert_eq!(listed(client), "");
    let script = "mount -t tmpfs none \"$1\" && cp \"$2\" \"$1/jumpgate\" && exec \"$1/jumpgate\" profile list";
    let mut disguised = lab.program("unshare".as_ref(), &["-m", "--propagation", "private"]);
    disguised.args(["sh", "-c", script, "sh"]).arg(&allowed);
    disguised.arg(lab.client(&[]).get_program());
    assert_eq!(listed(disguised), "");
}
