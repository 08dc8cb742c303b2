//! A person's yes before a hand-out: asked once, remembered for a tree of processes, ended by a lock.

use jumpgate_api::{Code, Interface};

use super::*;
use crate::domain::peer::Peer;
use crate::ports::PromptError;

fn careful(does: &[Result<&'static str, PromptError>]) -> House {
    let mut careful = profile("dev");
    careful.require.confirm = true;
    let house = House::plain(vec![careful]);
    house.prompter.person(does);
    house
}

/// A process of another tree.
fn elsewhere(house: &House) -> Peer {
    house.processes.leads(9, 4242);
    Peer {
        pid: 4242,
        ..peer()
    }
}

#[tokio::test(start_paused = true)]
async fn one_question_serves_all_who_wait_and_stands_for_their_tree() {
    let house = careful(&[Ok(""), Ok("")]);
    house.prompter.dialogs.close();
    let asks = house.many(20, "dev");
    house.prompter.dialogs.arrived(1).await;
    assert_eq!(house.calls(), [0, 0, 0, 0], "nothing before the yes");
    house.prompter.dialogs.open();
    for ask in asks {
        ask.await.unwrap().unwrap();
    }
    pass(9 * 60).await;
    house.ask("dev").await.unwrap();
    assert_eq!(house.prompter.dialogs.count(), 1);
    // Another tree is another question.
    let stranger = elsewhere(&house);
    let ask = ask("dev");
    let asked = house.broker.credentials(&stranger, &Same, &ask);
    asked.await.unwrap();
    assert_eq!(house.prompter.dialogs.count(), 2);
    assert_eq!(house.prompter.errands()[1].0.pid, 4242);
}

#[tokio::test(start_paused = true)]
async fn a_yes_ends_when_idle_and_by_a_lock() {
    let house = careful(&[Ok(""), Ok(""), Ok("")]);
    house.ask("dev").await.unwrap();
    pass(600).await;
    house.ask("dev").await.unwrap();
    assert_eq!(house.prompter.dialogs.count(), 2, "idle");
    house.broker.lock(None, "by its user").await;
    house.unlock(Answers::default()).await.unwrap();
    house.ask("dev").await.unwrap();
    assert_eq!(house.prompter.dialogs.count(), 3, "locked");
}

#[tokio::test(start_paused = true)]
async fn a_no_is_recorded_and_remembered_for_ten_seconds() {
    let house = careful(&[Err(PromptError::Declined), Ok("")]);
    for _ in 0..21 {
        let failure = house.ask("dev").await.unwrap_err();
        assert_eq!(failure.code(), Code::UserDeclined);
        assert_eq!(
            failure.to_string(),
            "profile dev: the question was declined"
        );
    }
    assert_eq!(house.prompter.dialogs.count(), 1);
    assert_eq!(house.calls(), [0, 0, 0, 0]);
    pass(10).await;
    let denials = house.journal.of(Activity::Deny);
    assert_eq!(denials.len(), 1);
    assert_eq!(denials[0].facts.count, Some(21));
    assert_eq!(denials[0].facts.code.as_deref(), Some("user_declined"));
    house.ask("dev").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn without_a_screen_it_is_refused() {
    let house = careful(&[]);
    house
        .prompter
        .screen
        .store(false, std::sync::atomic::Ordering::SeqCst);
    let failure = house.ask("dev").await.unwrap_err();
    assert_eq!(failure.code(), Code::InteractionRequired);
    assert_eq!(house.calls(), [0, 0, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_question_that_nobody_answers_or_waits_for_goes_away() {
    let house = careful(&[]);
    house.prompter.dialogs.close();
    let asked = house.asking("dev");
    house.prompter.dialogs.arrived(1).await;
    pass(50).await;
    let failure = asked.await.unwrap().unwrap_err();
    assert_eq!(failure.to_string(), "profile dev: nobody answered in time");
    settle().await;
    assert_eq!(house.prompter.withdrawn(), 1);
    pass(3).await;
    let asked = house.asking("dev");
    house.prompter.dialogs.arrived(2).await;
    asked.abort();
    settle().await;
    assert_eq!(house.prompter.withdrawn(), 2);
    let asked = house.asking("dev");
    house.prompter.dialogs.arrived(3).await;
    house.broker.lock(None, "suspend").await;
    assert_eq!(asked.await.unwrap().unwrap_err().code(), Code::Locked);
    assert_eq!(house.prompter.withdrawn(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_asks_when_it_is_opened_and_answers_at_once_when_the_yes_is_gone() {
    let house = careful(&[Ok(""), Ok("")]);
    let ask = crate::domain::grant::Ask {
        interface: Interface::Container,
        ..ask("dev")
    };
    let failure = house.broker.open_endpoint(&peer(), &ask).await.err();
    assert_eq!(failure.unwrap().code(), Code::InteractionRequired);
    house.broker.confirm_endpoint(&peer(), &ask).await.unwrap();
    let endpoint = house.broker.open_endpoint(&peer(), &ask).await.unwrap();
    let owner = peer();
    let serve = || house.broker.serve_endpoint(&endpoint, &owner, None);
    serve().await.unwrap();
    pass(600).await;
    house.prompter.dialogs.close();
    let begin = tokio::time::Instant::now();
    let failure = serve().await.err().unwrap();
    assert_eq!(failure.to_string(), "profile dev: a person is being asked");
    assert_eq!(begin.elapsed(), Duration::ZERO);
    house.prompter.dialogs.arrived(2).await;
    pass(20).await;
    house.prompter.dialogs.open();
    settle().await;
    serve().await.unwrap();
    assert_eq!(house.prompter.dialogs.count(), 2);
}
