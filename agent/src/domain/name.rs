//! Names of our own: profiles, identities, sessions, leases.

use std::fmt;

/// Longest name of a profile or an identity, in characters.
pub const MAX_NAME: usize = 64;

/// A text that is no name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected 1 to {MAX_NAME} characters of A-Z a-z 0-9 . _ @ / + - that do not start with a hyphen"
)]
pub struct NameError;

/// Names travel unquoted through `credential_process` lines, which minio-go and fluent-bit split without any
/// way to escape (so no space or quote), and a leading hyphen would be read as an option.
fn is_name(text: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || "._@/+-".contains(c);
    (1..=MAX_NAME).contains(&text.len()) && !text.starts_with('-') && text.chars().all(legal)
}

/// Ids of ours are ULIDs: letters and digits, at most 26 of them.
fn is_id(text: &str) -> bool {
    (1..=26).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

macro_rules! names {
    ($($(#[doc = $doc:literal])+ $name:ident by $rule:ident)+) => {$(
        $(#[doc = $doc])+
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Takes a legal name.
            ///
            /// # Errors
            /// A name: another text than 1 to 64 characters of `A-Za-z0-9._@/+-`, not starting with a hyphen.
            /// An id: another text than 1 to 26 letters and digits.
            pub fn parse(text: &str) -> Result<Self, NameError> {
                if $rule(text) { Ok(Self(text.to_owned())) } else { Err(NameError) }
            }

            /// The name.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

names! {
    /// The name of a profile.
    ProfileName by is_name
    /// The name of an identity.
    IdentityName by is_name
    /// Our id of a session: a ULID, the CloudTrail join key.
    SessionId by is_id
    /// The id of a lease: a ULID.
    LeaseId by is_id
}

/// A session id of the right shape, to check ahead of the call that whatever it is put into stays legal.
pub const SAMPLE_SESSION_ID: &str = "01KAN000000000000000000000";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_at_their_limits() {
        for good in ["a", "dev", "team/dev@eu-1_x.y+z", &"a".repeat(64)] {
            assert_eq!(ProfileName::parse(good).unwrap().as_str(), good);
        }
        for bad in [
            "",
            "-dev",
            "a b",
            "a\"b",
            "ü",
            "a\n",
            "a$b",
            &"a".repeat(65),
        ] {
            assert_eq!(ProfileName::parse(bad), Err(NameError), "{bad:?}");
        }
    }

    #[test]
    fn ids_are_letters_and_digits() {
        for bad in ["", "../journal", "a-b", "01KAN0000000000000000000001"] {
            assert_eq!(LeaseId::parse(bad), Err(NameError), "{bad:?}");
        }
    }

    #[test]
    fn the_sample_is_a_session_id() {
        assert!(SessionId::parse(SAMPLE_SESSION_ID).is_ok());
    }
}
