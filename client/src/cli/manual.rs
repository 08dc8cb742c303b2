//! The help of all commands as one manual page in roff.

use super::grammar::{Command, EPILOGUE, ROOT};
use super::help;

/// The page.
pub(crate) fn text() -> String {
    let version = env!("CARGO_PKG_VERSION");
    let mut page = format!(".TH JUMPGATE 1 \"\" \"jumpgate {version}\" \"Jumpgate\"\n");
    page.push_str(&format!(".SH NAME\njumpgate \\- {}\n", escape(ROOT.about)));
    page.push_str(&format!(
        ".SH SYNOPSIS\n{}\n",
        escape(&help::usage(&[&ROOT]))
    ));
    page.push_str(".SH DESCRIPTION\n");
    verbatim(&mut page, ROOT.details);
    page.push_str(".SH COMMANDS\n");
    for command in ROOT.below {
        section(&mut page, &[&ROOT, command]);
    }
    page.push_str(".SH NOTES\n");
    verbatim(&mut page, EPILOGUE);
    page
}

/// A command, then those below it.
fn section(page: &mut String, path: &[&'static Command]) {
    let Some(command) = path.last() else {
        return;
    };
    page.push_str(&format!(
        ".SS {}\n{}\n",
        escape(&help::usage(path)),
        escape(command.about)
    ));
    verbatim(page, command.details);
    for argument in command.arguments {
        item(
            page,
            argument.name,
            &help::with_choices(argument.about, argument.choices),
        );
    }
    for option in command.options {
        item(
            page,
            &help::spelled(option),
            &help::with_choices(option.about, option.choices),
        );
    }
    for below in command.below {
        let path: Vec<&Command> = path.iter().copied().chain([below]).collect();
        section(page, &path);
    }
}

fn item(page: &mut String, name: &str, about: &str) {
    page.push_str(&format!(".TP\n.B {}\n{}\n", escape(name), escape(about)));
}

/// A paragraph whose lines stay as they are.
fn verbatim(page: &mut String, text: &str) {
    if !text.is_empty() {
        page.push_str(&format!(".PP\n.nf\n{}\n.fi\n", escape(text)));
    }
}

/// Text that roff shows as it is: no escapes, no requests, hyphens that can be searched for.
fn escape(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let line = line.replace('\\', "\\e").replace('-', "\\-");
        match line.starts_with(['.', '\'']) {
            true => format!("\\&{line}"),
            false => line,
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_shown_as_it_is() {
        assert_eq!(
            escape("a-b\\c\n.TH x\n'x\nok."),
            "a\\-b\\ec\n\\&.TH x\n\\&'x\nok."
        );
    }
}
