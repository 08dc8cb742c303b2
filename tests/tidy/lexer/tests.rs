//! The lexer on the corners of the grammar.

use super::*;

#[test]
fn comments_and_literals_are_blanked_and_lines_stay() {
    for (text, expected) in [
        ("a // b", "a     "),
        ("a /* b /* c */ d */ e", "a                   e"),
        ("f(\"} // \\\" {\") }", "f(           ) }"),
        ("x = r#\"} \" {\"#;", "x =           ;"),
        ("x = br\"}\\\";", "x = b     ;"),
        ("let r#type = 1;", "let r#type = 1;"),
        (
            "c = '{'; d = '\\''; e = '\\u{7d}';",
            "c =    ; d =     ; e =         ;",
        ),
        ("fn f<'a>(x: &'a str) {}", "fn f<'a>(x: &'a str) {}"),
        ("\"a\nb\" c", "  \n   c"),
        ("for r in r\"x\" {}", "for r in      {}"),
        ("\"open", "     "),
    ] {
        assert_eq!(blank(text), expected, "{text}");
    }
}

#[test]
fn tests_are_taken_out_and_counted() {
    let text = "a\n#[cfg(test)]\nmod tests {\n  fn f() {}\n}\nb";
    let code = without_tests(text);
    assert_eq!(code.text.split_whitespace().collect::<String>(), "ab");
    assert_eq!(code.test_lines, 4);
    assert_eq!(code.text.lines().count(), text.lines().count());
    assert_eq!(
        without_tests("#[cfg(test)]\nuse a::{b, c};\nd").text.trim(),
        ";\nd"
    );
    assert_eq!(
        without_tests("#[cfg(test)]\n#[must_use]\npub fn f(a: [u8; 2]) {\n}\nd").test_lines,
        4
    );
}

#[test]
fn test_modules_are_named() {
    let text = "#[cfg(test)]\nmod tests;\n#[cfg(test)]\npub(crate) mod samples;\n#[cfg(test)]\nmod inline {}\nmod real;";
    assert_eq!(test_modules(text), ["tests", "samples"]);
    let shared = "#[cfg(any(test, feature =         ))]\npub mod fuzzed;\nmod real;";
    assert_eq!(test_modules(shared), ["fuzzed"]);
    assert_eq!(without_tests(shared).text.trim(), "mod real;");
}

#[test]
fn functions_are_measured_from_fn_to_brace() {
    let text = "trait T {\n  fn declared(&self);\n  fn given(&self) -> [u8; 2] {\n    fn inner() {}\n  }\n}\ntype F = fn(u8) -> u8;";
    let found = functions(text);
    let found: Vec<_> = found.iter().map(|f| (f.name.as_str(), f.lines)).collect();
    assert_eq!(found, [("given", 3), ("inner", 1)]);
}

#[test]
fn paths_of_use_and_of_code() {
    let text =
        "use a::{self, b::{c, d as e}, *};\nuse f;\npub use ::g::h;\nfn x() { i::j::<k::L>() }";
    let found: Vec<String> = paths(text).iter().map(|path| path.join("::")).collect();
    assert_eq!(
        found,
        ["a", "a::b::c", "a::b::d", "a", "f", "g::h", "i::j", "k::L"]
    );
}
