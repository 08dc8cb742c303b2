//! `[serve.NAME]`: an endpoint for SDKs that stands whenever the agent runs, always at the same address.

use std::fmt;

use jumpgate_api::Interface;

use super::grant::{Ask, Narrowing};
use super::name::ProfileName;

/// Longest name of a standing endpoint, in characters.
pub const MAX_SERVE_NAME: usize = 64;

/// The lowest port: those below belong to root.
pub const LOWEST_PORT: u16 = 1024;

/// The ports that Linux gives to outgoing connections unless told otherwise (ip-sysctl.rst, `ip_local_port_range`).
pub const EPHEMERAL_PORTS: std::ops::RangeInclusive<u16> = 32_768..=60_999;

/// A text that names no standing endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected 1 to {MAX_SERVE_NAME} characters of A-Z a-z 0-9 _ -")]
pub struct ServeNameError;

/// The name of a standing endpoint. It is part of an address and of a file's name, so nothing that a client or a
/// file system reads in another way is in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServeName(String);

impl ServeName {
    /// Takes a legal name.
    ///
    /// # Errors
    /// Another text than 1 to 64 characters of `A-Za-z0-9_-`.
    pub fn parse(text: &str) -> Result<Self, ServeNameError> {
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if (1..=MAX_SERVE_NAME).contains(&text.len()) && text.bytes().all(legal) {
            return Ok(Self(text.to_owned()));
        }
        Err(ServeNameError)
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ServeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A number that is no port of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no port that can be listened on")]
pub struct PortError(i64);

/// A port from 1024 to 65535.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Port(u16);

impl Port {
    /// Takes a legal port.
    ///
    /// # Errors
    /// A number below 1024 or above 65535.
    pub fn parse(number: i64) -> Result<Self, PortError> {
        let port = u16::try_from(number).map_err(|_| PortError(number))?;
        if port < LOWEST_PORT {
            return Err(PortError(number));
        }
        Ok(Self(port))
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u16 {
        self.0
    }
}

/// What a standing endpoint speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaks {
    /// Container credentials.
    Container,
    /// The instance metadata service.
    Imds {
        /// Whether requests without a token are served too (IMDSv1).
        v1: bool,
    },
}

/// A standing endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Serve {
    /// Its name.
    pub name: ServeName,
    /// The profile whose sessions it serves.
    pub profile: ProfileName,
    /// What it speaks.
    pub speaks: Speaks,
    /// Its port on 127.0.0.1.
    pub port: Port,
}

impl Serve {
    /// What it asks for: the profile as it is.
    #[must_use]
    pub fn ask(&self) -> Ask {
        Ask {
            profile: self.profile.clone(),
            interface: match self.speaks {
                Speaks::Container => Interface::Container,
                Speaks::Imds { .. } => Interface::Imds,
            },
            narrowing: Narrowing::default(),
            reason: None,
            ticket: None,
        }
    }

    /// The name of the file with its token, or with the key of its tokens (IMDS). The profile is in it, so that a token
    /// never opens another one's endpoint, and what it is for. A comma and `=` are in neither name.
    #[must_use]
    pub fn token_file(&self) -> String {
        let profile = self.profile.as_str().replace('/', ",");
        let key = match self.speaks {
            Speaks::Container => "",
            Speaks::Imds { .. } => "=key",
        };
        format!("{},{profile}{key}", self.name)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_at_their_limits() {
        for good in ["a", "build-2_X", "-", &"a".repeat(MAX_SERVE_NAME)] {
            assert_eq!(ServeName::parse(good).unwrap().as_str(), good);
        }
        let long = "a".repeat(MAX_SERVE_NAME + 1);
        for bad in ["", ".", "..", "a/b", "a b", "a,b", "ü", "a%2f", &long] {
            assert_eq!(ServeName::parse(bad), Err(ServeNameError), "{bad:?}");
        }
    }

    #[test]
    fn ports_at_their_limits() {
        for good in [1_024, 4_100, 65_535] {
            assert_eq!(i64::from(Port::parse(good).unwrap().number()), good);
        }
        for bad in [i64::MIN, -1, 0, 80, 1_023, 65_536, 65_536 + 4_100, i64::MAX] {
            assert_eq!(Port::parse(bad), Err(PortError(bad)));
        }
    }

    #[test]
    fn no_two_questions_share_a_token_file() {
        let file = |name: &str, profile: &str| {
            let serve = Serve {
                name: ServeName::parse(name).unwrap(),
                profile: ProfileName::parse(profile).unwrap(),
                speaks: Speaks::Container,
                port: Port::parse(4_100).unwrap(),
            };
            serve.token_file()
        };
        assert_eq!(file("build", "team/dev"), "build,team,dev");
        let mut imds = Serve {
            name: ServeName::parse("build").unwrap(),
            profile: ProfileName::parse("dev").unwrap(),
            speaks: Speaks::Imds { v1: false },
            port: Port::parse(4_100).unwrap(),
        };
        assert_eq!(imds.token_file(), "build,dev=key");
        imds.speaks = Speaks::Imds { v1: true };
        assert_eq!(imds.token_file(), "build,dev=key");
        let names = ["a", "b", "a-b"].iter();
        let all = names.flat_map(|name| ["a", "b", "a/b", "..", "../a"].map(|of| file(name, of)));
        let all: Vec<String> = all.collect();
        let different: std::collections::BTreeSet<&String> = all.iter().collect();
        assert_eq!(different.len(), all.len());
        assert!(all.iter().all(|file| !file.contains('/')));
    }
}
