//! What STS answers is believed only if it is what was asked for.

use jumpgate_api::Code;

use super::fakes::Script;
use super::*;
use crate::domain::session::AssumedRole;
use crate::ports::TokenErrorKind;

type Edit = fn(&mut AssumedRole);

#[tokio::test(start_paused = true)]
async fn answers_that_are_not_believed() {
    let other_role = |answer: &mut AssumedRole| answer.arn = answer.arn.replace("/dev/", "/ops/");
    let other_account =
        |answer: &mut AssumedRole| answer.arn = answer.arn.replace("222222222222", "333333333333");
    let other_name = |answer: &mut AssumedRole| answer.arn = answer.arn.replace("alice", "mallory");
    let no_arn = |answer: &mut AssumedRole| answer.arn = "\u{1b}[31m".into();
    let no_token = |answer: &mut AssumedRole| answer.session_token = "".into();
    let long_token =
        |answer: &mut AssumedRole| answer.session_token = "t".repeat(4097).as_str().into();
    let edits: [(&str, Edit); 6] = [
        ("role", other_role),
        ("account", other_account),
        ("name", other_name),
        ("arn", no_arn),
        ("no token", no_token),
        ("long token", long_token),
    ];
    for (what, edit) in edits {
        not_believed(what, Script::Edit(edit)).await;
    }
    for seconds in [0, 59, 60, 3600 + 301] {
        let life = Script::Life(Duration::from_secs(seconds));
        not_believed(&format!("{seconds} s"), life).await;
    }
}

async fn not_believed(what: &str, script: Script) {
    let house = House::plain(vec![profile("dev")]);
    house.tokens.script(script);
    let failure = house.ask("dev").await.unwrap_err();
    assert_eq!(failure.code(), Code::UpstreamInvalid, "{what}");
    assert!(!failure.to_string().contains('\u{1b}'));
    assert!(house.broker.sessions().is_empty(), "{what}");
    pass(3).await;
    assert!(house.ask("dev").await.is_ok(), "{what}");
}

#[tokio::test(start_paused = true)]
async fn answers_at_their_limits() {
    let token = |answer: &mut AssumedRole| answer.session_token = "t".repeat(4096).as_str().into();
    for script in [
        Script::Edit(token),
        Script::Life(Duration::from_secs(61)),
        Script::Life(Duration::from_secs(3600 + 300)),
    ] {
        let house = House::plain(vec![profile("dev")]);
        house.tokens.script(script);
        house.ask("dev").await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn rejected_credentials_are_not_used_again() {
    let house = House::commanded();
    house
        .tokens
        .script(Script::Fail(TokenErrorKind::CredentialsRejected));
    let failure = house.ask("dev").await.unwrap_err();
    assert_eq!(failure.code(), Code::UpstreamDenied);
    pass(10).await;
    house.ask("dev").await.unwrap();
    assert_eq!(house.tokens.codes(), ["111111", "222222"]);
    assert_eq!(house.tokens.seen()[1].signer, "ASIAMFA0000000000002");
}

#[tokio::test(start_paused = true)]
async fn a_late_rejection_spares_the_credentials_that_came_after() {
    let house = House::with(settings(
        vec![commanded()],
        vec![profile("dev"), profile("ops")],
    ));
    house.prompter.prints(&["111111", "222222", "333333"]);
    let told = Arc::new(tokio::sync::Notify::new());
    house.tokens.script(Script::RejectLate(Arc::clone(&told)));
    house
        .tokens
        .script(Script::Fail(TokenErrorKind::CredentialsRejected));
    let late = house.asking("ops");
    house.tokens.roles.arrived(1).await;
    house.ask("dev").await.unwrap_err();
    pass(10).await;
    house.ask("dev").await.unwrap();
    told.notify_one();
    late.await.unwrap().unwrap_err();
    pass(10).await;
    house.ask("ops").await.unwrap();
    assert_eq!(house.tokens.codes(), ["111111", "222222"]);
}
