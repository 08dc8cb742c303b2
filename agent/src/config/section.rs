//! Typed readers over the spanned TOML: every value comes with its place, every mistake is noted there.

use jumpgate_iam::Excerpt;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::faults::{Fault, Faults, Place, Written};

/// What a key holds.
#[derive(Debug)]
pub(super) enum Entry<T> {
    /// The key is not there.
    Absent,
    /// It is there, and wrong; that is reported already.
    Broken,
    /// It is there.
    Here(Written<T>),
}

impl<T> Entry<T> {
    pub(super) fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    pub(super) fn here(&self) -> Option<&Written<T>> {
        match self {
            Self::Here(written) => Some(written),
            Self::Absent | Self::Broken => None,
        }
    }

    pub(super) fn into_here(self) -> Option<Written<T>> {
        match self {
            Self::Here(written) => Some(written),
            Self::Absent | Self::Broken => None,
        }
    }

    fn and_then<U>(self, read: impl FnOnce(Written<T>) -> Option<Written<U>>) -> Entry<U> {
        match self {
            Self::Absent => Entry::Absent,
            Self::Broken => Entry::Broken,
            Self::Here(written) => read(written).map_or(Entry::Broken, Entry::Here),
        }
    }
}

/// A value of the TOML.
pub(super) type Value<'a> = &'a DeValue<'a>;

/// A table that is being read.
pub(super) struct Section<'a> {
    table: &'a DeTable<'a>,
    /// Where the table is, and its own key.
    pub(super) place: Place,
    known: Option<&'static [&'static str]>,
    pub(super) faults: &'a Faults,
}

impl<'a> Section<'a> {
    /// The whole document, which takes these keys.
    pub(super) fn document(
        table: &'a DeTable<'a>,
        known: &'static [&'static str],
        faults: &'a Faults,
    ) -> Self {
        let key = String::new();
        let place = Place { at: 0, key };
        let section = Self {
            table,
            place,
            known: Some(known),
            faults,
        };
        section.refuse_unknown_keys(known);
        section
    }

    /// The table that `written` is, which takes these keys.
    pub(super) fn of(
        written: &Written<Value<'a>>,
        known: &'static [&'static str],
        faults: &'a Faults,
    ) -> Option<Self> {
        let section = Self::of_names(written, faults)?;
        section.refuse_unknown_keys(known);
        Some(Self {
            known: Some(known),
            ..section
        })
    }

    /// The table that `written` is, whose keys are names of the user's.
    pub(super) fn of_names(written: &Written<Value<'a>>, faults: &'a Faults) -> Option<Self> {
        let DeValue::Table(table) = written.value else {
            wrong_type(faults, written, "a table");
            return None;
        };
        Some(Self {
            table,
            place: written.place.clone(),
            known: None,
            faults,
        })
    }

    fn refuse_unknown_keys(&self, known: &'static [&'static str]) {
        for entry in self.entries() {
            let key = entry.value.0;
            if known.contains(&key) {
                continue;
            }
            let owner = match self.place.key.as_str() {
                "" => "the configuration".to_owned(),
                owner => format!("[{owner}]"),
            };
            let message = format!("{} is no key of {owner}", Excerpt::of(key));
            let fault = match self.faults.nearest(key, known.iter().copied()) {
                Some(nearest) => Fault::wrong(&entry.place, message).meant(Some(nearest)),
                None => Fault::wrong(&entry.place, message)
                    .expected(format!("one of {}", known.join(", "))),
            };
            self.faults.error(fault);
        }
    }

    /// All entries in the order of the file: name and value, at the place of the name.
    pub(super) fn entries(&self) -> Vec<Written<(&'a str, Value<'a>)>> {
        let mut entries: Vec<_> = self
            .table
            .iter()
            .map(|(key, value)| {
                let name: &'a str = key.get_ref();
                Written {
                    value: (name, value.get_ref()),
                    place: self.place_of(name, key.span().start),
                }
            })
            .collect();
        entries.sort_by_key(|entry| entry.place.at);
        entries
    }

    /// All entries in the order of the file, at most `most` of them.
    pub(super) fn counted_entries(
        &self,
        most: usize,
        what: &str,
    ) -> Vec<Written<(&'a str, Value<'a>)>> {
        let mut entries = self.entries();
        if let Some(excess) = entries.get(most) {
            let message = format!("there are {} {what}", entries.len());
            let fault = Fault::wrong(&excess.place, message).expected(format!("at most {most}"));
            self.faults.error(fault);
            entries.truncate(most);
        }
        entries
    }

    fn place_of(&self, name: &str, at: usize) -> Place {
        Place {
            at,
            key: joined(&self.place.key, name),
        }
    }

    /// The value of a key, at its own place.
    fn value(&self, key: &'static str) -> Entry<Value<'a>> {
        debug_assert!(
            self.known.is_none_or(|known| known.contains(&key)),
            "{key} is read and not known"
        );
        match self.table.get(key) {
            None => Entry::Absent,
            Some(spanned) => Entry::Here(Written {
                value: spanned.get_ref(),
                place: self.place_of(key, spanned.span().start),
            }),
        }
    }

    /// Notes a key that is needed and is not there.
    pub(super) fn missing(&self, key: &str, expected: &str) {
        let message = format!("{key} is missing");
        let fault = Fault::absent(&self.place, message).expected(expected);
        self.faults.error(fault);
    }

    /// A string. `expected` says what it should be, for another type.
    pub(super) fn text(&self, key: &'static str, expected: &str) -> Entry<&'a str> {
        self.value(key)
            .and_then(|written| as_text(self.faults, &written, expected))
    }

    /// A string that must be there.
    pub(super) fn needed_text(&self, key: &'static str, expected: &str) -> Entry<&'a str> {
        let text = self.text(key, expected);
        if text.is_absent() {
            self.missing(key, expected);
        }
        text
    }

    /// A whole number.
    pub(super) fn integer(&self, key: &'static str, expected: &str) -> Entry<i64> {
        self.value(key).and_then(|written| {
            let number = match written.value {
                DeValue::Integer(number) => {
                    i64::from_str_radix(number.as_str(), number.radix()).ok()
                }
                _ => None,
            };
            if number.is_none() {
                wrong_type(self.faults, &written, expected);
            }
            number.map(|number| written.with(number))
        })
    }

    /// A whole number that must be there.
    pub(super) fn needed_integer(&self, key: &'static str, expected: &str) -> Entry<i64> {
        let number = self.integer(key, expected);
        if number.is_absent() {
            self.missing(key, expected);
        }
        number
    }

    /// `true` or `false`.
    pub(super) fn boolean(&self, key: &'static str) -> Entry<bool> {
        self.value(key).and_then(|written| {
            let truth = written.value.as_bool();
            if truth.is_none() {
                wrong_type(self.faults, &written, "true or false");
            }
            truth.map(|truth| written.with(truth))
        })
    }

    /// A list of at most `most` values.
    pub(super) fn list(
        &self,
        key: &'static str,
        most: usize,
        expected: &str,
    ) -> Entry<Vec<Written<Value<'a>>>> {
        self.value(key).and_then(|written| {
            let DeValue::Array(array) = written.value else {
                wrong_type(self.faults, &written, expected);
                return None;
            };
            if let Some(excess) = array.get(most) {
                let place = element_place(&written.place, most, excess);
                let message = format!("there are {} of them", array.len());
                let fault = Fault::wrong(&place, message).expected(format!("at most {most}"));
                self.faults.error(fault);
            }
            let values = array.iter().take(most).enumerate();
            let values = values.map(|(index, element)| Written {
                value: element.get_ref(),
                place: element_place(&written.place, index, element),
            });
            Some(written.with(values.collect()))
        })
    }

    /// A list of at most `most` strings; elements of another type are reported and left out.
    pub(super) fn texts(
        &self,
        key: &'static str,
        most: usize,
        expected: &str,
    ) -> Entry<Vec<Written<&'a str>>> {
        self.list(key, most, expected).and_then(|list| {
            let texts: Vec<_> = list
                .value
                .iter()
                .filter_map(|element| as_text(self.faults, element, "a string"))
                .collect();
            let whole = texts.len() == list.value.len();
            whole.then(|| list.with(texts))
        })
    }

    /// A value of any type.
    pub(super) fn any(&self, key: &'static str) -> Entry<Value<'a>> {
        self.value(key)
    }

    /// A table within this one, which takes these keys.
    pub(super) fn table(
        &self,
        key: &'static str,
        known: &'static [&'static str],
    ) -> Option<Section<'a>> {
        let value = self.value(key);
        Section::of(value.here()?, known, self.faults)
    }

    /// A table within this one, whose keys are names of the user's.
    pub(super) fn names(&self, key: &'static str) -> Option<Section<'a>> {
        let value = self.value(key);
        Section::of_names(value.here()?, self.faults)
    }
}

/// The string that `written` is.
pub(super) fn as_text<'a>(
    faults: &Faults,
    written: &Written<Value<'a>>,
    expected: &str,
) -> Option<Written<&'a str>> {
    match written.value {
        DeValue::String(text) => Some(written.with(text.as_ref())),
        _ => {
            wrong_type(faults, written, expected);
            None
        }
    }
}

/// Notes a value of another type than expected.
pub(super) fn wrong_type(faults: &Faults, written: &Written<Value<'_>>, expected: &str) {
    let found = match written.value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    };
    let message = format!("{found} cannot stand here");
    faults.error(Fault::wrong(&written.place, message).expected(expected));
}

fn element_place(list: &Place, index: usize, element: &Spanned<DeValue<'_>>) -> Place {
    Place {
        at: element.span().start,
        key: format!("{}[{index}]", list.key),
    }
}

/// Longest part of a dotted key that is shown.
const MAX_SHOWN: usize = 80;

/// The dotted key, with the quotes that TOML wants around unusual names.
fn joined(owner: &str, name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let shown = if !name.is_empty() && name.len() <= MAX_SHOWN && name.chars().all(bare) {
        name.to_owned()
    } else {
        Excerpt::of(name).to_string()
    };
    if owner.is_empty() {
        shown
    } else {
        format!("{owner}.{shown}")
    }
}
