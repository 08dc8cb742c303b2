//! The project's text: every file of the tree that is written by hand, with its place.

use std::path::{Path, PathBuf};

use super::lexer;

/// Places that hold nothing written by hand. Other places of the same names are read.
const SKIPPED: &[&str] = &[
    ".git",
    "target",
    "tests/.venv",
    "tests/.clients",
    "tests/clients/js/node_modules",
    "tests/fuzz/artifacts",
    "tests/fuzz/corpus",
    "tests/fuzz/found",
    "tests/fuzz/target",
    "tests/output",
];

/// One file.
#[derive(Debug, Clone)]
pub(crate) struct File {
    /// Its path from the workspace's root, with `/`.
    pub(crate) path: String,
    /// What it holds; empty for a file that is not UTF-8.
    pub(crate) text: String,
}

impl File {
    /// A file of a rule's self-test.
    pub(crate) fn sample(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Whether it lies in this folder, or is the module of this name.
    pub(crate) fn is_in(&self, place: &str) -> bool {
        let rest = self.path.strip_prefix(place);
        rest.is_some_and(|rest| rest.is_empty() || rest == ".rs" || rest.starts_with('/'))
    }
}

/// The whole tree.
#[derive(Debug)]
pub(crate) struct Tree {
    /// In the order of their paths.
    pub(crate) files: Vec<File>,
}

impl Tree {
    /// Reads the workspace that this test was built from.
    pub(crate) fn read() -> Self {
        let root = root();
        let mut files = Vec::new();
        walk(&root, &root, &mut files);
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Self { files }
    }

    /// A tree of a rule's self-test.
    pub(crate) fn sample(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(path, text)| File::sample(path, text));
        Self {
            files: files.collect(),
        }
    }

    pub(crate) fn rust(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.is_rust())
    }

    /// Rust files that are not tests themselves: what is shipped, and the harness.
    pub(crate) fn shipped(&self) -> impl Iterator<Item = &File> {
        let test_modules = self.test_modules();
        self.rust().filter(move |file| {
            !is_test_place(&file.path) && !test_modules.iter().any(|module| file.is_in(module))
        })
    }

    pub(crate) fn find(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// The places of modules that are declared `#[cfg(test)] mod NAME;`.
    fn test_modules(&self) -> Vec<String> {
        let declared = |file: &File| {
            let folder = folder_of_children(&file.path);
            let names = lexer::test_modules(&lexer::blank(&file.text));
            names
                .into_iter()
                .map(move |name| format!("{folder}/{name}"))
        };
        self.rust().flat_map(declared).collect()
    }
}

/// Tests by their place: the end-to-end package but for its harness, and `tests` modules.
pub(crate) fn is_test_place(path: &str) -> bool {
    let harness = path.starts_with("tests/src/") || path.starts_with("tests/bin/");
    let inside = path.strip_prefix("tests/src/").unwrap_or(path);
    inside.ends_with("/tests.rs")
        || inside == "tests.rs"
        || inside.contains("/tests/")
        || path.starts_with("tests/") && !harness
}

/// Where the modules that a file declares lie.
fn folder_of_children(path: &str) -> String {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    match name {
        "lib.rs" | "main.rs" | "mod.rs" => folder.to_owned(),
        _ => path.trim_end_matches(".rs").to_owned(),
    }
}

/// The workspace's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the tests are a member of the workspace")
        .to_owned()
}

fn walk(root: &Path, folder: &Path, files: &mut Vec<File>) {
    let entries = std::fs::read_dir(folder).expect("the source can be listed");
    for entry in entries {
        let path = entry.expect("the source can be listed").path();
        if SKIPPED.iter().any(|skipped| path == root.join(skipped)) {
            continue;
        }
        if path.is_dir() {
            walk(root, &path, files);
        } else if path.is_file() {
            files.push(read(root, &path));
        }
    }
}

fn read(root: &Path, path: &Path) -> File {
    let bytes = std::fs::read(path).expect("the source can be read");
    let place = path.strip_prefix(root).expect("found under the root");
    File {
        path: place.to_string_lossy().replace('\\', "/"),
        text: String::from_utf8(bytes).unwrap_or_default(),
    }
}
