//! The rows I1 to I18 of what AWS's clients demand of IMDS.

use jumpgate_api::EndpointKind;

use super::*;
use crate::ports::TokenErrorKind;

const TOKEN_LINE: &str = "PUT /latest/api/token";
const TTL: &str = "X-aws-ec2-metadata-token-ttl-seconds";
const TOKEN: &str = "X-aws-ec2-metadata-token";
const LIST: &str = "/latest/meta-data/iam/security-credentials/";

async fn imds(site: &Site, name: &str) -> (u16, String) {
    let reply = site.open(EndpointKind::Imds, name).await;
    assert_eq!((reply.token, reply.token_file), (None, None));
    let port = port_of(&reply.url);
    assert_eq!(
        reply.url,
        format!("http://127.0.0.1:{port}"),
        "no slash at the end"
    );
    let token = ask(port, TOKEN_LINE, &[(TTL, "21600")]).await.body;
    (port, token)
}

async fn read(port: u16, token: &str, path: &str) -> Answered {
    ask(port, &format!("GET {path}"), &[(TOKEN, token)]).await
}

#[tokio::test]
async fn i1_i3_a_token_lives_as_long_as_was_asked_for() {
    let site = Site::new();
    let (port, _) = imds(&site, "dev").await;
    for ttl in ["21600", "600", "300", "10", "1"] {
        for more in [&[][..], &[("Content-Length", "0")]] {
            let headers = [&[(TTL, ttl)], more].concat();
            let answer = ask(port, TOKEN_LINE, &headers).await;
            assert_eq!(answer.status, 200, "{headers:?}");
            assert_eq!(answer.header(TTL), Some(ttl));
            assert_eq!(answer.header("content-type"), Some("text/plain"));
            assert_eq!(answer.header("server"), Some("EC2ws"));
            assert_eq!(read(port, &answer.body, LIST).await.status, 200);
        }
    }
}

#[tokio::test]
async fn i3_a_clock_that_is_set_does_not_change_the_life_of_a_token() {
    let site = Site::new();
    let (port, _) = imds(&site, "dev").await;
    let token = ask(port, TOKEN_LINE, &[(TTL, "60")]).await.body;
    site.house.clock.set_back(Duration::from_secs(3600));
    site.house.clock.suspend(Duration::from_secs(50));
    assert_eq!(read(port, &token, LIST).await.status, 200);
    site.house.clock.suspend(Duration::from_secs(11));
    assert_eq!(read(port, &token, LIST).await.status, 401);
}

#[tokio::test]
async fn i2_other_lives_are_refused() {
    let site = Site::new();
    let (port, _) = imds(&site, "dev").await;
    for ttl in ["0", "21601", "abc", "", "-1", "+300", "3e2", "99999999999"] {
        assert_eq!(
            ask(port, TOKEN_LINE, &[(TTL, ttl)]).await.status,
            400,
            "{ttl}"
        );
    }
    assert_eq!(ask(port, TOKEN_LINE, &[]).await.status, 400);
    let twice = [(TTL, "60"), (TTL, "60")];
    assert_eq!(ask(port, TOKEN_LINE, &twice).await.status, 400);
}

#[tokio::test]
async fn i4_i11_i12_a_token_is_not_for_browsers_proxies_and_other_names() {
    let site = Site::new();
    let (port, token) = imds(&site, "dev").await;
    for (name, value) in [
        ("X-Forwarded-For", "1.2.3.4"),
        ("Forwarded", "for=1.2.3.4"),
        ("Via", "1.1 proxy"),
        ("Origin", "http://evil.example"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Host", "evil.example"),
    ] {
        for line in [TOKEN_LINE, "GET /latest/meta-data/"] {
            let headers = [(name, value), (TTL, "60"), (TOKEN, &token)];
            let answer = ask(port, line, &headers).await;
            assert_eq!(answer.status, 403, "{line} {name}");
            assert!(!answer.head.to_lowercase().contains("access-control"));
        }
    }
    let own = format!("127.0.0.1:{port}");
    for host in ["127.0.0.1", &own, "localhost"] {
        let answer = ask(port, TOKEN_LINE, &[("Host", host), (TTL, "60")]).await;
        assert_eq!(answer.status, 200, "{host}");
    }
}

#[tokio::test]
async fn i5_i8_i9_from_the_list_to_the_document() {
    let site = Site::new();
    let (port, token) = imds(&site, "dev").await;
    let mut documents = Vec::new();
    for list in [
        LIST,
        LIST.trim_end_matches('/'),
        "/latest/meta-data/iam/security-credentials-extended/",
    ] {
        let role = read(port, &token, list).await;
        assert_eq!((role.status, role.body.as_str()), (200, "dev"), "{list}");
        for end in ["", "/"] {
            let path = format!("{}/{}{end}", list.trim_end_matches('/'), role.body);
            let answer = read(port, &token, &path).await;
            assert_eq!(answer.status, 200, "{path}");
            documents.push(answer.body);
        }
    }
    documents.dedup();
    assert_eq!(documents.len(), 1);
    let document: serde_json::Value = serde_json::from_str(&documents[0]).unwrap();
    assert_eq!(
        (&document["Code"], &document["Type"]),
        (&"Success".into(), &"AWS-HMAC".into())
    );
    assert_eq!(document["AccountId"], "222222222222");
    assert!(document["SecretAccessKey"].is_string() && document["Token"].is_string());
    for time in ["LastUpdated", "Expiration"] {
        assert!(is_plain_time(document[time].as_str().unwrap()));
    }
    assert_eq!(site.house.tokens.roles.count(), 1);
    assert_eq!(site.house.recorded(Activity::LeaseIssue), 1);
}

#[tokio::test]
async fn i6_i7_data_is_for_who_holds_a_valid_token() {
    let site = Site::new();
    let (port, token) = imds(&site, "dev").await;
    let (other_port, foreign) = imds(&site, "prod").await;
    assert_ne!(port, other_port);
    let other_end = if token.ends_with('0') { '1' } else { '0' };
    let changed = format!("{}{other_end}", &token[..token.len() - 1]);
    for path in [
        "/",
        LIST,
        "/latest/meta-data/",
        "/nothing",
        "/latest/meta-data/iam/security-credentials/dev",
    ] {
        let line = format!("GET {path}");
        let empty: &[(&str, &str)] = &[];
        for headers in [
            empty,
            &[(TOKEN, "INVALID")],
            &[(TOKEN, "")],
            &[(TOKEN, &changed)],
            &[(TOKEN, &foreign)],
            &[(TOKEN, &token[1..])],
            &[(TOKEN, &token), (TOKEN, &token)],
        ] {
            let answer = ask(port, &line, headers).await;
            assert_eq!(answer.status, 401, "{path} {headers:?}");
            assert!(answer.body.len() < 512);
        }
    }
    let short = ask(port, TOKEN_LINE, &[(TTL, "10")]).await.body;
    site.house.clock.suspend(Duration::from_secs(10));
    assert_eq!(read(port, &short, LIST).await.status, 401, "expired");
    assert_eq!(read(port, &token, LIST).await.status, 200);
    assert_eq!(site.house.tokens.roles.count(), 0);
    assert_eq!(site.refusals().await.len(), 2, "no token, a wrong one");
}

#[tokio::test]
async fn i10_the_region_is_told_if_it_is_known() {
    let site = Site::new();
    let (dev, prod) = (imds(&site, "dev").await, imds(&site, "prod").await);
    for (path, value) in [
        ("/latest/meta-data/placement/region", "eu-central-1"),
        (
            "/latest/meta-data/placement/availability-zone/",
            "eu-central-1a",
        ),
        (
            "/latest/meta-data/placement/availability-zone",
            "eu-central-1a",
        ),
        ("/latest/dynamic/instance-identity/document", "{"),
        ("/latest/meta-data/instance-id", "i-"),
    ] {
        let known = read(dev.0, &dev.1, path).await;
        assert_eq!(known.status, 200, "{path}");
        assert!(known.body.starts_with(value));
        assert_eq!(read(prod.0, &prod.1, path).await.status, 404, "{path}");
    }
    let info = read(prod.0, &prod.1, "/latest/meta-data/iam/info").await;
    assert_eq!(info.json()["Code"], "Success");
    let gone = read(
        prod.0,
        &prod.1,
        "/latest/meta-data/iam/security-credentials/dev",
    )
    .await;
    assert_eq!(gone.status, 404, "another role");
}

#[tokio::test]
async fn i13_other_methods_are_told_which_there_are() {
    let site = Site::new();
    let (port, token) = imds(&site, "dev").await;
    for (method, path, allow) in [
        ("DELETE", LIST, "GET, HEAD"),
        ("POST", LIST, "GET, HEAD"),
        ("OPTIONS", LIST, "GET, HEAD"),
        ("PUT", LIST, "GET, HEAD"),
        ("GET", "/latest/api/token", "PUT"),
        ("POST", "/latest/api/token", "PUT"),
        ("DELETE", "/latest/api/token", "PUT"),
    ] {
        let headers = [(TOKEN, token.as_str()), (TTL, "60")];
        let answer = ask(port, &format!("{method} {path}"), &headers).await;
        assert_eq!(answer.status, 405, "{method} {path}");
        assert_eq!(answer.header("allow"), Some(allow));
    }
}

#[tokio::test]
async fn i14_header_names_in_any_case() {
    let site = Site::new();
    let (port, _) = imds(&site, "dev").await;
    for change in [str::to_lowercase, str::to_uppercase] {
        let token = ask(port, TOKEN_LINE, &[(&change(TTL), "60")]).await;
        assert_eq!(token.status, 200);
        let headers = [
            (change(TOKEN), token.body),
            (change("Host"), "127.0.0.1".to_owned()),
        ];
        let headers: Vec<_> = headers
            .iter()
            .map(|(a, b)| (a.as_str(), b.as_str()))
            .collect();
        assert_eq!(
            ask(port, &format!("GET {LIST}"), &headers).await.status,
            200
        );
    }
}

#[tokio::test]
async fn i16_an_answer_comes_in_time_while_sts_hangs() {
    let site = Site::new();
    let (port, token) = imds(&site, "dev").await;
    site.house.tokens.roles.close();
    assert_eq!(
        read(port, &token, LIST).await.body,
        "dev",
        "the list needs no session"
    );
    let path = format!("{LIST}dev");
    assert_eq!(read(port, &token, &path).await.status, 503);
    site.house.tokens.roles.open();
    assert_eq!(read(port, &token, &path).await.status, 200);
    // Ten minutes before its end, with AWS hanging again.
    site.house.tokens.roles.close();
    site.house.clock.suspend(Duration::from_secs(50 * 60));
    let token = ask(port, TOKEN_LINE, &[(TTL, "60")]).await.body;
    assert_eq!(read(port, &token, &path).await.status, 200);
}

#[tokio::test]
async fn a_denial_is_not_there_and_a_lock_passes() {
    let site = Site::new();
    let (port, token) = imds(&site, "dev").await;
    site.house.tokens.deny(Some(TokenErrorKind::Denied));
    assert_eq!(read(port, &token, &format!("{LIST}dev")).await.status, 404);
    assert_eq!(read(port, &token, LIST).await.status, 200);
    site.house.broker.lock(None, "by its user").await;
    assert_eq!(read(port, &token, &format!("{LIST}dev")).await.status, 503);
}

#[tokio::test]
async fn i18_three_requests_on_one_connection_are_answered_in_order() {
    let site = Site::new();
    let (port, token) = imds(&site, "dev").await;
    let mut wire = Wire::to(port).await;
    let authorized = [(TOKEN, token.as_str())];
    let paths = [
        "/latest/meta-data/placement/region",
        LIST,
        "/latest/meta-data/services/domain",
    ];
    let all: String = paths
        .iter()
        .map(|path| request(&format!("GET {path}"), &authorized))
        .collect();
    wire.send(&all).await;
    for expected in ["eu-central-1", "dev", "amazonaws.com"] {
        assert_eq!(wire.next(false).await.unwrap().body, expected);
    }
    wire.send(&request(&format!("HEAD {LIST}"), &authorized))
        .await;
    let head = wire.next(true).await.unwrap();
    assert_eq!(
        (head.status, head.header("content-length")),
        (200, Some("3"))
    );
    wire.send(&request(&format!("GET {LIST}"), &authorized))
        .await;
    assert_eq!(
        wire.next(false).await.unwrap().body,
        "dev",
        "HEAD sent no body"
    );
}

#[tokio::test]
async fn a_closed_endpoint_has_no_listener() {
    let site = Site::new();
    let (port, token) = imds(&site, "dev").await;
    let mut kept = Wire::to(port).await;
    kept.send(&request(&format!("GET {LIST}"), &[(TOKEN, &token)]))
        .await;
    assert_eq!(kept.next(false).await.unwrap().status, 200);
    let lease = site.endpoints.status().len();
    assert_eq!(lease, 1);
    let reply = site.open(EndpointKind::Imds, "dev").await;
    assert_eq!(port_of(&reply.url), port, "shown again");
    let lease = crate::domain::name::LeaseId::parse(&reply.lease).unwrap();
    assert!(site.endpoints.close(&lease, None, "by its user").await);
    assert!(kept.next(false).await.is_none(), "the connection ended");
    assert!(TcpStream::connect(("127.0.0.1", port)).await.is_err());
}

#[tokio::test]
async fn a_role_that_a_reload_renames_is_listed_by_its_new_name() {
    let site = Site::new();
    let (port, token) = imds(&site, "dev").await;
    let old = read(port, &token, LIST).await.body;
    let mut settings = site.house.broker.settings().as_ref().clone();
    let mut changed = regional();
    changed.role = jumpgate_iam::RoleArn::parse("arn:aws:iam::222222222222:role/Renamed").unwrap();
    settings
        .profiles
        .insert(changed.name.clone(), Arc::new(changed));
    site.house.broker.replace_settings(settings).await;
    assert_ne!(old, "Renamed");
    assert_eq!(read(port, &token, LIST).await.body, "Renamed");
}
