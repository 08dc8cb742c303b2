//! Sessions that GetScopedCredentials narrows.

use jumpgate_api::{Code, Interface};

use super::*;
use crate::domain::grant::Narrowing;
use crate::domain::narrowing::Way;
use crate::domain::samples::{asked_duration, policy};
use crate::ports::TokenErrorKind;

fn house() -> House {
    let scoped = Profile {
        policy: Some(policy("s3:*")),
        scope_down: true,
        ..profile("dev")
    };
    House::plain(vec![scoped])
}

impl House {
    async fn narrowed(
        &self,
        action: Option<&str>,
        seconds: Option<u32>,
    ) -> Result<Leased, Failure> {
        let mut asking = ask("dev");
        asking.narrowing = Narrowing {
            policy: action.map(policy),
            policy_arns: Default::default(),
            duration: seconds.map(asked_duration),
            tags: Vec::new(),
        };
        self.broker.credentials(&peer(), &Same, &asking).await
    }

    fn scopes(&self) -> Vec<(String, Option<u32>)> {
        let scoped = self.tokens.scoped.lock().unwrap();
        let told = scoped.iter().map(|(signer, taken)| {
            let seconds = taken.duration.map(|duration| duration.seconds());
            (signer.clone(), seconds)
        });
        told.collect()
    }
}

const WHOLE: &str = "ASIA0000000000000001";

#[tokio::test(start_paused = true)]
async fn one_session_of_the_profile_is_under_all_of_them() {
    let house = house();
    let whole = house.ask("dev").await.unwrap();
    let read = house.narrowed(Some("s3:GetObject"), None).await.unwrap();
    let list = house.narrowed(Some("s3:ListBucket"), None).await.unwrap();
    let again = house.narrowed(Some("s3:GetObject"), None).await.unwrap();
    assert_eq!(house.tokens.roles.count(), 1);
    assert_eq!(house.scopes(), [(WHOLE.into(), None), (WHOLE.into(), None)]);
    let keys = [&whole, &read, &list].map(|leased| leased.session().access_key_id.clone());
    assert!(keys[0] != keys[1] && keys[1] != keys[2] && keys[0] != keys[2]);
    assert_eq!(again.session().access_key_id, keys[1]);
    assert_eq!(read.session().expires_at, whole.session().expires_at);
    assert_eq!(
        read.session().id,
        whole.session().id,
        "CloudTrail shows one name"
    );
    let issued = house.journal.of(Activity::LeaseIssue);
    let told: Vec<_> = issued
        .iter()
        .map(|event| (event.facts.narrowed_by, event.facts.asked_policy.clone()))
        .collect();
    let by = Some(Way::ScopeDown);
    assert_eq!(
        told,
        [
            (None, None),
            (by, Some(policy("s3:GetObject"))),
            (by, Some(policy("s3:ListBucket")))
        ]
    );
    assert!(
        issued
            .iter()
            .all(|event| event.facts.policy == Some(policy("s3:*")))
    );
}

#[tokio::test(start_paused = true)]
async fn a_minute_lives_a_minute_and_is_made_anew_from_the_same_session() {
    let house = house();
    let short = house.narrowed(None, Some(60)).await.unwrap();
    let session = short.session();
    assert_eq!(
        session.expires_at.since(session.issued_at),
        Duration::from_secs(60)
    );
    pass(20).await;
    let same = house.narrowed(None, Some(60)).await.unwrap();
    assert_eq!(same.session().access_key_id, session.access_key_id);
    pass(20).await;
    let newer = house.narrowed(None, Some(60)).await.unwrap();
    assert_ne!(newer.session().access_key_id, session.access_key_id);
    assert_eq!(house.tokens.roles.count(), 1);
    assert_eq!(
        house.scopes(),
        [(WHOLE.into(), Some(60)), (WHOLE.into(), Some(60))]
    );
}

/// The one that follows has the session's id of the one before, and is another session.
#[tokio::test(start_paused = true)]
async fn an_endpoint_puts_each_short_session_on_record() {
    let house = house();
    let mut asking = ask("dev");
    asking.interface = Interface::Container;
    asking.narrowing.duration = Some(asked_duration(60));
    let endpoint = house.broker.open_endpoint(&peer(), &asking).await.unwrap();
    let mut keys = Vec::new();
    for _ in 0..2 {
        let handed = house.broker.serve_endpoint(&endpoint, &peer(), None).await;
        let key = handed.unwrap().session().access_key_id.clone();
        keys.push(Some(key.as_str().to_owned()));
        pass(30).await;
    }
    assert_ne!(keys[0], keys[1]);
    let issued = house.journal.of(Activity::LeaseIssue).into_iter();
    let issued: Vec<_> = issued.map(|event| event.facts.access_key_id).collect();
    assert_eq!(issued, keys);
}

/// AWS refuses a duration beyond the session's remainder; none is sent then.
#[tokio::test(start_paused = true)]
async fn nothing_outlives_the_session_under_it() {
    let house = house();
    house.ask("dev").await.unwrap();
    pass(601).await;
    let scoped = house
        .narrowed(Some("s3:GetObject"), Some(3600))
        .await
        .unwrap();
    assert_eq!(house.scopes(), [(WHOLE.into(), None)]);
    assert_eq!(
        scoped.session().expires_at,
        house.ask("dev").await.unwrap().session().expires_at
    );
}

#[tokio::test(start_paused = true)]
async fn a_refusal_hands_out_nothing_and_says_which_call_it_was() {
    let house = house();
    *house.tokens.scoped_denied.lock().unwrap() = Some(TokenErrorKind::Denied);
    let failure = house
        .narrowed(Some("s3:GetObject"), None)
        .await
        .unwrap_err();
    assert_eq!(failure.code(), Code::UpstreamDenied);
    let text = failure.to_string();
    assert!(text.starts_with("GetScopedCredentials arn:aws:iam::222222222222:role/dev"));
    assert_eq!(house.recorded(Activity::LeaseIssue), 0);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_aws_takes_no_more_is_not_used_again() {
    let house = house();
    house.ask("dev").await.unwrap();
    let rejected = Some(TokenErrorKind::CredentialsRejected);
    *house.tokens.scoped_denied.lock().unwrap() = rejected;
    house
        .narrowed(Some("s3:GetObject"), None)
        .await
        .unwrap_err();
    *house.tokens.scoped_denied.lock().unwrap() = None;
    pass(11).await;
    house.narrowed(Some("s3:GetObject"), None).await.unwrap();
    let signers: Vec<_> = house
        .scopes()
        .into_iter()
        .map(|(signer, _)| signer)
        .collect();
    assert_eq!(signers, [WHOLE, "ASIA0000000000000002"]);
}
