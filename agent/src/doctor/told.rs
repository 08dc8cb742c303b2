//! What the client alone knows: its own version and place, what the running agent answered it, what its environment
//! says to SDKs. The first line of standard input is JSON; what follows is the agent's `status`, if there is one.

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;

/// The most that the client says, in bytes: a status and a line for each profile.
pub(crate) const MAX_TOLD_BYTES: u64 = 4 * 1024 * 1024;

/// What the client says. All of it may be missing: then nothing is known of it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Told {
    /// The client's version.
    pub(super) version: Option<String>,
    /// The client's executable.
    pub(super) executable: Option<PathBuf>,
    /// Variables that are set and that an SDK looks at before it asks us.
    pub(super) variables: Vec<String>,
    /// `~/.aws/credentials`, or what stands for it.
    pub(super) credentials_file: Option<PathBuf>,
    /// `~/.aws/config`, or what stands for it.
    pub(super) config_file: Option<PathBuf>,
    /// Why the agent could not be asked; absent when it answered or when none runs.
    pub(super) trouble: Option<Trouble>,
    /// A session of each profile, where that was asked for.
    pub(super) profiles: Option<Vec<Asked>>,
    /// What the running agent says of itself.
    #[serde(skip)]
    pub(super) status: Option<Value>,
}

/// What is wrong, and what to do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Trouble {
    pub(super) what: String,
    pub(super) hint: String,
}

/// A profile of which a session was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    /// Empty if the profiles could not be listed.
    pub(super) profile: String,
    /// Why there was none.
    pub(super) trouble: Option<Trouble>,
}

impl Told {
    /// Understands what was said; what is no JSON was said by somebody else, and nothing is known.
    pub(crate) fn parse(text: &str) -> Self {
        let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
        let mut told: Self = serde_json::from_str(first).unwrap_or_default();
        told.status = serde_json::from_str(rest).ok();
        told
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_line_and_a_status() {
        let told = Told::parse(
            "{\"version\":\"1\",\"variables\":[\"A\"],\"profiles\":[{\"profile\":\"dev\"}],\"new\":1}\n{\n \"pid\": 7}\n",
        );
        assert_eq!(told.version.as_deref(), Some("1"));
        assert_eq!(told.variables, ["A"]);
        assert_eq!(told.profiles.unwrap()[0].profile, "dev");
        assert_eq!(told.status.unwrap()["pid"], 7);
    }

    #[test]
    fn nothing_is_known_of_what_was_not_said() {
        for text in ["", "\n", "hello", "[]\n{"] {
            let told = Told::parse(text);
            assert!(told.version.is_none() && told.status.is_none(), "{text:?}");
        }
    }
}
