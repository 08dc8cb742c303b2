//! The record: every call, all its parameters, no secret. And the list of secrets is complete.

use crate::lab::{Lab, MFA, OPEN, TEAM, allow};
use jumpgate_tests::sts::{HIDDEN, StsDouble, World};

const PASSED: [(&str, &str); 6] = [
    ("TransitiveTagKeys.member.1", "Team"),
    ("ExternalId", "e-17"),
    ("SourceIdentity", "alice"),
    ("DurationSeconds", "1800"),
    (
        "PolicyArns.member.1.arn",
        "arn:aws:iam::aws:policy/ReadOnlyAccess",
    ),
    ("SerialNumber", MFA),
];

#[test]
fn a_call_is_recorded_with_all_its_parameters() {
    let bench = Lab { without: None }.plain();
    let policy = allow(r#""Action":"s3:GetObject","Resource":"*""#);
    let code = bench.double.totp_code(MFA);
    let more = [("Policy", policy.as_str()), ("TokenCode", code.as_str())];
    let reply = bench.assume(&bench.alice(), OPEN, &[&TEAM[..], &PASSED, &more].concat());
    assert_eq!(reply.outcome(), "200");
    let event = bench.double.events_of("AssumeRole").remove(0);
    for (name, value) in TEAM.iter().chain(&PASSED).chain(&more[..1]) {
        assert_eq!(event.parameter(name), Some(*value), "{name}");
    }
    assert_eq!(event.parameter("TokenCode"), Some(HIDDEN));
    assert_eq!(
        event.parameters.len(),
        TEAM.len() + PASSED.len() + more.len() + 2
    );
    assert_eq!(
        event.tags().into_iter().collect::<Vec<_>>(),
        [("Team".into(), "sre".into())]
    );
    assert_eq!(event.transitive_tag_keys(), ["Team"]);
    assert_eq!(
        event.policy_arns(),
        ["arn:aws:iam::aws:policy/ReadOnlyAccess"]
    );
    assert_eq!(
        event.caller_arn.as_deref(),
        Some("arn:aws:iam::111111111111:user/alice")
    );
    assert_eq!(event.access_key_id, Some(bench.alice().id));
    assert_eq!((event.region.as_str(), event.status), ("eu-west-1", 200));
    assert_eq!(reply.field("RequestId"), Some(event.request_id.clone()));
    let issued = event.issued.unwrap();
    assert_eq!(issued.access_key_id, reply.keys().id);
    assert_eq!(issued.expires - event.time, 1800);
    assert_eq!(
        issued.packed_policy_size.map(|p| p.to_string()),
        reply.field("PackedPolicySize")
    );
}

#[test]
fn refused_calls_are_recorded_with_their_reason() {
    let bench = Lab { without: None }.plain();
    bench.assume(&bench.bob(), OPEN, &[]);
    let event = bench.double.events().remove(0);
    assert_eq!(event.error_code.as_deref(), Some("AccessDenied"));
    let message = "User: arn:aws:iam::111111111111:user/bob is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::222222222222:role/Open";
    assert_eq!(event.error_message.as_deref(), Some(message));
    assert_eq!((event.status, event.issued), (403, None));
    bench.double.clear_events();
    assert_eq!(bench.double.count("AssumeRole"), 0);
}

#[test]
fn s3_calls_are_recorded_with_bucket_and_key() {
    let bench = Lab { without: None }.plain();
    let keys = bench.session(&[]);
    bench.reads(&keys);
    let event = bench.double.events_of("GetObject").remove(0);
    assert_eq!(event.parameter("bucketName"), Some("demo"));
    assert_eq!(event.parameter("key"), Some("hello.txt"));
    let session = "arn:aws:sts::222222222222:assumed-role/Open/alice";
    assert_eq!(event.caller_arn.as_deref(), Some(session));
}

/// What the double made or was given secret: told to the harness, and nowhere in the record.
#[test]
fn the_list_of_secrets_is_complete_and_the_record_has_none_of_them() {
    let bench = Lab { without: None }.plain();
    let code = bench.double.totp_code(MFA);
    let mfa = [("SerialNumber", MFA), ("TokenCode", code.as_str())];
    let session = bench.call(&bench.alice(), "GetSessionToken", &mfa).keys();
    let role = bench.assume(&session, OPEN, &[]).keys();
    let federated = bench.federated(&bench.carol(), &[]).keys();
    bench.reads(&role);
    let secrets = bench.double.secrets();
    for keys in [session, role, federated] {
        assert!(secrets.contains(&keys.secret) && secrets.contains(&keys.token.unwrap()));
    }
    for known in [
        bench.alice().secret,
        "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP".to_owned(),
    ] {
        assert!(secrets.contains(&known));
    }
    let record = serde_json::to_string(&bench.double.events()).unwrap();
    let shown = format!("{:?} {:?}", bench.double.events(), crate::lab::lab_world());
    for secret in secrets {
        assert!(!record.contains(&secret) && !shown.contains(&secret));
    }
}

#[test]
fn a_canary_begins_every_secret_key_and_token() {
    let world = World::demo().with_fresh_secrets("CANARY7");
    let alice = &world.users[0].keys[0];
    let keys = crate::client::Keys {
        id: alice.id.clone(),
        secret: alice.secret.clone(),
        token: None,
    };
    assert!(keys.secret.starts_with("CANARY7") && keys.secret.len() == 40);
    assert_ne!(
        world.users[0].mfa[0].seed,
        World::demo().users[0].mfa[0].seed
    );
    let double = StsDouble::start(world).unwrap();
    let bench = crate::lab::Bench { double };
    let session = bench.call(&keys, "GetSessionToken", &[]).keys();
    assert!(session.secret.starts_with("CANARY7"));
    assert!(session.token.unwrap().starts_with("CANARY7"));
}
