//! What a profile and a caller's narrowing become at AWS, and what the journal says of it: one folder of
//! `tests/scenarios` each, and what the sessions may do at the double's S3.
//!
//! `config.toml` goes on where the lab's `[identity.jump]` ends; other files lie beside it. `request.json` holds the
//! client's arguments (`@CONFIG@` is the configuration's directory). `expect.json` holds the exit status (0 when
//! left out), a part of standard error, the exact parameters of every AssumeRole (`{session}` stands for any session
//! id, `{host}` for this machine's name), requests that the session may and may not make, and some of what the
//! journal and `status` say.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jumpgate_tests::sts::{Bucket, Event, ROLE_ARN, Role, TARGET_ACCOUNT, World};
use jumpgate_tests::{Lab, Ran};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::built::programs;
use crate::double_client::{Draft, Keys, send};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    #[serde(default)]
    exit: i32,
    #[serde(default)]
    stderr: String,
    assume_role: Vec<BTreeMap<String, String>>,
    session_tokens: Option<usize>,
    #[serde(default)]
    may: Vec<String>,
    #[serde(default)]
    may_not: Vec<String>,
    #[serde(default)]
    facts: Map<String, Value>,
    #[serde(default)]
    status: Map<String, Value>,
    #[serde(default)]
    notes: Vec<String>,
}

/// Beside the demo's world: roles with an external id, without tags, and one that Developer may assume.
fn world() -> World {
    let alice = r#""Principal":{"AWS":"arn:aws:iam::111111111111:user/alice"}"#;
    let partner = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow",{alice},"Action":["sts:AssumeRole","sts:SetSourceIdentity"],
            "Condition":{{"StringEquals":{{"sts:ExternalId":"partner:42"}}}}}}]}}"#
    );
    let untagged = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow",{alice},"Action":"sts:AssumeRole"}}]}}"#
    );
    let deploy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{ROLE_ARN}"}},
            "Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]}}]}}"#
    );
    let all_of = |bucket: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::{bucket}/*"}}}}"#
        )
    };
    World::demo()
        .role(Role::new(TARGET_ACCOUNT, "Partner", &partner).policy(&all_of("demo")))
        .role(Role::new(TARGET_ACCOUNT, "Untagged", &untagged).policy(&all_of("demo")))
        .role(
            Role::new("333333333333", "Deploy", &deploy)
                .policy(&all_of("live"))
                .max_session(43_200),
        )
        .bucket(Bucket::new("333333333333", "live").object("hello.txt", "hello, live"))
}

const DEVELOPER_MAY_DEPLOY: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow",
    "Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"],"Resource":"arn:aws:iam::333333333333:role/Deploy"}}"#;

struct Scenario {
    lab: Lab,
    expect: Expect,
    ran: Ran,
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("scenarios")
        .join(name)
}

fn read(name: &str, file: &str) -> String {
    std::fs::read_to_string(folder(name).join(file)).unwrap()
}

fn copy_files(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let (entry, to) = (
            entry.as_ref().unwrap().path(),
            to.join(entry.unwrap().file_name()),
        );
        if entry.is_dir() {
            std::fs::create_dir(&to).unwrap();
            copy_files(&entry, &to);
        } else if entry.file_name().is_none_or(|name| name != "config.toml") {
            std::fs::copy(entry, to).unwrap();
        }
    }
}

fn play(name: &str) -> Scenario {
    let lab = Lab::in_world(&programs(), world(), "");
    lab.double
        .attach_role_policy(ROLE_ARN, DEVELOPER_MAY_DEPLOY);
    lab.configure_profiles(&read(name, "config.toml"));
    let directory = lab.path(".config/jumpgate");
    copy_files(&folder(name), &directory);
    lab.start_agent();
    lab.add_identity();
    let arguments: Vec<String> = serde_json::from_str(&read(name, "request.json")).unwrap();
    let directory = directory.to_str().unwrap();
    let arguments: Vec<String> = arguments
        .iter()
        .map(|argument| argument.replace("@CONFIG@", directory))
        .collect();
    let ran = lab.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    let expect = serde_json::from_str(&read(name, "expect.json")).unwrap();
    Scenario { lab, expect, ran }
}

/// The text with every session id (26 characters of Crockford's base 32) as `{session}`.
fn without_ids(text: &str) -> String {
    let in_id = |c: char| c.is_ascii_digit() || (c.is_ascii_uppercase() && !"ILOU".contains(c));
    let mut parts: Vec<String> = Vec::new();
    for run in text.split_inclusive(|c| !in_id(c)) {
        let id = run.trim_end_matches(|c| !in_id(c));
        parts.push(match id.len() {
            26 => run.replace(id, "{session}"),
            _ => run.to_owned(),
        });
    }
    parts.concat()
}

#[track_caller]
fn assert_contains(whole: &Value, part: &Map<String, Value>) {
    for (name, value) in part {
        assert_eq!(whole[name], *value, "{name} of {whole}");
    }
}

impl Scenario {
    fn check(&self) {
        let (ran, expect) = (&self.ran, &self.expect);
        assert_eq!(ran.code(), expect.exit, "{}", ran.stderr);
        assert!(ran.stderr.contains(&expect.stderr), "{}", ran.stderr);
        assert_eq!(expect.exit == 0, ran.stderr.is_empty());
        let calls = self.lab.double.events_of("AssumeRole");
        self.check_calls(&calls);
        if let Some(count) = expect.session_tokens {
            assert_eq!(self.lab.double.count("GetSessionToken"), count);
        }
        match calls.last() {
            Some(call) if expect.exit == 0 => self.check_session(call),
            _ => self.check_refusal(),
        }
    }

    fn check_calls(&self, calls: &[Event]) {
        let host = rustix::system::uname()
            .nodename()
            .to_string_lossy()
            .into_owned();
        let sent: Vec<BTreeMap<String, String>> = calls
            .iter()
            .map(|call| {
                let parameters = call.parameters.iter();
                parameters
                    .map(|(name, value)| (name.clone(), without_ids(value)))
                    .collect()
            })
            .collect();
        let mut wanted = self.expect.assume_role.clone();
        wanted
            .iter_mut()
            .flat_map(BTreeMap::values_mut)
            .for_each(|value| *value = value.replace("{host}", &host));
        assert_eq!(sent, wanted);
    }

    /// The journal and `status` say what AWS saw and answered.
    fn check_session(&self, call: &Event) {
        let record = &self.lab.records("lease.issue")[0];
        let facts = &record["unmapped"]["jumpgate"];
        assert_contains(facts, &self.expect.facts);
        let issued = call.issued.as_ref().unwrap();
        let status = self.lab.status();
        let sessions = status["sessions"].as_array().unwrap();
        assert_eq!(sessions.len(), self.expect.assume_role.len());
        let session = sessions
            .iter()
            .find(|session| session["role_arn"] == facts["role_arn"])
            .unwrap();
        assert_contains(session, &self.expect.status);
        for told in [facts, session] {
            assert_eq!(told["role_arn"], call.parameter("RoleArn").unwrap());
            assert_eq!(
                told["packed_policy_percent"],
                Value::from(issued.packed_policy_size)
            );
            assert_eq!(told["token_bytes"], issued.session_token_size);
            let percent = (issued.session_token_size * 100).div_ceil(4096);
            assert_eq!(told["token_percent"], percent);
        }
        assert_eq!(session["session"], facts["session"]);
        assert_eq!(
            facts["session_name"],
            call.parameter("RoleSessionName").unwrap()
        );
        assert_eq!(facts["access_key_id"], issued.access_key_id);
        assert_eq!(facts["sts_request_id"], call.request_id);
        let tags: BTreeMap<String, String> =
            serde_json::from_value(facts["tags"].clone()).unwrap_or_default();
        assert_eq!(tags, call.tags());
        assert_eq!(
            facts["policy_sha256"].is_string(),
            call.parameter("Policy").is_some()
        );
        for note in &self.expect.notes {
            assert!(
                status["notes"]
                    .as_array()
                    .unwrap()
                    .contains(&Value::from(note.as_str())),
                "{}",
                status["notes"]
            );
        }
        self.check_requests();
    }

    fn check_refusal(&self) {
        assert_eq!(self.ran.stdout, "");
        assert_eq!(self.lab.status()["sessions"], Value::Array(Vec::new()));
        if !self.expect.facts.is_empty() {
            let denials = self.lab.records("deny");
            assert_contains(&denials[0]["unmapped"]["jumpgate"], &self.expect.facts);
        }
    }

    fn check_requests(&self) {
        let document = self.ran.json();
        let text = |key: &str| document[key].as_str().unwrap().to_owned();
        let keys = Keys {
            id: text("AccessKeyId"),
            secret: text("SecretAccessKey"),
            token: Some(text("SessionToken")),
        };
        let outcome = |request: &String| {
            let (method, target) = request.split_once(' ').unwrap();
            let draft = Draft::new(method, target, "s3").body(b"");
            send(&draft, Some(&keys), self.lab.double.address())
                .unwrap()
                .outcome()
        };
        for request in &self.expect.may {
            assert_eq!(outcome(request), "200", "{request}");
        }
        for request in &self.expect.may_not {
            assert_eq!(outcome(request), "403 AccessDenied", "{request}");
        }
    }
}

macro_rules! scenarios {
    ($($test:ident = $name:literal,)+) => {
        const NAMES: &[&str] = &[$($name),+];
        $(#[test] fn $test() { play($name).check(); })+
    };
}

scenarios! {
    chain = "chain",
    chain_that_changes_a_transitive_tag = "chain-that-changes-a-transitive-tag",
    duration = "duration",
    duration_beyond_the_role = "duration-beyond-the-role",
    external_id = "external-id",
    external_id_wrong = "external-id-wrong",
    inline_policy = "inline-policy",
    mfa_with_each_role = "mfa-with-each-role",
    narrow_duration = "narrow-duration",
    narrow_duration_not_allowed = "narrow-duration-not-allowed",
    narrow_duration_too_long = "narrow-duration-too-long",
    narrow_policy = "narrow-policy",
    narrow_policy_that_is_none = "narrow-policy-that-is-none",
    narrow_policy_that_widens = "narrow-policy-that-widens",
    narrow_tag = "narrow-tag",
    narrow_tag_not_allowed = "narrow-tag-not-allowed",
    narrow_tag_of_the_profile = "narrow-tag-of-the-profile",
    policy_arns = "policy-arns",
    policy_file = "policy-file",
    require_both = "require-both",
    require_confirm = "require-confirm",
    require_reason = "require-reason",
    tags_in_order = "tags-in-order",
    tags_that_the_role_refuses = "tags-that-the-role-refuses",
    template_without_its_ticket = "template-without-its-ticket",
    templates = "templates",
    unscoped = "unscoped",
}

#[test]
fn every_folder_is_played() {
    let folders = std::fs::read_dir(folder("")).unwrap();
    let mut found: Vec<String> = folders
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort();
    assert_eq!(found, NAMES);
}

#[test]
fn ids_are_found_in_any_text() {
    let id = "01M80CMXCMPCMQCV1R4KYGJAXT";
    let cases = [
        (id.to_owned(), "{session}"),
        (format!("dev-{id}"), "dev-{session}"),
        (format!("{id}.{id}@x"), "{session}.{session}@x"),
        (format!("A{id}"), &format!("A{id}")),
        ("222222222222".to_owned(), "222222222222"),
    ];
    for (text, expected) in cases {
        assert_eq!(without_ids(&text), expected);
    }
}
