//! `exec`: what it adds to the command's own time, and how soon an endpoint is gone when its process is killed.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use jumpgate_tests::lab::DEV;
use jumpgate_tests::{Lab, Programs};

use crate::asking::{Door, Kind};
use crate::figures::{Bound, Limit, Spread, heading, row};
use crate::process::timed;
use crate::scale::Scale;

/// The ways to give a command its session.
const VIA: [&str; 3] = ["container", "imds", "env"];

/// Says where its endpoint is, and waits to be killed. The shell becomes `sleep`, as `exec` became the shell.
const WAITING: &str = "echo \"$AWS_CONTAINER_CREDENTIALS_FULL_URI$AWS_EC2_METADATA_SERVICE_ENDPOINT \
                       $AWS_CONTAINER_AUTHORIZATION_TOKEN\"; exec sleep 600";

/// Longest that a killed process's endpoint is asked.
const GIVE_UP: Duration = Duration::from_secs(30);

/// What `exec` costs.
pub(crate) fn measure(programs: &Programs, scale: Scale) -> Vec<Limit> {
    heading("exec dev -- /bin/true, against /bin/true");
    let lab = ready(programs);
    let mut times: [Vec<Duration>; 4] = Default::default();
    for _ in 0..scale.runs {
        times[0].push(timed(lab.program(Path::new("/bin/true"), &[])));
        for (times, via) in times[1..].iter_mut().zip(VIA) {
            times.push(timed(lab.client(&[
                "exec",
                "dev",
                "--via",
                via,
                "--",
                "/bin/true",
            ])));
        }
    }
    let [floor, ours @ ..] = times.map(Spread::of);
    row("/bin/true", floor);
    let added = VIA.iter().zip(ours).map(|(via, spread)| {
        row(&format!("exec --via {via}"), spread);
        let added = spread.median.saturating_sub(floor.median).as_secs_f64() * 1e3;
        Limit::new(
            format!("exec --via {via} adds, ms"),
            added,
            Bound::AtMost(10.0),
        )
    });
    added.collect()
}

fn ready(programs: &Programs) -> Lab {
    let lab = Lab::new(programs, DEV);
    lab.start_agent();
    lab.add_identity();
    lab.run(&["credential-process", "dev"]).good();
    lab
}

/// `kill -9` of `exec`, until its endpoint refuses or is closed.
pub(crate) fn kills(programs: &Programs, scale: Scale) -> Vec<Limit> {
    heading("kill -9 of exec, until its endpoint refuses or is closed");
    let lab = ready(programs);
    let gone = Kind::BOTH.map(|kind| {
        let times = (0..scale.kills).map(|_| killed(&lab, kind)).collect();
        let spread = Spread::of(times);
        row(
            &format!("{}, {} processes", kind.name(), scale.kills),
            spread,
        );
        let name = format!("{}: s until closed after kill -9, worst", kind.name());
        Limit::new(name, spread.worst.as_secs_f64(), Bound::AtMost(1.0))
    });
    gone.into()
}

fn killed(lab: &Lab, kind: Kind) -> Duration {
    let (mut child, door) = waiting(lab, kind);
    let answer = door.ask();
    assert_eq!(answer.status, 200, "{}", answer.body);
    child.kill().expect("our own child");
    let killed = Instant::now();
    while !matches!(door.ask().status, 0 | 403) {
        assert!(killed.elapsed() < GIVE_UP, "{} still serves", kind.name());
    }
    let took = killed.elapsed();
    child.wait().expect("our own child");
    took
}

fn waiting(lab: &Lab, kind: Kind) -> (Child, Door) {
    let mut exec = lab.client(&[
        "exec",
        "dev",
        "--via",
        kind.name(),
        "--",
        "sh",
        "-c",
        WAITING,
    ]);
    let mut child = exec.stdout(Stdio::piped()).spawn().expect("exec starts");
    let mut line = String::new();
    let output = child.stdout.take().expect("it is piped");
    BufReader::new(output)
        .read_line(&mut line)
        .expect("the child's line");
    let (url, token) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
    let door = match kind {
        Kind::Container => Door::container(url.to_owned(), token),
        Kind::Imds => Door::imds(url),
    };
    (child, door)
}
