//! A key goes with its three lines and nothing else; only the one that was stored.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use super::*;

const FILE: &str = "[default]\n# mine\naws_access_key_id = AKIADEFAULT\naws_secret_access_key = canary-1\nregion = x\n\n\
    [work]\naws_access_key_id=AKIAWORK\nAWS_SECRET_ACCESS_KEY=canary-2\n";

fn run_on(path: &Path, words: &[&str]) -> Result<Said, LeftoverError> {
    fs::write(path, FILE).unwrap();
    let file = path.to_str().unwrap();
    let words: Vec<&str> = words
        .iter()
        .map(|word| if *word == "FILE" { file } else { *word })
        .collect();
    run(&Arguments::parse(&words)?)
}

#[test]
fn it_is_shown_without_its_values_and_stays() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("credentials");
    let said = run_on(&path, &["credentials", "FILE", "default", "AKIADEFAULT"]).unwrap();
    let shown =
        "\n-aws_access_key_id = AKIADEFAULT\n-aws_secret_access_key = (not shown)\n region = x\n";
    assert!(said.text.contains(shown), "{}", said.text);
    assert!(said.text.ends_with("--remove-source takes it out\n") && !said.text.contains("canary"));
    assert_eq!(fs::read_to_string(&path).unwrap(), FILE);
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
}

#[test]
fn it_is_taken_out_behind_a_backup() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("credentials");
    let said = run_on(
        &path,
        &["--write", "credentials", "FILE", "default", "AKIADEFAULT"],
    )
    .unwrap();
    assert!(!said.text.contains("canary"), "{}", said.text);
    let after = "[default]\n# mine\nregion = x\n\n[work]\naws_access_key_id=AKIAWORK\nAWS_SECRET_ACCESS_KEY=canary-2\n";
    assert_eq!(fs::read_to_string(&path).unwrap(), after);
    let backup = home.path().join("credentials.jumpgate-backup");
    assert_eq!(fs::read_to_string(backup).unwrap(), FILE);
}

#[test]
fn another_key_than_the_one_stored_stays() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("credentials");
    for words in [
        ["--write", "credentials", "FILE", "default", "AKIAWORK"],
        ["--write", "credentials", "FILE", "nobody", "AKIAWORK"],
        ["--write", "config", "FILE", "work", "AKIAWORK"],
    ] {
        let refused = run_on(&path, &words).unwrap_err();
        assert!(
            matches!(refused, LeftoverError::NotThere { .. }),
            "{refused}"
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), FILE);
    }
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
    assert!(run_on(&path, &["credentials", "FILE", "default"]).is_err());
}
