//! Every preset is read, small enough and what it says; every parameter at its edge. What they allow and deny is
//! evaluated in tests/double/presets.rs, where the managed policies are.
#![allow(clippy::unwrap_used)]

use jumpgate_iam::lint::{Class, Kind, Options, Severity, actions, lint};
use jumpgate_iam::policy::DOCUMENTED_POLICY_CHARACTERS;

use super::*;

fn given(pairs: &[(&str, &[&str])]) -> Given {
    let owned = |values: &[&str]| values.iter().map(|&value| value.to_owned()).collect();
    let pairs = pairs.iter();
    pairs
        .map(|(name, values)| ((*name).to_owned(), owned(values)))
        .collect()
}

fn ssm() -> Given {
    given(&[("tag_key", &["Name"]), ("tag_values", &["a", "b"])])
}

fn given_for(preset: &Preset) -> Given {
    match preset.parameters.is_empty() {
        true => Given::new(),
        false => ssm(),
    }
}

/// The sizes that docs/presets.md states.
#[test]
fn every_preset_has_its_size() {
    let sizes = Preset::all().map(|preset| {
        let policies = preset
            .policies(Partition::Aws, &given_for(&preset))
            .unwrap();
        let characters = policies.inline.unwrap().characters();
        assert!(characters <= DOCUMENTED_POLICY_CHARACTERS);
        (preset.name, characters, policies.arns.len())
    });
    let expected = [
        ("deny-data", 1465, 0),
        ("power-no-iam", 289, 0),
        ("ssm", 514, 0),
        ("support", 975, 3),
        ("support+diagnostics", 1192, 3),
        ("support+runbooks", 1357, 3),
        ("support-read", 1705, 2),
        ("view-only", 1491, 0),
    ];
    assert_eq!(sizes.collect::<Vec<_>>(), expected);
}

#[test]
fn every_managed_policy_of_a_preset_is_read() {
    for preset in Preset::all() {
        assert_eq!(preset.arns(Partition::Aws).len(), preset.arns.len());
        assert!(preset.allows.ends_with('.'), "{}", preset.name);
    }
}

#[test]
fn no_lint_rule_finds_anything_bad_in_a_preset() {
    for preset in Preset::all() {
        let policies = preset.policies(Partition::Aws, &given_for(&preset));
        let policy = policies.unwrap().inline.unwrap();
        let options = Options {
            kind: Some(Kind::Session),
            class: (preset.name == "view-only").then_some(Class::View),
            needs: None,
        };
        let linted = lint(policy.as_str(), &options);
        assert!(!linted.has(Severity::Error), "{}: {linted:?}", preset.name);
    }
}

/// The list of data reads is the linter's, not the presets'.
#[test]
fn no_read_of_data_is_left_out_of_deny_data_and_support_read() {
    use jumpgate_iam::evaluate::{
        Context, Document, Layer, Policies, Request, Role, Verdict, evaluate,
    };
    for name in ["deny-data", "support-read"] {
        let policies = Preset::named(name).unwrap();
        let policies = policies.policies(Partition::Aws, &Given::new()).unwrap();
        let document = Document::read(name, &policies.inline.unwrap()).unwrap();
        let layer = Layer {
            role: Role::Identity,
            documents: vec![document],
        };
        let policies = Policies {
            layers: vec![layer],
            resource: None,
        };
        for action in actions::data_reads() {
            let request = Request::new(action, "*", Context::complete()).unwrap();
            let verdict = evaluate(&policies, &request);
            let denied = matches!(verdict, Verdict::ExplicitlyDenied { .. });
            assert!(denied, "{name} {action}: {verdict:?}");
        }
    }
}

#[test]
fn a_preset_speaks_of_the_partition_of_the_role() {
    for preset in Preset::all() {
        let policies = preset
            .policies(Partition::AwsCn, &given_for(&preset))
            .unwrap();
        assert!(!policies.inline.unwrap().as_str().contains("arn:aws:"));
        assert!(
            policies
                .arns
                .iter()
                .all(|arn| arn.partition() == Partition::AwsCn)
        );
    }
}

#[test]
fn an_unknown_preset_is_told_with_the_nearest() {
    for (name, told) in [
        (
            "suport",
            "no preset is called \"suport\"; did you mean support?",
        ),
        (
            "Support+Runbooks",
            "no preset is called \"Support+Runbooks\"; did you mean support+runbooks?",
        ),
        ("readonly", "no preset is called \"readonly\""),
        ("", "no preset is called \"\""),
    ] {
        assert_eq!(Preset::named(name).unwrap_err().to_string(), told);
    }
}

#[test]
fn the_values_of_a_list_stand_under_one_key() {
    let ssm_preset = Preset::named("ssm").unwrap();
    let policies = ssm_preset.policies(Partition::Aws, &ssm()).unwrap();
    let text = policies.inline.unwrap().to_string();
    assert!(
        text.contains(r#""StringEquals":{"ssm:resourceTag/Name":["a","b"]}"#),
        "{text}"
    );
    assert!(
        text.contains("document/SSM-SessionManagerRunShell\""),
        "{text}"
    );
    assert!(!text.contains('<'), "a placeholder was left: {text}");
}

#[test]
fn every_parameter_at_its_edge() {
    let preset = Preset::named("ssm").unwrap();
    let long = |length: usize| "k".repeat(length);
    let many = |count: usize| vec!["v".to_owned(); count];
    let text = |text: &str| vec![text.to_owned()];
    for (name, values, legal) in [
        ("tag_key", text("Name"), true),
        ("tag_key", text(&long(128)), true),
        ("tag_key", text(&long(129)), false),
        ("tag_key", text(""), false),
        ("tag_key", text("a\"b"), false),
        ("tag_key", text("${aws:userid}"), false),
        ("tag_key", text("<document>"), false),
        ("tag_key", many(2), false),
        ("tag_values", many(0), false),
        ("tag_values", many(MAX_VALUES), true),
        ("tag_values", many(MAX_VALUES + 1), false),
        ("tag_values", text(""), false),
        ("tag_values", text(&long(256)), true),
        ("tag_values", text(&long(257)), false),
        ("tag_values", text("a*"), false),
        ("tag_values", text("a\",\"*"), false),
        ("tag_values", text("a\\"), false),
        ("document", text("SSM-SessionManagerRunShell"), true),
        ("document", text("abc"), true),
        ("document", text("ab"), false),
        ("document", text(&long(129)), false),
        ("document", text("*"), false),
        ("document", text("a/b"), false),
        ("document", many(2), false),
    ] {
        let mut all = ssm();
        all.insert(name.to_owned(), values.clone());
        let policies = preset.policies(Partition::Aws, &all);
        assert_eq!(policies.is_ok(), legal, "{name} {values:?}: {policies:?}");
    }
    let beyond = given(&[("tag_key", &["Name"]), ("tag_values", &["\u{3042}"])]);
    let refused = preset.policies(Partition::Aws, &beyond).unwrap_err();
    assert!(matches!(refused, PresetError::Policy { .. }), "{refused}");
}

#[test]
fn a_missing_parameter_is_named() {
    let preset = Preset::named("ssm").unwrap();
    let only_key = given(&[("tag_key", &["Name"])]);
    let refused = preset.policies(Partition::Aws, &only_key).unwrap_err();
    assert_eq!(refused.to_string(), "preset ssm needs tag_values");
    assert_eq!(preset.missing(&Given::new()).count(), 2);
}

/// The generated part of docs/presets.md.
fn page() -> String {
    let mut page = String::new();
    for preset in Preset::all() {
        let policies = preset.policies(Partition::Aws, &given_for(&preset));
        let policies = policies.unwrap();
        let size = policies.inline.unwrap().characters();
        page.push_str(&format!("## {}\n\n{}\n\n", preset.name, preset.allows));
        page.push_str(&format!("- inline policy: {size} characters\n"));
        for arn in policies.arns.iter() {
            page.push_str(&format!("- managed policy: `{arn}`\n"));
        }
        for parameter in &preset.parameters {
            let default = parameter.default.iter();
            let default: String = default.map(|text| format!("; else `{text}`")).collect();
            page.push_str(&format!(
                "- parameter `{}`: {}: {}{default}\n",
                parameter.name,
                parameter.about,
                parameter.takes.expected(),
            ));
        }
        page.push('\n');
    }
    page
}

#[test]
fn the_page_of_presets_is_in_step() {
    let document = include_str!("../../../../docs/presets.md");
    let (_, generated) = document
        .split_once("<!-- from agent/presets -->\n\n")
        .unwrap();
    assert!(
        generated.trim_end() == page().trim_end(),
        "this belongs at the end of docs/presets.md:\n{}",
        page()
    );
}
