//! A second opinion: MiniStack, an STS and S3 by others, which enforces trust, external ids, tags and policies.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use jumpgate_tests::lab::finish;
use jumpgate_tests::sts::World;
use jumpgate_tests::{Lab, Ran};
use serde_json::Value;

use crate::built::programs;
use crate::clients::{client_of, configure_aws, venv};

/// A running MiniStack; it ends when its standard input closes.
struct MiniStack {
    process: Child,
    world: Value,
}

impl MiniStack {
    fn start(venv: &Path) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/ministack_world.py");
        let mut process = Command::new(venv.join("bin/python"))
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let output = process.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut line).unwrap();
        let world = serde_json::from_str(&line).unwrap();
        Self { process, world }
    }

    fn text(&self, key: &str) -> &str {
        self.world[key].as_str().unwrap()
    }
}

impl Drop for MiniStack {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ended = self.process.wait();
    }
}

fn configuration(world: &MiniStack) -> String {
    let template = r#"version = 1

[accounts]
jump = "@jump_account@"

[identity.jump]
kind = "iam-user"
account = "jump"
region = "@region@"
store = "file"
passphrase_command = ["@HOME@/bin/passphrase"]
sts_endpoint = "@endpoint@"

[profile.dev]
role_arn = "@role_arn@"
region = "@region@"
external_id = "@external_id@"
source_identity = "{user}"
tags = { Team = "sre", DoiTEnvironment = "{account_id}" }
transitive_tags = ["DoiTEnvironment"]
policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject"],"Resource":"*"}]}'

[profile.managed]
role_arn = "@role_arn@"
external_id = "@external_id@"
policy_arns = ["@read_only_policy_arn@"]

[profile.untagged]
role_arn = "@untagged_role_arn@"
external_id = "@external_id@"

[profile.tagged]
role_arn = "@untagged_role_arn@"
external_id = "@external_id@"
tags = { Team = "sre" }

[profile.stranger]
role_arn = "@role_arn@"
external_id = "another"
"#;
    let keys = [
        "jump_account",
        "region",
        "endpoint",
        "role_arn",
        "untagged_role_arn",
        "read_only_policy_arn",
        "external_id",
    ];
    keys.iter().fold(template.to_owned(), |text, key| {
        text.replace(&format!("@{key}@"), world.text(key))
    })
}

fn ready(stack: &MiniStack) -> Lab {
    let mut lab = Lab::in_world(&programs(), World::new(), &configuration(stack));
    lab.add_secret(stack.text("secret_access_key"));
    lab.start_agent();
    let key = format!(
        "{}\n{}\n",
        stack.text("access_key_id"),
        stack.text("secret_access_key")
    );
    let added = lab
        .run_with_input(&["identity", "add", "jump"], &key)
        .good();
    assert!(
        added.stdout.contains(stack.text("user_arn")),
        "{}",
        added.stdout
    );
    configure_aws(&lab, &lab.programs.client, &["dev", "managed", "untagged"]);
    lab
}

fn aws(lab: &Lab, venv: &Path, stack: &MiniStack, arguments: &[&str]) -> Ran {
    let arguments = [arguments, &["--output", "json"]].concat();
    finish(
        client_of(
            lab,
            stack.text("endpoint"),
            &venv.join("bin/aws"),
            &arguments,
        ),
        "",
    )
}

#[test]
fn scoped_sessions_do_what_another_sts_lets_them() {
    let Some(venv) = venv("MiniStack") else {
        return;
    };
    let stack = MiniStack::start(&venv);
    let lab = ready(&stack);
    let who = aws(
        &lab,
        &venv,
        &stack,
        &["--profile", "dev", "sts", "get-caller-identity"],
    )
    .good()
    .json();
    assert_eq!(who["Account"], stack.text("dev_account"));
    assert!(
        who["Arn"]
            .as_str()
            .unwrap()
            .contains(":assumed-role/Developer/tester-"),
        "{who}"
    );

    let object = ["--bucket", stack.text("bucket"), "--key", stack.text("key")];
    let run = |profile: &str, verb: &[&str], last: &[&str]| {
        let arguments = [&["--profile", profile, "s3api"], verb, &object[..], last].concat();
        aws(&lab, &venv, &stack, &arguments)
    };
    run("dev", &["get-object"], &["got"]).good();
    let got = std::fs::read_to_string(lab.path("got")).unwrap();
    assert_eq!(got, stack.text("body"));
    // The role may write; an inline policy and a managed one each keep its sessions from it.
    run("untagged", &["put-object", "--body", "got"], &[]).good();
    for profile in ["dev", "managed"] {
        let put = run(profile, &["put-object", "--body", "got"], &[]);
        assert!(
            !put.status.success() && put.stderr.contains("(AccessDenied)"),
            "{}",
            put.stderr
        );
    }
    lab.run(&["journal", "verify"]).good();
}

#[test]
fn what_another_sts_refuses_is_refused() {
    let Some(venv) = venv("MiniStack's refusals") else {
        return;
    };
    let stack = MiniStack::start(&venv);
    let lab = ready(&stack);
    for profile in ["tagged", "stranger"] {
        let ran = lab.run(&["credential-process", profile]);
        assert_eq!((ran.code(), ran.stdout.as_str()), (77, ""), "{profile}");
        assert!(ran.stderr.contains("AccessDenied"), "{}", ran.stderr);
    }
    let codes: Vec<Value> = lab
        .records("deny")
        .iter()
        .map(|record| record["unmapped"]["jumpgate"]["code"].clone())
        .collect();
    assert_eq!(codes, ["upstream_denied", "upstream_denied"]);
}
