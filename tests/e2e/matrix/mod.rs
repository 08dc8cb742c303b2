//! The conformance matrix: each real client by each interface that it has. A test is a row and notes its cells; what a
//! client does less than is wished is written down here and must be just that: who does more is found too.
//!
//! The names of the tests begin with the row of the conformance table that they hold: I15, C1; `credential_process` has
//! one for each way to start a program (P6). `tests/run` makes docs/compatibility.md of the notes.

mod calls;
mod clock;
mod relay;
mod row;
mod sequences;
mod single;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use jumpgate_tests::lab::{Ran, finish};
use jumpgate_tests::matrix::{Client, Column, Interface, Limit, Verdict, note, note_version};

use self::row::Row;

/// What a refusal by the locked agent, and one by the role, must tell whoever runs the client.
const REMEDIES: [(&str, &str); 2] = [("dev", "jumpgate unlock"), ("nobody", "trust policy")];

/// More calls than any client needs until it uses a session that it fetched behind its caller's back.
const CALLS: usize = 1_000;

macro_rules! rows {
    ($($name:ident: $client:ident by $interface:ident;)*) => {
        $(#[test]
        fn $name() {
            all_of(Client::$client, Interface::$interface);
        })*
    };
}

rows! {
    p6_cli1: Cli1 by Process;
    p6_cli2_debian: Cli2Debian by Process;
    p6_cli2: Cli2 by Process;
    p6_boto3: Boto3 by Process;
    p6_js: Js by Process;
    p6_rust: Rust by Process;
    c1_cli1: Cli1 by Container;
    c1_cli2_debian: Cli2Debian by Container;
    c1_cli2: Cli2 by Container;
    c1_boto3: Boto3 by Container;
    c1_js: Js by Container;
    c1_rust: Rust by Container;
    i15_cli1: Cli1 by Imds;
    i15_cli2_debian: Cli2Debian by Imds;
    i15_cli2: Cli2 by Imds;
    i15_boto3: Boto3 by Imds;
    i15_js: Js by Imds;
    i15_rust: Rust by Imds;
}

/// What finds out what a cell says.
type Judge = fn(&Row) -> Verdict;

/// Every column of a row; the first that fails fails the test, after the others had their turn.
fn all_of(client: Client, interface: Interface) {
    let Some(row) = Row::ready(client, interface) else {
        return;
    };
    let columns: [(Column, Judge); 5] = [
        (Column::Session, session),
        (Column::Sequence, sequence),
        (Column::Refused, refused),
        (Column::Refresh, refresh),
        (Column::Restart, restart),
    ];
    let mut panicked = None;
    for (column, holds) in columns {
        let in_time = [Column::Refresh, Column::Restart].contains(&column);
        if in_time && row.clock.is_none() {
            continue;
        }
        note(client, interface, column, Verdict::Fails);
        match catch_unwind(AssertUnwindSafe(|| holds(&row))) {
            Ok(verdict) => note(client, interface, column, verdict),
            Err(panic) => drop(panicked.get_or_insert(panic)),
        }
    }
    if let Some(panic) = panicked {
        resume_unwind(panic);
    }
}

/// The session of the profile, as the double sees it and as we hand it out elsewhere.
fn session(row: &Row) -> Verdict {
    let told = row.by_ourselves().good().json();
    let arn = told["arn"].as_str().unwrap();
    let expected = "arn:aws:sts::222222222222:assumed-role/Developer/tester-";
    assert!(arn.starts_with(expected), "{arn}");
    let document = row.lab.run(&["credential-process", "dev"]).good().json();
    assert_eq!(told["access_key_id"], document["AccessKeyId"]);
    note_version(row.client, told["version"].as_str().unwrap());
    Verdict::Holds
}

/// What was recorded of the client before another server, and nothing else.
fn sequence(row: &Row) -> Verdict {
    row.forget();
    finish(row.command("dev", ""), "").good();
    if row.interface == Interface::Process {
        assert_eq!(row.runs(), ["credential-process dev"]);
        return Verdict::Holds;
    }
    sequences::assert_as_recorded(row, row.interface.word());
    let regionless = "imds without a region";
    if sequences::recorded(row.client, regionless).is_some() && row.interface == Interface::Imds {
        row.without_region().good();
        sequences::assert_as_recorded(row, regionless);
    }
    Verdict::Holds
}

/// What is documented of the client: who sees our words.
fn told(client: Client, interface: Interface) -> Verdict {
    match (client, interface) {
        (_, Interface::Imds) => Verdict::Within(Limit::NoChannel),
        (Client::Js, _) => Verdict::Within(Limit::TellsNothing),
        (Client::Rust, Interface::Container) => Verdict::Within(Limit::TellsStatus),
        _ => Verdict::Holds,
    }
}

/// A locked agent and a role that refuses: a failure, with what to do, as far as the client passes it on.
fn refused(row: &Row) -> Verdict {
    let verdict = told(row.client, row.interface);
    for (profile, remedy) in REMEDIES {
        let locked = profile == "dev";
        if locked {
            row.lab.run(&["lock"]).good();
        }
        let ran = finish(row.command(profile, ""), "");
        assert_eq!((ran.code(), ran.stdout.as_str()), (1, ""), "{}", ran.stderr);
        let tells = ran.stderr.contains(remedy);
        assert_eq!(tells, verdict == Verdict::Holds, "{}", ran.stderr);
        if verdict == Verdict::Within(Limit::TellsStatus) {
            let status = if locked { "503" } else { "403" };
            assert!(ran.stderr.contains(status), "{}", ran.stderr);
        }
        if (row.client, row.interface) == (Client::Js, Interface::Process) {
            let direct = row.direct(profile).stderr;
            assert!(direct.contains(remedy), "{direct}");
        }
        if locked {
            told_by_exec(row, remedy);
            row.lab.run(&["unlock"]).good();
        }
    }
    assert!(!row.lab.records("deny").is_empty());
    verdict
}

/// `exec` tells it itself, and does not start the client.
fn told_by_exec(row: &Row, remedy: &str) {
    if row.interface == Interface::Process {
        return;
    }
    let Ran {
        status,
        stdout,
        stderr,
    } = row.by_ourselves();
    assert_eq!((status.code(), stdout.as_str()), (Some(77), ""));
    assert!(
        stderr.starts_with("jumpgate: ") && stderr.contains(remedy),
        "{stderr}"
    );
}

/// How much is left when the client asks again and must have an answer (10 min, 5 min, 10 s), and some.
const fn asks_again_with(client: Client) -> Duration {
    match client {
        Client::Cli1 | Client::Cli2Debian | Client::Cli2 | Client::Boto3 => Duration::from_mins(7),
        Client::Js => Duration::from_mins(4),
        Client::Rust => Duration::from_secs(3),
    }
}

/// One fetch serves a client that lives on; when its session is nearly over it has the next one.
fn refresh(row: &Row) -> Verdict {
    row.begin_anew();
    let mut held = row.held(CALLS);
    let first = held.call();
    row.forget();
    assert_eq!(held.call()["access_key_id"], first["access_key_id"]);
    // The AWS CLI is a new process for each command, which knows nothing of the one before.
    let each = usize::from(row.client.is_a_command());
    assert_eq!(row.fetches(), each);
    row.advance_until(asks_again_with(row.client));
    let next = held.call_until_not(&first);
    assert_eq!(
        next["arn"].as_str().map(|arn| arn.contains("/Developer/")),
        Some(true)
    );
    assert!(row.fetches() > 0);
    Verdict::Holds
}

/// The agent that answers is another one than before; nobody told the client.
fn restart(row: &Row) -> Verdict {
    row.begin_anew();
    let mut held = row.held(CALLS);
    let first = held.call();
    row.restart_agent();
    row.advance_until(asks_again_with(row.client));
    held.call_until_not(&first);
    Verdict::Holds
}
