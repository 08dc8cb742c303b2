//! A person at a screen: one dialog for all who wait, taken back when nobody does, answered at a terminal as well.

use jumpgate_api::Code;

use super::*;
use crate::domain::identity::Store;
use crate::domain::samples::peer;
use crate::ports::{PromptError, StoreError};

fn at_screen(does: &[Result<&'static str, PromptError>]) -> House {
    let house = House::with(settings(
        vec![identity()],
        vec![profile("dev"), profile("ops")],
    ));
    house.prompter.person(does);
    house
}

#[tokio::test(start_paused = true)]
async fn one_dialog_serves_all_who_wait() {
    let house = at_screen(&[Ok("123456")]);
    house.prompter.dialogs.close();
    let asks = [house.many(25, "dev"), house.many(25, "ops")].concat_all();
    house.prompter.dialogs.arrived(1).await;
    pass(30).await;
    house.prompter.dialogs.open();
    for ask in asks {
        ask.await.unwrap().unwrap();
    }
    assert_eq!(house.prompter.dialogs.count(), 1);
    assert_eq!(house.tokens.codes(), ["123456"]);
    let [(errand, None)] = &house.prompter.errands()[..] else {
        panic!("{:?}", house.prompter.errands());
    };
    assert_eq!(errand.profile.as_ref().unwrap().as_str(), "dev");
    assert_eq!((errand.pid, errand.others), (peer().pid, 49));
    assert_eq!(errand.executable, peer().executable);
    assert_eq!(errand.kin.terminal.as_deref(), Some("/dev/pts/3"));
}

trait ConcatAll<T> {
    fn concat_all(self) -> Vec<T>;
}

impl<T, const N: usize> ConcatAll<T> for [Vec<T>; N] {
    fn concat_all(self) -> Vec<T> {
        self.into_iter().flatten().collect()
    }
}

#[tokio::test(start_paused = true)]
async fn a_dialog_stays_for_the_last_who_waits_and_each_has_a_time_of_its_own() {
    let house = at_screen(&[Ok("123456")]);
    house.prompter.dialogs.close();
    let early = house.asking("dev");
    house.prompter.dialogs.arrived(1).await;
    pass(40).await;
    let late = house.asking("dev");
    pass(10).await;
    let failure = early.await.unwrap().unwrap_err();
    assert_eq!(failure.code(), Code::IdentityLocked);
    assert_eq!(
        failure.to_string(),
        "identity jump: nobody answered in time"
    );
    pass(30).await;
    assert_eq!(house.prompter.withdrawn(), 0);
    house.prompter.dialogs.open();
    late.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn nobody_answers_and_the_dialog_goes_away() {
    let house = at_screen(&[]);
    house.prompter.dialogs.close();
    let ask = house.asking("dev");
    house.prompter.dialogs.arrived(1).await;
    pass(50).await;
    assert!(ask.await.unwrap().is_err());
    assert_eq!(house.prompter.withdrawn(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_last_who_leaves_takes_the_dialog_along() {
    let house = at_screen(&[Ok("123456")]);
    house.prompter.dialogs.close();
    let asks = house.many(2, "dev");
    house.prompter.dialogs.arrived(1).await;
    asks[0].abort();
    settle().await;
    assert_eq!(house.prompter.withdrawn(), 0);
    asks[1].abort();
    settle().await;
    assert_eq!(house.prompter.withdrawn(), 1);
    // It was nobody's no: the next is asked anew, at once.
    house.prompter.dialogs.open();
    house.ask("dev").await.unwrap();
    assert_eq!(house.prompter.dialogs.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_no_is_remembered_for_ten_seconds() {
    let house = at_screen(&[Err(PromptError::Declined), Ok("123456")]);
    for _ in 0..21 {
        let failure = house.ask("dev").await.unwrap_err();
        assert_eq!(failure.code(), Code::UserDeclined);
    }
    assert_eq!(house.prompter.dialogs.count(), 1);
    pass(10).await;
    house.ask("dev").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_lock_takes_the_dialog_back() {
    let house = at_screen(&[]);
    house.prompter.dialogs.close();
    let ask = house.asking("dev");
    house.prompter.dialogs.arrived(1).await;
    house.broker.lock(None, "suspend").await;
    assert_eq!(ask.await.unwrap().unwrap_err().code(), Code::Locked);
    assert_eq!(house.prompter.withdrawn(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_person_at_a_terminal_answers_the_dialog() {
    let house = at_screen(&[]);
    house.prompter.dialogs.close();
    let ask = house.asking("dev");
    house.prompter.dialogs.arrived(1).await;
    let failure = house.unlock(Answers::default()).await.unwrap_err();
    let Failure::InteractionRequired { needs, .. } = failure else {
        panic!("{failure:?}");
    };
    assert!(needs.mfa_serial.is_some() && !needs.passphrase);
    house.type_code("123456").await.unwrap();
    ask.await.unwrap().unwrap();
    assert_eq!(house.prompter.withdrawn(), 1);
    assert_eq!(house.tokens.codes(), ["123456"]);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_code_is_asked_for_again_and_a_used_one_not_sent() {
    let house = at_screen(&[Ok("654321"), Ok("654321"), Ok("123456")]);
    house.tokens.take_code("123456");
    house.ask("dev").await.unwrap();
    assert_eq!(house.tokens.codes(), ["654321", "123456"]);
    let remarks: Vec<_> = house
        .prompter
        .errands()
        .into_iter()
        .map(|(_, remark)| remark.unwrap_or_default())
        .collect();
    assert_eq!(remarks[0], "");
    assert!(
        remarks[1].starts_with("AWS refused that code"),
        "{remarks:?}"
    );
    assert!(
        remarks[2].starts_with("That code was used already"),
        "{remarks:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn three_wrong_codes_are_enough() {
    let house = at_screen(&[Ok("111111"), Ok("222222"), Ok("333333"), Ok("123456")]);
    house.tokens.take_code("123456");
    let failure = house.ask("dev").await.unwrap_err();
    assert_eq!(failure.code(), Code::UpstreamDenied);
    assert_eq!(house.tokens.codes(), ["111111", "222222", "333333"]);
}

#[tokio::test(start_paused = true)]
async fn a_sealed_key_takes_its_passphrase_then_the_code() {
    let sealed = Identity {
        store: Store::File,
        ..identity()
    };
    let house = House::with(settings(vec![sealed], vec![profile("dev")]));
    house
        .prompter
        .person(&[Ok("close sesame"), Ok("open sesame"), Ok("123456")]);
    house.ask("dev").await.unwrap();
    let errands = house.prompter.errands();
    assert_eq!(errands.len(), 3);
    assert_eq!(errands[1].1, Some("That passphrase does not open it."));
    assert_eq!(house.tokens.codes(), ["123456"]);
}

#[tokio::test(start_paused = true)]
async fn a_code_for_each_role_is_asked_for_at_the_screen() {
    let profiles = vec![profile("dev"), profile("ops")];
    let house = House::with(settings(vec![code_each_time(identity())], profiles));
    house.prompter.person(&[Ok("111111"), Ok("222222")]);
    house.ask("dev").await.unwrap();
    house.ask("ops").await.unwrap();
    let codes: Vec<_> = house
        .tokens
        .seen()
        .into_iter()
        .map(|call| call.code)
        .collect();
    assert_eq!(
        codes,
        [Some("111111".to_owned()), Some("222222".to_owned())]
    );
}

#[tokio::test(start_paused = true)]
async fn a_keyring_that_asks_is_waited_for_and_joined() {
    let house = House::plain(vec![profile("dev")]);
    house.keyring.loads.close();
    let early = house.asking("dev");
    house.keyring.loads.arrived(1).await;
    pass(40).await;
    let late = house.asking("dev");
    pass(39).await;
    assert!(!late.is_finished(), "its own 50 s are not over");
    house.keyring.loads.open();
    late.await.unwrap().unwrap();
    early.await.unwrap().unwrap();
    assert_eq!(house.keyring.loads.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_keyring_that_nobody_answers_is_said_so() {
    let house = House::plain(vec![profile("dev")]);
    house.keyring.loads.close();
    let begin = tokio::time::Instant::now();
    let failure = house.ask("dev").await.unwrap_err();
    let Failure::Store {
        error: StoreError::Unavailable { remedy, .. },
        ..
    } = &failure
    else {
        panic!("{failure:?}");
    };
    assert!(remedy.contains("may still be on the screen"), "{remedy}");
    assert_eq!(begin.elapsed(), Duration::from_secs(50));
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_says_at_once_that_a_person_is_asked_and_finds_the_answer_later() {
    let house = at_screen(&[Ok("123456")]);
    house.prompter.dialogs.close();
    let (owner, ask) = (peer(), ask("dev"));
    let endpoint = house.broker.open_endpoint(&owner, &ask).await.unwrap();
    let serve = || house.broker.serve_endpoint(&endpoint, &owner, None);
    let begin = tokio::time::Instant::now();
    for _ in 0..3 {
        let failure = serve().await.err().unwrap();
        assert_eq!(failure.code(), Code::InteractionRequired);
        assert_eq!(
            failure.to_string(),
            "identity jump: a person is being asked"
        );
    }
    assert_eq!(begin.elapsed(), Duration::ZERO);
    pass(40).await;
    house.prompter.dialogs.open();
    settle().await;
    serve().await.unwrap();
    assert_eq!(house.prompter.dialogs.count(), 1);
}
