//! STS that says nothing: how long the endpoints let an SDK wait, in each state of the session.

use std::time::{Duration, Instant};

use jumpgate_tests::lab::DEV;
use jumpgate_tests::sts::{Fault, When};
use jumpgate_tests::{Lab, Programs};

use crate::asking::{Door, Kind};
use crate::figures::{Bound, Limit, Spread, digits, grouped, heading};
use crate::scale::Scale;
use crate::section::Section;
use crate::table::Table;

/// A session that nobody fetched yet, and one that ages soon.
const MORE: &str = r#"
[profile.cold]
account = "target"
role = "Developer"
duration = "30m"

[profile.old]
account = "target"
role = "Developer"
duration = "15m"
"#;

/// After this, less than three fifths of its life is left, and it is refreshed before it is handed out.
const AGED: Duration = Duration::from_secs(370);

/// Between two questions of one asker.
const PAUSE: Duration = Duration::from_millis(20);

/// Who asks what, and how long an answer may take, seconds.
struct Asker {
    name: String,
    door: Door,
    status: u16,
    limit: f64,
}

/// The longest answers while STS hangs.
pub(crate) fn measure(programs: &Programs, scale: Scale) -> Section {
    heading(&format!("STS hangs for {} s", scale.hang.as_secs()));
    let lab = Lab::new(programs, &format!("{DEV}{MORE}"));
    lab.start_agent();
    lab.add_identity();
    lab.run(&["credential-process", "dev"]).good();
    let mut askers = askers(&lab, "dev", "a valid session", 200, 0.2);
    askers.extend(self::askers(&lab, "cold", "no session", 503, 0.8));
    if scale.ages {
        age(&lab);
        askers.extend(self::askers(
            &lab,
            "old",
            "a session to be refreshed",
            200,
            0.2,
        ));
    }
    lab.double.inject(Fault::Hang, When::call("AssumeRole"));
    let until = Instant::now() + scale.hang;
    let times: Vec<Vec<Duration>> = std::thread::scope(|scope| {
        let asking: Vec<_> = askers
            .iter()
            .map(|asker| scope.spawn(move || asker.ask(until)))
            .collect();
        let joined = asking.into_iter().map(|asker| asker.join());
        joined.map(|times| times.expect("an asker ends")).collect()
    });
    lab.double.clear_faults();
    found(&askers, times, scale)
}

fn found(askers: &[Asker], times: Vec<Vec<Duration>>, scale: Scale) -> Section {
    let mut section = Section::default();
    let caption = format!(
        "Each on a new connection, within {} s:",
        scale.hang.as_secs()
    );
    let columns = ["", "answers", "ms, median (5 %, 95 %)", "s, longest"];
    let mut table = Table::new(caption, &columns);
    for (asker, times) in askers.iter().zip(times) {
        let count = grouped(times.len() as u128);
        let spread = Spread::of(times);
        let worst = spread.worst.as_secs_f64();
        table.row([&asker.name, &count, &spread.millis(), &digits(worst)]);
        let what = format!("{}: s, worst", asker.name);
        section.limit(Limit::new(what, worst, Bound::AtMost(asker.limit)));
    }
    section.table(table);
    section
}

fn askers(lab: &Lab, profile: &str, state: &str, status: u16, imds: f64) -> Vec<Asker> {
    let asker = |kind: Kind| Asker {
        name: format!("{}, {state}", kind.name()),
        door: Door::open(lab, profile, kind),
        status,
        limit: if kind == Kind::Imds { imds } else { 0.8 },
    };
    Kind::BOTH.map(asker).into()
}

fn age(lab: &Lab) {
    lab.run(&["credential-process", "old"]).good();
    std::thread::sleep(AGED);
}

impl Asker {
    fn ask(&self, until: Instant) -> Vec<Duration> {
        let mut times = Vec::new();
        while Instant::now() < until {
            let answer = self.door.ask();
            assert_eq!(answer.status, self.status, "{}: {}", self.name, answer.body);
            times.push(answer.took);
            std::thread::sleep(PAUSE);
        }
        times
    }
}
