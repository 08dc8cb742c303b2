//! An endpoint as the variables that point an SDK at it, and nowhere else. Pure.
//! Sources: "Container credential provider" and "IMDS credential provider" of the AWS SDKs and Tools
//! Reference Guide.

use jumpgate_api::{EndpointKind, EndpointReply};
use zeroize::Zeroizing;

use super::shell::Syntax;

/// What follows the root of an IMDS endpoint in its variable. AWS CLI 2.9 makes a broken address without the slash;
/// every client of the trials (tests/clients/README.md) takes it. Java's source, by reading, does not.
const IMDS_END: &str = "/";

/// Hosts that no proxy may see: botocore sends even IMDS requests, tokens included, through `HTTP_PROXY`.
const DIRECT: [&str; 2] = ["127.0.0.1", "localhost"];

/// Variables that would give a program other credentials than ours, or name where to get them.
const CREDENTIALS: [&str; 17] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_CREDENTIAL_FILE",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
];

/// Variables with their values. Some are secrets, so all are wiped.
pub(crate) type Assigned = Vec<(&'static str, Zeroizing<String>)>;

/// What is to be done to an environment.
pub(crate) struct Changes {
    pub(crate) unset: Vec<&'static str>,
    pub(crate) set: Assigned,
}

impl Changes {
    /// Sets these and takes out every other source of credentials.
    pub(crate) fn to(set: Assigned) -> Self {
        let is_set = |name: &&str| set.iter().any(|(set, _)| set == name);
        let unset = CREDENTIALS.into_iter().filter(|name| !is_set(name));
        Self {
            unset: unset.collect(),
            set,
        }
    }

    /// Points an SDK at this endpoint. `no_proxy` is what `NO_PROXY` and `no_proxy` say now.
    pub(crate) fn towards(reply: &EndpointReply, no_proxy: &[Option<String>; 2]) -> Self {
        let mut set = match reply.kind {
            EndpointKind::Container => container(reply),
            EndpointKind::Imds => imds(reply),
        };
        set.extend(super::shell::region(reply.region.as_ref()));
        let [upper, lower] = no_proxy;
        // A program that reads only one of the two must not lose what the other one says.
        set.push(("NO_PROXY", extended(upper.as_ref().or(lower.as_ref()))));
        set.push(("no_proxy", extended(lower.as_ref().or(upper.as_ref()))));
        let mut changes = Self::to(set);
        if reply.kind == EndpointKind::Imds {
            changes.unset.push("AWS_EC2_METADATA_DISABLED");
        }
        changes
    }

    /// The same as code for a POSIX shell, in one text that never grows.
    pub(crate) fn code(&self) -> Zeroizing<String> {
        let unset = format!("unset {};\n", self.unset.join(" "));
        let lines: Vec<_> = self
            .set
            .iter()
            .map(|(name, value)| Syntax::Posix.assign(name, value))
            .collect();
        let size = unset.len() + lines.iter().map(|line| line.len()).sum::<usize>();
        let mut code = Zeroizing::new(String::with_capacity(size));
        code.push_str(&unset);
        lines.iter().for_each(|line| code.push_str(line));
        code
    }
}

/// The token stands in both places: some SDKs read only the one, some only the other.
fn container(reply: &EndpointReply) -> Assigned {
    let token = reply.token.as_ref().map(|token| token.expose().clone());
    let optional = [
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", token),
        (
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
            reply.token_file.clone(),
        ),
    ];
    let url = (
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        Some(reply.url.clone()),
    );
    let all = std::iter::once(url).chain(optional);
    all.filter_map(|(name, value)| Some((name, Zeroizing::new(value?))))
        .collect()
}

/// Without a mode it is IPv4.
fn imds(reply: &EndpointReply) -> Assigned {
    let root = format!("{}{IMDS_END}", reply.url);
    let version = "true".to_owned();
    vec![
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", Zeroizing::new(root)),
        ("AWS_EC2_METADATA_V1_DISABLED", Zeroizing::new(version)),
    ]
}

/// The list with our hosts behind its own. A sole `*`, which means every host, stays alone: many programs know
/// it only so.
fn extended(list: Option<&String>) -> Zeroizing<String> {
    let mut extended = list.cloned().unwrap_or_default();
    if extended.trim() == "*" {
        return Zeroizing::new(extended);
    }
    for host in DIRECT {
        if !extended.split(',').any(|known| known.trim() == host) {
            if !extended.trim_end().is_empty() && !extended.trim_end().ends_with(',') {
                extended.push(',');
            }
            extended.push_str(host);
        }
    }
    Zeroizing::new(extended)
}

#[cfg(test)]
mod tests;
