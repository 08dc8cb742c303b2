//! Whether a call to STS goes through a proxy, and through which.
//!
//! The rules are those that `curl` gives to `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`; the values are handed
//! in, the environment is not read here.

use std::net::IpAddr;
use std::sync::Arc;

use hyper::Uri;
use hyper::http::HeaderValue;
use hyper_util::client::proxy::matcher::Matcher;

/// The longest proxy address that is taken, in bytes.
pub const MAX_PROXY_BYTES: usize = 2_048;

/// The longest list of exceptions that is taken, in bytes.
pub const MAX_EXCEPTIONS_BYTES: usize = 16 * 1_024;

/// The proxy for `https` endpoints, if there is one, and the hosts that are reached without it.
#[derive(Debug, Clone, Default)]
pub struct ProxySettings {
    matcher: Option<Arc<Matcher>>,
}

/// A proxy setting that cannot be used. Says nothing of the address, which may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProxyError {
    /// No address, or one of another kind.
    #[error("the proxy's address is not of the form http://[USER:PASSWORD@]HOST[:PORT]")]
    NotHttp,
    /// An address beyond all reason.
    #[error("the proxy's address is longer than {MAX_PROXY_BYTES} bytes")]
    TooLong,
    /// A list beyond all reason.
    #[error("the list of hosts without a proxy is longer than {MAX_EXCEPTIONS_BYTES} bytes")]
    TooManyExceptions,
}

/// How to reach a host.
#[derive(Debug, Clone)]
pub(super) enum Route {
    /// By a connection of our own.
    Direct,
    /// By CONNECT through the proxy.
    Tunnel {
        /// The proxy, without user and password.
        proxy: Uri,
        /// The value of `Proxy-Authorization`.
        authorization: Option<HeaderValue>,
    },
}

impl ProxySettings {
    /// Takes the values of `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`, the first before the second; an empty
    /// value counts as absent.
    ///
    /// # Errors
    /// As [`ProxySettings::parse`].
    pub fn from_values(
        https: Option<&str>,
        all: Option<&str>,
        exceptions: Option<&str>,
    ) -> Result<Self, ProxyError> {
        let mut proxies = [https, all].into_iter().flatten();
        match proxies.find(|proxy| !proxy.trim().is_empty()) {
            Some(proxy) => Self::parse(proxy, exceptions.unwrap_or_default()),
            None => Ok(Self::default()),
        }
    }

    /// Takes `http://[USER:PASSWORD@]HOST[:PORT]` (the scheme may be left out; the port is 80 unless given)
    /// and a list of exceptions: names with all their subdomains, addresses, networks (`10.0.0.0/8`), `*`.
    ///
    /// # Errors
    /// A proxy that does not speak plain HTTP (a proxy that is set but cannot be used is not passed by), or
    /// values that are too long.
    pub fn parse(proxy: &str, exceptions: &str) -> Result<Self, ProxyError> {
        if proxy.len() > MAX_PROXY_BYTES {
            return Err(ProxyError::TooLong);
        }
        if exceptions.len() > MAX_EXCEPTIONS_BYTES {
            return Err(ProxyError::TooManyExceptions);
        }
        let proxy = proxy.trim();
        let with_scheme = match proxy.split_once("://") {
            None => format!("http://{proxy}"),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => format!("http://{rest}"),
            Some(_) => return Err(ProxyError::NotHttp),
        };
        let uri: Uri = with_scheme.parse().map_err(|_| ProxyError::NotHttp)?;
        if !is_host_and_port(&uri) {
            return Err(ProxyError::NotHttp);
        }
        let matcher = Matcher::builder()
            .https(with_scheme)
            .no(plain_exceptions(exceptions))
            .build();
        Ok(Self {
            matcher: Some(Arc::new(matcher)),
        })
    }

    /// How to reach `target`. Loopback addresses and `http` endpoints (which are loopback) are never proxied.
    pub(super) fn route(&self, target: &Uri) -> Route {
        let intercept = match &self.matcher {
            Some(matcher) if !is_loopback(target.host().unwrap_or_default()) => {
                matcher.intercept(target)
            }
            _ => None,
        };
        intercept.map_or(Route::Direct, |proxy| Route::Tunnel {
            proxy: proxy.uri().clone(),
            authorization: proxy.basic_auth().cloned(),
        })
    }
}

fn is_host_and_port(uri: &Uri) -> bool {
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    let after_host = authority.rsplit(['@', ']']).next().unwrap_or_default();
    let port_is_legal = !after_host.contains(':') || uri.port_u16().is_some_and(|port| port > 0);
    let has_host = uri.host().is_some_and(|host| !host.is_empty());
    has_host && port_is_legal && uri.path() == "/" && uri.query().is_none()
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    let is_loopback_address = host
        .parse::<IpAddr>()
        .is_ok_and(|address| address.is_loopback());
    is_loopback_address || name == "localhost" || name.ends_with(".localhost")
}

/// The list in the words of the matcher, which knows neither `*.example.com`, `[::1]` nor `host:443`.
fn plain_exceptions(list: &str) -> String {
    let separators = |c: char| c == ',' || c.is_whitespace();
    let plain: Vec<&str> = list
        .split(separators)
        .filter(|entry| !entry.is_empty())
        .map(plain_exception)
        .collect();
    plain.join(",")
}

fn plain_exception(entry: &str) -> &str {
    let entry = entry
        .strip_prefix('*')
        .filter(|rest| rest.starts_with('.'))
        .unwrap_or(entry);
    if let Some((address, _)) = entry
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
    {
        return address;
    }
    match entry.split_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => entry,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn tunnel(settings: &ProxySettings, target: &str) -> Option<(String, Option<String>)> {
        match settings.route(&target.parse().unwrap()) {
            Route::Direct => None,
            Route::Tunnel {
                proxy,
                authorization,
            } => Some((
                proxy.to_string(),
                authorization.map(|value| value.to_str().unwrap().to_owned()),
            )),
        }
    }

    #[test]
    fn addresses() {
        for (text, address, authorization) in [
            ("http://proxy:3128", "http://proxy:3128/", None),
            ("HTTP://proxy:3128/", "http://proxy:3128/", None),
            ("proxy:3128", "http://proxy:3128/", None),
            ("proxy", "http://proxy/", None),
            (" http://[fd00::1]:8080 ", "http://[fd00::1]:8080/", None),
            (
                "http://alice:p%40ss@proxy:3128",
                "http://proxy:3128/",
                Some("Basic YWxpY2U6cEBzcw=="),
            ),
            ("alice@proxy", "http://proxy/", Some("Basic YWxpY2U6")),
        ] {
            let settings = ProxySettings::parse(text, "").unwrap();
            assert_eq!(
                tunnel(&settings, "https://sts.eu-west-1.amazonaws.com/"),
                Some((address.to_owned(), authorization.map(str::to_owned))),
                "{text}"
            );
        }
    }

    #[test]
    fn addresses_that_are_refused() {
        let long = "p".repeat(MAX_PROXY_BYTES + 1);
        for (text, error) in [
            ("socks5://proxy:1080", ProxyError::NotHttp),
            ("https://proxy", ProxyError::NotHttp),
            ("http://", ProxyError::NotHttp),
            ("http://proxy/path", ProxyError::NotHttp),
            ("http://pro xy", ProxyError::NotHttp),
            ("http://proxy:port", ProxyError::NotHttp),
            ("http://proxy:", ProxyError::NotHttp),
            ("http://proxy:0", ProxyError::NotHttp),
            ("http://proxy:65536", ProxyError::NotHttp),
            ("http://alice:secret@", ProxyError::NotHttp),
            (&long, ProxyError::TooLong),
        ] {
            assert_eq!(ProxySettings::parse(text, "").unwrap_err(), error, "{text}");
        }
        let list = "a,".repeat(MAX_EXCEPTIONS_BYTES);
        assert_eq!(
            ProxySettings::parse("proxy", &list).unwrap_err(),
            ProxyError::TooManyExceptions
        );
    }

    #[test]
    fn exceptions() {
        for (list, host, direct) in [
            ("", "sts.eu-west-1.amazonaws.com", false),
            ("*", "sts.eu-west-1.amazonaws.com", true),
            ("amazonaws.com", "sts.eu-west-1.amazonaws.com", true),
            (".amazonaws.com", "sts.eu-west-1.amazonaws.com", true),
            ("*.amazonaws.com", "sts.eu-west-1.amazonaws.com", true),
            (
                "a.example, AmazonAWS.com",
                "sts.eu-west-1.amazonaws.com",
                true,
            ),
            ("a.example b.example", "b.example", true),
            ("amazonaws.com:443", "sts.eu-west-1.amazonaws.com", true),
            ("amazonaws.com", "notamazonaws.com", false),
            ("amazonaws.com", "amazonaws.com.evil.example", false),
            ("sts.eu-west-1.amazonaws.com", "amazonaws.com", false),
            ("10.0.0.7", "10.0.0.7", true),
            ("10.0.0.7", "10.0.0.70", false),
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("fd00::/8", "[fd00::1]", true),
            ("fd00::1", "[fd00::1]", true),
            ("[fd00::1]:443", "[fd00::1]", true),
            ("fd00::1", "[fd00::2]", false),
        ] {
            let settings = ProxySettings::parse("http://proxy:3128", list).unwrap();
            let target = format!("https://{host}/");
            assert_eq!(
                tunnel(&settings, &target).is_none(),
                direct,
                "{list} {host}"
            );
        }
    }

    #[test]
    fn this_machine_is_never_proxied() {
        let settings = ProxySettings::parse("http://proxy:3128", "").unwrap();
        for target in [
            "https://127.0.0.1:8443/",
            "https://127.9.9.9/",
            "https://[::1]/",
            "https://localhost/",
            "https://LOCALHOST./",
            "https://sts.localhost/",
            "http://127.0.0.1/",
        ] {
            assert_eq!(tunnel(&settings, target), None, "{target}");
        }
        assert!(tunnel(&settings, "https://localhost.example/").is_some());
        assert!(tunnel(&settings, "https://127.0.0.1.example/").is_some());
    }

    #[test]
    fn https_before_all_and_empty_is_absent() {
        for (https, all, exceptions, proxy) in [
            (None, None, Some("*"), None),
            (Some("one"), Some("two"), None, Some("one")),
            (Some(" "), Some("two"), None, Some("two")),
            (None, Some("two"), Some("other.example"), Some("two")),
            (None, Some("two"), Some("sts.example"), None),
        ] {
            let settings = ProxySettings::from_values(https, all, exceptions).unwrap();
            assert_eq!(
                tunnel(&settings, "https://sts.example/").map(|(uri, _)| uri),
                proxy.map(|host| format!("http://{host}/")),
                "{https:?} {all:?} {exceptions:?}"
            );
        }
    }

    #[test]
    fn the_password_is_not_shown() {
        let settings = ProxySettings::parse("http://alice:canary@proxy", "").unwrap();
        let route = settings.route(&"https://sts.example/".parse().unwrap());
        let shown = format!("{settings:?} {route:?} {}", ProxyError::NotHttp);
        assert!(
            !shown.contains("canary") && !shown.contains("YWxpY2U6"),
            "{shown}"
        );
    }
}
