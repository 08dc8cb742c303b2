//! Rules per verified caller, and what is required of one, from the ask to the journal.

use std::sync::atomic::{AtomicUsize, Ordering};

use jumpgate_api::Code;

use super::*;
use crate::domain::grant::Ask;
use crate::domain::peer::Origin;
use crate::domain::rule::{Criteria, PeerRule};
use crate::domain::samples::{duration, policy, rule_for_exe, template};

/// A peer that became another program.
struct Changed;

impl Witness for Changed {
    fn is_still(&self, _: &Peer) -> bool {
        false
    }
}

const TOOL: &str = "/opt/tool/bin/tool";

fn running(executable: &str) -> Peer {
    Peer {
        executable: Some(executable.into()),
        ..peer()
    }
}

/// Everybody gets the role for an hour, the tool less of it, and a careful one nothing without a yes.
fn ruled() -> Profile {
    let dev = profile("dev");
    let read_only = Profile {
        policy: Some(policy("s3:GetObject")),
        duration: duration(900),
        ..dev.clone()
    };
    let mut careful = dev.clone();
    careful.require.confirm = true;
    let any = PeerRule {
        criteria: Criteria::default(),
        ..rule_for_exe(TOOL)
    };
    let of_tool = PeerRule {
        index: 1,
        bounded: Some(Arc::new(read_only)),
        ..rule_for_exe(TOOL)
    };
    let of_careful = PeerRule {
        index: 2,
        bounded: Some(Arc::new(careful)),
        ..rule_for_exe("/bin/careful")
    };
    Profile {
        peers: vec![any, of_tool, of_careful],
        ..dev
    }
}

async fn asked(house: &House, executable: &str) -> Result<Leased, Failure> {
    let peer = running(executable);
    house.broker.credentials(&peer, &Same, &ask("dev")).await
}

#[tokio::test(start_paused = true)]
async fn callers_of_one_profile_get_what_their_rules_leave_and_no_session_of_anothers() {
    let house = House::plain(vec![ruled()]);
    for executable in ["/usr/bin/aws", TOOL, "/bin/sh", TOOL] {
        asked(&house, executable).await.unwrap();
    }
    let seen = house.tokens.seen();
    let sent: Vec<_> = seen
        .iter()
        .map(|seen| {
            (
                seen.request.policy.is_some(),
                seen.request.duration.seconds(),
            )
        })
        .collect();
    assert_eq!(
        sent,
        [(false, 3600), (true, 900)],
        "one session for each scope"
    );
    let rules: Vec<_> = house
        .journal
        .records()
        .into_iter()
        .filter_map(|event| event.facts.rule)
        .collect();
    let any = "profile.dev.peers[0] (any)";
    let tool = "profile.dev.peers[1] (exe \"/opt/tool/bin/tool\")";
    assert_eq!(rules, [any, tool, any, tool]);
    let leases = house.broker.leases().into_iter();
    let rules: Vec<_> = leases
        .map(|lease| lease.rule.unwrap().to_string())
        .collect();
    assert_eq!(rules, [any, tool, any, tool]);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_became_another_program_gets_nothing_by_a_rule() {
    let house = House::plain(vec![ruled(), profile("open")]);
    let (tool, asked) = (running(TOOL), ask("dev"));
    let refused = house.broker.credentials(&tool, &Changed, &asked).await;
    let failure = refused.unwrap_err();
    assert_eq!(failure.code(), Code::AccessDenied);
    assert_eq!(house.recorded(Activity::LeaseIssue), 0);
    assert!(house.broker.leases().is_empty());
    house.broker.flush_denials().await;
    let denials = house.journal.of(Activity::Deny);
    let rule = denials[0].facts.rule.clone().unwrap();
    assert!(rule.starts_with("profile.dev.peers[1]"), "{rule}");
    let asked = ask("open");
    let open = house.broker.credentials(&tool, &Changed, &asked).await;
    assert!(open.is_ok(), "no rule, no program that it must be");
}

/// The same until its hand-out is written, and then no more.
struct ChangedMeanwhile(AtomicUsize);

impl Witness for ChangedMeanwhile {
    fn is_still(&self, _: &Peer) -> bool {
        self.0.fetch_add(1, Ordering::SeqCst) == 0
    }
}

#[tokio::test(start_paused = true)]
async fn nor_does_one_that_became_it_while_the_journal_was_written() {
    let house = House::plain(vec![ruled()]);
    let meanwhile = ChangedMeanwhile(AtomicUsize::new(0));
    let (tool, asked) = (running(TOOL), ask("dev"));
    let refused = house.broker.credentials(&tool, &meanwhile, &asked).await;
    assert!(matches!(refused, Err(Failure::PeerChanged(_))));
    assert!(house.broker.leases().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_rule_that_wants_a_yes_refuses_and_says_which_it_is() {
    let house = House::plain(vec![ruled()]);
    let failure = asked(&house, "/bin/careful").await.unwrap_err();
    assert_eq!(failure.code(), Code::InteractionRequired);
    let said = failure.to_string();
    assert!(
        said.contains("profile.dev.peers[2] (exe \"/bin/careful\")"),
        "{said}"
    );
    let mut endpoint = ask("dev");
    endpoint.interface = jumpgate_api::Interface::Container;
    let careful = running("/bin/careful");
    assert!(
        house
            .broker
            .open_endpoint(&careful, &endpoint)
            .await
            .is_err()
    );
    assert_eq!(house.calls(), [0, 0, 0, 0], "nobody and nothing was asked");
}

#[tokio::test(start_paused = true)]
async fn what_a_rule_denies_names_the_rule() {
    let house = House::plain(vec![ruled()]);
    let mut longer = ask("dev");
    longer.narrowing.duration = Some(duration(1800).into());
    let tool = running(TOOL);
    let failure = house.broker.credentials(&tool, &Same, &longer).await;
    let said = failure.unwrap_err().to_string();
    assert!(said.contains("allows 900 s"), "{said}");
    assert!(said.contains("profile.dev.peers[1]"), "{said}");
    let other = house.broker.credentials(&peer(), &Same, &longer).await;
    assert!(other.is_ok());
}

/// A reason and a ticket are asked for before a key is read, a person is asked or STS is called.
#[tokio::test(start_paused = true)]
async fn what_is_required_is_asked_for_before_anything_is_unlocked() {
    let mut strict = profile("dev");
    strict.require.reason = true;
    strict.require.ticket = true;
    strict.source_identity = Some(template("T-{ticket}"));
    let house = House::plain(vec![strict]);
    let with = |reason: Option<&str>, ticket: Option<&str>| Ask {
        reason: reason.map(str::to_owned),
        ticket: ticket.map(str::to_owned),
        ..ask("dev")
    };
    for (asked, missing) in [
        (with(None, None), "reason"),
        (with(None, Some("OPS-1")), "reason"),
        (with(Some("look"), None), "ticket"),
    ] {
        let failure = house.broker.credentials(&peer(), &Same, &asked).await;
        let failure = failure.unwrap_err();
        assert_eq!(failure.code(), Code::AccessDenied);
        assert!(failure.to_string().contains(missing), "{failure}");
    }
    assert_eq!(house.calls(), [0, 0, 0, 0], "nobody and nothing was asked");
    let given = with(Some("look"), Some("OPS-1"));
    house
        .broker
        .credentials(&peer(), &Same, &given)
        .await
        .unwrap();
    let sent = house.tokens.seen();
    let sent = sent.last().unwrap().request.source_identity.as_ref();
    assert_eq!(sent.unwrap().to_string(), "T-OPS-1");
    let issued = &house.journal.of(Activity::LeaseIssue)[0].facts;
    let recorded = (issued.reason.as_deref(), issued.ticket.as_deref());
    assert_eq!(recorded, (Some("look"), Some("OPS-1")));
}

/// An endpoint that was opened before there were rules goes by them from the reload on, by where its opener comes from.
#[tokio::test(start_paused = true)]
async fn an_open_endpoint_goes_by_the_rules_of_the_next_configuration() {
    let house = House::plain(vec![profile("dev")]);
    let mut ask = ask("dev");
    ask.interface = jumpgate_api::Interface::Container;
    let origin = Origin {
        ancestors: vec![Some(TOOL.into())],
        cgroup: None,
    };
    let of_tool = Peer {
        origin: Some(origin),
        ..peer()
    };
    let opened = house.broker.open_endpoint(&of_tool, &ask).await.unwrap();
    let mut ruled = ruled();
    ruled.peers[1].criteria = Criteria {
        ancestor: Some(TOOL.into()),
        ..Criteria::default()
    };
    let next = settings(vec![without_mfa()], vec![ruled]);
    house.broker.replace_settings(next).await;
    let served = house.broker.serve_endpoint(&opened, &peer(), None).await;
    served.unwrap();
    let sent = house.tokens.seen().remove(0).request;
    assert_eq!(
        (sent.policy.is_some(), sent.duration.seconds()),
        (true, 900)
    );
}
