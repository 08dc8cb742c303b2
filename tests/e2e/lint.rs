//! `jumpgate policy lint` on the files of tests/policies: one that is bad and one that is good for each rule, what is
//! said of them word for word, and what linters by others say.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use jumpgate_iam::lint::{Rule, actions};
use jumpgate_tests::lab::{DEV, finish};
use jumpgate_tests::{Lab, Ran};
use serde_json::Value;

use crate::built::lab;
use crate::clients::venv;

/// Two profiles of the identity `jump`, which pass a tag and a source identity.
const PROFILES: &str = r#"
[profile.developer]
role_arn = "arn:aws:iam::222222222222:role/Developer"
tags = { Team = "sre" }
source_identity = "{user}"

[profile.reader]
role_arn = "arn:aws:iam::222222222222:role/Reader"

[profile.behind]
role_arn = "arn:aws:iam::222222222222:role/Behind"
via = "reader"
"#;

fn policies() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("policies")
}

/// Runs the linter where the files are, so that their names are short and the same everywhere.
fn lint(lab: &Lab, arguments: &[&str], input: &str) -> Ran {
    let words: Vec<&str> = ["policy", "lint"]
        .iter()
        .chain(arguments)
        .copied()
        .collect();
    let mut command = lab.client(&words);
    command.current_dir(policies());
    finish(command, input)
}

/// The names of the files in a folder that end so, sorted.
fn names(folder: &str, end: &str) -> Vec<String> {
    let entries = std::fs::read_dir(policies().join(folder)).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| Some(name.strip_suffix(end)?.to_owned()))
        .collect();
    names.sort();
    names
}

/// What must be known beyond a file to hold it against its rule. `POL007-2008` is a file for `POL007`.
fn options(name: &str) -> &'static [&'static str] {
    match name.split('-').next().unwrap() {
        "POL002" => &["--class", "read-only"],
        "POL006" => &["--class", "view"],
        "JUMP003" | "JUMP004" => &["--identity", "jump"],
        _ => &[],
    }
}

fn lint_one(lab: &Lab, folder: &str, name: &str, more: &[&str]) -> Ran {
    let file = format!("{folder}/{name}.json");
    let arguments: Vec<&str> = options(name)
        .iter()
        .chain(more)
        .copied()
        .chain([file.as_str()])
        .collect();
    lint(lab, &arguments, "")
}

#[test]
fn every_rule_has_a_bad_file_of_which_this_is_said() {
    let lab = lab(PROFILES);
    let names = names("bad", ".json");
    let ruled = |rule: &Rule| names.iter().any(|name| name == rule.id());
    assert!(Rule::ALL.iter().all(ruled), "{names:?}");
    for name in names {
        let ran = lint_one(&lab, "bad", &name, &[]);
        let expected = std::fs::read_to_string(policies().join(format!("bad/{name}.txt")));
        assert_eq!(ran.stdout, expected.unwrap_or_default(), "{name}");
        let error = ran.stdout.contains(": error ");
        assert_eq!(
            (ran.code(), ran.stderr.as_str()),
            (i32::from(error), ""),
            "{name}"
        );
    }
}

#[test]
fn good_files_pass() {
    let lab = lab(PROFILES);
    assert_eq!(names("good", ".json"), names("bad", ".json"));
    for name in names("good", ".json") {
        let ran = lint_one(&lab, "good", &name, &[]).good();
        assert_eq!(
            ran.stdout, "1 file: 0 errors, 0 warnings, 0 notes\n",
            "{name}"
        );
    }
}

#[test]
fn json_and_sarif_say_the_same() {
    let lab = lab(DEV);
    let files = [
        "bad/JSON001.json",
        "bad/TRUST003.json",
        "bad/POL001.json",
        "gone.json",
    ];
    for (flag, golden) in [("--json", "several.json"), ("--sarif", "several.sarif")] {
        let arguments: Vec<&str> = [flag].into_iter().chain(files).collect();
        let ran = lint(&lab, &arguments, "");
        assert_eq!(ran.code(), 64, "gone.json cannot be read");
        assert!(
            ran.stderr.contains("jumpgate: gone.json: cannot be read: "),
            "{}",
            ran.stderr
        );
        let expected = std::fs::read_to_string(policies().join(golden)).unwrap_or_default();
        assert_eq!(ran.stdout, expected, "{flag}");
    }
}

#[test]
fn sarif_has_what_its_schema_requires() {
    let lab = lab(DEV);
    let bad: Vec<String> = names("bad", ".json")
        .iter()
        .map(|name| format!("bad/{name}.json"))
        .collect();
    let arguments: Vec<&str> = ["--sarif"]
        .into_iter()
        .chain(bad.iter().map(String::as_str))
        .collect();
    let document = lint(&lab, &arguments, "").json();
    assert_eq!(document["version"], "2.1.0");
    let run = &document["runs"][0];
    let driver = &run["tool"]["driver"];
    assert_eq!(driver["name"], "jumpgate");
    let rules = driver["rules"].as_array().unwrap();
    assert_eq!(rules.len(), Rule::ALL.len());
    let results = run["results"].as_array().unwrap();
    assert!(results.len() > 10, "{results:?}");
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(["note", "warning", "error"].contains(&result["level"].as_str().unwrap()));
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        let place = &result["locations"][0]["physicalLocation"];
        let uri = place["artifactLocation"]["uri"].as_str().unwrap();
        assert!(bad.iter().any(|file| file == uri), "{uri}");
        for number in ["startLine", "startColumn"] {
            assert!(place["region"][number].as_u64().unwrap() >= 1);
        }
    }
}

#[test]
fn standard_input_and_several_files_are_taken_and_what_cannot_be_read_is_said() {
    let lab = lab(DEV);
    let slide = std::fs::read_to_string(policies().join("bad/JSON001.json")).unwrap();
    let ran = lint(&lab, &["good/JSON001.json", "-"], &slide);
    assert_eq!((ran.code(), ran.stderr.as_str()), (1, ""));
    assert!(
        ran.stdout.starts_with("-:12:11: error JSON001: "),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stdout
            .ends_with("2 files: 1 error, 0 warnings, 0 notes\n"),
        "{}",
        ran.stdout
    );

    std::fs::write(lab.path("long.json"), " ".repeat(128 * 1024 + 1)).unwrap();
    let long = lab.path("long.json").display().to_string();
    let ran = lint(&lab, &["bad/POL004.json", &long, "bad"], "");
    assert_eq!(ran.code(), 64);
    assert!(
        ran.stdout
            .starts_with("bad/POL004.json:13:13: warning POL004"),
        "{}",
        ran.stdout
    );
    for said in [
        "long.json: cannot be read: it has more than 131072 bytes",
        "bad: cannot be read: ",
    ] {
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
    }

    let ran = lint(&lab, &["--identity", "jmup", "bad/JUMP001.json"], "");
    assert_eq!((ran.code(), ran.stdout.as_str()), (64, ""));
    assert!(
        ran.stderr.contains("there is no identity \"jmup\""),
        "{}",
        ran.stderr
    );
}

#[test]
fn check_holds_the_policies_of_profiles_against_the_rules() {
    let lab = lab(r#"
[profile.file]
account = "target"
role = "Developer"
policy = "limits.json"

[profile.inline]
account = "target"
role = "Developer"
policy = '{"Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}'
"#);
    let policy = policies().join("bad/POL004.json");
    std::fs::copy(policy, lab.path(".config/jumpgate/limits.json")).unwrap();
    let said = lab.run(&["check"]).good().stdout;
    let [file, inline, sum] = said.lines().collect::<Vec<_>>()[..] else {
        panic!("{said}")
    };
    assert!(
        file.starts_with("warning: ")
            && file.contains("limits.json:13:13: profile.file.policy: POL004: "),
        "{file}"
    );
    assert!(file.contains("(named at "), "{file}");
    assert!(
        inline.contains("profile.inline.policy: in its JSON text, line 1, column 1: POL007: "),
        "{inline}"
    );
    assert!(sum.contains("valid: "), "{sum}");

    // What repeats a key is no policy for a session at all.
    let policy = policies().join("bad/JSON001.json");
    std::fs::copy(policy, lab.path(".config/jumpgate/limits.json")).unwrap();
    let ran = lab.run(&["check"]);
    assert_eq!(ran.code(), 64);
    assert!(ran.stderr.contains("limits.json:12:11: "), "{}", ran.stderr);
    assert!(ran.stderr.contains("JSON001: key "), "{}", ran.stderr);
    assert!(ran.stderr.contains("line 11, column 11"), "{}", ran.stderr);
}

#[test]
fn the_documented_table_is_that_of_the_rules() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/lint.md");
    let page = std::fs::read_to_string(page).unwrap();
    for rule in Rule::ALL {
        let cells = [rule.severity().name(), rule.title(), rule.why(), rule.fix()];
        let row = format!("| `{rule}` | {} |", cells.join(" | "));
        assert!(page.contains(&row), "docs/lint.md lacks {row}");
    }
    // The table of options has fewer cells.
    let is_rule = |line: &&str| line.starts_with("| `") && line.matches(" | ").count() == 4;
    let rows = page.lines().filter(is_rule).count();
    assert_eq!(rows, Rule::ALL.len());
}

/// What others call what our rules find, as (file, linter, finding). Rules that are not here have no counterpart:
/// parliament reads no trust policies, and neither of the two knows shadowing, classes or tags.
const COUNTERPARTS: [(&str, &str, &str); 8] = [
    ("JSON001", "parliament", "MALFORMED_JSON"),
    ("JSON001", "cfn_lint", "E0000"),
    ("POL000", "parliament", "MALFORMED"),
    ("POL000", "cfn_lint", "E3510"),
    ("POL007", "parliament", "NO_VERSION"),
    ("POL007-2008", "parliament", "OLD_VERSION"),
    ("POL007-2008", "cfn_lint", "W2511"),
    ("JUMP001", "parliament", "RESOURCE_STAR"),
];

fn oracle(venv: &Path, arguments: &[String]) -> Ran {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/policy_oracles.py");
    let mut command = Command::new(venv.join("bin/python"));
    command.arg(script).args(arguments).current_dir(policies());
    finish(command, "").good()
}

#[test]
fn linters_by_others_agree_where_they_have_the_rule() {
    let Some(venv) = venv("second opinions on policies: cfn-lint, parliament") else {
        return;
    };
    let mut files: Vec<String> = COUNTERPARTS
        .iter()
        .flat_map(|(name, ..)| [format!("bad/{name}.json"), format!("good/{name}.json")])
        .collect();
    files.dedup();
    let said: BTreeMap<String, Value> = oracle(&venv, &files)
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|line| (line["file"].as_str().unwrap().to_owned(), line))
        .collect();
    for (name, linter, finding) in COUNTERPARTS {
        let says = |folder: &str| {
            let line = &said[&format!("{folder}/{name}.json")];
            line[linter].as_array().unwrap().contains(&finding.into())
        };
        assert!(
            says("bad"),
            "{linter} does not say {finding} of {name}: {said:?}"
        );
        assert!(
            !says("good"),
            "{linter} says {finding} of the good {name}: {said:?}"
        );
    }
}

/// Actions that change something by their access level, and by their names do not.
const READS_IN_SPITE_OF_ITS_LEVEL: &str = include_str!("../policies/read-in-spite-of-level.txt");

#[test]
fn verbs_tell_what_reads_as_access_levels_do() {
    let Some(venv) = venv("access levels of actions: parliament") else {
        return;
    };
    let levels: BTreeMap<String, bool> =
        serde_json::from_str(&oracle(&venv, &["--levels".to_owned()]).stdout).unwrap();
    assert!(levels.len() > 10_000, "{}", levels.len());
    let wrong: Vec<&String> = levels
        .iter()
        .filter(|(action, changes)| **changes && actions::only_reads(action))
        .map(|(action, _)| action)
        .filter(|action| {
            !READS_IN_SPITE_OF_ITS_LEVEL
                .lines()
                .any(|line| line == *action)
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let reading = levels.iter().filter(|(_, changes)| !**changes);
    let (found, missed): (Vec<_>, Vec<_>) =
        reading.partition(|(action, _)| actions::only_reads(action));
    assert!(
        found.len() > 30 * missed.len(),
        "{} of {}",
        found.len(),
        missed.len()
    );
}
