//! Every mistake with its place, what was expected and the nearest name; all of them at once.

use super::*;

#[test]
fn an_unknown_key_at_every_level() {
    let text = r#"version = 1
verison = 2
[agent]
idle_lok = "1m"
[identity.jump]
kind = "iam-user"
account = "111111111111"
regoin = "us-east-1"
[profile.dev]
role_arn = "arn:aws:iam::222222222222:role/Dev"
foo = 1
narrow = { tag = [] }
peers = [{ exe = "/bin/a", executable = "/bin/b" }]
"#;
    let keys = "one of identity, role_arn, account, role, via, region, duration, external_id, \
                session_name, source_identity, policy, policy_arns, tags, transitive_tags, require, narrow, peers";
    assert_eq!(
        mistakes_in(text),
        [
            r#"2:1: verison: "verison" is no key of the configuration (did you mean "version"?)"#,
            r#"4:1: agent.idle_lok: "idle_lok" is no key of [agent] (did you mean "idle_lock"?)"#,
            r#"8:1: identity.jump.regoin: "regoin" is no key of [identity.jump] (did you mean "region"?)"#,
            &format!(
                r#"11:1: profile.dev.foo: "foo" is no key of [profile.dev] (expected {keys})"#
            ),
            r#"12:12: profile.dev.narrow.tag: "tag" is no key of [profile.dev.narrow] (did you mean "tags"?)"#,
            r#"13:28: profile.dev.peers[0].executable: "executable" is no key of [profile.dev.peers[0]] (expected one of exe)"#,
        ]
    );
}
