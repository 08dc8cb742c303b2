//! The container endpoint that another agent opens for a command (`mairu exec`), under the same load as ours.

use std::io::{BufRead, BufReader};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::{Child, Stdio};

use jumpgate_tests::Lab;

use crate::asking::{Door, Kind};
use crate::kept::Kept;
use crate::ratio::Ratio;
use crate::scale::Scale;
use crate::section::Section;
use crate::table::Table;
use crate::wrk::{self, Storms};

/// As the limits of our endpoints.
const CONNECTIONS: usize = 64;

const WHAT: &str = "mairu's container endpoint";

/// Says where its endpoint is, and stays until its standard input closes.
const WAITING: &str =
    "echo \"$AWS_CONTAINER_CREDENTIALS_FULL_URI $AWS_CONTAINER_AUTHORIZATION_TOKEN\"; read -r _";

/// Storms on both, in turns.
pub(crate) fn measure(lab: &Lab, kept: &Kept, mairu: &Path, scale: Scale, section: &mut Section) {
    if !wrk::is_there() {
        return section.absent(WHAT, "wrk is missing; tests/setup/system installs it");
    }
    let (mut child, theirs) = match open(kept, mairu) {
        Ok(opened) => opened,
        Err(why) => return section.absent(WHAT, &why),
    };
    let ours = Door::open(lab, "dev", Kind::Container);
    // What it cannot serve is no figure, and no end of this part.
    let stormed = catch_unwind(AssertUnwindSafe(|| {
        let storm = |door, server| wrk::storm(door, server, CONNECTIONS, scale.storm);
        let rounds = (0..scale.storms).map(|_| {
            let theirs = storm(&theirs, child.id());
            (storm(&ours, lab.agent_pid()), theirs)
        });
        rounds.unzip()
    }));
    // Its shell ends, and it with the shell.
    drop(child.stdin.take());
    let _ended = child.wait();
    match stormed {
        Ok((ours, theirs)) => show(&Storms(ours), &Storms(theirs), section),
        Err(_) => section.absent(WHAT, "it did not serve a storm, see above"),
    }
}

fn open(kept: &Kept, mairu: &Path) -> Result<(Child, Door), String> {
    let arguments = [
        "exec",
        "--server",
        "bench",
        "Developer",
        "sh",
        "-c",
        WAITING,
    ];
    let mut exec = kept.command(mairu, &arguments);
    exec.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = exec.spawn().map_err(|error| error.to_string())?;
    let mut line = String::new();
    if let Some(output) = child.stdout.take() {
        let read = BufReader::new(output).read_line(&mut line);
        read.map_err(|error| error.to_string())?;
    }
    let (url, token) = line.trim().split_once(' ').unwrap_or_default();
    let door = Door::container(url.to_owned(), token);
    let answer = door.ask();
    let [id, ..] = kept.proof();
    if answer.status == 200 && answer.body.contains(id) {
        return Ok((child, door));
    }
    drop(child.stdin.take());
    let _ended = child.wait();
    Err(format!("it answers {} to a question", answer.status))
}

fn show(ours: &Storms, theirs: &Storms, section: &mut Section) {
    let columns = [
        "container endpoint",
        "connections",
        "requests a second",
        "p50, ms",
        "p99, ms",
        "processor time for each, µs",
    ];
    let mut table = Table::new(
        "Endpoints of `exec` and of an agent under `wrk`, in turns:",
        &columns,
    );
    let mut cells = theirs.cells("mairu exec", CONNECTIONS);
    // A process of its own serves, which nobody tells.
    cells[5] = String::new();
    table.row(cells);
    table.row(ours.cells("**jumpgate**", CONNECTIONS));
    section.table(table);
    let ratios = [
        (
            "throughput, of mairu's",
            ours.against(theirs, |storm| storm.per_second),
        ),
        ("p99, in mairu's", ours.against(theirs, |storm| storm.p99)),
    ];
    for (what, pairs) in ratios {
        section.ratio(Ratio::of(format!("container endpoint: {what}"), pairs));
    }
}
