//! Every maximum, at its edge.

use std::fmt::Write;

use super::*;
use crate::domain::settings::MAX_CHAIN;

const HEAD: &str =
    "version = 1\n[identity.jump]\nkind = \"iam-user\"\naccount = \"111111111111\"\n";

/// A profile `dev` with these lines more.
fn of_profile(more: &str) -> String {
    format!("{HEAD}[profile.dev]\nrole_arn = \"arn:aws:iam::222222222222:role/Dev\"\n{more}\n")
}

/// So many things, one behind the other.
fn many(count: usize, thing: impl Fn(usize) -> String) -> String {
    (0..count).map(thing).collect()
}

/// The text of the most that is legal loads; with one more there is one report, which says how many are.
fn edge(most: usize, text: impl Fn(usize) -> String) {
    valid(&text(most));
    let mistakes = mistakes_in(&text(most + 1));
    assert_eq!(mistakes.len(), 1, "{mistakes:#?}");
    assert!(
        mistakes[0].contains(&format!("at most {most}")),
        "{mistakes:#?}"
    );
}

#[test]
fn identities() {
    edge(MAX_IDENTITIES, |count| {
        let one = |n| format!("[identity.i{n}]\nkind = \"iam-user\"\naccount = \"111111111111\"\n");
        format!("version = 1\n{}", many(count, one))
    });
}

#[test]
fn profiles() {
    edge(MAX_PROFILES, |count| {
        let one = |n| format!("profile.p{n}.role_arn = \"arn:aws:iam::222222222222:role/R\"\n");
        let head =
            "version = 1\nidentity.j = { kind = \"iam-user\", account = \"111111111111\" }\n";
        format!("{head}{}", many(count, one))
    });
}

#[test]
fn standing_endpoints() {
    edge(MAX_SERVES, |count| {
        let one = |n| {
            let port = 4_100 + n;
            format!("serve.s{n} = {{ profile = \"dev\", kind = \"container\", port = {port} }}\n")
        };
        // Keys of the top level stand before the first table.
        let serves = many(count, one);
        of_profile("").replacen('\n', &format!("\n{serves}"), 1)
    });
}

#[test]
fn ports_of_standing_endpoints() {
    for (port, legal) in [
        (1_023, false),
        (1_024, true),
        (65_535, true),
        (65_536, false),
    ] {
        let section = format!("[serve.s]\nprofile = \"dev\"\nkind = \"imds\"\nport = {port}\n");
        let found = parsed(&of_profile(&section));
        assert_eq!(found.is_ok(), legal, "{port}");
    }
}

#[test]
fn accounts() {
    edge(MAX_ACCOUNTS, |count| {
        format!(
            "version = 1\n[accounts]\n{}",
            many(count, |n| format!("a{n} = \"{n:012}\"\n"))
        )
    });
}

#[test]
fn tags() {
    edge(MAX_TAGS, |count| {
        of_profile(&format!(
            "[profile.dev.tags]\n{}",
            many(count, |n| format!("T{n} = \"\"\n"))
        ))
    });
}

#[test]
fn tags_that_an_ask_may_add() {
    edge(MAX_TAGS, |count| {
        of_profile(&format!(
            "narrow.tags = [{}]",
            many(count, |n| format!("\"T{n}\","))
        ))
    });
}

#[test]
fn policy_arns() {
    edge(MAX_POLICY_ARNS, |count| {
        let one = |n| format!("\"arn:aws:iam::aws:policy/P{n}\",");
        of_profile(&format!("policy_arns = [{}]", many(count, one)))
    });
}

#[test]
fn peers() {
    edge(MAX_PEERS, |count| {
        of_profile(&format!(
            "peers = [{}]",
            many(count, |n| format!("{{ exe = \"/{n}\" }},"))
        ))
    });
}

#[test]
fn words_of_a_command() {
    edge(MAX_ARGV, |count| {
        let words = many(count, |n| format!("\"w{n}\","));
        format!("{HEAD}mfa_serial = \"GAHT12345678\"\nmfa_command = [{words}]\n")
    });
}

#[test]
fn bytes_of_a_commands_word() {
    let text = |size| {
        let word = "w".repeat(size);
        format!("{HEAD}store = \"file\"\npassphrase_command = [\"cat\", \"{word}\"]\n")
    };
    valid(&text(MAX_WORD));
    assert_eq!(
        mistakes_in(&text(MAX_WORD + 1)),
        [
            "6:30: identity.jump.passphrase_command[1]: has 4097 bytes (expected at most 4096 bytes without NUL)"
        ]
    );
}

#[test]
fn bytes_of_an_executables_path() {
    let text = |size| {
        of_profile(&format!(
            "peers = [{{ exe = \"/{}\" }}]",
            "x".repeat(size - 1)
        ))
    };
    valid(&text(MAX_WORD));
    assert_eq!(mistakes_in(&text(MAX_WORD + 1)).len(), 1);
}

#[test]
fn profiles_of_a_chain() {
    edge(MAX_CHAIN, |count| {
        let mut text = HEAD.to_owned();
        for n in 1..=count {
            let role = "role_arn = \"arn:aws:iam::222222222222:role/R\"";
            writeln!(text, "[profile.p{n}]\n{role}").unwrap();
            if n < count {
                writeln!(text, "via = \"p{}\"", n + 1).unwrap();
            }
        }
        text
    });
}

#[test]
fn characters_of_a_policy_are_a_doubt_only() {
    let text = |size: usize| {
        let resource = format!("arn:aws:s3:::{}", "x".repeat(size - 98));
        let statement = format!(r#"{{"Effect":"Allow","Action":"s3:*","Resource":"{resource}"}}"#);
        let policy = format!(r#"{{"Version":"2012-10-17","Statement":{statement}}}"#);
        assert_eq!(policy.chars().count(), size);
        of_profile(&format!("policy = '{policy}'"))
    };
    assert_eq!(valid(&text(2_048)).warnings, []);
    let config = valid(&text(2_049));
    assert!(
        lines(&config.warnings)[0].contains("2049 characters"),
        "{:?}",
        config.warnings
    );
}

#[test]
fn durations_at_their_bounds() {
    for (key, bounds) in [
        ("idle_lock", ["1m", "24h"]),
        ("max_unlock", ["5m", "36h"]),
        ("prompt_wait", ["1s", "10m"]),
        ("journal_keep", ["1d", "3650d"]),
    ] {
        for bound in bounds {
            valid(&format!("version = 1\nagent.{key} = \"{bound}\""));
        }
    }
    for bound in ["15m", "12h"] {
        valid(&of_profile(&format!("duration = \"{bound}\"")));
    }
    for bound in ["1d", "3650d", "never"] {
        valid(&format!("{HEAD}rotate_after = \"{bound}\""));
    }
    for bound in ["15m", "36h"] {
        valid(&format!(
            "{HEAD}mfa_serial = \"GAHT12345678\"\nmfa_session = \"{bound}\""
        ));
    }
}
