//! Which lines of the AWS CLI's files win over an endpoint.

#![allow(clippy::unwrap_used)]

use EndpointKind::{Container, Imds};

use super::*;

#[test]
fn sources_of_the_default_profile_are_found_with_their_line() {
    let cases = [
        ("", None),
        ("[default]\n", None),
        ("[default]\nregion = eu-central-1\n", None),
        (
            "# top\n\n[default]\naws_access_key_id = AKIA\naws_secret_access_key = s\n",
            Some((4, "aws_access_key_id")),
        ),
        (
            "[default]\r\naws_access_key_id=AKIA\r\n",
            Some((2, "aws_access_key_id")),
        ),
        (
            " [ default ] ; mine\nAWS_Access_Key_ID=AKIA",
            Some((2, "aws_access_key_id")),
        ),
        (
            "[profile default]\ncredential_process = x",
            Some((2, "credential_process")),
        ),
        (
            "[profile  default]\nlogin_session = x",
            Some((2, "login_session")),
        ),
        (
            "[default]\nregion = x\nsso_session = x\n",
            Some((3, "sso_session")),
        ),
        ("[default]\nsso_start_url = x\n", Some((2, "sso_start_url"))),
        (
            "[default]\nsso_account_id = x\n",
            Some((2, "sso_account_id")),
        ),
        (
            "[default]\nweb_identity_token_file = x",
            Some((2, "web_identity_token_file")),
        ),
        (
            "[default]\nrole_arn = x\nsource_profile = y",
            Some((2, "role_arn")),
        ),
        // Another profile's, a comment, a part of another key, a key that only begins so.
        ("[dev]\naws_access_key_id = AKIA\n", None),
        (
            "[profile dev]\naws_access_key_id = AKIA\n[default]\nregion = x\n",
            None,
        ),
        ("[default]\n[dev]\naws_access_key_id = AKIA\n", None),
        ("[profile a default]\naws_access_key_id = AKIA\n", None),
        ("[sso-session default]\nsso_start_url = x\n", None),
        ("aws_access_key_id = AKIA\n[default]\n", None),
        (
            "[default]\n#aws_access_key_id = AKIA\n; role_arn = x\n",
            None,
        ),
        ("[default]\ns3 =\n  role_arn = x\n\trole_arn = x\n", None),
        ("[default]\naws_access_key_id_old = AKIA\n", None),
        ("[default]\naws_access_key_id\n", None),
        // A section may come twice.
        (
            "[default]\na=b\n[x]\n[default]\nrole_arn=x\n",
            Some((5, "role_arn")),
        ),
        ("[default\nrole_arn=x\n", Some((2, "role_arn"))),
        ("[\n]\n=\n==\n[default]\n=\n", None),
    ];
    for (text, expected) in cases {
        assert_eq!(in_default(text.as_bytes(), Container), expected, "{text:?}");
        assert_eq!(in_default(text.as_bytes(), Imds), expected, "{text:?}");
    }
}

#[test]
fn bytes_of_any_encoding_are_read_past() {
    let text = b"# M\xfcller\n[\xff]\n\xff=\xfe\n[default]\n\xff=\xfe\nrole_arn=\xff\n";
    assert_eq!(in_default(text, Container), Some((6, "role_arn")));
}

#[test]
fn a_role_assumed_with_our_session_does_not_win_over_us() {
    let text = |source: &str| format!("[default]\nrole_arn = x\ncredential_source = {source}\n");
    let wins = Some((2, "role_arn"));
    for (source, kind, expected) in [
        ("EcsContainer", Container, None),
        ("EcsContainer", Imds, wins),
        ("Ec2InstanceMetadata", Imds, None),
        ("Ec2InstanceMetadata", Container, wins),
        ("Environment", Container, wins),
    ] {
        assert_eq!(
            in_default(text(source).as_bytes(), kind),
            expected,
            "{source}"
        );
    }
}

#[test]
fn a_file_is_read_up_to_its_maximum_and_a_pipe_is_left_alone() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("credentials");
    let of = |size: u64| "#".repeat(usize::try_from(size).unwrap());
    std::fs::write(&file, of(MAX_FILE_BYTES)).unwrap();
    let whole = content(&file).unwrap().unwrap();
    assert_eq!(whole.len() as u64, MAX_FILE_BYTES);
    assert_eq!(whole.capacity() as u64, MAX_FILE_BYTES + 1);
    std::fs::write(&file, of(MAX_FILE_BYTES + 1)).unwrap();
    assert_eq!(content(&file).unwrap(), None);
    let pipe = home.path().join("pipe");
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    assert_eq!(content(&pipe).unwrap().unwrap().as_slice(), b"");
    assert!(content(home.path()).unwrap().unwrap().is_empty());
    assert!(content(&home.path().join("none")).is_err());
}
