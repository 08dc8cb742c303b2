//! Each fault on demand does what it says, to the calls that it was planned for, and is recorded.

use crate::client::{Draft, Reply, receive, send, wire};
use crate::lab::{Bench, Lab, OPEN};
use jumpgate_tests::sts::{Fault, When};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(20);

fn bench_with(fault: Fault) -> Bench {
    let bench = Lab { without: None }.plain();
    bench
        .double
        .inject(fault, When::call("AssumeRole").times(1));
    bench
}

/// Alice's AssumeRole; `None` where no whole answer came.
fn assume(bench: &Bench) -> Option<Reply> {
    let draft = bench.draft(
        "AssumeRole",
        &[("RoleArn", OPEN), ("RoleSessionName", "alice")],
    );
    send(&draft, Some(&bench.alice()), bench.double.address())
}

fn recorded_fault(bench: &Bench) -> Option<String> {
    bench.double.events_of("AssumeRole")[0].fault.clone()
}

#[test]
fn errors_are_answered_once_and_then_no_more() {
    let other = Fault::Error {
        status: 418,
        code: "Teapot".into(),
        message: "<short>".into(),
    };
    let table = [
        (Fault::InternalFailure, "500 InternalFailure"),
        (Fault::ServiceUnavailable, "503 ServiceUnavailable"),
        (Fault::Throttling, "400 Throttling"),
        (other, "418 Teapot"),
    ];
    for (fault, outcome) in table {
        let name = fault.name();
        let bench = bench_with(fault);
        assert_eq!(
            bench.identity(&bench.alice()),
            "200",
            "another action is not met"
        );
        assert_eq!(assume(&bench).unwrap().outcome(), outcome);
        assert_eq!(assume(&bench).unwrap().outcome(), "200", "once only");
        let event = &bench.double.events_of("AssumeRole")[0];
        assert_eq!(event.fault.as_deref(), Some(name.as_str()));
        assert_eq!(event.error_code.as_deref(), outcome.split(' ').nth(1));
        assert_eq!(event.issued, None);
    }
}

#[test]
fn several_faults_are_met_in_their_order_until_they_are_cleared() {
    let bench = Lab { without: None }.plain();
    bench
        .double
        .inject(Fault::Throttling, When::always().times(2));
    bench
        .double
        .inject(Fault::ServiceUnavailable, When::always());
    let outcomes: Vec<String> = (0..4).map(|_| bench.opens(&[])).collect();
    let unavailable = "503 ServiceUnavailable";
    assert_eq!(
        outcomes,
        ["400 Throttling", "400 Throttling", unavailable, unavailable]
    );
    bench.double.clear_faults();
    assert_eq!(bench.opens(&[]), "200");
}

#[test]
fn a_delayed_answer_is_the_right_one_later() {
    let bench = bench_with(Fault::Delay(Duration::from_millis(120)));
    let before = Instant::now();
    assert_eq!(assume(&bench).unwrap().outcome(), "200");
    assert!(before.elapsed() >= Duration::from_millis(120));
    assert_eq!(recorded_fault(&bench).as_deref(), Some("Delay"));
}

#[test]
fn a_held_call_waits_until_it_is_released() {
    let bench = bench_with(Fault::Hold);
    thread::scope(|scope| {
        let held = scope.spawn(|| assume(&bench).unwrap().outcome());
        assert!(bench.double.wait_for_arrivals("AssumeRole", 1, PATIENCE));
        assert_eq!(
            bench.identity(&bench.alice()),
            "200",
            "others go on meanwhile"
        );
        assert_eq!(bench.double.count("AssumeRole"), 0, "not answered yet");
        assert!(!held.is_finished());
        bench.double.release();
        assert_eq!(held.join().unwrap(), "200");
    });
    assert!(bench.double.wait_for_events("AssumeRole", 1, PATIENCE));
    assert!(
        !bench
            .double
            .wait_for_events("AssumeRole", 2, Duration::ZERO)
    );
}

#[test]
fn a_hanging_call_gets_no_answer_and_the_double_still_stops() {
    let bench = bench_with(Fault::Hang);
    let address = bench.double.address();
    let draft = bench.draft(
        "AssumeRole",
        &[("RoleArn", OPEN), ("RoleSessionName", "alice")],
    );
    let alice = bench.alice();
    let client = thread::spawn(move || send(&draft, Some(&alice), address));
    assert!(bench.double.wait_for_events("AssumeRole", 1, PATIENCE));
    let event = bench.double.events_of("AssumeRole").remove(0);
    assert_eq!((event.fault.as_deref(), event.status), (Some("Hang"), 0));
    assert!(!client.is_finished());
    drop(bench);
    assert_eq!(client.join().unwrap(), None);
}

#[test]
fn a_reset_is_a_reset() {
    let bench = bench_with(Fault::Reset);
    let draft = bench.draft(
        "AssumeRole",
        &[("RoleArn", OPEN), ("RoleSessionName", "alice")],
    );
    let mut stream = TcpStream::connect(bench.double.address()).unwrap();
    let bytes = wire(&draft, Some(&bench.alice()), bench.double.address());
    std::io::Write::write_all(&mut stream, &bytes).unwrap();
    let error = std::io::Read::read(&mut stream, &mut [0; 16]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    assert_eq!(recorded_fault(&bench).as_deref(), Some("Reset"));
}

/// Ten minutes off, a signature of now is too old; and the Date header says which time it is there.
#[test]
fn a_wrong_clock_refuses_signatures_and_shows_itself() {
    for offset in [-600, 600] {
        let bench = bench_with(Fault::WrongClock(offset));
        let reply = assume(&bench).unwrap();
        assert_eq!(reply.outcome(), "400 RequestExpired");
        let event = &bench.double.events_of("AssumeRole")[0];
        assert!((event.time - bench.double.now() - offset).abs() <= 2);
        assert!(reply.head.contains("\r\nDate: "));
    }
    let bench = bench_with(Fault::WrongClock(240));
    assert_eq!(
        assume(&bench).unwrap().outcome(),
        "200",
        "four minutes are tolerated"
    );
    let issued = bench.double.events_of("AssumeRole")[0]
        .issued
        .clone()
        .unwrap();
    assert!((issued.expires - bench.double.now() - 3600 - 240).abs() <= 2);
}

#[test]
fn bodies_are_malformed_truncated_oversized() {
    let bench = bench_with(Fault::MalformedXml);
    let reply = assume(&bench).unwrap();
    assert_eq!((reply.status, reply.body.ends_with(b"<<&")), (200, true));

    assert_eq!(
        assume(&bench_with(Fault::TruncatedBody)),
        None,
        "the body ends too early"
    );

    let plain = assume(&bench).unwrap().body.len();
    let big = assume(&bench_with(Fault::Oversized(3_000_000)))
        .unwrap()
        .body
        .len();
    assert!(
        (3_000_000..3_001_000).contains(&(big - plain)),
        "{big} {plain}"
    );
}

#[test]
fn credentials_come_expired() {
    let bench = bench_with(Fault::AlreadyExpired);
    let reply = assume(&bench).unwrap();
    let issued = bench.double.events_of("AssumeRole")[0]
        .issued
        .clone()
        .unwrap();
    assert!(issued.expires < bench.double.now());
    assert_eq!(
        reply.field("Expiration"),
        Some(jumpgate_tests::sts::rfc3339(issued.expires))
    );
    assert_eq!(bench.reads(&reply.keys()), "400 ExpiredToken");
}

#[test]
fn another_role_than_asked_is_answered() {
    let bench = bench_with(Fault::OtherRole);
    let reply = assume(&bench).unwrap();
    let other = "arn:aws:sts::222222222222:assumed-role/SomethingElse/alice";
    assert_eq!(reply.field("Arn").as_deref(), Some(other));
    let right = "arn:aws:sts::222222222222:assumed-role/Open/alice";
    assert_eq!(assume(&bench).unwrap().field("Arn").as_deref(), Some(right));
}

#[test]
fn s3_has_faults_too_and_answers_them_in_its_own_form() {
    let bench = Lab { without: None }.plain();
    let keys = bench.session(&[]);
    bench
        .double
        .inject(Fault::ServiceUnavailable, When::call("GetObject").times(1));
    let reply = bench.send(&Draft::new("GET", "/demo/hello.txt", "s3"), Some(&keys));
    assert_eq!(reply.outcome(), "503 ServiceUnavailable");
    assert_eq!(reply.field("Resource").as_deref(), Some("/demo/hello.txt"));
    assert_eq!(bench.reads(&keys), "200");
}

/// Stopping lets a held call and an idle connection go.
#[test]
fn the_double_ends_with_everything_open() {
    let bench = bench_with(Fault::Hold);
    let mut idle = TcpStream::connect(bench.double.address()).unwrap();
    let address = bench.double.address();
    let draft = bench.draft(
        "AssumeRole",
        &[("RoleArn", OPEN), ("RoleSessionName", "alice")],
    );
    let alice = bench.alice();
    let held = thread::spawn(move || send(&draft, Some(&alice), address));
    assert!(bench.double.wait_for_arrivals("AssumeRole", 1, PATIENCE));
    drop(bench);
    assert_eq!(receive(&mut idle), None);
    held.join().unwrap();
    assert!(
        TcpStream::connect(address).is_err(),
        "nobody listens any more"
    );
}
