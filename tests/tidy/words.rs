//! Words that say nothing, in the names of things and files.

use super::lexer::{blank, declared};
use super::source::{File, Tree};
use super::{Breach, breach};

/// Words that may not be part of a name.
const EMPTY: &[&str] = &[
    "manager", "managers", "helper", "helpers", "util", "utils", "common", "misc",
];
/// Words with which a function's name may not begin.
const EMPTY_VERBS: &[&str] = &["handle", "do", "get"];
/// What declares a name.
const KEYWORDS: &[&str] = &[
    "fn",
    "struct",
    "enum",
    "trait",
    "type",
    "mod",
    "const",
    "static",
    "macro_rules",
];

/// Every name that says nothing.
pub(crate) fn breaches(tree: &Tree) -> Vec<Breach> {
    let code = tree.shipped().flat_map(in_code);
    code.chain(tree.files.iter().filter_map(in_its_place))
        .collect()
}

fn in_code(file: &File) -> Vec<Breach> {
    let code = blank(&file.text).replace("macro_rules!", "macro_rules ");
    let names = KEYWORDS.iter().flat_map(|keyword| declared(&code, keyword));
    let empty = names.filter(|(_, name)| says_nothing(name) || is_empty_verb(name));
    empty
        .map(|(_, name)| breach(file, format!("the name {name} says nothing")))
        .collect()
}

/// Names of files and folders. AWS's own names of calls are not ours to choose, so verbs pass.
fn in_its_place(file: &File) -> Option<Breach> {
    let empty = file.path.split('/').find(|name| says_nothing(name))?;
    Some(breach(file, format!("the name {empty} says nothing")))
}

fn says_nothing(name: &str) -> bool {
    parts(name)
        .iter()
        .any(|part| EMPTY.contains(&part.as_str()))
}

fn is_empty_verb(name: &str) -> bool {
    let begins = |verb: &str| {
        name.strip_prefix(verb)
            .is_some_and(|rest| rest.starts_with('_'))
    };
    EMPTY_VERBS.iter().any(|verb| begins(verb))
}

/// The words of a name, in lower case: `SNAKE_CASE`, `CamelCase` and `with-dashes.rs` alike.
fn parts(name: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut was_lower = false;
    for character in name.chars() {
        let begins_word = character.is_uppercase() && was_lower || !character.is_alphanumeric();
        if begins_word {
            parts.push(String::new());
        }
        if let Some(part) = parts.last_mut().filter(|_| character.is_alphanumeric()) {
            part.extend(character.to_lowercase());
        }
        was_lower = character.is_lowercase();
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str, text: &str) -> usize {
        breaches(&Tree::sample(&[(path, text)])).len()
    }

    #[test]
    fn empty_names_are_found() {
        for text in [
            "struct SessionManager;",
            "enum TestHelpers {}",
            "fn handle_request() {}",
            "fn do_it() {}",
            "fn get_name(&self) -> &str {}",
            "mod util {}",
            "const MISC: u8 = 1;",
            "macro_rules! common { () => {} }",
        ] {
            assert_eq!(of("agent/src/x.rs", text), 1, "{text}");
        }
        assert_eq!(of("agent/src/utils.rs", ""), 1);
        assert_eq!(of("docs/misc/x.md", ""), 1);
    }

    #[test]
    fn names_that_say_something_are_not() {
        for text in [
            "fn target() {} fn undo() {} fn handled() {}",
            "struct Utility; fn widget() {} struct Uncommon;",
            "// fn do_it()\nfn f() { g(\"struct Manager\") }",
        ] {
            assert_eq!(of("agent/src/x.rs", text), 0, "{text}");
        }
    }
}
