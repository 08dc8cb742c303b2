//! What becomes of a file of the AWS CLI when profiles are configured.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::PathBuf;

use super::*;
use crate::config;

const OURS: &str = r#"version = 1
[identity.jump]
kind = "iam-user"
account = "111111111111"
[profile.dev]
role_arn = "arn:aws:iam::222222222222:role/Dev"
region = "eu-central-1"
[profile.ops]
role_arn = "arn:aws:iam::222222222222:role/Ops"
[profile.default]
role_arn = "arn:aws:iam::222222222222:role/Default"
"#;

struct Home(tempfile::TempDir);

impl Home {
    fn new(config: &str, credentials: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("config"), config).unwrap();
        fs::write(home.path().join("credentials"), credentials).unwrap();
        Self(home)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, words: &[&str]) -> Result<Said, ConfigureError> {
        let (config, credentials) = (self.path("config"), self.path("credentials"));
        let files = [
            "--program",
            "/usr/bin/jumpgate",
            "--config-file",
            config.to_str().unwrap(),
        ];
        let files = [
            &files[..],
            &["--credentials-file", credentials.to_str().unwrap()],
        ]
        .concat();
        let arguments = Arguments::parse(&[&files, words].concat())?;
        let ours = config::parse(OURS, "/ours.toml".as_ref(), &|_| unreachable!()).unwrap();
        run(&arguments, &ours.settings)
    }

    /// Configures it, and once more without a change.
    fn written(&self, words: &[&str]) -> String {
        let words = [&["--write"], words].concat();
        let first = self.run(&words).unwrap();
        assert!(first.text.ends_with(": written\n"), "{}", first.text);
        let text = fs::read_to_string(self.path("config")).unwrap();
        let second = self.run(&words).unwrap();
        assert!(
            second.text.ends_with(": nothing to change\n"),
            "{}",
            second.text
        );
        assert_eq!(fs::read_to_string(self.path("config")).unwrap(), text);
        text
    }
}

#[test]
fn stanzas_are_added_once_and_the_rest_stays() {
    let before = "; mine\r\n[profile dev]\r\noutput = json\r\n\r\n[profile other]\r\nrole_arn = x";
    let home = Home::new(before, "");
    let dry = home.run(&["--"]).unwrap();
    assert!(dry.text.ends_with(": not written; --write writes it\n") && dry.notes.is_empty());
    assert_eq!(fs::read_to_string(home.path("config")).unwrap(), before);
    let after = home.written(&["--"]);
    let expected = "; mine\r\n[profile dev]\r\noutput = json\r\nregion = eu-central-1\r\n\
        credential_process = /usr/bin/jumpgate credential-process dev\r\n\r\n[profile other]\r\nrole_arn = x\r\n\r\n\
        [default]\r\ncredential_process = /usr/bin/jumpgate credential-process default\r\n\r\n\
        [profile ops]\r\ncredential_process = /usr/bin/jumpgate credential-process ops\r\n";
    assert_eq!(after, expected);
}

#[test]
fn only_named_profiles_are_touched() {
    let home = Home::new("", "");
    let after = home.written(&["--", "ops", "ops"]);
    assert_eq!(
        after,
        "[profile ops]\ncredential_process = /usr/bin/jumpgate credential-process ops\n"
    );
    let refused = home.run(&["--", "opps"]).unwrap_err().to_string();
    assert_eq!(refused, "there is no profile \"opps\" in the configuration");
}

#[test]
fn what_is_ours_is_replaced() {
    let text = "[profile dev]\nregion = us-east-1\ncredential_process = aws-vault exec dev --json\noutput = text\n";
    let after = Home::new(text, "").written(&["--", "dev"]);
    assert_eq!(
        after,
        "[profile dev]\nregion = eu-central-1\ncredential_process = /usr/bin/jumpgate credential-process dev\noutput = text\n"
    );
}

#[test]
fn what_would_come_before_us_is_a_reason_to_leave_a_stanza_alone() {
    for (lines, reason) in [
        (
            "role_arn = x",
            "2: role_arn would come before credential_process",
        ),
        (
            "a = b\nSSO_Session = x",
            "3: sso_session would come before credential_process",
        ),
        (
            "login_session = x",
            "2: login_session would come before credential_process",
        ),
        (
            "aws_access_key_id = x",
            "2: aws_access_key_id would come before credential_process",
        ),
        (
            "a = b\nA = c",
            "3: a stands here twice: the AWS CLI refuses such a file",
        ),
        (
            "a = b\n[profile dev]",
            "3: a second section \"profile dev\": the AWS CLI refuses such a file",
        ),
    ] {
        let text = format!("[profile dev]\n{lines}\n");
        let home = Home::new(&text, "");
        let said = home.run(&["--write", "--", "dev", "ops"]).unwrap();
        let note = format!(
            "dev: left as it is: {}:{reason}",
            home.path("config").display()
        );
        assert_eq!(
            (said.notes.as_slice(), said.status),
            (&[note][..], ExitStatus::Failed)
        );
        // The other one is written all the same.
        let after = fs::read_to_string(home.path("config")).unwrap();
        assert!(
            after.starts_with(&text) && after.contains("[profile ops]"),
            "{after}"
        );
    }
}

#[test]
fn with_replace_it_goes_and_a_key_stays() {
    let text = "[profile dev]\nrole_arn = x\nsource_profile = y\nmfa_serial = z\noutput = json\n";
    let after = Home::new(text, "").written(&["--replace", "--", "dev"]);
    let expected = "[profile dev]\nmfa_serial = z\noutput = json\nregion = eu-central-1\n\
        credential_process = /usr/bin/jumpgate credential-process dev\n";
    assert_eq!(after, expected);
    let home = Home::new("[profile dev]\naws_access_key_id = x\nrole_arn = y\n", "");
    let said = home.run(&["--replace", "--", "dev"]).unwrap();
    assert_eq!(said.status, ExitStatus::Failed);
}

#[test]
fn a_key_of_the_same_name_is_warned_of_without_its_value() {
    let home = Home::new(
        "",
        "[ops]\naws_access_key_id = AKIACANARY\naws_secret_access_key = canary\n",
    );
    let said = home.run(&["--"]).unwrap();
    let place = home.path("credentials");
    let warning = format!(
        "warning: {}:2: the key of [ops] comes before credential_process in most SDKs and the AWS CLI",
        place.display()
    );
    assert_eq!(
        (said.notes.as_slice(), said.status),
        (&[warning][..], ExitStatus::Success)
    );
    assert!(!format!("{said:?}").to_lowercase().contains("canary"));
}

#[test]
fn for_programs() {
    let home = Home::new("[profile dev]\nrole_arn = x\n", "");
    let said = home.run(&["--json", "--", "dev", "ops"]).unwrap();
    let json: serde_json::Value = serde_json::from_str(&said.text).unwrap();
    let place = home.path("config").display().to_string();
    let expected = serde_json::json!([
        {"profile": "dev", "change": "refused",
         "reason": format!("{place}:2: role_arn would come before credential_process")},
        {"profile": "ops", "change": "added", "reason": null},
    ]);
    assert_eq!(json["profiles"], expected);
    assert_eq!(
        (&json["written"], &json["file"]),
        (&false.into(), &place.into())
    );
}

#[test]
fn a_file_that_the_aws_cli_cannot_read_is_left_alone() {
    let home = Home::new("[profile dev]\nnonsense\n", "");
    let refused = home.run(&["--write", "--"]).unwrap_err().to_string();
    assert!(
        refused.ends_with("config: line 2 is neither a section, a setting nor a comment"),
        "{refused}"
    );
}
