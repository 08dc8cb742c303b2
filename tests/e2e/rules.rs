//! Rules per verified caller: which program gets what, by its executable, by the programs that it descends from and by its
//! cgroup, through every interface; and what the journal says of it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use jumpgate_tests::lab::{ended, finish};
use jumpgate_tests::skip::skip;
use jumpgate_tests::sts::{Fault, When};
use jumpgate_tests::{Lab, Ran};
use serde_json::Value;

use crate::built::ready_with;
use crate::clients::{client_of, configure_aws, venv};
use crate::double_client::{Draft, Keys, send};
use crate::endpoints::{authorized, imds_document, imds_token};
use crate::surroundings::{PATIENCE, has};

const LISTS: [&str; 2] = ["200", "403 AccessDenied"];
const ALSO_READS: [&str; 2] = ["200", "200"];

/// A lab whose profile `dev` has the whole role, and these rules.
fn lab_with(rules: &str) -> Lab {
    ready_with(&format!(
        "[profile.dev]\naccount = \"target\"\nrole = \"Developer\"\nregion = \"eu-central-1\"\n{rules}\n"
    ))
}

/// A program of its own: a copy at another path.
fn copied(lab: &Lab, program: &Path, to: &str) -> PathBuf {
    let to = lab.path(to);
    std::fs::create_dir_all(to.parent().unwrap()).unwrap();
    std::fs::copy(program, &to).unwrap();
    to
}

fn ran(lab: &Lab, program: &Path, arguments: &[&str]) -> Ran {
    finish(lab.program(program, arguments), "")
}

/// What the session in a document of any interface may do with the bucket: list it, read of it.
fn may(lab: &Lab, document: &Value) -> [String; 2] {
    let text = |name: &str| document[name].as_str();
    let keys = Keys {
        id: text("AccessKeyId").unwrap().to_owned(),
        secret: text("SecretAccessKey").unwrap().to_owned(),
        token: text("SessionToken").or(text("Token")).map(str::to_owned),
    };
    ["/demo?list-type=2", "/demo/hello.txt"].map(|target| {
        let draft = Draft::new("GET", target, "s3");
        let answer = send(&draft, Some(&keys), lab.double.address()).unwrap();
        answer.outcome()
    })
}

/// Program and rule of each such record.
fn decided(lab: &Lab, activities: &[&str]) -> Vec<[String; 2]> {
    lab.run(&["journal", "verify"]).good();
    let records = lab.journal_of(activities).into_iter();
    let both = |record: Value| {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        [
            text(&record["actor"]["process"]["file"]["path"]),
            text(&record["unmapped"]["jumpgate"]["rule"]),
        ]
    };
    records.map(both).collect()
}

const BY_EXECUTABLE: &str = r#"peers = [
  { exe = "@HOME@/tool/jumpgate", policy = { preset = "view-only" } },
  { any = true },
]"#;

/// The lab, the copy that a rule names, and the one that none does.
fn two_copies() -> (Lab, [PathBuf; 2]) {
    let lab = lab_with(BY_EXECUTABLE);
    let copies = ["tool/jumpgate", "other/jumpgate"];
    let copies = copies.map(|to| copied(&lab, &lab.programs.client, to));
    (lab, copies)
}

/// Each copy, and the rule that decides for it.
fn each_by_its_rule(lab: &Lab, copies: &[PathBuf; 2]) -> Vec<[String; 2]> {
    let [tool, other] = copies.each_ref().map(|copy| copy.display().to_string());
    let home = lab.home().display();
    let of_tool = format!("profile.dev.peers[0] (exe \"{home}/tool/jumpgate\")");
    vec![
        [tool, of_tool],
        [other, "profile.dev.peers[1] (any)".into()],
    ]
}

#[test]
fn two_copies_of_one_program_get_what_the_rules_leave_each() {
    let (lab, copies) = two_copies();
    let [tool, other] = &copies;
    let credentials = |program| {
        let ran = ran(&lab, program, &["credential-process", "dev"]);
        may(&lab, &ran.good().json())
    };
    assert_eq!(credentials(tool), LISTS);
    assert_eq!(credentials(other), ALSO_READS);
    // What it asks for changes nothing.
    let everything =
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    std::fs::write(lab.path("all.json"), everything).unwrap();
    let export = ["export", "dev", "--policy", "all.json", "--format", "json"];
    let asked = ran(&lab, tool, &export).good().json();
    assert_eq!(may(&lab, &asked), LISTS);

    let expected = each_by_its_rule(&lab, &copies);
    assert_eq!(decided(&lab, &["lease.issue"])[..2], expected);
    let leases = lab.run(&["leases", "--json"]).good().json();
    let lease = |number: usize| {
        let of = |name: &str| leases["leases"][number][name].as_str().unwrap().to_owned();
        [of("executable"), of("rule")]
    };
    assert_eq!([lease(0), lease(1)], expected[..]);
    let sent: Vec<bool> = lab
        .double
        .events_of("AssumeRole")
        .iter()
        .map(policy)
        .collect();
    assert_eq!(
        sent[..2],
        [true, false],
        "the role alone, and with a session policy"
    );
}

fn policy(call: &jumpgate_tests::sts::Event) -> bool {
    call.parameter("Policy").is_some()
}

#[test]
fn a_profile_is_shown_with_its_rules_and_the_one_that_is_for_the_caller() {
    let (lab, [tool, other]) = two_copies();
    let home = lab.home().display();
    let rule = format!("{home}/tool/jumpgate");
    for (program, decides) in [
        (&tool, format!("profile.dev.peers[0] (exe \"{rule}\")")),
        (&other, "profile.dev.peers[1] (any)".to_owned()),
    ] {
        let shown = ran(&lab, program, &["profile", "show", "dev"])
            .good()
            .stdout;
        for (name, text) in [
            ("only for", format!("{rule}: preset view-only")),
            ("only for", "any".to_owned()),
            ("note", format!("for this caller decides {decides}")),
        ] {
            let is = |line: &str| line.starts_with(name) && line.ends_with(&text);
            assert!(shown.lines().any(is), "{text}: {shown}");
        }
    }
}

/// An endpoint serves what the rules leave whoever opened it, and is shared with nobody whom they leave something else.
#[test]
fn endpoints_go_by_the_rule_of_who_opens_them() {
    let (lab, copies) = two_copies();
    for kind in ["container", "imds"] {
        let opened = copies.each_ref().map(|program| {
            let open = ["endpoint", "dev", "--kind", kind, "--format", "json"];
            let endpoint = ran(&lab, program, &open).good().json();
            // A first session takes longer than an endpoint waits.
            ran(&lab, program, &["credential-process", "dev"]).good();
            document(kind, &endpoint)
        });
        assert_eq!(may(&lab, &opened[0]), LISTS, "{kind}");
        assert_eq!(may(&lab, &opened[1]), ALSO_READS, "{kind}");
    }
    let opened = decided(&lab, &["endpoint.open"]);
    let expected = each_by_its_rule(&lab, &copies);
    assert_eq!(opened, [expected.clone(), expected].concat());
}

/// What an SDK is told there.
fn document(kind: &str, endpoint: &Value) -> Value {
    let (status, body) = match kind {
        "imds" => imds_document(endpoint, &imds_token(endpoint)),
        _ => authorized(endpoint),
    };
    assert_eq!(status, 200, "{kind}: {body}");
    serde_json::from_str(&body).unwrap()
}

const BY_ORIGIN: &str = r#"peers = [
  { any = true },
  { ancestor = "@HOME@/tool/sh", policy = { preset = "view-only" } },
  { parent = "@HOME@/tool/sh", policy = { preset = "view-only" }, duration = "15m" },
  { parent = "@HOME@/tool/sh", exe = "@HOME@/bin/jumpgate", policy = { preset = "view-only" }, duration = "30m" },
]"#;

/// The interpreter copied, so that it is a program of its own.
fn shell(lab: &Lab) -> PathBuf {
    copied(lab, "/bin/sh".as_ref(), "tool/sh")
}

/// The shell stays in between: the last command of its line is another.
fn below(lab: &Lab, shell: &Path, line: &str) -> Ran {
    ran(lab, shell, &["-c", &format!("{line}; exit $?")])
}

#[test]
fn the_rule_that_names_a_caller_most_closely_wins() {
    let lab = lab_with(BY_ORIGIN);
    let (shell, ask) = (shell(&lab), "credential-process dev");
    let other = copied(&lab, &lab.programs.client, "other/jumpgate");
    let other = other.display();
    let direct = lab.run(&["credential-process", "dev"]);
    for (ran, expected) in [
        (direct, ALSO_READS),
        (below(&lab, &shell, &format!("jumpgate {ask}")), LISTS),
        (below(&lab, &shell, &format!("{other} {ask}")), LISTS),
        (
            below(
                &lab,
                &shell,
                &format!("/bin/sh -c '{other} {ask}; exit $?'"),
            ),
            LISTS,
        ),
    ] {
        assert_eq!(may(&lab, &ran.good().json()), expected);
    }
    let rules: Vec<String> = decided(&lab, &["lease.issue"])
        .into_iter()
        .map(|[_, rule]| rule.split(' ').next().unwrap().to_owned())
        .collect();
    let number = |number: usize| format!("profile.dev.peers[{number}]");
    assert_eq!(rules, [0, 3, 2, 1].map(number));
    let lives: Vec<String> = lab
        .double
        .events_of("AssumeRole")
        .iter()
        .map(|call| call.parameter("DurationSeconds").unwrap().to_owned())
        .collect();
    assert_eq!(lives, ["3600", "1800", "900", "3600"]);
}

/// The recipe of docs/configuration.md, with the AWS CLI: what the tool starts lists and does not read, however it asks.
#[test]
fn a_tool_gets_read_only_whatever_it_asks() {
    let Some(venv) = venv("the recipe for a tool with the AWS CLI") else {
        return;
    };
    let page = include_str!("../../docs/configuration.md");
    let begin = page.find("peers = [\n").unwrap();
    let recipe = &page[begin..];
    let recipe = &recipe[..recipe.find("\n]\n").unwrap() + 2];
    assert_eq!(recipe.lines().count(), 4, "{recipe}");
    let lab = lab_with(&recipe.replace("/opt/tool/bin/tool", "@HOME@/tool/sh"));
    let shell = shell(&lab);
    configure_aws(&lab, &lab.programs.client, &["dev"]);
    let (aws, url) = (venv.join("bin/aws"), lab.double.url());
    let (aws, bare) = (aws.display(), format!("--endpoint-url {url}"));
    let all =
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    std::fs::write(lab.path("all.json"), all).unwrap();
    let read = "s3api get-object --bucket demo --key hello.txt got";
    let list = "s3api list-objects-v2 --bucket demo";
    let run = |program: &Path, line: &str| {
        let line = format!("{line}; exit $?");
        finish(client_of(&lab, &url, program, &["-c", &line]), "")
    };
    for how in [
        format!("{aws} --profile dev"),
        format!("jumpgate exec dev -- {aws}"),
        format!("jumpgate exec dev --via env -- {aws}"),
        format!("jumpgate exec dev --policy all.json -- {aws}"),
        format!("/bin/sh -c '\"$@\"; exit $?' sh {aws} --profile dev"),
    ] {
        run(&shell, &format!("{how} {bare} {list}")).good();
        let refused = run(&shell, &format!("{how} {bare} {read}"));
        assert!(
            refused.stderr.contains("AccessDenied"),
            "{how}: {refused:?}"
        );
        run("/bin/sh".as_ref(), &format!("{how} {bare} {read}")).good();
    }
}

/// A cgroup of our own, which goes with it.
struct Group {
    directory: PathBuf,
    /// As `/proc/PID/cgroup` has it.
    path: String,
}

impl Group {
    /// Below the one that the test runs in. Notes the skip where there can be none.
    fn new(name: &str) -> Option<Self> {
        let missing = |why: &str| {
            skip("rules by cgroup and unit", why);
            None
        };
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
        let mount = mounts.lines().find(|line| line.contains(" - cgroup2 "));
        let Some(mount) = mount.and_then(|line| line.split(' ').nth(4)) else {
            return missing("no cgroup2 is mounted");
        };
        let own = std::fs::read_to_string("/proc/self/cgroup").unwrap();
        let own = own.lines().find_map(|line| line.strip_prefix("0::"));
        let path = format!("{}/{name}", own.unwrap_or("/").trim_end_matches('/'));
        let directory = PathBuf::from(format!("{mount}{path}"));
        match std::fs::create_dir(&directory) {
            Ok(()) => Some(Self { directory, path }),
            Err(error) => missing(&format!("{}: {error}", directory.display())),
        }
    }

    /// The client within it.
    fn credentials(&self, lab: &Lab) -> Value {
        let enter = "echo $$ >\"$0/cgroup.procs\" && exec jumpgate credential-process dev";
        let directory = self.directory.to_str().unwrap();
        let ran = ran(lab, "/bin/sh".as_ref(), &["-c", enter, directory]);
        ran.good().json()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir(&self.directory);
    }
}

#[test]
fn who_runs_in_a_unit_or_below_a_cgroup_goes_by_its_rule() {
    let pid = std::process::id();
    let (unit, plain) = (format!("jumpgate-{pid}.scope"), format!("jumpgate-{pid}"));
    let (Some(unit_group), Some(group)) = (Group::new(&unit), Group::new(&plain)) else {
        return;
    };
    let below = Group::new(&format!("{plain}/job")).expect("as the one above it");
    let lab = lab_with(&format!(
        "peers = [\n{{ unit = \"{unit}\", policy = {{ preset = \"view-only\" }} }},\n\
         {{ cgroup = \"{}\", policy = {{ preset = \"view-only\" }}, duration = \"15m\" }},\n{{ any = true }},\n]",
        group.path
    ));
    let outside = lab.run(&["credential-process", "dev"]).good().json();
    assert_eq!(may(&lab, &outside), ALSO_READS);
    for within in [&unit_group, &group, &below] {
        assert_eq!(
            may(&lab, &within.credentials(&lab)),
            LISTS,
            "{}",
            within.path
        );
    }
    let rules: Vec<String> = decided(&lab, &["lease.issue", "lease.serve"])
        .into_iter()
        .map(|[_, rule]| rule)
        .collect();
    let of_group = format!("profile.dev.peers[1] (cgroup \"{}\")", group.path);
    assert_eq!(
        rules,
        [
            "profile.dev.peers[2] (any)".to_owned(),
            format!("profile.dev.peers[0] (unit \"{unit}\")"),
            of_group.clone(),
            of_group,
        ]
    );
}

/// Asks on the socket, waits for a line, and becomes the program that is named, with the socket as its standard input.
const ASK_AND_BECOME: &str = r#"
use Socket; use POSIX ();
my ($path, @program) = @ARGV;
socket(my $agent, AF_UNIX, SOCK_STREAM, 0) or die "$!";
connect($agent, sockaddr_un($path)) or die "$!";
my $body = '{"profile":"dev","interface":"process"}';
syswrite $agent, "POST /v1/credentials HTTP/1.1\r\nHost: a\r\nContent-Length: " . length($body) . "\r\n\r\n$body";
sysread STDIN, my $line, 1;
POSIX::dup2(fileno($agent), 0);
exec @program if @program;
print while <STDIN>;
"#;

/// Has perl ask, lets it become `program` while STS holds its answer back, and returns what it was told in the end.
fn told(lab: &Lab, program: &[&str]) -> String {
    lab.double
        .inject(Fault::Hold, When::call("AssumeRole").times(1));
    let arrived = lab.double.count("AssumeRole") + 1;
    let mut asking: Command = lab.program("/usr/bin/perl".as_ref(), &["-e", ASK_AND_BECOME]);
    asking.arg(lab.socket()).args(program);
    asking.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut asking = asking.spawn().unwrap();
    assert!(
        lab.double
            .wait_for_arrivals("AssumeRole", arrived, PATIENCE)
    );
    drop(asking.stdin.take());
    let runs = || std::fs::read_link(format!("/proc/{}/exe", asking.id())).unwrap();
    let perl = Path::new("/usr/bin/perl");
    let began = Instant::now();
    while !program.is_empty() && runs() == perl {
        assert!(began.elapsed() < PATIENCE, "it stays what it is");
        std::thread::yield_now();
    }
    lab.double.release();
    ended(asking).stdout
}

/// The rule was for perl, and perl asked; who reads the answer is another.
#[test]
fn a_process_that_became_another_program_before_its_answer_gets_nothing() {
    if !has("perl", "a process that becomes another program") {
        return;
    }
    let lab = lab_with("peers = [{ exe = \"/usr/bin/perl\" }]");
    let answer = told(&lab, &["/bin/cat"]);
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    assert!(answer.contains("access_denied") && answer.contains("not the same any more"));
    assert!(!answer.contains("secret_access_key"), "{answer}");
    assert_eq!(lab.records("lease.issue"), Vec::<Value>::new());
    let denied = lab.records("deny").remove(0);
    let said = denied["status_detail"].as_str().unwrap();
    assert!(
        said.contains("profile.dev.peers[0] (exe \"/usr/bin/perl\")"),
        "{said}"
    );
    let listed = lab.run(&["leases", "--json"]).good().json();
    assert_eq!(listed["leases"], serde_json::json!([]));

    lab.run(&["lock"]).good();
    lab.run(&["unlock"]).good();
    let answer = told(&lab, &[]);
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert_eq!(decided(&lab, &["lease.issue"])[0][0], "/usr/bin/perl");
}
