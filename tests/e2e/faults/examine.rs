//! One fault taken through all states: put in place, seen by every caller, read in the journal, taken away, got over.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::{Duration, Instant};

use jumpgate_tests::Lab;
use serde_json::Value;

use super::cell::{Interface, Seen, State, profile};
use super::page;
use super::scene::Scene;
use crate::surroundings::PATIENCE;

/// What goes wrong.
pub(crate) struct Fault {
    /// Its heading on the page.
    pub(crate) name: &'static str,
    /// How it is put in place and taken away, in a sentence.
    pub(crate) how: &'static str,
    /// How long a caller may take at most, and why.
    pub(crate) at_most: &'static str,
    /// Whether AWS answers each attempt at once, be it with an error: an endpoint that was too soon gets the failure at the
    /// next request.
    pub(crate) patient: bool,
    /// What the lab needs before the agent starts.
    pub(crate) prepare: Box<dyn FnOnce(&mut Lab) + Send>,
    /// Puts it in place.
    pub(crate) put: Box<dyn Fn(&Lab) + Send>,
    /// Takes it away.
    pub(crate) away: Box<dyn Fn(&Lab) + Send>,
}

/// What all three interfaces saw in one state, what the journal has of it, and what came after.
struct Row {
    state: State,
    seen: [Seen; 3],
    journal: String,
    after: &'static str,
}

/// How long a record may come behind its answer where the page does not say which to wait for.
const SETTLED: Duration = Duration::from_secs(2);

/// Between two looks at the journal.
const PAUSE: Duration = Duration::from_millis(100);

/// What is to be known of a fault where its records are read.
#[derive(Clone, Copy)]
struct Told<'a> {
    on_page: &'a str,
    patient: bool,
}

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

fn examine_one(fault: Fault) {
    let Fault {
        name,
        how,
        at_most,
        patient,
        prepare,
        put,
        away,
    } = fault;
    let Some(scene) = Scene::new(prepare) else {
        return;
    };
    let lab = &scene.lab;
    let section = page::section(name);
    let mut rows = Vec::new();
    let told = Told {
        on_page: &section,
        patient,
    };
    let mut note = |before, states: &[State], seen: Vec<[Seen; 3]>, after: &'static str| {
        for (state, seen) in states.iter().zip(seen) {
            let told = match state {
                State::Prompting => Told {
                    patient: false,
                    ..told
                },
                _ => told,
            };
            let journal = settled(lab, *state, before, &told);
            rows.push(Row {
                state: *state,
                seen,
                journal,
                after,
            });
        }
    };

    let before = written(lab);
    put(lab);
    let seen = scene.ask_while_prompting();
    note(before, &[State::Prompting], vec![seen], "serves by itself");
    away(lab);
    scene.pass_to_the_next_code();
    scene.served_again(State::Prompting);

    scene.make_sessions(State::Refreshing);
    scene.pass_to_the_refresh();
    scene.make_sessions(State::Warm);
    let before = written(lab);
    put(lab);
    let asked = [State::Cold, State::Warm, State::Refreshing];
    note(
        before,
        &asked,
        scene.ask_all(&asked, patient),
        "serves by itself",
    );
    away(lab);
    asked
        .into_iter()
        .for_each(|state| scene.served_again(state));

    lab.run(&["lock"]).good();
    let before = written(lab);
    put(lab);
    let seen = scene.ask_all(&[State::Locked], patient);
    note(
        before,
        &[State::Locked],
        seen,
        "serves after `jumpgate unlock`",
    );
    away(lab);
    scene.pass_to_the_next_code();
    lab.run(&["unlock"]).good();
    scene.served_again(State::Locked);

    page::hold(name, &section_of(name, how, at_most, &rows, &section));
}

/// How many records there are.
fn written(lab: &Lab) -> usize {
    lab.run(&["journal", "verify"]).good();
    lab.journal().len()
}

/// The records of a state since then, once they are those of the page; else once nothing came for a while.
fn settled(lab: &Lab, state: State, before: usize, fault: &Told<'_>) -> String {
    let wanted = page::committed(fault.on_page, state.word(), 5);
    let known = !wanted.is_empty() && !page::writes();
    let patience = if known { PATIENCE } else { SETTLED };
    let began = Instant::now();
    loop {
        lab.run(&["journal", "verify"]).good();
        let records = lab.journal().split_off(before);
        let of = |by| left_behind(&records, &profile(state, by), fault.patient);
        let found = together(Interface::ALL.map(of));
        if known && found == wanted || began.elapsed() > patience {
            return found;
        }
        std::thread::sleep(PAUSE);
    }
}

/// What the records tell of a profile: activities, with the code or nothing where it went well. Not who came too soon.
fn left_behind(records: &[Value], profile: &str, patient: bool) -> String {
    let mut told = BTreeSet::new();
    for record in records {
        let facts = &record["unmapped"]["jumpgate"];
        let activity = record["activity_name"].as_str().unwrap_or_default();
        let code = facts["code"].as_str();
        if facts["profile"] != profile || patient && code == Some("upstream_timed_out") {
            continue;
        }
        told.insert(match code {
            Some(code) => format!("`{activity}` {code}"),
            None => format!("`{activity}`"),
        });
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

fn section_of(name: &str, how: &str, at_most: &str, rows: &[Row], on_page: &str) -> String {
    let mut text = format!("### {name}\n\n{how} Callers wait {at_most}.\n\n");
    text += "| state | `credential_process` | container | IMDSv2 | what is said | journal | once it is over |\n";
    text += "|---|---|---|---|---|---|---|\n";
    for state in State::ALL {
        for row in rows.iter().filter(|row| row.state == state) {
            let word = state.word();
            write!(text, "| {word} |").unwrap();
            for (column, (by, seen)) in Interface::ALL.into_iter().zip(&row.seen).enumerate() {
                let before = page::committed(on_page, word, column + 1);
                write!(text, " {} |", seen.text(by, &before)).unwrap();
            }
            let said = said(&row.seen);
            writeln!(text, " {said} | {} | {} |", row.journal, row.after).unwrap();
        }
    }
    text
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

/// Ports and ids of one run, out of a message.
pub(crate) fn without_numbers(text: &str) -> String {
    let mut words = Vec::new();
    for word in text.split(' ') {
        let id = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let is_id = id.len() >= 26
            && id
                .chars()
                .all(|c| c.is_ascii_hexdigit() || c == '-' || c.is_ascii_uppercase());
        let port = word.find("127.0.0.1:");
        words.push(match port {
            _ if is_id => word.replace(id, "ID"),
            Some(at) => {
                let (before, rest) = word.split_at(at + "127.0.0.1:".len());
                let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
                format!("{before}PORT{rest}")
            }
            None => word.to_owned(),
        });
    }
    words.join(" ")
}
