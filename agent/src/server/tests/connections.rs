//! Connections that are slow, many, rude, or somebody else's; and the process that an endpoint ends with.

use jumpgate_api::{Code, EndpointKind, MAX_HEAD_BYTES};

use super::*;

async fn imds_port(site: &Site) -> u16 {
    port_of(&site.open(EndpointKind::Imds, "dev").await.url)
}

#[tokio::test]
async fn c13_another_users_connection_is_told_so_once() {
    // To an agent of another user, we are the stranger.
    let house = House::plain(vec![regional()]);
    let home = tempfile::tempdir().unwrap();
    let uid = me().uid + 1;
    let endpoints = Endpoints::new(
        Arc::clone(&house.broker),
        home.path().join("tokens"),
        Peer { uid, ..me() },
    );
    let opened = endpoints
        .open(&me(), same(), wish(EndpointKind::Imds, "dev"))
        .await;
    let port = port_of(&opened.unwrap().url);
    for _ in 0..3 {
        let headers = [("X-aws-ec2-metadata-token-ttl-seconds", "60")];
        let answer = ask(port, "PUT /latest/api/token", &headers).await;
        assert_eq!(answer.status, 403);
        assert_eq!(answer.header("connection"), Some("close"));
    }
    house.broker.flush_denials().await;
    let refusals = house.journal.of(Activity::Deny);
    assert_eq!(refusals.len(), 1);
    assert_eq!(refusals[0].facts.count, Some(3));
    assert_eq!(refusals[0].peer.as_ref().unwrap().uid, me().uid);
}

#[tokio::test]
async fn c14_who_left_before_the_answer_harms_nothing() {
    let site = Site::new();
    let port = imds_port(&site).await;
    for _ in 0..20 {
        let mut wire = Wire::to(port).await;
        wire.send(&request("GET /", &[])).await;
    }
    assert_eq!(ask(port, "GET /", &[]).await.status, 401);
}

#[tokio::test]
async fn a_head_of_16_kib_and_no_more_and_no_body() {
    let site = Site::new();
    let port = imds_port(&site).await;
    let frame = request("GET /", &[("X-Long", "")]).len();
    let largest = "x".repeat(MAX_HEAD_BYTES - frame);
    assert_eq!(
        ask(port, "GET /", &[("X-Long", &largest)]).await.status,
        401
    );
    for longer in [format!("{largest}x"), "x".repeat(1 << 20)] {
        let mut wire = Wire::to(port).await;
        let sent = request("GET /", &[("X-Long", &longer)]);
        let _refused_early = wire.stream.write_all(sent.as_bytes()).await;
        // The kernel may drop the answer, since not all was read.
        let refused = wire.next(false).await;
        assert!(
            refused.is_none_or(|answer| answer.status == 431),
            "{}",
            longer.len()
        );
    }
    assert_eq!(
        ask(port, "GET /", &[("Content-Length", "1025")])
            .await
            .status,
        413
    );
    assert_eq!(
        ask(port, "GET /", &[("Transfer-Encoding", "chunked")])
            .await
            .status,
        413
    );
}

#[tokio::test]
async fn what_is_no_request_for_credentials_is_on_record() {
    let site = Site::new();
    let port = port_of(&site.open(EndpointKind::Container, "dev").await.url);
    for _ in 0..3 {
        assert_eq!(ask(port, "GET /", &[]).await.status, 404);
    }
    assert_eq!(ask(port, "POST /v1/x", &[]).await.status, 405);
    let body = [("Content-Length", "1025")];
    assert_eq!(ask(port, "GET /v1/x", &body).await.status, 413);
    let mut wire = Wire::to(port).await;
    wire.send("NONSENSE\r\n\r\n").await;
    assert_eq!(wire.next(false).await.unwrap().status, 400);
    // hyper answers, and then tells us why.
    assert!(wire.next(false).await.is_none());
    let (imds, ttl) = (
        imds_port(&site).await,
        "X-aws-ec2-metadata-token-ttl-seconds",
    );
    let answer = ask(imds, "PUT /latest/api/token", &[(ttl, "0")]).await;
    assert_eq!(answer.status, 400);
    assert_eq!(ask(imds, "DELETE /", &[]).await.status, 405);
    let expected = [
        "a request here has no body",
        "a token's life is 1 to 21600 seconds",
        "nothing is served here",
        "only GET and HEAD are answered here",
        "the method is not answered here",
        "what came is no HTTP request, or its head is too large",
    ];
    assert_eq!(reasons(&site).await, expected);
    let refusals = site.refusals().await;
    assert!(
        refusals
            .iter()
            .all(|event| event.peer.as_ref() == Some(&me()))
    );
}

#[tokio::test]
async fn who_is_refused_again_and_again_waits() {
    let site = Site::new();
    let port = imds_port(&site).await;
    let before = tokio::time::Instant::now();
    let mut crowd = tokio::task::JoinSet::new();
    for _ in 0..60 {
        crowd.spawn(async move { ask(port, "GET /", &[]).await.status });
    }
    assert!(crowd.join_all().await.iter().all(|status| *status == 401));
    // Twenty at once, and ten a second: the last of them cannot have come sooner.
    assert!(before.elapsed() >= std::time::Duration::from_millis(400));
}

#[tokio::test]
async fn an_endpoint_is_on_record_when_it_is_opened() {
    let site = Site::new();
    let reply = site.open(EndpointKind::Container, "dev").await;
    site.open(EndpointKind::Container, "dev").await;
    let opened = site.house.journal.of(Activity::EndpointOpen);
    assert_eq!(opened.len(), 1, "the second one was shown the first");
    assert_eq!(opened[0].lease.as_ref().unwrap().as_str(), reply.lease);
    assert_eq!(opened[0].peer, Some(me()));
    let broken = &site.house.journal.broken;
    broken.store(true, std::sync::atomic::Ordering::SeqCst);
    let (me, wish) = (me(), wish(EndpointKind::Imds, "dev"));
    let imds = site.endpoints.open(&me, same(), wish).await;
    assert_eq!(imds.unwrap_err().code, Code::JournalUnavailable);
    assert_eq!(site.endpoints.status().len(), 1);
}

#[tokio::test]
async fn idle_connections_do_not_shut_others_out() {
    let site = Site::new();
    let port = imds_port(&site).await;
    let mut idle = Vec::new();
    for _ in 0..600 {
        idle.push(Wire::to(port).await);
    }
    assert_eq!(ask(port, "GET /", &[]).await.status, 401);
    // The first to come rested longest.
    assert!(idle[0].next(false).await.is_none());
}

/// Who has a thousand files open and connects anew for each request must not wait for all of them to be read each time.
#[tokio::test]
async fn new_connections_of_a_process_with_many_descriptors_are_answered() {
    let site = Site::new();
    let port = port_of(&site.open(EndpointKind::Container, "dev").await.url);
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let many = limit.unwrap_or(u64::MAX).min(8_000) / 4;
    let _open: Vec<_> = (0..many)
        .map(|_| std::fs::File::open("/dev/null").unwrap())
        .collect();
    let mut crowd = tokio::task::JoinSet::new();
    for _ in 0..200 {
        crowd.spawn(async move { ask(port, "GET /v1/none", &[]).await.status });
    }
    assert!(crowd.join_all().await.iter().all(|status| *status == 403));
}

#[tokio::test]
async fn an_endpoint_ends_with_its_process() {
    let site = Site::new();
    let mut child = std::process::Command::new("sleep")
        .arg("60")
        .spawn()
        .unwrap();
    let mut peer = me();
    peer.pid = child.id();
    while super::super::peer::executable(peer.pid) == peer.executable {
        std::thread::yield_now();
    }
    peer.executable = super::super::peer::executable(peer.pid);
    let mut wish = wish(EndpointKind::Imds, "dev");
    wish.until_exit = true;
    let port = port_of(
        &site
            .endpoints
            .open(&peer, same(), wish.clone())
            .await
            .unwrap()
            .url,
    );
    let mut kept = Wire::to(port).await;
    assert_eq!(site.endpoints.status().len(), 1);
    child.kill().unwrap();
    assert!(kept.next(false).await.is_none(), "closed by the event");
    child.wait().unwrap();
    let refused = site.endpoints.open(&peer, same(), wish).await.unwrap_err();
    assert_eq!(refused.code, Code::Internal, "there is no such process");
    assert_eq!(site.endpoints.status(), []);
}
