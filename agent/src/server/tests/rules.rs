//! Endpoints under rules of `peers`: whom they are opened for, who shares one, and who has changed meanwhile.

use jumpgate_api::Code;

use super::*;
use crate::domain::rule::{Criteria, PeerRule};
use crate::domain::samples::{duration, rule_for_exe};
use crate::ports::Witness;

const TOOL: &str = "/opt/tool/bin/tool";

/// A peer that became another program.
struct Changed;

impl Witness for Changed {
    fn is_still(&self, _: &Peer) -> bool {
        false
    }
}

/// Everybody gets an hour, the tool a quarter of it.
fn site() -> Site {
    let dev = regional();
    let shorter = Profile {
        duration: duration(900),
        ..dev.clone()
    };
    let any = PeerRule {
        criteria: Criteria::default(),
        ..rule_for_exe(TOOL)
    };
    let of_tool = PeerRule {
        index: 1,
        bounded: Some(Arc::new(shorter)),
        ..rule_for_exe(TOOL)
    };
    let peers = vec![any, of_tool];
    Site::of(House::plain(vec![Profile { peers, ..dev }]))
}

fn running(executable: &str) -> Peer {
    Peer {
        executable: Some(executable.to_owned()),
        ..me()
    }
}

#[tokio::test]
async fn who_is_another_program_by_now_is_told_of_no_endpoint() {
    for kind in [EndpointKind::Container, EndpointKind::Imds] {
        let site = site();
        let opened = site
            .endpoints
            .open(&running(TOOL), Arc::new(Changed), wish(kind, "dev"))
            .await;
        assert_eq!(opened.unwrap_err().code, Code::AccessDenied);
        assert_eq!(site.endpoints.status(), [], "it is closed again");
        let refused = site.refusals().await.remove(0).facts.rule.unwrap();
        assert!(refused.starts_with("profile.dev.peers[1]"), "{refused}");
    }
}

#[tokio::test]
async fn an_endpoint_is_shared_where_the_rules_leave_the_same() {
    let site = site();
    let mut leases = Vec::new();
    for executable in [TOOL, "/bin/a", TOOL, "/bin/b"] {
        let (peer, wish) = (running(executable), wish(EndpointKind::Container, "dev"));
        let opened = site.endpoints.open(&peer, same(), wish).await;
        leases.push(opened.unwrap().lease);
    }
    assert_eq!((&leases[0], &leases[1]), (&leases[2], &leases[3]));
    assert_ne!(leases[0], leases[1]);
    let opened = site.house.journal.of(Activity::EndpointOpen);
    let rules: Vec<_> = opened.into_iter().map(|event| event.facts.rule).collect();
    let rule = |text: &str| Some(text.to_owned());
    assert_eq!(
        rules,
        [
            rule("profile.dev.peers[1] (exe \"/opt/tool/bin/tool\")"),
            rule("profile.dev.peers[0] (any)")
        ]
    );
}
