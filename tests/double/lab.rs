//! The world that the rules are tried on, and short words for the calls.

use crate::client::{Draft, Keys, Reply, form, send};
use jumpgate_tests::sts::{Bucket, Role, Rule, StsDouble, User, World};

pub(crate) const MFA: &str = "arn:aws:iam::111111111111:mfa/alice";
pub(crate) const BOB_MFA: &str = "arn:aws:iam::111111111111:mfa/bob";
/// Trusts alice; its sessions may do everything to S3 and go on to Next.
pub(crate) const OPEN: &str = "arn:aws:iam::222222222222:role/Open";
/// Trusts Open.
pub(crate) const NEXT: &str = "arn:aws:iam::222222222222:role/team/Next";
pub(crate) const VERSION: &str = "2011-06-15";

pub(crate) const ALL_OF_STS: &str =
    r#"["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]"#;

/// A policy with one statement; `rest` follows the effect.
pub(crate) fn allow(rest: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow",{rest}}}}}"#)
}

pub(crate) fn deny(rest: &str) -> String {
    allow(rest).replace("Allow", "Deny")
}

/// A trust policy for one principal, all three actions, with more behind it.
pub(crate) fn trust(principal: &str, more: &str) -> String {
    allow(&format!(
        r#""Principal":{{"AWS":"{principal}"}},"Action":{ALL_OF_STS}{more}"#
    ))
}

pub(crate) fn lab_world() -> World {
    let assume = allow(&format!(r#""Action":{ALL_OF_STS},"Resource":"*""#));
    let admin = allow(r#""Action":"*","Resource":"*""#);
    let s3 = allow(r#""Action":"s3:*","Resource":"*""#);
    let alice = User::new("111111111111", "alice")
        .key("AKIAALICEALICEALICE2", "alice-secret-0123456789")
        .mfa(MFA, "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
        .policy(&assume);
    let bob = User::new("111111111111", "bob")
        .key("AKIABOBBOBBOBBOBBOB2", "bob-secret-0123456789")
        .mfa(BOB_MFA, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    let carol = User::new("111111111111", "carol")
        .key("AKIACAROLCAROLCAROL2", "carol-secret-0123456789")
        .policy(&admin);
    let root = User::root("111111111111").key("AKIAROOTROOTROOTROO2", "root-secret-0123456789");
    World::new()
        .user(alice)
        .user(bob)
        .user(carol)
        .user(root)
        .role(
            Role::new(
                "222222222222",
                "Open",
                &trust("arn:aws:iam::111111111111:user/alice", ""),
            )
            .policy(&s3)
            .policy(&assume),
        )
        .role(Role {
            path: "/team/".into(),
            ..Role::new("222222222222", "Next", &trust(OPEN, ""))
                .policy(&s3)
                .max_session(43_200)
        })
        .bucket(Bucket::new("222222222222", "demo").object("hello.txt", "hello"))
        .bucket(Bucket::new("111111111111", "home").object("hello.txt", "hello"))
}

/// With all rules, or with one taken out.
#[derive(Clone, Copy)]
pub(crate) struct Lab {
    pub(crate) without: Option<Rule>,
}

impl Lab {
    fn world(self, change: impl FnOnce(&mut World)) -> World {
        let mut world = lab_world();
        change(&mut world);
        match self.without {
            Some(rule) => world.without(rule),
            None => world,
        }
    }

    pub(crate) fn start(self, change: impl FnOnce(&mut World)) -> Bench {
        Bench {
            double: StsDouble::start(self.world(change)).unwrap(),
        }
    }

    pub(crate) fn plain(self) -> Bench {
        self.start(|_| {})
    }

    /// Whether such a world starts at all.
    pub(crate) fn starts(self, change: impl FnOnce(&mut World)) -> String {
        match StsDouble::start(self.world(change)) {
            Ok(_) => "starts".into(),
            Err(error) => error.what,
        }
    }

    /// The lab with another trust policy for Open.
    pub(crate) fn trusting(self, policy: &str) -> Bench {
        self.start(|world| world.roles[0].trust = policy.to_owned())
    }

    /// The lab with a condition in Open's trust policy.
    pub(crate) fn trusting_if(self, condition: &str) -> Bench {
        let more = format!(r#","Condition":{condition}"#);
        self.trusting(&trust("arn:aws:iam::111111111111:user/alice", &more))
    }
}

/// A running double.
pub(crate) struct Bench {
    pub(crate) double: StsDouble,
}

impl Bench {
    fn user(name: &str) -> Keys {
        let world = lab_world();
        let user = world.users.iter().find(|user| user.name == name).unwrap();
        Keys {
            id: user.keys[0].id.clone(),
            secret: user.keys[0].secret.clone(),
            token: None,
        }
    }

    pub(crate) fn alice(&self) -> Keys {
        Bench::user("alice")
    }

    pub(crate) fn bob(&self) -> Keys {
        Bench::user("bob")
    }

    /// An administrator.
    pub(crate) fn carol(&self) -> Keys {
        Bench::user("carol")
    }

    pub(crate) fn root(&self) -> Keys {
        Bench::user("root")
    }

    pub(crate) fn send(&self, draft: &Draft, keys: Option<&Keys>) -> Reply {
        send(draft, keys, self.double.address()).expect("an answer")
    }

    /// The draft of a Query call.
    pub(crate) fn draft(&self, action: &str, params: &[(&str, &str)]) -> Draft {
        let own = [("Action", action), ("Version", VERSION)];
        let all: Vec<_> = own.iter().chain(params).copied().collect();
        Draft::new("POST", "/", "sts")
            .header(
                "content-type",
                "application/x-www-form-urlencoded; charset=utf-8",
            )
            .body(form(&all).as_bytes())
    }

    pub(crate) fn call(&self, keys: &Keys, action: &str, params: &[(&str, &str)]) -> Reply {
        self.send(&self.draft(action, params), Some(keys))
    }

    pub(crate) fn identity(&self, keys: &Keys) -> String {
        self.call(keys, "GetCallerIdentity", &[]).outcome()
    }

    pub(crate) fn assume(&self, keys: &Keys, role: &str, params: &[(&str, &str)]) -> Reply {
        let own = [("RoleArn", role), ("RoleSessionName", "alice")];
        let given = |name: &str| params.iter().any(|(n, _)| *n == name);
        let all: Vec<_> = own
            .iter()
            .filter(|(name, _)| !given(name))
            .chain(params)
            .copied()
            .collect();
        self.call(keys, "AssumeRole", &all)
    }

    /// What becomes of alice's AssumeRole of Open.
    pub(crate) fn opens(&self, params: &[(&str, &str)]) -> String {
        self.assume(&self.alice(), OPEN, params).outcome()
    }

    /// Alice's session of Open.
    pub(crate) fn session(&self, params: &[(&str, &str)]) -> Keys {
        self.assume(&self.alice(), OPEN, params).keys()
    }

    pub(crate) fn s3(&self, keys: &Keys, method: &str, path: &str, body: &[u8]) -> Reply {
        self.send(&Draft::new(method, path, "s3").body(body), Some(keys))
    }

    /// What becomes of reading the object.
    pub(crate) fn reads(&self, keys: &Keys) -> String {
        self.s3(keys, "GET", "/demo/hello.txt", b"").outcome()
    }

    pub(crate) fn writes(&self, keys: &Keys) -> String {
        self.s3(keys, "PUT", "/demo/new.txt", b"new").outcome()
    }

    pub(crate) fn federated(&self, keys: &Keys, params: &[(&str, &str)]) -> Reply {
        let all: Vec<_> = [("Name", "fred")].iter().chain(params).copied().collect();
        self.call(keys, "GetFederationToken", &all)
    }
}

/// One tag as parameters.
pub(crate) const TEAM: [(&str, &str); 2] = [
    ("Tags.member.1.Key", "Team"),
    ("Tags.member.1.Value", "sre"),
];
