//! Method and path to what is asked for.

use jumpgate_api::{Code, Problem, VERSION, from_path_segment};

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    Credentials,
    OpenEndpoint,
    Status,
    Unlock,
    Lock,
    Profiles,
    Profile(String),
    Leases,
    EndLease(String),
    Identities,
    AddIdentity(String),
    RemoveIdentity(String),
    CheckIdentity(String),
    RotateIdentity(String),
    Journal { last: Option<usize>, follow: bool },
    VerifyJournal,
    Reload,
    Stop,
}

/// Reads a request line.
pub(super) fn route(method: &str, path: &str, query: Option<&str>) -> Result<Route, Problem> {
    let mut segments = path.split('/').skip(1);
    let version = segments.next().unwrap_or_default();
    if version != VERSION {
        let message = format!("this agent speaks {VERSION} of the control API");
        return Err(Problem::new(Code::UnsupportedVersion, message)
            .with_hint("end the agent, so that the client starts its own: jumpgate agent stop"));
    }
    let rest: Vec<&str> = segments.collect();
    let name = |segment: &str| {
        from_path_segment(segment)
            .ok_or_else(|| Problem::new(Code::InvalidRequest, "a broken name in the path"))
    };
    let found = match (method, rest.as_slice()) {
        ("POST", ["credentials"]) => Route::Credentials,
        ("POST", ["endpoints"]) => Route::OpenEndpoint,
        ("GET", ["status"]) => Route::Status,
        ("POST", ["unlock"]) => Route::Unlock,
        ("POST", ["lock"]) => Route::Lock,
        ("GET", ["profiles"]) => Route::Profiles,
        ("GET", ["profiles", profile]) => Route::Profile(name(profile)?),
        ("GET", ["leases"]) => Route::Leases,
        ("DELETE", ["leases", lease]) => Route::EndLease(name(lease)?),
        ("GET", ["identities"]) => Route::Identities,
        ("PUT", ["identities", identity]) => Route::AddIdentity(name(identity)?),
        ("DELETE", ["identities", identity]) => Route::RemoveIdentity(name(identity)?),
        ("POST", ["identities", identity, "check"]) => Route::CheckIdentity(name(identity)?),
        ("POST", ["identities", identity, "rotate"]) => Route::RotateIdentity(name(identity)?),
        ("GET", ["journal"]) => journal(query.unwrap_or_default())?,
        ("GET", ["journal", "verify"]) => Route::VerifyJournal,
        ("POST", ["reload"]) => Route::Reload,
        ("POST", ["stop"]) => Route::Stop,
        _ => {
            return Err(Problem::new(
                Code::NotFound,
                "there is nothing at this path",
            ));
        }
    };
    Ok(found)
}

fn journal(query: &str) -> Result<Route, Problem> {
    let (mut last, mut follow) = (None, false);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=') {
            Some(("last", number)) => last = Some(number.parse().map_err(|_| bad_query())?),
            Some(("follow", truth)) => follow = truth.parse().map_err(|_| bad_query())?,
            _ => return Err(bad_query()),
        }
    }
    Ok(Route::Journal { last, follow })
}

fn bad_query() -> Problem {
    Problem::new(
        Code::InvalidRequest,
        "expected ?last=NUMBER&follow=true|false",
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_route_of_the_api() {
        for (method, path, query, expected) in [
            ("POST", "/v1/credentials", None, Route::Credentials),
            ("POST", "/v1/endpoints", None, Route::OpenEndpoint),
            ("GET", "/v1/status", None, Route::Status),
            ("POST", "/v1/unlock", None, Route::Unlock),
            ("POST", "/v1/lock", None, Route::Lock),
            ("GET", "/v1/profiles", None, Route::Profiles),
            (
                "GET",
                "/v1/profiles/a%2Fb",
                None,
                Route::Profile("a/b".into()),
            ),
            ("GET", "/v1/leases", None, Route::Leases),
            (
                "DELETE",
                "/v1/leases/L1",
                None,
                Route::EndLease("L1".into()),
            ),
            ("GET", "/v1/identities", None, Route::Identities),
            (
                "PUT",
                "/v1/identities/jump",
                None,
                Route::AddIdentity("jump".into()),
            ),
            (
                "DELETE",
                "/v1/identities/jump",
                None,
                Route::RemoveIdentity("jump".into()),
            ),
            (
                "POST",
                "/v1/identities/jump/check",
                None,
                Route::CheckIdentity("jump".into()),
            ),
            (
                "GET",
                "/v1/journal",
                None,
                Route::Journal {
                    last: None,
                    follow: false,
                },
            ),
            (
                "GET",
                "/v1/journal",
                Some("last=5&follow=true"),
                Route::Journal {
                    last: Some(5),
                    follow: true,
                },
            ),
            ("GET", "/v1/journal/verify", None, Route::VerifyJournal),
            ("POST", "/v1/reload", None, Route::Reload),
            ("POST", "/v1/stop", None, Route::Stop),
        ] {
            assert_eq!(
                route(method, path, query).unwrap(),
                expected,
                "{method} {path}"
            );
        }
    }

    #[test]
    fn anything_else_is_a_problem() {
        for (method, path, query, code) in [
            ("GET", "/", None, Code::UnsupportedVersion),
            ("GET", "/v2/status", None, Code::UnsupportedVersion),
            ("GET", "/v1/status/", None, Code::NotFound),
            ("POST", "/v1/status", None, Code::NotFound),
            ("GET", "/v1", None, Code::NotFound),
            ("GET", "/v1/profiles/%zz", None, Code::InvalidRequest),
            ("GET", "/v1/journal", Some("last=-1"), Code::InvalidRequest),
            ("GET", "/v1/journal", Some("first=1"), Code::InvalidRequest),
            (
                "GET",
                "/v1/journal",
                Some("follow=yes"),
                Code::InvalidRequest,
            ),
        ] {
            assert_eq!(
                route(method, path, query).unwrap_err().code,
                code,
                "{method} {path}"
            );
        }
    }
}
