//! Every message against its golden file, every code against its standing.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::*;

/// Each message is written and read back against `golden/NAME.json`, byte for byte.
/// `JUMPGATE_BLESS=1` writes the files anew; a reviewer sees the difference.
fn golden<T>(name: &str, value: &T)
where
    T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("golden")
        .join(format!("{name}.json"));
    let text = serde_json::to_string_pretty(value).unwrap() + "\n";
    if std::env::var_os("JUMPGATE_BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text, kept, "{name}: the message changed; it is a contract");
    assert_eq!(&serde_json::from_str::<T>(&kept).unwrap(), value, "{name}");
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(1_795_305_600 + seconds)
}

const TOO_LONG: &str =
    "the policy asked for has 2049 characters when minified, and AWS may refuse more than 2048";

/// A key whose rotation waits for the end of its grace.
fn key() -> KeyStatus {
    KeyStatus {
        access_key_id: "AKIAEXAMPLENEXT".into(),
        since: Some(at(0)),
        phase: Some("retiring".into()),
        other_access_key_id: Some("AKIAEXAMPLE".into()),
        delete_at: Some(at(86_400)),
    }
}

#[test]
fn golden_credentials() {
    golden(
        "credentials_request",
        &CredentialsRequest {
            profile: "dev".into(),
            interface: Interface::Process,
            narrow: Narrow {
                policy: Some("{\"Version\":\"2012-10-17\",\"Statement\":[]}".into()),
                tags: BTreeMap::from([("Ticket".into(), "OPS-1".into())]),
                duration_seconds: Some(900),
                reason: Some("look at the queue".into()),
                ticket: Some("OPS-1".into()),
            },
        },
    );
    golden(
        "credentials_reply",
        &CredentialsReply {
            access_key_id: "ASIAEXAMPLE".into(),
            secret_access_key: "secret".into(),
            session_token: "token".into(),
            expires_at: at(3600),
            account_id: "222222222222".into(),
            role_arn: "arn:aws:iam::222222222222:role/Developer".into(),
            region: Some("ap-northeast-1".into()),
            session: "01KAN0000000000000000000S1".into(),
            lease: "01KAN0000000000000000000L1".into(),
            warnings: vec![TOO_LONG.into()],
        },
    );
}

#[test]
fn golden_endpoints() {
    golden(
        "endpoint_request",
        &EndpointRequest {
            profile: "dev".into(),
            kind: EndpointKind::Container,
            narrow: Narrow {
                duration_seconds: Some(900),
                ..Narrow::default()
            },
            until_exit: true,
        },
    );
    golden(
        "endpoint_reply",
        &EndpointReply {
            lease: "01KAN0000000000000000000L1".into(),
            profile: "dev".into(),
            kind: EndpointKind::Container,
            url: "http://127.0.0.1:41234/v1/01KAN0000000000000000000L1".into(),
            token: Some("token".into()),
            token_file: Some("/run/user/1000/jumpgate/tokens/01KAN0000000000000000000L1".into()),
            region: Some("ap-northeast-1".into()),
            role_arn: "arn:aws:iam::222222222222:role/Developer".into(),
            warnings: vec![TOO_LONG.into()],
        },
    );
}

#[test]
fn golden_unlock_and_lock() {
    golden(
        "unlock_request",
        &UnlockRequest {
            identity: Some("jump".into()),
            passphrase: Some("correct horse".into()),
            mfa_code: Some("123456".into()),
        },
    );
    golden(
        "unlock_reply",
        &UnlockReply {
            identity: "jump".into(),
            unlocked_until: Some(at(43_200)),
            mfa_until: Some(at(28_800)),
        },
    );
    golden(
        "lock_reply",
        &LockReply {
            identities: 1,
            sessions: 3,
        },
    );
}

#[test]
fn golden_status() {
    golden(
        "status",
        &Status {
            version: "0.1.0".into(),
            pid: 4242,
            uptime_seconds: 61,
            config_path: "/home/alice/.config/jumpgate/config.toml".into(),
            config_error: None,
            locked: false,
            memory_locked: true,
            identities: vec![IdentityStatus {
                name: "jump".into(),
                kind: "iam-user".into(),
                state: IdentityState::Unlocked,
                unlocked_until: Some(at(43_200)),
                mfa_until: Some(at(28_800)),
                key: Some(key()),
            }],
            sessions: vec![SessionStatus {
                profile: "dev".into(),
                role_arn: "arn:aws:iam::222222222222:role/Developer".into(),
                expires_at: at(3600),
                session: "01KAN0000000000000000000S1".into(),
                chained: false,
                packed_policy_percent: Some(12),
                token_bytes: 912,
                token_percent: Some(22),
            }],
            leases: 2,
            endpoints: vec![
                EndpointStatus {
                    profile: "dev".into(),
                    kind: "imds".into(),
                    url: "http://127.0.0.1:4101".into(),
                    serve: Some("build".into()),
                    failure: Some(
                        "port 4101 of 127.0.0.1 is taken by another user (uid 65534)".into(),
                    ),
                },
                EndpointStatus {
                    profile: "dev".into(),
                    kind: "container".into(),
                    url: "http://127.0.0.1:41234/v1/01KAN0000000000000000000L1".into(),
                    serve: None,
                    failure: None,
                },
            ],
            sts: StsStatus {
                calls: 3,
                failures: 1,
                skew_seconds: Some(-2),
            },
            journal: JournalStatus {
                path: "/home/alice/.local/state/jumpgate/journal".into(),
                records: 7,
                healthy: true,
            },
            notes: vec!["profile deep: 12h is capped at 1h by role chaining".into()],
        },
    );
}

#[test]
fn golden_profiles() {
    let summary = ProfileSummary {
        name: "dev".into(),
        identity: "jump".into(),
        role_arn: "arn:aws:iam::222222222222:role/Developer".into(),
        duration_seconds: 3600,
        via: None,
        scoped: true,
    };
    golden(
        "profile_list",
        &ProfileList {
            profiles: vec![summary.clone()],
        },
    );
    golden(
        "profile_detail",
        &ProfileDetail {
            summary,
            region: Some("ap-northeast-1".into()),
            external_id: None,
            session_name: "{user}-{session}".into(),
            source_identity: Some("{user}".into()),
            preset: Some(PresetUse {
                name: "ssm".into(),
                parameters: BTreeMap::from([(
                    "tag_values".into(),
                    vec!["develop".into(), "test".into()],
                )]),
            }),
            policy: Some("{\"Version\":\"2012-10-17\",\"Statement\":[]}".into()),
            policy_characters: Some(40),
            policy_arns: vec!["arn:aws:iam::aws:policy/job-function/ViewOnlyAccess".into()],
            tags: BTreeMap::from([("DoiTEnvironment".into(), "{account_id}".into())]),
            transitive_tags: vec!["DoiTEnvironment".into()],
            require: vec!["ticket".into()],
            narrow: vec!["policy".into(), "duration".into(), "tag:Ticket".into()],
            scope_down: Some("sts".into()),
            peers: vec![
                "/usr/bin/terraform".into(),
                "ancestor \"/opt/tool/bin/tool\": preset view-only, at most 15m".into(),
            ],
            notes: vec![],
        },
    );
}

#[test]
fn golden_leases() {
    golden(
        "lease_list",
        &LeaseList {
            leases: vec![LeaseStatus {
                id: "01KAN0000000000000000000L1".into(),
                profile: "dev".into(),
                role_arn: "arn:aws:iam::222222222222:role/Developer".into(),
                session: "01KAN0000000000000000000S1".into(),
                interface: Interface::Process,
                pid: 4711,
                executable: Some("/usr/local/bin/jumpgate".into()),
                rule: Some("profile.dev.peers[0] (parent \"/usr/bin/terraform\")".into()),
                issued_at: at(0),
                expires_at: at(3600),
            }],
        },
    );
    golden(
        "lease_ended",
        &LeaseEnded {
            id: "01KAN0000000000000000000L1".into(),
            valid_until: at(3600),
        },
    );
}

#[test]
fn golden_identities() {
    golden(
        "identity_list",
        &IdentityList {
            identities: vec![IdentitySummary {
                name: "jump".into(),
                kind: "iam-user".into(),
                account_id: "111111111111".into(),
                store: "keyring".into(),
                mfa_serial: Some("arn:aws:iam::111111111111:mfa/alice".into()),
                state: IdentityState::Locked,
                key: None,
            }],
        },
    );
    golden(
        "identity_add_request",
        &IdentityAddRequest {
            access_key_id: "AKIAEXAMPLE".into(),
            secret_access_key: "secret".into(),
            passphrase: Some("correct horse".into()),
            totp_seed: Some("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ".into()),
        },
    );
    golden(
        "identity_reply",
        &IdentityReply {
            name: "jump".into(),
            arn: "arn:aws:iam::111111111111:user/alice".into(),
            account_id: "111111111111".into(),
            store: "keyring".into(),
        },
    );
    golden(
        "rotate_request",
        &RotateRequest {
            aim: RotateAim::Begin,
            grace_seconds: Some(86_400),
            passphrase: Some("correct horse".into()),
            mfa_code: Some("123456".into()),
        },
    );
    golden(
        "rotate_reply",
        &RotateReply {
            name: "jump".into(),
            key: key(),
        },
    );
    golden(
        "identity_removed",
        &IdentityRemoved {
            name: "jump".into(),
        },
    );
}

#[test]
fn golden_journal_reload_stop() {
    golden(
        "journal_report",
        &JournalReport {
            files: vec!["/home/alice/.local/state/jumpgate/journal/audit-20261121-1.jsonl".into()],
            records: 41,
            head: Some("ab".repeat(32)),
            damage: vec![JournalDamage {
                file: "/home/alice/.local/state/jumpgate/journal/audit-20261121-1.jsonl".into(),
                line: 17,
                what: "the hash does not fit the record".into(),
            }],
            notes: vec![],
        },
    );
    golden(
        "reload_reply",
        &ReloadReply {
            config_path: "/home/alice/.config/jumpgate/config.toml".into(),
            profiles: 20,
            identities: 1,
            warnings: vec![],
        },
    );
    golden("stop_reply", &StopReply { pid: 4242 });
}

#[test]
fn golden_problem() {
    let mut problem = Problem::new(Code::InteractionRequired, "identity jump needs an MFA code")
        .with_hint("run: jumpgate unlock jump");
    problem.request_id = "01KAN0000000000000000000R1".into();
    problem.needs = vec![
        Need::Passphrase {
            identity: "jump".into(),
        },
        Need::MfaCode {
            identity: "jump".into(),
            serial: "arn:aws:iam::111111111111:mfa/alice".into(),
        },
    ];
    golden("problem", &problem);
}

#[test]
fn every_code_has_one_text() {
    let mut texts: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
    texts.sort_unstable();
    texts.dedup();
    assert_eq!(texts.len(), Code::ALL.len());
    for code in Code::ALL {
        assert_eq!(serde_json::to_string(code).unwrap(), format!("\"{code}\""));
        assert!((400..600).contains(&code.http_status()), "{code}");
    }
}

#[test]
fn a_secret_is_not_shown() {
    let reply = Secret::new(String::from("canary"));
    assert_eq!(format!("{reply:?}"), "Secret(redacted)");
    let request = UnlockRequest {
        mfa_code: Some("canary".into()),
        ..Default::default()
    };
    assert!(!format!("{request:?}").contains("canary"));
}

#[test]
fn unknown_fields_in_requests_are_refused() {
    for text in [
        r#"{"profile":"dev","interface":"process","extra":1}"#,
        r#"{"profile":"dev","interface":"process","narrow":{"role":"x"}}"#,
        r#"{"profile":"dev","interface":"carrier-pigeon"}"#,
    ] {
        assert!(
            serde_json::from_str::<CredentialsRequest>(text).is_err(),
            "{text}"
        );
    }
}

#[test]
fn timestamps_read_and_write() {
    for (millis, text) in [
        (0, "1970-01-01T00:00:00Z"),
        (951_782_400_000, "2000-02-29T00:00:00Z"),
        (1_709_251_199_999, "2024-02-29T23:59:59Z"),
        (4_107_542_400_000, "2100-03-01T00:00:00Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59Z"),
    ] {
        let stamp = Timestamp::from_unix_millis(millis);
        assert_eq!(stamp.to_string(), text);
        assert_eq!(
            text.parse::<Timestamp>().unwrap().unix_millis(),
            millis / 1000 * 1000
        );
        assert_eq!(stamp.with_millis().parse::<Timestamp>().unwrap(), stamp);
    }
    for day in 0..(130 * 366) {
        let stamp = Timestamp::from_unix_seconds(day * 86_400 + 43_261);
        assert_eq!(stamp.to_string().parse::<Timestamp>().unwrap(), stamp);
    }
}

#[test]
fn bad_timestamps_are_refused() {
    for text in [
        "",
        "Z",
        "2026-11-21T00:00:00",
        "2026-11-21T00:00:00+00:00",
        "2026-11-21 00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-11-21T24:00:00Z",
        "2026-11-21T00:00:60Z",
        "2026-11-21T00:00:00.Z",
        "2026-11-21T00:00:00.x1Z",
        "2026-11-21T00:00:00.1234567890Z",
        "+026-11-21T00:00:00Z",
        "２０２６-11-21T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "é26-11-21T00:00:0éZ",
        "202é11-21T00:00:00Z",
    ] {
        assert_eq!(text.parse::<Timestamp>(), Err(TimestampError), "{text}");
    }
}

#[test]
fn timestamps_do_not_overflow() {
    let last = Timestamp::from_unix_millis(i64::MAX);
    assert_eq!(last.to_string(), "9999-12-31T23:59:59Z");
    assert_eq!(last.plus(Duration::from_secs(u64::MAX)), last);
    assert_eq!(
        Timestamp::from_unix_millis(-1).to_string(),
        "1970-01-01T00:00:00Z"
    );
    assert_eq!(at(0).since(at(1)), Duration::ZERO);
}

#[test]
fn path_segments_round_trip() {
    for text in ["dev", "a/b", "ünïcode", "a%2Fb", "", "x y?#"] {
        let segment = path_segment(text);
        assert!(
            segment
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && byte != b'/'),
            "{segment}"
        );
        assert_eq!(from_path_segment(&segment).as_deref(), Some(text));
    }
    for broken in ["%", "%2", "%zz", "%+1", "%ff"] {
        assert_eq!(from_path_segment(broken), None, "{broken}");
    }
}

#[test]
fn golden_presets() {
    golden(
        "preset_list",
        &PresetList {
            presets: vec![PresetDetail {
                name: "ssm".into(),
                allows: "Starts sessions.".into(),
                policy_arns: vec!["arn:aws:iam::aws:policy/SecurityAudit".into()],
                policy: "{\"Version\":\"2012-10-17\",\"Statement\":[]}".into(),
                policy_characters: Some(41),
                parameters: vec![PresetParameter {
                    name: "document".into(),
                    about: "The session document".into(),
                    expected: "one name".into(),
                    default: Some("SSM-SessionManagerRunShell".into()),
                }],
            }],
        },
    );
}
