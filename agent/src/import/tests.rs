//! Whole files in, whole configurations out: each folder of `tests/` is one home. `config`, `credentials`, `ours.toml`
//! and `arguments` are what is there; `expected.toml` is what is printed, `expected.txt` what is said besides.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use super::*;

fn folder(name: &str) -> PathBuf {
    let tests = concat!(env!("CARGO_MANIFEST_DIR"), "/src/import/tests");
    Path::new(tests).join(name)
}

/// A folder's files in a home of their own.
struct Home {
    home: tempfile::TempDir,
    words: Vec<String>,
}

impl Home {
    fn of(name: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        for file in ["config", "credentials", "ours.toml"] {
            if let Ok(text) = fs::read(folder(name).join(file)) {
                fs::write(home.path().join(file), text).unwrap();
            }
        }
        let words = fs::read_to_string(folder(name).join("arguments")).unwrap_or_default();
        let words = words.split_whitespace().map(str::to_owned).collect();
        Self { home, words }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn run(&self, words: &[&str]) -> Said {
        let [config, credentials] =
            ["config", "credentials"].map(|name| self.path(name).display().to_string());
        let files = ["--config-file", &config, "--credentials-file", &credentials];
        let own = self.words.iter().map(String::as_str);
        let words: Vec<&str> = files
            .into_iter()
            .chain(own)
            .chain(words.iter().copied())
            .collect();
        let arguments = Arguments::parse(&words).unwrap();
        run(&arguments, &self.path("ours.toml")).unwrap()
    }

    /// Without the place of this run.
    fn plain(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.home.path().display()), "~/")
    }
}

#[track_caller]
fn scenario(name: &str) {
    let home = Home::of(name);
    let said = home.run(&[]);
    let (text, notes) = (
        home.plain(&said.text),
        home.plain(&(said.notes.join("\n") + "\n")),
    );
    for (file, found) in [("expected.toml", &text), ("expected.txt", &notes)] {
        let expected = fs::read_to_string(folder(name).join(file)).unwrap_or_default();
        assert_eq!(found, &expected, "{name}/{file}:\n{found}");
    }
    assert!(!format!("{said:?}").to_lowercase().contains("canary"));

    let before = fs::read_to_string(home.path("ours.toml")).unwrap_or_default();
    let written = home.run(&["--write"]);
    let after = fs::read_to_string(home.path("ours.toml")).unwrap_or_default();
    assert!(after.starts_with(&before));
    if written.text.ends_with("# ~/ours.toml: written\n") {
        crate::config::load(&home.path("ours.toml")).unwrap();
    }
    // Once more there is nothing to add.
    let again = home.run(&["--write"]);
    assert_eq!(home.plain(&again.text), "# ~/ours.toml: nothing to add\n");
    assert_eq!(
        fs::read_to_string(home.path("ours.toml")).unwrap_or_default(),
        after
    );
}

#[test]
fn a_plain_file() {
    scenario("plain");
}

#[test]
fn a_file_of_aws_vault() {
    scenario("aws-vault");
}

#[test]
fn a_file_of_identity_center() {
    scenario("sso");
    assert_eq!(Home::of("sso").run(&[]).status, ExitStatus::Failed);
}

#[test]
fn a_file_with_everything_that_goes_wrong() {
    scenario("odd");
}

#[test]
fn chains_of_roles() {
    scenario("chains");
}

#[test]
fn what_the_configuration_has_stays() {
    scenario("beside");
}

#[test]
fn a_broken_configuration_is_reported_and_left_alone() {
    let home = Home::of("plain");
    fs::write(home.path("ours.toml"), "version = 2\n").unwrap();
    let path = home.path("config").display().to_string();
    let arguments = Arguments::parse(&["--write", "--config-file", &path]).unwrap();
    let refused = run(&arguments, &home.path("ours.toml")).unwrap_err();
    assert!(matches!(refused, ImportError::Config(_)), "{refused}");
    assert_eq!(
        fs::read_to_string(home.path("ours.toml")).unwrap(),
        "version = 2\n"
    );
}

#[test]
fn a_second_identity_that_would_break_the_configuration_is_not_added() {
    let home = Home::of("beside");
    let ours = fs::read_to_string(home.path("ours.toml")).unwrap();
    let ours = ours
        .replace("identity = \"default\"\n", "")
        .replace("identity.default", "identity.jump");
    fs::write(home.path("ours.toml"), &ours).unwrap();
    let said = home.run(&["--write"]);
    let why = "with it the configuration would not be valid: ";
    assert!(
        said.notes.iter().any(|note| note.contains(why)),
        "{:?}",
        said.notes
    );
    assert_eq!(fs::read_to_string(home.path("ours.toml")).unwrap(), ours);
}

#[test]
fn for_programs() {
    let home = Home::of("beside");
    let json: serde_json::Value = serde_json::from_str(&home.run(&["--json"]).text).unwrap();
    assert_eq!(json["identities"], serde_json::json!([]));
    assert_eq!(json["profiles"], serde_json::json!(["audit"]));
    assert_eq!(json["written"], false);
    assert_eq!(json["skipped"][0]["line"], 23);
}

#[test]
fn any_value_is_a_string_of_toml() {
    for text in ["", "a\"b\\c", "\u{1}\u{7f}\t\n", "é\u{1f600}"] {
        let toml = format!("a = {}\n", translate::quoted(text));
        let table: toml::Table = toml::from_str(&toml).unwrap();
        assert_eq!(table["a"].as_str(), Some(text));
    }
}
