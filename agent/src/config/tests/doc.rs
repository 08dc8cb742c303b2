//! `docs/configuration.md` and the reader are in step: every key, every limit, every example.

use super::*;
use crate::config::raw;
use crate::domain::settings::MAX_CHAIN;
use crate::domain::template::{MAX_TEMPLATE, Variable};

const DOC: &str = include_str!("../../../../docs/configuration.md");

/// The text beneath a heading.
fn section(heading: &str) -> &'static str {
    let start = DOC.find(&format!("\n{heading}\n"));
    let rest = &DOC[start.unwrap_or_else(|| panic!("{heading}")) + heading.len() + 1..];
    rest.split("\n#").next().unwrap()
}

/// The first cells of the tables beneath a heading, without the tables' own headings.
fn first_cells(heading: &str) -> Vec<&'static str> {
    let rows = section(heading)
        .lines()
        .filter_map(|line| line.strip_prefix("| "));
    let cells = rows.filter_map(|row| row.split(" | ").next());
    cells.filter(|cell| cell.starts_with('`')).collect()
}

fn blocks() -> Vec<&'static str> {
    let blocks = DOC.split("```toml\n").skip(1);
    blocks
        .map(|rest| rest.split("```").next().unwrap())
        .collect()
}

#[test]
fn every_key_is_documented_and_no_other() {
    for (heading, keys) in [
        ("## Top level", raw::TOP_KEYS),
        ("## `[agent]`", raw::AGENT_KEYS),
        ("## `[identity.NAME]`", raw::IDENTITY_KEYS),
        ("## `[profile.NAME]`", raw::PROFILE_KEYS),
        ("### `narrow`", raw::NARROW_KEYS),
        ("### `peers`", raw::PEER_KEYS),
        ("## `[serve.NAME]`", raw::SERVE_KEYS),
    ] {
        let expected: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
        assert_eq!(first_cells(heading), expected, "{heading}");
    }
}

#[test]
fn every_variable_is_documented() {
    let variables = Variable::ALL.map(|variable| format!("`{{{}}}`", variable.as_str()));
    assert_eq!(first_cells("### Templates"), variables);
}

#[test]
fn every_example_is_valid_and_raises_no_doubt() {
    assert!(blocks().len() >= 5);
    for block in blocks() {
        let config = parsed(block).unwrap_or_else(|errors| panic!("{errors}\n{block}"));
        assert_eq!(config.warnings, [], "{block}");
    }
}

#[test]
fn the_examples_show_every_key() {
    let shown: String = blocks().concat();
    let keys = [
        raw::AGENT_KEYS,
        raw::IDENTITY_KEYS,
        raw::PROFILE_KEYS,
        raw::NARROW_KEYS,
        raw::SERVE_KEYS,
    ];
    for key in keys.concat() {
        // `mfa` is implied by `mfa_command`, and `role_arn` is in the first example.
        let is_shown = shown.contains(&format!("{key} ")) || key == "mfa";
        assert!(is_shown, "{key}");
    }
}

#[test]
fn the_defaults_are_the_documented_ones() {
    let spelled_out = blocks().into_iter().find(|block| block.contains("[agent]"));
    let config = valid(spelled_out.unwrap());
    assert_eq!(config.settings.agent, AgentSettings::default());
    let defaults = [
        format!("| `region` | string | `\"{DEFAULT_REGION}\"` |"),
        format!("| `session_name` | template | `\"{DEFAULT_SESSION_NAME}\"` |"),
        format!(
            "| `\"{}h\"` | How long one code serves",
            DEFAULT_MFA_SESSION / 3_600
        ),
        "| `duration` | duration | `\"1h\"` |".to_owned(),
        "| `store` | string | `\"keyring\"` |".to_owned(),
    ];
    for default in defaults {
        assert!(DOC.contains(&default), "{default}");
    }
    assert_eq!(
        blocks()[0],
        EXAMPLE,
        "the way to begin is the one that the agent shows"
    );
}

#[test]
fn the_limits_are_the_documented_ones() {
    let limits = [
        MAX_CONFIG_BYTES,
        MAX_JSON_BYTES,
        MAX_IDENTITIES,
        MAX_PROFILES,
        MAX_SERVES,
        MAX_ACCOUNTS,
        MAX_TAGS,
        MAX_POLICY_ARNS,
        MAX_PEERS,
        MAX_CHAIN,
        MAX_ARGV,
        MAX_WORD,
        MAX_TEMPLATE,
    ];
    let rows = section("## Limits")
        .lines()
        .filter_map(|line| line.strip_suffix(" |"));
    let documented: Vec<usize> = rows
        .filter_map(|row| row.rsplit(' ').next()?.parse().ok())
        .collect();
    assert_eq!(documented, limits);
}
