//! Completions for shells: the commands, their options and the values that can be listed.

use super::grammar::{Command, ROOT};
use super::verb::Shell;

/// The script.
pub(crate) fn script(shell: Shell) -> String {
    match shell {
        Shell::Bash => format!(
            "_jumpgate() {{\n  local word=\"${{COMP_WORDS[COMP_CWORD]}}\" before=\"${{COMP_WORDS[COMP_CWORD-1]}}\"\n  \
             local each verb='' found=''\n  for each in \"${{COMP_WORDS[@]:1:COMP_CWORD-1}}\"; do\n{}  done\n{}  \
             COMPREPLY=($(compgen -W \"$found\" -- \"$word\"))\n}}\n\
             complete -o default -F _jumpgate jumpgate\n",
            descent(),
            candidates(),
        ),
        Shell::Zsh => format!(
            "#compdef jumpgate\n_jumpgate() {{\n  local before=\"${{words[CURRENT-1]}}\" each verb='' found=''\n  \
             for each in \"${{(@)words[2,CURRENT-1]}}\"; do\n{}  done\n{}  \
             compadd -- ${{=found}} || _files\n}}\n\
             if [ \"$funcstack[1]\" = _jumpgate ]; then _jumpgate \"$@\"; else compdef _jumpgate jumpgate; fi\n",
            descent(),
            candidates(),
        ),
        Shell::Fish => fish(),
    }
}

/// Every command with its path below the root: `identity add`.
fn all() -> Vec<(String, &'static Command)> {
    let mut all = Vec::new();
    for command in ROOT.below {
        all.push((command.name.to_owned(), command));
        for below in command.below {
            all.push((format!("{} {}", command.name, below.name), below));
        }
    }
    all
}

/// The words that may follow a command: those below it, its options, the choices of its arguments.
fn words(command: &Command) -> String {
    let below = command.below.iter().map(|below| below.name.to_owned());
    let choices = command
        .arguments
        .iter()
        .flat_map(|argument| argument.choices);
    let options = command
        .options
        .iter()
        .map(|option| format!("--{}", option.name));
    let words: Vec<String> = below
        .chain(choices.map(|&choice| choice.to_owned()))
        .chain(options)
        .collect();
    words.join(" ")
}

/// Shell code that walks down the words typed so far.
fn descent() -> String {
    let arms = all()
        .into_iter()
        .map(|(path, _)| match path.split_once(' ') {
            Some((above, name)) => format!("      '{above}/{name}') verb='{path}';;\n"),
            None => format!("      '/{path}') verb='{path}';;\n"),
        });
    format!(
        "    case \"$verb/$each\" in\n{}    esac\n",
        arms.collect::<String>()
    )
}

/// Shell code that finds what may follow.
fn candidates() -> String {
    let mut code = format!(
        "  case \"$verb\" in\n    '') found='{} --help --version';;\n",
        words(&ROOT)
    );
    for (path, command) in all() {
        code.push_str(&format!(
            "    '{path}') found='{} --help';;\n",
            words(command)
        ));
    }
    code.push_str("  esac\n  case \"$verb $before\" in\n");
    for (path, command) in all() {
        for option in command
            .options
            .iter()
            .filter(|option| option.value.is_some())
        {
            let choices = option.choices.join(" ");
            code.push_str(&format!(
                "    '{path} --{}') found='{choices}';;\n",
                option.name
            ));
        }
    }
    code.push_str("  esac\n");
    code
}

fn fish() -> String {
    let mut code = String::from("complete -c jumpgate -f\n");
    for (path, command) in all() {
        let (condition, name) = match path.split_once(' ') {
            Some((above, name)) => (format!("__fish_seen_subcommand_from {above}"), name),
            None => ("__fish_use_subcommand".to_owned(), path.as_str()),
        };
        code.push_str(&format!(
            "complete -c jumpgate -n '{condition}' -a {name} -d '{}'\n",
            quoted(command.about)
        ));
        let seen = format!("__fish_seen_subcommand_from {name}");
        for choice in command
            .arguments
            .iter()
            .flat_map(|argument| argument.choices)
        {
            code.push_str(&format!("complete -c jumpgate -n '{seen}' -a {choice}\n"));
        }
        for option in command.options {
            let value = match (option.value, option.choices) {
                (None, _) => String::new(),
                (Some(_), []) => " -r -F".to_owned(),
                (Some(_), choices) => format!(" -x -a '{}'", choices.join(" ")),
            };
            let about = quoted(option.about);
            let name = option.name;
            code.push_str(&format!(
                "complete -c jumpgate -n '{seen}' -l {name}{value} -d '{about}'\n"
            ));
        }
    }
    code
}

/// Within single quotes of fish.
fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\'', "\\'")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::process::Command;

    use super::*;

    /// What bash offers for these words, the last of which is being typed.
    fn offered(words: &[&str]) -> Vec<String> {
        let script = script(Shell::Bash);
        let count = words.len() - 1;
        let list: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
        let code = format!(
            "{script}\nCOMP_WORDS=({}); COMP_CWORD={count}; _jumpgate; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            list.join(" ")
        );
        let bash = Command::new("bash")
            .args(["--norc", "-euc", &code])
            .output()
            .unwrap();
        assert!(
            bash.stderr.is_empty(),
            "{}",
            String::from_utf8_lossy(&bash.stderr)
        );
        let text = String::from_utf8(bash.stdout).unwrap();
        text.lines()
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn bash_completes_commands_options_and_values() {
        let cases = [
            (&["jumpgate", "ex"][..], &["exec", "export"][..]),
            (
                &["jumpgate", "identity", ""],
                &["add", "list", "remove", "check", "rotate", "--help"],
            ),
            (&["jumpgate", "identity", "list", "--j"], &["--json"]),
            (
                &["jumpgate", "exec", "dev", "--via", ""],
                &["container", "imds", "env"],
            ),
            (&["jumpgate", "exec", "export", "--via", "e"], &["env"]),
            (
                &["jumpgate", "export", "dev", "--format", "p"],
                &["powershell"],
            ),
            (&["jumpgate", "export", "dev", "--policy", ""], &[]),
            (&["jumpgate", "completions", "z"], &["zsh"]),
            (
                &["jumpgate", "endpoint", "dev", "--kind", ""],
                &["container", "imds"],
            ),
            (
                &["jumpgate", "endpoint", "dev", "--format", ""],
                &["env", "json"],
            ),
            (&["jumpgate", "lock", ""], &["--help"]),
            (
                &["jumpgate", "policy", ""],
                &["lint", "explain", "jump", "preset", "--help"],
            ),
            (
                &["jumpgate", "policy", "preset", ""],
                &["list", "show", "--json", "--help"],
            ),
            (&["jumpgate", "policy", "lint", "--s"], &["--sarif"]),
            (
                &["jumpgate", "policy", "lint", "--class", ""],
                &["read-only", "view"],
            ),
        ];
        for (words, expected) in cases {
            assert_eq!(offered(words), expected, "{words:?}");
        }
    }

    #[test]
    fn fish_describes_every_command() {
        let script = script(Shell::Fish);
        assert!(
            script.contains("-n '__fish_use_subcommand' -a unlock -d 'Make an identity usable")
        );
        assert!(
            script.contains(
                "-n '__fish_seen_subcommand_from exec' -l via -x -a 'container imds env'"
            )
        );
        assert!(
            script.contains("the agent\\'s memory'"),
            "quotes are escaped"
        );
    }
}
