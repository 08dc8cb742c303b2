//! One fault taken through all states: put in place, seen by every caller, read in the journal, taken away, got over.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use jumpgate_tests::Lab;
use serde_json::Value;

use super::cell::{Interface, Seen, State, profile};
use super::page;
use super::scene::Scene;
use super::shape::Shape;
use crate::surroundings::PATIENCE;

/// What goes wrong.
pub(crate) struct Fault {
    /// Its heading on the page.
    pub(crate) name: &'static str,
    /// How it is put in place and taken away, in a sentence.
    pub(crate) how: &'static str,
    /// How long a caller may take at most, and why.
    pub(crate) at_most: &'static str,
    /// In which states who comes too soon comes again: where AWS answers each attempt at once, be it with an error, an
    /// endpoint that was too soon gets the failure at the next request.
    pub(crate) patient: fn(State) -> bool,
    /// What is asked for.
    pub(crate) shape: Shape,
    /// Whether it has to do with where the key is kept: then the key is really there, and is asked for where it has to be
    /// read, too.
    pub(crate) of_store: bool,
    /// What the lab needs before the agent starts.
    pub(crate) prepare: Box<dyn FnOnce(&mut Lab) + Send>,
    /// Puts it in place.
    pub(crate) put: Box<dyn Fn(&Lab) + Send>,
    /// Takes it away.
    pub(crate) away: Box<dyn Fn(&Lab) + Send>,
}

impl Fault {
    /// By its name, how it is put in place, and how long callers wait at most. AWS answers each attempt at once, and the
    /// lab needs nothing.
    pub(crate) fn new(
        [name, how, at_most]: [&'static str; 3],
        put: impl Fn(&Lab) + Send + 'static,
        away: impl Fn(&Lab) + Send + 'static,
    ) -> Self {
        Self {
            name,
            how,
            at_most,
            patient: |_| true,
            shape: Shape::Plain,
            of_store: false,
            prepare: Box::new(|_| ()),
            put: Box::new(put),
            away: Box::new(away),
        }
    }
}

/// What all three interfaces saw in one state, what the journal has of it, and what came after.
struct Row {
    state: State,
    seen: [Seen; 3],
    journal: String,
    after: &'static str,
}

/// A fault on its way through the states.
struct Examination {
    fault: Fault,
    scene: Scene,
    /// The fault's section, as the page has it.
    on_page: String,
    rows: Vec<Row>,
    /// What `jumpgate unlock` says meanwhile, of a fault that has to do with the key.
    unlock: Option<String>,
}

/// How long a record may come behind its answer where the page does not say which to wait for.
const SETTLED: Duration = Duration::from_secs(1);

/// Between two looks at the journal.
const PAUSE: Duration = Duration::from_millis(250);

/// Takes these faults through all states, side by side: nearly all of the time is spent on waiting.
pub(crate) fn examine(faults: Vec<Fault>) {
    std::thread::scope(|scope| {
        let all: Vec<_> = faults
            .into_iter()
            .map(|fault| scope.spawn(move || examine_one(fault)))
            .collect();
        let broken = all.into_iter().filter_map(|one| one.join().err()).last();
        if let Some(panic) = broken {
            std::panic::resume_unwind(panic);
        }
    });
}

fn examine_one(mut fault: Fault) {
    let prepare = std::mem::replace(&mut fault.prepare, Box::new(|_| ()));
    let Some(scene) = Scene::new(fault.shape, prepare, fault.of_store) else {
        return;
    };
    let mut examination = Examination {
        on_page: page::section(fault.name),
        fault,
        scene,
        rows: Vec::new(),
        unlock: None,
    };
    examination.while_prompting();
    examination.while_unlocked();
    if examination.fault.of_store {
        examination.while_shut();
    }
    examination.while_locked();
    examination.is_on_the_page();
}

impl Examination {
    fn while_prompting(&mut self) {
        let states = [State::Prompting];
        self.under_fault(&states, BY_ITSELF, |scene, put| {
            vec![scene.ask_while_prompting(put)]
        });
        self.scene.pass_to_the_next_code();
        self.scene.served_again(State::Prompting);
    }

    fn while_unlocked(&mut self) {
        self.scene.make_sessions(State::Refreshing);
        self.scene.pass_to_the_refresh();
        self.scene.make_sessions(State::Warm);
        self.scene.make_what_comes_before(State::Cold);
        let states = [State::Cold, State::Warm, State::Refreshing];
        let patient = self.fault.patient;
        self.under_fault(&states, BY_ITSELF, |scene, put| {
            put();
            scene.ask_all(&states.map(|state| (state, patient(state))))
        });
        for state in states {
            self.scene.served_again(state);
        }
    }

    fn while_shut(&mut self) {
        self.scene.shut();
        let patient = (self.fault.patient)(State::Shut);
        self.under_fault(&[State::Shut], BY_ITSELF, |scene, put| {
            put();
            vec![scene.ask_in_turn(State::Shut, patient)]
        });
        self.scene.pass_to_the_next_code();
        self.scene.served_again(State::Shut);
    }

    fn while_locked(&mut self) {
        self.scene.lab.run(&["lock"]).good();
        let after = "serves after `jumpgate unlock`";
        let (of_store, patient) = (self.fault.of_store, (self.fault.patient)(State::Locked));
        let mut unlock = None;
        self.under_fault(&[State::Locked], after, |scene, put| {
            put();
            unlock = of_store.then(|| scene.refused_unlock());
            scene.ask_all(&[(State::Locked, patient)])
        });
        self.unlock = unlock;
        self.scene.pass_to_the_next_code();
        self.scene.lab.run(&["unlock"]).good();
        self.scene.served_again(State::Locked);
    }

    /// Has the fault put in place and asks, reads what the journal has of it, and takes the fault away.
    fn under_fault(
        &mut self,
        states: &[State],
        after: &'static str,
        ask: impl FnOnce(&Scene, &dyn Fn()) -> Vec<[Seen; 3]>,
    ) {
        let before = self.records().len();
        let put = || (self.fault.put)(&self.scene.lab);
        let seen = ask(&self.scene, &put);
        for (state, seen) in states.iter().zip(seen) {
            let journal = self.settled(*state, &seen, before);
            self.rows.push(Row {
                state: *state,
                seen,
                journal,
                after,
            });
        }
        (self.fault.away)(&self.scene.lab);
    }

    /// All records, those among them that are still gathered.
    fn records(&self) -> Vec<Value> {
        self.scene.lab.run(&["journal", "verify"]).good();
        self.scene.lab.journal()
    }

    /// What a state left behind since then, once it is what the page has; else once nothing came for a while.
    fn settled(&self, state: State, seen: &[Seen; 3], before: usize) -> String {
        let wanted = page::committed(&self.on_page, state.word(), 5);
        let known = !wanted.is_empty() && !page::writes();
        let patience = if known { PATIENCE } else { SETTLED };
        let began = Instant::now();
        let patient = (self.fault.patient)(state);
        loop {
            let records = self.records().split_off(before);
            let of = |by| match &seen[by as usize] {
                seen if seen.is_late() => gave_up(&records, by).unwrap_or_default().to_owned(),
                _ => left_behind(&records, &profile(state, by), patient),
            };
            let found = together(Interface::ALL.map(of));
            if known && found == wanted || began.elapsed() > patience {
                return found;
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn is_on_the_page(&self) {
        let Fault {
            name, how, at_most, ..
        } = &self.fault;
        let mut text = format!("### {name}\n\n{how} Callers wait {at_most}.\n\n{HEAD}");
        for state in State::ALL {
            let row = self.rows.iter().find(|row| row.state == state);
            text += &row.map_or_else(String::new, |row| self.line(row));
        }
        if let Some(said) = &self.unlock {
            text += &format!("\n`jumpgate unlock` meanwhile: {said}\n");
        }
        page::hold(name, &text);
    }

    fn line(&self, row: &Row) -> String {
        let word = row.state.word();
        let cells = Interface::ALL.map(|by| {
            let column = by as usize;
            let on_page = page::committed(&self.on_page, word, column + 1);
            row.seen[column].text(by, &on_page)
        });
        let (cells, said) = (cells.join(" | "), said(&row.seen));
        format!(
            "| {word} | {cells} | {said} | {} | {} |\n",
            row.journal, row.after
        )
    }
}

const BY_ITSELF: &str = "serves by itself";

const HEAD: &str = "\
| state | `credential_process` | container | IMDSv2 | what is said | journal | once it is over |
|---|---|---|---|---|---|---|
";

/// Whether an endpoint's limit is on record. Its door's own limit, which may be the first on a busy machine, does not
/// know what was asked for.
fn gave_up(records: &[Value], by: Interface) -> Option<&'static str> {
    let limit = |record: &Value| {
        let facts = &record["unmapped"]["jumpgate"];
        let why = record["status_detail"].as_str().unwrap_or_default();
        record["activity_name"] == "deny"
            && facts["interface"] == by.word()
            && why.starts_with("no answer in")
    };
    let noted = records.iter().any(limit);
    noted.then_some("`deny` upstream_timed_out")
}

/// What the records tell of a profile: activities, with the code or nothing where it went well. Not who came too soon.
fn left_behind(records: &[Value], profile: &str, patient: bool) -> String {
    let mut told = BTreeSet::new();
    for record in records {
        let facts = &record["unmapped"]["jumpgate"];
        let activity = record["activity_name"].as_str().unwrap_or_default();
        let code = facts["code"].as_str();
        let no_answer = matches!(
            code,
            None | Some("upstream_timed_out" | "interaction_required")
        );
        let too_soon = patient && activity == "deny" && no_answer;
        if facts["profile"] == profile && !too_soon {
            told.insert(match code {
                Some(code) => format!("`{activity}` {code}"),
                None => format!("`{activity}`"),
            });
        }
    }
    // Whether the new session came before an endpoint's time was over, differs from run to run.
    if patient && told.contains("`session.refresh`") {
        told.retain(|one| !one.starts_with("`lease."));
        told.insert("`lease.issue` or `lease.serve`".to_owned());
    }
    told.into_iter().collect::<Vec<_>>().join(", ")
}

/// What differs by interface, or what is the same once.
fn together(of: [String; 3]) -> String {
    let [process, container, imds] = &of;
    if process == container && container == imds {
        return process.clone();
    }
    if container == imds {
        return format!("process: {process}; endpoints: {container}");
    }
    format!("process: {process}; container: {container}; IMDS: {imds}")
}

/// What a person reads: IMDS has no place for it.
fn said(seen: &[Seen; 3]) -> String {
    let (process, container) = (seen[0].said(), seen[1].said());
    let text = match (process, container) {
        ("", "") => "–".to_owned(),
        (one, other) if one == other => one.to_owned(),
        (one, "") => format!("process: {one}"),
        ("", other) => format!("container: {other}"),
        (one, other) => format!("process: {one}; container: {other}"),
    };
    text.replace('|', "\\|")
}

/// Ports, out of a message: they are of one run.
pub(crate) fn without_ports(text: &str) -> String {
    let mut parts = text.split(':');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        let port = (4..=5).contains(&digits);
        plain.push(':');
        plain += if port { "PORT" } else { &part[..digits] };
        plain += &part[digits..];
    }
    plain
}
