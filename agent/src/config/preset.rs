//! `policy = { preset = "…" }`: a preset by name, and its parameters.

use jumpgate_iam::{Excerpt, Partition};
use toml::de::{DeTable, DeValue};

use super::faults::{Fault, Faults, Place, Written};
use super::policy::{Stands, doubt};
use super::section::{Section, Value, as_text, wrong_type};
use crate::domain::preset::{Given, MAX_VALUES, Preset, PresetError, SessionPolicies, names};

/// The policies of the preset that a table names; none, and mistakes, where it names none or not all of it.
pub(super) fn policies<'a>(
    faults: &'a Faults,
    written: &Written<Value<'a>>,
    table: &'a DeTable<'a>,
    partition: Partition,
) -> SessionPolicies {
    let found = preset(faults, written).and_then(|preset| {
        let given = given(faults, written, &preset)?;
        debug_assert_eq!(table.len(), given.len() + 1, "every key is read");
        let policies = preset.policies(partition, &given);
        faults.checked(&written.place, policies)
    });
    let policies = found.unwrap_or_default();
    if let Some(policy) = &policies.inline {
        doubt(faults, &written.place, policy.minified(), Stands::InPreset);
    }
    policies
}

fn preset<'a>(faults: &'a Faults, written: &Written<Value<'a>>) -> Option<Preset> {
    let section = Section::of_names(written, faults)?;
    let entries = section.entries();
    let entry = entries.iter().find(|entry| entry.value.0 == "preset")?;
    let name = as_text(faults, &entry.with(entry.value.1), "a preset's name")?;
    match Preset::named(name.value) {
        Ok(preset) => Some(preset),
        Err(PresetError::Unknown { name, nearest }) => {
            let message = format!("no preset is called {name}");
            let fault = Fault::wrong(&entry.place, message).meant(nearest);
            let known = names().collect::<Vec<_>>().join(", ");
            faults.error(match nearest {
                Some(_) => fault,
                None => fault.expected(format!("one of {known}")),
            });
            None
        }
        Err(other) => {
            faults.error(Fault::wrong(&entry.place, other.to_string()));
            None
        }
    }
}

/// Every parameter that is given, if all of them are legal and none is missing.
fn given<'a>(faults: &'a Faults, written: &Written<Value<'a>>, preset: &Preset) -> Option<Given> {
    let section = Section::of_names(written, faults)?;
    let mut given = Given::new();
    let mut sound = true;
    for entry in section.entries() {
        let (name, value) = entry.value;
        if name == "preset" {
            continue;
        }
        let values = values(faults, &entry.with(value));
        let legal = values.filter(|values| is_legal(faults, &entry.place, preset, name, values));
        sound &= legal.is_some();
        given.insert(name.to_owned(), legal.unwrap_or_default());
    }
    for missing in preset.missing(&given) {
        sound = false;
        let fault = Fault::absent(&written.place, missing.to_string());
        faults.error(match &missing {
            PresetError::Missing { takes, .. } => fault.expected(takes.expected()),
            _ => fault,
        });
    }
    sound.then_some(given)
}

fn values(faults: &Faults, written: &Written<Value<'_>>) -> Option<Vec<String>> {
    const EXPECTED: &str = "a string, or a list of strings";
    match written.value {
        DeValue::String(text) => Some(vec![text.as_ref().to_owned()]),
        DeValue::Array(list) => {
            let text = |value: &DeValue<'_>| value.as_str().map(str::to_owned);
            // One more than is legal, so that too many are seen as that.
            let list = list.iter().take(MAX_VALUES + 1);
            let texts: Option<Vec<String>> = list.map(|value| text(value.get_ref())).collect();
            if texts.is_none() {
                wrong_type(faults, written, EXPECTED);
            }
            texts
        }
        _ => {
            wrong_type(faults, written, EXPECTED);
            None
        }
    }
}

fn is_legal(
    faults: &Faults,
    place: &Place,
    preset: &Preset,
    name: &str,
    values: &[String],
) -> bool {
    let Some(parameter) = preset.parameter(name) else {
        let known = || preset.parameters.iter().map(|known| known.name.as_str());
        let message = format!(
            "{} is no parameter of preset {}",
            Excerpt::of(name),
            preset.name
        );
        let fault = Fault::wrong(place, message);
        faults.error(match (faults.nearest(name, known()), known().next()) {
            (Some(nearest), _) => fault.meant(Some(nearest)),
            (None, Some(_)) => {
                fault.expected(format!("one of {}", known().collect::<Vec<_>>().join(", ")))
            }
            (None, None) => fault.expected("no parameters at all"),
        });
        return false;
    };
    let checked = preset.check(parameter, values);
    if let Err(illegal) = &checked {
        let fault = Fault::wrong(place, illegal.to_string());
        faults.error(fault.expected(parameter.takes.expected()));
    }
    checked.is_ok()
}
