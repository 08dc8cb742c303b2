//! An agent at rest: what wakes it, and what a day does to it in which fifty programs keep their sessions.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jumpgate_tests::{Lab, Programs};

use crate::asking::{Door, Kind};
use crate::clock::{Clock, Time};
use crate::control;
use crate::figures::{Bound, Limit, grouped, heading, rss};
use crate::leases::{forget_journal, journal_bytes};
use crate::profiles::started;
use crate::scale::Scale;
use crate::section::Section;
use crate::table::Table;

/// Half of them have a program at an endpoint of container credentials, half one at IMDS.
const PROFILES: usize = 50;

/// How often each of these programs asks: SDKs that have a session of an hour ask again when a quarter of it is left at
/// most, tools that start anew ask more often.
const EVERY: Duration = Duration::from_secs(15 * 60);

/// They do not all ask at once: they come in groups.
const GROUPS: usize = 10;

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: u32 = 24;

/// How long the agent at rest is watched.
const WATCHED: Duration = Duration::from_secs(10);

/// KiB that a day may add to what the agent has after its second hour.
const FLAT: f64 = 1_024.0;

/// Rest, then a day.
pub(crate) fn measure(programs: &Programs, _: Scale) -> Section {
    let mut section = Section::default();
    heading("idle: fifty profiles, at rest and through a day");
    let mut lab = Lab::new(programs, &configuration());
    let clock = match Clock::of(&mut lab) {
        Ok(clock) => clock,
        Err(why) => {
            section.absent("a day in which fifty profiles are refreshed", &why);
            return section;
        }
    };
    at_rest(programs, &mut section);
    a_day(&lab, &clock, &mut section);
    forget_journal(&lab);
    let _its_log = std::fs::remove_file(lab.path("agent.stderr"));
    section
}

/// Wake-ups of all its threads, by the kernel's count.
fn at_rest(programs: &Programs, section: &mut Section) {
    let lab = Lab::new(programs, &configuration());
    started(&lab);
    let nothing = (rss(&lab), woken_while_watched(&lab));
    lab.add_identity();
    let _doors = doors(&lab);
    let all = (rss(&lab), woken_while_watched(&lab));
    let mut table = Table::new("", &["", "resident, kB", "wake-ups in 10 s"]);
    for (what, (resident, woken)) in [("started", nothing), ("50 sessions and endpoints", all)] {
        table.row([what.to_owned(), grouped(resident.into()), woken.to_string()]);
        let what = format!("wake-ups a second at rest, {what}");
        #[allow(clippy::cast_precision_loss)]
        let found = woken as f64 / WATCHED.as_secs_f64();
        section.limit(Limit::new(what, found, Bound::AtMost(1.0)));
    }
    section.table(table);
}

fn woken_while_watched(lab: &Lab) -> u64 {
    let (before, began) = (woken(lab), Instant::now());
    while let Some(left) = WATCHED.checked_sub(began.elapsed()) {
        std::thread::sleep(left);
    }
    let since = |(task, count): (String, u64)| count - before.get(&task).copied().unwrap_or(0);
    woken(lab).into_iter().map(since).sum()
}

/// How often each thread has waited for something, and got it.
fn woken(lab: &Lab) -> BTreeMap<String, u64> {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", lab.agent_pid()));
    let count = |task: std::fs::DirEntry| {
        let status = std::fs::read_to_string(task.path().join("status")).ok()?;
        let name = "voluntary_ctxt_switches:";
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        let task = task.file_name().to_string_lossy().into_owned();
        Some((task, line.trim().parse().ok()?))
    };
    tasks
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(count)
        .collect()
}

/// What there was at some time of the day.
struct Look {
    resident: u64,
    journal: u64,
    calls: usize,
    time: Time,
}

impl Look {
    fn at(lab: &Lab, time: Time) -> Self {
        Self {
            resident: rss(lab),
            journal: journal_bytes(lab),
            calls: lab.double.count("AssumeRole"),
            time,
        }
    }
}

fn a_day(lab: &Lab, clock: &Arc<Clock>, section: &mut Section) {
    lab.start_agent();
    lab.add_identity();
    let doors = doors(lab);
    let began = lab.double.now();
    let mut looks = vec![Look::at(lab, Time::default())];
    let mut asked = 0;
    for hour in 0..DAY {
        asked += an_hour(clock, &doors, HOUR * hour);
        let time = clock.until(HOUR * (hour + 1));
        looks.push(Look::at(lab, time));
    }
    let hours = (lab.double.now() - began) / 3_600;
    lab.run(&["journal", "verify"]).good();
    shown(&looks, hours, asked, section);
}

/// Each group asks at its own time.
fn an_hour(clock: &Clock, doors: &[Door], from: Duration) -> usize {
    let mut asked = 0;
    let rounds = u32::try_from(HOUR.as_secs() / EVERY.as_secs()).unwrap_or(1);
    for round in 0..rounds {
        for group in 0..GROUPS {
            let groups = u32::try_from(GROUPS).unwrap_or(1);
            let into = EVERY * u32::try_from(group).unwrap_or(0) / groups;
            clock.until(from + EVERY * round + into);
            for door in doors.iter().skip(group).step_by(GROUPS) {
                let answer = door.asked_anew();
                assert_eq!(answer.status, 200, "{}", answer.body);
                asked += 1;
            }
        }
    }
    asked
}

fn shown(looks: &[Look], hours: i64, asked: usize, section: &mut Section) {
    let caption = format!(
        "A day, {hours} hours by STS's clock: {} requests by fifty programs.",
        grouped(asked as u128)
    );
    let columns = [
        "hour",
        "resident, kB",
        "journal, kB",
        "AssumeRole calls",
        "timers that woke it",
    ];
    let mut table = Table::new(caption, &columns);
    for hour in [0, 1, 2, 6, 12, 18, 24] {
        let look = &looks[hour];
        table.row([
            hour.to_string(),
            grouped(look.resident.into()),
            grouped((look.journal / 1_000).into()),
            grouped(look.calls as u128),
            grouped(look.time.timers.into()),
        ]);
    }
    section.table(table);
    let last = &looks[looks.len() - 1];
    #[allow(clippy::cast_precision_loss)]
    let (grown, calls, timers) = (
        last.resident.saturating_sub(looks[2].resident) as f64,
        last.calls as f64 / (PROFILES as f64 * f64::from(DAY)),
        last.time.timers as f64 / last.time.passed.as_secs_f64(),
    );
    let limits = [
        ("memory that hours 3 to 24 add, KiB", grown, FLAT),
        ("AssumeRole calls for each profile and hour", calls, 2.5),
        ("timers a second, mean of the day", timers, 1.0),
    ];
    for (what, found, most) in limits {
        section.limit(Limit::new(what, found, Bound::AtMost(most)));
    }
}

/// An endpoint of each profile, asked once.
fn doors(lab: &Lab) -> Vec<Door> {
    let open = |number: usize| {
        let kind = Kind::BOTH[number % 2];
        let profile = format!("p{number}");
        // An unlock takes longer than an SDK waits.
        control::lease(lab, &profile, None);
        let door = Door::open(lab, &profile, kind);
        assert_eq!(door.ask().status, 200);
        door
    };
    (0..PROFILES).map(open).collect()
}

/// Profiles whose sessions differ, in an agent that does not lock.
fn configuration() -> String {
    let profile = |number| {
        format!(
            "[profile.p{number}]\naccount = 'target'\nrole = 'Developer'\nsession_name = '{{profile}}-{{session}}'\n"
        )
    };
    let profiles: String = (0..PROFILES).map(profile).collect();
    format!(
        "mfa_session = '36h'\n\n[agent]\nidle_lock = 'never'\nmax_unlock = 'never'\n\n{profiles}"
    )
}
