//! What an endpoint serves again and again.

use std::sync::atomic::Ordering;

use jumpgate_api::{Code, Interface};

use super::super::BEYOND_PROMPT;
use super::*;
use crate::broker::endpoints::{Handed, OpenEndpoint};
use crate::domain::peer::Peer;
use crate::ports::TokenErrorKind;

/// When the server gives up.
const DEADLINE: Duration = Duration::from_millis(750);

async fn opened(house: &House) -> Arc<OpenEndpoint> {
    opened_as(house, Interface::Container).await
}

async fn opened_as(house: &House, interface: Interface) -> Arc<OpenEndpoint> {
    let mut ask = ask("dev");
    ask.interface = interface;
    house.broker.open_endpoint(&peer(), &ask).await.unwrap()
}

async fn serve(
    house: &House,
    endpoint: &Arc<OpenEndpoint>,
    program: &str,
) -> Result<Handed, Failure> {
    let executable = Some(program.to_owned());
    let peer = Peer {
        executable,
        ..peer()
    };
    house.broker.serve_endpoint(endpoint, &peer, None).await
}

#[tokio::test(start_paused = true)]
async fn another_program_under_the_same_pid_is_put_on_record() {
    let house = House::plain(vec![profile("dev")]);
    let endpoint = opened(&house).await;
    for program in ["/bin/sh", "/bin/sh", "/bin/aws", "/bin/aws", "/bin/aws"] {
        serve(&house, &endpoint, program).await.unwrap();
    }
    house.broker.flush_denials().await;
    let records = house.journal.records().into_iter();
    let of_programs =
        records.filter_map(|event| Some((event.peer?.executable?, event.facts.count)));
    let of_programs: Vec<_> = of_programs.collect();
    let expected = [
        ("/bin/sh".to_owned(), None),
        ("/bin/aws".to_owned(), None),
        ("/bin/sh".to_owned(), Some(1)),
        ("/bin/aws".to_owned(), Some(2)),
    ];
    assert_eq!(of_programs, expected);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_back_during_the_record_does_not_lengthen_a_session() {
    let house = House::plain(vec![profile("dev")]);
    let endpoint = opened(&house).await;
    serve(&house, &endpoint, "/bin/sh").await.unwrap();
    let writes = &house.journal.writes;
    let written = writes.count();
    writes.close();
    let serving = serve(&house, &endpoint, "/bin/aws");
    let later = async {
        writes.arrived(written + 1).await;
        house.clock.suspend(Duration::from_secs(3600));
        house.clock.set_back(Duration::from_secs(3600));
        writes.open();
    };
    let (served, ()) = tokio::join!(serving, later);
    assert_eq!(served.err().unwrap().code(), Code::Busy);
}

/// As `credentials` does: a command that is about to start does not wait for STS for ever.
#[tokio::test(start_paused = true)]
async fn the_session_of_a_command_is_waited_for_no_longer_than_a_persons_and_sts() {
    let house = House::plain(vec![profile("dev")]);
    let endpoint = opened(&house).await;
    house.tokens.roles.close();
    let limit = house.broker.settings().agent.prompt_wait + BEYOND_PROMPT;
    let preparing = house.broker.prepare_endpoint(&endpoint);
    let prepared = tokio::time::timeout(2 * limit, preparing).await;
    let failure = prepared.unwrap().unwrap_err();
    assert_eq!(failure.to_string(), Failure::Waited(limit).to_string());
    house.broker.flush_denials().await;
    assert_eq!(house.recorded(Activity::Deny), 1);
}

/// The deadline of an answer drops the wait for the disk; what becomes of the write is looked at all the same.
#[tokio::test(start_paused = true)]
async fn an_issue_that_nobody_waited_for_and_was_not_written_is_made_good() {
    let house = House::plain(vec![profile("dev")]);
    let endpoint = opened(&house).await;
    house.broker.prepare_endpoint(&endpoint).await.unwrap();
    let writes = &house.journal.writes;
    writes.close();
    let served = tokio::time::timeout(DEADLINE, serve(&house, &endpoint, "/bin/aws")).await;
    assert!(served.is_err(), "the journal hangs");
    house.journal.broken.store(true, Ordering::SeqCst);
    writes.open();
    house.broker.changes_made().await;
    house.journal.broken.store(false, Ordering::SeqCst);
    serve(&house, &endpoint, "/bin/aws").await.unwrap();
    assert_eq!(house.recorded(Activity::LeaseIssue), 1);
    assert_eq!(house.recorded(Activity::LeaseServe), 0);
}

/// botocore asks IMDS again with 15 minutes left: the next session must be there then, whatever STS takes.
#[tokio::test(start_paused = true)]
async fn a_session_handed_out_by_imds_is_refreshed_before_anybody_asks_again() {
    for (interface, calls) in [(Interface::Imds, 2), (Interface::Container, 1)] {
        let house = House::plain(vec![profile("dev")]);
        let endpoint = opened_as(&house, interface).await;
        serve(&house, &endpoint, "/bin/aws").await.unwrap();
        pass(30 * 60 - 1).await;
        assert_eq!(house.tokens.roles.count(), 1, "fresh");
        pass(1).await;
        assert_eq!(house.tokens.roles.count(), calls);
        pass(3 * 3600).await;
        assert_eq!(
            house.tokens.roles.count(),
            calls,
            "once for a session that was handed out"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_refresh_ahead_that_fails_is_tried_again_and_ends_with_the_endpoint() {
    let house = House::plain(vec![profile("dev")]);
    let endpoint = opened_as(&house, Interface::Imds).await;
    serve(&house, &endpoint, "/bin/aws").await.unwrap();
    house.tokens.deny(Some(TokenErrorKind::Unavailable));
    pass(30 * 60).await;
    let tried = house.tokens.roles.count();
    assert!(tried >= 2);
    pass(60).await;
    assert!(house.tokens.roles.count() > tried, "and again");
    let (lease, tried) = (endpoint.lease.clone(), house.tokens.roles.count());
    drop(endpoint);
    house.broker.close_endpoint(&lease, None, "closed").await;
    pass(600).await;
    assert_eq!(house.tokens.roles.count(), tried);
}

#[tokio::test(start_paused = true)]
async fn a_refresh_ahead_unlocks_nothing() {
    let house = House::plain(vec![profile("dev")]);
    let endpoint = opened_as(&house, Interface::Imds).await;
    serve(&house, &endpoint, "/bin/aws").await.unwrap();
    let calls = house.calls();
    house.broker.lock(None, "for the test").await;
    pass(3600).await;
    assert_eq!(house.calls(), calls);
}
