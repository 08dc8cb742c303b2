//! Many callers of one profile at once, without a session and with one: how often AWS is called, how often a person is asked,
//! and when the last one has its answer.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use jumpgate_tests::lab::DEV;
use jumpgate_tests::{Lab, Programs};

use crate::cold::ready;
use crate::figures::{Bound, Limit, Spread, grouped, heading};
use crate::process::against;
use crate::ratio::Ratio;
use crate::scale::Scale;
use crate::section::Section;
use crate::table::Table;

/// How many ask.
const CALLERS: [usize; 4] = [1, 10, 100, 1_000];

/// What crowds of one size met: the largest counts, all times.
#[derive(Default)]
struct Crowds {
    callers: usize,
    sts: usize,
    codes: usize,
    passphrases: usize,
    refused: usize,
    cold: Vec<Duration>,
    warm: Vec<Duration>,
    /// As many programs that do nothing.
    floor: Vec<Duration>,
}

/// N processes of `credential-process`, started as fast as they can be.
pub(crate) fn measure(programs: &Programs, scale: Scale) -> Section {
    heading("callers at once");
    let mut section = Section::default();
    let columns = [
        "callers",
        "calls of STS",
        "codes asked for",
        "passphrases",
        "without an answer",
        "no session: ms until the last is done",
        "with a session",
        "so many `/bin/true`",
    ];
    let count = scale.crowds;
    let caption = format!("The most of {count} crowds; times: ms, median (5 %, 95 %).");
    let mut table = Table::new(caption, &columns);
    for callers in CALLERS {
        let mut crowds = Crowds {
            callers,
            ..Crowds::default()
        };
        (0..count).for_each(|_| crowds.gather(programs));
        let what = format!("{callers} callers with a session, in so many /bin/true's time");
        section.ratio(Ratio::of(what, against(&crowds.warm, &crowds.floor)));
        section.limits.extend(crowds.limits());
        table.row(crowds.cells());
    }
    section.table(table);
    section
}

impl Crowds {
    /// Each in a lab of its own, where the identity is locked.
    fn gather(&mut self, programs: &Programs) {
        let lab = ready(Lab::new(programs, DEV));
        lab.start_agent();
        let passphrases = lab.passphrase.asked();
        let nothing = || lab.program("/bin/true".as_ref(), &[]);
        let credentials = || lab.client(&["credential-process", "dev"]);
        self.floor.push(all(self.callers, nothing).0);
        let (cold, refused) = all(self.callers, credentials);
        let (warm, refused_later) = all(self.callers, credentials);
        self.cold.push(cold);
        self.warm.push(warm);
        let counts = [
            (&mut self.sts, lab.double.events().len()),
            (&mut self.codes, lab.mfa.asked()),
            (&mut self.passphrases, lab.passphrase.asked() - passphrases),
            (&mut self.refused, refused + refused_later),
        ];
        counts
            .into_iter()
            .for_each(|(most, now)| *most = now.max(*most));
    }

    fn cells(&self) -> Vec<String> {
        let counts = [
            self.callers,
            self.sts,
            self.codes,
            self.passphrases,
            self.refused,
        ];
        let times = [&self.cold, &self.warm, &self.floor];
        let counts = counts.map(|count| grouped(count as u128));
        let times = times.map(|times| Spread::of(times.clone()).millis());
        counts.into_iter().chain(times).collect()
    }

    #[allow(clippy::cast_precision_loss)]
    fn limits(&self) -> [Limit; 3] {
        let limit = |what: &str, found: usize, most: f64| {
            let what = format!("{} callers: {what}", self.callers);
            Limit::new(what, found as f64, Bound::AtMost(most))
        };
        let asked = self.codes + self.passphrases;
        [
            // GetSessionToken and AssumeRole.
            limit("calls of STS", self.sts, 2.0),
            limit("codes and passphrases asked for", asked, 2.0),
            limit("without an answer", self.refused, 0.0),
        ]
    }
}

/// Starts them all, and waits for the last. How many failed comes with it.
fn all(count: usize, command: impl Fn() -> Command) -> (Duration, usize) {
    let began = Instant::now();
    let start = |_| {
        let mut command = command();
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().expect("one more process")
    };
    let children: Vec<Child> = (0..count).map(start).collect();
    let failed = |mut child: Child| !child.wait().expect("our own child").success();
    let failed = children
        .into_iter()
        .filter_map(|child| failed(child).then_some(()));
    let failed = failed.count();
    (began.elapsed(), failed)
}
