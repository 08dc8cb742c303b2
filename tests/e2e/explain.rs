//! `policy explain` as a person uses it: what shadows what in a role's policy, and whose policy denies.

use jumpgate_tests::Lab;

use crate::built::lab;

/// After the public support role: of a deny meant in one of two forms, both are there.
const ROLE: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    { "Sid": "ReadAll", "Effect": "Allow", "Action": ["ssm:Get*", "ssm:List*"], "Resource": "*" },
    { "Sid": "DenyParametersButOurs", "Effect": "Deny", "Action": ["ssm:GetDocument", "ssm:GetParameter*"],
      "NotResource": ["arn:aws:ssm:*::document/AWSPremiumSupport-TroubleshootEKSCluster"] },
    { "Sid": "DenyParameters", "Effect": "Deny", "Action": ["ssm:GetDocument", "ssm:GetParameter*"], "Resource": "*" },
    { "Sid": "EKSTroubleshooting", "Effect": "Allow",
      "Action": ["ssm:GetDocument", "ssm:GetParameter*", "ssm:StartAutomationExecution"],
      "Resource": [
        "arn:aws:ssm:*::document/AWSPremiumSupport-TroubleshootEKSCluster",
        "arn:aws:ssm:*::automation-definition/AWSPremiumSupport-TroubleshootEKSCluster:*" ] }
  ]
}"#;

const PROFILES: &str = r#"
[profile.open]
account = "target"
role = "Developer"

[profile.support]
account = "target"
role = "Developer"
policy = { preset = "support" }
"#;

fn explained(lab: &Lab, words: &[&str]) -> String {
    let role = lab.path("role.json");
    std::fs::write(&role, ROLE).unwrap();
    let role = role.to_str().unwrap();
    let all = [&["policy", "explain", "--role-policy", role], words].concat();
    lab.run(&all).good().stdout.replace(role, "role.json")
}

#[test]
fn the_two_denies_that_shadow_an_allow_of_the_support_role_are_named() {
    let lab = lab(PROFILES);
    let document = "arn:aws:ssm:us-east-1::document/AWSPremiumSupport-TroubleshootEKSCluster";
    let told = explained(&lab, &["open", "ssm:GetDocument", document]);
    let expected = "\
ssm:GetDocument on arn:aws:ssm:us-east-1::document/AWSPremiumSupport-TroubleshootEKSCluster: denied
  by role.json:7:5: statement 3 \"DenyParameters\" (identity policies)
";
    assert!(told.contains(expected), "{told}");
    let expected = "\
shadowed: role.json:8:5: statement 4 \"EKSTroubleshooting\": ssm:GetDocument, ssm:GetParameter* are always denied
  by role.json:5:5: statement 2 \"DenyParametersButOurs\"
  by role.json:7:5: statement 3 \"DenyParameters\"
";
    assert!(told.contains(expected), "{told}");
    let caveat = "one that names the session's own ARN is limited by neither session policies nor a boundary";
    assert!(told.contains(caveat), "{told}");
    let runbook = document.replace("document", "automation-definition") + ":1";
    let told = explained(&lab, &["open", "ssm:StartAutomationExecution", &runbook]);
    assert!(
        told.contains("statement 4 \"EKSTroubleshooting\" (identity policies)\n"),
        "{told}"
    );
    assert!(!lab.socket().exists(), "no agent was started");
}

#[test]
fn whose_policy_denies_is_said() {
    let lab = lab(PROFILES);
    let told = explained(
        &lab,
        &[
            "support",
            "ssm:ListDocuments",
            "*",
            "--policy",
            "preset:power-no-iam",
        ],
    );
    assert!(
        told.contains("  session policies: preset support, arn:aws:iam::aws:policy/"),
        "{told}"
    );
    assert!(
        told.contains("  policy of the ask: preset:power-no-iam\n"),
        "{told}"
    );
    let told = explained(&lab, &["support", "s3:GetObject", "*"]);
    assert!(told.contains("statement 3 (session policies)\n"), "{told}");
    assert!(told.contains("  by preset support:"), "{told}");
    let told = explained(
        &lab,
        &[
            "open",
            "ssm:GetInventory",
            "*",
            "--policy",
            "preset:view-only",
        ],
    );
    assert!(
        told.contains("no statement of the policy of the ask allows it\n"),
        "{told}"
    );
}
