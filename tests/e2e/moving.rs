//! Moving in from `~/.aws`: a key goes from a file to the agent, profiles become ours, and the real AWS CLI reads what
//! was written there. What the files say is what botocore reads in them.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use jumpgate_iam::shared_file::SharedFile;
use jumpgate_tests::lab::{DEV, finish};
use jumpgate_tests::skip::skip;
use jumpgate_tests::sts::{Fault, When};
use jumpgate_tests::{Lab, Programs, Ran};

use crate::built::{lab, ready};
use crate::clients::{client_of, venv};

/// Writes a file of `~/.aws`.
fn aws_file(lab: &Lab, name: &str, text: &str) {
    std::fs::create_dir_all(lab.path(".aws")).unwrap();
    std::fs::write(lab.path(".aws").join(name), text).unwrap();
}

fn text_of(lab: &Lab, name: &str) -> String {
    std::fs::read_to_string(lab.path(".aws").join(name)).unwrap()
}

/// A credentials file with a key of alice's.
fn with_key(lab: &Lab, more: &str) -> String {
    let key = lab.alices_key();
    let (id, secret) = key.trim_end().split_once('\n').unwrap();
    let text = format!(
        "# mine\n[other]\nregion = x\n\n[work]\naws_access_key_id = {id}\naws_secret_access_key={secret}\n{more}"
    );
    aws_file(lab, "credentials", &text);
    text
}

/// Neither stream of it shows a secret.
#[track_caller]
fn silent(lab: &Lab, ran: &Ran) {
    for secret in lab.secrets() {
        assert!(!ran.stdout.contains(&secret) && !ran.stderr.contains(&secret));
    }
}

const ADD: [&str; 5] = ["identity", "add", "jump", "--from-aws-profile", "work"];

#[test]
fn a_key_moves_out_of_its_file() {
    let lab = lab(DEV);
    lab.start_agent();
    let before = with_key(&lab, "output = json\n");
    let shown = lab.run(&ADD).good();
    silent(&lab, &shown);
    let stored = "jump: stored arn:aws:iam::111111111111:user/alice, in the file\n";
    assert!(shown.stdout.starts_with(stored), "{}", shown.stdout);
    assert!(
        shown
            .stdout
            .contains("-aws_secret_access_key= (not shown)\n"),
        "{}",
        shown.stdout
    );
    assert_eq!(text_of(&lab, "credentials"), before);

    let moved = lab.run(&[&ADD[..], &["--remove-source"]].concat()).good();
    silent(&lab, &moved);
    assert!(
        moved
            .stdout
            .contains("\njump: is arn:aws:iam::111111111111:user/alice"),
        "{}",
        moved.stdout
    );
    assert_eq!(
        text_of(&lab, "credentials"),
        "# mine\n[other]\nregion = x\n\n[work]\noutput = json\n"
    );
    let backup = lab.path(".aws/credentials.jumpgate-backup");
    assert!(
        moved.stdout.contains(backup.to_str().unwrap()),
        "{}",
        moved.stdout
    );
    assert_eq!(
        std::fs::metadata(&backup).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(std::fs::read_to_string(&backup).unwrap(), before);
    // As the message says; without it the key stands in no file, which the lab looks for in the end.
    std::fs::remove_file(backup).unwrap();
    lab.run(&["credential-process", "dev"]).good();
    let gone = lab.run(&ADD);
    assert_eq!(gone.code(), 64, "{}", gone.stderr);
}

#[test]
fn a_key_that_is_refused_stays_where_it_is() {
    let lab = lab(DEV);
    lab.start_agent();
    let remove = [&ADD[..], &["--remove-source"]].concat();
    let calls = || lab.double.count("GetCallerIdentity");
    for (more, code, said, asked) in [
        (
            "aws_session_token = t\n",
            64,
            "the key of work is a temporary one",
            0,
        ),
        ("Aws_Access_Key_Id = x\n", 64, "with a setting twice", 0),
        (
            "nonsense\n",
            64,
            "line 8 is neither a section, a setting nor a comment",
            0,
        ),
    ] {
        let before = with_key(&lab, more);
        let ran = lab.run(&remove);
        silent(&lab, &ran);
        assert_eq!((ran.code(), calls()), (code, asked), "{}", ran.stderr);
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
        assert_eq!(text_of(&lab, "credentials"), before);
    }
    let wrong = with_key(&lab, "").replace("aws_secret_access_key=", "aws_secret_access_key=x");
    aws_file(&lab, "credentials", &wrong);
    let ran = lab.run(&remove);
    assert_eq!(ran.code(), 77, "{}", ran.stderr);
    assert_eq!(text_of(&lab, "credentials"), wrong);

    // It was stored, and then it could not be seen to work.
    let before = with_key(&lab, "");
    let fault = Fault::Error {
        status: 403,
        code: "InvalidClientTokenId".to_owned(),
        message: "gone".to_owned(),
    };
    // The first call, that of the storing, is answered.
    let first = When::call("GetCallerIdentity").times(1);
    lab.double
        .inject(Fault::Delay(std::time::Duration::ZERO), first);
    lab.double.inject(fault, When::call("GetCallerIdentity"));
    let ran = lab.run(&remove);
    assert_ne!(ran.code(), 0);
    assert!(
        ran.stdout.contains("jump: stored "),
        "{} {}",
        ran.stdout,
        ran.stderr
    );
    assert_eq!(text_of(&lab, "credentials"), before);
    assert_eq!(std::fs::read_dir(lab.path(".aws")).unwrap().count(), 1);
    std::fs::remove_file(lab.path(".aws/credentials")).unwrap();
    let usage = lab.run(&["identity", "add", "jump", "--remove-source"]);
    assert_eq!(usage.code(), 64);
}

/// Our identity, its role, and a key: as one begins.
const THEIRS: &str = "[default]\nregion = eu-central-1\n\n[profile dev]\n# my role\nrole_arn = arn:aws:iam::222222222222:role/Developer\n\
    source_profile = default\nmfa_serial = arn:aws:iam::111111111111:mfa/alice\noutput = json\n";

#[test]
fn what_is_imported_is_a_configuration_and_a_second_run_adds_nothing() {
    let mut lab = lab(DEV);
    aws_file(&lab, "config", THEIRS);
    let ours = lab.path("fresh/config.toml");
    lab.set("JUMPGATE_CONFIG", ours.to_str().unwrap());
    let dry = lab.run(&["import"]).good();
    assert!(
        dry.stdout
            .contains("[profile.dev]\nidentity = \"default\"\n")
            && !ours.exists()
    );
    lab.run(&["import", "--write"]).good();
    let text = std::fs::read_to_string(&ours).unwrap();
    assert!(dry.stdout.starts_with(&text), "{text}");
    lab.run(&["check"]).good();
    assert!(
        lab.run(&["import", "--write"])
            .good()
            .stdout
            .ends_with(": nothing to add\n")
    );
    assert_eq!(std::fs::read_to_string(&ours).unwrap(), text);

    aws_file(&lab, "config", "[profile x]\nsso_session = y\n");
    let nothing = lab.run(&["import"]);
    assert_eq!(nothing.code(), 1);
    let place = lab.path(".aws/config").display().to_string();
    let expected = format!("jumpgate: not imported: 1\n  {place}:1: \"x\": IAM Identity Center");
    assert!(nothing.stderr.starts_with(&expected), "{}", nothing.stderr);
    aws_file(&lab, "config", "nonsense\n");
    assert_eq!(lab.run(&["import"]).code(), 64);
}

/// `aws --profile dev sts get-caller-identity` with what `~/.aws/config` says.
fn identity_of(lab: &Lab, aws: &Path) -> String {
    let url = lab.double.url();
    let words = [
        "--profile",
        "dev",
        "--output",
        "json",
        "--endpoint-url",
        &url,
    ];
    let words = [&words[..], &["sts", "get-caller-identity"]].concat();
    let who = finish(client_of(lab, &url, aws, &words), "").good().json();
    who["Arn"].as_str().unwrap().to_owned()
}

fn aws_calls_us(lab: &Lab, aws: &Path) {
    let arn = identity_of(lab, aws);
    let developer = "arn:aws:sts::222222222222:assumed-role/Developer/";
    assert!(arn.starts_with(developer), "{arn}");
}

#[test]
fn the_aws_cli_calls_us_after_configure_which_changes_the_file_once() {
    let lab = ready();
    aws_file(&lab, "config", THEIRS);
    let refused = lab.run(&["configure", "--write"]);
    let place = lab.path(".aws/config").display().to_string();
    let why = format!(
        "jumpgate: dev: left as it is: {place}:6: role_arn would come before credential_process\n"
    );
    assert_eq!(
        (refused.code(), refused.stderr.starts_with(&why)),
        (1, true),
        "{}",
        refused.stderr
    );
    assert_eq!(text_of(&lab, "config"), THEIRS);

    let dry = lab.run(&["configure", "--replace"]).good();
    assert_eq!(text_of(&lab, "config"), THEIRS);
    lab.run(&["configure", "--replace", "--write"]).good();
    let client = lab.programs.client.display();
    let after = THEIRS.replace(
        "role_arn = arn:aws:iam::222222222222:role/Developer\nsource_profile = default\n",
        "",
    );
    let after = format!(
        "{after}region = eu-central-1\ncredential_process = {client} credential-process dev\n"
    );
    assert_eq!(text_of(&lab, "config"), after);
    assert!(
        lab.run(&["configure", "--write"])
            .good()
            .stdout
            .ends_with(": nothing to change\n")
    );
    assert_eq!(text_of(&lab, "config"), after);

    // The diff is one that patch takes.
    aws_file(&lab, "config", THEIRS);
    let patch = Path::new("/usr/bin/patch");
    match patch.exists() {
        true => {
            finish(lab.program(patch, &["--unified", &place]), &dry.stdout).good();
            assert_eq!(text_of(&lab, "config"), after);
        }
        false => skip("a diff applied by patch", "/usr/bin/patch is not there"),
    }
    lab.run(&["configure", "--replace", "--write"]).good();
    if let Some(venv) = venv("AWS CLI v1 after configure") {
        aws_calls_us(&lab, &venv.join("bin/aws"));
    }
    let second = Path::new("/usr/bin/aws");
    match second.exists() {
        true => aws_calls_us(&lab, second),
        false => skip("AWS CLI v2 after configure", "/usr/bin/aws is not there"),
    }
}

#[test]
fn a_path_with_a_space_and_a_quote_is_found_by_the_aws_cli() {
    let lab = ready();
    let Programs { client, .. } = lab.programs.install(&lab.path("o'k (1)")).unwrap();
    finish(lab.program(&client, &["configure", "--write"]), "").good();
    let expected = format!(
        "credential_process = \"{}\" credential-process dev\n",
        client.display()
    );
    assert!(
        text_of(&lab, "config").ends_with(&expected),
        "{}",
        text_of(&lab, "config")
    );
    if let Some(venv) = venv("AWS CLI v1 by a quoted path") {
        aws_calls_us(&lab, &venv.join("bin/aws"));
    }
}

#[test]
fn a_key_of_the_same_name_comes_before_us_and_is_warned_of() {
    let lab = ready();
    let key = with_key(&lab, "");
    aws_file(&lab, "credentials", &key.replace("[work]", "[dev]"));
    let warned = lab.run(&["configure", "--write"]).good();
    silent(&lab, &warned);
    let place = lab.path(".aws/credentials").display().to_string();
    let warning =
        format!("jumpgate: warning: {place}:6: the key of [dev] comes before credential_process");
    assert!(warned.stderr.starts_with(&warning), "{}", warned.stderr);
    if let Some(venv) = venv("a key that hides us from the AWS CLI") {
        let who = identity_of(&lab, &venv.join("bin/aws"));
        assert_eq!(who, "arn:aws:iam::111111111111:user/alice");
    }
    std::fs::remove_file(place).unwrap();
}

/// What botocore reads in each file of a folder: sections with their settings, or null.
const ORACLE: &str = "
import json, pathlib, sys
from botocore.configloader import raw_config_parse
from botocore.exceptions import ConfigParseError
for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    try:
        found = raw_config_parse(str(path), parse_subsections=False)
        for settings in found.values():
            for key, value in settings.items():
                settings[key] = value.split('\\n')[0]
    except ConfigParseError:
        found = None
    print(json.dumps(found))
";

/// Lines of which files are made. No comment behind a value, which is read in two ways.
const LINES: [&str; 16] = [
    "[default]",
    "[profile dev]",
    "  [profile in]",
    "[profile \"a b\"] # x",
    "region = eu-west-1",
    "Region:us-east-1",
    "  output=json",
    "    indented = more",
    "s3 =",
    "\tmax = 3",
    "credential_process = /bin/x --a=b#c",
    "# a comment",
    "  ; another",
    "",
    "nonsense",
    "= value",
];

#[test]
fn a_file_says_what_botocore_reads_in_it() {
    let Some(venv) = venv("shared files as botocore reads them") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut state = 1u64;
    let mut next = |bound: usize| {
        // Knuth's MMIX constants: the same files in every run.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % bound
    };
    let mut texts = Vec::new();
    for number in 0..600 {
        let mut text = String::new();
        for _ in 0..next(9) {
            let end = ["\n", "\r\n"][usize::from(number % 5 == 0)];
            // Half of the files have no line that nobody can read.
            let lines = LINES.len() - 2 * usize::from(number % 2 == 0);
            text.push_str(LINES[next(lines)]);
            text.push_str(end);
        }
        std::fs::write(folder.path().join(format!("{number:04}")), &text).unwrap();
        texts.push(text);
    }
    let mut python = std::process::Command::new(venv.join("bin/python"));
    python.args(["-c", ORACLE]).arg(folder.path()).env_clear();
    let ran = finish(python, "").good();
    assert_eq!(ran.stdout.lines().count(), texts.len());
    let mut read = 0;
    for (text, line) in texts.iter().zip(ran.stdout.lines()) {
        let theirs: serde_json::Value = serde_json::from_str(line).unwrap();
        let ours = ours(text);
        read += usize::from(!theirs.is_null());
        assert_eq!(ours, theirs, "{text:?}");
    }
    assert!(
        (100..500).contains(&read),
        "{read} of 600 files can be read"
    );
}

/// The same of our own reader; what stands twice is for botocore an error.
fn ours(text: &str) -> serde_json::Value {
    let Ok(file) = SharedFile::parse(text) else {
        return serde_json::Value::Null;
    };
    let mut all = serde_json::Map::new();
    for section in file.sections() {
        let entries = section.entries().iter();
        let entries = entries.map(|entry| (entry.key().to_lowercase(), entry.value().into()));
        let value = serde_json::Value::Object(entries.collect());
        if section.repeated().is_some() || all.insert(section.header().to_owned(), value).is_some()
        {
            return serde_json::Value::Null;
        }
    }
    serde_json::Value::Object(all)
}
