//! What each guard of the endpoints costs. None can be switched off in what is shipped, not for a measurement either: the
//! agent's own functions are called here again and again, and their time is held against the processor's time that the
//! shipped agent takes for a whole request.

use std::hint::black_box;
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use hyper::header::{HOST, HeaderMap, HeaderName, HeaderValue};
use jumpgate_agent::server::guard::{self, Ours};
use jumpgate_agent::server::tcp_peer::{self, TcpPeers};
use jumpgate_tests::lab::DEV;
use jumpgate_tests::{Lab, Programs};
use rustix::process::geteuid;
use sha2::Sha256;

use crate::asking::{Door, Kind};
use crate::control;
use crate::figures::Bound;
use crate::figures::{digits, heading};
use crate::ratio::{PAIRS, Ratio};
use crate::scale::Scale;
use crate::section::Section;
use crate::table::Table;
use crate::wrk::{self, Storm, Storms};

/// Calls of a guard in a turn.
const CALLS: u32 = 5_000;

/// Storms of each kind; each guard has its turn between two of them.
const TURNS: usize = PAIRS;

const CONNECTIONS: usize = 64;

/// The most of a connection's only request that the look at its owner may take.
const AIM: f64 = 0.15;

/// Microseconds of each call, turn by turn.
struct Guard {
    what: &'static str,
    when: &'static str,
    call: Box<dyn Fn()>,
    micros: Vec<f64>,
}

/// All guards, between storms.
pub(crate) fn measure(programs: &Programs, scale: Scale) -> Section {
    heading("guards of the endpoints");
    let mut section = Section::default();
    if !wrk::is_there() {
        section.absent("the guards' share of a request", "wrk is not installed");
        return section;
    }
    let lab = Lab::new(programs, DEV);
    lab.start_agent();
    lab.add_identity();
    control::lease(&lab, "dev", None);
    let kept = Door::open(&lab, "dev", Kind::Container);
    let once = Door {
        url: kept.url.clone(),
        header: format!("{}\r\nConnection: close", kept.header),
    };
    let mut guards = guards();
    let mut storms = [Storms::default(), Storms::default()];
    for _ in 0..TURNS {
        for (door, storms) in [&kept, &once].into_iter().zip(&mut storms) {
            let storm = wrk::storm(door, lab.agent_pid(), CONNECTIONS, scale.storm);
            storms.0.push(storm);
        }
        for guard in &mut guards {
            let before = processor_time();
            (0..CALLS).for_each(|_| (guard.call)());
            let used = processor_time().saturating_sub(before);
            guard
                .micros
                .push(used.as_secs_f64() * 1e6 / f64::from(CALLS));
        }
    }
    shown(&guards, &storms, &mut section);
    section
}

/// The processor's time of this thread until now, to the nanosecond: a busy machine does not add to it.
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

fn shown(guards: &[Guard], [kept, alone]: &[Storms; 2], section: &mut Section) {
    let cost = |storms: &Storms| Ratio::of("", storms.0.iter().map(|storm: &Storm| storm.cost));
    let (kept, once) = (cost(kept), cost(alone));
    let caption = format!(
        "Processor time of a whole request, µs: {} on a connection that is kept, {} on one of its own.",
        digits(kept.median),
        digits(once.median)
    );
    let columns = [
        "",
        "µs (5 %, 95 %)",
        "for each",
        "of a request, kept",
        "of a request, its own connection",
    ];
    let mut table = Table::new(caption, &columns);
    for guard in guards {
        let each = Ratio::of("", guard.micros.iter().copied());
        let share = |whole: f64| format!("{} %", digits(100.0 * each.median / whole));
        let of_kept = match guard.when {
            "request" => share(kept.median),
            _ => String::new(),
        };
        let cells = [guard.when.to_owned(), of_kept, share(once.median)];
        let [when, of_kept, of_once] = cells;
        table.row([
            guard.what.to_owned(),
            each.to_string(),
            when,
            of_kept,
            of_once,
        ]);
    }
    section.table(table);
    let owner = guards.iter().find(|guard| guard.when == "connection");
    let owner = owner.into_iter().flat_map(|owner| &owner.micros);
    let pairs = owner.zip(&alone.0).map(|(each, storm)| each / storm.cost);
    let what = "the connection's owner, of its only request";
    section.ratio(Ratio::of(what, pairs).limited(Bound::AtMost(AIM)));
}

fn guards() -> Vec<Guard> {
    let guard = |what, when, call| Guard {
        what,
        when,
        call,
        micros: Vec::new(),
    };
    vec![
        guard("Host", "request", head("evil.example")),
        guard(
            "Host, and headers of browsers and proxies",
            "request",
            head("127.0.0.1:4096"),
        ),
        guard(
            "token of container credentials",
            "request",
            container_token(),
        ),
        guard("token of IMDS (an HMAC)", "request", imds_token()),
        guard("the owner of the connection", "connection", owner()),
    ]
}

/// The head that botocore sends. One with a foreign `Host` is not looked at further.
fn head(host: &str) -> Box<dyn Fn()> {
    let mut headers = HeaderMap::new();
    let host = HeaderValue::from_str(host).expect("a legal value");
    headers.insert(HOST, host);
    for (name, value) in [
        ("accept", "application/json"),
        (
            "authorization",
            "0123456789012345678901234567890123456789012",
        ),
        ("accept-encoding", "identity"),
        (
            "user-agent",
            "Botocore/1.40 ua/2.1 os/linux md/arch:x86_64 lang/python:3.13",
        ),
        ("connection", "close"),
    ] {
        headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
    let uri = hyper::Uri::from_static("/v1/01KAN000000000000000000000");
    Box::new(move || {
        let ours = Ours {
            port: 4_096,
            at_aws: "169.254.170.2",
        };
        let _either = black_box(guard::from_an_sdk(
            black_box(&uri),
            black_box(&headers),
            ours,
        ));
    })
}

fn container_token() -> Box<dyn Fn()> {
    let token = "0123456789012345678901234567890123456789012";
    Box::new(move || {
        assert!(guard::is_token(
            black_box(token.as_bytes()),
            black_box(token.as_bytes())
        ));
    })
}

/// The agent's own check is its secret; this is what it does: an HMAC with a ready key over an expiry and a lease.
fn imds_token() -> Box<dyn Fn()> {
    let key = Hmac::<Sha256>::new_from_slice(&[7; 43]).expect("any length");
    let tag = |key: &Hmac<Sha256>| {
        let mut mac = key.clone();
        mac.update(black_box(&1_800_000_u64.to_be_bytes()));
        mac.update(black_box(b"01KAN000000000000000000000"));
        mac
    };
    let given = tag(&key).finalize().into_bytes();
    Box::new(move || assert!(tag(&key).verify_slice(&given).is_ok()))
}

/// The kernel is asked whose the other end is.
fn owner() -> Box<dyn Fn()> {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let client = TcpStream::connect(address).expect("loopback");
    let (server, peer) = listener.accept().expect("our own client");
    let peers = TcpPeers::new().expect("a netlink socket");
    let uid = geteuid().as_raw();
    Box::new(move || {
        let _open = (&client, &server);
        assert!(tcp_peer::admitted(&peers, peer, address, uid).is_ok());
    })
}
