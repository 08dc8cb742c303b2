//! Documents keep step with the code: what they must name, what they must not, and where their links lead.

use std::collections::BTreeSet;

use jumpgate_api::Code;

use super::lexer;
use super::source::{File, Tree};
use super::{Breach, breach};

/// Every document of the house.
const DOCUMENTS: &[&str] = &[
    "LICENSE",
    "README.md",
    "docs/architecture.md",
    "docs/changelog.md",
    "docs/compatibility.md",
    "docs/contributing.md",
    "docs/glossary.md",
    "docs/protocol.md",
    "docs/reliability.md",
    "docs/third-party.md",
    "docs/threat-model.md",
    "packaging/README.md",
];

/// Most lines of the README.
const README_LINES: usize = 150;

/// Lints that carry invariants, so that no test has to.
const LINTS: &[(&str, &str)] = &[
    ("rust", "unsafe_code"),
    ("rust", "missing_docs"),
    ("clippy", "await_holding_lock"),
    ("clippy", "dbg_macro"),
    ("clippy", "print_stderr"),
    ("clippy", "print_stdout"),
    ("clippy", "todo"),
    ("clippy", "unimplemented"),
    ("clippy", "unwrap_used"),
];

/// Package registries, in two parts, since this file is read too.
const REGISTRIES: &[(&str, &str)] = &[
    ("crates", ".io"),
    ("pypi", ".org"),
    ("pythonhosted", ".org"),
    ("npmjs", ".org"),
    ("npmjs", ".com"),
    ("rubygems", ".org"),
];

/// Documents that are not there, and a README that is too long.
pub(crate) fn missing(tree: &Tree) -> Vec<Breach> {
    let absent = DOCUMENTS.iter().filter(|path| tree.find(path).is_none());
    let absent = absent.map(|path| breach(&File::sample(path, ""), "is missing"));
    let readme = tree.find("README.md").into_iter();
    let long = readme.filter(|file| file.text.lines().count() > README_LINES);
    let long = long.map(|file| breach(file, format!("has more than {README_LINES} lines")));
    absent.chain(long).collect()
}

/// Rust files that do not say what they are for. One of a single line does by being read.
pub(crate) fn without_purpose(tree: &Tree) -> Vec<Breach> {
    let says = |file: &&File| file.text.starts_with("//! ") || file.text.lines().count() == 1;
    let silent = tree.rust().filter(|file| !says(file));
    silent
        .map(|file| breach(file, "does not begin with `//! ` and what it is for"))
        .collect()
}

/// Crates that opt out of the workspace's lints, and lints that are gone.
pub(crate) fn without_lints(tree: &Tree) -> Vec<Breach> {
    let manifests = tree
        .files
        .iter()
        .filter(|file| file.path.ends_with("Cargo.toml"));
    let mut found = Vec::new();
    for file in manifests {
        let table: toml::Table = toml::from_str(&file.text).expect("a manifest is TOML");
        let at = |keys: &[&str]| {
            let mut value = Some(&table);
            let (last, above) = keys.split_last().expect("a key");
            for key in above {
                value = value.and_then(|table| table.get(*key)?.as_table());
            }
            value.and_then(|table| table.get(*last)).cloned()
        };
        if at(&["package"]).is_some() && at(&["lints", "workspace"]) != Some(true.into()) {
            found.push(breach(file, "has no `[lints] workspace = true`"));
        }
        if at(&["workspace"]).is_some() {
            let off = |value: &toml::Value| value.as_str() == Some("allow");
            let gone = LINTS.iter().filter(|(tool, lint)| {
                at(&["workspace", "lints", tool, lint]).is_none_or(|value| off(&value))
            });
            found.extend(gone.map(|(_, lint)| breach(file, format!("the lint {lint} is gone"))));
        }
    }
    found
}

/// What docs/protocol.md does not name: messages, problem codes with their statuses, paths.
pub(crate) fn protocol(tree: &Tree) -> Vec<Breach> {
    let Some(document) = tree.find("docs/protocol.md") else {
        return Vec::new();
    };
    let goldens = tree.files.iter().filter_map(|file| {
        let name = file.path.strip_prefix("proto/api/golden/")?;
        Some(format!("golden/{name}"))
    });
    let codes = Code::ALL.iter().map(|code| {
        let (http, exit) = (code.http_status(), code.exit_status() as u8);
        let again = if code.retryable() { "yes" } else { "no" };
        format!("| `{code}` | {http} | {exit} | {again} |")
    });
    goldens
        .chain(codes)
        .chain(paths(tree))
        .filter(|word| !document.text.contains(word))
        .map(|word| breach(document, format!("does not say {word}")))
        .collect()
}

/// The paths in the table at the top of the API's crate.
fn paths(tree: &Tree) -> BTreeSet<String> {
    let api = tree.find("proto/api/src/lib.rs");
    let table = api
        .into_iter()
        .flat_map(|file| file.text.lines())
        .filter(|line| line.starts_with("//! | `"));
    let cells = table.filter_map(|line| line.split('|').nth(1));
    let paths = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    paths
        .map(|path| path.split('?').next().unwrap_or_default().to_owned())
        .collect()
}

/// Blocks of docs/performance.md that the bench does not write, and blocks of the bench that are not there.
pub(crate) fn bench_blocks(tree: &Tree, blocks: &[String]) -> Vec<Breach> {
    let Some(document) = tree.find("docs/performance.md") else {
        return Vec::new();
    };
    let name = |line: &str| {
        let name = line.strip_prefix("<!-- bench: ")?.strip_suffix(" -->")?;
        Some(name.to_owned())
    };
    let found: Vec<String> = document.text.lines().filter_map(name).collect();
    let absent = blocks.iter().filter(|block| !found.contains(block));
    let absent = absent.map(|block| format!("has no block {block}"));
    let strange = found.iter().filter(|block| !blocks.contains(block));
    let strange = strange.map(|block| format!("the bench does not know the block {block}"));
    let ends = document.text.lines().filter(|line| *line == "<!-- end -->");
    let endless = (ends.count() != found.len()).then(|| "a block does not end".to_owned());
    let all = absent.chain(strange).chain(endless);
    all.map(|what| breach(document, what)).collect()
}

/// Commands that no document names.
pub(crate) fn commands(tree: &Tree, commands: &[String]) -> Vec<Breach> {
    let documents: Vec<&File> = tree.files.iter().filter(|file| is_document(file)).collect();
    let named = |command: &String| {
        let call = format!("jumpgate {command}");
        documents.iter().any(|file| file.text.contains(&call))
    };
    let unnamed = commands.iter().filter(|command| !named(command));
    unnamed
        .map(|command| {
            breach(
                &File::sample("docs", ""),
                format!("no document says jumpgate {command}"),
            )
        })
        .collect()
}

/// The commands that a `--help` lists.
pub(crate) fn commands_of(help: &str) -> Vec<String> {
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let listed = listed.take_while(|line| line.starts_with(' '));
    let names = listed.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    let names = names.filter(|name| !name.is_empty() && *name != "help");
    names.map(str::to_owned).collect()
}

fn is_document(file: &File) -> bool {
    file.path.ends_with(".md")
}

/// Names of other people's houses, and numbers that only a tracker understands.
pub(crate) fn foreign_names(tree: &Tree) -> Vec<Breach> {
    let read = tree
        .files
        .iter()
        .filter(|file| !file.path.ends_with("Cargo.lock"));
    let mut found = Vec::new();
    for file in read {
        let registries = REGISTRIES.iter().map(|(name, end)| format!("{name}{end}"));
        let named = registries.filter(|host| file.text.contains(host.as_str()));
        found.extend(named.map(|host| breach(file, format!("names {host}"))));
        let numbered = file.text.lines().filter(|line| has_number(line));
        found.extend(
            numbered.map(|line| breach(file, format!("has a tracker's number: {}", line.trim()))),
        );
    }
    found
}

/// A number behind `#`, `issue` or `PR`. What follows an ampersand is a character of XML.
fn has_number(line: &str) -> bool {
    let lower = line.to_lowercase();
    let words: Vec<&str> = lower
        .split(|c: char| !c.is_alphanumeric() && !"#&".contains(c))
        .collect();
    let digits = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    let marked = |word: &&str| word.strip_prefix('#').is_some_and(digits);
    let counted = |pair: &[&str]| ["issue", "issues", "pr"].contains(&pair[0]) && digits(pair[1]);
    words.iter().any(marked) || words.windows(2).any(counted)
}

/// Tests that documents name as `FILE.rs::NAME` and that do not exist.
pub(crate) fn tests_named(tree: &Tree) -> Vec<Breach> {
    let mut found = Vec::new();
    for file in tree.files.iter().filter(|file| is_document(file)) {
        let quoted = file.text.split('`').skip(1).step_by(2);
        let named = quoted.filter_map(|quoted| quoted.split_once(".rs::"));
        let absent = named.filter(|(place, name)| {
            let holder = tree.find(&format!("{place}.rs"));
            let words = holder
                .map(|file| lexer::blank(&file.text))
                .unwrap_or_default();
            !lexer::words(&words).iter().any(|(_, word)| word == name)
        });
        found.extend(
            absent.map(|(place, name)| breach(file, format!("there is no {place}.rs::{name}"))),
        );
    }
    found
}

/// Links of documents that lead nowhere.
pub(crate) fn links(tree: &Tree) -> Vec<Breach> {
    let mut found = Vec::new();
    for file in tree.files.iter().filter(|file| is_document(file)) {
        let targets = targets(&file.text);
        let local = targets.into_iter().filter(|target| !target.contains("://"));
        let broken = local.filter(|target| !leads_somewhere(tree, file, target));
        found.extend(broken.map(|target| breach(file, format!("the link {target} leads nowhere"))));
    }
    found
}

/// What stands in `](…)`.
fn targets(text: &str) -> Vec<&str> {
    let behind = text.split("](").skip(1);
    behind
        .filter_map(|rest| Some(rest.split_once(')')?.0))
        .collect()
}

fn leads_somewhere(tree: &Tree, from: &File, target: &str) -> bool {
    let (path, heading) = target.split_once('#').unwrap_or((target, ""));
    let place = beside(&from.path, path);
    let folder = format!("{}/", place.trim_end_matches('/'));
    let is_folder = tree.files.iter().any(|file| file.path.starts_with(&folder));
    match tree.find(&place) {
        Some(file) => heading.is_empty() || headings(&file.text).iter().any(|h| h == heading),
        None => heading.is_empty() && is_folder,
    }
}

/// A relative path from the folder of a file; the file itself for an empty one.
fn beside(from: &str, path: &str) -> String {
    if path.is_empty() {
        return from.to_owned();
    }
    let mut segments: Vec<&str> = from.split('/').collect();
    segments.pop();
    for segment in path.split('/') {
        match segment {
            "." | "" => {}
            ".." => drop(segments.pop()),
            name => segments.push(name),
        }
    }
    segments.join("/")
}

/// The anchors of a document's headings, as forges make them.
fn headings(text: &str) -> Vec<String> {
    let lines = text.lines().filter(|line| line.starts_with('#'));
    let titles = lines.map(|line| line.trim_start_matches('#').trim().to_lowercase());
    let anchor = |title: String| {
        let kept = title
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    titles.map(anchor).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whats(found: Vec<Breach>) -> Vec<String> {
        found.into_iter().map(|breach| breach.what).collect()
    }

    #[test]
    fn a_missing_document_and_a_long_readme_are_found() {
        let readme = "line\n".repeat(151);
        let found = whats(missing(&Tree::sample(&[("README.md", &readme)])));
        assert_eq!(found.len(), DOCUMENTS.len());
        assert_eq!(
            found.last().map(String::as_str),
            Some("has more than 150 lines")
        );
    }

    #[test]
    fn blocks_that_the_bench_and_the_page_do_not_share_are_found() {
        let page = "<!-- bench: a -->\n<!-- end -->\n<!-- bench: b -->\n";
        let tree = Tree::sample(&[("docs/performance.md", page)]);
        let found = whats(bench_blocks(&tree, &["a".to_owned(), "c".to_owned()]));
        let expected = [
            "has no block c",
            "the bench does not know the block b",
            "a block does not end",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_file_without_purpose_is_found() {
        let files = [
            ("a.rs", "//! Why.\n"),
            ("b.rs", "use x;\nuse y;\n"),
            ("c.rs", "//!\nuse x;\n"),
        ];
        assert_eq!(without_purpose(&Tree::sample(&files)).len(), 2);
    }

    #[test]
    fn lints_that_are_off_are_found() {
        let files = [
            (
                "a/Cargo.toml",
                "[package]\nname = \"a\"\n[lints]\nworkspace = true\n",
            ),
            ("b/Cargo.toml", "[package]\nname = \"b\"\n"),
            (
                "Cargo.toml",
                "[workspace.lints.rust]\nunsafe_code = \"allow\"\nmissing_docs = \"warn\"\n",
            ),
        ];
        let found = whats(without_lints(&Tree::sample(&files)));
        assert_eq!(found[0], "has no `[lints] workspace = true`");
        assert_eq!(found[1], "the lint unsafe_code is gone");
        assert_eq!(found.len(), 1 + LINTS.len() - 1);
    }

    #[test]
    fn a_protocol_page_out_of_step_is_found() {
        let api = "//! | method and path | request |\n//! | `GET /v1/a?x=1`, `PUT /v1/b` | – |\n";
        let files = [
            (
                "docs/protocol.md",
                "`PUT /v1/b` | `busy` | 503 | 75 | yes |",
            ),
            ("proto/api/golden/x.json", "{}"),
            ("proto/api/src/lib.rs", api),
        ];
        let found = whats(protocol(&Tree::sample(&files)));
        assert_eq!(found.len(), 1 + Code::ALL.len() - 1 + 1, "{found:?}");
        assert!(found.contains(&"does not say golden/x.json".to_owned()));
        assert!(found.contains(&"does not say GET /v1/a".to_owned()));
        assert!(found.contains(&"does not say | `locked` | 423 | 77 | no |".to_owned()));
    }

    #[test]
    fn a_command_that_no_document_names_is_found() {
        let help = "About\n\nCommands:\n  exec    Runs\n          more\n  lock    Drops\n  help    Prints\n\nOptions:\n  -h\n";
        assert_eq!(commands_of(help), ["exec", "lock"]);
        let tree = Tree::sample(&[("docs/a.md", "`jumpgate exec`")]);
        let found = whats(commands(&tree, &commands_of(help)));
        assert_eq!(found, ["no document says jumpgate lock"]);
    }

    #[test]
    fn foreign_names_are_found() {
        let (name, end) = REGISTRIES[0];
        for text in [
            format!("see https://{name}{end}/x"),
            format!("fixes #{}", 12),
            format!("see issue {}.", 12),
            format!("after PR {}", 12),
        ] {
            let found = foreign_names(&Tree::sample(&[("a.md", &text)]));
            assert_eq!(found.len(), 1, "{text}");
        }
        for text in [
            "# 12 things",
            "r#\"x\"#",
            "an issue, 12 of them",
            "a#12 is #a12, &#13;",
        ] {
            assert_eq!(
                foreign_names(&Tree::sample(&[("a.md", text)])).len(),
                0,
                "{text}"
            );
        }
    }

    #[test]
    fn tests_that_do_not_exist_are_found() {
        let page = "`a.rs::one` `a.rs::two` `gone.rs::one` one.rs::none";
        let files = [("a.md", page), ("a.rs", "fn one() {} // two\n")];
        let found = whats(tests_named(&Tree::sample(&files)));
        assert_eq!(found, ["there is no a.rs::two", "there is no gone.rs::one"]);
    }

    #[test]
    fn links_that_lead_nowhere_are_found() {
        let a = "[1](b.md) [2](../c.md#two-words) [3](https://x/y) [4](#here) [5](sub)\n# Here\n";
        let b = "[1](gone.md) [2](a.md#there) [3](../nowhere/)";
        let files = [
            ("d/a.md", a),
            ("d/b.md", b),
            ("c.md", "## Two words!\n"),
            ("d/sub/x", ""),
        ];
        assert_eq!(links(&Tree::sample(&files)).len(), 3);
    }
}
