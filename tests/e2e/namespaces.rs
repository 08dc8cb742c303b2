//! Network namespaces: AWS's own addresses in one of ours, by the commands of the document; and connections that come
//! out of another one.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use jumpgate_tests::Lab;
use jumpgate_tests::lab::{Ran, finish};
use jumpgate_tests::skip::skip;

use crate::built::{programs, ready};
use crate::clients::venv;
use crate::endpoints::warm;
use crate::surroundings::{as_root, has, next_line, piped};

const DOCUMENT: &str = include_str!("../../docs/namespaces.md");

/// What the document has the namespace made with.
const NAMESPACE: [&str; 3] = ["unshare", "--map-root-user", "--net"];

/// Whether this machine lets us make network namespaces; notes the skip otherwise.
fn namespaces(what: &str) -> bool {
    let tools = ["unshare", "ip", "ss", "socat"];
    if !tools.iter().all(|tool| has(tool, what)) {
        return false;
    }
    let made = Command::new(NAMESPACE[0])
        .args(&NAMESPACE[1..])
        .args(["ip", "address", "add", "169.254.169.254/32", "dev", "lo"])
        .output()
        .unwrap();
    if !made.status.success() {
        let why = String::from_utf8_lossy(&made.stderr);
        skip(what, &format!("no network namespaces here: {}", why.trim()));
    }
    made.status.success()
}

/// The document's script as a file, by its own words.
fn script(lab: &Lab) -> PathBuf {
    let text = DOCUMENT.split("```sh\n").nth(1).unwrap();
    let (text, _) = text.split_once("```").unwrap();
    assert!(text.starts_with("#!/bin/sh\n"));
    let path = lab.path("at-aws-address");
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    path
}

/// The words of the document's command after `jumpgate` and up to its script.
fn documented(holding: &str) -> Vec<&'static str> {
    let line = DOCUMENT.lines().find(|line| {
        line.starts_with("jumpgate exec ")
            && line.contains(" ./at-aws-address ")
            && line.contains(holding)
    });
    let words = line.unwrap().split(' ').skip(1);
    words.take_while(|word| !word.starts_with("./")).collect()
}

/// The double, which a namespace without a way out cannot reach, at its own address in there.
struct WayToTheDouble {
    outside: Child,
    inside: String,
}

impl WayToTheDouble {
    fn of(lab: &Lab) -> Self {
        let (socket, address) = (lab.path("double"), lab.double.address());
        let socket = socket.display();
        let mut outside = Command::new("socat");
        outside.arg(format!("UNIX-LISTEN:{socket},fork"));
        outside.arg(format!("TCP4:{address}"));
        let outside = outside.spawn().unwrap();
        while UnixStream::connect(lab.path("double")).is_err() {
            std::thread::yield_now();
        }
        let port = address.port();
        let inside = format!(
            "socat TCP4-LISTEN:{port},bind=127.0.0.1,fork UNIX-CONNECT:{socket} & \
             until ss -Hltn \"src 127.0.0.1:{port}\" | grep -q .; do :; done; \
             \"$@\"; status=$?; kill $!; exit $status"
        );
        Self { outside, inside }
    }
}

impl Drop for WayToTheDouble {
    fn drop(&mut self) {
        let _gone = self.outside.kill();
        let _gone = self.outside.wait();
    }
}

/// Runs a client as the document says, in a namespace in which the double is, too.
fn in_a_namespace(lab: &Lab, double: &WayToTheDouble, exec: &[&str], client: &[&str]) -> Ran {
    let mut command = lab.client(exec);
    command.arg(script(lab));
    command
        .args(["sh", "-c", &double.inside, "sh"])
        .args(client);
    command.env("AWS_ENDPOINT_URL", lab.double.url());
    finish(command, "")
}

/// The clients that are installed, as the words that make them call GetCallerIdentity.
fn callers(lab: &Lab, venv: &Path) -> Vec<Vec<String>> {
    let clients = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients");
    let text = |path: PathBuf| path.display().to_string();
    let aws = format!(
        "sts get-caller-identity --output json --endpoint-url {}",
        lab.double.url()
    );
    let aws = aws.split(' ').map(str::to_owned);
    let mut callers = vec![
        vec![
            text(venv.join("bin/python")),
            text(clients.join("boto3_whoami.py")),
        ],
        [text(venv.join("bin/aws"))]
            .into_iter()
            .chain(aws)
            .collect(),
    ];
    let rust = clients.join("../.clients/rust/debug/whoami");
    match rust.exists() {
        true => callers.push(vec![text(rust)]),
        false => skip(
            "AWS SDK for Rust in a namespace",
            "it is not installed: tests/run does it",
        ),
    }
    match clients.join("js/node_modules/stamp").exists() && has("node", "node in a namespace") {
        true => callers.push(vec!["node".to_owned(), text(clients.join("js/whoami.mjs"))]),
        false => skip(
            "AWS SDK for JavaScript in a namespace",
            "it is not installed: tests/run does it",
        ),
    }
    callers
}

fn clients_with_their_own_address(what: &str, via: &str, interface: &str) {
    let Some(venv) = venv(what) else { return };
    if !namespaces(what) {
        return;
    }
    let lab = ready();
    warm(&lab, &["dev"]);
    let (exec, double) = (documented(via), WayToTheDouble::of(&lab));
    for (served, caller) in callers(&lab, &venv).iter().enumerate() {
        let caller: Vec<&str> = caller.iter().map(String::as_str).collect();
        let ran = in_a_namespace(&lab, &double, &exec, &caller).good();
        let arn = "assumed-role/Developer/tester-";
        assert!(ran.stdout.contains(arn), "{caller:?}: {}", ran.stdout);
        let mut records = lab.records("lease.serve");
        records.retain(|record| record["unmapped"]["jumpgate"]["interface"] == interface);
        assert_eq!(records.len(), served + 1, "{records:?}");
        let relay = &records[served]["actor"]["process"]["file"]["path"];
        assert!(relay.as_str().unwrap().contains("socat"), "{relay}");
    }
    assert_eq!(lab.status()["endpoints"], serde_json::json!([]));
    let denials = lab.records("deny");
    assert!(denials.is_empty(), "{denials:?}");
}

#[test]
fn imds_at_its_own_address() {
    clients_with_their_own_address("IMDS in a network namespace", "--via imds", "imds");
}

#[test]
fn container_credentials_at_their_own_address() {
    let what = "container credentials in a network namespace";
    clients_with_their_own_address(what, "aws sts", "container");
}

/// restic asks 169.254.169.254 and nobody else, whatever its environment says.
#[test]
fn restic_which_cannot_be_pointed_elsewhere() {
    let what = "restic in a network namespace";
    if !has("restic", what) || !namespaces(what) {
        return;
    }
    let lab = ready();
    warm(&lab, &["dev"]);
    let repository = format!("s3:{}/demo", lab.double.url());
    let restic = [
        "env",
        "RESTIC_PASSWORD=none",
        "restic",
        "--no-cache",
        "-r",
        &repository,
        "cat",
        "config",
    ];
    let double = WayToTheDouble::of(&lab);
    let ran = in_a_namespace(&lab, &double, &documented("restic"), &restic);
    // There is no repository; what counts is who asked for it.
    assert!(
        ran.stderr.contains("specified key does not exist"),
        "{}",
        ran.stderr
    );
    let session = lab.double.events_of("AssumeRole")[0]
        .issued
        .clone()
        .unwrap();
    for event in lab.double.events_of("HeadObject") {
        assert_eq!(event.access_key_id, Some(session.access_key_id.clone()));
        assert!(event.user_agent.contains("minio-go"), "{event:?}");
    }
    assert!(lab.double.count("HeadObject") > 0);
}

/// A network namespace that a child of ours holds open.
struct Namespace(Child);

impl Namespace {
    fn new() -> Self {
        let mut holder = Command::new("unshare");
        let script = "ip link set lo up && echo ready && exec cat";
        holder
            .args(["--net", "sh", "-c", script])
            .stdin(Stdio::piped());
        let (child, mut output) = piped(holder);
        assert_eq!(next_line(&mut output), "ready");
        Self(child)
    }

    /// The words that run a program in it.
    fn enter(&self) -> [String; 2] {
        [
            "nsenter".to_owned(),
            format!("--net=/proc/{}/ns/net", self.0.id()),
        ]
    }

    #[track_caller]
    fn run(&self, script: &str) -> Ran {
        let [nsenter, net] = self.enter();
        let mut command = Command::new(nsenter);
        command.args([net.as_str(), "sh", "-euc", script]);
        finish(command, "")
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}

/// Two namespaces and a link between them. The agent's side lets packets for 127.0.0.1 in from the link, as Kubernetes
/// once had it on every node (CVE-2020-8558), and answers 127.0.0.2 there, so that the other side may call itself that.
fn neighbours() -> (Namespace, Namespace) {
    let (agents, other) = (Namespace::new(), Namespace::new());
    let pid = other.0.id();
    agents
        .run(&format!(
            "ip link add ours type veth peer name theirs netns {pid}
             ip address add 10.9.9.1/24 dev ours
             ip link set ours up
             echo 1 >/proc/sys/net/ipv4/conf/ours/route_localnet
             ip route add 127.0.0.2/32 via 10.9.9.2 table 9
             ip rule add pref 5 to 127.0.0.2 lookup 9
             ip rule add pref 10 lookup local
             ip rule del pref 0"
        ))
        .good();
    other
        .run(
            "ip address flush dev lo
             ip address add 10.9.9.2/24 dev theirs
             ip address add 127.0.0.2/32 dev theirs
             ip link set theirs up
             echo 1 >/proc/sys/net/ipv4/conf/theirs/route_localnet
             ip route add 127.0.0.1/32 via 10.9.9.1",
        )
        .good();
    (agents, other)
}

#[test]
fn a_connection_out_of_another_namespace_is_refused_once() {
    let what = "a connection from another network namespace";
    if !as_root(what) || !namespaces(what) || !has("nsenter", what) || !has("curl", what) {
        return;
    }
    let (agents, other) = neighbours();
    let lab = Lab::new(&programs(), jumpgate_tests::lab::DEV);
    let [nsenter, net] = agents.enter();
    let mut agent = lab.program(nsenter.as_ref(), &[&net]);
    agent.arg(&lab.programs.agent).arg("--foreground");
    let mut agent = agent.stderr(Stdio::null()).spawn().unwrap();
    while UnixStream::connect(lab.socket()).is_err() {
        assert!(agent.try_wait().unwrap().is_none(), "the agent ended");
        std::thread::yield_now();
    }
    let endpoint = lab.run(&["endpoint", "dev", "--kind", "imds", "--format", "json"]);
    let url = endpoint.good().json()["url"].as_str().unwrap().to_owned();
    let ask = format!(
        "curl --silent --output /dev/null --write-out '%{{http_code}}' -X PUT \
         --max-time 60 -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' {url}/latest/api/token"
    );
    assert_eq!(agents.run(&ask).good().stdout, "200");
    // An address of the link, and one of loopback: only the kernel's list of sockets tells the latter from ours.
    for address in ["10.9.9.2", "127.0.0.2", "127.0.0.2"] {
        let ask = format!("{ask} --interface {address}");
        assert_eq!(other.run(&ask).good().stdout, "403", "{address}");
    }
    let denials = lab.records("deny");
    let [denial] = denials.as_slice() else {
        panic!("{denials:?}")
    };
    assert_eq!(denial["count"], 3);
    lab.run(&["agent", "stop"]).good();
    agent.wait().unwrap();
}
