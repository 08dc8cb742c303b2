//! The rows C3 to C17 of what AWS's clients demand of container credentials.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use jumpgate_api::{Code, EndpointKind, EndpointReply};

use super::super::stand::MAX_IN_SERVICE;
use super::super::upkeep::LOOK;
use super::*;
use crate::domain::name::LeaseId;
use crate::ports::TokenErrorKind;

async fn container(site: &Site, name: &str) -> (EndpointReply, u16, String, String) {
    let reply = site.open(EndpointKind::Container, name).await;
    let port = port_of(&reply.url);
    let path = reply
        .url
        .split_at(reply.url.find("/v1/").unwrap())
        .1
        .to_owned();
    let token = reply.token.as_ref().unwrap().expose().clone();
    (reply, port, path, token)
}

async fn with_token(port: u16, path: &str, token: &str) -> Answered {
    ask(port, &format!("GET {path}"), &[("Authorization", token)]).await
}

#[tokio::test]
async fn c9_c11_the_document_is_what_every_sdk_reads() {
    let site = Site::new();
    let (reply, port, path, token) = container(&site, "dev").await;
    let answer = with_token(port, &path, &token).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(answer.body.len() < 10_000);
    let document = answer.json();
    let keys: Vec<_> = document.as_object().unwrap().keys().cloned().collect();
    let mut expected = [
        "AccessKeyId",
        "SecretAccessKey",
        "Token",
        "Expiration",
        "AccountId",
        "RoleArn",
    ];
    expected.sort_unstable();
    assert_eq!(keys, expected, "{}", answer.body);
    assert!(is_plain_time(document["Expiration"].as_str().unwrap()));
    assert_eq!(document["AccountId"], "222222222222");
    assert_eq!(document["RoleArn"], reply.role_arn.as_str());
    let again = with_token(port, &path, &token).await;
    assert_eq!(again.body, answer.body);
    assert_eq!(
        site.house.tokens.roles.count(),
        1,
        "the second is from cache"
    );
    assert_eq!(site.house.recorded(Activity::LeaseIssue), 1);
    let issue = &site.house.journal.of(Activity::LeaseIssue)[0];
    assert_eq!(issue.peer.as_ref().unwrap().pid, std::process::id());
    assert_eq!(issue.lease.as_ref().unwrap().as_str(), reply.lease);
}

#[tokio::test]
async fn c3_c6_without_the_token_there_is_nothing() {
    let site = Site::new();
    let (_, port, path, token) = container(&site, "dev").await;
    let wrong = format!("{}x", &token[..token.len() - 1]);
    let line = format!("GET {path}");
    let twice = [("Authorization", token.as_str()), ("Authorization", &token)];
    let bearer = format!("Bearer {token}");
    for headers in [
        &[][..],
        &[("Authorization", "")],
        &[("Authorization", &wrong)],
        &[("Authorization", &token[..10])],
        &[("Authorization", &bearer)],
        &twice,
    ] {
        let answer = ask(port, &line, headers).await;
        assert_eq!(answer.status, 403, "{headers:?}");
        let body = answer.json();
        assert_eq!(
            (&body["code"], &body["Code"]),
            (&"access_denied".into(), &body["code"])
        );
        assert_eq!(body["message"], body["Message"]);
        assert!(
            body["message"]
                .as_str()
                .unwrap()
                .contains("jumpgate endpoint")
        );
    }
    let unknown = with_token(port, "/v1/01KAN0000000000000000000ZZ", &token);
    assert_eq!(unknown.await.status, 403);
    assert_eq!(site.house.tokens.roles.count(), 0);
    let refusals = site.refusals().await;
    assert!(
        refusals
            .iter()
            .all(|event| event.peer.as_ref().unwrap().pid == std::process::id())
    );
    assert_eq!(
        refusals.len(),
        3,
        "no token, a wrong one, an unknown lease: {refusals:?}"
    );
}

#[tokio::test]
async fn c7_one_failing_call_of_a_client_is_one_record() {
    let site = Site::new();
    site.house.tokens.deny(Some(TokenErrorKind::Denied));
    let (_, port, path, token) = container(&site, "dev").await;
    for _ in 0..4 {
        let answer = with_token(port, &path, &token).await;
        assert_eq!(answer.status, 403);
        let message = answer.json()["message"].as_str().unwrap().to_owned();
        assert!(
            message.contains("not authorized") && message.contains("; "),
            "{message}"
        );
    }
    // What JS does then.
    assert_eq!(ask(port, &format!("GET {path}"), &[]).await.status, 403);
    assert_eq!(site.house.tokens.roles.count(), 1);
    let refusals = site.refusals().await;
    assert_eq!(refusals.len(), 1, "{refusals:?}");
    assert_eq!(refusals[0].facts.count, Some(5));
}

#[tokio::test]
async fn c8_an_answer_comes_in_time_while_sts_hangs() {
    let site = Site::new();
    site.house.tokens.roles.close();
    let (_, port, path, token) = container(&site, "dev").await;
    for _ in 0..2 {
        // That it comes at all is the claim: AWS says nothing before `open` below.
        let answer = with_token(port, &path, &token).await;
        assert_eq!(answer.status, 503);
        assert!(
            answer.json()["message"]
                .as_str()
                .unwrap()
                .contains("jumpgate status")
        );
    }
    site.house.tokens.roles.open();
    assert_eq!(with_token(port, &path, &token).await.status, 200);
    assert_eq!(site.house.tokens.roles.count(), 1, "the flight went on");
}

/// More at a time than are worked on, in the last minutes of a session: the first wait for the new one, no longer than
/// a client does, and nobody waits for their waiting.
#[tokio::test]
async fn a_crowd_during_a_refresh_is_answered_from_the_session_that_lives() {
    let site = Site::new();
    let (_, port, path, token) = container(&site, "dev").await;
    let first = with_token(port, &path, &token).await.body;
    site.house.tokens.roles.close();
    site.house.clock.suspend(Duration::from_secs(50 * 60));
    let mut crowd = tokio::task::JoinSet::new();
    for _ in 0..4 * MAX_IN_SERVICE {
        let (path, token) = (path.clone(), token.clone());
        crowd.spawn(async move { with_token(port, &path, &token).await });
    }
    for answer in crowd.join_all().await {
        assert_eq!((answer.status, &answer.body), (200, &first));
    }
    assert_eq!(site.house.tokens.roles.count(), 2, "one refresh");
}

#[tokio::test]
async fn those_who_wait_for_one_role_keep_nobody_from_another() {
    let site = Site::new();
    let (_, port, path, token) = container(&site, "prod").await;
    assert_eq!(with_token(port, &path, &token).await.status, 200);
    site.house.tokens.roles.close();
    let (_, _, cold, cold_token) = container(&site, "dev").await;
    let mut waiting = Vec::new();
    for _ in 0..2 * MAX_IN_SERVICE {
        let mut wire = Wire::to(port).await;
        let authorized = [("Authorization", cold_token.as_str())];
        wire.send(&request(&format!("GET {cold}"), &authorized))
            .await;
        waiting.push(wire);
    }
    assert_eq!(with_token(port, &path, &token).await.status, 200);
    let told_already = waiting[0].stream.try_read(&mut [0]);
    assert!(told_already.is_err(), "it stood in line behind them");
    for mut wire in waiting {
        assert_eq!(wire.next(false).await.unwrap().status, 503);
    }
}

#[tokio::test]
async fn c8_a_journal_that_hangs_hands_nothing_out() {
    let site = Site::new();
    let (_, port, path, token) = container(&site, "dev").await;
    site.house.journal.writes.close();
    assert_eq!(with_token(port, &path, &token).await.status, 503);
}

#[tokio::test]
async fn a_locked_agent_says_what_to_do() {
    let site = Site::new();
    let (_, port, path, token) = container(&site, "dev").await;
    assert_eq!(with_token(port, &path, &token).await.status, 200);
    site.house.broker.lock(None, "by its user").await;
    let answer = with_token(port, &path, &token).await;
    assert_eq!(answer.status, 503);
    let body = answer.json();
    assert_eq!(body["code"], "locked");
    assert!(
        body["message"]
            .as_str()
            .unwrap()
            .contains("jumpgate unlock")
    );
}

#[tokio::test]
async fn c10_c12_what_is_routed_and_what_is_not() {
    let site = Site::new();
    let (_, port, path, token) = container(&site, "dev").await;
    let authorized = |host: &'static str| [("Host", host), ("Authorization", "")];
    for (line, host, status) in [
        (format!("GET {path}"), "127.0.0.1", 200),
        (format!("GET {path}"), "localhost", 200),
        (format!("GET {path}?a=b&c"), "127.0.0.1", 200),
        (format!("HEAD {path}"), "127.0.0.1", 200),
        (format!("GET {path}/"), "127.0.0.1", 404),
        (format!("GET {path}"), "evil.example", 403),
        (format!("GET http://evil.example{path}"), "127.0.0.1", 403),
        ("GET /".to_owned(), "127.0.0.1", 404),
        ("GET /v1/".to_owned(), "127.0.0.1", 404),
        ("GET /v1/profiles".to_owned(), "127.0.0.1", 403),
        (format!("POST {path}"), "127.0.0.1", 405),
        (format!("OPTIONS {path}"), "127.0.0.1", 405),
        (format!("PUT {path}"), "127.0.0.1", 405),
    ] {
        let mut headers = authorized(host);
        headers[1].1 = &token;
        let answer = ask(port, &line, &headers).await;
        assert_eq!(answer.status, status, "{line} {host}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("location"), None);
        let allow = (status == 405).then_some("GET, HEAD");
        assert_eq!(answer.header("allow"), allow);
    }
}

#[tokio::test]
async fn a_browser_and_a_proxy_get_nothing_with_the_right_token() {
    let site = Site::new();
    let (_, port, path, token) = container(&site, "dev").await;
    for name in [
        "Origin",
        "Referer",
        "Sec-Fetch-Site",
        "X-Forwarded-For",
        "Via",
        "forwarded",
    ] {
        let headers = [("Authorization", token.as_str()), (name, "x")];
        let answer = ask(port, &format!("GET {path}"), &headers).await;
        assert_eq!(answer.status, 403, "{name}");
        assert!(!answer.head.to_lowercase().contains("access-control"));
    }
    assert_eq!(site.house.tokens.roles.count(), 0);
    assert_eq!(site.refusals().await.len(), 6);
}

#[tokio::test]
async fn c17_each_token_opens_its_own_role() {
    let site = Site::new();
    let (dev, port, dev_path, dev_token) = container(&site, "dev").await;
    let (prod, same_port, prod_path, prod_token) = container(&site, "prod").await;
    assert_eq!(port, same_port, "one listener");
    for (path, token, role) in [
        (&dev_path, &dev_token, Some(&dev.role_arn)),
        (&prod_path, &prod_token, Some(&prod.role_arn)),
        (&dev_path, &prod_token, None),
        (&prod_path, &dev_token, None),
    ] {
        let answer = with_token(port, path, token).await;
        assert_eq!(answer.status == 200, role.is_some());
        assert_eq!(answer.json()["RoleArn"].as_str(), role.map(String::as_str));
    }
    let closed = crate::domain::name::LeaseId::parse(&dev.lease).unwrap();
    assert!(site.endpoints.close(&closed, None, "by its user").await);
    assert_eq!(with_token(port, &dev_path, &dev_token).await.status, 403);
    assert_eq!(with_token(port, &prod_path, &prod_token).await.status, 200);
    assert_eq!(site.house.recorded(Activity::LeaseEnd), 1);
    assert_eq!(site.endpoints.status().len(), 1);
    assert!(!site.endpoints.close(&closed, None, "again").await);
}

#[tokio::test]
async fn the_token_file_is_private_and_goes_with_the_endpoint() {
    let site = Site::new();
    let (reply, port, path, token) = container(&site, "dev").await;
    let file = reply.token_file.unwrap();
    let file = Path::new(&file);
    assert_eq!(std::fs::read_to_string(file).unwrap(), token);
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    // Asked for again, it is the same one; what somebody cleaned up comes back.
    std::fs::remove_dir_all(site.home.path().join("tokens")).unwrap();
    let (again, ..) = container(&site, "dev").await;
    assert_eq!((again.lease, again.url), (reply.lease, reply.url));
    assert_eq!(std::fs::read_to_string(file).unwrap(), token);
    let mut kept = Wire::to(port).await;
    site.endpoints.shut().await;
    assert!(!file.exists() && !file.parent().unwrap().exists());
    assert!(kept.next(false).await.is_none());
    assert!(
        TcpStream::connect(("127.0.0.1", port)).await.is_err(),
        "{path}"
    );
    assert_eq!(site.house.recorded(Activity::LeaseEnd), 1);
    let me = me();
    let late = wish(EndpointKind::Container, "dev");
    let late = site.endpoints.open(&me, same(), late);
    assert_eq!(late.await.unwrap_err().code, Code::Busy);
    assert!(!file.exists());
}

#[tokio::test]
async fn what_is_ended_while_it_is_asked_for_again_is_opened_anew() {
    let site = Site::of(House::commanded());
    let (old, port, path, token) = container(&site, "dev").await;
    assert_eq!(with_token(port, &path, &token).await.status, 200);
    // The ask finds that it is time to lock, and waits for the record of it.
    site.house.clock.suspend(Duration::from_secs(16 * 60));
    let writes = &site.house.journal.writes;
    let written = writes.count();
    writes.close();
    let (endpoints, again) = (
        Arc::clone(&site.endpoints),
        wish(EndpointKind::Container, "dev"),
    );
    let opening = tokio::spawn(async move { endpoints.open(&me(), same(), again).await });
    writes.arrived(written + 1).await;
    let lease = crate::domain::name::LeaseId::parse(&old.lease).unwrap();
    let ending = site.endpoints.close(&lease, None, "by its user");
    let _not_recorded_yet = tokio::time::timeout(Duration::ZERO, ending).await;
    writes.open();
    let new = opening.await.unwrap().unwrap();
    assert_ne!(new.lease, old.lease);
    assert!(!Path::new(&old.token_file.unwrap()).exists());
    assert!(Path::new(&new.token_file.unwrap()).exists());
}

#[tokio::test]
async fn what_is_ended_while_it_is_handed_out_stays_ended() {
    let site = Site::new();
    let (reply, port, path, token) = container(&site, "dev").await;
    let lease = crate::domain::name::LeaseId::parse(&reply.lease).unwrap();
    let writes = &site.house.journal.writes;
    let written = writes.count();
    writes.close();
    let asking = tokio::spawn(async move { with_token(port, &path, &token).await.status });
    writes.arrived(written + 1).await;
    let mut ended_by = me();
    ended_by.pid += 1;
    // Whoever ends it goes away at once.
    let ending = site.endpoints.close(&lease, Some(&ended_by), "by its user");
    let ended = tokio::time::timeout(Duration::ZERO, ending).await;
    assert!(ended.is_err(), "its record cannot be written yet");
    writes.open();
    assert_ne!(asking.await.unwrap(), 200);
    site.house.broker.changes_made().await;
    assert_eq!(site.house.broker.leases(), []);
    let end = site.house.journal.of(Activity::LeaseEnd);
    assert_eq!(end[0].peer, Some(ended_by));
}

#[tokio::test]
async fn connections_of_one_process_at_once_are_one_record_and_a_count() {
    let site = Site::new();
    let broker = &site.house.broker;
    let wish = wish(EndpointKind::Container, "dev");
    let ask = crate::server::asks::endpoint(&broker.settings(), wish).unwrap();
    let endpoint = broker.open_endpoint(&me(), &ask).await.unwrap();
    broker.serve_endpoint(&endpoint, &me(), None).await.unwrap();
    let mut tool = me();
    tool.pid += 1;
    let before = site.house.recorded(Activity::LeaseServe);
    let writes = &site.house.journal.writes;
    let written = writes.count();
    writes.close();
    let serve = || broker.serve_endpoint(&endpoint, &tool, None);
    // Each of the three has come before the first is on record.
    let recording = async {
        writes.arrived(written + 1).await;
        writes.open();
    };
    let (first, second, third, ()) = tokio::join!(serve(), serve(), serve(), recording);
    assert!(first.is_ok() && second.is_ok() && third.is_ok());
    let served = site.house.journal.of(Activity::LeaseServe);
    assert_eq!(served.len(), before + 1);
    assert_eq!(served[before].facts.count, None);
    broker.close_endpoint(&endpoint.lease, None, "done").await;
    let served = site.house.journal.of(Activity::LeaseServe);
    assert_eq!(served.last().unwrap().facts.count, Some(2));
}

#[tokio::test]
async fn what_the_rules_refuse_is_not_opened() {
    let site = Site::new();
    let refused = site
        .endpoints
        .open(&me(), same(), wish(EndpointKind::Container, "none"))
        .await;
    assert_eq!(refused.unwrap_err().code, Code::ProfileNotFound);
    assert_eq!(site.endpoints.status(), []);
    assert_eq!(site.refusals().await.len(), 1);
}

#[tokio::test]
async fn a_token_file_that_was_cleaned_away_is_put_back() {
    let site = Site::new();
    let (reply, other) = (
        site.open(EndpointKind::Container, "dev").await,
        site.open(EndpointKind::Container, "prod").await,
    );
    let (file, others) = (reply.token_file.unwrap(), other.token_file.unwrap());
    std::fs::remove_dir_all(site.home.path().join("tokens")).unwrap();
    let lease = LeaseId::parse(&other.lease).unwrap();
    assert!(site.endpoints.close(&lease, None, "for the test").await);
    tokio::time::pause();
    tokio::time::sleep(2 * LOOK).await;
    let token = reply.token.unwrap();
    assert_eq!(&std::fs::read_to_string(file).unwrap(), token.expose());
    assert!(!std::path::Path::new(&others).exists(), "it was closed");
}
