//! The help of a command as text.

use super::grammar::{Argument, Command, EPILOGUE, Kind, Opt};

/// The column that explanations start in, unless a name is longer.
const COLUMN: usize = 30;

/// The help of the last command of the path.
pub(super) fn text(path: &[&'static Command]) -> String {
    let Some(command) = path.last() else {
        return String::new();
    };
    let mut text = format!("{}\n\nUsage: {}\n", command.about, usage(path));
    if !command.details.is_empty() {
        text.push_str(&format!("\n{}\n", command.details));
    }
    let rows = command
        .below
        .iter()
        .map(|below| (below.name.to_owned(), below.about.to_owned()));
    section(&mut text, "Commands", rows.collect());
    section(
        &mut text,
        "Arguments",
        command.arguments.iter().map(argument_row).collect(),
    );
    let help = std::iter::once(("-h, --help".to_owned(), "Print this help".to_owned()));
    let version = ("-V, --version".to_owned(), "Print the version".to_owned());
    let version = (path.len() == 1).then_some(version);
    let options = command.options.iter().map(option_row);
    section(
        &mut text,
        "Options",
        options.chain(help).chain(version).collect(),
    );
    if path.len() == 1 {
        text.push_str(&format!("\n{EPILOGUE}\n"));
    }
    text
}

/// `jumpgate exec [OPTIONS] PROFILE -- COMMAND...`
pub(super) fn usage(path: &[&'static Command]) -> String {
    let mut words: Vec<String> = path.iter().map(|command| command.name.to_owned()).collect();
    if let Some(command) = path.last() {
        if !command.options.is_empty() {
            words.push("[OPTIONS]".to_owned());
        }
        words.extend(
            command
                .arguments
                .iter()
                .map(|argument| match argument.kind {
                    Kind::Required => argument.name.to_owned(),
                    Kind::Optional => format!("[{}]", argument.name),
                    Kind::Several => format!("{}...", argument.name),
                    Kind::Any => format!("[{}...]", argument.name),
                    Kind::Rest => format!("-- {}...", argument.name),
                }),
        );
        match (command.below.is_empty(), command.verb) {
            (true, _) => {}
            (false, None) => words.push("COMMAND".to_owned()),
            (false, Some(_)) => words.push("[COMMAND]".to_owned()),
        }
    }
    words.join(" ")
}

fn section(text: &mut String, title: &str, rows: Vec<(String, String)>) {
    if rows.is_empty() {
        return;
    }
    text.push_str(&format!("\n{title}:\n"));
    for (name, about) in rows {
        let gap = if name.len() + 2 < COLUMN { "" } else { "\n" };
        let indent = if gap.is_empty() {
            COLUMN - 2 - name.len()
        } else {
            COLUMN
        };
        text.push_str(&format!("  {name}{gap}{:indent$}{about}\n", ""));
    }
}

fn argument_row(argument: &Argument) -> (String, String) {
    (
        argument.name.to_owned(),
        with_choices(argument.about, argument.choices),
    )
}

fn option_row(option: &Opt) -> (String, String) {
    (spelled(option), with_choices(option.about, option.choices))
}

/// `--format FORMAT`
pub(super) fn spelled(option: &Opt) -> String {
    match option.value {
        Some(value) => format!("--{} {value}", option.name),
        None => format!("--{}", option.name),
    }
}

/// The explanation with the values that are possible.
pub(super) fn with_choices(about: &str, choices: &[&str]) -> String {
    match choices.is_empty() {
        true => about.to_owned(),
        false => format!("{about}: {}", choices.join(", ")),
    }
}
