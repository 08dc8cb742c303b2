//! The small words of the configuration: durations, accounts, commands, names out of a list.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use jumpgate_iam::{AccountId, Excerpt};

use super::faults::{Fault, Faults, Written};
use super::raw::MAX_WORD;
use super::section::Entry;
use crate::domain::identity::Argv;
use crate::domain::name::{MAX_NAME, ProfileName};

/// One minute, hour and day, in seconds.
pub(super) const MINUTE: u64 = 60;
/// One hour in seconds.
pub(super) const HOUR: u64 = 60 * MINUTE;
/// One day in seconds.
pub(super) const DAY: u64 = 24 * HOUR;

/// Reads `900s`, `15m`, `12h`, `30d`: at most nine digits, so that no multiplication overflows.
pub(super) fn seconds(text: &str) -> Option<u64> {
    let (unit_at, unit) = text.char_indices().next_back()?;
    let factor = match unit {
        's' => 1,
        'm' => MINUTE,
        'h' => HOUR,
        'd' => DAY,
        _ => return None,
    };
    let digits = &text[..unit_at];
    let is_number = (1..=9).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    let number: u64 = is_number.then(|| digits.parse().ok())??;
    Some(number * factor)
}

/// A duration's bounds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Fewest and most, in seconds.
    pub(super) seconds: (u64, u64),
    /// The same in words.
    pub(super) words: &'static str,
}

/// The duration within its bounds.
pub(super) fn duration(
    faults: &Faults,
    entry: &Entry<&str>,
    bounds: Bounds,
    default: Duration,
) -> Duration {
    let Some(written) = entry.here() else {
        return default;
    };
    let (fewest, most) = bounds.seconds;
    let problem = match seconds(written.value) {
        Some(found) if (fewest..=most).contains(&found) => return Duration::from_secs(found),
        Some(_) => "is out of bounds",
        None => "is no duration such as 900s, 15m, 1h or 30d",
    };
    let message = format!("{} {problem}", Excerpt::of(written.value));
    faults.error(Fault::wrong(&written.place, message).expected(bounds.words));
    default
}

/// The duration within its bounds, or nothing for "never".
pub(super) fn duration_or_never(
    faults: &Faults,
    entry: &Entry<&str>,
    bounds: Bounds,
    default: Option<Duration>,
) -> Option<Duration> {
    match entry.here() {
        None => default,
        Some(written) if written.value == "never" => None,
        Some(_) => Some(duration(faults, entry, bounds, Duration::ZERO)),
    }
}

/// One word out of a few.
pub(super) fn choice<T: Copy>(
    faults: &Faults,
    written: &Written<&str>,
    choices: &[(&str, T)],
) -> Option<T> {
    if let Some((_, value)) = choices.iter().find(|(word, _)| *word == written.value) {
        return Some(*value);
    }
    let words = || choices.iter().map(|(word, _)| *word);
    let quoted: Vec<String> = words().map(|word| format!("\"{word}\"")).collect();
    let message = format!("{} is not known here", Excerpt::of(written.value));
    let nearest = faults.nearest(written.value, words());
    let fault = Fault::wrong(&written.place, message).expected(quoted.join(" or "));
    faults.error(fault.meant(nearest));
    None
}

/// Some words out of a few, none twice.
pub(super) fn choices<T: Copy + PartialEq>(
    faults: &Faults,
    list: &[Written<&str>],
    known: &[(&str, T)],
) -> Vec<T> {
    let mut chosen = Vec::new();
    for written in list {
        match choice(faults, written, known) {
            Some(value) if chosen.contains(&value) => faults.error(twice(written)),
            Some(value) => chosen.push(value),
            None => {}
        }
    }
    chosen
}

/// Something is in a list for the second time.
pub(super) fn twice(written: &Written<&str>) -> Fault {
    let message = format!("{} is in the list twice", Excerpt::of(written.value));
    Fault::wrong(&written.place, message)
}

/// A program and its arguments.
pub(super) fn argv(faults: &Faults, entry: &Entry<Vec<Written<&str>>>) -> Option<Argv> {
    let list = entry.here()?;
    for word in &list.value {
        let problem = match word.value {
            text if text.len() > MAX_WORD => format!("has {} bytes", text.len()),
            text if text.contains('\0') => "holds a NUL character".to_owned(),
            _ => continue,
        };
        let expected = format!("at most {MAX_WORD} bytes without NUL");
        faults.error(Fault::wrong(&word.place, problem).expected(expected));
    }
    let Some((program, arguments)) = list.value.split_first() else {
        let fault = Fault::wrong(&list.place, "the list is empty");
        faults.error(fault.expected("the program and its arguments"));
        return None;
    };
    // A path relative to wherever the agent happens to have been started is nothing to run programs by.
    if program.value.is_empty() || (program.value.contains('/') && !program.value.starts_with('/'))
    {
        let message = format!("{} is no program", Excerpt::of(program.value));
        let fault = Fault::wrong(&program.place, message);
        faults.error(fault.expected("an absolute path, or a name to look up on PATH"));
    }
    Some(Argv {
        program: program.value.to_owned(),
        arguments: arguments.iter().map(|word| word.value.to_owned()).collect(),
    })
}

/// An absolute path. It is not opened.
pub(super) fn absolute_path(faults: &Faults, written: &Written<&str>) -> Option<PathBuf> {
    let path = written.value;
    if path.starts_with('/') && path.len() <= MAX_WORD && !path.contains('\0') {
        return Some(PathBuf::from(path));
    }
    let message = format!("{} is no absolute path", Excerpt::of(path));
    let expected = format!("a path that starts with /, at most {MAX_WORD} bytes");
    faults.error(Fault::wrong(&written.place, message).expected(expected));
    None
}

/// `[accounts]`: names for account ids.
#[derive(Debug, Default)]
pub(super) struct Accounts<'a> {
    by_name: BTreeMap<&'a str, AccountId>,
    /// The first name of each account, in the order of the file.
    names: BTreeMap<AccountId, &'a str>,
}

/// An account as it is meant somewhere.
#[derive(Debug, Clone, Copy)]
pub(super) struct Account<'a> {
    pub(super) id: AccountId,
    pub(super) name: Option<&'a str>,
}

impl<'a> Accounts<'a> {
    /// Reads the table.
    pub(super) fn read(faults: &Faults, raw: &[Written<(&'a str, &'a str)>]) -> Self {
        let mut accounts = Self::default();
        for entry in raw {
            let (name, digits) = entry.value;
            check_name(faults, &entry.with(name));
            if let Some(id) = faults.checked(&entry.place, AccountId::parse(digits)) {
                accounts.by_name.insert(name, id);
                accounts.names.entry(id).or_insert(name);
            }
        }
        accounts
    }

    /// The account of this name, or with these digits.
    pub(super) fn account(
        &self,
        faults: &Faults,
        written: &Written<&'a str>,
    ) -> Option<Account<'a>> {
        let text = written.value;
        if let Some(id) = self.by_name.get(text) {
            let (id, name) = (*id, Some(text));
            return Some(Account { id, name });
        }
        if let Ok(id) = AccountId::parse(text) {
            return Some(self.of_id(id));
        }
        let message = format!("{} is no account", Excerpt::of(text));
        let nearest = faults.nearest(text, self.by_name.keys().copied());
        let fault = Fault::absent(&written.place, message);
        faults.error(
            fault
                .expected("a name of [accounts] or 12 digits")
                .meant(nearest),
        );
        None
    }

    /// The account with this id, with its first name if it has one.
    pub(super) fn of_id(&self, id: AccountId) -> Account<'a> {
        let name = self.names.get(&id).copied();
        Account { id, name }
    }
}

/// Account names stand in session names and tags, so they follow the rule of all other names; and a name of 12
/// digits would be taken for an id.
fn check_name(faults: &Faults, written: &Written<&str>) {
    let _: Option<ProfileName> = faults.checked(&written.place, ProfileName::parse(written.value));
    if AccountId::parse(written.value).is_ok() {
        let fault = Fault::wrong(&written.place, "the name looks like an account id");
        faults.error(fault.expected(format!("a name of at most {MAX_NAME} characters")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, expected) in [
            ("0s", Some(0)),
            ("900s", Some(900)),
            ("15m", Some(900)),
            ("1h", Some(3_600)),
            ("12h", Some(43_200)),
            ("30d", Some(2_592_000)),
            ("999999999d", Some(86_399_999_913_600)),
            ("1000000000s", None),
            ("", None),
            ("s", None),
            ("15", None),
            ("1.5h", None),
            ("-1h", None),
            ("+1h", None),
            ("1H", None),
            ("1h30m", None),
            (" 1h", None),
            ("１h", None),
            ("1ä", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }
}
