#![allow(clippy::unwrap_used)]

use clap::CommandFactory;

use super::*;

#[test]
fn the_command_tree_is_sound() {
    CommandLine::command().debug_assert();
}

#[test]
fn only_the_plain_form_goes_past_clap() {
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
fn durations() {
    let cases = [
        ("900s", Some(900)),
        ("15m", Some(900)),
        ("1h", Some(3600)),
        ("12h", Some(43_200)),
        ("43200s", Some(43_200)),
        ("899s", None),
        ("43201s", None),
        ("13h", None),
        ("900", None),
        ("h", None),
        ("+1h", None),
        ("1 h", None),
        ("1d", None),
        ("1.5h", None),
        ("4294967296s", None),
        ("4294967295h", None),
        ("1é", None),
        ("", None),
    ];
    for (text, expected) in cases {
        assert_eq!(duration_seconds(text).ok(), expected, "{text}");
    }
}

#[test]
fn tags() {
    let pair = |key: &str, value: &str| Some((key.to_owned(), value.to_owned()));
    assert_eq!(tag("Ticket=OPS-1").ok(), pair("Ticket", "OPS-1"));
    assert_eq!(tag("K=a=b").ok(), pair("K", "a=b"));
    assert_eq!(tag("K=").ok(), pair("K", ""));
    assert_eq!(tag("=v").ok(), None);
    assert_eq!(tag("K").ok(), None);
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
