//! `policy` and `policy_arns` of a profile.

use std::io;
use std::path::{Path, PathBuf};

use jumpgate_iam::lint::{self, Kind, Options};
use jumpgate_iam::{Excerpt, Partition, PolicyArn, PolicyArns, PolicyDocument, PolicyError};
use toml::de::DeValue;

use super::faults::{Fault, Faults, Place, Written};
use super::preset;
use super::raw::{MAX_POLICY_ARNS, MAX_WORD};
use super::report::Position;
use super::section::{Entry, Value, wrong_type};
use super::terms::twice;
use crate::domain::preset::SessionPolicies;

const EXPECTED: &str =
    "the path of a .json file, the policy itself as JSON text, or { preset = \"…\" }";

/// Reads a policy file; the one thing that understanding a configuration asks of the world.
pub(super) type ReadPolicy<'r> = dyn Fn(&Path) -> io::Result<String> + 'r;

/// Reads the session policies that profiles name.
pub(super) struct PolicyReader<'r> {
    pub(super) faults: &'r Faults,
    /// The directory of the configuration; policies are named from there.
    pub(super) directory: PathBuf,
    pub(super) read: &'r ReadPolicy<'r>,
}

impl PolicyReader<'_> {
    /// The policy that a profile names or holds. A preset may bring managed policies too, of the partition of the
    /// profile's role; while that is not known, of any.
    pub(super) fn policies(
        &self,
        entry: &Entry<Value<'_>>,
        partition: Option<Partition>,
    ) -> SessionPolicies {
        let Some(written) = entry.here() else {
            return SessionPolicies::default();
        };
        let partition = partition.unwrap_or(Partition::Aws);
        match written.value {
            DeValue::Table(table) if table.contains_key("preset") => {
                preset::policies(self.faults, written, table, partition)
            }
            _ => SessionPolicies {
                inline: self.policy(written),
                ..SessionPolicies::default()
            },
        }
    }

    fn policy(&self, written: &Written<Value<'_>>) -> Option<PolicyDocument> {
        match written.value {
            DeValue::String(text) => self.of_text(&written.with(text.as_ref())),
            _ => {
                wrong_type(self.faults, written, EXPECTED);
                None
            }
        }
    }

    fn of_text(&self, written: &Written<&str>) -> Option<PolicyDocument> {
        let text = written.value;
        if text.trim_start().starts_with('{') {
            return self.inline(written);
        }
        if !text.ends_with(".json") && text.contains('{') {
            let message = format!("{} is neither", Excerpt::of(text));
            self.faults
                .error(Fault::wrong(&written.place, message).expected(EXPECTED));
            return None;
        }
        self.file(written)
    }

    fn inline(&self, written: &Written<&str>) -> Option<PolicyDocument> {
        match PolicyDocument::parse(written.value) {
            Ok(policy) => {
                doubt(self.faults, &written.place, written.value, Stands::Here);
                Some(policy)
            }
            Err(error) => {
                let message = format!(
                    "in its JSON text, {}: {}",
                    error.position(),
                    with_rule(&error)
                );
                self.faults.error(Fault::wrong(&written.place, message));
                None
            }
        }
    }

    fn file(&self, written: &Written<&str>) -> Option<PolicyDocument> {
        let name = written.value;
        if name.is_empty() || name.len() > MAX_WORD || name.contains('\0') {
            let message = format!("{} is no path", Excerpt::of(name));
            self.faults
                .error(Fault::wrong(&written.place, message).expected(EXPECTED));
            return None;
        }
        let path = self.directory.join(name);
        let text = match (self.read)(&path) {
            Ok(text) => text,
            Err(error) => {
                let message = format!("{} cannot be read: {error}", path.display());
                self.faults.error(Fault::wrong(&written.place, message));
                return None;
            }
        };
        // A byte order mark is no JSON, though editors write it.
        match PolicyDocument::parse(text.strip_prefix('\u{feff}').unwrap_or(&text)) {
            Ok(policy) => {
                doubt(self.faults, &written.place, &text, Stands::In(&path));
                Some(policy)
            }
            Err(error) => {
                let fault = Fault::wrong(&written.place, with_rule(&error));
                let (line, column) = (error.line(), error.column());
                self.faults
                    .error(fault.inside(&path, Position { line, column }));
                None
            }
        }
    }
}

/// Where a policy's text stands.
#[derive(Clone, Copy)]
pub(super) enum Stands<'p> {
    /// In a file that the configuration names.
    In(&'p Path),
    /// In the configuration itself.
    Here,
    /// In the agent; the configuration has the values of its parameters.
    InPreset,
}

/// What is legal in a policy and probably not what was meant.
pub(super) fn doubt(faults: &Faults, place: &Place, text: &str, stands: Stands<'_>) {
    let options = Options {
        kind: Some(Kind::Session),
        ..Options::default()
    };
    for finding in lint::lint(text, &options).findings {
        let statement = finding
            .statement
            .as_ref()
            .map_or_else(String::new, |name| format!(", in {name}"));
        let what = format!("{}: {}{statement}", finding.rule, finding.what);
        faults.warning(match (stands, finding.fix()) {
            (Stands::In(path), fix) => {
                Fault::wrong(place, format!("{what}. {fix}")).inside(path, finding.at)
            }
            (Stands::Here, fix) => {
                let message = format!("in its JSON text, {}: {what}. {fix}", finding.at);
                Fault::wrong(place, message)
            }
            // All that is free in a preset are its parameters, and all that they can do is to make it long.
            (Stands::InPreset, _) => {
                let message = format!("the preset with these parameters: {what}");
                Fault::wrong(place, message).expected("fewer or shorter values of its parameters")
            }
        });
    }
}

/// The rule that is broken, and the error without the place that it begins with.
fn with_rule(error: &PolicyError) -> String {
    let text = error.to_string();
    let place = format!("{}: ", error.position());
    let what = text.strip_prefix(&place).unwrap_or(&text);
    format!("{}: {what}", lint::rule_of(error))
}

/// The managed policies: those of the preset, then those named, of the role's partition, none twice.
pub(super) fn policy_arns(
    faults: &Faults,
    entry: &Entry<Vec<Written<&str>>>,
    partition: Option<Partition>,
    of_preset: &PolicyArns,
) -> PolicyArns {
    let list = entry.here().map(|list| list.value.as_slice());
    let mut arns: Vec<PolicyArn> = of_preset.iter().cloned().collect();
    for written in list.unwrap_or_default() {
        let Some(arn) = faults.checked(&written.place, PolicyArn::parse(written.value)) else {
            continue;
        };
        if let Some(partition) = partition.filter(|partition| *partition != arn.partition()) {
            let message = format!(
                "the policy is in partition {}, and the role in {partition}",
                arn.partition()
            );
            faults.error(
                Fault::wrong(&written.place, message).expected(format!("arn:{partition}:…")),
            );
        }
        if arns.contains(&arn) {
            faults.error(twice(written));
        } else {
            arns.push(arn);
        }
    }
    if let (Some(written), false) = (entry.here(), arns.len() <= MAX_POLICY_ARNS) {
        let message = format!(
            "with the {} of the preset there are {} managed policies",
            of_preset.len(),
            arns.len()
        );
        let fault = Fault::wrong(&written.place, message);
        faults.error(fault.expected(format!("at most {MAX_POLICY_ARNS}")));
    }
    PolicyArns::new(arns).unwrap_or_default()
}
