//! Rules of `peers`: what they leave of a profile, and what is refused when the configuration is read.

use super::*;

/// A profile with these lines.
fn of_profile(lines: &str) -> String {
    format!(
        "version = 1\n[identity.jump]\nkind = \"iam-user\"\naccount = \"111111111111\"\n\
         [profile.dev]\nrole_arn = \"arn:aws:iam::222222222222:role/Developer\"\n{lines}\n"
    )
}

const READ: &str = r#"'{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}]}'"#;

/// Allowed under a condition that cannot be negated whole.
const CONDITIONED: &str = r#"'{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:Get*","s3:GetObject"],"Resource":"*","Condition":{"StringLike":{"aws:PrincipalTag/a":"b","aws:PrincipalTag/c":"d"},"Bool":{"aws:SecureTransport":"true"}}},{"Effect":"Allow","Action":"s3:*Object","Resource":"arn:aws:s3:::b/*"}]}'"#;

fn rules_of(lines: &str) -> Vec<crate::domain::rule::PeerRule> {
    let config = valid(&of_profile(lines));
    let profile = config.settings.profiles.values().next().unwrap();
    profile.peers.clone()
}

#[test]
fn a_rules_policy_becomes_the_profiles_or_denies_within_it() {
    let rules = rules_of(&format!(
        "peers = [{{ ancestor = \"/opt/tool\", policy = {READ}, duration = \"15m\" }}, {{ any = true }}]"
    ));
    let bounded = rules[0].bounded.as_ref().unwrap();
    let policy = bounded.policy.as_ref().unwrap().minified();
    assert!(policy.contains("\"Allow\""), "{policy}");
    assert_eq!(
        (bounded.duration.seconds(), bounded.require.confirm),
        (900, false)
    );
    assert!(rules[1].bounded.is_none() && rules[1].criteria.is_any());

    let own = r#"'{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'"#;
    let rules = rules_of(&format!(
        "policy = {own}\npeers = [{{ exe = \"/a\", policy = {READ} }}]"
    ));
    let within = rules[0]
        .bounded
        .as_ref()
        .unwrap()
        .policy
        .as_ref()
        .unwrap()
        .minified();
    assert!(
        within.contains("s3:*") && within.contains("\"Deny\""),
        "{within}"
    );
}

#[test]
fn a_rules_preset_is_three_lines() {
    let rules = rules_of(
        "peers = [\n  { ancestor = \"/opt/tool/bin/tool\", policy = { preset = \"view-only\" } },\n  { any = true },\n]",
    );
    assert!(rules[0].bounded.as_ref().unwrap().is_scoped());
}

#[test]
fn what_would_be_a_slip_is_refused_with_its_place() {
    for (peers, place, said) in [
        ("{}", "peers[0]", "of no process"),
        (
            "{ any = true, exe = \"/a\" }",
            "peers[0].any",
            "all processes",
        ),
        ("{ any = false }", "peers[0].any", "all processes"),
        (
            "{ exe = \"/a\" }, { exe = \"/a\" }",
            "peers[1]",
            "the same processes",
        ),
        ("{ unit = \"ci\" }", "peers[0].unit", "no unit"),
        ("{ unit = \"user.slice\" }", "peers[0].unit", "no unit"),
        ("{ cgroup = \"/\" }", "peers[0].cgroup", "no cgroup"),
        ("{ parent = \"sh\" }", "peers[0].parent", "no absolute path"),
        (
            "{ any = true, duration = \"2h\" }",
            "peers[0].duration",
            "only shortens",
        ),
        (
            "{ any = true, duration = \"5m\" }",
            "peers[0].duration",
            "no duration",
        ),
        (
            "{ any = true, confirm = 1 }",
            "peers[0].confirm",
            "a number",
        ),
    ] {
        let found = mistakes_in(&of_profile(&format!("peers = [{peers}]")));
        let [one] = found.as_slice() else {
            panic!("{peers}: {found:#?}")
        };
        assert!(one.contains(place) && one.contains(said), "{peers}: {one}");
    }
}

#[test]
fn a_rule_that_cannot_be_put_exactly_is_a_mistake_of_the_file() {
    let lines = format!("policy = {READ}\npeers = [{{ any = true, policy = {CONDITIONED} }}]");
    let found = mistakes_in(&of_profile(&lines));
    assert!(
        found
            .iter()
            .any(|one| one.contains("peers[0].policy") && one.contains("denies")),
        "{found:#?}"
    );
    let arns = "policy_arns = [\"arn:aws:iam::aws:policy/ReadOnlyAccess\"]";
    let lines = format!("{arns}\npeers = [{{ any = true, policy = {{ preset = \"support\" }} }}]");
    let found = mistakes_in(&of_profile(&lines));
    assert!(
        found.iter().any(|one| one.contains("managed policies")),
        "{found:#?}"
    );
}
