//! What is asked for: a session of one role, of a role that another role assumes, or one that the ask makes smaller.

use jumpgate_tests::Lab;
use jumpgate_tests::sts::{ROLE_ARN, Role, TARGET_ACCOUNT, World};
use serde_json::{Value, json};

use super::cell::{Interface, State, profile};
use crate::built::programs;
use crate::endpoints::{TOKEN, ask};
use crate::endpoints::{control, imds_token};

/// How a session comes to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One AssumeRole.
    Plain,
    /// One for a role, and by its session one for another.
    Chained,
    /// One, and by its session GetScopedCredentials, for the policy of the ask.
    Scoped,
}

/// The role behind the other.
const DEPLOY: &str = "Deploy";

/// A profile's, where the ask has one too.
const OWN: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],"Resource":"*"}}"#;

/// An ask's.
const ASKED: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"*"}}"#;

/// What Developer may where another role follows.
const MAY_GO_ON: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["sts:AssumeRole","sts:TagSession"],"Resource":"*"}}"#;

impl Shape {
    /// A lab with a profile for each cell, in which no agent runs.
    pub(crate) fn lab(self) -> Lab {
        let trust = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow",
            "Principal": {"AWS": ROLE_ARN},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
        }]});
        let deploy = Role::new(TARGET_ACCOUNT, DEPLOY, &trust.to_string());
        let lab = Lab::in_world(&programs(), World::demo().role(deploy), "");
        if self == Self::Chained {
            lab.double.attach_role_policy(ROLE_ARN, MAY_GO_ON);
        }
        let cells = State::ALL
            .into_iter()
            .flat_map(|state| Interface::ALL.map(|by| profile(state, by)));
        let profiles: String = cells.map(|name| self.section(&name)).collect();
        lab.configure_profiles(&profiles);
        std::fs::write(lab.path("asked.json"), ASKED).unwrap();
        lab
    }

    /// Each has sessions that no other has.
    fn section(self, name: &str) -> String {
        let of = |name: &str, role: &str, more: &str| {
            format!("\n[profile.{name}]\naccount = \"target\"\nrole = \"{role}\"\n{more}\n")
        };
        let tags = format!("tags = {{ N = \"{name}\" }}");
        match self {
            Self::Plain => of(name, "Developer", &tags),
            Self::Chained => {
                let (first, by) = (format!("{name}-first"), format!("via = \"{name}-first\""));
                of(&first, "Developer", &tags) + &of(name, DEPLOY, &by)
            }
            Self::Scoped => {
                let own = format!("{tags}\npolicy = '{OWN}'\nscope_down = \"sts\"");
                of(name, "Developer", &own)
            }
        }
    }

    /// The client's words for a session.
    pub(crate) fn words(self, lab: &Lab, profile: &str) -> Vec<String> {
        let mut words = vec!["credential-process".to_owned(), profile.to_owned()];
        if self == Self::Scoped {
            let file = lab.path("asked.json").display().to_string();
            words.extend(["--policy".to_owned(), file]);
        }
        words
    }

    /// The client's words for the session that makes that one; none where the identity does.
    pub(crate) fn words_before(self, profile: &str) -> Option<[String; 2]> {
        let before = match self {
            Self::Plain => return None,
            Self::Chained => format!("{profile}-first"),
            Self::Scoped => profile.to_owned(),
        };
        Some(["credential-process".to_owned(), before])
    }

    /// Opens an endpoint.
    pub(crate) fn open(self, lab: &Lab, profile: &str, by: Interface) -> Value {
        let mut body = json!({"profile": profile, "kind": by.word()});
        if self == Self::Scoped {
            body["narrow"] = json!({"policy": ASKED});
        }
        control(lab, "POST /v1/endpoints", &body.to_string())
    }

    /// What IMDS hands out.
    pub(crate) fn imds_document(self, endpoint: &Value) -> (u16, String) {
        let role = match self {
            Self::Plain | Self::Scoped => "Developer",
            Self::Chained => DEPLOY,
        };
        let path = format!("GET latest/meta-data/iam/security-credentials/{role}");
        let url = endpoint["url"].as_str().unwrap();
        ask(url, &path, &[(TOKEN, &imds_token(endpoint))])
    }

    /// The call whose answer is handed out.
    pub(crate) const fn made_by(self) -> &'static str {
        match self {
            Self::Plain | Self::Chained => "AssumeRole",
            Self::Scoped => "GetScopedCredentials",
        }
    }
}
