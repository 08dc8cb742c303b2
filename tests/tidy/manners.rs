//! What no code does: unsafe blocks, panics by unwrap, text on its own account, the environment on the side.

use super::layers::full_paths;
use super::lexer::{blank, without_tests, words};
use super::source::{File, Tree};
use super::{Breach, breach};

/// The only files that read the environment.
const ENVIRONMENT: &[&str] = &["agent/src/config/environment.rs", "client/src/cli.rs"];

/// Macros that print, or that mark what is not done.
const MACROS: &[&str] = &[
    "dbg",
    "eprint",
    "eprintln",
    "print",
    "println",
    "todo",
    "unimplemented",
];

/// Places where nothing waits.
const SYNCHRONOUS: &[&str] = &[
    "agent/src/domain",
    "client/src",
    "proto/api/src",
    "proto/iam/src",
];

/// Every breach of manners.
pub(crate) fn breaches(tree: &Tree) -> Vec<Breach> {
    let anywhere = tree.rust().flat_map(in_any_code);
    let shipped = tree.shipped().flat_map(in_shipped_code);
    let environment = full_paths(tree).into_iter().filter_map(environment);
    anywhere.chain(shipped).chain(environment).collect()
}

/// What not even a test does.
fn in_any_code(file: &File) -> Vec<Breach> {
    let code = blank(&file.text);
    let closed = ["unsafe", "set_var", "remove_var"];
    let found = words(&code)
        .into_iter()
        .filter(|(_, word)| closed.contains(word));
    found
        .map(|(_, word)| breach(file, format!("says {word}")))
        .collect()
}

fn in_shipped_code(file: &File) -> Vec<Breach> {
    let code = without_tests(&blank(&file.text)).text;
    let waits = |word: &str| ["async", "await"].contains(&word);
    let synchronous = SYNCHRONOUS.iter().any(|place| file.is_in(place));
    let mut found = Vec::new();
    for (at, word) in words(&code) {
        let behind = &code[at + word.len()..];
        let is_macro = MACROS.contains(&word) && behind.starts_with('!');
        let unwraps = word == "unwrap" && behind.starts_with('(');
        if is_macro || unwraps || synchronous && waits(word) {
            found.push(breach(file, format!("says {word}")));
        }
    }
    found
}

/// The program's own arguments and place are no environment.
fn environment((file, path): (&File, String)) -> Option<Breach> {
    let item = path
        .strip_prefix("std::env")
        .map(|rest| rest.trim_start_matches("::"));
    let variables =
        item.is_some_and(|item| !["args_os", "current_exe", "set_current_dir"].contains(&item));
    let reads = variables && !ENVIRONMENT.contains(&file.path.as_str());
    reads.then(|| breach(file, format!("reads the environment: {path}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str, text: &str) -> Vec<String> {
        let manifest = ("Cargo.toml", "");
        let found = breaches(&Tree::sample(&[manifest, (path, text)]));
        found.into_iter().map(|breach| breach.what).collect()
    }

    #[test]
    fn bad_manners_are_found() {
        for (path, text, what) in [
            ("agent/src/x.rs", "fn f() { unsafe { g() } }", "says unsafe"),
            ("tests/e2e/x.rs", "fn f() { set_var(a, b) }", "says set_var"),
            ("agent/src/x.rs", "fn f() { g().unwrap() }", "says unwrap"),
            ("tests/src/x.rs", "fn f() { g().unwrap() }", "says unwrap"),
            ("client/src/x.rs", "fn f() { println!(a) }", "says println"),
            ("client/src/x.rs", "fn f() { todo!() }", "says todo"),
            ("agent/src/domain/x.rs", "async fn f() {}", "says async"),
            (
                "agent/src/app.rs",
                "fn f() { std::env::var(a) }",
                "reads the environment: std::env::var",
            ),
        ] {
            assert_eq!(of(path, text), [what], "{path}: {text}");
        }
    }

    #[test]
    fn good_manners_are_not() {
        for (path, text) in [
            (
                "agent/src/x.rs",
                "// unsafe\nfn f() { g(\"unsafe println!()\") }",
            ),
            (
                "agent/src/x.rs",
                "#[cfg(test)]\nmod tests { fn f() { g().unwrap() } }",
            ),
            ("agent/src/x.rs", "fn f() { g().unwrap_or(1) }"),
            ("tests/e2e/x.rs", "fn f() { g().unwrap() }"),
            ("agent/src/broker/x.rs", "async fn f() {}"),
            ("client/src/cli.rs", "fn f() { std::env::var_os(a) }"),
            ("agent/src/lib.rs", "fn f() { std::env::args_os() }"),
        ] {
            assert_eq!(of(path, text), Vec::<String>::new(), "{path}: {text}");
        }
    }
}
