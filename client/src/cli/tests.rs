//! The command line as it is typed.

#![allow(clippy::unwrap_used)]

use super::*;

#[test]
fn only_the_plain_form_goes_past_the_parser() {
    let plain = |arguments: &[&str]| {
        let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        plain_credential_process(&arguments).map(str::to_owned)
    };
    assert_eq!(
        plain(&["jumpgate", "credential-process", "dev"]).as_deref(),
        Some("dev")
    );
    for other in [
        &["jumpgate", "credential-process"][..],
        &["jumpgate", "credential-process", ""],
        &["jumpgate", "credential-process", "--help"],
        &["jumpgate", "credential-process", "-h"],
        &["jumpgate", "credential-process", "dev", "--reason=x"],
        &["jumpgate", "export", "dev"],
        &["jumpgate"],
        &[],
    ] {
        assert_eq!(plain(other), None, "{other:?}");
    }
}

#[test]
fn the_configuration_is_where_the_contract_says() {
    let path = |text: &str| (!text.is_empty()).then(|| PathBuf::from(text));
    let cases = [
        ("/c.toml", "/xdg", "/h", Some("/c.toml")),
        ("", "/xdg", "/h", Some("/xdg/jumpgate/config.toml")),
        ("", "", "/h", Some("/h/.config/jumpgate/config.toml")),
        ("", "", "", None),
    ];
    for (config, config_home, home, expected) in cases {
        let environment = Environment {
            config: path(config),
            config_home: path(config_home),
            home: path(home),
            ..Environment::default()
        };
        assert_eq!(environment.config_file(), expected.map(PathBuf::from));
    }
}

#[test]
fn the_depth_of_exec_is_a_number_or_nothing() {
    for (text, expected) in [
        (None, 0),
        (Some("0"), 0),
        (Some("7"), 7),
        (Some("255"), 255),
        (Some("256"), 0),
        (Some("-1"), 0),
        (Some("x"), 0),
        (Some(""), 0),
    ] {
        assert_eq!(depth(text), expected, "{text:?}");
    }
}

#[test]
fn programs_are_looked_for_beside_us_and_on_the_absolute_part_of_path() {
    let environment = Environment {
        executable: Some(PathBuf::from("/opt/bin/jumpgate")),
        path: OsString::from(".:/usr/bin::bin:/bin"),
        ..Environment::default()
    };
    let directories: Vec<PathBuf> = environment.program_directories().collect();
    assert_eq!(
        directories,
        ["/opt/bin", "/usr/bin", "/bin"].map(PathBuf::from)
    );
}
