//! Every mistake with its place, what was expected and the nearest name; all of them at once.
//!
//! Golden files: `mistakes/NAME.toml` and the lines that it is answered with, `mistakes/NAME.txt`.

use super::*;

/// Policies that are not what they should be.
fn broken_policy(path: &Path) -> io::Result<String> {
    let text = match path.file_name().and_then(|name| name.to_str()) {
        Some("dev.json") => POLICY.to_owned(),
        Some("key.json") => POLICY.replace("Effect", "Efect"),
        Some("twice.json") => POLICY.replace("\"Action\"", "\"Effect\""),
        Some("cut.json") => POLICY.replace("}] }", ""),
        Some("empty.json") => String::new(),
        _ => return Err(io::Error::from(io::ErrorKind::NotFound)),
    };
    Ok(text)
}

fn check(reports: &[Report], expected: &str) {
    let answer = lines(reports).join("\n") + "\n";
    assert!(
        answer == expected,
        "\n--- answer\n{answer}--- expected\n{expected}"
    );
}

macro_rules! golden {
    ($($name:ident)+) => {$(
        #[test]
        fn $name() {
            let text = include_str!(concat!("mistakes/", stringify!($name), ".toml"));
            let path = Path::new("/etc/jumpgate/config.toml");
            let errors = parse(text, path, &broken_policy).expect_err("there are mistakes");
            check(errors.reports(), include_str!(concat!("mistakes/", stringify!($name), ".txt")));
        }
    )+};
}

golden! {
    agent
    chains
    identities
    one_identity
    policies
    roles
    scope
    serves
    syntax
    types
    unknown_keys
}

#[test]
fn doubts_do_not_stand_in_the_way() {
    let config = valid(include_str!("mistakes/warnings.toml"));
    check(&config.warnings, include_str!("mistakes/warnings.txt"));
}

#[test]
fn a_fault_in_the_toml_does_not_hide_the_others() {
    let text = WHOLE
        .replace("\"36h\"", "36h")
        .replace("\"jump\"", "\"jmp\"");
    let found = mistakes_in(&text.replace("exe =", "exec ="));
    assert_eq!(found.len(), 3, "{found:#?}");
}

#[test]
fn places_count_characters() {
    let found = mistakes_in("version = 1\nprofile.'ä'.'ö' = 'ü'");
    assert!(
        found.iter().any(|line| line.starts_with("2:13: ")),
        "{found:#?}"
    );
}
