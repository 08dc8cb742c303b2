//! Sizes: what fits on a few screens can be read.

use super::lexer::{blank, functions, without_tests};
use super::source::{File, Tree};
use super::{Breach, breach};

/// Most lines of a file without its tests.
const FILE_LINES: usize = 400;
/// Most lines of a file of tests.
const TEST_FILE_LINES: usize = 800;
/// Most lines of a function.
const FUNCTION_LINES: usize = 60;

/// Every file and function that is too long.
pub(crate) fn breaches(tree: &Tree) -> Vec<Breach> {
    let shipped: Vec<&File> = tree.shipped().collect();
    let is_test = |file: &&File| !shipped.iter().any(|other| other.path == file.path);
    let tests = tree.rust().filter(is_test).filter_map(test_file);
    tests
        .chain(shipped.iter().flat_map(|file| shipped_file(file)))
        .collect()
}

fn test_file(file: &File) -> Option<Breach> {
    let lines = file.text.lines().count();
    (lines > TEST_FILE_LINES).then(|| {
        breach(
            file,
            format!("has {lines} lines of at most {TEST_FILE_LINES}"),
        )
    })
}

fn shipped_file(file: &File) -> Vec<Breach> {
    let code = without_tests(&blank(&file.text));
    let lines = file.text.lines().count() - code.test_lines;
    let long_file = (lines > FILE_LINES)
        .then(|| breach(file, format!("has {lines} lines of at most {FILE_LINES}")));
    let long = functions(&code.text)
        .into_iter()
        .filter(|function| function.lines > FUNCTION_LINES);
    let long_functions = long.map(|function| {
        let (name, lines) = (function.name, function.lines);
        breach(
            file,
            format!("fn {name} has {lines} lines of at most {FUNCTION_LINES}"),
        )
    });
    long_file.into_iter().chain(long_functions).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str, text: &str) -> Vec<String> {
        let found = breaches(&Tree::sample(&[(path, text)]));
        found.into_iter().map(|breach| breach.what).collect()
    }

    #[test]
    fn a_file_at_its_limit_passes_and_one_line_more_does_not() {
        let none = Vec::<String>::new();
        assert_eq!(of("agent/src/a.rs", &"\n".repeat(400)), none);
        assert_eq!(
            of("agent/src/a.rs", &"\n".repeat(401)),
            ["has 401 lines of at most 400"]
        );
        assert_eq!(of("agent/src/a/tests.rs", &"\n".repeat(800)), none);
        assert_eq!(
            of("tests/e2e/a.rs", &"\n".repeat(801)),
            ["has 801 lines of at most 800"]
        );
    }

    #[test]
    fn tests_do_not_count() {
        let tests = format!("#[cfg(test)]\nmod tests {{{}}}\n", "\n".repeat(300));
        assert_eq!(
            of("agent/src/a.rs", &("\n".repeat(400) + &tests)),
            Vec::<String>::new()
        );
    }

    #[test]
    fn a_function_at_its_limit_passes_and_one_line_more_does_not() {
        let function = |lines: usize| format!("fn f() {{{}}}", "\n".repeat(lines - 1));
        assert_eq!(of("agent/src/a.rs", &function(60)), Vec::<String>::new());
        assert_eq!(
            of("agent/src/a.rs", &function(61)),
            ["fn f has 61 lines of at most 60"]
        );
    }
}
