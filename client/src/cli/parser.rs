//! Arguments to a value, by the table. GNU's conventions: options may stand anywhere after their command,
//! as `--name VALUE` or `--name=VALUE`; behind `--` nothing is an option.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use super::grammar::{Argument, Command, Kind, Opt, ROOT};
use super::help;
use super::verb::Verb;
use crate::failure::Failure;

/// What the arguments say.
#[derive(Debug)]
pub(crate) enum Parsed {
    /// Do this.
    Verb(Verb),
    /// Only say this.
    Text(String),
}

/// The values that were given, by the names in the table.
#[derive(Debug, Default)]
pub(crate) struct Matches {
    values: Vec<(&'static str, OsString)>,
    rest: Vec<OsString>,
}

impl Matches {
    /// Whether a flag was given.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.values.iter().any(|(given, _)| *given == name)
    }

    /// The first value of this name that was not taken yet.
    pub(crate) fn take(&mut self, name: &str) -> Option<OsString> {
        let index = self.values.iter().position(|(given, _)| *given == name)?;
        Some(self.values.remove(index).1)
    }

    /// The same as text.
    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>, Failure> {
        let not_text = |_| Failure::usage(format!("{name} is not UTF-8 text"));
        self.take(name)
            .map(|value| value.into_string().map_err(not_text))
            .transpose()
    }

    /// The text of an argument that the parser made sure of.
    pub(crate) fn required(&mut self, name: &str) -> Result<String, Failure> {
        self.text(name)?
            .ok_or_else(|| Failure::usage(format!("{name} is missing")))
    }

    /// What stands behind `--`.
    pub(crate) fn rest(&mut self) -> Vec<OsString> {
        std::mem::take(&mut self.rest)
    }
}

/// Parses all arguments, the program's name first.
pub(crate) fn parse(arguments: Vec<OsString>) -> Result<Parsed, Failure> {
    let mut parser = Parser {
        path: vec![&ROOT],
        matches: Matches::default(),
        positionals: 0,
        arguments: arguments.into_iter().skip(1),
    };
    parser
        .run()
        .map_err(|failure| failure.or_hint(|| format!("see: {} --help", parser.name())))
}

struct Parser<I> {
    path: Vec<&'static Command>,
    matches: Matches,
    positionals: usize,
    arguments: I,
}

impl<I: Iterator<Item = OsString>> Parser<I> {
    fn run(&mut self) -> Result<Parsed, Failure> {
        while let Some(argument) = self.arguments.next() {
            match argument.as_bytes() {
                b"--help" | b"-h" => return Ok(Parsed::Text(help::text(&self.path))),
                b"--version" | b"-V" if self.path.len() == 1 => {
                    let version = env!("CARGO_PKG_VERSION");
                    return Ok(Parsed::Text(format!("jumpgate {version}\n")));
                }
                b"--" => {
                    self.rest()?;
                    break;
                }
                [b'-', b'-', option @ ..] => self.option(option)?,
                [b'-', _, ..] => return Err(self.unknown("option ", &argument, Vec::new())),
                _ => self.word(argument)?,
            }
        }
        self.finish()
    }

    /// The command whose arguments are being read.
    fn command(&self) -> &'static Command {
        self.path.last().copied().unwrap_or(&ROOT)
    }

    /// Its name with those above it: `jumpgate identity add`.
    fn name(&self) -> String {
        let names: Vec<&str> = self.path.iter().map(|command| command.name).collect();
        names.join(" ")
    }

    /// `option` is what follows the two dashes.
    fn option(&mut self, option: &[u8]) -> Result<(), Failure> {
        let mut parts = option.splitn(2, |&byte| byte == b'=');
        let name = parts.next().unwrap_or_default();
        let mut value = parts.next().map(|value| OsString::from_vec(value.to_vec()));
        let known = self
            .command()
            .options
            .iter()
            .find(|known| known.name.as_bytes() == name);
        let Some(known) = known else {
            let names = self
                .command()
                .options
                .iter()
                .map(|known| known.name)
                .collect();
            return Err(self.unknown("option --", OsStr::from_bytes(name), names));
        };
        if known.value.is_some() && value.is_none() {
            value = self.arguments.next();
        }
        let value = match (known.value, value) {
            (None, None) => OsString::new(),
            (Some(_), Some(value)) => value,
            (None, Some(_)) => {
                return Err(Failure::usage(format!("--{} takes no value", known.name)));
            }
            (Some(kind), None) => {
                return Err(Failure::usage(format!(
                    "--{} needs a value: {kind}",
                    known.name
                )));
            }
        };
        self.keep(known, value)
    }

    fn keep(&mut self, known: &Opt, value: OsString) -> Result<(), Failure> {
        let again = self.matches.flag(known.name);
        if again && known.value.is_some() && !known.repeats {
            return Err(Failure::usage(format!("--{} is given twice", known.name)));
        }
        check_choice(&format!("--{}", known.name), known.choices, &value)?;
        self.matches.values.push((known.name, value));
        Ok(())
    }

    /// A command below, or a positional argument.
    fn word(&mut self, word: OsString) -> Result<(), Failure> {
        let command = self.command();
        if !command.below.is_empty() {
            let below = command.below.iter().find(|below| word == below.name);
            let below = below.ok_or_else(|| {
                let names = command.below.iter().map(|below| below.name).collect();
                self.unknown("command ", &word, names)
            })?;
            self.path.push(below);
            return Ok(());
        }
        let several = command.arguments.last();
        let several = several.filter(|argument| matches!(argument.kind, Kind::Several | Kind::Any));
        let argument = command.arguments.get(self.positionals).or(several);
        match argument {
            Some(Argument {
                kind: Kind::Rest, ..
            }) => Err(Failure::usage("the command to run must stand behind --")),
            Some(argument) => {
                check_choice(argument.name, argument.choices, &word)?;
                self.positionals += 1;
                self.matches.values.push((argument.name, word));
                Ok(())
            }
            None => Err(self.unknown("argument ", &word, Vec::new())),
        }
    }

    /// Everything behind `--`: the command to run, or the positional arguments.
    fn rest(&mut self) -> Result<(), Failure> {
        let takes_rest = self
            .command()
            .arguments
            .iter()
            .any(|argument| argument.kind == Kind::Rest);
        if takes_rest {
            self.matches.rest = self.arguments.by_ref().collect();
            return Ok(());
        }
        while let Some(word) = self.arguments.next() {
            self.word(word)?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<Parsed, Failure> {
        let command = self.command();
        let Some(verb) = command.verb else {
            let names: Vec<&str> = command.below.iter().map(|below| below.name).collect();
            let what = format!("{} needs a command: {}", self.name(), names.join(", "));
            return Err(Failure::usage(what));
        };
        let missing = command
            .arguments
            .iter()
            .enumerate()
            .find(|(index, argument)| match argument.kind {
                Kind::Required | Kind::Several => *index >= self.positionals,
                Kind::Optional | Kind::Any => false,
                Kind::Rest => self.matches.rest.is_empty(),
            });
        if let Some((_, argument)) = missing {
            return Err(Failure::usage(format!("{} is missing", argument.name)));
        }
        verb(&mut self.matches).map(Parsed::Verb)
    }

    fn unknown(&self, what: &str, word: &OsStr, names: Vec<&str>) -> Failure {
        let word = word.to_string_lossy();
        let place = match self.path.as_slice() {
            [_] => String::new(),
            _ => format!("{}: ", self.name()),
        };
        let failure = Failure::usage(format!("{place}unknown {what}{word}"));
        let near = names
            .into_iter()
            .map(|name| (distance(&word, name), name))
            .min();
        match near {
            Some((0..=2, name)) => failure.hint(format!("did you mean {name}?")),
            _ => failure,
        }
    }
}

fn check_choice(name: &str, choices: &[&str], value: &OsStr) -> Result<(), Failure> {
    if choices.is_empty() || choices.iter().any(|choice| value == *choice) {
        return Ok(());
    }
    let (value, choices) = (value.to_string_lossy(), choices.join(", "));
    Err(Failure::usage(format!("{name} cannot be {value}")).hint(format!("use one of: {choices}")))
}

/// How many letters have to be changed, put in or left out to make one word of the other (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, letter) in one.chars().take(32).enumerate() {
        let mut before = std::mem::replace(&mut row[0], line + 1);
        for (column, &wanted) in other.iter().enumerate() {
            let changed = before + usize::from(letter != wanted);
            before = row[column + 1];
            row[column + 1] = changed.min(before + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests;
