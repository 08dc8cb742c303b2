//! `exec`: what it adds to the command's own time, and how soon an endpoint is gone when its process is killed.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use jumpgate_tests::lab::DEV;
use jumpgate_tests::{Lab, Programs};

use crate::asking::{Door, Kind};
use crate::figures::{Bound, Limit, Spread, digits, heading};
use crate::process::{against, timed};
use crate::ratio::Ratio;
use crate::scale::Scale;
use crate::section::Section;
use crate::table::Table;

/// The ways to give a command its session.
const VIA: [&str; 3] = ["container", "imds", "env"];

/// Says where its endpoint is, and waits to be killed. The shell becomes `sleep`, as `exec` became the shell.
const WAITING: &str = "echo \"$AWS_CONTAINER_CREDENTIALS_FULL_URI$AWS_EC2_METADATA_SERVICE_ENDPOINT \
                       $AWS_CONTAINER_AUTHORIZATION_TOKEN\"; exec sleep 600";

/// Longest that a killed process's endpoint is asked.
const GIVE_UP: Duration = Duration::from_secs(30);

/// What `exec` costs.
pub(crate) fn measure(programs: &Programs, scale: Scale) -> Section {
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
    costs(times)
}

fn costs(times: [Vec<Duration>; 4]) -> Section {
    let mut section = Section::default();
    let mut table = Table::new("", &["", "µs, median (5 %, 95 %)", "added, ms"]);
    let [floor, ours @ ..] = times;
    let bare = Spread::of(floor.clone());
    table.row(["/bin/true", &bare.micros(), ""]);
    for (via, times) in VIA.iter().zip(ours) {
        let what = format!("exec --via {via}, in /bin/true's time");
        section.ratio(Ratio::of(what, against(&times, &floor)));
        let spread = Spread::of(times);
        let added = spread.median.saturating_sub(bare.median).as_secs_f64() * 1e3;
        table.row([
            &format!("exec --via {via}"),
            &spread.micros(),
            &digits(added),
        ]);
        let what = format!("exec --via {via} adds, ms");
        section.limit(Limit::new(what, added, Bound::AtMost(10.0)));
    }
    section.table(table);
    section
}

fn ready(programs: &Programs) -> Lab {
    let lab = Lab::new(programs, DEV);
    lab.start_agent();
    lab.add_identity();
    lab.run(&["credential-process", "dev"]).good();
    lab
}

/// `kill -9` of `exec`, until its endpoint refuses or is closed.
pub(crate) fn kills(programs: &Programs, scale: Scale) -> Section {
    heading("kill -9 of exec, until its endpoint refuses or is closed");
    let lab = ready(programs);
    let mut section = Section::default();
    let columns = ["", "ms, median (5 %, 95 %)", "ms, longest"];
    let caption = format!("Of {} processes each:", scale.kills);
    let mut table = Table::new(caption, &columns);
    for kind in Kind::BOTH {
        let spread = Spread::of((0..scale.kills).map(|_| killed(&lab, kind)).collect());
        let worst = spread.worst.as_secs_f64();
        table.row([kind.name(), &spread.millis(), &digits(worst * 1e3)]);
        let what = format!("{}: s until closed after kill -9, worst", kind.name());
        section.limit(Limit::new(what, worst, Bound::AtMost(1.0)));
    }
    section.table(table);
    section
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
