//! Worlds from files, worlds that cannot be, the demo's world, the executable; and the calls that
//! change a running world.

use crate::client::Keys;
use crate::lab::{Bench, Lab, OPEN, deny, lab_world, trust};
use jumpgate_tests::sts::{MFA_SERIAL, ROLE_ARN, Role, StsDouble, World};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

fn demo_keys() -> Keys {
    let world = World::demo();
    let key = &world.users[0].keys[0];
    Keys {
        id: key.id.clone(),
        secret: key.secret.clone(),
        token: None,
    }
}

/// The demo's way: MFA once, then the role with a tag and a source identity, then the bucket.
#[test]
fn the_demo_world_works_from_end_to_end() {
    let bench = Bench {
        double: StsDouble::start(World::demo()).unwrap(),
    };
    assert_eq!(
        bench.assume(&demo_keys(), ROLE_ARN, &[]).outcome(),
        "403 AccessDenied"
    );
    let code = bench.double.totp_code(MFA_SERIAL);
    let mfa = [("SerialNumber", MFA_SERIAL), ("TokenCode", code.as_str())];
    let session = bench.call(&demo_keys(), "GetSessionToken", &mfa).keys();
    let params = [
        ("DurationSeconds", "43200"),
        ("SourceIdentity", "alice"),
        ("Tags.member.1.Key", "Team"),
        ("Tags.member.1.Value", "sre"),
    ];
    let role = bench.assume(&session, ROLE_ARN, &params).keys();
    assert_eq!(
        bench.s3(&role, "GET", "/demo/hello.txt", b"").body,
        b"hello from the double\n"
    );
    assert_eq!(bench.writes(&role), "200");
}

#[test]
fn a_world_survives_json_and_toml() {
    let text = serde_json::to_string(&lab_world()).unwrap();
    let again: World = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::to_string(&again).unwrap(), text);
    let toml = r#"
        [[users]]
        account = "111111111111"
        name = "alice"
        keys = [{ id = "AKIA1", secret = "s" }]
        policies = [{ Version = "2012-10-17", Statement = [{ Effect = "Deny", Action = "*", Resource = "*" }] }]
        [[roles]]
        account = "222222222222"
        name = "R"
        trust = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}}'
    "#;
    let world: World = toml::from_str(toml).unwrap();
    assert!(world.users[0].keys[0].active && world.roles[0].max_session == 3600);
    StsDouble::start(world).unwrap();
    assert!(
        toml::from_str::<World>("[[users]]\nacount = '1'").is_err(),
        "a typo is an error"
    );
}

#[test]
fn worlds_that_cannot_be_are_refused_with_their_place() {
    let broken = [
        lab_world().role(Role::new("222222222222", "Bad", "{}")),
        lab_world().role(Role::new("222222222222", "Bad", &trust(OPEN, "")).max_session(3599)),
        lab_world().role(Role::new("222222222222", "Bad", &trust(OPEN, "")).policy("{")),
        lab_world().managed_policy("arn:aws:iam::222222222222:policy/Bad", "{}"),
    ];
    for world in broken {
        let error = StsDouble::start(world).unwrap_err();
        assert!(error.place.ends_with("/Bad"), "{error}");
    }
    let address = std::net::SocketAddr::from(([0, 0, 0, 0], 0));
    assert!(
        StsDouble::listen(address, lab_world()).is_err(),
        "loopback only"
    );
}

#[test]
fn a_running_world_changes_for_the_next_call() {
    let bench = Lab { without: None }.plain();
    let keys = bench.session(&[]);
    let alice = "arn:aws:iam::111111111111:user/alice";
    bench
        .double
        .change_user(alice, |user| user.keys[0].active = false);
    assert_eq!(bench.identity(&bench.alice()), "403 InvalidClientTokenId");
    assert_eq!(bench.identity(&keys), "200", "sessions live on");
    bench
        .double
        .change_user(alice, |user| user.keys[0].active = true);
    let everyone = deny(r#""Action":"*","Resource":"*""#);
    bench
        .double
        .change_user(alice, |user| user.policies.push(everyone));
    assert_eq!(bench.opens(&[]), "403 AccessDenied");
    bench.double.put_object("demo", "late", b"late");
    assert_eq!(bench.s3(&keys, "GET", "/demo/late", b"").body, b"late");
}

#[test]
fn time_moves_and_sessions_expire_with_it() {
    let bench = Lab { without: None }.plain();
    let keys = bench.session(&[("DurationSeconds", "900")]);
    bench.double.advance(Duration::from_secs(899 - 10));
    let mut draft = bench.draft("GetCallerIdentity", &[]);
    draft.time = bench.double.now();
    assert_eq!(bench.send(&draft, Some(&keys)).outcome(), "200");
    bench.double.advance(Duration::from_secs(12));
    draft.time = bench.double.now();
    assert_eq!(
        bench.send(&draft, Some(&keys)).outcome(),
        "403 ExpiredToken"
    );
    bench.double.set_clock_offset(0);
    assert_eq!(bench.identity(&keys), "200");
}

#[test]
fn only_the_named_regions_are_known() {
    let bench = Lab { without: None }.start(|world| world.regions = vec!["us-east-1".into()]);
    assert_eq!(bench.identity(&bench.alice()), "403 SignatureDoesNotMatch");
    let mut draft = bench.draft("GetCallerIdentity", &[]);
    draft.region = "us-east-1".into();
    assert_eq!(bench.send(&draft, Some(&bench.alice())).outcome(), "200");
}

/// The executable says where it listens, records each call as a line, and ends with its input.
#[test]
fn the_executable_serves_until_its_input_ends() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sts-double"))
        .arg("--record")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap);
    let ready = lines.next().unwrap();
    let address = ready
        .strip_prefix("READY http://")
        .unwrap()
        .parse()
        .unwrap();
    let lab = Lab { without: None }.plain();
    let draft = lab.draft("GetCallerIdentity", &[]);
    let reply = crate::client::send(&draft, Some(&demo_keys()), address).unwrap();
    assert_eq!(reply.outcome(), "200");
    let event: serde_json::Value = serde_json::from_str(&lines.next().unwrap()).unwrap();
    assert_eq!(event["action"], "GetCallerIdentity");
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
    assert_eq!(lines.next(), None);
}

#[test]
fn the_executable_prints_a_world_that_it_can_read() {
    let program = env!("CARGO_BIN_EXE_sts-double");
    let printed = Command::new(program).arg("--print-world").output().unwrap();
    let world: World = serde_json::from_slice(&printed.stdout).unwrap();
    assert_eq!(world.users[0].arn(), "arn:aws:iam::111111111111:user/alice");
    let wrong = Command::new(program)
        .args(["--listen", "nonsense"])
        .output()
        .unwrap();
    assert!(!wrong.status.success() && wrong.stderr.starts_with(b"sts-double: usage"));
}
