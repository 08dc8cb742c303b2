//! TLS, certificate bundles and proxies.

use std::path::{Path, PathBuf};

use super::*;
use crate::ports::{TokenErrorKind, TokenService};
use crate::providers::sts::ProxySettings;

fn testdata(name: &str) -> PathBuf {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/providers/sts/testdata");
    Path::new(folder).join(name)
}

fn trusting(url: &str, bundle: PathBuf) -> Endpoint {
    Endpoint {
        ca_bundle: Some(bundle),
        ..endpoint(url)
    }
}

fn through(proxy: &Server) -> SdkTokenService {
    let address = format!("http://alice:canary@{}", proxy.address);
    SdkTokenService::new(Options {
        proxy: ProxySettings::parse(&address, "").unwrap(),
        ..patient().options
    })
}

#[tokio::test]
async fn a_bundle_is_what_is_trusted() {
    let server = Server::tls(vec![caller(), caller()]);
    let port = server.address.port();
    let service = patient();
    for host in ["localhost", "127.0.0.1"] {
        let endpoint = trusting(&format!("https://{host}:{port}"), testdata("ca.pem"));
        let arn = service.caller_identity(&endpoint, &key()).await.unwrap();
        assert_eq!(arn.to_string(), "arn:aws:iam::111111111111:user/alice");
    }
}

#[tokio::test]
async fn nothing_else_is_trusted() {
    for bundle in [Some(testdata("other-ca.pem")), None] {
        let server = Server::tls(vec![caller(); 3]);
        let endpoint = Endpoint {
            ca_bundle: bundle.clone(),
            ..endpoint(&format!("https://localhost:{}", server.address.port()))
        };
        let error = patient()
            .caller_identity(&endpoint, &key())
            .await
            .unwrap_err();
        assert_eq!(error.kind, TokenErrorKind::Unavailable);
        // A machine without any certificates says so itself.
        let is_due = error.message.contains("UnknownIssuer") || bundle.is_none();
        assert!(is_due, "{bundle:?} {error}");
        assert!(server.seen().is_empty());
    }
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let server = Server::tls(vec![caller(); 3]);
    let proxy = Server::plain(vec![Reply::Splice(server.address); 3]);
    let service = through(&proxy);
    let error = service
        .caller_identity(
            &trusting("https://sts.other.example", testdata("ca.pem")),
            &key(),
        )
        .await
        .unwrap_err();
    assert_eq!(error.kind, TokenErrorKind::Unavailable);
    assert!(error.message.contains("not valid for name"), "{error}");
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_bundle_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    for bundle in [
        folder.path().join("missing.pem"),
        folder.path().to_path_buf(),
        file("empty.pem", b""),
        file("garbage.pem", b"no certificate"),
        file(
            "damaged.pem",
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        ),
        file("large.pem", &vec![b'\n'; 4 * 1024 * 1024 + 1]),
        testdata("server.key"),
    ] {
        let service = patient();
        let endpoint = trusting("https://127.0.0.1:9", bundle.clone());
        let error = service
            .caller_identity(&endpoint, &key())
            .await
            .unwrap_err();
        assert_eq!(error.kind, TokenErrorKind::Unavailable);
        assert!(
            error.message.contains(&bundle.display().to_string()),
            "{error}"
        );
        assert_eq!(service.counts(), (1, 1));
    }
}

#[tokio::test]
async fn a_bundle_that_changes_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("ca.pem");
    let server = Server::tls(vec![caller(); 4]);
    let endpoint = trusting(
        &format!("https://127.0.0.1:{}", server.address.port()),
        bundle.clone(),
    );
    let service = patient();
    std::fs::copy(testdata("other-ca.pem"), &bundle).unwrap();
    assert!(service.caller_identity(&endpoint, &key()).await.is_err());
    std::fs::copy(testdata("ca.pem"), &bundle).unwrap();
    assert!(service.caller_identity(&endpoint, &key()).await.is_ok());
}

#[tokio::test]
async fn a_proxy_is_asked_for_a_tunnel_and_sees_nothing_of_what_goes_through() {
    let server = Server::tls(vec![caller()]);
    let proxy = Server::plain(vec![Reply::Splice(server.address)]);
    let endpoint = trusting("https://sts.test.example", testdata("ca.pem"));
    through(&proxy)
        .caller_identity(&endpoint, &key())
        .await
        .unwrap();
    let seen = proxy.only();
    assert_eq!(seen.line, "CONNECT sts.test.example:443 HTTP/1.1");
    assert_eq!(seen.header("host"), Some("sts.test.example:443"));
    assert_eq!(
        seen.header("proxy-authorization"),
        Some("Basic YWxpY2U6Y2FuYXJ5")
    );
    assert_eq!(seen.header("authorization"), None);
    let inner = server.only();
    assert_eq!(inner.header("host"), Some("sts.test.example"));
    assert_eq!(inner.header("proxy-authorization"), None);
    assert_eq!(inner.field("Action"), Some("GetCallerIdentity"));
}

#[tokio::test]
async fn a_proxy_that_refuses_is_named_without_its_password() {
    for refusal in [
        "403 Forbidden",
        "407 Proxy Authentication Required",
        "garbage",
    ] {
        let reply = Reply::Raw(format!("HTTP/1.1 {refusal}\r\n\r\n").into_bytes());
        let proxy = Server::plain(vec![reply; 3]);
        let endpoint = trusting("https://sts.test.example", testdata("ca.pem"));
        let error = through(&proxy)
            .caller_identity(&endpoint, &key())
            .await
            .unwrap_err();
        assert_eq!(error.kind, TokenErrorKind::Unavailable, "{refusal}");
        assert!(
            error.message.contains(&proxy.address.to_string()),
            "{error}"
        );
        assert!(!error.message.contains("canary"), "{error}");
        assert_eq!(proxy.seen().len(), 3);
    }
}

#[tokio::test]
async fn the_endpoint_is_the_regions_own() {
    for name in [
        "us-east-1",
        "us-west-2",
        "eu-west-1",
        "ap-northeast-1",
        "us-gov-west-1",
        "cn-north-1",
        "eusc-de-east-1",
    ] {
        let region = Region::parse(name).unwrap();
        let expected = format!("CONNECT {}:443 HTTP/1.1", region.sts_host());
        let proxy = Server::plain(vec![Reply::Raw(b"HTTP/1.1 403 No\r\n\r\n".to_vec()); 3]);
        let endpoint = Endpoint {
            region,
            url: None,
            ca_bundle: Some(testdata("ca.pem")),
        };
        let outcome = through(&proxy).caller_identity(&endpoint, &key()).await;
        assert!(outcome.is_err());
        assert_eq!(proxy.seen()[0].line, expected, "{name}");
    }
    assert_eq!(
        Region::parse("us-east-1").unwrap().sts_host(),
        "sts.us-east-1.amazonaws.com"
    );
}
