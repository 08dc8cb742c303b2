//! Each rule on a bad and a good file, and on what is close to both.

#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use super::*;
use crate::arn::RoleArn;

fn file(folder: &str, name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/policies");
    std::fs::read_to_string(path.join(folder).join(format!("{name}.json"))).unwrap()
}

fn need(role: &str) -> JumpNeed {
    JumpNeed {
        role: RoleArn::parse(&format!("arn:aws:iam::222222222222:role/{role}")).unwrap(),
        profile: role.to_lowercase(),
        tags: true,
        source_identity: true,
    }
}

/// What is known of the file that shows a rule.
fn options(rule: Rule, needs: &[JumpNeed]) -> Options<'_> {
    Options {
        kind: None,
        class: match rule {
            Rule::WriteAction => Some(Class::ReadOnly),
            Rule::DataRead => Some(Class::View),
            _ => None,
        },
        needs: matches!(rule, Rule::RoleNotGranted | Rule::Surplus).then_some(needs),
    }
}

fn rules(text: &str, options: &Options<'_>) -> Vec<&'static str> {
    let findings = lint(text, options).findings;
    findings
        .into_iter()
        .map(|finding| finding.rule.id())
        .collect()
}

#[test]
fn every_rule_finds_its_bad_file_and_nothing_in_its_good_one() {
    let needs = [need("Developer"), need("Reader")];
    for rule in Rule::ALL {
        let options = options(*rule, &needs);
        let found = rules(&file("bad", rule.id()), &options);
        let only = found.iter().all(|id| *id == rule.id());
        assert!(!found.is_empty() && only, "{rule}: {found:?}");
        let found = lint(&file("good", rule.id()), &options).findings;
        assert_eq!(found, [], "{rule}");
    }
}

#[test]
fn ids_are_unique_and_every_rule_says_why_and_what_helps() {
    let mut ids: Vec<&str> = Rule::ALL.iter().map(|rule| rule.id()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), Rule::ALL.len());
    for rule in Rule::ALL {
        for text in [rule.title(), rule.why(), rule.fix()] {
            assert!(text.len() > 5 && !text.contains("  "), "{rule}: {text}");
        }
    }
}

#[test]
fn a_repeated_key_has_both_places_both_readings_and_the_merged_list() {
    let linted = lint(&file("bad", "JSON001"), &Options::default());
    let [finding] = linted.findings.as_slice() else {
        panic!("{linted:?}")
    };
    assert_eq!((finding.at.line, finding.at.column), (12, 11));
    let (other, _) = finding.other.unwrap();
    assert_eq!((other.line, other.column), (11, 11));
    assert_eq!(
        finding.what,
        "key \"ssm:resourceTag/Name\" is in \"StringLike\" already at line 11, column 11; most readers keep \
         \"Develop\" and lose \"Production\""
    );
    assert!(
        finding
            .fix()
            .contains("\"ssm:resourceTag/Name\": [\"Production\", \"Develop\"]"),
        "{}",
        finding.fix()
    );
    assert_eq!(
        finding.statement.as_ref().unwrap().to_string(),
        "statement 1 (Sid \"UserA\")"
    );
}

#[test]
fn repeated_keys_are_found_wherever_they_are() {
    for (text, places) in [
        (
            r#"{"Version":"2012-10-17","Version":"2012-10-17","Statement":[]}"#,
            1,
        ),
        (
            r#"{"Statement":[{"Effect":"Allow","Effect":"Deny","Effect":"Allow"}]}"#,
            2,
        ),
        (
            r#"{"Statement":{"Condition":{"Bool":{"a:b":"c"},"Bool":{"a:b":"c","a:b":"d"}}}}"#,
            2,
        ),
        (r#"{"Statement":[],"Statement":[{"Sid":"a","Sid":"b"}]}"#, 2),
        (r#"{"Statement":[{"Principal":{"AWS":"1","AWS":"2"}}]}"#, 1),
        (r#"{"Id":{"a":[{"b":1,"b":2}]},"Statement":[]}"#, 1),
        (r#"{"Statement":[["x",{"b":1,"b":2}]]}"#, 1),
        (r#"[{"b":1,"b":2}]"#, 1),
    ] {
        let found = rules(text, &Options::default());
        let repeats = found.iter().filter(|id| **id == "JSON001").count();
        assert_eq!(repeats, places, "{text}: {found:?}");
    }
}

/// A statement within a whole policy.
fn policy(statement: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#)
}

fn found(statements: &str, kind: Kind) -> Vec<&'static str> {
    let kind = Some(kind);
    rules(
        &policy(statements),
        &Options {
            kind,
            ..Options::default()
        },
    )
}

#[test]
fn an_allow_is_taken_back_only_by_what_covers_all_of_it() {
    let allow = r#"{"Effect":"Allow","Action":["s3:Get*","S3:List*"],"Resource":["arn:aws:s3:::a/*","arn:aws:s3:::b"]}"#;
    let limited = r#"{"Effect":"Allow","Action":"s3:Get*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}"#;
    let open = r#"{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}"#;
    for (allow, deny, shadowed) in [
        (allow, r#""Action":"*","Resource":"*""#, true),
        (
            allow,
            r#""Action":"s3:*","Resource":"arn:aws:s3:::*""#,
            true,
        ),
        (allow, r#""Action":"s3:Get*","Resource":"*""#, false),
        (
            allow,
            r#""Action":["s3:GET*","s3:list*"],"Resource":"*""#,
            true,
        ),
        (
            allow,
            r#""Action":"s3:*","Resource":"arn:aws:s3:::a/*""#,
            false,
        ),
        (
            allow,
            r#""Action":"s3:*","NotResource":"arn:aws:s3:::c*""#,
            true,
        ),
        (
            allow,
            r#""Action":"s3:*","NotResource":"arn:aws:s3:::a/x""#,
            false,
        ),
        (allow, r#""NotAction":"iam:*","Resource":"*""#, true),
        (allow, r#""NotAction":"s3:GetObject","Resource":"*""#, false),
        (
            allow,
            r#""Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}"#,
            false,
        ),
        (
            limited,
            r#""Action":"*","Resource":"*","Condition":{"bool":{"AWS:SecureTransport":["true"]}}"#,
            true,
        ),
        (
            limited,
            r#""Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}"#,
            false,
        ),
        (open, r#""NotAction":["iam:Get*"],"Resource":"*""#, true),
        (open, r#""NotAction":["s3:Get*"],"Resource":"*""#, false),
        (open, r#""Action":"s3:*","Resource":"*""#, false),
    ] {
        let found = found(
            &format!(r#"{allow},{{"Effect":"Deny",{deny}}}"#),
            Kind::Identity,
        );
        assert_eq!(found.contains(&"POL001"), shadowed, "{deny}: {found:?}");
    }
}

#[test]
fn several_denies_can_take_back_one_allow_and_are_all_named() {
    let linted = lint(&file("bad", "POL001"), &Options::default());
    let what = &linted.findings[0].what;
    assert!(
        what.ends_with(
            "by statement 3 (Sid \"NoAutomation\") and statement 4 (Sid \"NoDocuments\")"
        ),
        "{what}"
    );
}

#[test]
fn too_many_patterns_are_not_compared() {
    let many = |count: usize, prefix: &str| -> String {
        let all: Vec<String> = (0..count).map(|n| format!("\"{prefix}{n}\"")).collect();
        all.join(",")
    };
    let allow = format!(
        r#"{{"Effect":"Allow","Action":[{}],"Resource":[{}]}}"#,
        many(1_000, "a:"),
        many(1_000, "arn:")
    );
    let denies = r#"{"Effect":"Deny","Action":"*","Resource":"*"},"#.repeat(10);
    assert!(!found(&format!("{denies}{allow}"), Kind::Identity).contains(&"POL001"));
    assert!(
        found(
            &format!("{}{allow}", &denies[..denies.len() / 10]),
            Kind::Identity
        )
        .contains(&"POL001")
    );
}

#[test]
fn for_all_values_is_vacuous_unless_the_key_must_be_there() {
    for (more, vacuous) in [
        (r#""Null":{"AWS:tagkeys":"false"}"#, false),
        (r#""Null":{"aws:TagKeys":"true"}"#, true),
        (r#""Null":{"aws:RequestTag/x":"false"}"#, true),
        (r#""ForAnyValue:StringEquals":{"aws:TagKeys":"a"}"#, false),
        (r#""ForAllValues:StringLike":{"aws:TagKeys":"a"}"#, true),
        (r#""StringEqualsIfExists":{"aws:TagKeys":"a"}"#, true),
        (r#""StringNotEquals":{"aws:TagKeys":"a"}"#, true),
    ] {
        for (effect, counts) in [("Allow", true), ("Deny", false)] {
            let statement = format!(
                r#"{{"Effect":"{effect}","Action":"s3:Get*","Resource":"*","Condition":{{"forallvalues:StringEquals":{{"aws:TagKeys":"a"}},{more}}}}}"#
            );
            let found = found(&statement, Kind::Identity);
            assert_eq!(
                found.contains(&"POL003"),
                vacuous && counts,
                "{effect} {more}"
            );
        }
    }
}

#[test]
fn wildcards_are_plain_characters_for_some_operators() {
    for (operator, value, inert) in [
        ("StringEquals", "a*", true),
        ("StringNotEqualsIfExists", "a?", true),
        ("ForAnyValue:StringEqualsIgnoreCase", "*", true),
        ("stringequals", "*", true),
        ("StringEquals", "a", false),
        ("StringEquals", "a${*}${?}", false),
        ("StringLike", "a*", false),
        ("ArnEquals", "arn:*", false),
    ] {
        let statement = format!(
            r#"{{"Effect":"Deny","Action":"s3:Get*","Resource":"*","Condition":{{"{operator}":{{"aws:x":"{value}"}}}}}}"#
        );
        let found = found(&statement, Kind::Identity);
        assert_eq!(found.contains(&"POL004"), inert, "{operator} {value}");
    }
}

#[test]
fn the_size_counts_for_session_policies_and_minified() {
    let resource = |count: usize| format!("arn:aws:s3:::{}", "x".repeat(count));
    let of = |count| {
        policy(&format!(
            r#"{{"Effect":"Allow","Action":"s3:GetObject","Resource":"{}"}}"#,
            resource(count)
        ))
    };
    let room = crate::policy::DOCUMENTED_POLICY_CHARACTERS - of(0).len();
    let spaced = of(room).replace(",\"", ",\n   \"");
    for (text, kind, long) in [
        (of(room), Kind::Session, false),
        (spaced, Kind::Session, false),
        (of(room + 1), Kind::Session, true),
        (of(room + 1), Kind::Identity, false),
    ] {
        let kind = Some(kind);
        let found = rules(
            &text,
            &Options {
                kind,
                ..Options::default()
            },
        );
        assert_eq!(found.contains(&"POL005"), long, "{}", text.len());
    }
}

#[test]
fn a_version_of_2008_counts_as_none_and_its_variables_are_named() {
    let text = r#"{"Version":"2008-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::${aws:username}"}}"#;
    let linted = lint(text, &Options::default());
    let [finding] = linted.findings.as_slice() else {
        panic!("{linted:?}")
    };
    assert_eq!((finding.rule.id(), finding.at.column), ("POL007", 12));
    assert!(
        finding
            .what
            .ends_with("the variable at line 1, column 82 is plain text"),
        "{}",
        finding.what
    );
}

#[test]
fn assuming_every_role_is_found_behind_its_disguises() {
    for (statement, kind, any) in [
        (r#""Action":"sts:*","Resource":"*""#, Kind::Session, true),
        (
            r#""Action":"STS:assume*","Resource":"arn:aws:iam::*:role/*""#,
            Kind::Session,
            true,
        ),
        (
            r#""Action":"sts:AssumeRole","Resource":"arn:*""#,
            Kind::Identity,
            true,
        ),
        (
            r#""Action":"sts:AssumeRole","NotResource":"arn:aws:iam::1:role/x""#,
            Kind::Jump,
            true,
        ),
        (r#""Action":"*","Resource":"*""#, Kind::Jump, true),
        (r#""Action":"*","Resource":"*""#, Kind::Identity, false),
        (
            r#""Action":"sts:TagSession","Resource":"*""#,
            Kind::Jump,
            false,
        ),
        (
            r#""Action":"sts:AssumeRole","Resource":"arn:aws:iam::*:role/Developer""#,
            Kind::Jump,
            false,
        ),
        (
            r#""Action":"sts:AssumeRole","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#,
            Kind::Jump,
            true,
        ),
        (
            r#""Action":"sts:AssumeRole","Resource":"*","Condition":{"StringEquals":{"aws:ResourceOrgID":"o-1"}}"#,
            Kind::Jump,
            false,
        ),
        (
            r#""Action":"sts:AssumeRole","Resource":"*","Condition":{"StringEqualsIfExists":{"aws:ResourceOrgID":"o-1"}}"#,
            Kind::Jump,
            true,
        ),
    ] {
        let found = found(&format!(r#"{{"Effect":"Allow",{statement}}}"#), kind);
        assert_eq!(found.contains(&"JUMP001"), any, "{statement}: {found:?}");
    }
}

#[test]
fn a_jump_policy_is_held_against_the_profiles() {
    let needs = [
        need("Developer"),
        JumpNeed {
            tags: false,
            source_identity: false,
            ..need("Reader")
        },
    ];
    let options = Options {
        kind: Some(Kind::Jump),
        needs: Some(&needs),
        ..Options::default()
    };
    let role = |name: &str| format!("arn:aws:iam::222222222222:role/{name}");
    let of = |statements: &str| rules(&policy(statements), &options);
    let (developer, reader) = (role("Developer"), role("Reader"));
    let both = format!(r#"["{developer}","{reader}"]"#);
    for (statements, expected) in [
        (
            format!(r#"{{"Effect":"Allow","Action":"sts:*","Resource":{both}}}"#),
            vec![],
        ),
        (
            format!(r#"{{"Effect":"Allow","Action":"sts:AssumeRole","Resource":{both}}}"#),
            vec!["JUMP002", "JUMP002"],
        ),
        (
            format!(
                r#"{{"Effect":"Allow","Action":["sts:AssumeRole","sts:TagSession"],"Resource":{both}}}"#
            ),
            vec!["JUMP002"],
        ),
        (
            format!(r#"{{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"{reader}"}}"#),
            vec!["JUMP003"],
        ),
        (
            format!(
                r#"{{"Effect":"Allow","Action":"sts:*","Resource":{both}}},{{"Effect":"Deny","Action":"sts:*","Resource":"{reader}"}}"#
            ),
            vec!["JUMP003"],
        ),
        (
            format!(
                r#"{{"Effect":"Allow","Action":"sts:*","Resource":{both}}},{{"Effect":"Deny","Action":"sts:TagSession","Resource":"*"}}"#
            ),
            vec!["JUMP002"],
        ),
        (
            format!(
                r#"{{"Effect":"Allow","Action":"sts:*","Resource":["{developer}","{reader}","{}"]}}"#,
                role("Other")
            ),
            vec!["JUMP004"],
        ),
        (
            format!(
                r#"{{"Effect":"Allow","Action":"sts:*","Resource":"{}"}}"#,
                role("*")
            ),
            vec!["JUMP004"],
        ),
        (
            r#"{"Effect":"Allow","Action":"sts:*","Resource":"*"}"#.to_owned(),
            vec!["JUMP001"],
        ),
    ] {
        assert_eq!(of(&statements), expected, "{statements}");
    }
    let every = lint(&file("bad", "JUMP001"), &options).findings;
    let roles = format!("\"Resource\": [\"{developer}\", \"{reader}\"]");
    let named =
        |finding: &Finding| finding.rule == Rule::AssumeAny && finding.fix().contains(&roles);
    assert!(every.iter().any(named), "{every:?}");
}

fn trusting(principal: &str, rest: &str) -> Vec<&'static str> {
    let statement = format!(r#"{{"Effect":"Allow",{principal},"Action":"sts:AssumeRole"{rest}}}"#);
    found(&statement, Kind::Trust)
}

#[test]
fn trust_in_everyone_needs_more_of_a_condition_than_trust_in_an_account() {
    let anyone = r#""Principal":"*""#;
    let listed = r#""Principal":{"AWS":["*"]}"#;
    let root = r#""Principal":{"AWS":"arn:aws-cn:iam::111111111111:root"}"#;
    let id = r#""Principal":{"AWS":"111111111111"}"#;
    let user = r#""Principal":{"AWS":"arn:aws:iam::111111111111:user/root"}"#;
    let not = r#""NotPrincipal":{"AWS":"111111111111"}"#;
    let with = |operator: &str, key: &str, value: &str| {
        format!(r#","Condition":{{"{operator}":{{"{key}":"{value}"}}}}"#)
    };
    let none = String::new();
    let external = with("StringEquals", "sts:ExternalId", "x9");
    let mfa = with("Bool", "aws:MultiFactorAuthPresent", "true");
    let lax = with("BoolIfExists", "aws:MultiFactorAuthPresent", "true");
    let without = with("Bool", "aws:MultiFactorAuthPresent", "false");
    let organisation = with("StringEquals", "aws:PrincipalOrgID", "o-1");
    let anything = with("StringLike", "aws:PrincipalOrgID", "*");
    for (principal, condition, open) in [
        (anyone, &none, true),
        (listed, &none, true),
        (not, &none, true),
        (root, &none, true),
        (id, &none, true),
        (user, &none, false),
        (anyone, &external, true),
        (anyone, &mfa, true),
        (anyone, &organisation, false),
        (not, &organisation, false),
        (anyone, &anything, true),
        (root, &external, false),
        (root, &mfa, false),
        (id, &mfa, false),
        (root, &lax, true),
        (root, &without, true),
        (root, &organisation, false),
    ] {
        let found = trusting(principal, condition);
        assert_eq!(
            found.contains(&"TRUST001"),
            open,
            "{principal} {condition}: {found:?}"
        );
    }
}

#[test]
fn tokens_are_limited_by_audience_and_subject() {
    let (aud, sub) = (r#""id.example:aud":"a""#, r#""id.example:sub":"b""#);
    let tag = r#""aws:RequestTag/Env":"c""#;
    for (provider, conditions, open) in [
        ("arn:aws:iam::1:oidc-provider/id.example", vec![], true),
        ("arn:aws:iam::1:oidc-provider/id.example", vec![aud], true),
        ("arn:aws:iam::1:oidc-provider/id.example", vec![sub], true),
        (
            "arn:aws:iam::1:oidc-provider/id.example",
            vec![aud, sub],
            false,
        ),
        (
            "arn:aws:iam::1:oidc-provider/id.example",
            vec![aud, tag],
            false,
        ),
        ("accounts.google.com", vec![aud], true),
        ("arn:aws:iam::1:saml-provider/x", vec![], false),
    ] {
        let statement = format!(
            r#"{{"Effect":"Allow","Principal":{{"Federated":"{provider}"}},"Action":["sts:AssumeRoleWithWebIdentity","sts:TagSession"],"Condition":{{"StringEquals":{{{}}}}}}}"#,
            conditions.join(",")
        );
        let found = found(&statement, Kind::Trust);
        assert_eq!(found.contains(&"TRUST002"), open, "{statement}: {found:?}");
    }
    let negated = r#"{"Effect":"Allow","Principal":{"Federated":"accounts.google.com"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringNotEquals":{"accounts.google.com:aud":"a","accounts.google.com:sub":"b"}}}"#;
    assert!(found(negated, Kind::Trust).contains(&"TRUST002"));
}

#[test]
fn mfa_is_impossible_for_sessions_and_tokens_only() {
    for (principal, action, operator, key, impossible) in [
        (
            r#"{"AWS":"arn:aws:iam::1:role/r"}"#,
            "sts:AssumeRole",
            "Bool",
            "aws:MultiFactorAuthPresent",
            true,
        ),
        (
            r#"{"AWS":"arn:aws:sts::1:assumed-role/r/s"}"#,
            "sts:AssumeRole",
            "NumericLessThan",
            "aws:MultiFactorAuthAge",
            true,
        ),
        (
            r#"{"AWS":"arn:aws:iam::1:role/r"}"#,
            "sts:AssumeRole",
            "BoolIfExists",
            "aws:MultiFactorAuthPresent",
            true,
        ),
        (
            r#"{"AWS":"arn:aws:iam::1:role/r"}"#,
            "sts:AssumeRole",
            "Null",
            "aws:MultiFactorAuthPresent",
            false,
        ),
        (
            r#"{"AWS":["arn:aws:iam::1:role/r","arn:aws:iam::1:user/u"]}"#,
            "sts:AssumeRole",
            "Bool",
            "aws:MultiFactorAuthPresent",
            false,
        ),
        (
            r#"{"AWS":"arn:aws:iam::1:user/u"}"#,
            "sts:AssumeRole",
            "Bool",
            "aws:MultiFactorAuthPresent",
            false,
        ),
        (
            r#"{"Federated":"accounts.google.com"}"#,
            "sts:AssumeRoleWithWebIdentity",
            "Bool",
            "aws:MultiFactorAuthPresent",
            true,
        ),
        (
            r#"{"Federated":"arn:aws:iam::1:saml-provider/x"}"#,
            "sts:AssumeRoleWithSAML",
            "Bool",
            "AWS:multifactorauthpresent",
            true,
        ),
        (
            r#"{"AWS":"arn:aws:iam::1:role/r"}"#,
            "sts:AssumeRole",
            "Bool",
            "aws:SecureTransport",
            false,
        ),
    ] {
        let statement = format!(
            r#"{{"Effect":"Allow","Principal":{principal},"Action":"{action}","Condition":{{"{operator}":{{"{key}":"true"}}}}}}"#
        );
        let found = found(&statement, Kind::Trust);
        assert_eq!(
            found.contains(&"TRUST004"),
            impossible,
            "{statement}: {found:?}"
        );
    }
}

#[test]
fn a_trust_policy_that_demands_what_nobody_may_pass_is_found() {
    let user = r#""Principal":{"AWS":"arn:aws:iam::1:user/u"}"#;
    for (key, value, missing) in [
        ("sts:TransitiveTagKeys", "Env", true),
        ("sts:SourceIdentity", "alice", true),
        ("aws:PrincipalTag/Env", "x", false),
    ] {
        let condition = format!(r#","Condition":{{"StringEquals":{{"{key}":"{value}"}}}}"#);
        let found = trusting(user, &condition);
        assert_eq!(found.contains(&"JUMP002"), missing, "{key}: {found:?}");
    }
}

#[test]
fn the_kind_is_guessed_from_principals_and_actions() {
    for (statement, kind) in [
        (
            r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}"#,
            Kind::Session,
        ),
        (
            r#"{"Effect":"Allow","Action":["sts:AssumeRole","sts:TagSession"],"Resource":"*"}"#,
            Kind::Jump,
        ),
        (
            r#"{"Effect":"Allow","Action":["sts:AssumeRole","s3:Get*"],"Resource":"*"}"#,
            Kind::Session,
        ),
        (
            r#"{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}"#,
            Kind::Trust,
        ),
        (
            r#"{"Effect":"Deny","NotPrincipal":{"AWS":"1"},"Action":"sts:AssumeRole"}"#,
            Kind::Trust,
        ),
        (
            r#"{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*"}"#,
            Kind::Resource,
        ),
        ("{}", Kind::Session),
    ] {
        assert_eq!(
            lint(&policy(statement), &Options::default()).kind,
            kind,
            "{statement}"
        );
    }
}

#[test]
fn the_grammar_speaks_for_the_kind() {
    let statement =
        policy(r#"{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*"}"#);
    for kind in Kind::ALL {
        let found = rules(
            &statement,
            &Options {
                kind: Some(kind),
                ..Options::default()
            },
        );
        assert_eq!(found.contains(&"POL000"), kind != Kind::Resource, "{kind}");
        assert_eq!(Kind::of_name(kind.name()), Some(kind));
    }
}

#[test]
fn findings_are_in_order_and_limited() {
    let many = r#""a*","#.repeat(MAX_FINDINGS + 6);
    let text = policy(&format!(
        r#"{{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{{"StringEquals":{{"aws:x":[{many}"b"]}}}}}}"#
    ));
    let linted = lint(
        &text,
        &Options {
            kind: Some(Kind::Identity),
            ..Options::default()
        },
    );
    assert_eq!((linted.findings.len(), linted.left_out), (MAX_FINDINGS, 6));
    assert!(linted.findings.is_sorted_by_key(|finding| finding.at));

    // An error behind them all is not what is left out.
    let late = text.replace("]}}", "]}},\"Effect\":\"Deny\"");
    assert!(lint(&late, &Options::default()).has(Severity::Error));
}

#[test]
fn what_is_too_long_or_too_deep_is_said_and_a_byte_order_mark_is_not() {
    for text in [
        " ".repeat(crate::json::MAX_JSON_BYTES + 1),
        "[".repeat(crate::json::MAX_DEPTH + 1),
        String::new(),
    ] {
        assert_eq!(rules(&text, &Options::default()), ["JSON000"]);
    }
    let good = format!("\u{feff}{}", file("good", "JSON001"));
    assert!(rules(&good, &Options::default()).is_empty());
}

/// Work that grows with the square of a document's size would not end here.
#[test]
fn documents_of_the_greatest_size_are_judged() {
    let values = |count: usize, one: &str| vec![one; count].join(",");
    let keys = values(20_000, r#""a""#);
    let trust = format!(
        r#"{{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Condition":{{"StringEquals":{{"aws:TagKeys":[{keys}],"aws:RequestTag/A":"x"}}}}}}"#
    );
    let stars = values(10_000, r#""*""#);
    let twice =
        format!(r#"{{"Effect":"Allow","Action":[{stars}],"Action":[{stars}],"Resource":"*"}}"#);
    let denied = format!(
        r#"{{"Effect":"Allow","Action":[{stars}],"Resource":"*"}},{{"Effect":"Deny","Action":[{}],"Resource":"*"}}"#,
        values(5_000, r#""x:y*""#)
    );
    for (statements, rule) in [(trust, "TRUST003"), (twice, "JSON001"), (denied, "POL002")] {
        let options = Options {
            class: Some(Class::View),
            ..Options::default()
        };
        let found = rules(&policy(&statements), &options);
        assert!(found.contains(&rule), "{rule}: {found:?}");
    }
}

#[test]
fn nothing_of_a_document_reaches_a_terminal_as_it_is() {
    let evil = "\\u001b[31m\\u202e";
    let text = format!(
        r#"{{"Statement":[{{"Sid":"{evil}","{evil}":"{evil}","{evil}":"x","Effect":"Allow","Action":"{evil}","Resource":"*","Condition":{{"StringEquals{evil}":{{"{evil}":"{evil}*"}},"StringEquals":{{"a:{evil}":"{evil}*"}}}}}}]}}"#
    );
    for kind in Kind::ALL {
        let options = Options {
            kind: Some(kind),
            class: Some(Class::View),
            needs: None,
        };
        for finding in lint(&text, &options).findings {
            let name = finding.statement.as_ref().map(ToString::to_string);
            let shown = format!(
                "{}{}{}",
                finding.what,
                finding.fix(),
                name.unwrap_or_default()
            );
            assert!(!shown.contains(['\u{1b}', '\u{202e}']), "{shown:?}");
        }
    }
}

proptest::proptest! {
    #[test]
    fn no_text_is_too_strange(text in "[\\[\\]{}:,\"a-zA-Z*?$]{0,80}") {
        let _findings = lint(&text, &Options::default());
    }
}
