//! The one guard before both HTTP endpoints for SDKs: a web page, a proxy and a rebound name get nothing.
//!
//! A page in the user's browser can send requests to 127.0.0.1, and by DNS rebinding read the answers; a service that
//! fetches addresses for others can be made to fetch ours. What tells them apart from an SDK is in the head: the name in
//! `Host`, what browsers and proxies add. The token and the peer's user id come after this (`container`, `imds`,
//! `tcp_peer`); no check replaces another.

use hyper::header::{HOST, HeaderName};
use hyper::{HeaderMap, Uri};
use subtle::ConstantTimeEq;

/// Headers that only browsers and proxies send. botocore proxies IMDS requests when told to, so a proxy is no
/// theory (`Via`, `X-Forwarded-For`); IMDS itself refuses the latter.
const FOREIGN: [&str; 10] = [
    "origin",
    "referer",
    "sec-fetch-site",
    "sec-fetch-mode",
    "sec-fetch-dest",
    "sec-fetch-user",
    "x-forwarded-for",
    "x-forwarded-host",
    "forwarded",
    "via",
];

/// Why a request's head is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ForeignHead {
    /// The name asked for is not ours: DNS rebinding, or a stray request.
    #[error("the Host header does not name this endpoint")]
    Host,
    /// A browser or a proxy sent it.
    #[error("the header {0} shows a browser or a proxy")]
    Header(HeaderName),
}

/// The names of a listener.
#[derive(Debug, Clone, Copy)]
pub struct Ours {
    /// The port on 127.0.0.1.
    pub port: u16,
    /// The address at which AWS has the interface. Clients that know no other reach us there by a relay, in a network
    /// namespace. No page can have it for its origin by rebinding: it is an address, and no name.
    pub at_aws: &'static str,
}

/// Whether the head can come from an SDK on this machine.
///
/// # Errors
/// What shows that it does not.
pub fn from_an_sdk(uri: &Uri, headers: &HeaderMap, ours: Ours) -> Result<(), ForeignHead> {
    // A request line with a whole URL is meant for a proxy, and its name overrules `Host` (RFC 9112, 3.2.2).
    if uri.authority().is_some() {
        return Err(ForeignHead::Host);
    }
    let mut hosts = headers.get_all(HOST).iter();
    let host = hosts.next().and_then(|host| host.to_str().ok());
    if hosts.next().is_some() || !host.is_some_and(|host| ours.is(host)) {
        return Err(ForeignHead::Host);
    }
    // An SDK sends few headers: each is looked at once, instead of looking for each that must not be there.
    match headers.keys().find(|name| FOREIGN.contains(&name.as_str())) {
        Some(name) => Err(ForeignHead::Header(name.clone())),
        None => Ok(()),
    }
}

/// Whether this is the token, in a time that does not depend on where it differs.
#[must_use]
pub fn is_token(given: &[u8], token: &[u8]) -> bool {
    given.ct_eq(token).into()
}

impl Ours {
    /// With and without the port: the CRT leaves it out.
    fn is(self, host: &str) -> bool {
        let (name, port) = match host.rsplit_once(':') {
            Some((name, digits)) if !digits.ends_with(']') => (name, Some(digits)),
            _ => (host, None),
        };
        let is = |number| port.is_none_or(|digits| is_spelt(number, digits));
        match name {
            "127.0.0.1" | "[::1]" => is(self.port),
            _ if name.eq_ignore_ascii_case("localhost") => is(self.port),
            _ => name == self.at_aws && is(80),
        }
    }
}

/// A number has one spelling: no sign, no zero in front.
fn is_spelt(number: u16, digits: &str) -> bool {
    digits.starts_with(|first| matches!(first, '1'..='9')) && digits.parse() == Ok(number)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use hyper::header::HeaderValue;

    use super::*;

    fn head(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(
                HeaderName::from_static(name),
                HeaderValue::from_str(value).unwrap(),
            );
        }
        headers
    }

    fn sent(headers: &HeaderMap, port: u16) -> Result<(), ForeignHead> {
        from_an_sdk(&Uri::from_static("/v1/x"), headers, ours(port))
    }

    fn ours(port: u16) -> Ours {
        let at_aws = "169.254.169.254";
        Ours { port, at_aws }
    }

    #[test]
    fn a_request_for_a_proxy_is_refused() {
        let uri = Uri::from_static("http://127.0.0.1:80/v1/x");
        let refused = from_an_sdk(&uri, &head(&[("host", "127.0.0.1")]), ours(80));
        assert_eq!(refused, Err(ForeignHead::Host));
    }

    #[test]
    fn names_of_this_machine_with_and_without_port() {
        for host in [
            "127.0.0.1",
            "127.0.0.1:8080",
            "localhost",
            "localhost:8080",
            "LOCALHOST:8080",
            "[::1]",
            "[::1]:8080",
            "169.254.169.254",
            "169.254.169.254:80",
        ] {
            assert_eq!(sent(&head(&[("host", host)]), 8080), Ok(()), "{host}");
        }
    }

    #[test]
    fn other_names_are_refused() {
        for host in [
            "",
            "evil.example",
            "evil.example:8080",
            "127.0.0.1.evil.example",
            "127.0.0.1:8081",
            "127.0.0.1:",
            "127.0.0.1:+8080",
            "127.0.0.1:08080",
            "127.0.0.1:8080:8080",
            "user@127.0.0.1:8080",
            "127.0.0.2",
            "0.0.0.0:8080",
            "[::]:8080",
            "localhost.",
            "2130706433",
            "169.254.169.254:8080",
            "169.254.169.254:",
            "169.254.169.254.evil.example",
            "169.254.170.2",
            "2852039166",
        ] {
            let refused = sent(&head(&[("host", host)]), 8080);
            assert_eq!(refused, Err(ForeignHead::Host), "{host}");
        }
        assert_eq!(sent(&head(&[]), 8080), Err(ForeignHead::Host));
        let twice = head(&[("host", "127.0.0.1"), ("host", "127.0.0.1")]);
        assert_eq!(sent(&twice, 8080), Err(ForeignHead::Host));
    }

    #[test]
    fn browsers_and_proxies_are_refused() {
        for name in FOREIGN.map(HeaderName::from_static) {
            let mut headers = head(&[("host", "127.0.0.1")]);
            headers.insert(name.clone(), HeaderValue::from_static("x"));
            assert_eq!(sent(&headers, 1), Err(ForeignHead::Header(name)));
        }
    }
}
